"""Answers to questions about scores: what a comparison, a plan or a choice found.

Each answer is frozen and has a sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .advice import Advice
from .results import Goal, Summary
from .showing import Picture, Shown, plotted


class Decision(StrEnum):
    """The result of a comparison, by the metric's goal."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


def plain(value: object) -> object:
    """A frozen answer, changed to values that JSON knows."""
    if hasattr(value, "__dataclass_fields__"):
        shown = (name for name, of in value.__dataclass_fields__.items() if of.metadata.get("shown", True))
        return {name: plain(getattr(value, name)) for name in shown}
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


class Drawn(Answer):
    """An answer that can be drawn."""

    def plot(self, kind: str | None = None) -> Picture:
        """A picture: `found.plot().save("fig.pdf")`. The kinds are those of `seedwise plot`.

        Raises
        ------
        UsageError
            There is no such kind, or it does not fit. The message says which do.
        """
        return plotted(self, kind)


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
    sample: tuple[tuple[int, float], ...] = field(default=(), repr=False, compare=False, metadata={"shown": False})
    """Seed and score of each run that was compared, for a picture; no part of the JSON."""


@dataclass(frozen=True, repr=False)
class Comparison(Drawn):
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
    metric, goal
        Which metric was compared, and which end of it is better.
    new, base
        Each side: `name`, `n`, `finished`, `mean`, `sd`, `interval`.
    exact
        Whether the permutation test took all regroupings; False if it drew them; None without a test.
    equivalence, equivalence_p
        The margin that was given, in the metric's units, and the larger p of the two one-sided tests; None
        without one.
    unmatched
        Seeds that only one side has, if pairing was declared.
    adjusted_p, adjusted_equivalence_p
        The same p adjusted by Holm, where several questions were asked at once; else None.
    warnings
        What the reader should act on; each names a next step.
    sentence
        The answer in words.
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
    warnings: tuple[Advice, ...] = ()
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
class Ranking(Drawn):
    """Several methods in one metric, best first: all pairs, with p adjusted by Holm.

    Attributes
    ----------
    metric, goal, level
        The metric, which end of it is better, and the coverage of the intervals.
    places
        The methods, best first: scores, and rank with its interval.
    pairs
        A `Comparison` for each pair.
    warnings, notes
        What a reader should act on; and what they should know.
    sentence
        The answer in words.
    """

    metric: str
    goal: Goal
    level: float
    places: tuple[Place, ...]
    pairs: tuple[Comparison, ...]
    sentence: str
    warnings: tuple[Advice, ...] = ()
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
class TaskRanking(Drawn):
    """A comparison of several methods over several tasks.

    Attributes
    ----------
    metric, goal, level
        The metric, which end of it is better, and the coverage of the intervals.
    tasks
        The names of the tasks.
    places
        The methods, best first: interquartile mean, mean, median, optimality gap, mean rank; each with its
        interval.
    pairs
        For each pair P(improvement), Wilcoxon's p, and what is decided.
    friedman_p
        p of Friedman's test (Iman & Davenport's F); None for fewer than two tasks.
    critical_difference
        Nemenyi's, in mean ranks, if it was asked for.
    profiles
        Performance profiles, if they were asked for.
    warnings
        What the reader should act on.
    sentence
        The answer in words.
    """

    metric: str
    goal: Goal
    level: float
    tasks: tuple[str, ...]
    places: tuple[TaskPlace, ...]
    pairs: tuple[TaskPair, ...]
    friedman_p: float | None
    critical_difference: float | None
    sentence: str
    warnings: tuple[Advice, ...] = ()
    enough: float | None = None
    """The score that counts as enough for the optimality gap."""
    profiles: tuple[TaskProfile, ...] = ()
    normalised: str = ""
    """By which scores of each task they were normalised; "" if they were not."""


@dataclass(frozen=True)
class OverTasks(Drawn):
    """One method over several tasks, and its scores on each of them.

    Attributes
    ----------
    metric, goal, level
        The metric, which end of it is better, and the coverage of the intervals.
    place
        Interquartile mean, mean, median and optimality gap over the tasks, with stratified intervals.
    tasks
        Task → summary of its scores.
    enough, normalised
        The score that counts as enough for the optimality gap; by which reference scores were normalised, "" if
        they were not.
    warnings
        What the reader should act on.
    sentence
        The answer in words.
    """

    metric: str
    goal: Goal
    level: float
    place: TaskPlace
    tasks: Mapping[str, Summary]
    warnings: tuple[Advice, ...] = ()
    enough: float | None = None
    normalised: str = ""
    sentence: str = ""


@dataclass(frozen=True, repr=False)
class Plan(Answer):
    """How many seeds are needed, and what existing seeds can show. Numbers that were not asked for are None.

    Attributes
    ----------
    seeds
        How many are needed, of each side where two are compared.
    power
        How often that many seeds show the effect.
    effect, sd
        The difference that is to be shown and the SD between seeds, in the metric's units.
    alpha
        The p below which a difference is shown.
    design
        `two` sides, `paired`, or `one`.
    margin
        The half-width of the interval that is wanted, in the metric's units.
    details
        Further numbers of this plan, by name.
    sentence
        The answer in words.
    """

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

    Attributes
    ----------
    seed
        Under which the chosen run was made.
    by, by_value
        The metric that chose, and its value in that run.
    report, report_value, report_mean
        The metric to report, its value in that run, and its mean over all runs.
    expected
        Expected value of the reported metric, for the best of 1, 2, 3 … runs.
    ties
        How many runs share the best value.
    sentence
        The answer in words.
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
    """A one-sided comparison of a mean with a number.

    Attributes
    ----------
    metric, threshold, below
        The claim: the metric's mean is at most (`below`) or at least this number, in the metric's units.
    n, mean, sd
        How many scores there are, their mean, and their SD between seeds.
    p_value, alpha
        One-sided p of Student's t, and the p below which the claim is shown.
    settled
        Whether the claim is shown.
    needed
        How many seeds would settle it with power .8, if mean and SD stay as they are; None where none would.
    p_looked
        The p that holds though somebody looked while runs were added; None if nobody did.
    sentence
        The answer in words.
    """

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
