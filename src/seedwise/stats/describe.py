"""Describes one sample of scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sample import check_level, check_sample, is_constant
from .student import t_quantile


@dataclass(frozen=True)
class Description:
    """A sample in numbers, in the units of the scores.

    `sd` has n - 1 in its denominator, `sem` is sd / √n, `interval` is the t interval of the mean. All three are None
    for a single value, because one score says nothing about spread.
    """

    n: int
    mean: float
    sd: float | None
    sem: float | None
    interval: tuple[float, float] | None
    level: float
    median: float
    iqm: float
    min: float
    max: float


def t_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean: x̄ ± t(n - 1)·s/√n.

    Parameters
    ----------
    values
        Shape (n,), n ≥ 2, finite.
    level
        Coverage for normal data, between 0 and 1.

    Returns
    -------
    low, high
        In the units of the values. If all values are equal, the width is 0.

    Notes
    -----
    Student (1908). At n = 3, 5, 10 it covers .949, .946, .951 of normal samples at level .95, where a percentile
    bootstrap covers .765, .815, .905.
    """
    x = check_sample(values)
    if x.size < 2:
        raise ValueError("an interval needs at least two values")
    check_level(level)
    if is_constant(x):
        return float(x[0]), float(x[0])
    half = t_quantile(level, x.size - 1) * float(x.std(ddof=1)) / float(np.sqrt(x.size))
    mean = float(x.mean())
    return mean - half, mean + half


def share_interval(successes: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper & Pearson's (1934) interval of a probability, from a number of successes among n.

    It holds for every n and every true probability; it is wider than needed for small n. A tie may count as half a success.
    """
    from scipy.special import betaincinv

    check_level(level)
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"successes are between 0 and n; got {successes} of {n}")
    tail = (1 - level) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes > 0 else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return low, high


def interquartile_mean(values: ArrayLike) -> float:
    """Mean of the middle half. Values at the cut get fractional weights.

    Agarwal et al. (2021), arXiv 2108.13264, cut off a quarter at each end. If n is not a multiple of four, the values
    at the cut count in part: `[0, 1, 5, 6, 7, 8]` gives 5.0.
    """
    x = np.sort(check_sample(values))
    if x[0] == x[-1]:
        return float(x[0])
    edges = np.arange(x.size + 1) / x.size
    weights = np.clip(np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25), 0, None)
    return float(weights @ x / weights.sum())


def _median(x: NDArray[np.float64]) -> float:
    """As NumPy's, which loads its masked arrays for it."""
    ordered = np.sort(x)
    return float((ordered[(x.size - 1) // 2] + ordered[x.size // 2]) / 2)


def describe(values: ArrayLike, level: float = 0.95) -> Description:
    """All numbers of one sample. Raises ValueError for an empty sample and for NaN or infinite values."""
    x = check_sample(values)
    many = x.size > 1
    equal = is_constant(x)  # rounding must not make a small spread where there is none
    sd = (0.0 if equal else float(x.std(ddof=1))) if many else None
    return Description(
        n=int(x.size),
        mean=float(x[0]) if equal else float(x.mean()),
        sd=sd,
        sem=None if sd is None else sd / float(np.sqrt(x.size)),
        interval=t_interval(x, level) if many else None,
        level=level,
        median=_median(x),
        iqm=interquartile_mean(x),
        min=float(x.min()),
        max=float(x.max()),
    )
