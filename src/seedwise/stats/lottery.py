"""How much it gains to choose a lucky seed."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sample import check_sample

Array = NDArray[np.float64]


class Estimator(StrEnum):
    """How the expected best is estimated."""

    UNBIASED = "unbiased"
    BIASED = "dodge"


def best_of_weights(total: int, n: int) -> Array:
    """Probability that the i-th smallest of `total` values is the largest of n drawn without replacement.

    Shape (total,), for i = 1 … total.
    """
    if not 1 <= n <= total:
        raise ValueError(f"the best of {n} cannot be estimated without bias from {total} values: n is 1 … {total}")
    weights = np.zeros(total)
    weights[-1] = n / total
    for i in range(total - 1, n - 1, -1):  # C(i-1, n-1)/C(N, n), from the top down, so that it never overflows
        weights[i - 1] = weights[i] * (i + 1 - n) / i
    return weights


def expected_best(
    values: ArrayLike, n: int, *, largest: bool = True, estimator: Estimator | str = Estimator.UNBIASED
) -> float:
    """The expected best of n seeds.

    Raises ValueError for n below 1, and for the unbiased estimate above the number of values.

    Notes
    -----
    Unbiased, over all choices of n of the N values: Σ x₍ᵢ₎·C(i - 1, n - 1)/C(N, n) (Tang et al. 2020, arXiv
    2004.13705). `dodge` is Σ x₍ᵢ₎·[(i/N)ⁿ - ((i - 1)/N)ⁿ] (Dodge et al. 2019). It draws with replacement and is
    biased towards the mean.
    """
    x = np.sort(check_sample(values))
    if not largest:
        return -expected_best(-x, n, estimator=estimator)
    if Estimator(estimator) is Estimator.BIASED:
        if n < 1:
            raise ValueError(f"n is at least 1; got {n}")
        steps = (np.arange(x.size + 1) / x.size) ** n
        return float(np.diff(steps) @ x)
    return float(best_of_weights(x.size, n) @ x)


def wrong_winner(new: ArrayLike, base: ArrayLike) -> float:
    """How often a comparison of one seed each would give the higher value to the side with the lower mean.

    Ties count half.
    """
    x, y = check_sample(new, "new"), check_sample(base, "base")
    if x.mean() == y.mean():
        return 0.5
    if x.mean() < y.mean():
        x, y = y, x
    order = np.sort(y)
    above = np.searchsorted(order, x, side="left") + np.searchsorted(order, x, side="right")
    return 1 - float(above.sum()) / (2 * x.size * y.size)


def expected_maximum(k: int) -> float:
    """Expected value of the largest of k independent standard normal numbers.

    If k settings are all alike, the best of their means is to be expected so many standard errors above the truth.

    Notes
    -----
    E = ∫₀^∞ (1 - Φ(x)ᵏ - Φ(-x)ᵏ) dx (David & Nagaraja 2003, Order Statistics, section 3.1). 0 for one, .564 for two,
    1.267 for six.

    Raises
    ------
    ValueError
        k is below 1.
    """
    from scipy.special import ndtr

    if k < 1:
        raise ValueError(f"the largest of one number or more; got {k}")
    x = np.linspace(0.0, 12.0, 12_001)
    return float(np.trapezoid(1 - ndtr(x) ** k - ndtr(-x) ** k, x))


@dataclass(frozen=True)
class Selection:
    """The run that was chosen by one metric, and what to report of it by another.

    `expected[n - 1]` is the expected value of the reported metric for the run that is best of n.
    """

    index: int
    by: float
    report: float
    mean: float
    expected: tuple[float, ...]
    ties: int


def select(by: ArrayLike, report: ArrayLike, *, largest: bool = True) -> Selection:
    """Choose the best run by a validation metric, and report the test metric of such choices.

    Runs with the same value of `by` share their place: the expectation uses the mean of what they report. `index` is
    then the first of them.
    """
    x, y = check_sample(by, "by"), check_sample(report, "report")
    if x.size != y.size:
        raise ValueError(f"both metrics of each run are needed; got {x.size} and {y.size}")
    key = x if largest else -x
    order = np.argsort(key, kind="stable")
    ranked = y[order].copy()
    _, start, counts = np.unique(key[order], return_index=True, return_counts=True)
    for s, c in zip(start, counts, strict=True):
        ranked[s : s + c] = ranked[s : s + c].mean()
    expected = tuple(float(best_of_weights(x.size, n) @ ranked) for n in range(1, x.size + 1))
    best = int(np.argmax(key))
    return Selection(best, float(x[best]), float(y[best]), float(y.mean()), expected, int(counts[-1]))
