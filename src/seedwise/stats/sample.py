"""What counts as a sample. All checks are here."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def check_sample(values: ArrayLike, name: str = "a sample", at_least: int = 1) -> NDArray[np.float64]:
    """The values as a float array, shape (n,).

    Raises ValueError unless they are one-dimensional, finite and at least `at_least`; the message names `name`.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"{name} is a list of numbers, at least one; got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{int((~np.isfinite(x)).sum())} of {x.size} values are NaN or infinite")
    if x.size < at_least:
        raise ValueError(f"{name} needs at least {at_least} values; got {x.size}")
    return x


def check_level(level: float) -> float:
    """Return a confidence level. Raises ValueError unless it is between 0 and 1."""
    if not 0 < level < 1:
        raise ValueError(f"level is between 0 and 1; got {level}")
    return float(level)


def check_resamples(resamples: int) -> int:
    """Return the number of resamples. Raises ValueError if it is below 1."""
    if resamples < 1:
        raise ValueError(f"resamples is at least 1; got {resamples}")
    return resamples


def generator(rng: np.random.Generator | int | None) -> np.random.Generator:
    """The generator of an analysis: the given one, or a new one that starts from an integer (None: 0).

    Never the global one. Raises ValueError for anything else.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is not None and (isinstance(rng, bool) or not isinstance(rng, int | np.integer)):
        raise ValueError(f"rng is a numpy Generator, an integer or None; got {rng!r}")
    if rng is not None and rng < 0:
        raise ValueError(f"rng is an integer of 0 or more; got {rng}")
    return np.random.default_rng(0 if rng is None else int(rng))


def is_constant(x: NDArray[np.float64]) -> bool:
    """Whether all values are the same number, but for rounding: they lie within 1e-14 of their size."""
    return bool(np.ptp(x) <= 1e-14 * np.abs(x).max())
