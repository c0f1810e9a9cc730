"""Is the mean beyond a given number? Leaderboards ask this."""

import math
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .planning import Design, seeds_for
from .sample import check_sample, is_constant
from .sequential import error_when_looking


@dataclass(frozen=True)
class ThresholdTest:
    """One-sided t test of a mean against a number.

    `needed` is the number of seeds that would settle the question with power .8, if mean and SD stay as they are. It
    is None where the mean lies on the wrong side, or so near that ten million seeds would not be enough. `p_looked`
    is the error with this p of all looks together, one after each seed since `looked_from`; None if there were no
    looks.
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


def against_threshold(
    values: ArrayLike,
    threshold: float,
    *,
    below: bool,
    alpha: float = 0.01,
    looked_from: int | None = None,
    rng: np.random.Generator | int | None = None,
) -> ThresholdTest:
    """Test `mean ≤ threshold` (`below`) or `mean ≥ threshold`, one-sided, by Student's t.

    Parameters
    ----------
    looked_from
        The number of seeds at the first look, if runs were added after looking. Then p is also given for all looks
        together.
    """
    from scipy.special import stdtr

    x = check_sample(values)
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is between 0 and 0.5; got {alpha}")
    if not math.isfinite(threshold):
        raise ValueError(f"a threshold is a finite number; got {threshold}")
    mean = float(x.mean())
    distance = (mean - threshold) if below else (threshold - mean)
    if x.size < 2:
        return ThresholdTest(mean, None, 1, threshold, below, None, alpha, False, None)
    sd = 0.0 if is_constant(x) else float(x.std(ddof=1))
    p = float(stdtr(x.size - 1, distance * math.sqrt(x.size) / sd)) if sd else float(distance >= 0)
    needed = None
    if distance < 0:
        with suppress(ValueError):  # more than ten million
            needed = 2 if sd == 0 else seeds_for(-distance, sd, alpha=alpha, design=Design.ONE, two_sided=False)
    looked = None
    if looked_from is not None and 0 < p < 1:
        looked = max(p, error_when_looking(p, (looked_from, int(x.size)), rng=rng))
    settled = (p if looked is None else looked) < alpha
    return ThresholdTest(mean, sd, int(x.size), threshold, below, p, alpha, settled, needed, looked, looked_from)
