"""Replaces a library's functions.

While torch compiles, it puts the real ones back, because torch's compiler knows only these.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

_standing: dict[tuple[int, str], tuple[Any, str, Any, Any, bool]] = {}
_compiled = [False]


def put(owner: Any, name: str, own: Any) -> None:
    """Put `own` in the place of `owner.name`."""
    if _compiled[0] and _is_torch(owner):
        return
    original, in_place = getattr(owner, name), name in vars(owner)
    try:
        setattr(owner, name, own)
    except (AttributeError, TypeError):
        return
    key = id(owner), name
    first = _standing.get(key)
    _standing[key] = (owner, name, own, first[3] if first else original, first[4] if first else in_place)


def take_back(owner: Any, name: str) -> None:
    """Put the original back, if our function is still in its place."""
    found = _standing.pop((id(owner), name), None)
    if found is not None:
        _restore(found)


def _restore(found: tuple[Any, str, Any, Any, bool]) -> None:
    owner, name, own, original, in_place = found
    if getattr(owner, name, None) is own:
        if in_place:
            setattr(owner, name, original)
        else:
            delattr(owner, name)


def step_aside_for_compilers(torch: Any) -> None:
    """Put torch's own functions back while TorchScript reads a function.

    When `torch.compile` is used, put them back for good.
    """

    def aside(original: Callable[..., Any], for_good: bool) -> Callable[..., Any]:
        @functools.wraps(original)
        def own(*args: Any, **kwargs: Any) -> Any:
            mine = [found for found in _standing.values() if _is_torch(found[0])]
            for found in mine:
                _restore(found)
            if for_good:
                _compiled[0] = True
                for found in mine:
                    _standing.pop((id(found[0]), found[1]), None)
                return original(*args, **kwargs)
            if original.__name__ == "script":
                kwargs["_frames_up"] = kwargs.get("_frames_up", 0) + 1  # names are looked up in the caller's frame
            try:
                return original(*args, **kwargs)
            finally:
                for owner, name, stand_in, _, _ in mine:
                    setattr(owner, name, stand_in)

        return own

    for owner, name, for_good in ((torch.jit, "script", False), (torch.jit, "trace", False), (torch, "compile", True)):
        if hasattr(owner, name):
            setattr(owner, name, aside(getattr(owner, name), for_good))


def _is_torch(owner: Any) -> bool:
    return str(getattr(owner, "__module__", None) or getattr(owner, "__name__", "")).partition(".")[0] == "torch"
