"""Lets some sources of randomness vary while every other one draws what it draws in a plain run.

Each draw is made as the script makes it, so that every generator moves as in a plain run. For a source that varies the
draw is then made once more, from a start that depends on its seed, on its name, and on where the script's own
generator stands; only this second draw counts. So what is held is, bit for bit, what plain Python gives.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Container, Mapping
from typing import Any, Callable
from zlib import crc32

from ..streams import derive
from .attribution import IMPORT, WORKERS, Attribution
from .positions import Positions, is_checked

_MOST_LINES = 500
_MOST_UNSEEN = 20
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
    look
        A number for the state as it is now, found quickly. By default it is computed from the bytes.
    """

    __slots__ = ("digest", "is_seen", "left_at", "look", "name", "put", "start", "take")

    def __init__(
        self,
        name: str,
        take: Callable[[], Any],
        put: Callable[[Any], object],
        start: Callable[[int], object],
        digest: Callable[[Any], bytes],
        look: Callable[[], int] | None = None,
    ) -> None:
        self.name, self.take, self.put, self.start, self.digest = name, take, put, start, digest
        self.look = look or self._look_at_all
        self.is_seen = False
        """Whether a draw was seen."""
        self.left_at: int | None = None
        """Where the last draw that was seen left a global generator. None if this is not known."""

    def _look_at_all(self) -> int:
        """A number for the whole state."""
        return crc32(self.digest(self.take()))


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
    """What one source has drawn: how often, from which lines, and where the generators stood."""

    __slots__ = ("count", "lines", "more", "positions")

    def __init__(self) -> None:
        self.count = 0
        self.lines: dict[str, int] = {}
        self.more = 0
        self.positions = Positions()

    def as_dict(self, ends_only: bool) -> dict[str, Any]:
        """Plain values, for JSON."""
        positions = self.positions.as_dict(ends_only)
        return {"count": self.count, "lines": self.lines, "more": self.more, "positions": positions}


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
        self._globals: dict[str, Handle] = {}
        self.before_each_draw: Callable[[], object] = lambda: None
        self.begin_again(seeds, corrections)

    def begin_again(self, seeds: Mapping[str, int], corrections: Mapping[str, str]) -> None:
        """Begin a run: nothing is drawn yet."""
        self._seeds = dict(seeds)
        self._attribution = Attribution(corrections)
        self.not_apart: set[str] = set()
        """What draws in a place where sources cannot be kept apart."""
        self._forget()
        self._is_first = True
        self.before_each_draw = lambda: None

    def _forget(self) -> None:
        self._inside = threading.local()
        self.drawn: dict[str, Drawn] = {}
        self._stood: set[int] = set()
        """Where global generators have stood. They may be put back there."""
        self._unseen: dict[str, list[str]] = {}
        self._seedings: dict[tuple[str, str], int] = {}
        self._drawn_at: dict[tuple[str, str], int] = {}
        for handle in self._globals.values():
            handle.left_at, handle.is_seen = None, False

    def follow(self, generator: str, handle: Handle) -> None:
        """Notice draws from a global generator that are not seen as draws, from now on.

        `generator` is its name in the ledger. Until its first draw that is seen, or its first seed, its place is not
        known: while a library is imported, global generators stand elsewhere.
        """
        self._globals[generator] = handle

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
            self.before_each_draw()
            drawn = self._note(source, place)
            if handle is None:
                self.not_apart.add("a device whose generator Seedwise cannot follow")
                return call()
            handle.is_seen = True
            if not is_checked(drawn.count):
                handle.left_at = None
                return self._made(handle, source, call, rehearse)
            state = handle.look()
            self._look_for_others(handle, state, place)
            if source not in self._seeds:
                drawn.positions.add(drawn.count, state)
            try:
                return self._made(handle, source, call, rehearse)
            finally:
                self._leave(handle)
        finally:
            self._inside.yes = False

    def _made(self, handle: Handle, source: str, call: Callable[[], Any], rehearse: Callable[[], object] | None) -> Any:
        """The draw that counts: as it is, or made once more where its source varies."""
        seed = self._seeds.get(source)
        if seed is None:
            return call()
        before = handle.digest(handle.take())
        (rehearse or call)()
        after = handle.take()
        handle.start(derive(seed, "source", source, handle.name, _short(before), bits=_BITS))
        try:
            return call()
        finally:
            handle.put(after)

    def aside(self, call: Callable[[], Any]) -> Any:
        """Call something whose draws are part of another draw, and are not seen."""
        before = getattr(self._inside, "yes", False)
        self._inside.yes = True
        try:
            return call()
        finally:
            self._inside.yes = before

    def draw_with_key(
        self,
        library: str,
        usual: str,
        key: Any,
        call: Callable[[Any], Any],
        fold: Callable[[Any, int], Any],
        look: Callable[[Any], int],
    ) -> Any:
        """Make a draw that depends on a key alone, and moves no generator.

        Parameters
        ----------
        library, usual
            Names of the library, and of the source if no caller tells one.
        call
            `call(key)` draws.
        fold
            `fold(key, number)` gives another key. Where the source varies, the draw takes that one.
        look
            A number for the key.
        """
        if getattr(self._inside, "yes", False):
            return call(key)
        self._inside.yes = True
        try:
            source, place = self._attribution.of(sys._getframe(2), usual)
            if source == IMPORT:
                return call(key)
            self.before_each_draw()
            drawn = self._note(source, place)
            seed = self._seeds.get(source)
            if seed is not None:
                return call(fold(key, derive(seed, "source", source, library, bits=31)))
            if is_checked(drawn.count):
                drawn.positions.add(drawn.count, look(key))
            return call(key)
        finally:
            self._inside.yes = False

    def _leave(self, handle: Handle) -> None:
        handle.left_at = handle.look()
        self._stood.add(handle.left_at)

    def _look_for_others(self, handle: Handle, state: int, place: str) -> None:
        """Note it if somebody has drawn who was not seen, since the last draw from a global generator."""
        if handle.left_at in (None, state) or state in self._stood or threading.active_count() > 1:
            return
        self._stood.add(state)
        places = self._unseen.setdefault(handle.name, [])
        if place not in places and len(places) < _MOST_UNSEEN:
            places.append(place)

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
        if generator in self._globals:
            self._globals[generator].left_at = None
        if not self._is_first:
            return
        key, now = (place, generator), sum(drawn.count for drawn in self.drawn.values())
        if self._drawn_at.get(key) == now:  # a library's function that seeds a generator twice
            return
        self._drawn_at[key] = now
        if key in self._seedings or len(self._seedings) < _MOST_LINES:
            self._seedings[key] = self._seedings.get(key, 0) + 1

    def was_seeded(self, generator: str) -> None:
        """A global generator has got its seed."""
        if generator in self._globals:
            self._leave(self._globals[generator])

    def forked(self) -> None:
        """Call this in a forked child: it counts its own draws."""
        self._forget()
        self._is_first = False

    def as_dict(self, moved: Container[str] = ()) -> dict[str, Any]:
        """Plain values, for JSON. A DataLoader's seed for its workers is left out.

        Parameters
        ----------
        moved
            The global generators that have moved and were never seeded, by their names in the ledger.
        """
        for generator, handle in self._globals.items():
            self._look_for_others(handle, handle.look(), "")
            if generator in moved and not handle.is_seen:
                self._unseen.setdefault(handle.name, [])
        seedings: dict[str, int] = {}
        for (place, _), n in self._seedings.items():
            seedings[place] = max(n, seedings.get(place, 0))
        return {
            "pid": os.getpid(),
            "sources": {
                name: drawn.as_dict(not self._is_first) for name, drawn in self.drawn.items() if name != WORKERS
            },
            "not_apart": sorted(self.not_apart),
            "unseen": self._unseen,
            "seedings": seedings,
            "corrected": sorted(self._attribution.used),
        }


def _short(state: bytes) -> str:
    from hashlib import sha256

    return sha256(state).hexdigest()[:32]
