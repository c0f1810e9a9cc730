"""One method over several tasks: normalised scores, one number for all tasks, and the share of runs that reach a score."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import stats
from ..advice import Advice
from ..decisions import OverTasks, TaskPlace, TaskProfile
from ..errors import MetricError, UsageError
from ..reports.decisions import over_tasks_sentence
from ..results import Goal, Scores
from ..tables.references import Reference, ends_of, read_reference
from ..wording import is_at_command_line, option
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
    metric
        Which metric of results or frames is meant.

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
        task: rescaled(as_scores(of, metric, None, task), ends_of(ends, task), task)
        for task, of in as_tasks(tasks).items()
    }


def as_reference(given: ReferenceLike) -> Reference:
    """Reference scores of each task. Raises UsageError where they are none."""
    if not isinstance(given, Mapping):
        return read_reference(os.fspath(given))
    for task, ends in given.items():
        try:
            pair = np.asarray(ends, dtype=np.float64)
        except (TypeError, ValueError):
            pair = np.empty(0)
        if pair.shape != (2,) or not np.isfinite(pair).all() or pair[0] == pair[1]:
            raise UsageError(f"reference scores of {task} are two different numbers; got {ends!r}")
    return given


def rescaled(scores: Scores, ends: tuple[float, float], task: str) -> Scores:
    """The scores with `ends` at 0 and 1; more is then better.

    Raises
    ------
    UsageError
        The goal of the metric says the other end is the good one.
    """
    low, high = map(float, ends)
    if scores.goal is not None and (scores.goal is Goal.MAX) != (high > low):
        better = "more" if scores.goal is Goal.MAX else "less"
        raise UsageError(
            f"{better} {scores.metric} is better, but the reference scores of {task} take {low:g} for 0 and {high:g} for 1, where 1 is the better end: "
            f"exchange them, or say the goal with {option('--metric')} {scores.metric}:{'min' if scores.goal is Goal.MAX else 'max'}"
        )
    by_seed = {seed: (value - low) / (high - low) for seed, value in scores.by_seed.items()}
    return Scores(f"normalised {scores.metric}", by_seed, Goal.MAX, scores.n, scores.reduce)


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
    name
        What the method is called in the sentence.
    level
        Coverage of the intervals.
    metric, goal
        Which metric of results or frames is meant, and its goal, `min` or `max`, if its name does not show it.
    resamples
        How often the seeds of each task are resampled, at least 100.
    rng
        Generator or integer from which the resampling draws. The same integer gives the same bits.

    Raises
    ------
    UsageError, MetricError
        There are no tasks, or a task has no scores.
    """
    generator = checked(level, resamples, rng)
    given = as_tasks(tasks, name)
    if not given:
        raise UsageError("no tasks: task → scores")
    scores = {task: as_scores(of, metric, goal, f"{name}, {task}") for task, of in given.items()}
    one_metric(scores.values())
    if reference is not None:
        scores = normalise(scores, reference)
    first = next(iter(scores.values()))
    up = (first.goal or Goal.MAX) is Goal.MAX
    values = [s.values for s in scores.values()]
    enough = enough_score(enough, reference)
    found = aggregates(values, level, resamples, generator)
    gap = None if enough is None else gap_below(values, enough, up, level, resamples, generator)
    few = found[stats.Over.IQM].warning
    warnings = [few_runs(few)] if few and max(map(len, values)) > 1 else []
    result = OverTasks(
        first.metric,
        first.goal or Goal.MAX,
        level,
        place(name, found, (1.0, None), gap, asked_for(scores.values())),
        {task: summarize(s, level=level) for task, s in scores.items()},
        (
            *unfinished({name: list(scores.values())}),
            *warnings,
            *about_scales(list(scores), [values], reference is not None),
        ),
        enough,
        named(reference),
    )
    return replace(result, sentence=over_tasks_sentence(result))


def checked(level: float, resamples: int, rng: Rng) -> np.random.Generator:
    """The generator of the resampling. Raises UsageError for a level or a number of resamples that makes no sense."""
    if not 0.5 <= level < 1:
        raise UsageError(f"level is 0.5 or more and below 1; got {level}")
    if resamples < 100:
        raise UsageError(f"resamples is at least 100; got {resamples}")
    return generator_for(rng)


def one_metric(scores: Iterable[Scores]) -> None:
    """Raises MetricError where scores of several metrics, or with several goals, would be put together."""
    every = list(scores)
    metrics = list(dict.fromkeys(s.label for s in every))
    if len(metrics) > 1:
        raise MetricError(f"{' and '.join(metrics[:4])} cannot be put together: compare the same metric on every task")
    if len({s.goal for s in every if s.goal is not None}) > 1:
        raise MetricError(f"the goal of {metrics[0]} is min in some scores and max in others: say one goal for all")


def asked_for(scores: Iterable[Scores]) -> int:
    """How many runs there are, finished or not."""
    return sum(s.n or len(s) for s in scores)


def unfinished(scores: Mapping[str, Sequence[Scores]]) -> list[Advice]:
    """Methods some of whose runs did not finish: nothing is dropped without a word."""
    found = []
    for name, of in scores.items():
        finished, n = sum(map(len, of)), asked_for(of)
        if finished < n:
            found.append(
                Advice(
                    f"{finished} of {n} runs of {name} finished, and this is among finished",
                    "say so with every number, or run again what failed",
                )
            )
    return found


def few_runs(warning: str) -> Advice:
    """What to do about intervals over tasks from few runs."""
    return Advice(warning, "run more seeds of each task")


def aggregates(
    values: Sequence[Array], level: float, resamples: int, rng: np.random.Generator
) -> dict[stats.Over, stats.Aggregate]:
    """A method's interquartile mean, mean and median over its tasks."""
    return {over: stats.aggregate(values, over, level=level, resamples=resamples, rng=rng) for over in stats.Over}


_SCALES = 10.0
"""Tasks whose scores differ by more than this factor are not averaged without a word."""


def about_scales(tasks: Sequence[str], values: Sequence[Sequence[Array]], normalised: bool) -> list[Advice]:
    """What a reader must know of averages over tasks whose scores have different sizes.

    Parameters
    ----------
    values
        For each method the runs of each task.
    """
    pooled = {task: np.concatenate([of[k] for of in values]) for k, task in enumerate(tasks)}
    spread = _furthest({task: float(np.ptp(x)) for task, x in pooled.items()})
    size = _furthest({task: float(np.abs(x).max()) for task, x in pooled.items()})
    found = spread or size
    if found is None:
        return []
    large, small, times = found
    what = "spread" if spread is not None else "are"
    times = 10.0 ** math.floor(math.log10(times))
    remedy = f"normalise the scores ({'--normalise' if is_at_command_line() else 'reference='})"
    start = f"scores of {large} {what} more than {times:.0f} times as {'wide' if what == 'spread' else 'large'} as those of {small}: IQM, mean and median"
    if len(values) == 1:
        return [Advice(f"{start} over tasks follow {large}", "look at each task" if normalised else remedy)]
    ranks = "go by ranks and P(new better), which do not depend on the scale"
    return [
        Advice(
            f"{start}, the size of differences and with it Wilcoxon's test follow {large}",
            ranks if normalised else f"{remedy}, or {ranks}",
        )
    ]


def _furthest(sizes: Mapping[str, float]) -> tuple[str, str, float] | None:
    """The task with the largest and the one with the smallest size, and their ratio; None if it is not large."""
    known = {task: size for task, size in sizes.items() if size > 0}
    if len(known) < 2 or max(known.values()) <= _SCALES * min(known.values()):
        return None
    large, small = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    return large, small, known[large] / known[small]


def place(
    name: str,
    summary: Mapping[stats.Over, stats.Aggregate],
    rank: tuple[float, tuple[float, float] | None],
    gap: stats.OptimalityGap | None = None,
    n: int | None = None,
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
        n,
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
    thresholds: Sequence[float] | str | int,
    up: bool,
    level: float,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[TaskProfile, ...]:
    """For each method the share of runs that reach each threshold: at or above it, or at or below where less is better.

    `auto` takes eleven thresholds, a number so many, from the lowest to the highest score of all.
    """
    if isinstance(thresholds, str | int):
        points = _POINTS if isinstance(thresholds, str) else thresholds
        pooled = np.concatenate([x for of in methods.values() for x in of])
        thresholds = np.linspace(pooled.min(), pooled.max(), points).tolist() if np.ptp(pooled) else [pooled[0]]
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
