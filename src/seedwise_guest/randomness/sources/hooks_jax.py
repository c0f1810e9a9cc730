"""JAX: every function that draws from a key.

JAX has no generator that moves. A draw depends on its key alone, so a source varies if each of its draws takes a key
into which the source's seed is folded; how keys are made and split stays as it is, and with it every other draw.

What is compiled is executed by Python once, when JAX traces it. There the draw is seen, and there it is counted.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable
from zlib import crc32

from .apart import Apart

_KEYS = frozenset({"split", "fold_in", "clone", "key_data", "key_impl", "wrap_key_data", "key", "PRNGKey"})
"""What makes keys of keys, or looks at them."""
_ORDER = frozenset({"permutation"})


def install(apart: Apart) -> Callable[[], None]:
    """Let `apart` see every draw of JAX. Returns a function that ends this."""
    public: Any = sys.modules["jax.random"]
    homes = [
        public,
        *(sys.modules[name] for name in ("jax._src.random", "jax._src.random.core") if name in sys.modules),
    ]
    undo: list[Callable[[], None]] = []
    for name in dir(public):
        original = getattr(public, name)
        if name.startswith("_") or name in _KEYS or not _takes_a_key(original):
            continue
        seen = _seen(apart, public, original, "order" if name in _ORDER else "other")
        for home in homes:
            if getattr(home, name, None) is original:
                setattr(home, name, seen)
                undo.append(functools.partial(setattr, home, name, original))

    def put_back() -> None:
        while undo:
            undo.pop()()

    return put_back


def _takes_a_key(function: Any) -> bool:
    import inspect

    try:
        return next(iter(inspect.signature(function).parameters), "") == "key"
    except (TypeError, ValueError):
        return False


def _seen(apart: Apart, public: Any, original: Any, usual: str) -> Any:
    @functools.wraps(original)
    def draw(*args: Any, **kwargs: Any) -> Any:
        if not args and "key" not in kwargs:
            return original(*args, **kwargs)  # it says what is missing

        def call(key: Any) -> Any:
            return original(key, *args[1:], **kwargs) if args else original(**{**kwargs, "key": key})

        return apart.draw_with_key("jax", usual, args[0] if args else kwargs["key"], call, public.fold_in, _look)

    return draw


def _look(key: Any) -> int:
    """A number for a key; 0 for one that has no value yet, while JAX traces a function."""
    jax: Any = sys.modules["jax"]
    if isinstance(key, jax.core.Tracer):
        return 0
    numpy: Any = sys.modules["numpy"]
    typed = jax.numpy.issubdtype(getattr(key, "dtype", None), jax.dtypes.prng_key)
    return crc32(numpy.asarray(jax.random.key_data(key) if typed else key).tobytes())
