"""Notes what a checked program does that could make two runs differ, with the first line that does it."""

from __future__ import annotations

from os import getpid  # before it is watched
from typing import Any

from ..process import spool


class Facts:
    """What the program did that could make it differ: for each, the first line of the user's that did it."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._on = True
        self._pid = getpid()

    def note(self, what: str, where: str | None) -> None:
        """`where` is None for a call that is not the user's."""
        if where is not None and self._on:
            if what not in self._first and getpid() != self._pid:
                spool.send("fact", what=what, where=where)  # a worker may be killed before it can tell
            self._first.setdefault(what, where)

    def stop(self) -> None:
        """The program is over; what happens now is ours."""
        self._on = False

    def as_dict(self) -> dict[str, Any]:
        return dict(self._first)
