"""Several tasks, each with its own runs: means over the tasks. The bootstrap resamples the runs within each task."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .resampling import chunks
from .sample import check_level, check_resamples, check_sample, generator

Array = NDArray[np.float64]


class Over(StrEnum):
    """How the scores of all tasks become one number."""

    IQM = "iqm"
    MEAN = "mean"
    MEDIAN = "median"


@dataclass(frozen=True)
class Aggregate:
    """One number over all tasks, with its stratified percentile interval; see `aggregate`."""

    estimate: float
    low: float
    high: float
    level: float
    over: Over
    tasks: int
    runs: tuple[int, ...]
    resamples: int
    warning: str = ""
    distribution: Array = field(repr=False, compare=False, default_factory=lambda: np.empty(0))
    _scores: tuple[Array, ...] = field(repr=False, compare=False, default=())
    _state: dict[str, object] = field(repr=False, compare=False, default_factory=dict)

    def more(self, resamples: int) -> "Aggregate":
        """The same with this many further resamples. The bits are the same as if all had been drawn at once."""
        bits = getattr(np.random, str(self._state["bit_generator"]))()
        bits.state = self._state
        return _aggregate(self._scores, self.over, self.level, resamples, np.random.Generator(bits), self.distribution)


def aggregate(
    scores: Sequence[ArrayLike],
    over: Over | str = Over.IQM,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    rng: np.random.Generator | int | None = None,
) -> Aggregate:
    """One number for a method over several tasks.

    Parameters
    ----------
    scores
        The runs of each task, shapes (nₜ,). Tasks may have different numbers of runs; each task has the same weight.
    over
        `iqm`: interquartile mean of all runs of all tasks, with fractional weights at the cut. `mean`: mean of the
        tasks' means. `median`: median of the tasks' means.

    Notes
    -----
    Agarwal et al. (2021), arXiv 2108.13264. In each task, a resample draws as many runs as the task has. With three
    runs in a task the interval covers about .9 (.85 to .91, docs/coverage.md) instead of .95; the warning says so. No
    resample is sorted: the pooled values are ranked once, and a resample is how often each of them is drawn.
    """
    if isinstance(scores, np.ndarray) and scores.ndim == 2:
        scores = list(scores)
    tasks = tuple(check_sample(task, f"task {k + 1}") for k, task in enumerate(scores))
    if not tasks:
        raise ValueError("no tasks: scores are a list with the runs of each task")
    return _aggregate(tasks, Over(over), check_level(level), check_resamples(resamples), generator(rng), np.empty(0))


def _aggregate(
    tasks: tuple[Array, ...], over: Over, level: float, resamples: int, rng: np.random.Generator, before: Array
) -> Aggregate:
    estimator = _Iqm(tasks) if over is Over.IQM else _Means(tasks, over)
    estimate = float(estimator(np.ones((1, sum(t.size for t in tasks)), dtype=np.int64))[0])
    drawn = [before]
    sizes = [task.size for task in tasks]
    for rows in chunks(resamples, sum(sizes)):
        drawn.append(estimator(draw_counts(sizes, rows, rng, estimator.places)))
    values = np.concatenate(drawn)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    fewest = min(sizes)
    warning = ""
    if fewest < 10:
        covers = ": with 3 runs a task it covers about .9 of the time, not .95" if fewest <= 3 else ""
        warning = f"{fewest} run{'s' if fewest > 1 else ''} in a task: the intervals over tasks are somewhat too narrow{covers}"
    return Aggregate(
        estimate,
        float(low),
        float(high),
        level,
        over,
        len(tasks),
        tuple(sizes),
        values.size,
        warning,
        values,
        tasks,
        dict(rng.bit_generator.state),
    )


def draw_counts(
    sizes: Sequence[int], rows: int, rng: np.random.Generator, places: NDArray[np.intp] | None = None
) -> NDArray[np.int64]:
    """How often each run is drawn when runs are resampled within tasks.

    Shape (rows, all runs), in the order of the tasks or of `places`.
    """
    width = int(sum(sizes))
    starts = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    scale = np.repeat(np.asarray(sizes, dtype=np.float64), sizes)
    where = rng.random((rows, width))
    where *= scale
    index = where.astype(np.intp)
    index += starts
    if places is not None:
        index = places[index]
    index += (np.arange(rows) * width)[:, None]
    return np.bincount(index.ravel(), minlength=rows * width).reshape(rows, width)


class _Iqm:
    """Computes the weighted interquartile mean from counts that are in the order of the pooled values."""

    def __init__(self, tasks: Sequence[Array]) -> None:
        pooled = np.concatenate(tasks)
        order = np.argsort(pooled, kind="stable")
        self.places = np.empty(pooled.size, dtype=np.intp)
        self.places[order] = np.arange(pooled.size)
        self._values = pooled[order]
        self._steps = np.diff(self._values)
        weights = np.concatenate([np.full(t.size, 1.0 / t.size) for t in tasks])[order]
        equal = bool(np.ptp([t.size for t in tasks]) == 0)
        self._weights = None if equal else weights
        self._total = float(pooled.size if equal else len(tasks))

    def __call__(self, counts: NDArray[np.int64]) -> Array:
        # Σ xⱼ(g(Cⱼ) - g(Cⱼ₋₁)), where g cuts the cumulated weight C to the middle half; summed by parts
        low, high = self._total / 4, 3 * self._total / 4
        heights = counts if self._weights is None else counts * self._weights
        below = np.cumsum(heights[:, :-1], axis=1, dtype=np.float64)
        np.clip(below, low, high, out=below)
        # not `@`: its last bit depends on the number of rows
        area = np.einsum("ij,j->i", below, self._steps)
        if not self._steps.any():
            return np.full(len(counts), self._values[0])
        found: Array = (self._values[-1] * high - self._values[0] * low - area) / (high - low)
        return found


class _Means:
    """Computes the mean or the median, over tasks, of each task's mean."""

    places = None

    def __init__(self, tasks: Sequence[Array], over: Over) -> None:
        self._over = over
        self._values = np.concatenate([task / task.size for task in tasks])
        self._starts = np.cumsum([0, *[task.size for task in tasks][:-1]])

    def __call__(self, counts: NDArray[np.int64]) -> Array:
        means = np.add.reduceat(counts * self._values, self._starts, axis=1)
        rows: Array = means.mean(axis=1) if self._over is Over.MEAN else np.median(means, axis=1)
        return rows


@dataclass(frozen=True)
class Improvement:
    """P(new > base), averaged over tasks, with its stratified percentile interval. Ties count ½."""

    probability: float
    low: float
    high: float
    level: float
    by_task: tuple[float, ...]
    resamples: int


def improvement(
    new: Sequence[ArrayLike],
    base: Sequence[ArrayLike],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator | int | None = None,
) -> Improvement:
    """Probability of improvement (Agarwal et al. 2021, eq. in 4.3): over tasks, the mean of U/(nm).

    Parameters
    ----------
    new, base
        The runs of each task, with the tasks in the same order. The numbers of runs may differ.
    """
    if len(new) != len(base) or not len(new):
        raise ValueError(f"both sides need the same tasks, at least one; got {len(new)} and {len(base)}")
    check_level(level)
    check_resamples(resamples)
    rng = generator(rng)
    x = [check_sample(task, f"task {k + 1} of new") for k, task in enumerate(new)]
    y = [check_sample(task, f"task {k + 1} of base") for k, task in enumerate(base)]
    wins = [np.sign(a[:, None] - b[None, :]) / 2 + 0.5 for a, b in zip(x, y, strict=True)]
    by_task = tuple(float(w.mean()) for w in wins)
    drawn = []
    sizes = [t.size for t in x], [t.size for t in y]
    for rows in chunks(resamples, sum(sizes[0]) + sum(sizes[1])):
        a, b = draw_counts(sizes[0], rows, rng), draw_counts(sizes[1], rows, rng)
        total, i, j = np.zeros(rows), 0, 0
        for w in wins:
            n, m = w.shape
            total += ((a[:, i : i + n] @ w) * b[:, j : j + m]).sum(axis=1) / (n * m)
            i, j = i + n, j + m
        drawn.append(total / len(wins))
    low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2])
    return Improvement(float(np.mean(by_task)), float(low), float(high), level, by_task, resamples)


@dataclass(frozen=True)
class OptimalityGap:
    """How far runs stay from a score that counts as enough, with its stratified percentile interval."""

    gap: float
    low: float
    high: float
    gamma: float
    level: float
    resamples: int


def optimality_gap(
    scores: Sequence[ArrayLike],
    gamma: float = 1.0,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator | int | None = None,
) -> OptimalityGap:
    """γ - mean of min(score, γ) over tasks (Agarwal et al. 2021, arXiv 2108.13264, section 4.3); more is better.

    Scores beyond γ count as γ: what is gained on one task by far does not make up for a failure on another.

    Parameters
    ----------
    scores
        The runs of each task, shapes (nₜ,). Each task has the same weight.
    gamma
        The score that is enough, in the units of the scores: 1 for normalised ones.
    """
    if not np.isfinite(gamma):
        raise ValueError(f"the score that is enough is a finite number; got {gamma}")
    capped = [np.minimum(check_sample(task, f"task {k + 1}"), gamma) for k, task in enumerate(scores)]
    mean = aggregate(capped, Over.MEAN, level=level, resamples=resamples, rng=rng)
    return OptimalityGap(gamma - mean.estimate, gamma - mean.high, gamma - mean.low, gamma, level, resamples)


@dataclass(frozen=True)
class Profile:
    """Share of runs above each threshold τ, averaged over tasks. The band is valid at all τ at once."""

    thresholds: Array
    share: Array
    low: Array
    high: Array
    level: float
    resamples: int


def performance_profile(
    scores: Sequence[ArrayLike],
    thresholds: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator | int | None = None,
) -> Profile:
    """Share of runs that score above τ, for each τ (Agarwal et al. 2021, eq. 4; Dolan & Moré 2002).

    The band is simultaneous: the whole curve lies inside it with probability `level`, not only each single point. Its
    half-width is the `level` quantile, over stratified resamples, of the largest distance between a resampled profile
    and this one.
    """
    tasks = [check_sample(task, f"task {k + 1}") for k, task in enumerate(scores)]
    tau = np.sort(check_sample(thresholds, "the thresholds"))
    check_level(level)
    check_resamples(resamples)
    rng = generator(rng)
    above = np.concatenate([(t[:, None] > tau) / (t.size * len(tasks)) for t in tasks])
    share = above.sum(axis=0)
    worst = []
    sizes = [t.size for t in tasks]
    for rows in chunks(resamples, max(sum(sizes), tau.size)):
        worst.append(np.abs(draw_counts(sizes, rows, rng) @ above - share).max(axis=1))
    half = float(np.quantile(np.concatenate(worst), level))
    return Profile(tau, share, np.clip(share - half, 0, 1), np.clip(share + half, 0, 1), level, resamples)
