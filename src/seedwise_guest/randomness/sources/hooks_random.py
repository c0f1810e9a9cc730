"""Python's `random`: the functions of the module."""

from __future__ import annotations

import functools
from typing import Any, Callable

from .apart import Apart, Handle

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
        setattr(random, name, functools.wraps(original)(_drawing(apart, handle, name, original)))
        undo.append(functools.partial(setattr, random, name, original))

    def put_back() -> None:
        while undo:
            undo.pop()()

    return put_back


def _drawing(apart: Apart, handle: Handle, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    usual = "order" if name in _ORDER else "other"

    def draw(*args: Any, **kwargs: Any) -> Any:
        rehearse = None
        if name == "shuffle" and (args or kwargs):
            from copy import copy

            rehearse = lambda: original(*map(copy, args), **{k: copy(v) for k, v in kwargs.items()})  # noqa: E731
        return apart.draw(handle, usual, lambda: original(*args, **kwargs), rehearse)

    return draw
