"""Tells when the user's own line draws from a global generator, seeds one, or puts a state back."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable

from ...process.imports import when_imported
from ..callers import direct, from_any
from ..compiling import put

_DRAWS = {
    "random": "shuffle sample choice choices randint randrange random uniform gauss".split(),
    "numpy.random": "permutation shuffle choice randint rand randn normal uniform random".split(),
    "torch": "randperm randint rand randn normal multinomial bernoulli rand_like randn_like".split(),
}
_WITH_KEY = {
    "jax.random": "split fold_in normal uniform permutation randint choice bernoulli categorical gumbel dropout".split()
}
"""Draws that are given a key. They move no generator; it is only seen that they happen."""
_SETS = {
    "random": ["seed", "setstate"],
    "numpy.random": ["seed", "set_state"],
    "torch": ["manual_seed", "set_rng_state"],
}


_SEEDS = ("seed", "manual_seed")
Seeded = Callable[[str, str, str], None]


def watch_draws(drawn: Callable[[str], None], applied: Callable[[], None], seeded: Seeded) -> None:
    """Call `drawn(what)` before each draw by a line of the user's, `applied()` after a state was set.

    `seeded(library, where, seed)` is called after a global generator was given a seed.
    """
    for library in _DRAWS:
        when_imported(library, lambda module, library=library: _replace(module, library, drawn, applied, seeded))  # type: ignore[misc]
    for library, names in _WITH_KEY.items():
        when_imported(library, lambda module, library=library, names=names: _watch_keys(module, library, names, drawn))  # type: ignore[misc]
    when_imported("torch", lambda module: _watch_loading(applied))


def _replace(
    module: Any, library: str, drawn: Callable[[str], None], applied: Callable[[], None], seeded: Seeded
) -> None:
    for name in _DRAWS[library]:
        original = getattr(module, name, None)
        if original is not None:
            put(module, name, _telling(original, f"{library}.{name}", lambda what, _: drawn(what)))
    for name in _SETS[library]:
        original = getattr(module, name, None)
        if original is not None:
            told = functools.partial(seeded, library) if name in _SEEDS else None
            put(module, name, _after(original, applied, told))


def _watch_keys(module: Any, library: str, names: list[str], drawn: Callable[[str], None]) -> None:
    for name in names:
        original = getattr(module, name, None)
        if original is not None:
            put(
                module,
                name,
                _telling(original, f"{library}.{name}", lambda what, args: None if _traced(args) else drawn(what)),
            )


def _traced(args: tuple[Any, ...]) -> bool:
    """Whether this is no draw: a function is being compiled."""
    return any(base.__name__ == "Tracer" for value in args for base in type(value).__mro__)


def _telling(original: Any, name: str, drawn: Callable[[str, tuple[Any, ...]], None]) -> Any:
    @functools.wraps(original)
    def own(*args: Any, **kwargs: Any) -> Any:
        where = direct(sys._getframe(1))
        if where is not None:
            drawn(f"{name} {where}", args)
        return original(*args, **kwargs)

    return own


def _after(original: Any, applied: Callable[[], None], seeded: Callable[[str, str], None] | None = None) -> Any:
    @functools.wraps(original)
    def own(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        where = from_any(sys._getframe(1))
        if where is not None:
            if seeded is not None:
                seeded(where, repr((args, kwargs))[:80])
            applied()
        return found

    return own


def _watch_loading(applied: Callable[[], None]) -> None:
    import torch

    for owner in (torch.nn.Module, torch.optim.Optimizer):
        owner.load_state_dict = _after(owner.load_state_dict, applied)
