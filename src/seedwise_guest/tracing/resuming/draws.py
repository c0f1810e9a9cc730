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
_SETS = {
    "random": ["seed", "setstate"],
    "numpy.random": ["seed", "set_state"],
    "torch": ["manual_seed", "set_rng_state"],
}


def watch_draws(drawn: Callable[[str], None], applied: Callable[[], None]) -> None:
    """Call `drawn(what)` before each draw by a line of the user's, and `applied()` after a state was set."""
    for library in _DRAWS:
        when_imported(library, lambda module, library=library: _replace(module, library, drawn, applied))  # type: ignore[misc]
    when_imported("torch", lambda module: _watch_loading(applied))


def _replace(module: Any, library: str, drawn: Callable[[str], None], applied: Callable[[], None]) -> None:
    for name in _DRAWS[library]:
        original = getattr(module, name, None)
        if original is not None:
            put(module, name, _telling(original, f"{library}.{name}", drawn))
    for name in _SETS[library]:
        original = getattr(module, name, None)
        if original is not None:
            put(module, name, _after(original, applied))


def _telling(original: Any, name: str, drawn: Callable[[str], None]) -> Any:
    @functools.wraps(original)
    def own(*args: Any, **kwargs: Any) -> Any:
        where = direct(sys._getframe(1))
        if where is not None:
            drawn(f"{name} {where}")
        return original(*args, **kwargs)

    return own


def _after(original: Any, applied: Callable[[], None]) -> Any:
    @functools.wraps(original)
    def own(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        if from_any(sys._getframe(1)) is not None:
            applied()
        return found

    return own


def _watch_loading(applied: Callable[[], None]) -> None:
    import torch

    for owner in (torch.nn.Module, torch.optim.Optimizer):
        owner.load_state_dict = _after(owner.load_state_dict, applied)
