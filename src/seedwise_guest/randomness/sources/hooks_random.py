"""Python's `random`: the functions of the module, and the instances of `random.Random`."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable

from .apart import Apart, Handle, drawing, on_copies

_DRAWS = (
    "random uniform triangular randint choice randrange sample shuffle choices normalvariate lognormvariate "
    "expovariate vonmisesvariate gammavariate gauss betavariate paretovariate weibullvariate binomialvariate "
    "getrandbits randbytes"
).split()
_ORDER = frozenset({"shuffle", "sample"})
_MASK = (1 << 64) - 1


def install(apart: Apart) -> Callable[[], None]:
    """Let `apart` see every draw of Python's generators. Returns a function that ends this."""
    import random

    handle = _handle(random._inst)
    apart.follow("random", handle)
    undo: list[Callable[[], None]] = []
    for name in _DRAWS:
        original = getattr(random, name, None)
        if original is None:  # newer than this Python
            continue
        seen = drawing(apart, handle, _usual(name), original, overwrites=name == "shuffle")
        setattr(random, name, functools.wraps(original)(seen))
        undo.append(functools.partial(setattr, random, name, original))
        undo.append(_watch_instances(apart, random.Random, name))

    def put_back() -> None:
        while undo:
            undo.pop()()

    return put_back


def _usual(name: str) -> str:
    return "order" if name in _ORDER else "other"


def _handle(generator: Any) -> Handle:
    def look() -> int:
        _, numbers, gauss = generator.getstate()
        return (hash(numbers) ^ (0 if gauss is None else hash(gauss))) & _MASK

    return Handle(
        "random", generator.getstate, generator.setstate, generator.seed, lambda state: repr(state).encode(), look
    )


def _watch_instances(apart: Apart, home: Any, name: str) -> Callable[[], None]:
    """Let `apart` see a method of every instance. The system's own generator, and the one that names temporary files, stay."""
    original, own = getattr(home, name), name in vars(home)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = functools.partial(original, self)
        if isinstance(self, sys.modules["random"].SystemRandom) or _names_files(sys._getframe(1)):
            return bound(*args, **kwargs)
        rehearse = on_copies(bound, args, kwargs) if name == "shuffle" else None
        return apart.draw(_handle(self), _usual(name), lambda: bound(*args, **kwargs), rehearse)

    functools.update_wrapper(method, original, assigned=("__name__", "__qualname__", "__doc__"), updated=())
    setattr(home, name, method)
    return lambda: setattr(home, name, original) if own else delattr(home, name)


def _names_files(frame: Any) -> bool:
    """Whether `tempfile` draws. Its generator starts from the system's entropy."""
    for _ in range(4):
        if frame is None:
            return False
        if frame.f_globals.get("__name__") == "tempfile":
            return True
        frame = frame.f_back
    return False
