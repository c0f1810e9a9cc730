"""Numbers that are derived from a seed by name, and the generators that start from them.

A derived number is a SHA-256 digest of the seed and of the names that lead to it. So streams with different names are
independent for every practical purpose. Each stream depends on its own name alone: a new stream changes no other
stream.
"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

    import numpy
    import torch

SEED_MAX = 2**32 - 1
"""The largest seed. NumPy's legacy generator takes 0 … 2**32 - 1; one range for all libraries avoids surprises."""


class SeedError(ValueError, TypeError):
    """A seed that is not an integer, or that is out of range. The message states the range."""


def check_seed(seed: object, what: str = "a seed") -> int:
    """Return `seed` as an int. If it is no seed, the error says what a seed is.

    Raises
    ------
    SeedError
        For a bool, a float, a string, and for integers outside 0 … 2**32 - 1.
    """
    rule = f"{what} is an integer from 0 to {SEED_MAX} (2**32 - 1)"
    if isinstance(seed, bool) or not isinstance(seed, Integral):  # NumPy's integers are Integral, its bool is not
        raise SeedError(f"{rule}; got {seed!r} of type {type(seed).__name__}")
    number = int(seed)
    if not 0 <= number <= SEED_MAX:
        raise SeedError(f"{rule}; got {number}")
    return number


def derive(seed: int, *names: str | int, bits: int = 32) -> int:
    """A number of `bits` bits that depends on `seed` and `names` only.

    The names are hashed with their types and lengths, so that ("ab", "c") and ("a", "bc") differ.
    """
    from hashlib import sha256

    parts = [b"seedwise-stream-1", str(seed).encode()]
    for name in names:
        text = str(name).encode("utf-8", "surrogatepass")
        parts.append(b"%s%d:%s" % (b"i" if isinstance(name, int) else b"s", len(text), text))
    text = b"\0".join(parts)
    digest = sha256(text).digest()
    while len(digest) * 8 < bits:
        digest += sha256(text + b"\0%d" % len(digest)).digest()
    return int.from_bytes(digest, "big") >> (len(digest) * 8 - bits)


class Streams:
    """Independent generators for the sources of one seed. Each one has a name.

    Every call returns a *new* generator at the start of its stream. Keep the generator if you want to go on drawing
    from it.

    Parameters
    ----------
    seed
        An integer from 0 to 2**32 - 1.

    Examples
    --------
    >>> s = Streams(42)
    >>> s.int("split") == Streams(42).int("split")
    True
    >>> s.int("split") == s.int("order")
    False
    """

    def __init__(self, seed: int) -> None:
        self.seed = check_seed(seed)
        self._path: tuple[str, ...] = ()

    def __repr__(self) -> str:
        below = "".join(f".child({name!r})" for name in self._path)
        return f"Streams({self.seed}){below}"

    def _derive(self, name: str, bits: int) -> int:
        if not isinstance(name, str):
            raise TypeError(f"a stream is keyed by name, a str; got {name!r}")
        return derive(self.seed, "stream", *self._path, name, bits=bits)

    def child(self, name: str) -> Streams:
        """The streams below `name`, for example `Streams(42).child("worker-3").numpy("order")`."""
        self._derive(name, 1)
        new = Streams(self.seed)
        new._path = (*self._path, name)
        return new

    def int(self, name: str) -> int:
        """An integer from 0 to 2**31 - 1. Every library accepts it as a seed."""
        return self._derive(name, 31)

    def python(self, name: str) -> random.Random:
        """A new `random.Random`."""
        import random

        return random.Random(self._derive(name, 128))

    def numpy(self, name: str) -> numpy.random.Generator:
        """A new `numpy.random.Generator` (PCG64), started from 128 bits."""
        import numpy as np

        return np.random.Generator(np.random.PCG64(self._derive(name, 128)))

    def torch(self, name: str, device: str = "cpu") -> torch.Generator:
        """A new `torch.Generator` on `device`."""
        import torch

        return torch.Generator(device=device).manual_seed(self._derive(name, 63))

    def jax(self, name: str) -> Any:
        """A new JAX key (`jax.random.key`), started from 31 bits, because JAX without x64 accepts no more."""
        import jax

        return jax.random.key(self._derive(name, 31))
