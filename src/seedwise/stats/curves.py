"""Curves of several runs at the same steps: their mean with its interval, their quantiles, and how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sample import check_level
from .student import t_quantile

Array = NDArray[np.float64]
RIBBONS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The quantiles of a ribbon: its outer band, its inner band, the median."""


@dataclass(frozen=True)
class Aligned:
    """The values of several runs at common steps: shape (runs, steps), NaN where a run has none, infinity where its value
    is no number.

    `interpolated` says that runs were logged at different steps, so that each was interpolated between its own.
    `kept_every` is 1 if every step stands here, else about how many steps there are for each that does.
    """

    steps: Array
    values: Array
    interpolated: bool = False
    kept_every: float = 1.0


def align(runs: Sequence[tuple[ArrayLike, ArrayLike]], most: int = 200) -> Aligned:
    """Put several curves on common steps.

    A step is common if at least half of the runs have it that go on at that step. Where most steps are not common, the
    steps are `most` equally distant ones at the most, and each run is interpolated linearly, inside its own ends alone.

    Parameters
    ----------
    runs
        (steps, values) of each run, both of the same length. Of a step that a run has twice, the later value counts.
    most
        At most so many steps, equally far apart in their order; the first and the last are always kept.

    Raises
    ------
    ValueError
        There are no runs, or a run has no values.
    """
    curves = [_curve(steps, values) for steps, values in runs]
    if not curves:
        raise ValueError("no runs: a curve takes one at least")
    first = curves[0][0]
    if all(len(steps) == len(first) and np.array_equal(steps, first) for steps, _ in curves):
        return _thinned(first, np.stack([values for _, values in curves]), most)
    steps, counts = np.unique(np.concatenate([steps for steps, _ in curves]), return_counts=True)
    starts = np.sort([steps[0] for steps, _ in curves])
    ends = np.sort([steps[-1] for steps, _ in curves])
    going = np.searchsorted(starts, steps, side="right") - np.searchsorted(ends, steps, side="left")
    common = steps[2 * counts >= going]
    typical = float(np.median([len(steps) for steps, _ in curves]))
    if 2 * np.isin(np.concatenate([steps for steps, _ in curves]), common).sum() < typical * len(curves):
        common = np.linspace(steps[0], steps[-1], int(min(most, max(2, typical))))
        table = np.stack([np.interp(common, s, v, left=np.nan, right=np.nan) for s, v in curves])
        inside = np.stack([(s[0] <= common) & (common <= s[-1]) for s, _ in curves])
        return Aligned(common, np.where(inside & np.isnan(table), np.inf, table), interpolated=True)
    table = np.full((len(curves), len(common)), np.nan)
    for row, (s, v) in zip(table, curves, strict=True):
        there = np.isin(s, common)
        row[np.searchsorted(common, s[there])] = v[there]
    return _thinned(common, table, most)


def _curve(steps: ArrayLike, values: ArrayLike) -> tuple[Array, Array]:
    s, v = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if s.ndim != 1 or s.shape != v.shape or not s.size:
        raise ValueError(f"a curve has as many values as steps, one at least; got {v.shape} and {s.shape}")
    v = np.where(np.isfinite(v), v, np.inf)
    if (np.diff(s) > 0).all():
        return s, v
    distinct, last = np.unique(s[::-1], return_index=True)
    return distinct, v[::-1][last]


def _thinned(steps: Array, table: Array, most: int) -> Aligned:
    if len(steps) <= most:
        return Aligned(steps, table)
    kept = np.unique(np.rint(np.linspace(0, len(steps) - 1, most)).astype(np.intp))
    return Aligned(steps[kept], table[:, kept], kept_every=len(steps) / len(kept))


@dataclass(frozen=True)
class MeanCurve:
    """The mean of the runs at each step, with its t interval and quantiles. Shapes (steps,); `quantiles` (5, steps).

    NaN where they are not given: where fewer than half of the runs have the step, so that a mean would jump each time
    a run ends, or where one of them is NaN or infinite there; the interval also where there is one run.
    """

    steps: Array
    n: NDArray[np.int64]
    mean: Array
    low: Array
    high: Array
    quantiles: Array
    level: float
    runs: int


def mean_curve(aligned: Aligned, level: float = 0.95) -> MeanCurve:
    """Mean, t interval and the quantiles `RIBBONS` at each step."""
    check_level(level)
    x = aligned.values
    there = ~np.isnan(x)
    n = there.sum(axis=0)
    whole = np.where(np.isinf(x), np.nan, x)
    known = (2 * n >= len(x)) & ~np.isinf(x).any(axis=0)
    filled = np.where(there, whole, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, filled.sum(axis=0) / n, np.nan)
        squares = np.where(there, (whole - mean) ** 2, 0.0).sum(axis=0)
        sd = np.sqrt(squares / (n - 1))
        t = np.array([t_quantile(level, int(k) - 1) if k > 1 else np.nan for k in np.unique(n)])
        half = t[np.searchsorted(np.unique(n), n)] * sd / np.sqrt(n)
    quantiles = np.full((len(RIBBONS), len(n)), np.nan)
    if known.any():
        quantiles[:, known] = np.nanquantile(whole[:, known], RIBBONS, axis=0)
    return MeanCurve(aligned.steps, n, mean, mean - half, mean + half, quantiles, level, len(x))
