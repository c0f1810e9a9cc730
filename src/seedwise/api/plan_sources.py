"""Where the next hour goes: how many runs, and which sources to vary in them, from variance components."""

import math
from collections.abc import Mapping
from itertools import combinations
from numbers import Real

from .. import stats
from ..errors import UsageError
from ..experiments.crossing import THREADS
from ..reports.decomposition import Decomposition
from ..reports.plan_sources import EXAMPLE, PlanOfSources, Varied
from ..words import decimals, number, printable
from .kept_components import components_from


def plan_sources(
    components: Decomposition | stats.Components | Mapping[str, float] | str,
    margin: float,
    *,
    level: float = 0.95,
    metric: str | None = None,
    store: str | None = None,
) -> PlanOfSources:
    """How many runs give a mean ± `margin`, for each choice of the sources that vary in them.

    Parameters
    ----------
    components
        What `decompose` or `variance_components` gave; the name of a decomposition in the store, or a file that
        `seedwise decompose -o FILE.json` wrote; or name → variance, with names such as `init`, `init × order`, `rest`.
    margin
        The number after ± that a mean shall have, as an estimate of the mean over all seeds of all sources.
    level
        Coverage of the interval whose half-width the margin is.
    metric
        Which metric of a decomposition in the store; by default the one that led.
    store
        The store's folder, where `components` is a name. By default the one of this project.

    Raises
    ------
    UsageError
        The margin is not above 0, or nothing varies.

    Notes
    -----
    Over k runs that vary the sources S together, Var(mean) = Σ σ²_T over the components T without any source of S, plus
    Σ σ²_T / k over all others (Bouthillier et al. 2021, arXiv 2103.03098, eqs. 7 and 8, with interactions). So the more
    sources vary, the less stays. Margins: `stats.margin_with_held`. The number of threads is left out: it is a setting.
    """
    if isinstance(margin, bool) or not isinstance(margin, Real) or not (margin > 0 and math.isfinite(margin)):
        raise UsageError(f"a margin is a number above 0; got {margin!r:.60}")
    if isinstance(components, str):
        metric, components = components_from(components, metric, store)
    if isinstance(components, Decomposition):
        metric, components = components.metric, components.components
    if isinstance(components, stats.Components):
        components = {part.name: part.truncated for part in components.parts}
    if not isinstance(components, Mapping) or not all(isinstance(value, Real) for value in components.values()):
        raise UsageError(
            f"components are what decompose gave, a name or a file, or name → variance; got {components!r:.60}"
        )
    variances = {tuple(name.split(" × ")): max(0.0, value) for name, value in components.items()}
    variances = {names: value for names, value in variances.items() if THREADS not in names}
    sources = [names[0] for names in variances if len(names) == 1 and names[0] not in ("rest", "interactions")]
    if not sources or not sum(variances.values()) > 0:
        raise UsageError("there is no spread to plan with: no component is above 0")
    try:
        found = [
            _choice(subset, variances, margin, level)
            for size in range(1, len(sources) + 1)
            for subset in combinations(sources, size)
        ]
    except ValueError as error:
        raise UsageError(str(error)) from None
    found.sort(key=lambda c: (math.inf if c.runs is None else c.runs, c.margin_of_30, len(c.sources)))
    return PlanOfSources(metric or "the metric", margin, level, tuple(found), _sentence(found, sources, margin))


def _choice(varied: tuple[str, ...], variances: Mapping[tuple[str, ...], float], margin: float, level: float) -> Varied:
    drawn = [names for names in variances if set(names) & {*varied, "rest", "interactions"}]
    moving = sum(variances[names] for names in drawn)
    held = sum(value for names, value in variances.items() if names not in drawn)
    return Varied(
        varied,
        stats.runs_for_margin(moving, held, margin, level),
        stats.margin_with_held(0.0, held, 2, level),
        stats.margin_with_held(moving, held, EXAMPLE, level),
    )


def _sentence(found: list[Varied], sources: list[str], margin: float) -> str:
    every = next(c for c in found if len(c.sources) == len(sources))
    text = f"{every.runs} runs that vary {_listed(list(every.sources))} together give a mean ± {margin:g}."
    alone = [c for c in found if len(c.sources) < len(sources)]
    if not alone:
        return text
    worst = max(alone, key=lambda c: c.remaining)
    best = min(alone, key=lambda c: c.remaining)
    k = decimals(best.remaining or None, best.remaining)
    if best.runs is None:
        return f"{text} With any of them held at one value no number of runs does: ± {number(best.remaining, k)} stays at the least."
    k = decimals(worst.remaining or None, worst.remaining)
    return f"{text} With only {_listed(list(worst.sources))} varied, ± {number(worst.remaining, k)} stays, however many runs there are."


def _listed(names: list[str]) -> str:
    names = [printable(name) for name in names]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
