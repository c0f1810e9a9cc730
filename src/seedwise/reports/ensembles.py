"""Ensembles of runs in words and a table: the size of an ensemble against how good it is."""

from dataclasses import dataclass, replace

from ..decisions import Answer
from ..results import Goal
from ..stats import EnsembleCurve, EnsembleSize
from ..words import decimals, number
from .decisions import percent, signed
from .page import Block, Line
from .table import Table


@dataclass(frozen=True, repr=False)
class Ensemble(Answer):
    """Score of ensembles of runs, against their size, beside single runs.

    Attributes
    ----------
    metric, goal
        Accuracy (max), or mean squared error (min).
    runs, n
        Runs that finished, and that were asked for.
    examples, classes
        Test examples; classes are None for values.
    curves
        One for each way to combine: the average, the vote. The sentence is about the first.
    level
        Coverage of the intervals.
    sentence
        The answer in words.
    """

    metric: str
    goal: Goal
    runs: int
    n: int
    examples: int
    classes: int | None
    level: float
    curves: tuple[EnsembleCurve, ...]
    sentence: str = ""

    def saying(self, sentence: str) -> "Ensemble":
        """The same with its sentence."""
        return replace(self, sentence=sentence)


_MOST = 0.9
"""The share of all runs' gain that counts as most of it."""


def ensemble_sentence(found: Ensemble) -> str:
    """Whether ensembles are better than single runs, by how much, and from how many runs on most of it is there."""
    curve = found.curves[0]
    first, last = curve.sizes[0], curve.sizes[-1]
    known = [size for size in curve.sizes if size.gain_interval is not None]
    k = _places(found)
    how = curve.combination.value
    among = f"{found.runs} runs" + ("" if found.runs == found.n else f" (of {found.n}; among finished)")
    start = f"The {how} of all {among} has {found.metric} {number(last.mean, k)}; a single run has {number(first.mean, k)} on average"
    if not known:
        return f"{start}. So few runs do not say what other runs would do: four or more make two ensembles of two."
    best = known[-1]
    assert best.gain_interval is not None
    low, high = best.gain_interval
    figures = f"{signed(best.gain, k)}, {percent(found.level)} interval {number(low, k)} to {number(high, k)}"
    better = low > 0 if found.goal is Goal.MAX else high < 0
    worse = high < 0 if found.goal is Goal.MAX else low > 0
    said = "better than" if better else "worse than" if worse else "not shown to be better than"
    a = "An" if how == "average" else "A"
    text = f"{start}. {a} {how} of {best.size} is {said} a single run ({figures})"
    most = _most_of_it(curve) if better else None
    return text + (f"; {most} runs give {_MOST * 100:g} % of what all {found.runs} give." if most is not None else ".")


def _most_of_it(curve: EnsembleCurve) -> int | None:
    """The smallest size in the curve with most of the gain of all runs."""
    whole = curve.sizes[-1].gain
    if not whole:
        return None
    return next((size.size for size in curve.sizes if size.gain / whole >= _MOST and size is not curve.sizes[-1]), None)


def ensemble_tables(found: Ensemble) -> list[Block]:
    """For each way to combine runs, a row for each size."""
    blocks: list[Block] = []
    for curve in found.curves:
        if len(found.curves) > 1:
            blocks.append(Line(f"By {curve.combination.value}:"))
        blocks.append(_table(curve, found))
    return blocks


def _table(curve: EnsembleCurve, found: Ensemble) -> Table:
    k = _places(found)
    at = percent(found.level)
    columns = ("runs", found.metric, f"{at} interval", "SD", "gain", f"{at} interval of gain")
    rows = [
        (
            str(size.size),
            number(size.mean, k),
            _between(size.interval, k),
            number(size.sd, k),
            "" if size.size == 1 else signed(size.gain, k),
            "" if size.size == 1 else _between(size.gain_interval, k),
        )
        for size in curve.sizes
    ]
    return Table(columns, tuple(rows), frozenset({0, 1, 3, 4}), (2, 3))


def _between(interval: tuple[float, float] | None, places: int) -> str:
    return "–" if interval is None else f"{number(interval[0], places)} … {number(interval[1], places)}"


def _places(found: Ensemble) -> int:
    """Two digits of the SD of ensembles: the smallest that is shown."""
    first: EnsembleSize = found.curves[0].sizes[0]
    spreads = [size.sd for size in found.curves[0].sizes if size.sd]
    return decimals(min(spreads, default=None), first.mean)


def explain_ensemble(found: Ensemble) -> list[str]:
    """What each number means."""
    at = percent(found.level)
    score = (
        "accuracy: a tie between classes counts in part, as if it were broken by lot."
        if found.classes
        else "mean squared error: in squared units of the target."
    )
    return [
        score,
        f"interval: {at}, of the expected score of so many other runs on these {found.examples} test examples (jackknife over runs, Student's t). It is given up "
        "to half of the runs: larger ensembles share too many members.",
        "SD: between ensembles of this size that have no run in common. It says how much the seed still decides.",
        f"gain: the score minus that of single runs; its {at} interval takes runs and test examples as samples, and holds for each size alone.",
    ]


def page_of_ensemble(found: Ensemble, explained: bool = False) -> list[Block]:
    """The sentence, and the tables."""
    blocks: list[Block] = [Line(found.sentence), *ensemble_tables(found)]
    return [*blocks, Line(""), *map(Line, explain_ensemble(found))] if explained else blocks
