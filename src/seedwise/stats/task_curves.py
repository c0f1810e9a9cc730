"""The interquartile mean over all tasks at each step, with stratified intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .curves import align
from .tasks import Over, aggregate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TaskCurve:
    """The interquartile mean at each step: arrays of shape (steps,), NaN where it is not given.

    `n` is how many runs have each step, of all tasks together. The mean is not given where a task has no run left, where
    fewer than half of all runs remain, or where one of them is no number.
    """

    steps: Array
    n: NDArray[np.int64]
    iqm: Array
    low: Array
    high: Array
    level: float
    runs: int
    interpolated: bool


def iqm_curve(
    tasks: Sequence[Sequence[tuple[ArrayLike, ArrayLike]]],
    level: float = 0.95,
    *,
    most: int = 100,
    resamples: int = 1000,
    rng: int = 0,
) -> TaskCurve:
    """Interquartile mean over all runs of all tasks, by step.

    Parameters
    ----------
    tasks
        For each task the curve of each run: (steps, values).
    most
        At most so many steps, equally far apart in their order.
    rng
        The number from which resampling starts; each step starts from it anew.

    Raises
    ------
    ValueError
        A run has no values, or there are no runs.

    Notes
    -----
    The sample-efficiency curve of Agarwal et al. (2021), arXiv 2108.13264: at each step what `aggregate` computes there.
    """
    aligned = align([run for task in tasks for run in task], most)
    of = np.repeat(np.arange(len(tasks)), [len(task) for task in tasks])
    there = ~np.isnan(aligned.values)
    n = there.sum(axis=0)
    found = np.full((3, len(aligned.steps)), np.nan)
    for j in range(len(aligned.steps)):
        column = aligned.values[there[:, j], j]
        left = [column[of[there[:, j]] == k] for k in range(len(tasks))]
        if 2 * n[j] < len(of) or not all(part.size for part in left) or not np.isfinite(column).all():
            continue
        at = aggregate(left, Over.IQM, level=level, resamples=resamples, rng=rng)
        several = max(part.size for part in left) > 1
        found[:, j] = (at.estimate, at.low, at.high) if several else (at.estimate, np.nan, np.nan)
    return TaskCurve(aligned.steps, n, found[0], found[1], found[2], level, len(of), aligned.interpolated)
