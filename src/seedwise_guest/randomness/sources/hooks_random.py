"""Python's `random`: the functions of the module."""

from __future__ import annotations

import functools
from typing import Any, Callable

from .apart import Apart, Handle, drawing

_DRAWS = (
    "random uniform triangular randint choice randrange sample shuffle choices normalvariate lognormvariate "
    "expovariate vonmisesvariate gammavariate gauss betavariate paretovariate weibullvariate binomialvariate "
    "getrandbits randbytes"
).split()
_ORDER = frozenset({"shuffle", "sample"})


def install(apart: Apart) -> Callable[[], None]:
    """Let `apart` see every draw from Python's global generator. Returns a function that ends this."""
    import random

    own: Any = random._inst
    handle = Handle("random", own.getstate, own.setstate, own.seed, lambda state: repr(state).encode())
    undo: list[Callable[[], None]] = []
    for name in _DRAWS:
        original = getattr(random, name, None)
        if original is None:  # newer than this Python
            continue
        usual = "order" if name in _ORDER else "other"
        seen = drawing(apart, handle, usual, original, overwrites=name == "shuffle")
        setattr(random, name, functools.wraps(original)(seen))
        undo.append(functools.partial(setattr, random, name, original))

    def put_back() -> None:
        while undo:
            undo.pop()()

    return put_back
