"""Looking after every seed: intervals that are valid at all times at once, and rules that tell when to stop."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sample import check_level, check_sample, generator, is_constant

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TimeUniform:
    """An interval of a mean that covers it at every n at once with probability `level`. So one may stop at any time."""

    mean: float
    low: float
    high: float
    n: int
    level: float
    method: str

    @property
    def half(self) -> float:
        """The number after ±."""
        return (self.high - self.low) / 2


START = 5
"""Number of scores from which on the t sequence is used, unless another is given."""


def t_sequence_half(n: int, sd: float, level: float = 0.95, start: int = START) -> float:
    """Half the width of the t confidence sequence after n normal scores of this SD (n - 1 in its denominator).

    It is infinite before `start` scores. From then on one may look after every score. A later start makes it
    narrower.

    Notes
    -----
    Lai (1976), as in Wang & Ramdas (2023), arXiv 2310.03722, Theorem 2.1. Let m = start, F and f the distribution
    function and density of t with m - 1 degrees of freedom, a the solution of 2·(1 - F(a) + a·f(a)) = α, and b = (1 +
    a²/(m - 1))^m / m. The intervals x̄ ± s·√((b·n)^(1/n) - 1), s² with n in the denominator, cover the true mean for
    all n ≥ m at once with probability 1 - α.
    """
    check_level(level)
    if n < start:
        return math.inf
    return math.sqrt((n - 1) / n) * sd * math.sqrt(math.expm1((_log_b(start, 1 - level) + math.log(n)) / n))


@cache
def _log_b(start: int, alpha: float) -> float:
    from scipy.optimize import brentq
    from scipy.stats import t

    if start < 2:
        raise ValueError(f"the sequence starts at 2 scores or later; got {start}")

    def excess(a: float) -> float:
        return 2 * (float(t.sf(a, start - 1)) + a * float(t.pdf(a, start - 1))) - alpha

    high = 2.0
    while excess(high) > 0:
        high *= 2
    a = float(brentq(excess, high / 2 if high > 2 else 1e-6, high, xtol=1e-12))
    return start * math.log1p(a**2 / (start - 1)) - math.log(start)


def t_sequence(values: ArrayLike, level: float = 0.95, start: int = START) -> TimeUniform:
    """The t confidence sequence after these scores; see `t_sequence_half`."""
    x = check_sample(values)
    check_level(level)
    mean = float(x.mean())
    sd = 0.0 if x.size < 2 or is_constant(x) else float(x.std(ddof=1))
    half = t_sequence_half(x.size, sd, level, start)
    return TimeUniform(mean, mean - half, mean + half, int(x.size), level, "t confidence sequence")


def forecast(sd: float, margin: float, level: float = 0.95, start: int = START) -> int:
    """Number of scores after which the t sequence is expected to be within ± margin, for this SD."""
    if not margin > 0:
        raise ValueError(f"a margin is above 0; got {margin}")
    if not sd > 0:
        return start
    low, high = start, start

    def enough(n: int) -> bool:
        return t_sequence_half(n, sd, level, start) <= margin

    while not enough(high):
        low, high = high, high * 2
        if high > 10_000_000:
            raise ValueError("more than ten million seeds would be needed")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


@dataclass(frozen=True)
class Stein:
    """A two-stage plan.

    After `first` scores it is known that `n` are needed. Then mean ± margin has at least the promised coverage.
    """

    n: int
    first: int
    margin: float
    level: float


def stein(first_scores: ArrayLike, margin: float, level: float = 0.95) -> Stein:
    """Stein's (1945) two-stage procedure for an interval of fixed width.

    n = max(n₀, ⌈(t(n₀ - 1)·s₀/margin)²⌉), from the first n₀ scores alone. The mean of all n scores, ± margin, covers
    with probability `level` or more for normal scores of any SD.
    """
    from scipy.special import stdtrit

    x = check_sample(first_scores, "the first stage", at_least=2)
    check_level(level)
    if not margin > 0:
        raise ValueError(f"a margin is above 0; got {margin}")
    sd = 0.0 if is_constant(x) else float(x.std(ddof=1))
    needed = math.ceil((float(stdtrit(x.size - 1, (1 + level) / 2)) * sd / margin) ** 2 - 1e-9)
    return Stein(max(int(x.size), needed), int(x.size), margin, level)


def betting_sequence(
    values: ArrayLike, bounds: tuple[float, float], level: float = 0.95, grid: int = 2000
) -> TimeUniform:
    """A sequence for scores that lie within declared bounds. Their distribution does not matter.

    Hedged capital of Waudby-Smith & Ramdas (2024), arXiv 2010.09686. For each candidate mean m, one gambler bets that
    scores lie above m, and another that they lie below. The stakes λₜ = √(2·log(2/α)/(σ̂²ₜ₋₁·t·log(1 + t))), at most
    half of what may be staked, are set before the score is seen. So each capital is a nonnegative martingale if m is
    the mean. The interval keeps those m for which the larger of the two halves of the capital is below 1/α.

    Raises
    ------
    ValueError
        A score is outside the bounds.
    """
    x = check_sample(values)
    check_level(level)
    low, high = float(bounds[0]), float(bounds[1])
    if not (low < high and math.isfinite(low) and math.isfinite(high)) or x.min() < low or x.max() > high:
        raise ValueError(
            f"scores must lie within the declared bounds {low:g} … {high:g}; got {x.min():g} … {x.max():g}"
        )
    y = (x - low) / (high - low)
    alpha = 1 - level
    times = np.arange(1, y.size + 1)
    means = (0.5 + np.cumsum(y)) / (times + 1)
    spread = (0.25 + np.cumsum((y - means) ** 2)) / (times + 1)
    before = np.concatenate([[0.25], spread[:-1]])
    stake = np.sqrt(2 * math.log(2 / alpha) / (before * times * np.log(1 + times)))
    m = (np.arange(grid + 1) / grid)[:, None]
    with np.errstate(divide="ignore"):
        up = np.minimum(stake, 0.5 / m)
        down = np.minimum(stake, 0.5 / (1 - m))
    up[0], down[-1] = stake, stake  # at 0 and at 1 nothing can be lost on that side
    rise = np.log1p(up * (y - m)).sum(axis=1)
    fall = np.log1p(-down * (y - m)).sum(axis=1)
    rise[-1], fall[0] = min(rise[-1], 0.0), min(fall[0], 0.0)
    stays = np.flatnonzero(np.maximum(rise, fall) - math.log(2) < -math.log(alpha))
    scale = high - low
    ends = (max(0, stays[0] - 1) / grid, min(grid, stays[-1] + 1) / grid) if stays.size else (0.0, 1.0)
    return TimeUniform(
        float(x.mean()), low + scale * ends[0], low + scale * ends[1], int(x.size), level, "betting sequence"
    )


def p_at_any_time(t: float, n: int, start: int) -> float:
    """One-sided p of Student's t of n scores, valid at whichever of the looks after `start`, `start` + 1, … one stops.

    If the mean is not above the number that t refers to, p ≤ α happens at any look at all with probability α or less, for
    normal scores of any SD. There is no largest number of looks.

    Notes
    -----
    The argument of Lai (1976) and of Wang & Ramdas (2023), arXiv 2310.03722, Theorem 2.1, made one-sided. The effect has a
    flat prior on (0, ∞) instead of the whole line, and the SD has its invariant prior. Their mixture of likelihood ratios is

        Eₙ(t) = √(2π/n)·(1 + t²/(n - 1))^(n/2)·Fₙ(t·√(n/(n - 1))),

    with Fₙ and fₙ of Student's t with n degrees of freedom. From m = start on it is a martingale if the mean equals the
    number, and grows with t. So, by the extended Ville inequality, P(Eₙ ≥ c at any n ≥ m) ≤ P(Eₘ ≥ c) + E[Eₘ; Eₘ < c]/c.
    Let Eₘ(a) = c; then the right side is

        1 - Fₘ₋₁(a) + fₘ₋₁(a)·(a + r·fₘ(u)·(m + u²)/((m - 1)·Fₘ(u))),  r = √((m - 1)/m), u = a/r.
    """
    from scipy.optimize import brentq

    if not 2 <= start <= n:
        raise ValueError(f"looks go from a number of scores, at least 2, to a later one; got {start} … {n}")
    reached = _log_mixture(t, n)
    low, high = -1.0, 1.0
    while _log_mixture(low, start) > reached:
        low *= 2
        if low < -1e6:
            return 1.0
    while _log_mixture(high, start) < reached:
        high *= 2
        if high > 1e150:
            return _chance_of_reaching(1e150, start)
    a = float(brentq(lambda a: _log_mixture(a, start) - reached, low, high, xtol=1e-12))
    return min(1.0, _chance_of_reaching(a, start))


def _log_mixture(t: float, n: int) -> float:
    """log Eₙ(t) of `p_at_any_time`."""
    from scipy.special import stdtr

    side = float(stdtr(n, t * math.sqrt(n / (n - 1))))
    if side == 0:
        return -math.inf
    return math.log(2 * math.pi / n) / 2 + n * math.log(math.hypot(1, t / math.sqrt(n - 1))) + math.log(side)


def _chance_of_reaching(a: float, m: int) -> float:
    """Bound of the chance that Eₙ ever reaches Eₘ(a), from n = m on."""
    from scipy.stats import t

    r = math.sqrt((m - 1) / m)
    u = a / r
    rest = r * float(t.pdf(u, m)) * (m + u**2) / ((m - 1) * float(t.cdf(u, m)))
    return float(t.sf(a, m - 1)) + float(t.pdf(a, m - 1)) * (a + rest)


def error_when_looking(
    p: float,
    looks: tuple[int, int],
    *,
    two_sided: bool = False,
    repeats: int = 20_000,
    rng: np.random.Generator | int | None = None,
) -> float:
    """How often a t test of pure noise gives `p` or less in at least one look.

    There is a look after each score, from the first of `looks` to the last. The last must be fixed beforehand: the number of
    looks at which one happened to stop is too small.

    It is simulated with normal scores. For example, the rule p < .01 with a look after each score from 3 to 40 has an
    error of about .07.
    """
    from scipy.special import stdtrit

    first, last = looks
    if not 2 <= first <= last:
        raise ValueError(f"looks go from a number of scores, at least 2, to a later one; got {first} … {last}")
    rng, hits = generator(rng), 0
    times = np.arange(1, last + 1)
    cut = stdtrit(np.maximum(times - 1, 1), 1 - (p / 2 if two_sided else p))
    size = max(1, 2_000_000 // last)
    for start in range(0, repeats, size):
        x = rng.standard_normal((min(size, repeats - start), last))
        total, squares = np.cumsum(x, axis=1), np.cumsum(x**2, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = (squares - total**2 / times) / (times - 1)
            t = total / np.sqrt(times * variance)
        t = np.abs(t) if two_sided else t
        hits += int((t >= cut)[:, first - 1 :].any(axis=1).sum())
    return hits / repeats
