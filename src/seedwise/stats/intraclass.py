"""How much of the variance of single scores is between the columns of a table, such as the splits of the data."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sample import check_level, is_constant

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SplitShare:
    """The part of the variance of a single score that is between splits. The rest is between seeds on the same split.

    Attributes
    ----------
    share
        Between splits over all; 0 where the estimate is negative.
    interval
        At `level`; None where nothing bounds it.
    within_sd
        Standard deviation between seeds on the same split.
    """

    share: float
    interval: tuple[float, float] | None
    within_sd: float
    level: float


def share_between_splits(scores: ArrayLike, *, level: float = 0.95) -> SplitShare | None:
    """The share of the variance of single scores that is between splits.

    Parameters
    ----------
    scores
        Shape (seeds, splits), two of each or more.

    Returns
    -------
    SplitShare, or None where the scores have no spread at all.

    Raises
    ------
    ValueError
        Another shape, or a value that is not finite.

    Notes
    -----
    The intraclass correlation of single scores, ICC(A,1) of McGraw & Wong (1996, Psychological Methods 1:30), Shrout & Fleiss's
    (1979) ICC(2,1): σ²_split/(σ²_split + σ²_seed + σ²_rest), by mean squares. A seed draws other numbers on every split, so that
    most of what a seed does is in the rest: σ²_seed + σ²_rest is the variance between seeds on one split. Interval: theirs
    (Table 7), with Satterthwaite's degrees of freedom.
    """
    from scipy.special import fdtri

    x = np.asarray(scores, dtype=np.float64).T  # (splits, seeds)
    check_level(level)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise ValueError(f"scores have shape (seeds ≥ 2, splits ≥ 2), all finite; got {x.T.shape}")
    if is_constant(x.ravel()):
        return None
    n, k = x.shape
    rows, columns, mean = x.mean(axis=1), x.mean(axis=0), float(x.mean())
    between = k * float(((rows - mean) ** 2).sum()) / (n - 1)
    seeds = n * float(((columns - mean) ** 2).sum()) / (k - 1)
    rest = float(((x - rows[:, None] - columns + mean) ** 2).sum()) / ((n - 1) * (k - 1))
    of_split = (between - rest) / k
    within = max(0.0, (seeds - rest) / n) + rest
    shown = max(0.0, of_split) / (max(0.0, of_split) + within)
    whole = between + (k - 1) * rest + k * (seeds - rest) / n
    if rest <= 1e-20 * between or rest <= 0 or whole <= 0:  # nothing but rounding is left, or nothing is between splits
        return SplitShare(shown, None, math.sqrt(within), level)
    share = (between - rest) / whole
    a = k * share / (n * (1 - share))
    b = 1 + k * share * (n - 1) / (n * (1 - share))
    free = (a * seeds + b * rest) ** 2 / ((a * seeds) ** 2 / (k - 1) + (b * rest) ** 2 / ((n - 1) * (k - 1)))
    beyond = (1 + level) / 2
    f_low, f_high = float(fdtri(n - 1, free, beyond)), float(fdtri(free, n - 1, beyond))
    shared = k * seeds + (k * n - k - n) * rest
    low = n * (between - f_low * rest) / (f_low * shared + n * between)
    high = n * (f_high * between - rest) / (shared + n * f_high * between)
    return SplitShare(shown, (max(0.0, low), min(1.0, max(0.0, high))), math.sqrt(within), level)
