"""Fractions of a crossed design in which every pair of seeds of two sources meets once."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .combined_squares import Effect
from .components import Array, Components, Part, Squares, gathered, pairs_of, within, without_rounding
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
    crossed_with: str | None = None,
    repeats: ArrayLike | None = None,
    level: float = 0.95,
) -> Components:
    """Variance components of a fraction that `latin_cells` gave.

    Parameters
    ----------
    values
        Shape (n²,): the score of each cell. With `crossed_with`, shape (n², m): the score of each cell under each value
        of one more factor.
    crossed_with
        The name of that factor, such as `threads`.
    repeats
        Shape (cells, repeats): scores of cells that were repeated.

    Returns
    -------
    Components
        One for each source; `interactions`, all together, if cells were repeated; and `rest`. With `crossed_with`, one
        for that factor too, and one for it with each source and with the `interactions`.

    Raises
    ------
    ValueError
        A value is not finite, or there is not one for each cell.

    Notes
    -----
    Each interaction of random effects meets every cell with a value of its own, as noise does. So E MS_T = n·σ²_T +
    σ²_interactions + σ²_rest, and the mean square that is left has the expectation σ²_interactions + σ²_rest (expected
    mean squares of a Latin square with random effects; Scheffé 1959, The Analysis of Variance, ch. 5). One more factor
    with m values, crossed with every cell, divides the square twice: means over its values, where each of these terms
    counts m times, and differences between them, with terms of their own. Intervals as for `crossed_components`.
    """
    x = np.asarray(values, dtype=np.float64)
    check_level(level)
    n = math.isqrt(len(cells))
    shape = (len(cells),) if crossed_with is None else (len(cells), x.shape[-1] if x.ndim == 2 else 2)
    if x.shape != shape or n * n != len(cells) or shape[-1] < 2:
        raise ValueError(f"one value for each of {len(cells)} cells; got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError("NaN or infinite values: the design needs every cell")
    again = pairs_of(repeats)
    table = x.reshape(len(cells), -1)
    squares, df = _mean_squares(table, cells, len(sources))
    squares = without_rounding(squares, table)
    if again is not None:
        squares[()], df[()] = within(again)
    names = (*sources, "interactions")
    parts = (
        _of_square(names, n, again is not None)
        if crossed_with is None
        else _of_squares(names, n, crossed_with, table.shape[1], again is not None)
    )
    more = 0 if again is None else again.size - len(again)
    full = (n,) * len(sources) + x.shape[1:]
    return gathered(parts, Squares(squares, df, level), full, 1, x.size + more, again is not None)


_ACROSS = -1
"""In an effect: the factor that is crossed with the square."""


def _mean_squares(
    table: Array, cells: Sequence[Sequence[int]], sources: int
) -> tuple[dict[Effect, float], dict[Effect, int]]:
    """Mean squares of each source, `(k,)`, and of what is left, `(sources,)`; with more columns, of these between columns too.

    Each column is one value of the factor that is crossed with the square.
    """
    n, m = math.isqrt(len(cells)), table.shape[1]
    squares: dict[Effect, float] = {}
    df: dict[Effect, int] = {}
    level = table.mean(axis=0, keepdims=True)
    left = table - level
    both: list[tuple[Effect, Array, int, int]] = []  # effect, its values (levels × columns), cells for each, degrees
    for axis in range(sources):
        levels = np.array([cell[axis] for cell in cells])
        means = np.stack([np.bincount(levels, weights=column, minlength=n) for column in (table - level).T], axis=1) / n
        both.append(((axis,), means, n, n - 1))
        left = left - means[levels]
    both.append(((sources,), left, 1, n * n - 1 - sources * (n - 1)))
    for effect, values, each, free in both:
        mean = values.mean(axis=1, keepdims=True)
        squares[effect], df[effect] = float((mean**2).sum()) * each * m / free, free
        if m > 1:
            across = (*effect, _ACROSS)
            squares[across] = float(((values - mean) ** 2).sum()) * each / (free * (m - 1))
            df[across] = free * (m - 1)
    if m > 1:
        squares[(_ACROSS,)], df[(_ACROSS,)] = n * n * float(level.var(ddof=1)), m - 1
    return squares, df


def _of_square(names: Sequence[str], n: int, repeated: bool) -> list[Part]:
    """What each component of a Latin square is, in mean squares. The last name is that of the interactions."""
    *sources, interactions = names
    left = (len(sources),)
    parts: list[Part] = [(name, (name,), {(axis,): 1 / n, left: -1 / n}) for axis, name in enumerate(sources)]
    if repeated:
        parts.append((interactions, tuple(sources), {left: 1.0, (): -1.0}))
    return [*parts, ("rest", (), {() if repeated else left: 1.0})]


def _of_squares(names: Sequence[str], n: int, factor: str, m: int, repeated: bool) -> list[Part]:
    """The same for a square that is crossed with one more factor of m values."""
    *sources, interactions = names
    last = len(sources)
    left, left_across = (last,), (last, _ACROSS)
    parts: list[Part] = []
    for axis, name in enumerate(sources):
        weights = {(axis,): 1.0, left: -1.0, (axis, _ACROSS): -1.0, left_across: 1.0}
        parts.append((name, (name,), {effect: w / (n * m) for effect, w in weights.items()}))
    weights = {(_ACROSS,): 1.0, left_across: last - 1.0, **{(axis, _ACROSS): -1.0 for axis in range(last)}}
    parts.append((factor, (factor,), {effect: w / n**2 for effect, w in weights.items()}))
    parts.append((interactions, tuple(sources), {left: 1 / m, left_across: -1 / m}))
    for axis, name in enumerate(sources):
        parts.append((f"{name} × {factor}", (name, factor), {(axis, _ACROSS): 1 / n, left_across: -1 / n}))
    if repeated:
        parts.append((f"{interactions} × {factor}", (*sources, factor), {left_across: 1.0, (): -1.0}))
    return [*parts, ("rest", (), {() if repeated else left_across: 1.0})]
