"""Ensembles of runs: how good the combination of m runs is, for every m, and how the spread shrinks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import comb, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .sample import check_level, generator, is_constant
from .student import t_quantile

Array = NDArray[np.float64]
_MOST, _FEWEST = 1000, 200
"""So many ensembles of one size are formed; where there are fewer, all of them."""
_WORK = 20_000_000
"""So many numbers are combined for one size, if that takes `_FEWEST` ensembles or more."""
_ELEMENTS = 4_000_000
"""Numbers in memory at a time."""
_SHOWN = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000)


class Combination(StrEnum):
    """How the members of an ensemble are combined."""

    AVERAGE = "average"
    VOTE = "vote"


@dataclass(frozen=True)
class EnsembleSize:
    """Ensembles of `size` runs.

    Attributes
    ----------
    mean, interval
        Expected score of such an ensemble, with its interval over runs on these test examples.
    sd
        Standard deviation of the score between independent ensembles of this size; None if the runs make no two.
    gain, gain_interval
        Mean score minus that of single runs, with its interval over runs and test examples.
    """

    size: int
    mean: float
    interval: tuple[float, float] | None
    sd: float | None
    gain: float
    gain_interval: tuple[float, float] | None


@dataclass(frozen=True)
class EnsembleCurve:
    """Score against size, for one way to combine runs; the first size is 1: single runs."""

    combination: Combination
    sizes: tuple[EnsembleSize, ...]
    level: float


def curve_of_classes(
    support: ArrayLike,
    targets: ArrayLike,
    combination: Combination,
    *,
    level: float = 0.95,
    rng: np.random.Generator | int | None = None,
) -> EnsembleCurve:
    """Accuracy of ensembles of classifiers, by size.

    Parameters
    ----------
    support
        Shape (runs, examples, classes): what each run gives to each class. Probabilities give the average (Lakshminarayanan
        et al. 2017, eq. of section 2.4); 1 for the predicted class and 0 elsewhere gives the plurality vote. Where k
        classes have the most support, the true one among them counts as 1/k right: a tie is broken by lot.
    targets
        Shape (examples,): numbers of the true classes.

    Returns
    -------
    EnsembleCurve
        See `_curve` for how each number is estimated.

    Raises
    ------
    ValueError
        Other shapes, fewer than two runs, or a target that is no class.
    """
    x = np.asarray(support, dtype=np.float64)
    y = np.asarray(targets)
    if x.ndim != 3 or min(x.shape[:2]) < 2 or y.shape != x.shape[1:2]:
        raise ValueError(
            f"an ensemble takes (runs ≥ 2, examples ≥ 2, classes) and a target for each example; got {x.shape} and {y.shape}"
        )
    if y.size and not ((y >= 0) & (y < x.shape[2])).all():
        raise ValueError(f"targets are numbers of classes, 0 to {x.shape[2] - 1}")

    by_class = np.ascontiguousarray(np.moveaxis(x, 2, 0))
    of_true = np.take_along_axis(x, y.astype(np.intp)[None, :, None], axis=2)[..., 0]

    def score(weights: Array) -> Array:
        combined = weights @ by_class  # classes, ensembles, examples
        top = combined.max(axis=0) - 1e-12
        found: Array = np.where(weights @ of_true >= top, 1 / (combined >= top).sum(axis=0), 0.0)
        return found

    return _curve(score, x.shape[0], x.shape[1], x.shape[2], combination, level, rng)


def curve_of_values(
    values: ArrayLike, targets: ArrayLike, *, level: float = 0.95, rng: np.random.Generator | int | None = None
) -> EnsembleCurve:
    """Mean squared error of averages of predicted values, by size, in squared units of the target.

    Parameters
    ----------
    values
        Shape (runs, examples) or (runs, examples, outputs).
    targets
        Shape (examples,) or (examples, outputs).

    Notes
    -----
    The error of the average of m independent runs is bias² + noise + variance/m (Ueda & Nakano 1996).

    Raises
    ------
    ValueError
        Other shapes, or fewer than two runs or examples.
    """
    x, y = np.asarray(values, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if x.ndim < 2 or min(x.shape[:2]) < 2 or y.shape != x.shape[1:]:
        raise ValueError(
            f"an ensemble takes (runs ≥ 2, examples ≥ 2) and a target for each value; got {x.shape} and {y.shape}"
        )
    flat, wanted = x.reshape(*x.shape[:2], -1), y.reshape(y.shape[0], -1)

    def score(weights: Array) -> Array:
        found: Array = ((np.tensordot(weights, flat, axes=1) - wanted) ** 2).mean(axis=2)
        return found

    return _curve(score, x.shape[0], x.shape[1], flat.shape[2], Combination.AVERAGE, level, rng)


Score = Callable[[Array], Array]
"""Weights of the runs, shape (ensembles, runs) → score of each ensemble on each example, shape (ensembles, examples)."""


def _curve(
    score: Score,
    runs: int,
    examples: int,
    outputs: int,
    combination: Combination,
    level: float,
    rng: np.random.Generator | int | None,
) -> EnsembleCurve:
    """The curve, for any score that is a mean over examples.

    Mean: a U-statistic, the mean over all ensembles that the runs make, or over 200 to 1,000 of them. Its interval: the
    jackknife over runs (Arvesen 1969, Ann. Math. Stat. 40:2076) with Student's t, up to half of the runs; beyond, ensembles
    share so many members that it is not known. That of the gain adds the variance over test examples: where both are
    samples, the sum is a little too wide, never too narrow (Owen 2007, Ann. Appl. Stat. 1:386). SD: half the mean squared
    difference of two ensembles with no member in common, which is unbiased; it takes twice as many runs as members.
    """
    check_level(level)
    draw = generator(rng)
    at_once = max(1, _ELEMENTS // (examples * outputs))
    most = min(_MOST, max(_FEWEST, _WORK // (examples * outputs)))
    t = t_quantile(level, runs - 1)

    def scored(members: NDArray[np.intp]) -> tuple[Array, Array]:
        """Score of each ensemble, shape (ensembles,), and of each example over all of them, shape (examples,)."""
        of_ensemble, of_example = np.empty(len(members)), np.zeros(examples)
        for start in range(0, len(members), at_once):
            part = members[start : start + at_once]
            weights = np.zeros((len(part), runs))
            np.put_along_axis(weights, part, 1 / members.shape[1], axis=1)
            found = score(weights)
            of_ensemble[start : start + at_once] = found.mean(axis=1)
            of_example += found.sum(axis=0)
        return of_ensemble, of_example / len(members)

    single, single_examples = scored(np.arange(runs)[:, None])
    without_single = (single.sum() - single) / (runs - 1)
    sizes = []
    for size in _sizes(runs):
        members = _ensembles(runs, size, most, draw)
        of_ensemble, of_example = scored(members)
        mean = float(of_ensemble.mean())
        interval = gain_interval = None
        gain = float(_less(np.array(mean), single.mean()))
        if size <= runs // 2:
            without = _without_each(of_ensemble, members, runs)
            half = t * sqrt(_jackknife(without))
            interval = (mean - half, mean + half)
            if size > 1:
                over_examples = float(_less(of_example, single_examples).var(ddof=1)) / examples
                half = t * sqrt(_jackknife(_less(without, without_single)) + over_examples)
                gain_interval = (gain - half, gain + half)
        sd = _sd(size, runs, single, lambda chosen: scored(chosen)[0], most, draw)
        sizes.append(EnsembleSize(size, mean, interval, sd, gain, gain_interval))
    return EnsembleCurve(combination, tuple(sizes), level)


def _sizes(runs: int) -> Iterator[int]:
    yield from (size for size in _SHOWN if size < runs)
    yield runs


def _ensembles(runs: int, size: int, most: int, draw: np.random.Generator) -> NDArray[np.intp]:
    """Members of each ensemble, shape (ensembles, size): all there are, or `most` drawn at random.

    Those drawn are cut from shuffled rows of all runs, so that every run is in nearly as many of them.
    """
    if comb(runs, size) <= most:
        return np.array(list(combinations(range(runs), size)), dtype=np.intp)
    each = runs // size
    rows = np.argsort(draw.random((-(-most // each), runs)), axis=1)
    return rows[:, : each * size].reshape(-1, size)[:most]


def _without_each(of_ensemble: Array, members: NDArray[np.intp], runs: int) -> Array:
    """The mean over ensembles that do not have the k-th run, shape (runs,)."""
    inside = np.zeros((len(members), runs))
    np.put_along_axis(inside, members, 1.0, axis=1)
    outside = 1 - inside
    found: Array = (of_ensemble @ outside) / outside.sum(axis=0)
    return found


def _less(a: Array, b: ArrayLike) -> Array:
    """a - b, and 0 where only rounding is left."""
    d: Array = a - np.asarray(b)
    return np.where(np.abs(d) <= 1e-12 * np.maximum(np.abs(a), np.abs(b)), 0.0, d)


def _jackknife(without: Array) -> float:
    """(n - 1)/n · Σ (θ₍₋ᵢ₎ - mean)² (Efron & Stein 1981)."""
    n = without.size
    return 0.0 if is_constant(without) else float((n - 1) / n * ((without - without.mean()) ** 2).sum())


def _sd(
    size: int,
    runs: int,
    single: Array,
    scored: Callable[[NDArray[np.intp]], Array],
    most: int,
    draw: np.random.Generator,
) -> float | None:
    """SD between ensembles with no member in common; None where the runs make no two."""
    if size == 1:
        return 0.0 if is_constant(single) else float(single.std(ddof=1))
    if 2 * size > runs:
        return None
    order = np.argsort(draw.random((most, runs)), axis=1)
    first, second = scored(order[:, :size]), scored(order[:, size : 2 * size])
    return sqrt(float(((first - second) ** 2).mean()) / 2)
