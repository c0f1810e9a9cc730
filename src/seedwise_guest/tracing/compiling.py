"""Replaces a library's functions.

While torch compiles, it puts the real ones back, because torch's compiler knows only these.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

_standing: dict[tuple[int, str], _Place] = {}
_compiled = [False]


class _Place:
    """One name of an owner, and what stands there: each layer with what it covers, the newest last."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner, self.name = owner, name
        self.in_place = name in vars(owner)
        self.layers: list[tuple[Any, Any]] = []

    @property
    def newest(self) -> Any:
        return self.layers[-1][0]

    def is_ours(self) -> bool:
        """Whether nobody else has replaced it since."""
        return getattr(self.owner, self.name, None) is self.newest

    def show(self, original: Any) -> None:
        """Put back what was there at first."""
        if self.in_place:
            setattr(self.owner, self.name, original)
        else:
            delattr(self.owner, self.name)

    def restore(self) -> None:
        if self.is_ours():
            self.show(self.layers[0][1])


def put(owner: Any, name: str, own: Any) -> None:
    """Put `own` in the place of `owner.name`."""
    if _compiled[0] and _is_torch(owner):
        return
    place = _standing.get((id(owner), name)) or _Place(owner, name)
    original = getattr(owner, name)
    try:
        setattr(owner, name, own)
    except (AttributeError, TypeError):
        return
    place.layers.append((own, original))
    _standing[id(owner), name] = place


def take_back(owner: Any, name: str, own: Any) -> None:
    """Put back what `own` covers, if `own` is what stands in its place. Otherwise it stays, under what covers it."""
    place = _standing.get((id(owner), name))
    if place is None or place.newest is not own or not place.is_ours():
        return
    _, below = place.layers.pop()
    if place.layers:
        setattr(owner, name, below)
    else:
        place.show(below)
        del _standing[id(owner), name]


def step_aside_for_compilers(torch: Any) -> None:
    """Put torch's own functions back while TorchScript reads a function.

    When `torch.compile` is used, put them back for good.
    """

    def aside(original: Callable[..., Any], for_good: bool) -> Callable[..., Any]:
        @functools.wraps(original)
        def own(*args: Any, **kwargs: Any) -> Any:
            mine = [place for place in _standing.values() if _is_torch(place.owner)]
            for place in mine:
                place.restore()
            if for_good:
                _compiled[0] = True
                for place in mine:
                    _standing.pop((id(place.owner), place.name), None)
                return original(*args, **kwargs)
            if original.__name__ == "script":
                kwargs["_frames_up"] = kwargs.get("_frames_up", 0) + 1  # names are looked up in the caller's frame
            try:
                return original(*args, **kwargs)
            finally:
                for place in mine:
                    setattr(place.owner, place.name, place.newest)

        return own

    for owner, name, for_good in ((torch.jit, "script", False), (torch.jit, "trace", False), (torch, "compile", True)):
        if hasattr(owner, name):
            setattr(owner, name, aside(getattr(owner, name), for_good))


def _is_torch(owner: Any) -> bool:
    return str(getattr(owner, "__module__", None) or getattr(owner, "__name__", "")).partition(".")[0] == "torch"
