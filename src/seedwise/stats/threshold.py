"""Is the mean beyond a given number? Leaderboards ask this."""

import math
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .planning import Design, seeds_for
from .sample import check_sample, is_constant
from .sequential import error_when_looking, p_at_any_time


@dataclass(frozen=True)
class ThresholdTest:
    """One-sided t test of a mean against a number.

    `needed` is the number of seeds that would settle the question with power .8, if mean and SD stay as they are. It
    is None where the mean lies on the wrong side, or so near that ten million seeds would not be enough. `p_looked`
    holds although one looked after each seed since `looked_from` and stopped when one liked, at `looked_to` at the latest
    (None: there was no latest); it is None if there were no looks. There is no p for one score, or for scores that do not vary
    at all: rounding may have hidden their spread, or they are copies of one run.
    """

    mean: float
    sd: float | None
    n: int
    threshold: float
    below: bool
    p_value: float | None
    alpha: float
    settled: bool
    needed: int | None
    p_looked: float | None = None
    looked_from: int | None = None
    looked_to: int | None = None


_MOST_LOOKS = 10_000


def against_threshold(
    values: ArrayLike,
    threshold: float,
    *,
    below: bool,
    alpha: float = 0.01,
    looked_from: int | None = None,
    looked_to: int | None = None,
    rng: np.random.Generator | int | None = None,
) -> ThresholdTest:
    """Test `mean ≤ threshold` (`below`) or `mean ≥ threshold`, one-sided, by Student's t.

    Parameters
    ----------
    looked_from
        The number of seeds at the first look, if runs were added after looking. Then `p_looked` decides. It holds for the
        rule "add seeds one by one until it is below alpha", with no largest number of seeds (`p_at_any_time`).
    looked_to
        The largest number of seeds, if it was fixed before the first look. Then `p_looked` is the chance that pure noise
        gives a p as small at any look from the first to this number (Pocock 1977: the same p at every look). It is smaller
        than without a largest number.

    Raises
    ------
    ValueError
        There are more seeds than `looked_to`, or fewer than `looked_from`; or a number is out of range.
    """
    from scipy.special import stdtr

    x = check_sample(values)
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is between 0 and 0.5; got {alpha}")
    if not math.isfinite(threshold):
        raise ValueError(f"a threshold is a finite number; got {threshold}")
    _check_looks(x.size, looked_from, looked_to)
    mean = float(x.mean())
    distance = (mean - threshold) if below else (threshold - mean)
    if x.size < 2 or is_constant(x):
        sd = None if x.size < 2 else 0.0
        return ThresholdTest(mean, sd, int(x.size), threshold, below, None, alpha, False, None)
    sd = float(x.std(ddof=1))
    p = float(stdtr(x.size - 1, distance * math.sqrt(x.size) / sd))
    needed = None
    if distance < 0:
        with suppress(ValueError):  # more than ten million
            needed = seeds_for(-distance, sd, alpha=alpha, design=Design.ONE, two_sided=False)
    looked = None
    if looked_from is not None:
        t = -distance * math.sqrt(x.size) / sd
        looked = max(p, _when_looking(p, t, int(x.size), looked_from, looked_to, rng))
    settled = (p if looked is None else looked) < alpha
    return ThresholdTest(
        mean, sd, int(x.size), threshold, below, p, alpha, settled, needed, looked, looked_from, looked_to
    )


def _check_looks(n: int, first: int | None, last: int | None) -> None:
    if first is None:
        if last is not None:
            raise ValueError("the largest number of seeds is for looks: say at how many the first one was, too")
        return
    if first < 2:
        raise ValueError(f"a first look needs at least 2 seeds; got {first}")
    if first > n:
        raise ValueError(f"the first look is later than now: at {first} seeds, and there are {n}")
    if last is not None and not n <= last <= _MOST_LOOKS:
        raise ValueError(
            f"there are {n} seeds, more than the largest number that was planned, {last}: without a plan that was kept, leave it out"
            if last < n
            else f"the largest number of seeds is at most {_MOST_LOOKS}; got {last}: leave it out for looks without an end"
        )


def _when_looking(
    p: float, t: float, n: int, first: int, last: int | None, rng: np.random.Generator | int | None
) -> float:
    """The p that holds in spite of the looks."""
    if last is None:
        return p_at_any_time(t, n, first)
    repeats = 20_000
    hits = round(repeats * error_when_looking(p, (first, last), repeats=repeats, rng=rng))
    return min(p * (last - first + 1), (hits + 1) / (repeats + 1))
