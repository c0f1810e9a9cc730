"""Lets some sources of randomness vary while every other one draws what it draws in a plain run.

Each draw is made as the script makes it, so that every generator moves as in a plain run. For a source that varies the
draw is then made once more, from a start that depends on its seed, on its name, and on where the script's own
generator stands; only this second draw counts. So what is held is, bit for bit, what plain Python gives.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, Callable

from ..streams import derive
from .attribution import IMPORT, WORKERS, Attribution

_MOST_LINES = 500
_BITS = 63


class Handle:
    """One generator: how its state is read, put back, and started from a number.

    Parameters
    ----------
    name
        Of the library.
    take, put, start
        `take()` gives the state, `put(state)` sets it, `start(number)` starts it from a number of 63 bits.
    digest
        The bytes of a state.
    """

    __slots__ = ("digest", "name", "put", "start", "take")

    def __init__(
        self,
        name: str,
        take: Callable[[], Any],
        put: Callable[[Any], object],
        start: Callable[[int], object],
        digest: Callable[[Any], bytes],
    ) -> None:
        self.name, self.take, self.put, self.start, self.digest = name, take, put, start, digest


def on_copies(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], Any] | None:
    """The call on copies of what it would overwrite; None if it has no arguments."""
    if not (args or kwargs):
        return None
    from copy import copy

    return lambda: call(*map(copy, args), **{k: copy(v) for k, v in kwargs.items()})


def drawing(
    apart: Apart, handle: Handle, usual: str, original: Callable[..., Any], overwrites: bool
) -> Callable[..., Any]:
    """A function that draws as `original` does, seen by `apart`.

    Parameters
    ----------
    usual
        The source for which it draws where nothing else says it.
    overwrites
        Whether it changes its arguments, as `shuffle` does.
    """

    def draw(*args: Any, **kwargs: Any) -> Any:
        rehearse = on_copies(original, args, kwargs) if overwrites else None
        return apart.draw(handle, usual, lambda: original(*args, **kwargs), rehearse)

    return draw


class Drawn:
    """What one source has drawn: how often, from which lines, and where the generators stood at some of the draws."""

    __slots__ = ("count", "lines", "more", "positions")

    def __init__(self) -> None:
        self.count = 0
        self.lines: dict[str, int] = {}
        self.more = 0
        self.positions: dict[str, str] = {}

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"count": self.count, "lines": self.lines, "more": self.more, "positions": self.positions}


class Apart:
    """The sources of this process.

    Parameters
    ----------
    seeds
        Source → seed, for the sources that vary.
    corrections
        `file:line` → source, as `Attribution` takes them.
    """

    def __init__(self, seeds: Mapping[str, int], corrections: Mapping[str, str]) -> None:
        self._seeds = dict(seeds)
        self._attribution = Attribution(corrections)
        self._inside = threading.local()
        self.drawn: dict[str, Drawn] = {}
        self.unseen: set[str] = set()
        """What draws in a place where sources cannot be kept apart."""
        self._seedings: dict[tuple[str, str], int] = {}
        self._drawn_at: dict[tuple[str, str], int] = {}
        self._is_first = True

    def draw(
        self,
        handle: Handle | None,
        usual: str,
        call: Callable[[], Any],
        rehearse: Callable[[], object] | None = None,
    ) -> Any:
        """Make a draw.

        Parameters
        ----------
        handle
            The generator that is drawn from. None if it cannot be followed: the draw is then counted, and stays as it
            is.
        usual
            The source if no caller tells one.
        call
            Makes the draw that counts.
        rehearse
            Moves the generator as `call` does and leaves nothing else behind. By default `call` itself.
        """
        if getattr(self._inside, "yes", False):
            return call()
        self._inside.yes = True
        try:
            source, place = self._attribution.of(sys._getframe(2), usual)
            if source == IMPORT:  # the same in every run, and not the script's
                return call()
            drawn = self._note(source, place)
            seed = self._seeds.get(source)
            if handle is None or seed is None:
                if handle is not None and not drawn.count & (drawn.count - 1):
                    drawn.positions[str(drawn.count)] = _short(handle.digest(handle.take()))
                return call()
            before = handle.digest(handle.take())
            (rehearse or call)()
            after = handle.take()
            handle.start(derive(seed, "source", source, handle.name, _short(before), bits=_BITS))
            try:
                return call()
            finally:
                handle.put(after)
        finally:
            self._inside.yes = False

    def _note(self, source: str, place: str) -> Drawn:
        drawn = self.drawn.get(source)
        if drawn is None:
            drawn = self.drawn[source] = Drawn()
        drawn.count += 1
        if place in drawn.lines or len(drawn.lines) < _MOST_LINES:
            drawn.lines[place] = drawn.lines.get(place, 0) + 1
        else:
            drawn.more += 1
        return drawn

    def seeded(self, generator: str, place: str) -> None:
        """A global generator was seeded at `place`. In a forked child nothing is noted: DataLoaders seed their workers."""
        if not self._is_first:
            return
        key, now = (place, generator), sum(drawn.count for drawn in self.drawn.values())
        if self._drawn_at.get(key) == now:  # a library's function that seeds a generator twice
            return
        self._drawn_at[key] = now
        if key in self._seedings or len(self._seedings) < _MOST_LINES:
            self._seedings[key] = self._seedings.get(key, 0) + 1

    def forked(self) -> None:
        """Call this in a forked child: it counts its own draws."""
        self.drawn, self._seedings = {}, {}
        self._inside = threading.local()
        self._is_first = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON. A DataLoader's seed for its workers is left out."""
        seedings: dict[str, int] = {}
        for (place, _), n in self._seedings.items():
            seedings[place] = max(n, seedings.get(place, 0))
        return {
            "pid": os.getpid(),
            "sources": {name: drawn.as_dict() for name, drawn in self.drawn.items() if name != WORKERS},
            "unseen": sorted(self.unseen),
            "seedings": seedings,
            "corrected": sorted(self._attribution.used),
        }


def _short(state: bytes) -> str:
    from hashlib import sha256

    return sha256(state).hexdigest()[:32]
