"""Notes what a checked program does that could make two runs differ, with the user's first line that does it."""

from __future__ import annotations

from os import getpid  # before it is watched
from typing import Any, Callable

from ..process import spool


class Facts:
    """What the program did that could make two runs differ. For each kind: the user's first line that did it."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._on = True
        self._pid = getpid()
        self._at_end: list[Callable[[], None]] = []

    def at_end(self, action: Callable[[], None]) -> None:
        """Call `action()` before the noting stops."""
        self._at_end.append(action)

    def note(self, what: str, where: str | None) -> None:
        """Note one thing. `where` is None for a call that the user's code did not make; such a call is not noted."""
        if where is not None and self._on:
            if what not in self._first and getpid() != self._pid:
                spool.send("fact", what=what, where=where)  # a worker may be killed before it can tell
            self._first.setdefault(what, where)

    def stop(self) -> None:
        """Stop noting: the program has ended, and what happens now is Seedwise's own work."""
        for action in self._at_end:
            action()
        self._on = False

    def as_dict(self) -> dict[str, Any]:
        return dict(self._first)
