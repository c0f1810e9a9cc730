"""Bootstrap intervals of one statistic of one sample. They are reproducible and can be continued."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .describe import interquartile_mean
from .sample import check_level, check_sample, generator, is_constant

Array = NDArray[np.float64]
_NO_SPREAD = 1e-12
"""A standard deviation below this, relative to the values, is rounding error."""
_CELLS = 2_000_000
"""How many numbers are held in memory at once."""
LARGE, BLOCKS = 4000, 2000
"""With more values than LARGE, about so many blocks of values that were put together at random are resampled."""


class Statistic(StrEnum):
    """What is estimated."""

    MEAN = "mean"
    MEDIAN = "median"
    IQM = "iqm"
    SD = "sd"
    WORST_LOW = "min"
    WORST_HIGH = "max"


class Method(StrEnum):
    """How a bootstrap distribution becomes an interval."""

    STUDENTISED = "studentised"
    BCA = "bca"
    PERCENTILE = "percentile"


def iqm_rows(x: Array) -> Array:
    """Interquartile mean of each row, with fractional weights at the cut."""
    n = x.shape[-1]
    edges = np.arange(n + 1) / n
    weights = np.clip(np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25), 0, None)
    rows: Array = np.sort(x, axis=-1) @ (weights / weights.sum())
    return rows


_ROWS: dict[Statistic, Callable[[Array], Array]] = {
    Statistic.MEAN: lambda x: x.mean(axis=-1),
    Statistic.MEDIAN: lambda x: np.median(x, axis=-1),
    Statistic.IQM: iqm_rows,
    Statistic.SD: lambda x: np.where(np.ptp(x, axis=-1) == 0, 0.0, x.std(axis=-1, ddof=1)),
    Statistic.WORST_LOW: lambda x: x.min(axis=-1),
    Statistic.WORST_HIGH: lambda x: x.max(axis=-1),
}


@dataclass(frozen=True)
class Bootstrap:
    """A bootstrap interval, in the units of the sample.

    `low` and `high` are None if the method has no answer; `warning` says why. They are never NaN. `more(k)` draws k
    further resamples: 500 and then 500 more give exactly the same bits as a thousand at once.
    """

    estimate: float
    low: float | None
    high: float | None
    level: float
    method: Method
    statistic: Statistic
    resamples: int
    warning: str = ""
    distribution: Array = field(repr=False, compare=False, default_factory=lambda: np.empty(0))
    _sample: Array = field(repr=False, compare=False, default_factory=lambda: np.empty(0))
    _spread: Array = field(repr=False, compare=False, default_factory=lambda: np.empty(0))
    _state: dict[str, object] = field(repr=False, compare=False, default_factory=dict)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends; None if there is no answer."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def more(self, resamples: int) -> "Bootstrap":
        """The same interval with this many further resamples."""
        name = str(self._state["bit_generator"])
        bits = getattr(np.random, name)()
        bits.state = self._state
        return _bootstrap(
            self._sample,
            self.statistic,
            self.method,
            self.level,
            resamples,
            np.random.Generator(bits),
            (self.distribution, self._spread),
        )


def bootstrap(
    values: ArrayLike,
    statistic: Statistic | str = Statistic.MEAN,
    *,
    method: Method | str = Method.STUDENTISED,
    level: float = 0.95,
    resamples: int = 9999,
    rng: np.random.Generator | int | None = None,
) -> Bootstrap:
    """A bootstrap interval of a statistic.

    Parameters
    ----------
    values
        Shape (n,), finite. The studentised and BCa intervals need n of about 10; smaller samples get a warning.
    statistic
        `mean`, `median`, `iqm`, `sd`, `min`, `max`. `studentised` is for the mean only.
    method
        `studentised` (bootstrap t), `bca` or `percentile`.
    resamples
        Number of resamples, at least 100.
    rng
        A generator, or an integer from which a new one starts (None: 0). A given generator is advanced by the draws.

    Raises
    ------
    ValueError
        The sample is empty or not finite, or the method has no meaning for the statistic.

    Notes
    -----
    Efron & Tibshirani (1993), An Introduction to the Bootstrap: studentised, eq. 12.17-12.22; BCa, eq. 14.9-14.15,
    with the acceleration by the jackknife. Values equal to the estimate count half in the bias correction, so that a
    statistic with few different values does not distort it.
    """
    statistic, method = Statistic(statistic), Method(method)
    if method is Method.STUDENTISED and statistic is not Statistic.MEAN:
        raise ValueError(f"the studentised bootstrap is for the mean; for the {statistic} take bca or percentile")
    if resamples < 100:
        raise ValueError(f"resamples is at least 100; got {resamples}")
    x = check_sample(values)
    empty = np.empty(0)
    return _bootstrap(x, statistic, method, check_level(level), resamples, generator(rng), (empty, empty))


def _bootstrap(
    x: Array,
    statistic: Statistic,
    method: Method,
    level: float,
    resamples: int,
    rng: np.random.Generator,
    before: tuple[Array, Array],
) -> Bootstrap:
    drawn, spread = [before[0]], [before[1]]
    for rows in chunks(resamples, x.size) if x.size > 1 else ():
        taken = x[(rng.random((rows, x.size)) * x.size).astype(np.intp)]
        drawn.append(_ROWS[statistic](taken))
        if method is Method.STUDENTISED:
            spread.append(taken.std(axis=1, ddof=1))
    values, spreads = np.concatenate(drawn), np.concatenate(spread)
    estimate = 0.0 if x.size == 1 and statistic is Statistic.SD else float(_ROWS[statistic](x[None])[0])
    ends, warning = _ends(x, estimate, values, spreads, statistic, method, level)
    low, high = ends if ends is not None else (None, None)
    return Bootstrap(
        estimate,
        low,
        high,
        level,
        method,
        statistic,
        values.size,
        warning,
        values,
        x,
        spreads,
        dict(rng.bit_generator.state),
    )


def chunks(total: int, width: int) -> list[int]:
    """How many rows of `width` numbers to hold in memory at a time."""
    size = max(1, _CELLS // max(1, width))
    return [min(size, total - k) for k in range(0, total, size)]


def blocks(x: Array, size: int, rng: np.random.Generator) -> Array:
    """The values in a random order, in blocks of `size`: shape (blocks, size). The last, which would be short, is filled with 0."""
    size = max(1, size)
    mixed = rng.permutation(x)
    return np.concatenate([mixed, np.zeros(-x.size % size)]).reshape(-1, size)


def resampled_means(x: Array, resamples: int, rng: np.random.Generator) -> Array:
    """Means of resamples of one sample, shape (resamples,). Of more than 4,000 values, blocks are resampled."""
    if x.size > LARGE:
        mean = float(x.mean())
        sums: Array = blocks(x - mean, x.size // BLOCKS, rng).sum(axis=1)
        return mean + resampled_means(sums * (sums.size / x.size), resamples, rng)
    return np.concatenate(
        [x[(rng.random((rows, x.size)) * x.size).astype(np.intp)].mean(axis=1) for rows in chunks(resamples, x.size)]
    )


def _ends(
    x: Array, estimate: float, values: Array, spreads: Array, statistic: Statistic, method: Method, level: float
) -> tuple[tuple[float, float] | None, str]:
    if x.size < 2:
        return None, "one value says nothing about spread"
    if is_constant(x):
        return (estimate, estimate), "all values are equal: the bootstrap can only repeat them"
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    few = "" if x.size >= 10 else f"n = {x.size} is few for a bootstrap interval"
    if method is Method.PERCENTILE:
        low, high = np.quantile(values, tails)
        return (float(low), float(high)), few
    if method is Method.STUDENTISED:
        whole = spreads > _NO_SPREAD * float(np.abs(x).max())
        if whole.mean() < (1 + level) / 2:
            return None, "too many resamples repeat one value: there is no studentised interval"
        t = (values[whole] - estimate) / spreads[whole]
        high, low = np.quantile(t, tails)
        sd = float(x.std(ddof=1))
        return (estimate - float(low) * sd, estimate - float(high) * sd), few
    return _bca(x, estimate, values, statistic, tails, few)


def _bca(
    x: Array, estimate: float, values: Array, statistic: Statistic, tails: Array, few: str
) -> tuple[tuple[float, float] | None, str]:
    from scipy.special import ndtr, ndtri

    share = float((values < estimate).mean() + (values == estimate).mean() / 2)
    if not 0 < share < 1:
        return None, f"every resample lies on one side of the {statistic}: BCa has no answer here"
    without = np.array([float(_ROWS[statistic](np.delete(x, k)[None])[0]) for k in range(x.size)])
    d = without.mean() - without
    scale = float((d**2).sum()) ** 1.5
    acceleration = float((d**3).sum()) / (6 * scale) if scale > 0 else 0.0
    bias = float(ndtri(share))
    z = bias + ndtri(tails)
    below = 1 - acceleration * z
    if (below <= 0).any():
        return None, "the sample is too skewed for BCa at this level"
    low, high = np.quantile(values, ndtr(bias + z / below))
    if x.size < 6:
        few = f"BCa of n = {x.size} means little"
    return (float(low), float(high)), few


__all__ = ["Bootstrap", "Method", "Statistic", "bootstrap", "interquartile_mean"]
