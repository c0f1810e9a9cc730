"""Several comparisons at once: adjusted p-values, ranks, and the tests over tasks."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sample import check_level, check_sample

Array = NDArray[np.float64]


def holm(p_values: ArrayLike) -> Array:
    """Adjusted p-values of Holm (1979), in the order given: [.03, .01, .02] → [.04, .03, .04]. Shape (k,)."""
    p = _check_p(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def bonferroni(p_values: ArrayLike) -> Array:
    """Each p, multiplied by the number of p-values: [.03, .01, .02] → [.09, .03, .06]."""
    p = _check_p(p_values)
    return np.minimum(p * p.size, 1.0)


def _check_p(p_values: ArrayLike) -> Array:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p-values are a list of numbers between 0 and 1")
    return p


@dataclass(frozen=True)
class Friedman:
    """Do methods differ over tasks?

    `ranks` are mean ranks (1 is best). `p_value` is that of the χ², `f_p_value` that of Iman & Davenport's F, which
    is more powerful.
    """

    ranks: tuple[float, ...]
    statistic: float
    p_value: float
    f_p_value: float
    tasks: int


def friedman(table: ArrayLike, *, largest: bool = True) -> Friedman:
    """Friedman's (1937) test of a table of shape (tasks, methods), ties corrected, with Iman & Davenport's (1980) F.

    Raises
    ------
    ValueError
        For fewer than two tasks or three methods.
    """
    from scipy.special import chdtrc, fdtrc
    from scipy.stats import rankdata

    x = np.asarray(table, dtype=np.float64)
    if x.ndim != 2 or x.shape[0] < 2 or x.shape[1] < 3 or not np.isfinite(x).all():
        raise ValueError(f"Friedman's test takes finite numbers of shape (tasks ≥ 2, methods ≥ 3); got {x.shape}")
    n, k = x.shape
    ranks = rankdata(-x if largest else x, axis=1)
    mean = ranks.mean(axis=0)
    ties = sum(float((c**3 - c).sum()) for row in ranks for c in [np.unique(row, return_counts=True)[1]])
    scale = 1 - ties / (n * (k**3 - k))
    if scale <= 0:
        return Friedman(tuple(map(float, mean)), 0.0, 1.0, 1.0, n)
    chi = float(12 * n / (k * (k + 1)) * ((mean - (k + 1) / 2) ** 2).sum() / scale)
    below = n * (k - 1) - chi
    f = math.inf if below <= 1e-12 else (n - 1) * chi / below
    f_p = 0.0 if f == math.inf else float(fdtrc(k - 1, (k - 1) * (n - 1), f))
    return Friedman(tuple(map(float, mean)), chi, float(chdtrc(k - 1, chi)), f_p, n)


_MOST_EXACT = 50


def wilcoxon(d: ArrayLike) -> float:
    """Two-sided p of Wilcoxon's (1945) signed-rank test of differences.

    For at most 50 differences that are not zero it is exact, with ties too: over all signs of the mid-ranks, counted by the
    shift algorithm of Streitberg & Röhmel (1986). Beyond, it is the normal approximation. If all differences are zero, it
    is 1.
    """
    from scipy import stats

    x = check_sample(d, "differences")
    if not x.any():
        return 1.0
    x = x[x != 0]
    if x.size > _MOST_EXACT:
        return float(stats.wilcoxon(x, method="approx").pvalue)
    twice = np.rint(2 * stats.rankdata(np.abs(x))).astype(np.int64)  # mid-ranks are multiples of ½
    total = int(twice.sum())
    counts = np.zeros(total + 1)  # of all signs, by twice the sum of positive ranks; below 2⁵³, so exact
    counts[0] = 1
    for rank in twice.tolist():
        counts[rank:] += counts[:-rank].copy()
    sums = np.abs(2 * np.arange(total + 1) - total)
    observed = abs(2 * int(twice[x > 0].sum()) - total)
    return float(counts[sums >= observed].sum() / 2.0**x.size)


def signed_rank_sum(d: ArrayLike) -> float:
    """Sum of the signed ranks of the differences that are not zero (Wilcoxon 1945): its sign is the direction of his test."""
    from scipy.stats import rankdata

    x = check_sample(d, "differences")
    x = x[x != 0]
    return float((np.sign(x) * rankdata(np.abs(x))).sum()) if x.size else 0.0


def holm_of_exclusive(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    """Adjusted p-values of two lists of tests, of which the k-th of both cannot hold at the same time. Shapes (k,).

    That is so of `no difference` and `a difference beyond the margin`. So at most k null hypotheses are true, and Holm's
    multipliers need not exceed k (Shaffer 1986, JASA 81:826, S1). NaN stands for a test that was not made.
    """
    p = np.concatenate([np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)])
    made = np.flatnonzero(~np.isnan(p))
    most = int((~np.isnan(p)).reshape(2, -1).any(axis=0).sum())
    known = _check_p(p[made])
    order = np.argsort(known, kind="stable")
    stepped = np.maximum.accumulate(known[order] * np.minimum(np.arange(known.size, 0, -1), most))
    adjusted = np.full_like(p, np.nan)
    adjusted[made[order]] = np.minimum(stepped, 1.0)
    return adjusted[: p.size // 2], adjusted[p.size // 2 :]


def critical_difference(methods: int, tasks: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of mean ranks: q(α, k, ∞)/√2·√(k(k + 1)/(6N)) (Demšar 2006, JMLR 7, eq. in 3.2.2).

    It depends on which other methods are compared (Benavoli et al. 2016, JMLR 17). Pairwise Wilcoxon tests with Holm
    do not.
    """
    from scipy.stats import studentized_range

    if methods < 2 or tasks < 1:
        raise ValueError(
            f"a critical difference takes two methods or more and a task or more; got {methods} and {tasks}"
        )
    check_level(1 - alpha)
    q = float(studentized_range.ppf(1 - alpha, methods, np.inf)) / math.sqrt(2)
    return q * math.sqrt(methods * (methods + 1) / (6 * tasks))
