"""Two samples: the interval of their difference, tests, and how often one is larger.

Differences are always `new` minus `base`.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .describe import share_interval
from .resampling import BLOCKS, LARGE, blocks, chunks
from .sample import check_level, check_resamples, check_sample, generator, is_constant

Array = NDArray[np.float64]
_EXACT = 40_000
"""Up to this many regroupings, all of them are computed."""
_FEWEST_BLOCKS = 200
"""So many blocks of values are resampled on each side at the least."""


@dataclass(frozen=True)
class Difference:
    """Mean of new minus mean of base, with its t interval and two-sided p. `df` may be a fraction (Welch)."""

    difference: float
    low: float | None
    high: float | None
    level: float
    sem: float | None
    df: float | None
    p_value: float | None
    method: str
    warning: str = ""


def difference(new: ArrayLike, base: ArrayLike, *, paired: bool = False, level: float = 0.95) -> Difference:
    """Difference of two means with its interval.

    Unpaired, the interval is Welch's (1947), which does not assume equal spreads. Paired, it is Student's, over the
    differences. With a single value on one side there is no interval. If neither side varies, the interval has width
    0, and p is 0 or 1.

    Parameters
    ----------
    new, base
        Shapes (n,) and (m,), finite. With `paired`, of equal length and in the same order.
    """
    x, y = check_sample(new, "new"), check_sample(base, "base")
    check_level(level)
    if paired:
        if x.size != y.size:
            raise ValueError(f"pairs need as many values on both sides; got {x.size} and {y.size}")
        d = x - y
        return _student(float(d.mean()), _variance(d) / d.size if d.size > 1 else None, d.size - 1, level, "paired t")
    if min(x.size, y.size) < 2:
        return _student(float(x.mean() - y.mean()), None, 0, level, "Welch t")
    a, b = _variance(x) / x.size, _variance(y) / y.size
    below = a**2 / (x.size - 1) + b**2 / (y.size - 1)
    df = (a + b) ** 2 / below if below > 0 else x.size + y.size - 2
    return _student(float(x.mean() - y.mean()), a + b, df, level, "Welch t")


def _variance(x: Array) -> float:
    return 0.0 if is_constant(x) else float(x.var(ddof=1))


def _student(d: float, variance: float | None, df: float, level: float, method: str) -> Difference:
    from scipy.special import stdtr, stdtrit

    if variance is None:
        return Difference(
            d, None, None, level, None, None, None, method, "one value on a side says nothing about spread"
        )
    if variance == 0:
        same = 1.0 if d == 0 else 0.0
        return Difference(
            d, d, d, level, 0.0, float(df), same, method, "neither side varies: the interval has no width"
        )
    sem = math.sqrt(variance)
    half = float(stdtrit(df, (1 + level) / 2)) * sem
    p = 2 * float(stdtr(df, -abs(d) / sem))
    return Difference(d, d - half, d + half, level, sem, float(df), p, method)


@dataclass(frozen=True)
class Permutation:
    """A two-sided permutation p-value.

    `smallest` is the smallest p that these numbers of values can give, whatever the values are.
    """

    p_value: float
    exact: bool
    regroupings: int
    smallest: float


def permutation_test(
    new: ArrayLike,
    base: ArrayLike,
    *,
    paired: bool = False,
    resamples: int = 9999,
    rng: np.random.Generator | int | None = None,
) -> Permutation:
    """The studentised permutation test of equal means.

    Unpaired: values are regrouped, and Welch's t is compared. This keeps its level even if spreads differ (Janssen
    1997). Paired: the signs of the differences are changed. The test is exact up to 40,000 regroupings. Beyond, m
    regroupings are drawn and p = (b + 1)/(m + 1) (Phipson & Smyth 2010): the data's own grouping counts as one of
    them. With more than 4,000 values, blocks of values that were put together at random change sides (or signs) as a whole.
    Such regroupings are a subgroup of all, so the test keeps its level (Hemerik & Goeman 2018, TEST 27:811).

    Returns
    -------
    Permutation
        With 5 pairs, p is at least 2/2⁵ = .0625; unpaired, with 3 against 3, at least 2/20 = .10.
    """
    x, y = check_sample(new, "new"), check_sample(base, "base")
    check_resamples(resamples)
    if paired:
        if x.size != y.size:
            raise ValueError(f"pairs need as many values on both sides; got {x.size} and {y.size}")
        return _flip(x - y, resamples, generator(rng))
    return _regroup(x, y, resamples, generator(rng))


def _flip(d: Array, resamples: int, rng: np.random.Generator) -> Permutation:
    n, room = d.size, 1e-13 * float(np.abs(d).sum())
    exact = 2**n <= _EXACT
    smallest = min(1.0, 2.0 ** (1 - n)) if exact else max(2.0 ** (1 - n), 1.0 / (resamples + 1))
    if exact:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        p = _share(np.abs((1 - 2 * bits) @ d), abs(float(d.sum())), room)
        return Permutation(p, True, 2**n, smallest)
    if n > LARGE:
        d = blocks(d, n // BLOCKS, rng).sum(axis=1)
    count = 0
    for rows in chunks(resamples, d.size):
        signs = np.where(rng.random((rows, d.size)) < 0.5, -1.0, 1.0)
        count += int(_reaches(np.abs(signs @ d), abs(float(d.sum())), room).sum())
    return Permutation((count + 1) / (resamples + 1), False, resamples, smallest)


def _regroup(x: Array, y: Array, resamples: int, rng: np.random.Generator) -> Permutation:
    # sort the samples and their values: which side is called `new` must not change what is drawn
    x, y = sorted((np.sort(x), np.sort(y)), key=lambda values: (values.size, values.tolist()))
    pooled, n, m = np.concatenate([x, y]), x.size, y.size
    total = math.comb(n + m, n) if min(n, m) <= 500 else 10**300  # beyond, 1/total is below 1e-299
    observed = abs(float(_welch(x[None], y[None])[0]))
    # with equal numbers, every grouping has a mirror image with the same |t|
    least = (2 if n == m else 1) / total
    if total <= _EXACT:
        p = _share(_abs_t(pooled, _every_grouping(n, m), n), observed)
        return Permutation(p, True, total, min(1.0, least))
    least = max(least, 1.0 / (resamples + 1))
    if n + m > LARGE:
        count = _regroup_blocks(x, y, observed, resamples, rng)
        return Permutation((count + 1) / (resamples + 1), False, resamples, least)
    count = 0
    for rows in chunks(resamples, n + m):
        order = np.argpartition(rng.random((rows, n + m)), n, axis=1)  # which side each value is on, in any order
        if n == m:
            count += int(_reach_by_sums(pooled, order[:, :n]).sum())
            continue
        mixed = pooled[order]
        count += int(_reaches(np.abs(_welch(mixed[:, :n], mixed[:, n:])), observed).sum())
    return Permutation((count + 1) / (resamples + 1), False, resamples, least)


@lru_cache(maxsize=8)
def _every_grouping(n: int, m: int) -> NDArray[np.bool_]:
    """Which values are in the first group, for every way to put n of n + m there."""
    groups = np.array(list(combinations(range(n + m), n)), dtype=np.intp)
    inside = np.zeros((len(groups), n + m), dtype=bool)
    np.put_along_axis(inside, groups, True, axis=1)
    inside.flags.writeable = False  # it is kept
    return inside


def _reach_by_sums(pooled: Array, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether |t| of each choice of half of the values is as large as that of the first half.

    With equal numbers, |t| grows with the distance of a half's sum from half of the sum: the squares of all have one sum.
    """
    n = chosen.shape[1]
    middle = pooled - pooled.mean()
    room = max(1e-12 * float(np.abs(middle).sum()), 1e-14 * n * float(np.abs(pooled).max()))
    return _reaches(np.abs(middle[chosen].sum(axis=1)), abs(float(middle[:n].sum())), room)


def _regroup_blocks(x: Array, y: Array, observed: float, resamples: int, rng: np.random.Generator) -> int:
    """How many regroupings of blocks give |t| ≥ observed. `x` is the side with fewer values; what fills no block stays."""
    n, m, every = x.size, y.size, np.concatenate([x, y])
    every = (every - every.mean()) / (np.ptp(every) or 1.0)
    size = max(1, min((n + m) // BLOCKS, n // _FEWEST_BLOCKS))
    parts = [blocks(side, size, rng)[: side.size // size] for side in (every[:n], every[n:])]
    stays = every[:n].sum() - parts[0].sum(), (every[:n] ** 2).sum() - (parts[0] ** 2).sum()
    pooled = np.concatenate(parts)
    sums, squares = pooled.sum(axis=1), (pooled**2).sum(axis=1)
    whole, whole_squares = float(every.sum()), float((every**2).sum())
    found = np.empty((resamples, 2))
    for row in found:
        chosen = rng.choice(len(sums), len(parts[0]), replace=False, shuffle=False)
        row[:] = sums[chosen].sum() + stays[0], squares[chosen].sum() + stays[1]
    s, q = found.T
    a = (q - s**2 / n) / (n - 1) / n if n > 1 else 0.0
    b = (whole_squares - q - (whole - s) ** 2 / m) / (m - 1) / m
    return int(_reaches(np.abs(s / n - (whole - s) / m) / np.sqrt(np.maximum(a + b, 1e-300)), observed).sum())


def _abs_t(pooled: Array, inside: NDArray[np.bool_], n: int) -> Array:
    rows = len(inside)
    every = np.broadcast_to(pooled, inside.shape)
    return np.abs(_welch(every[inside].reshape(rows, n), every[~inside].reshape(rows, -1)))


def _welch(x: Array, y: Array) -> Array:
    """Welch's t of each row. It is ±inf where groups differ and neither varies, and 0 where everything is equal."""
    d = x.mean(axis=1) - y.mean(axis=1)
    a = x.var(axis=1, ddof=1) / x.shape[1] if x.shape[1] > 1 else 0.0
    b = y.var(axis=1, ddof=1) / y.shape[1] if y.shape[1] > 1 else 0.0
    scale = np.sqrt(a + b) + np.zeros_like(d)
    if x.shape[1] == 1 and y.shape[1] == 1:
        scale = np.ones_like(d)
    size = np.maximum(np.abs(x).max(axis=1), np.abs(y).max(axis=1))
    flat = scale <= 1e-14 * size
    with np.errstate(divide="ignore", invalid="ignore"):
        t = d / scale
    result: Array = np.where(flat, np.where(np.abs(d) <= 1e-14 * size, 0.0, np.copysign(np.inf, d)), t)
    return result


def _reaches(values: Array, observed: float, room: float = 1e-10) -> NDArray[np.bool_]:
    """Whether each value is at least as extreme as the observed one.

    It allows for rounding, because a grouping must also count its own mirror image.
    """
    found: NDArray[np.bool_] = values >= observed * (1 - 1e-10) - room
    return found


def _share(values: Array, observed: float, room: float = 1e-10) -> float:
    return float(_reaches(values, observed, room).mean())


@dataclass(frozen=True)
class Superiority:
    """P(new > base) with its interval. Ties count ½. `delta` is Cliff's δ = 2P - 1."""

    probability: float
    low: float
    high: float
    level: float
    method: str
    n: int
    m: int

    @property
    def delta(self) -> float:
        """Cliff's δ: from -1 (always below) to 1 (always above)."""
        return 2 * self.probability - 1


def superiority(new: ArrayLike, base: ArrayLike, *, paired: bool = False, level: float = 0.95) -> Superiority:
    """How often a value of `new` is above a value of `base`.

    Unpaired: U/(nm) of Mann & Whitney, with Newcombe's (2006, Stat. Med. 25:559, method 5) score interval, which
    exists even if all values of one side lie above the other side. Paired: the share of pairs won, with Clopper &
    Pearson's (1934) interval.
    """
    x, y = check_sample(new, "new"), check_sample(base, "base")
    check_level(level)
    if paired:
        if x.size != y.size:
            raise ValueError(f"pairs need as many values on both sides; got {x.size} and {y.size}")
        return _pairs_won(x, y, level)
    above = np.sort(y)
    less = np.searchsorted(above, x, side="left")
    not_more = np.searchsorted(above, x, side="right")
    p = float((less + not_more).sum()) / (2 * x.size * y.size)
    return Superiority(p, *_newcombe(p, x.size, y.size, level), level, "Newcombe", x.size, y.size)


def _pairs_won(x: Array, y: Array, level: float) -> Superiority:
    n = x.size
    won = float((x > y).sum() + (x == y).sum() / 2)
    return Superiority(won / n, *share_interval(won, n, level), level, "Clopper-Pearson", n, n)


def _newcombe(p: float, n: int, m: int, level: float) -> tuple[float, float]:
    from scipy.optimize import brentq
    from scipy.special import ndtri

    z = float(ndtri((1 + level) / 2))
    middle = (n + m) / 2 - 1

    def distance(theta: float) -> float:
        variance = (
            theta * (1 - theta) * (1 + middle * (1 - theta) / (2 - theta) + middle * theta / (1 + theta)) / (n * m)
        )
        return (p - theta) ** 2 - z * z * variance

    tiny = 1e-12  # at exactly 0 and 1 the variance is zero
    low = 0.0 if p <= 0 else float(brentq(distance, 0.0, min(p, 1 - tiny)))
    high = 1.0 if p >= 1 else float(brentq(distance, max(p, tiny), 1.0))
    return low, high


@dataclass(frozen=True)
class Spreads:
    """Ratio of two standard deviations, new over base, with a bootstrap interval; p of Brown and Forsythe's test."""

    ratio: float | None
    low: float | None
    high: float | None
    level: float
    p_value: float | None
    warning: str = ""


def compare_spreads(
    new: ArrayLike,
    base: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 9999,
    rng: np.random.Generator | int | None = None,
) -> Spreads:
    """Does one way of training vary less than the other?

    The test is Brown & Forsythe's (1974): Levene's test about the medians. The interval is a basic bootstrap interval
    of the log ratio of the SDs; each sample is resampled separately. It needs three values on each side. With more than
    4,000 values, blocks of values that were put together at random are resampled, at least 200 on each side.
    """
    x, y = check_sample(new, "new"), check_sample(base, "base")
    check_resamples(resamples)
    if min(x.size, y.size) < 3:
        return Spreads(None, None, None, level, None, "spreads are compared from three values on each side")
    if is_constant(x) or is_constant(y):
        return Spreads(None, None, None, level, None, "one side does not vary at all: there is no ratio")
    from scipy import stats

    with np.errstate(divide="ignore", invalid="ignore"):  # every value as far from its median: 0/0, there is no p
        p = float(stats.levene(x, y, center="median").pvalue)
    rng = generator(rng)
    ratio = float(x.std(ddof=1) / y.std(ddof=1))
    logs = (
        _log_ratios(x, y, resamples, rng) if x.size + y.size <= LARGE else _log_ratios_by_blocks(x, y, resamples, rng)
    )
    tails = np.quantile(logs, [(1 - level) / 2, (1 + level) / 2])
    low, high = np.exp(2 * math.log(ratio) - tails[::-1])
    few = "" if min(x.size, y.size) >= 10 else "few values for a bootstrap of spreads: the interval is too narrow"
    return Spreads(ratio, float(low), float(high), level, p if p == p else None, few)


def _log_ratios(x: Array, y: Array, resamples: int, rng: np.random.Generator) -> Array:
    logs = []
    for rows in chunks(resamples, x.size + y.size):
        a = x[(rng.random((rows, x.size)) * x.size).astype(np.intp)].std(axis=1, ddof=1)
        b = y[(rng.random((rows, y.size)) * y.size).astype(np.intp)].std(axis=1, ddof=1)
        whole = (a > 1e-12 * np.abs(x).max()) & (b > 1e-12 * np.abs(y).max())  # less is rounding error
        logs.append(np.log(a[whole] / b[whole]))
    return np.concatenate(logs)


def _log_ratios_by_blocks(x: Array, y: Array, resamples: int, rng: np.random.Generator) -> Array:
    spreads = []
    for side in (x, y):
        of = blocks(
            (side - side.mean()) / np.ptp(side), min(side.size // (BLOCKS // 2), side.size // _FEWEST_BLOCKS), rng
        )
        sums, squares, counts = of.sum(axis=1), (of**2).sum(axis=1), np.full(len(of), float(of.shape[1]))
        counts[-1] -= of.size - side.size
        drawn = []
        for rows in chunks(resamples, len(of)):
            chosen = (rng.random((rows, len(of))) * len(of)).astype(np.intp)
            s, q, n = (values[chosen].sum(axis=1) for values in (sums, squares, counts))
            drawn.append((q - s**2 / n) / (n - 1))
        spreads.append(np.concatenate(drawn))
    (a, b), (wide, other) = np.sqrt(np.maximum(spreads, 0)), (np.ptp(x), np.ptp(y))
    whole = (a * wide > 1e-12 * np.abs(x).max()) & (b * other > 1e-12 * np.abs(y).max())
    found: Array = np.log(a[whole] / b[whole] * (wide / other))
    return found


def equivalence(found: Difference, margin: float, alpha: float = 0.05) -> float | None:
    """p of the two one-sided tests (Schuirmann 1987) that the difference lies within ± margin.

    None if there is no spread.
    """
    from scipy.special import stdtr

    if not margin > 0:
        raise ValueError(f"the margin of equivalence is above 0, in the metric's units; got {margin}")
    if found.sem is None or found.df is None:
        return None
    if found.sem == 0:
        return 0.0 if abs(found.difference) < margin else 1.0
    return float(stdtr(found.df, (abs(found.difference) - margin) / found.sem))
