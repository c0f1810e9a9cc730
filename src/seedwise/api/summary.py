"""Summarises scores in numbers, with the names that all output uses."""

import math
from enum import StrEnum
from typing import Any

import numpy as np

from ..errors import UsageError
from ..metrics.goals import bounds_of
from ..results import Goal, Results, Scores, Summary
from ..stats import Method, bootstrap, describe, share_interval, t_sequence
from ..stats.sample import check_level
from ..stats.sequential import START
from ..wording import is_at_command_line
from .scores import ScoresLike, as_scores

_SOLVED = frozenset({"success", "solved", "win", "won", "passed", "converged"})
"""Names of scores that are 1 or 0: whether a run succeeded."""


class Interval(StrEnum):
    """How the interval of the mean is computed."""

    T = "t"
    STUDENTISED = "studentised"
    BCA = "bca"
    PERCENTILE = "percentile"
    ANYTIME = "anytime"


def summarize(
    scores: ScoresLike,
    *,
    level: float = 0.95,
    interval: Interval | str = Interval.T,
    metric: str | None = None,
    goal: Goal | str | None = None,
    resamples: int = 9999,
    rng: np.random.Generator | int | None = None,
) -> Summary:
    """Mean with its interval, spread, median, and extremes of one metric over seeds.

    Parameters
    ----------
    scores
        `Scores`, `Results`, a mapping seed → number, a frame with a column `seed`, a file, or numbers (their seeds
        are then 0, 1, 2 …).
    level
        Coverage of the interval.
    interval
        `t` (default); `studentised` or `bca` bootstrap for skewed metrics; `percentile`; or `anytime`, which is valid
        even if somebody looked after every seed and stopped when they liked the result.
    rng
        Generator or integer from which the resampling draws.

    Raises
    ------
    MetricError
        There are no scores at all.
    UsageError
        There is no such interval, or `level` is not between 0 and 1.
    """
    try:
        how = Interval(interval)
        check_level(level)
    except ValueError:
        raise UsageError(
            f"interval is one of {', '.join(Interval)} and level between 0 and 1; got {interval!r}, {level}"
        ) from None
    found = as_scores(scores, metric, goal, finite=False)
    n = found.n or len(found)
    values = found.values
    if not np.isfinite(values).all():
        broken = [seed for seed, value in found.by_seed.items() if not math.isfinite(value)]
        shown = ", ".join(map(str, broken[:10])) + (" …" if len(broken) > 10 else "")
        reason = f"NaN or infinite under seed {shown}: no mean can be given"
        nothing: dict[str, Any] = dict.fromkeys(
            ("mean", "sd", "sem", "interval", "median", "iqm", "min", "max", "best_seed", "worst_seed")
        )
        return Summary(
            found.metric, found.goal, n, len(found), level=level, reason=reason, reduce=found.reduce, **nothing
        )
    d = describe(values, level)
    seeds = found.seeds
    low, high = seeds[int(np.argmin(values))], seeds[int(np.argmax(values))]
    best, worst = {Goal.MIN: (low, high), Goal.MAX: (high, low), None: (None, None)}[found.goal]
    between, method, note = _interval(found, how, level, resamples, rng, d.interval)
    return Summary(
        found.metric,
        found.goal,
        n,
        len(found),
        d.mean,
        d.sd,
        d.sem,
        between,
        level,
        d.median,
        d.iqm,
        d.min,
        d.max,
        best,
        worst,
        "",
        method,
        note,
        found.reduce,
    )


def _interval(
    scores: Scores,
    how: Interval,
    level: float,
    resamples: int,
    rng: np.random.Generator | int | None,
    student: tuple[float, float] | None,
) -> tuple[tuple[float, float] | None, str, str]:
    if student is None:
        return None, "t interval", ""
    if how is Interval.T:
        if set(scores.values.tolist()) == {0.0, 1.0} or (
            scores.metric in _SOLVED and set(scores.values.tolist()) <= {0.0, 1.0}
        ):
            return share_interval(int(scores.values.sum()), len(scores), level), "Clopper-Pearson interval", ""
        return student, "t interval", _beyond(scores, student)
    if how is Interval.ANYTIME:
        found = t_sequence(scores.values, level)
        if not math.isfinite(found.half):
            return None, found.method, f"it begins at {START} seeds"
        return (found.low, found.high), found.method, ""
    try:
        drawn = bootstrap(scores.values, method=Method(how.value), level=level, resamples=resamples, rng=rng)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return drawn.interval, f"{drawn.method} bootstrap interval", drawn.warning


def _beyond(scores: Scores, interval: tuple[float, float]) -> str:
    """What must be said of an interval that reaches where no score can be."""
    bounds = bounds_of(scores.metric, float(scores.values.min()), float(scores.values.max()))
    if bounds is None or (bounds[0] <= interval[0] and interval[1] <= bounds[1]):
        return ""
    at_command_line = is_at_command_line()
    studentised = "`seedwise summarize` with --interval studentised" if at_command_line else 'interval="studentised"'
    edge = bounds[0] if interval[0] < bounds[0] else bounds[1]
    return (
        f"the t interval reaches beyond {edge:g}, where no score can be: near a bound scores are skewed, so that it is only rough; more seeds, or "
        f"{studentised} from 10 seeds on"
    )


def summarize_all(
    results: Results,
    *,
    level: float = 0.95,
    interval: Interval | str = Interval.T,
    rng: np.random.Generator | int | None = None,
) -> dict[str, Summary]:
    """A summary of each metric of `results` that has scores.

    Where seeds were added until an interval was narrow enough, the t interval is no longer valid. Such a metric gets
    the interval that is valid at any time.
    """
    summaries: dict[str, Summary] = {}
    for metric in results.metrics:
        scores = results.scores(metric.name)
        if len(scores):
            how = Interval.ANYTIME if metric.name in results.anytime else interval
            summaries[metric.name] = summarize(scores, level=level, interval=how, rng=rng)
    return summaries
