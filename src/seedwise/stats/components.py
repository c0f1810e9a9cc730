"""Where variance comes from: crossed sources, test-set noise against true differences, seeds and examples together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .combined_squares import Effect, estimate
from .sample import check_level, check_resamples, generator

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Component:
    """One part of the variance, in squared units of the score.

    `variance` is the unbiased estimate. It may be negative where the truth is near 0; then `truncated` is 0. `share`
    is the share of the sum of the truncated estimates. `interval` is never below 0; it is there for an estimate below 0
    too, and says how large the component may be. `df` are Satterthwaite's degrees of freedom.
    """

    name: str
    sources: tuple[str, ...]
    variance: float
    share: float | None
    interval: tuple[float, float]
    df: float | None

    @property
    def truncated(self) -> float:
        """The estimate, or 0 where it is negative."""
        return max(0.0, self.variance)


@dataclass(frozen=True)
class Components:
    """Variance components of a crossed design, by name: `init`, `order`, `init × order` …, and `rest`.

    `total` is the variance of runs in which everything varies: the sum of the unbiased estimates, those below 0 too. It
    is unbiased, and never below 0. (The sum of the truncated estimates, which the shares divide, is too large where
    components are near 0.) `total_interval` is its interval.
    """

    parts: tuple[Component, ...]
    shape: tuple[int, ...]
    replicates: int
    level: float
    total: float
    total_interval: tuple[float, float]
    runs: int = 0
    """How many runs it is from."""
    rest_apart: bool = False
    """Whether runs were repeated, so that `rest` holds nothing but what differs between repeats."""

    def __getitem__(self, name: str) -> Component:
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(f"no component {name!r}; there are {', '.join(p.name for p in self.parts)}")

    def varying(self, *sources: str) -> float:
        """The variance between runs that vary these sources alone: all that they do, also together with what is held.

        It is the sum of the components in which one of them has a part, and of `rest`. `run --vary init` shows
        `varying("init")`, on the average over what is held; that is more than the component `init`.

        Raises
        ------
        KeyError
            None is named, or one that did not vary.

        Notes
        -----
        Where a fraction leaves interactions in one component or in `rest`, all of them are counted.
        """
        known = sorted({name for part in self.parts for name in part.sources})
        if not sources or not set(sources) <= set(known):
            raise KeyError(f"sources by their single names, of {', '.join(known)}; got {', '.join(sources) or 'none'}")
        return sum(part.variance for part in self.parts if set(sources) & set(part.sources) or part.name == "rest")


def crossed_components(
    table: ArrayLike,
    sources: Sequence[str],
    *,
    replicates: bool = False,
    repeats: ArrayLike | None = None,
    level: float = 0.95,
) -> Components:
    """Variance components of a fully crossed random-effects design.

    Parameters
    ----------
    table
        One axis for each source, each of length 2 or more. With `replicates`, one more axis at the end, of repeats
        under the same assignment.
    sources
        Names, one for each axis that is a source.
    repeats
        Instead of `replicates`, where only some cells were repeated: shape (cells, repeats), with the value of the
        table in the first column.

    Raises
    ------
    ValueError
        The number of axes is wrong, an axis is shorter than 2, or a value is not finite.

    Notes
    -----
    Expected mean squares (Brennan 2001, Generalizability Theory, ch. 3): E MS_T = Σ_{S ⊇ T} σ²_S·Π_{i ∉ S} nᵢ, solved
    for σ². For two sources and r replicates: σ²_init = (MS_init - MS_init×order)/(n_order·r). Without replicates, the
    highest interaction cannot be distinguished from what no seed controls; it is then called `rest`. Intervals:
    `combined_squares.estimate`. In the sum of all components no mean square has a weight below 0.
    """
    x = np.asarray(table, dtype=np.float64)
    names = tuple(sources)
    check_level(level)
    expected = len(names) + replicates
    if len(set(names)) < len(names):
        raise ValueError(f"each source stands once among the names; got {', '.join(names)}")
    if x.ndim != expected or not names:
        raise ValueError(
            f"the table has {x.ndim} axes; {len(names)} sources{' and replicates' if replicates else ''} need {expected}"
        )
    if min(x.shape) < 2:
        raise ValueError(f"each source needs two values or more, and replicates two or more; got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError("the table has NaN or infinite values: a crossed design needs every cell")
    k = len(names)
    subsets = [s for size in range(1, k + 1) for s in combinations(range(k), size)]
    squares, df = _mean_squares(x, subsets, k)
    squares = without_rounding(squares, x)
    again = x.reshape(-1, x.shape[-1]) if replicates else pairs_of(repeats)
    if again is not None:
        squares[()], df[()] = within(again)
    highest = subsets[-1]
    parts: list[Part] = []
    for subset in subsets:
        if subset == highest and again is None:
            continue
        weights = {above: (-1.0) ** (len(above) - len(subset)) for above in subsets if set(above) >= set(subset)}
        if subset == highest:
            weights[()] = -1.0  # what repeats show is in every mean square, and cancels in the others
        divisor = math.prod(x.shape[i] for i in range(x.ndim) if i not in subset)
        label = tuple(names[i] for i in subset)
        parts.append((" × ".join(label), label, {s: w / divisor for s, w in weights.items()}))
    parts.append(("rest", (), {(highest if again is None else ()): 1.0}))
    runs = x.size + (0 if replicates or again is None else again.size - len(again))
    of = Squares(squares, df, level)
    return gathered(parts, of, x.shape[:k], x.shape[-1] if replicates else 1, runs, again is not None)


Part = tuple[str, tuple[str, ...], Mapping[Effect, float]]
"""Name and sources of one component, and the weight of each mean square in it."""


@dataclass(frozen=True)
class Squares:
    """Independent mean squares with their degrees of freedom, and the coverage of intervals made from them."""

    squares: Mapping[Effect, float]
    df: Mapping[Effect, int]
    level: float

    def __call__(self, weights: Mapping[Effect, float]) -> tuple[float, tuple[float, float], float | None]:
        """A weighted sum of them: variance, interval, degrees of freedom."""
        return estimate(weights, self.squares, self.df, self.level)


_NOTHING = 1e-12
"""A weight that rounding has left."""


def gathered(
    parts: Sequence[Part], of: Squares, shape: tuple[int, ...], replicates: int, runs: int, rest_apart: bool
) -> Components:
    """The components, their sum, and the share that each has of the sum of those above 0."""
    every: dict[Effect, float] = {}
    for _, _, weights in parts:
        for effect, weight in weights.items():
            every[effect] = every.get(effect, 0.0) + weight
    total, total_interval, _ = of({effect: weight for effect, weight in every.items() if abs(weight) > _NOTHING})
    estimates = [(name, label, *of(weights)) for name, label, weights in parts]
    above = sum(max(0.0, variance) for _, _, variance, _, _ in estimates)
    found = tuple(
        Component(name, label, variance, max(0.0, variance) / above if above > 0 else None, interval, nu)
        for name, label, variance, interval, nu in estimates
    )
    return Components(found, shape, replicates, of.level, total, total_interval, runs, rest_apart)


def pairs_of(repeats: ArrayLike | None) -> Array | None:
    """Repeated runs as an array of cells × repeats. Raises ValueError for another shape, or for numbers that are not finite."""
    if repeats is None:
        return None
    again = np.asarray(repeats, dtype=np.float64)
    if again.ndim != 2 or again.shape[0] < 1 or again.shape[1] < 2:
        raise ValueError(f"repeats have shape (cells, repeats ≥ 2); got {again.shape}")
    if not np.isfinite(again).all():
        raise ValueError("the repeats have NaN or infinite values")
    return again


def within(again: Array) -> tuple[float, int]:
    """Mean square between repeats of the same cell, and its degrees of freedom."""
    free = again.shape[0] * (again.shape[1] - 1)
    return float(((again - again.mean(axis=1, keepdims=True)) ** 2).sum()) / free, free


def without_rounding(squares: Mapping[Effect, float], of: Array) -> dict[Effect, float]:
    """Mean squares, with 0 for those that are no more than what rounding makes of numbers of this size."""
    rounding = of.size * (4 * float(np.finfo(np.float64).eps) * float(np.abs(of).max())) ** 2
    return {effect: square if square > rounding else 0.0 for effect, square in squares.items()}


def _mean_squares(
    x: Array, subsets: Sequence[tuple[int, ...]], k: int
) -> tuple[dict[tuple[int, ...], float], dict[tuple[int, ...], int]]:
    """Mean square and degrees of freedom of each effect, computed from the margins of the table."""
    axes = set(range(x.ndim))
    margins: dict[tuple[int, ...], Array] = {(): x.mean(keepdims=True)}
    for subset in subsets:
        margins[subset] = x.mean(axis=tuple(sorted(axes - set(subset))), keepdims=True)
    squares, df = {}, {}
    for subset in subsets:
        effect = sum(
            (-1.0) ** (len(subset) - size) * margins[inner]
            for size in range(len(subset) + 1)
            for inner in combinations(subset, size)
        )
        df[subset] = math.prod(x.shape[i] - 1 for i in subset)
        repeats = math.prod(x.shape[i] for i in axes - set(subset))
        squares[subset] = float((np.asarray(effect) ** 2).sum()) * repeats / df[subset]
    return squares, df


@dataclass(frozen=True)
class TestSetNoise:
    """How much of the spread between runs is true, and how much comes from the choice of test examples.

    All numbers are variances of the error rate. `observed` is the variance between the given runs. `distribution` is
    the unbiased estimate of what would remain on the whole distribution. `noise` is the difference of these two.
    `predicted` is what class-calibrated ensembles give. `p_value` tests whether the runs differ truly at all (Cochran's
    Q); None if no example tells runs apart.
    """

    observed: float
    distribution: float
    noise: float
    predicted: float
    runs: int
    examples: int
    p_value: float | None = None


def noise_of_test_set(correct: ArrayLike, classes: int = 2) -> TestSetNoise:
    """Jordan's (2023, arXiv 2304.01910) split of the variance between runs.

    Parameters
    ----------
    correct
        Shape (runs, examples): 1 where a run classified the example correctly, else 0.
    classes
        Number of classes.

    Raises
    ------
    ValueError
        `correct` has another shape or other values, or `classes` is below 2.

    Notes
    -----
    n/(n - 1)·[Var(err) - n⁻²·Σᵢ Var(errᵢ)], with ddof = 1 in both, is unbiased for the distribution-wise variance. If
    the ensemble of runs is class-calibrated, E[Var] = err/(2n) + (1 - 1/n)·Var_dist for two classes, and at least
    err/(nk) for k classes. Cochran's (1950) Q = k(k - 1)·Σ(Cⱼ - C̄)²/ΣRᵢ(k - Rᵢ), χ² with k - 1 degrees of freedom, where k
    runs got Cⱼ examples right and Rᵢ runs got example i right.
    """
    from scipy.special import chdtrc

    x = np.asarray(correct, dtype=np.float64)
    if x.ndim != 2 or min(x.shape) < 2:
        raise ValueError(f"correctness has shape (runs ≥ 2, examples ≥ 2); got {x.shape}")
    if not np.isin(x, (0.0, 1.0)).all():
        raise ValueError("correctness is 0 or 1 for each run and example")
    if classes < 2:
        raise ValueError(f"there are two classes or more; got {classes}")
    wrong = 1 - x
    n = x.shape[1]
    observed = float(wrong.mean(axis=1).var(ddof=1))
    within = float(wrong.var(axis=0, ddof=1).sum()) / n**2
    truth = n / (n - 1) * (observed - within)
    error = float(wrong.mean())
    predicted = error / (2 * n) + (1 - 1 / n) * truth if classes == 2 else error / (n * classes)
    k, right = x.shape[0], x.sum(axis=0)
    apart = float((right * (k - right)).sum())
    q = k * (k - 1) * float(((x.sum(axis=1) - x.sum() / k) ** 2).sum()) / apart if apart > 0 else None
    p = None if q is None else float(chdtrc(k - 1, q))
    return TestSetNoise(observed, truth, observed - truth, predicted, k, n, p)


@dataclass(frozen=True)
class MultiBootstrap:
    """A mean over seeds and examples, or a difference of two means.

    The interval treats both seeds and examples as samples.
    """

    estimate: float
    low: float
    high: float
    level: float
    p_value: float | None
    resamples: int


def multi_bootstrap(
    new: ArrayLike,
    base: ArrayLike | None = None,
    *,
    paired: bool = False,
    level: float = 0.95,
    resamples: int = 2000,
    rng: np.random.Generator | int | None = None,
) -> MultiBootstrap:
    """Resample seeds and examples together (Sellam et al. 2022, arXiv 2106.16163).

    Parameters
    ----------
    new, base
        Scores of each seed on each example, shapes (seeds, examples). Both sides have the same examples, which are
        resampled in the same way. Seeds are resampled separately; with `paired`, in the same way.

    Returns
    -------
    MultiBootstrap
        Percentile interval. p is two-sided: twice the smaller share of resamples on one side of 0, at least
        2/(resamples + 1).
    """
    x = _matrix(new, "new")
    y = None if base is None else _matrix(base, "base")
    check_level(level)
    check_resamples(resamples)
    rng = generator(rng)
    if y is not None and x.shape[1] != y.shape[1]:
        raise ValueError(f"both sides need the same examples; got {x.shape[1]} and {y.shape[1]}")
    if paired and (y is None or y.shape[0] != x.shape[0]):
        raise ValueError("pairs need two sides with the same seeds")
    drawn = np.empty(resamples)
    for k in range(resamples):
        seeds = _counts(x.shape[0], rng)
        examples = _counts(x.shape[1], rng)
        value = seeds @ (x @ examples)
        if y is not None:
            value -= (seeds if paired else _counts(y.shape[0], rng)) @ (y @ examples)
        drawn[k] = value
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    estimate = float(x.mean() - (0.0 if y is None else y.mean()))
    p = None
    if y is not None:
        side = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
        p = min(1.0, 2 * (side + 1) / (resamples + 1))
    return MultiBootstrap(estimate, float(low), float(high), level, p, resamples)


def _matrix(values: ArrayLike, name: str) -> Array:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or x.shape[0] < 2 or x.shape[1] < 2 or not np.isfinite(x).all():
        raise ValueError(f"{name} has shape (seeds ≥ 2, examples ≥ 2), all finite; got {x.shape}")
    return x


def _counts(n: int, rng: np.random.Generator) -> Array:
    return np.bincount((rng.random(n) * n).astype(np.intp), minlength=n) / n
