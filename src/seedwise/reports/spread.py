"""Where spread comes from, in words and tables: variance components, folds, the test set."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..results import Goal
from ..stats import Components, CrossValidated, TestSetNoise
from ..wording import option
from ..words import decimals, number, printable
from .decisions import p_text, percent, signed
from .table import Table

_WORTH_SAYING = 0.005
"""A smaller share is 0 %; the table has it."""
_REST = "what no source named here controls"


def components_sentence(metric: str, found: Components) -> str:
    """Which part of the variance each source makes, the largest first."""
    known = sorted((p for p in found.parts if (p.share or 0.0) >= _WORTH_SAYING), key=lambda p: -(p.share or 0.0))
    if not known:
        return f"{printable(metric)} has no spread at all in these {_runs(found)} runs."
    shares = [f"{(p.share or 0) * 100:.0f} % is {_REST if p.name == 'rest' else printable(p.name)}" for p in known]
    return f"Of the variance of {printable(metric)} between runs, {', '.join(shares)} ({_runs(found)} runs; {_sd_of_one_run(found)})."


def _sd_of_one_run(found: Components) -> str:
    """The SD of runs in which everything varies, with its interval."""
    sd, low, high = (math.sqrt(value) for value in (found.total, *found.total_interval))
    k = decimals(sd or None, sd)
    ends = f"{number(low, k)} or more" if high > math.sqrt(_NO_END) * sd else f"{number(low, k)} to {number(high, k)}"
    return f"SD of one run {number(sd, k)}, {percent(found.level)} interval {ends}"


def _runs(found: Components) -> int:
    return found.runs or math.prod(found.shape) * found.replicates


def components_table(found: Components) -> Table:
    """A row for each source and each interaction."""
    rows = []
    for part in found.parts:
        share = "–" if part.share is None else f"{part.share * 100:.0f} %"
        sd = math.sqrt(part.truncated)
        rows.append(
            (
                printable(part.name),
                f"{part.variance:.3g}",
                _between(part.interval, found.total),
                share,
                number(sd, decimals(sd or None, sd)),
            )
        )
    columns = ("source", "variance", f"{percent(found.level)} interval", "share", "SD")
    return Table(columns, tuple(rows), frozenset({1, 3, 4}), (4, 1), shorten={0: _WHOLE_NAME})


_WHOLE_NAME = 30
"""Names of components that differ in their middle alone stay whole: other columns go first."""

_NO_END = 100
"""An interval that reaches beyond so many times the whole variance says nothing about how large a component may be."""


def _between(interval: tuple[float, float], total: float) -> str:
    low, high = interval
    return f"{low:.3g} … " + ("no upper end" if high > _NO_END * total else f"{high:.3g}")


def explain_components(found: Components) -> list[str]:
    """What each number of a decomposition means."""
    return [
        "variance: expected mean squares of the crossed design (Brennan 2001), in squared units of the metric. An estimate below 0 means that nothing was "
        "seen; its share is 0.",
        f"interval: modified large-sample (Ting et al. 1990), {percent(found.level)}; with few values of a source it is very wide.",
        "SD of one run: that of runs in which all of these sources vary. It is from the sum of all estimates, those below 0 too; shares are of those above 0.",
        f"a × b: what one source does depends on the value of the other. Runs that vary a alone ({option('--vary a')}) show a, and all that stands with a ×.",
        "rest: "
        + (
            "what stays when all sources are held and the run is repeated: races, atomics, other sources."
            if found.rest_apart
            else "without replicates, the highest interaction and what no source controls cannot be told apart."
        ),
    ]


def components_dict(metric: str, found: Components) -> dict[str, object]:
    """The names of all JSON about components."""
    return {
        "metric": metric,
        "components": {
            part.name: {
                "variance": part.variance,
                "share": part.share,
                "interval": list(part.interval),
                "df": part.df,
            }
            for part in found.parts
        },
        "runs": _runs(found),
        "total": found.total,
        "total_interval": list(found.total_interval),
        "replicates": found.replicates,
        "level": found.level,
        "sentence": components_sentence(metric, found),
    }


def cross_validated_sentence(metric: str, methods: tuple[str, ...], found: CrossValidated, goal: Goal | None) -> str:
    """The corrected test of a cross-validation, with what its ± is."""
    half = (found.high - found.low) / 2
    k = decimals(half or None, found.mean)
    seeds = f" under {found.seeds} seeds" if found.seeds > 1 else ""
    how = f"{percent(found.level)} interval {number(found.low, k)} to {number(found.high, k)}, corrected resampled t, {found.splits} folds{seeds}"
    if not methods:
        return f"{printable(metric)} is {number(found.mean, k)} ± {number(half, k)} ({how})."
    new, base = map(printable, methods)
    figures = f"difference {signed(found.mean, k)}, {how}, {p_text(found.p_value)}"
    if half == 0:
        return f"{new} and {base} differ by the same {signed(found.mean, k)} in {printable(metric)} in every fold: nothing is known of the spread."
    if found.low <= 0 <= found.high:
        return f"Whether {new} or {base} is better in {printable(metric)} is undecided ({figures})."
    word = "larger" if found.mean > 0 else "smaller"
    if goal is None:
        return f"{printable(metric)} is {word} with {new} than with {base} ({figures}); whether more or less is better is not known."
    return f"{new} is {'better' if (found.mean > 0) == (goal is Goal.MAX) else 'worse'} than {base} in {printable(metric)} ({figures})."


def spread_of_folds(found: CrossValidated, methods: tuple[str, ...] = ()) -> str:
    """How much of the spread of single scores is the split, and how much the seed; "" where they cannot be told apart."""
    split = found.split
    if split is None or found.fold_sd is None:
        return ""
    k = decimals(max(found.fold_sd, split.within_sd) or None, found.mean)
    low_high = split.interval
    between = (
        ""
        if low_high is None
        else f", {percent(split.level)} interval {low_high[0] * 100:.0f} to {low_high[1] * 100:.0f} %"
    )
    return (
        f"Of the variance of single {'differences' if methods else 'scores'}, {split.share * 100:.0f} % is the split{between}; the rest is the seed. SD between folds "
        f"{number(found.fold_sd, k) if found.fold_sd > 0 else 'none seen'}, between seeds on one fold {number(split.within_sd, k)}."
    )


def folds_table(folds: Sequence[str], scores: NDArray[np.float64], methods: tuple[str, ...], same: bool) -> Table:
    """A row for each fold that is the same under every seed, or for each seed that divides the data anew.

    `scores` has shape (seeds, folds).
    """
    head = "difference" if methods else "mean"
    several = len(scores) > 1
    if several and not same:
        rows = [(f"{k} of {len(scores)}", of) for k, of in enumerate(scores, start=1)]
        columns = ("division", head, "SD between folds")
    else:
        rows = [(printable(name), scores[:, k]) for k, name in enumerate(folds)]
        columns = ("fold", head, "SD between seeds") if several else ("fold", head, "")
    spread = [float(of.std(ddof=1)) if of.size > 1 else None for _, of in rows]
    k = decimals(float(scores.std()) or None, float(scores.mean()))
    show = signed if methods else number
    cells = [
        (name, show(float(of.mean()), k), *([number(sd, k)] if several else []))
        for (name, of), sd in zip(rows, spread, strict=True)
    ]
    return Table(columns if several else columns[:2], tuple(cells), frozenset({1, 2} if several else {1}))


def explain_folds(found: CrossValidated) -> list[str]:
    """What each number of a cross-validation means."""
    lines = [
        "corrected resampled t (Nadeau & Bengio 2003): training sets of folds overlap, so that their scores are not independent; a plain t test over "
        "folds and seeds finds differences that are not there in up to half of cases (docs/coverage.md)."
    ]
    if found.split is not None:
        lines.append(
            "the split's share: intraclass correlation of single scores (Shrout & Fleiss 1979; interval of McGraw & Wong 1996). A seed draws other numbers "
            "on every fold: what differs between seeds on one fold is the seed's."
        )
    return lines


def noise_sentence(found: TestSetNoise) -> str:
    """How much of the spread between runs the choice of test examples makes."""
    seen = math.sqrt(found.observed)
    k = decimals(seen or None, seen)
    text = f"{found.runs} runs on {found.examples} test examples: the error rates have an SD of {number(seen, k)}"
    if found.observed <= 0:
        return f"{text}: every run makes the same number of errors."
    share = min(1.0, max(0.0, found.distribution / found.observed))
    left = math.sqrt(max(0.0, found.distribution))
    if found.p_value is None or found.p_value > 0.05:
        return (
            f"{text}. That the runs truly differ is not shown (Cochran's Q, {p_text(found.p_value)}): all of it may be the choice of these test examples. The "
            f"estimate for fresh examples without end, {number(left, k)}, is no more than a guess from {found.runs} runs."
        )
    return (
        f"{text}. On fresh examples without end it would be about {number(left, k)}: about {100 * (1 - share):.0f} % of the variance is the choice of these "
        f"test examples, and about {100 * share:.0f} % is a true difference between runs ({p_text(found.p_value)} for none at all, Cochran's Q)."
    )


def explain_noise(found: TestSetNoise, classes: int) -> list[str]:
    """What each number about a test set means."""
    kind = "two classes" if classes == 2 else f"{classes} classes, a lower bound"
    return [
        "observed: variance of the error rate between runs, on this test set.",
        "distribution: its unbiased estimate on fresh examples without end (Jordan 2023); below 0 means none was seen.",
        f"predicted {found.predicted:.3g}: the variance that class-calibrated runs would show ({kind}); observed {found.observed:.3g}.",
    ]


def machine_sentence(found: Components, threads: str) -> str:
    """How many times the spread by seeds is the one by the machine: by the number of threads, and by what no seed controls.

    "" where nothing was repeated and threads are no factor.
    """
    by_threads = any(threads in part.sources for part in found.parts)
    if not by_threads and not found.rest_apart:
        return ""
    machine = [p for p in found.parts if threads in p.sources or (p.name == "rest" and found.rest_apart)]
    seeds = math.sqrt(sum(p.truncated for p in found.parts if p not in machine))
    rest = math.sqrt(sum(p.truncated for p in machine))
    what = "the number of threads and what no seed controls" if by_threads else "what no seed controls"
    k = decimals(seeds or None, seeds)
    if rest == 0:
        same = "runs under the same seeds gave the same" + (" with every number of threads" if by_threads else "")
        return f"Nothing is left to the machine: {same}."
    if seeds == 0:
        return f"All of the spread is {what}: the seeds make none."
    times = seeds / rest
    ratio = f"{times:.0f} times" if times >= 10 else f"{times:.2g} times" if times >= 1 else ""
    if not ratio:
        return f"The SD of {what}, {rest:.2g}, is {1 / times:.2g} times the seeds' SD, {number(seeds, k)}."
    return f"The seeds' SD, {number(seeds, k)}, is {ratio} that of {what}, {rest:.2g}."


_BAR = 24


def components_bars(found: Components) -> Table:
    """A bar for each component: its share of the variance."""
    parts = sorted(found.parts, key=lambda p: -(p.share or 0.0))
    rows = tuple(
        (printable(p.name), f"{(p.share or 0) * 100:.0f} %", "█" * round(_BAR * (p.share or 0))) for p in parts
    )
    return Table(("source", "share", ""), rows, frozenset({1}), pictures=frozenset({2}))
