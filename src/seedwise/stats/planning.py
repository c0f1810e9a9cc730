"""How many seeds: power, sample size and the smallest effect, by the noncentral t and by Noether's formula."""

import math
from collections.abc import Callable
from enum import StrEnum

from .sample import check_level

_MOST = 10_000_000


class Design(StrEnum):
    """What is compared with what."""

    TWO = "two"
    """Two groups with n seeds each."""
    PAIRED = "paired"
    """Differences under the same seeds. `sd` is the SD of the differences."""
    ONE = "one"
    """One group against a number."""


def power(
    effect: float,
    sd: float,
    n: int,
    *,
    alpha: float = 0.05,
    design: Design | str = Design.TWO,
    sd_base: float | None = None,
    two_sided: bool = True,
) -> float:
    """Probability that n seeds (each, with two groups) show a true effect.

    Parameters
    ----------
    effect, sd
        In the metric's units: the true difference, and the SD between seeds.
    sd_base
        The SD of the other group, if it is different (Welch).

    Raises
    ------
    ValueError
        The SD is not above 0, the effect is not finite, or alpha is not between 0 and 1.

    Notes
    -----
    The t statistic has a noncentral t distribution with noncentrality effect / (sd·√(2/n)). Both tails count (Cohen
    1988; statsmodels' TTestIndPower agrees). Some helpers use a central t that is shifted by the effect; its error is
    up to .13 at small n.
    """
    from scipy.stats import nct, norm, t

    _check(sd, alpha)
    if not math.isfinite(effect):
        raise ValueError(f"an effect is a finite number; got {effect}")
    design = Design(design)
    if n < 2:
        return 0.0
    a = sd**2 / n
    b = 0.0 if design is not Design.TWO else (sd if sd_base is None else sd_base) ** 2 / n
    df = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (n - 1)) if design is Design.TWO else n - 1
    shift = abs(effect) / math.sqrt(a + b)
    cut = float(t.isf(alpha / 2 if two_sided else alpha, df))
    reached = float(nct.sf(cut, df, shift))
    if math.isnan(reached):  # far beyond the cut SciPy's function returns NaN
        reached = float(norm.sf((cut - shift) / math.sqrt(1 + cut**2 / (2 * df))))
    other = float(nct.cdf(-cut, df, shift)) if two_sided else 0.0
    return min(1.0, reached + (0.0 if math.isnan(other) else other))


def seeds_for(
    effect: float,
    sd: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    design: Design | str = Design.TWO,
    sd_base: float | None = None,
    two_sided: bool = True,
) -> int:
    """The smallest number of seeds (each, with two groups) that shows a true effect with this power.

    Raises ValueError for an effect of 0, and if more than ten million would be needed.
    """
    if effect == 0:
        raise ValueError("an effect of 0 cannot be shown with any number of seeds")
    _check(sd, alpha)
    check_level(power)

    def enough(n: int) -> bool:
        return reached(effect, sd, n, alpha=alpha, design=design, sd_base=sd_base, two_sided=two_sided) >= power

    from scipy.special import ndtri

    z = float(ndtri(1 - (alpha / 2 if two_sided else alpha))) + float(ndtri(power))
    other = 0.0 if Design(design) is not Design.TWO else sd if sd_base is None else sd_base
    return _fewest(enough, z / effect * z / effect * (sd**2 + other**2) + 1)


reached = power


def detectable(
    sd: float,
    n: int,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    design: Design | str = Design.TWO,
    sd_base: float | None = None,
    two_sided: bool = True,
) -> float:
    """The smallest true effect that n seeds (each) show with this power, in the units of `sd`."""
    from scipy.optimize import brentq

    _check(sd, alpha)
    if n < 2:
        raise ValueError(f"an effect can be shown from two seeds on; got {n}")
    scale = math.hypot(sd, sd if sd_base is None else sd_base) / math.sqrt(n)

    def short(effect: float) -> float:
        return reached(effect, sd, n, alpha=alpha, design=design, sd_base=sd_base, two_sided=two_sided) - power

    high = scale
    while short(high) < 0:
        high *= 2
    return float(brentq(short, 0.0, high, xtol=1e-12 * high))


def seeds_for_margin(sd: float, margin: float, level: float = 0.95) -> int:
    """The smallest number of seeds whose t interval is expected to be within ± margin: t(n - 1)·sd/√n ≤ margin."""
    from scipy.special import stdtrit

    _check(sd, 1 - check_level(level))
    if not margin > 0:
        raise ValueError(f"a margin is above 0; got {margin}")
    return _fewest(lambda n: float(stdtrit(n - 1, (1 + level) / 2)) * sd / math.sqrt(n) <= margin)


def margin_with_held(moving: float, held: float, n: int, level: float = 0.95) -> float:
    """The margin of a mean of n runs, where a part of the variance is drawn once for all of them.

    √(t(n - 1)²·moving/n + z²·held): `moving` is the variance that each run draws anew, `held` the variance of what is
    the same in all runs; n is 2 or more. The variance is that of Bouthillier et al. (2021), eq. 7 and 8.
    """
    from scipy.special import ndtri, stdtrit

    check_level(level)
    t, z = float(stdtrit(n - 1, (1 + level) / 2)), float(ndtri((1 + level) / 2))
    return math.sqrt(t**2 * moving / n + z**2 * held)


def runs_for_margin(moving: float, held: float, margin: float, level: float = 0.95) -> int | None:
    """The smallest number of runs whose margin, as `margin_with_held` gives it, is at most this. None if no number does."""
    from scipy.special import ndtri

    check_level(level)
    if not margin > 0:
        raise ValueError(f"a margin is above 0; got {margin}")
    stays = float(ndtri((1 + level) / 2)) * math.sqrt(held)
    if stays > margin or (stays == margin and moving > 0):
        return None
    if margin_with_held(moving, held, _MOST, level) > margin:
        return None
    return _fewest(lambda n: margin_with_held(moving, held, n, level) <= margin)


def seeds_for_superiority(
    probability: float, *, power: float = 0.95, alpha: float = 0.05, paired: bool = False, two_sided: bool = False
) -> int:
    """Number of seeds that shows that P(new > base) is above ½, if its true value is `probability`.

    Unpaired, for each group, Noether (1987): (z₁₋α + z_power)² / (6·(P - ½)²), which is 29 at P = .75 and α = β =
    .05. Paired: the smallest number of pairs from which on the exact sign test always has this power.
    """
    from scipy.special import ndtri

    check_level(power)
    check_level(1 - alpha)
    if not 0.5 < probability < 1:
        raise ValueError(f"the probability that new wins is between 0.5 and 1; got {probability}")
    tail = alpha / 2 if two_sided else alpha
    if not paired:
        z = float(ndtri(1 - tail)) + float(ndtri(power))
        return math.ceil(z**2 / (6 * (probability - 0.5) ** 2) - 1e-9)
    from scipy.stats import binom

    def enough(n: int) -> bool:
        cut = int(binom.isf(tail, n, 0.5)) + 1  # wins that are needed: P(X ≥ cut) ≤ tail
        return float(binom.sf(cut - 1, n, probability)) >= power

    n, since = 1, 2  # the power of a discrete test goes up and down: find the n from which on it is never below again
    while n < 2 * since + 50:
        n += 1
        if not enough(n):
            since = n + 1
        if n > _MOST // 100:
            raise ValueError("more than a hundred thousand pairs would be needed")
    return since


def _check(sd: float, alpha: float) -> None:
    if not (sd > 0 and math.isfinite(sd)):
        raise ValueError(f"sd is a number above 0; got {sd}")
    check_level(1 - alpha)


def _fewest(enough: Callable[[int], bool], guess: float = 2) -> int:
    """The smallest number from 2 on that is enough, as all larger ones then are. It looks near the guess first."""
    high, step = int(min(max(2.0, guess), float(_MOST))), 1
    low = 1
    if enough(high):
        while high > 2:
            tried = max(2, high - step)
            if not enough(tried):
                low = tried
                break
            high, step = tried, 2 * step
    else:
        low = high
        while not enough(high := min(low + step, _MOST)):
            if high == _MOST:
                raise ValueError("more than ten million seeds would be needed")
            low, step = high, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
