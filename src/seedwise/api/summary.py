"""Scores in figures, with the names that all output uses."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..errors import MetricError
from ..goals import Goal
from ..results import Results, Scores, Summary
from ..stats import describe


def summarize(scores: Scores | Mapping[int, float] | ArrayLike, *, level: float = 0.95) -> Summary:
    """Mean with t interval, spread, middle and ends of one metric over seeds.

    Parameters
    ----------
    scores
        `Scores`, a mapping seed → number, or numbers (their seeds are then 0, 1, 2 …).
    level
        Coverage of the interval.

    Raises
    ------
    MetricError
        When there are no scores at all.
    """
    if not isinstance(scores, Scores):
        if isinstance(scores, Mapping):
            scores = Scores("value", {int(seed): float(value) for seed, value in scores.items()})
        else:
            scores = Scores("value", dict(enumerate(np.asarray(scores, dtype=float).ravel().tolist())))
    n = scores.n or len(scores)
    if not len(scores):
        raise MetricError(f"no scores for {scores.metric!r}: none of {n} runs gave one")
    broken = [seed for seed, value in scores.by_seed.items() if not math.isfinite(value)]
    if broken:
        shown = ", ".join(map(str, broken[:10])) + (" …" if len(broken) > 10 else "")
        reason = f"NaN or infinite under seed {shown}: no mean can be given"
        nothing = dict.fromkeys(
            ("mean", "sd", "sem", "interval", "median", "iqm", "min", "max", "best_seed", "worst_seed")
        )
        return Summary(scores.metric, scores.goal, n, len(scores), level=level, reason=reason, **nothing)
    d = describe(scores.values, level)
    low = scores.seeds[int(np.argmin(scores.values))]
    high = scores.seeds[int(np.argmax(scores.values))]
    best, worst = {Goal.MIN: (low, high), Goal.MAX: (high, low), None: (None, None)}[scores.goal]
    return Summary(
        scores.metric, scores.goal, n, len(scores), d.mean, d.sd, d.sem, d.interval, level, d.median, d.iqm, d.min, d.max,
        best, worst,
    )  # fmt: skip


def summarize_all(results: Results, *, level: float = 0.95) -> dict[str, Summary]:
    """A summary for each metric of some results that has scores."""
    summaries: dict[str, Summary] = {}
    for metric in results.metrics:
        scores = results.scores(metric.name)
        if len(scores):
            summaries[metric.name] = summarize(scores, level=level)
    return summaries
