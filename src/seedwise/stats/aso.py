"""Almost stochastic order: does the distribution of one method lie above that of the other nearly everywhere?"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .resampling import chunks
from .sample import check_resamples, check_sample, generator

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AlmostDominance:
    """How nearly one distribution lies above the other; see `almost_dominates`.

    `violation` is the share of the squared distance that contradicts the dominance of new (0: new dominates; 1: base
    dominates). `upper` is its upper bound at confidence 1 - α. Below ½, new is almost stochastically larger; the
    closer to 0, the stronger. Both are None where both samples are the same, or where one has a single value.
    """

    violation: float | None
    upper: float | None
    alpha: float
    warning: str = ""


def almost_dominates(
    new: ArrayLike,
    base: ArrayLike,
    *,
    alpha: float = 0.05,
    comparisons: int = 1,
    resamples: int = 1000,
    rng: np.random.Generator | int | None = None,
) -> AlmostDominance:
    """ASO of del Barrio et al. (2018), as Dror et al. (2019) use it for deep networks.

    ε = ∫_{F⁻¹ < G⁻¹} (F⁻¹ - G⁻¹)² dt / ∫ (F⁻¹ - G⁻¹)² dt, with F of new and G of base. The integral is exact, over
    the steps of both quantile functions. The upper bound is ε - √((n + m)/(nm))·σ̂·Φ⁻¹(α), with σ̂ by the bootstrap.

    Parameters
    ----------
    new, base
        Shapes (n,) and (m,), finite.
    comparisons
        Number of comparisons that are made in all. α is divided by it (Bonferroni), so more comparisons make the
        bound larger.
    """
    from scipy.special import ndtri

    x, y = np.sort(check_sample(new, "new")), np.sort(check_sample(base, "base"))
    if not 0 < alpha < 1 or comparisons < 1:
        raise ValueError(f"alpha is between 0 and 1 and comparisons at least 1; got {alpha} and {comparisons}")
    check_resamples(resamples)
    rng = generator(rng)
    n, m = x.size, y.size
    if min(n, m) < 2:
        return AlmostDominance(None, None, alpha, "one run on a side has no distribution: more seeds")
    steps = np.unique(np.concatenate([np.arange(n + 1) * m, np.arange(m + 1) * n]))  # in units of 1/(nm), exactly
    width = np.diff(steps) / (n * m)
    at_x, at_y = steps[:-1] // m, steps[:-1] // n
    epsilon = _violation(x[None], y[None], at_x, at_y, width)[0]
    if math.isnan(epsilon):
        return AlmostDominance(None, None, alpha, "both samples are the same: neither lies above the other")
    drawn = []
    for rows in chunks(resamples, n + m + 2 * width.size):
        a, b = _resampled(x, rows, rng), _resampled(y, rows, rng)
        drawn.append(_violation(a, b, at_x, at_y, width))
    values = np.concatenate(drawn)
    values = values[~np.isnan(values)]
    sigma = math.sqrt(n * m / (n + m)) * float(values.std(ddof=1)) if values.size > 1 else 0.0
    upper = float(epsilon) - math.sqrt((n + m) / (n * m)) * sigma * float(ndtri(alpha / comparisons))
    few = "" if min(n, m) >= 5 else "few seeds: the bootstrap sees too little spread, and the bound may be too low"
    return AlmostDominance(float(epsilon), min(1.0, max(0.0, upper)), alpha, few)


_COUNTED = 1000
"""From so many values on, counting how often each is drawn is faster than sorting what is drawn."""


def _resampled(x: Array, rows: int, rng: np.random.Generator) -> Array:
    """Resamples of sorted values, each sorted: shape (rows, n)."""
    n = x.size
    drawn = (rng.random((rows, n)) * n).astype(np.intp)
    if n < _COUNTED:
        return np.sort(x[drawn], axis=1)
    drawn += (np.arange(rows) * n)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=rows * n)
    return np.repeat(np.tile(x, rows), counts).reshape(rows, n)


def _violation(x: Array, y: Array, at_x: NDArray[np.intp], at_y: NDArray[np.intp], width: Array) -> Array:
    alike = x.shape == y.shape and x.shape[1] >= _COUNTED
    d = x - y if alike else x[:, at_x] - y[:, at_y]  # for few values always the same bits, whichever is faster
    squares = d**2
    whole = squares @ width
    against = np.where(d < 0, squares, 0.0) @ width
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Array = against / whole
    return share
