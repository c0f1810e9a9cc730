"""Answers to questions about scores: what a comparison, a plan or a choice found.

Each answer is frozen and has a sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .results import Goal, Summary
from .showing import Shown


class Decision(StrEnum):
    """The result of a comparison, by the metric's goal."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


def plain(value: object) -> object:
    """A frozen answer, changed to values that JSON knows."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


class Answer(Shown):
    """A frozen answer to a question. It has a sentence."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {' '.join(str(getattr(self, 'sentence', '')).split())}>"

    def as_dict(self) -> dict[str, object]:
        """The values under the names that the project uses in all its JSON."""
        found = plain(self)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True)
class Group:
    """One side of a comparison: its name, n seeds of which `finished` have finished, and its interval."""

    name: str
    n: int
    finished: int
    mean: float
    sd: float | None
    interval: tuple[float, float] | None
    method: str = "t interval"
    """How the interval was computed."""


@dataclass(frozen=True, repr=False)
class Comparison(Answer):
    """The comparison of `new` with `base` in one metric. Differences are new minus base, in the metric's units,
    whatever the goal.

    Attributes
    ----------
    difference, interval, level, method
        Difference of means and its t interval (Welch's, or over pairs).
    p_value
        Two-sided p of the studentised permutation test. `smallest_p` is the smallest p that these numbers of seeds
        can give.
    t, df, t_p_value
        Welch's or the paired t, its degrees of freedom, and the p that belongs to the interval.
    identical
        Whether both sides have the same score under every seed.
    probability_of_improvement, probability_interval
        Probability that one run of new is better, by the goal, than one run of base. `probability_decision` is
        Bouthillier's: better when the interval lies above ½ and reaches beyond γ = .75.
    effect_size
        Cliff's δ, by the goal: 1 where every run of new is better.
    almost_dominance
        ASO's upper bound. Below ½, new is almost stochastically better; the closer to 0, the stronger.
    spread_ratio, spread_interval, spread_p
        SD of new over SD of base, with Brown and Forsythe's p.
    correlation
        Correlation of the scores under the same seeds. None where fewer than three seeds are shared, or where nothing
        varies.
    decision
        Interval and p decide together. Better or worse: the interval leaves 0 out and p ≤ 1 - level. Equivalent: two
        one-sided tests put the difference within the margin that the user gave.
    needed
        Seeds (each) that would show a difference as large as this one with power .8; None where the decision is made.
    wrong_winner
        How often a comparison of one seed each would name the other side as the winner.
    pairs
        Number of pairs, if pairing was declared.
    """

    metric: str
    goal: Goal
    new: Group
    base: Group
    difference: float
    interval: tuple[float, float] | None
    level: float
    method: str
    p_value: float | None
    smallest_p: float | None
    exact: bool | None
    t: float | None
    df: float | None
    t_p_value: float | None
    probability_of_improvement: float
    probability_interval: tuple[float, float]
    probability_decision: str
    effect_size: float
    almost_dominance: float | None
    spread_ratio: float | None
    spread_interval: tuple[float, float] | None
    spread_p: float | None
    correlation: float | None
    decision: Decision
    equivalence: float | None
    equivalence_p: float | None
    needed: int | None
    wrong_winner: float
    pairs: int | None
    unmatched: tuple[int, ...] = ()
    identical: bool = False
    adjusted_p: float | None = None
    adjusted: str = ""
    """Which p was adjusted for the number of comparisons: of the permutation test, or of Welch's or the paired t."""
    adjusted_equivalence_p: float | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know and need not act on."""
    sentence: str = ""


@dataclass(frozen=True)
class Place:
    """A method among several: its scores, and its rank (1 is best) with an interval."""

    group: Group
    rank: float
    rank_interval: tuple[float, float] | None


@dataclass(frozen=True)
class SteadierPair:
    """The spreads of two methods: SD of `steadier` over SD of `other`, at most 1.

    Attributes
    ----------
    ratio, interval
        With a bootstrap interval for this pair alone.
    p_value, adjusted_p
        Brown and Forsythe's, and that adjusted by Holm over all pairs.
    shown
        Whether adjusted_p is at most 1 - level.
    """

    steadier: str
    other: str
    ratio: float
    interval: tuple[float, float]
    p_value: float
    adjusted_p: float
    shown: bool


@dataclass(frozen=True, repr=False)
class Ranking(Answer):
    """Several methods in one metric, best first: all pairs, with p adjusted by Holm."""

    metric: str
    goal: Goal
    level: float
    places: tuple[Place, ...]
    pairs: tuple[Comparison, ...]
    sentence: str
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskPlace:
    """A method over several tasks.

    Interquartile mean, mean and median have stratified intervals, None with one run of each task; `rank` is the mean rank
    (1 is best). `gap` is the optimality gap below (where less is better: above) the score that is enough, where one was
    named.
    """

    name: str
    runs: int
    iqm: float
    iqm_interval: tuple[float, float] | None
    mean: float
    mean_interval: tuple[float, float] | None
    median: float
    median_interval: tuple[float, float] | None
    rank: float
    rank_interval: tuple[float, float] | None
    gap: float | None = None
    gap_interval: tuple[float, float] | None = None
    n: int | None = None
    """How many runs there are; `runs` of them finished."""


@dataclass(frozen=True)
class TaskProfile:
    """Share of a method's runs that reach each threshold, averaged over tasks.

    `band` (low, high) holds for the whole curve at once; None with one run of each task.
    """

    name: str
    thresholds: tuple[float, ...]
    share: tuple[float, ...]
    band: tuple[tuple[float, float], ...] | None


@dataclass(frozen=True)
class TaskPair:
    """Two methods over several tasks.

    P(improvement) is averaged over tasks; Wilcoxon's p is over the tasks' means, adjusted by Holm.
    """

    new: str
    base: str
    probability_of_improvement: float
    probability_interval: tuple[float, float] | None
    p_value: float
    adjusted_p: float
    tasks_won: int
    decision: Decision


@dataclass(frozen=True, repr=False)
class TaskRanking(Answer):
    """A comparison of several methods over several tasks."""

    metric: str
    goal: Goal
    level: float
    tasks: tuple[str, ...]
    places: tuple[TaskPlace, ...]
    pairs: tuple[TaskPair, ...]
    friedman_p: float | None
    critical_difference: float | None
    sentence: str
    warnings: tuple[str, ...] = ()
    enough: float | None = None
    """The score that counts as enough for the optimality gap."""
    profiles: tuple[TaskProfile, ...] = ()
    normalised: str = ""
    """By which scores of each task they were normalised; "" if they were not."""


@dataclass(frozen=True)
class OverTasks(Answer):
    """One method over several tasks, and its scores on each of them."""

    metric: str
    goal: Goal
    level: float
    place: TaskPlace
    tasks: Mapping[str, Summary]
    warnings: tuple[str, ...] = ()
    enough: float | None = None
    normalised: str = ""
    sentence: str = ""


@dataclass(frozen=True, repr=False)
class Plan(Answer):
    """How many seeds are needed, and what existing seeds can show. Numbers that were not asked for are None."""

    sentence: str
    seeds: int | None = None
    power: float | None = None
    effect: float | None = None
    sd: float | None = None
    alpha: float = 0.05
    design: str = "two"
    margin: float | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Choice(Answer):
    """The run that is best by one metric, and what to report of it by another.

    `expected[n - 1]` is the expected value of the reported metric for the best of n runs. Report this number: the
    chosen run's own value is only one draw.
    """

    seed: int
    by: str
    by_value: float
    report: str
    report_value: float
    report_mean: float
    expected: tuple[float, ...]
    ties: int
    sentence: str


@dataclass(frozen=True, repr=False)
class Against(Answer):
    """A one-sided comparison of a mean with a number."""

    metric: str
    threshold: float
    below: bool
    n: int
    mean: float
    sd: float | None
    p_value: float | None
    alpha: float
    settled: bool
    needed: int | None
    p_looked: float | None
    sentence: str
