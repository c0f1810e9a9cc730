"""One method over several tasks: normalised scores, one number for all tasks, and the share of runs that reach a score."""

import math
import os
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import stats
from ..decisions import OverTasks, TaskPlace, TaskProfile
from ..errors import UsageError
from ..results import Goal, Scores
from ..tables.references import Reference, ends_of, read_reference
from .compare import Rng, generator_for
from .scores import ScoresLike, as_scores, as_tasks
from .summary import summarize

Array = NDArray[np.float64]
ReferenceLike = Reference | str | os.PathLike[str]
"""`atari`, the path of a table, or task → (the score that becomes 0, the score that becomes 1)."""


def normalise(
    tasks: Mapping[str, ScoresLike] | ArrayLike, reference: ReferenceLike, *, metric: str | None = None
) -> dict[str, Scores]:
    """Scores of each task as (score - zero) / (one - zero), so that they can be averaged over tasks.

    For Atari this is the human-normalised score: 0 for a random agent, 1 for a human.

    Parameters
    ----------
    tasks
        Task → everything that `compare` takes, or an array of runs × tasks.
    reference
        `atari`; a mapping task → (score that becomes 0, score that becomes 1); or the path of a table with such columns.

    Returns
    -------
    dict
        Task → scores. More is better, whatever it was before: the reference says which end is good.

    Raises
    ------
    UsageError
        A task has no reference scores.
    """
    ends = as_reference(reference)
    return {
        task: rescaled(as_scores(of, metric, None, task), ends_of(ends, task)) for task, of in as_tasks(tasks).items()
    }


def as_reference(given: ReferenceLike) -> Reference:
    """Reference scores of each task. Raises UsageError where they are none."""
    if not isinstance(given, Mapping):
        return read_reference(os.fspath(given))
    for task, ends in given.items():
        pair = np.asarray(ends, dtype=np.float64)
        if pair.shape != (2,) or not np.isfinite(pair).all() or pair[0] == pair[1]:
            raise UsageError(f"reference scores of {task} are two different numbers; got {ends!r}")
    return given


def rescaled(scores: Scores, ends: tuple[float, float]) -> Scores:
    """The scores with `ends` at 0 and 1; more is then better."""
    low, high = map(float, ends)
    by_seed = {seed: (value - low) / (high - low) for seed, value in scores.by_seed.items()}
    return Scores(f"normalised {scores.metric}", by_seed, Goal.MAX, scores.n)


def enough_score(enough: float | None, reference: ReferenceLike | None) -> float | None:
    """The score of the optimality gap: the one that was named, or 1 for normalised scores."""
    return 1.0 if enough is None and reference is not None else enough


def named(reference: ReferenceLike | None) -> str:
    """What scores were normalised by, for the answer."""
    if reference is None:
        return ""
    return "the scores given" if isinstance(reference, Mapping) else os.fspath(reference)


def summarize_tasks(
    tasks: Mapping[str, ScoresLike] | ArrayLike,
    *,
    name: str = "all tasks",
    reference: ReferenceLike | None = None,
    enough: float | None = None,
    level: float = 0.95,
    metric: str | None = None,
    goal: Goal | str | None = None,
    resamples: int = 2000,
    rng: Rng = None,
) -> OverTasks:
    """One method over several tasks: interquartile mean, mean, median and optimality gap, with stratified intervals.

    Parameters
    ----------
    tasks
        Task → scores (everything that `compare` takes), or an array of runs × tasks.
    reference
        Scores that become 0 and 1 on each task: see `normalise`.
    enough
        The score that counts as enough for the optimality gap; 1 by default where scores are normalised.

    Raises
    ------
    UsageError, MetricError
        There are no tasks, or a task has no scores.
    """
    generator = generator_for(rng)
    given = as_tasks(tasks, name)
    if not given:
        raise UsageError("no tasks: task → scores")
    scores = {task: as_scores(of, metric, goal, f"{name}, {task}") for task, of in given.items()}
    if reference is not None:
        scores = normalise(scores, reference)
    first = next(iter(scores.values()))
    up = (first.goal or Goal.MAX) is Goal.MAX
    values = [s.values for s in scores.values()]
    enough = enough_score(enough, reference)
    found = aggregates(values, level, resamples, generator)
    gap = None if enough is None else gap_below(values, enough, up, level, resamples, generator)
    few = found[stats.Over.IQM].warning
    warnings = [few] if few and max(map(len, values)) > 1 else []
    return OverTasks(
        first.metric,
        first.goal or Goal.MAX,
        level,
        place(name, found, (1.0, None), gap),
        {task: summarize(s, level=level) for task, s in scores.items()},
        (*warnings, *about_scales(list(scores), [values])),
        enough,
        named(reference),
    )


def aggregates(
    values: Sequence[Array], level: float, resamples: int, rng: np.random.Generator
) -> dict[stats.Over, stats.Aggregate]:
    """A method's interquartile mean, mean and median over its tasks."""
    return {over: stats.aggregate(values, over, level=level, resamples=resamples, rng=rng) for over in stats.Over}


_SCALES = 10.0
"""Tasks whose scores differ by more than this factor are not averaged without a word."""


def about_scales(tasks: Sequence[str], values: Sequence[Sequence[Array]]) -> list[str]:
    """What a reader must know of averages over tasks whose scores have different sizes.

    Parameters
    ----------
    values
        For each method the runs of each task.
    """
    spans = {task: float(np.ptp(np.concatenate([of[k] for of in values]))) for k, task in enumerate(tasks)}
    varied = {task: span for task, span in spans.items() if span > 0}
    if len(varied) < 2 or max(varied.values()) <= _SCALES * min(varied.values()):
        return []
    large, small = max(varied, key=varied.__getitem__), min(varied, key=varied.__getitem__)
    times = 10.0 ** math.floor(math.log10(varied[large] / varied[small]))
    return [
        f"scores of {large} spread more than {times:.0f} times as wide as those of {small}: IQM, mean and median over tasks follow "
        f"{large}; normalise the scores (--normalise on the command line, reference= in Python), or go by ranks, P(new better) and Wilcoxon's test, "
        "which do not depend on the scale"
    ]


def place(
    name: str,
    summary: Mapping[stats.Over, stats.Aggregate],
    rank: tuple[float, tuple[float, float] | None],
    gap: stats.OptimalityGap | None = None,
) -> TaskPlace:
    """A method's figures over all tasks. With one run of each task there is nothing to resample, and no interval."""
    iqm, mean, median = (summary[over] for over in (stats.Over.IQM, stats.Over.MEAN, stats.Over.MEDIAN))
    repeated = max(iqm.runs) > 1

    def interval(of: stats.Aggregate | stats.OptimalityGap | None) -> tuple[float, float] | None:
        return (of.low, of.high) if repeated and of is not None else None

    return TaskPlace(
        name,
        sum(iqm.runs),
        iqm.estimate,
        interval(iqm),
        mean.estimate,
        interval(mean),
        median.estimate,
        interval(median),
        rank[0],
        rank[1] if repeated else None,
        None if gap is None else gap.gap,
        interval(gap),
    )


def gap_below(
    values: Sequence[Array], enough: float, up: bool, level: float, resamples: int, rng: np.random.Generator
) -> stats.OptimalityGap:
    """The optimality gap by the goal: below the score that is enough, or above it where less is better."""
    sign = 1.0 if up else -1.0
    try:
        return stats.optimality_gap(
            [sign * x for x in values], sign * enough, level=level, resamples=resamples, rng=rng
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


AUTO = "auto"
_POINTS = 11


def profiles(
    methods: Mapping[str, Sequence[Array]],
    thresholds: Sequence[float] | str,
    up: bool,
    level: float,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[TaskProfile, ...]:
    """For each method the share of runs that reach each threshold: at or above it, or at or below where less is better.

    `auto` takes eleven thresholds, from the lowest to the highest score of all.
    """
    if isinstance(thresholds, str):
        pooled = np.concatenate([x for of in methods.values() for x in of])
        thresholds = np.linspace(pooled.min(), pooled.max(), _POINTS).tolist() if np.ptp(pooled) else [pooled[0]]
    at = sorted(float(t) for t in thresholds)
    if not at or not np.isfinite(at).all():
        raise UsageError(f"thresholds of a profile are finite numbers; got {thresholds!r}")
    found = []
    for name, of in methods.items():
        # the share above the number just before a threshold is the share that reaches it
        sign = 1.0 if up else -1.0
        just_before = [np.nextafter(sign * t, -np.inf) for t in at]
        p = stats.performance_profile([sign * x for x in of], just_before, level=level, resamples=resamples, rng=rng)
        order = slice(None) if up else slice(None, None, -1)
        share, low, high = (tuple(a[order].tolist()) for a in (p.share, p.low, p.high))
        band = tuple(zip(low, high, strict=True)) if max(map(len, of)) > 1 else None
        found.append(TaskProfile(name, tuple(at), share, band))
    return tuple(found)
