"""Where a training that has no optimizer goes on: lines that both programs run after the checkpoint.

The uninterrupted program wrote the checkpoint somewhere inside its functions. The lines of these functions that it runs next are
noted, each with the variables at this moment. The resumed program has read the checkpoint: when it comes to one of these
lines, its variables can be held against those. The first ones may come before all is put back, in a helper that both saves and
loads, say: so several are noted.
"""

from __future__ import annotations

import os
import sys
from types import CodeType, FrameType
from typing import Any

from ...process.frames import is_user_file
from .variables import variables

_MOST_LINES, _MOST_COMMON = 40, 10
_MOST_EVENTS, _MOST_IDLE = 1_000_000, 20_000
"""Calls and lines that are looked at, about a second: JAX makes hundreds of thousands of calls where it compiles. And lines one after
another of which none is new, once a line was noted: a loop turns."""


class LinesAfter:
    """Watches the lines that run after a checkpoint was written or read, for a short while.

    Parameters
    ----------
    known
        The lines that the uninterrupted program ran after it wrote the checkpoint; None: this is that program.
    """

    def __init__(self, known: frozenset[str] | None = None) -> None:
        self._known = known
        self._codes: set[str] = {line.rpartition(":")[0] for line in known or ()}
        self._events = self._idle = 0
        self._most = _MOST_LINES if known is None else _MOST_COMMON
        self._ended = False
        self._functions: set[str] = set()
        self._looked_at: dict[int, tuple[CodeType, set[int]]] = {}
        """By the code's address, for to compare codes takes long: the code, and its lines that were looked at."""
        self.seen: dict[str, dict[str, str | None]] = {}
        """Line → the variables at it. Of a line after the first, those that are others than at the first; None: it is gone."""

    def begin(self, frame: FrameType | None) -> None:
        """A checkpoint is written or read in this frame."""
        if sys.gettrace() is not None or self.seen or self._known == frozenset():
            return
        self._ended, self._idle = False, 0
        stack = []
        while frame is not None:
            if is_user_file(frame.f_code.co_filename):
                stack.append(frame)
            frame = frame.f_back
        if self._known is None:
            self._codes = {_name_of(one) for one in stack}
        self._functions = {code.rpartition(":")[2] for code in self._codes}
        for one in stack:
            if _name_of(one) in self._codes:
                one.f_trace = self._line
        sys.settrace(self._call)

    def end(self) -> None:
        """Watch no more."""
        self._ended = True
        if sys.gettrace() == self._call:
            sys.settrace(None)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        self._count()
        # most calls are of libraries: the name of the function alone tells them apart, and is quick to see
        is_named = frame.f_code.co_name in self._functions
        return self._line if is_named and _name_of(frame) in self._codes else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self._ended:
            frame.f_trace = None  # or it would go on where the program sets a tracer of its own
            return None
        self._count()
        _, lines = self._looked_at.setdefault(id(frame.f_code), (frame.f_code, set()))
        self._idle += bool(self.seen)
        if event == "line" and frame.f_lineno not in lines:
            self._idle = 0
            lines.add(frame.f_lineno)
            name = f"{_name_of(frame)}:{frame.f_lineno}"
            if self._known is None or name in self._known:
                self._note(name, frame)
        if self._idle > _MOST_IDLE or len(self.seen) >= self._most:
            self.end()
        return self._line

    def _count(self) -> None:
        self._events += 1
        if self._events > _MOST_EVENTS:
            self.end()

    def _note(self, name: str, frame: FrameType) -> None:
        try:
            found: dict[str, str | None] = dict(variables(frame, {}))
        except Exception:  # noqa: BLE001 (the program itself must go on)
            self.end()
            return
        first = next(iter(self.seen.values()), {})
        gone = dict.fromkeys(first.keys() - found.keys())
        self.seen[name] = {k: v for k, v in found.items() if first.get(k) != v or not first} | gone


def _name_of(frame: FrameType) -> str:
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_code.co_name}"
