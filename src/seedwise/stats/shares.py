"""How a sample is distributed: counts in equal bins, and the share of values up to each value."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sample import check_level, check_sample

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Histogram:
    """How many values lie in each of some equally wide bins from the lowest value to the highest.

    Each bin holds its lower edge, the last one the highest value too. A sample without spread has one bin.
    """

    low: float
    high: float
    counts: tuple[int, ...]

    @property
    def edges(self) -> tuple[float, ...]:
        """The ends of the bins, one more than there are bins."""
        n = len(self.counts)
        return (*(self.low * (1 - k / n) + self.high * (k / n) for k in range(n)), self.high)


def histogram(values: ArrayLike, bins: int = 16) -> Histogram:
    """Counts in `bins` equal bins. Raises ValueError for an empty sample and for NaN or infinite values."""
    x = check_sample(values)
    low, high = float(x.min()), float(x.max())
    if low == high:
        return Histogram(low, high, (int(x.size),))
    half = x / 2  # the span of the largest numbers is no number
    span = float(half.max() - half.min())
    if not span:
        return Histogram(low, high, (int(x.size),))
    places = np.minimum((half - half.min()) / span * bins, bins - 1).astype(int)
    return Histogram(low, high, tuple(np.bincount(places, minlength=bins).tolist()))


@dataclass(frozen=True)
class Ecdf:
    """The share of values that are at most each value, with a band for the whole curve at once.

    `values` are ascending and each stands once; `share`, `low` and `high` belong to them. Shapes (k,).
    """

    values: Array
    share: Array
    low: Array
    high: Array
    level: float
    n: int


def ecdf(values: ArrayLike, level: float = 0.95) -> Ecdf:
    """The empirical distribution function.

    The band is F̂ ± √(ln(2/(1 - level))/(2n)), cut at 0 and 1. It holds the whole distribution function with probability
    `level` at least (Dvoretzky, Kiefer & Wolfowitz 1956, with the constant of Massart 1990).
    """
    x = check_sample(values)
    check_level(level)
    distinct, counts = np.unique(x, return_counts=True)
    share = np.cumsum(counts) / x.size
    half = math.sqrt(math.log(2 / (1 - level)) / (2 * x.size))
    return Ecdf(distinct, share, np.clip(share - half, 0, 1), np.clip(share + half, 0, 1), level, int(x.size))
