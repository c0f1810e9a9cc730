"""Fractions of a crossed design in which every pair of seeds of two sources meets once."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .components import Components, Estimate, estimate, gathered, pairs_of, within
from .sample import check_level


def latin_cells(n: int, sources: int) -> list[tuple[int, ...]]:
    """The n² cells of a fraction for sources with n seeds each, counted from 0.

    Cell (i, j) has i for the first source, j for the second, and (i + m·j) mod n for the others, m = 1, 2, 3 … Each
    pair of values of two sources stands together once.

    Raises
    ------
    ValueError
        Fewer than three sources, or more than three and n is not prime, or too small for so many.

    Notes
    -----
    Latin square; with n prime, mutually orthogonal squares (Bose 1938).
    """
    if sources < 3:
        raise ValueError("a fraction is for three sources or more")
    if sources > 3 and not _is_prime(n):
        raise ValueError(f"a fraction for {sources} sources needs a prime number of seeds; got {n}")
    if n < sources:
        raise ValueError(f"a fraction for {sources} sources needs {sources} seeds or more; got {n}")
    return [(i, j, *((i + m * j) % n for m in range(1, sources - 1))) for j in range(n) for i in range(n)]


def _is_prime(n: int) -> bool:
    return n > 1 and all(n % k for k in range(2, math.isqrt(n) + 1))


def latin_components(
    values: ArrayLike,
    cells: Sequence[Sequence[int]],
    sources: Sequence[str],
    *,
    repeats: ArrayLike | None = None,
    level: float = 0.95,
) -> Components:
    """Variance components of a fraction that `latin_cells` gave.

    Parameters
    ----------
    values
        Shape (n²,): the score of each cell.
    repeats
        Shape (cells, repeats): scores of cells that were repeated.

    Returns
    -------
    Components
        One for each source; `interactions`, all together, if cells were repeated; and `rest`.

    Raises
    ------
    ValueError
        A value is not finite, or there is not one for each cell.

    Notes
    -----
    Each interaction of random effects meets every cell with a value of its own, as noise does. So E MS_T = n·σ²_T +
    σ²_interactions + σ²_rest, and the mean square that is left has the expectation σ²_interactions + σ²_rest (expected
    mean squares of a Latin square with random effects; Scheffé 1959, The Analysis of Variance, ch. 5). Intervals as
    for `crossed_components`.
    """
    x = np.asarray(values, dtype=np.float64)
    check_level(level)
    n = math.isqrt(len(cells))
    if x.shape != (len(cells),) or n * n != len(cells):
        raise ValueError(f"one value for each of {len(cells)} cells; got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError("NaN or infinite values: the design needs every cell")
    again = pairs_of(repeats)
    mean, k = float(x.mean()), len(sources)
    squares: dict[tuple[int, ...], float] = {}
    df: dict[tuple[int, ...], int] = {}
    left = x - mean
    for axis in range(k):
        levels = np.array([cell[axis] for cell in cells])
        means = np.bincount(levels, weights=x, minlength=n) / n - mean
        squares[(axis,)], df[(axis,)] = float((means**2).sum()) * n / (n - 1), n - 1
        left = left - means[levels]
    free = n * n - 1 - k * (n - 1)
    squares[(k,)], df[(k,)] = float((left**2).sum()) / free, free
    found: list[Estimate] = [
        (name, (name,), *estimate({(axis,): 1 / n, (k,): -1 / n}, squares, df, level))
        for axis, name in enumerate(sources)
    ]
    if again is not None:
        squares[()], df[()] = within(again)
        found.append(("interactions", tuple(sources), *estimate({(k,): 1.0, (): -1.0}, squares, df, level)))
    found.append(("rest", (), *estimate({(k,) if again is None else (): 1.0}, squares, df, level)))
    more = 0 if again is None else again.size - len(again)
    return gathered(found, (n,) * k, 1, level, x.size + more, again is not None)
