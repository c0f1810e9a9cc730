"""Summarises scores in numbers, with the names that all output uses."""

import numpy as np

from ..errors import UsageError
from ..metrics.summary import Interval, summary_of
from ..results import Goal, Results, Summary
from ..stats.sample import check_level
from .scores import ScoresLike, as_scores


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
    metric, goal
        Which metric of results or frames is meant, and its goal, `min` or `max`, if its name does not show it.
    resamples
        How often the bootstrap resamples the scores, at least 100.

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
    return summary_of(found, how, level, resamples, rng)


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
