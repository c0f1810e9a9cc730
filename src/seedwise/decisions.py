"""Answers to questions about scores: what a comparison, a plan, a choice found. All frozen, each with its sentence."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .results import Goal


class Decision(StrEnum):
    """What a comparison came to, by the metric's goal."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


def plain(value: object) -> object:
    """A frozen answer as the values of JSON."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


class Answer:
    """A frozen answer to a question about scores."""

    def as_dict(self) -> dict[str, object]:
        """The names of the project's JSON output."""
        found = plain(self)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True)
class Group:
    """One side of a comparison: its name, how many seeds of how many, and its t interval."""

    name: str
    n: int
    finished: int
    mean: float
    sd: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Comparison(Answer):
    """`new` held against `base` in one metric. Differences are new minus base, in the metric's units, whatever the goal.

    Attributes
    ----------
    difference, interval, level, method
        Difference of means and its t interval (Welch's, or over pairs).
    p_value
        Two-sided p of the studentised permutation test; `smallest_p` is the least these numbers of seeds can reach.
    t_p_value
        The p that belongs to the interval.
    probability_of_improvement, probability_interval
        Chance that one run of new is better, by the goal, than one of base; `probability_decision` is Bouthillier's: better when
        the interval lies above ½ and reaches beyond γ = .75.
    effect_size
        Cliff's δ, by the goal: 1 where every run of new is better.
    almost_dominance
        ASO's upper bound: below ½ new is almost stochastically better, the nearer to 0 the more.
    spread_ratio, spread_interval, spread_p
        SD of new over SD of base, with Brown and Forsythe's p.
    correlation
        Between scores under the same seeds; None where fewer than three are shared or nothing varies.
    decision
        From interval and p together: better or worse when the interval leaves 0 out and p ≤ 1 - level; equivalent when two
        one-sided tests put the difference within the margin that the user stated.
    needed
        Seeds (each) that would show a difference as large as this one with power .8, where the decision is open.
    wrong_winner
        How often a comparison of one seed each would have named the other one.
    pairs
        How many pairs, when pairing was declared.
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
    adjusted_p: float | None = None
    warnings: tuple[str, ...] = ()
    sentence: str = ""


@dataclass(frozen=True)
class Place:
    """A method among several: its scores and its rank with an interval (1 is best)."""

    group: Group
    rank: float
    rank_interval: tuple[float, float] | None


@dataclass(frozen=True)
class Ranking(Answer):
    """Several methods in one metric: all pairs, p adjusted by Holm, best first."""

    metric: str
    goal: Goal
    level: float
    places: tuple[Place, ...]
    pairs: tuple[Comparison, ...]
    sentence: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskPlace:
    """A method over tasks: interquartile mean, mean and median with stratified intervals, and mean rank (1 is best)."""

    name: str
    runs: int
    iqm: float
    iqm_interval: tuple[float, float]
    mean: float
    mean_interval: tuple[float, float]
    median: float
    median_interval: tuple[float, float]
    rank: float
    rank_interval: tuple[float, float]


@dataclass(frozen=True)
class TaskPair:
    """Two methods over tasks: chance of improvement averaged over tasks, and Wilcoxon's p over the tasks' means, with Holm."""

    new: str
    base: str
    probability_of_improvement: float
    probability_interval: tuple[float, float]
    p_value: float
    adjusted_p: float
    tasks_won: int
    decision: Decision


@dataclass(frozen=True)
class TaskRanking(Answer):
    """Several methods over several tasks."""

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


@dataclass(frozen=True)
class Plan(Answer):
    """How many seeds, and what those that are there could show. Figures that were not asked for are None."""

    sentence: str
    seeds: int | None = None
    power: float | None = None
    effect: float | None = None
    sd: float | None = None
    alpha: float = 0.05
    design: str = "two"
    margin: float | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice(Answer):
    """The run that looks best by one metric, and what to report of it by another.

    `expected` is the reported metric to be expected of the run that looks best of so many: the figure to report, since the chosen
    run's own is one draw; `optimism` is how much the metric it was chosen by flatters it.
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


@dataclass(frozen=True)
class Against(Answer):
    """A mean held against a number, one-sided."""

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
