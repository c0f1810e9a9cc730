"""Estimates and intervals of weighted sums of mean squares, such as variance components."""

import math
from collections.abc import Mapping

from .sample import check_level

Effect = tuple[int, ...]
"""The axes of a table to which a mean square belongs."""


def estimate(
    weights: Mapping[Effect, float], squares: Mapping[Effect, float], df: Mapping[Effect, int], level: float
) -> tuple[float, tuple[float, float], float | None]:
    """A variance that is a weighted sum of independent mean squares, its interval, and its degrees of freedom.

    Parameters
    ----------
    weights
        Weight of each mean square; below 0 where it is subtracted.
    squares, df
        The mean squares and their degrees of freedom.

    Returns
    -------
    (variance, (low, high), df)
        The ends of the interval are 0 where they would be below it: a variance is not. The degrees of freedom are
        Satterthwaite's (1946), (Σ cᵢ·MSᵢ)²/Σ (cᵢ·MSᵢ)²/dfᵢ; None where the estimate is not above 0.

    Notes
    -----
    Modified large-sample interval: Ting, Burdick, Graybill, Jeyaratnam and Lu (1990); Burdick and Graybill (1992),
    Confidence Intervals on Variance Components, section 3.3. For one mean square it is the exact interval by χ². For a
    difference it is exact at the ends, where one of the two expectations is far greater than the other. The interval
    of Satterthwaite, which others use, misses small components: docs/coverage.md has both.
    """
    check_level(level)
    variance = sum(w * squares[s] for s, w in weights.items())
    spread = sum((w * squares[s]) ** 2 / df[s] for s, w in weights.items())
    nu = variance**2 / spread if variance > 0 and spread > 0 else None
    added = [(w * squares[s], df[s]) for s, w in weights.items() if w > 0]
    taken = [(-w * squares[s], df[s]) for s, w in weights.items() if w < 0]
    alpha = (1 - level) / 2
    low = variance - math.sqrt(max(0.0, _below(added, taken, alpha)))
    high = variance + math.sqrt(max(0.0, _above(added, taken, alpha)))
    return variance, (max(0.0, low), max(0.0, high)), nu


_Terms = list[tuple[float, int]]
"""Weighted mean squares, with their degrees of freedom."""


def _below(added: _Terms, taken: _Terms, alpha: float) -> float:
    """The square of the distance between the estimate and the low end."""
    total = sum((_g(n, alpha) * x) ** 2 for x, n in added) + sum((_h(n, alpha) * y) ** 2 for y, n in taken)
    for x, n in added:
        for y, m in taken:
            f = _f(n, m, 1 - alpha)
            total += ((f - 1) ** 2 - (_g(n, alpha) * f) ** 2 - _h(m, alpha) ** 2) / f * x * y
    return total + _among(added, alpha)


def _above(added: _Terms, taken: _Terms, alpha: float) -> float:
    """The square of the distance between the estimate and the high end."""
    total = sum((_h(n, alpha) * x) ** 2 for x, n in added) + sum((_g(n, alpha) * y) ** 2 for y, n in taken)
    for x, n in added:
        for y, m in taken:
            f = _f(n, m, alpha)
            total += ((1 - f) ** 2 - (_h(n, alpha) * f) ** 2 - _g(m, alpha) ** 2) / f * x * y
    return total + _among(taken, alpha)


def _among(terms: _Terms, alpha: float) -> float:
    """What pairs of terms of one sign add."""
    total = 0.0
    for k, (x, n) in enumerate(terms):
        for y, m in terms[k + 1 :]:
            together = _g(n + m, alpha) ** 2 * (n + m) ** 2 / (n * m)
            total += (together - _g(n, alpha) ** 2 * n / m - _g(m, alpha) ** 2 * m / n) / (len(terms) - 1) * x * y
    return total


def _g(n: int, alpha: float) -> float:
    """1 - n/χ²: how far the low end of the interval of one mean square is below it, as a share of it."""
    from scipy.special import chdtri

    return 1 - n / float(chdtri(n, alpha))


def _h(n: int, alpha: float) -> float:
    """n/χ² - 1: how far the high end is above it."""
    from scipy.special import chdtri

    return n / float(chdtri(n, 1 - alpha)) - 1


def _f(n: int, m: int, p: float) -> float:
    """The p-quantile of F with n and m degrees of freedom."""
    from scipy.special import fdtri

    return float(fdtri(n, m, p))
