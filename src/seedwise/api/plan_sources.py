"""Where the next hour goes: how many runs, and which sources to vary in them, from variance components."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from .. import stats
from ..errors import UsageError
from ..experiments.crossing import THREADS
from ..reports.page import Block, Line
from ..reports.table import Table
from ..showing import Shown
from ..words import decimals, number, printable
from .decompose import Decomposition

_EXAMPLE = 30


@dataclass(frozen=True)
class Varied:
    """What runs that vary some of the sources together would tell of the mean.

    Attributes
    ----------
    sources
        Those that vary.
    runs
        How many runs give the margin; None if no number does.
    remaining
        The margin that stays however many runs there are, because other sources are held at one value.
    margin_of_30
        The margin of 30 runs.
    """

    sources: tuple[str, ...]
    runs: int | None
    remaining: float
    margin_of_30: float


@dataclass(frozen=True, repr=False)
class PlanOfSources(Shown):
    """How many runs give a margin, for each choice of the sources that vary; the choice that needs fewest first."""

    metric: str
    margin: float
    level: float
    choices: tuple[Varied, ...]
    sentence: str

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "metric": self.metric,
            "margin": self.margin,
            "level": self.level,
            "choices": [
                {"vary": list(c.sources), "runs": c.runs, "remaining": c.remaining, "margin_of_30": c.margin_of_30}
                for c in self.choices
            ],
            "sentence": self.sentence,
        }


def plan_sources(
    components: Decomposition | Mapping[str, float], margin: float, *, level: float = 0.95, metric: str = "the metric"
) -> PlanOfSources:
    """How many runs give a mean ± `margin`, for each choice of the sources that vary in them.

    Parameters
    ----------
    components
        What `decompose` gave; or name → variance, with names such as `init`, `init × order`, `rest`.
    margin
        The number after ± that a mean shall have, as an estimate of the mean over all seeds of all sources.

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
    if not (margin > 0 and math.isfinite(margin)):
        raise UsageError(f"a margin is a number above 0; got {margin}")
    if isinstance(components, Decomposition):
        metric = components.metric
        components = {part.name: part.truncated for part in components.components.parts}
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
    return PlanOfSources(metric, margin, level, tuple(found), _sentence(found, sources, margin))


def _choice(varied: tuple[str, ...], variances: Mapping[tuple[str, ...], float], margin: float, level: float) -> Varied:
    drawn = [names for names in variances if set(names) & {*varied, "rest", "interactions"}]
    moving = sum(variances[names] for names in drawn)
    held = sum(value for names, value in variances.items() if names not in drawn)
    return Varied(
        varied,
        stats.runs_for_margin(moving, held, margin, level),
        stats.margin_with_held(0.0, held, 2, level),
        stats.margin_with_held(moving, held, _EXAMPLE, level),
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


def components_from(path: str) -> tuple[str, dict[str, float]]:
    """The metric and the variances in a file that `seedwise decompose --json` or `seedwise variance --json` printed.

    Raises
    ------
    UsageError
        There is no such file, or it holds something else.
    """
    if not os.path.isfile(path):
        raise UsageError(f"no file {path}: seedwise decompose … -o {path} writes one (its ending is .json)")
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        return str(data["metric"]), {str(k): float(part["variance"]) for k, part in data["components"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path} holds no variance components: seedwise decompose … --json prints them") from None


def page_of_plan(found: PlanOfSources) -> list[Block]:
    """The sentence, and a row for each choice of sources."""
    k = decimals(found.margin / 10, found.margin)
    rows = tuple(
        (
            ", ".join(map(printable, c.sources)),
            "no number" if c.runs is None else str(c.runs),
            f"± {number(c.margin_of_30, k)}",
            f"± {number(c.remaining, k)}",
        )
        for c in found.choices
    )
    columns = ("vary", f"runs for ± {found.margin:g}", f"{_EXAMPLE} runs give", "stays at the least")
    return [Line(found.sentence), Table(columns, rows, frozenset({1, 2, 3}))]
