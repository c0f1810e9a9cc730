"""Cross-validation under several seeds. Folds share their training data, so their scores are not independent."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .intraclass import SplitShare, share_between_splits
from .sample import check_level

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CrossValidated:
    """Mean over splits with the corrected interval, and the spread between folds separate from the spread between
    seeds.

    `fold_sd` and `seed_sd` are standard deviations from the two-way random-effects analysis. They are None for a
    single seed, and where each seed has folds of its own. `seed_sd` is what a seed does alike on every fold, which is
    little; what seeds do on one and the same fold is in `split`.
    """

    mean: float
    low: float
    high: float
    level: float
    p_value: float | None
    """None where nothing is known of the spread."""
    df: int
    splits: int
    seeds: int
    fold_sd: float | None
    seed_sd: float | None
    split: SplitShare | None = None
    """How much of the variance of single scores is the split; None where `fold_sd` is, or without any spread."""


def corrected_resampled_t(
    scores: ArrayLike,
    *,
    test_share: float | None = None,
    n_train: int | None = None,
    n_test: int | None = None,
    level: float = 0.95,
    reshuffled: bool = False,
) -> CrossValidated:
    """Nadeau & Bengio's (2003) corrected resampled t, of scores or of differences.

    Parameters
    ----------
    scores
        Shape (splits,) or (seeds, splits). Seeds are averaged within a split first: J counts splits. With `reshuffled`, J
        counts all scores.
    test_share
        n_test / n_train. Without it and without the sizes: 1/(k - 1), as for k folds.
    n_train, n_test
        The two sizes, instead of `test_share`.
    reshuffled
        Whether each seed has splits of its own, as in repeated k-fold cross-validation (Bouckaert & Frank 2004, PAKDD).

    Raises
    ------
    ValueError
        There is only one split (which says nothing about spread), or a value is wrong.

    Notes
    -----
    t = mean/√(s²·(1/J + n_test/n_train)), df = J - 1.
    """
    from scipy.special import stdtr, stdtrit

    from .components import crossed_components

    x = np.asarray(scores, dtype=np.float64)
    x = x[None] if x.ndim == 1 else x
    if x.ndim != 2 or not np.isfinite(x).all():
        raise ValueError(f"scores have shape (splits,) or (seeds, splits), all finite; got {x.shape}")
    check_level(level)
    seeds, splits = x.shape
    if splits < 2:
        raise ValueError("one split says nothing about spread: give the scores of two folds or more")
    if (n_train is None) != (n_test is None):
        raise ValueError("give both n_train and n_test, or test_share")
    if n_train is not None and n_test is not None:
        test_share = n_test / n_train
    share = 1 / (splits - 1) if test_share is None else test_share
    if not share > 0:
        raise ValueError(f"n_test / n_train is above 0; got {share}")
    means = x.ravel() if reshuffled else x.mean(axis=0)
    mean, count = float(means.mean()), means.size
    variance = 0.0 if np.ptp(means) == 0 else float(means.var(ddof=1))
    sem = math.sqrt(variance * (1 / count + share))
    half = float(stdtrit(count - 1, (1 + level) / 2)) * sem
    p = 2 * float(stdtr(count - 1, -abs(mean) / sem)) if sem > 0 else None
    fold_sd = seed_sd = split = None
    if seeds > 1 and not reshuffled:
        parts = crossed_components(x, ("seed", "fold"))
        fold_sd, seed_sd = (math.sqrt(parts[name].truncated) for name in ("fold", "seed"))
        split = share_between_splits(x, level=level)
    return CrossValidated(mean, mean - half, mean + half, level, p, count - 1, splits, seeds, fold_sd, seed_sd, split)
