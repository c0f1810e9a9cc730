"""Files that the program looks for, does not find, and then writes: its next run will find them."""

from __future__ import annotations

import os
import stat
import sys
from typing import Any

from ..process import spool
from ..process.capture import opens_for_writing
from .callers import from_any
from .facts import Facts
from .replaced_builtins import StandIn

_MOST = 2_000


class LookedFor:
    """Tells the host of each such file, with the line that looked for it."""

    def __init__(self) -> None:
        self._stat = os.stat
        self._missing: dict[str, str] = {}
        self._told: set[str] = set()

    def watch(self, facts: Facts) -> None:
        """Watch `os.stat`, by which `os.path.exists` and `pathlib` look, and every file that is opened or renamed.

        Libraries also write files in C++, without a word to Python: so it is looked at the end what is there.
        """
        look = self._stat

        def own(path: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return look(path, *args, **kwargs)
            except FileNotFoundError:
                self._lacks(path, sys._getframe(2))
                raise

        os.stat = StandIn(look, own)
        facts.at_end(self._at_end)
        sys.addaudithook(self._audit)

    def _lacks(self, path: Any, frame: Any) -> None:
        if len(self._missing) < _MOST and isinstance(path, (str, os.PathLike)):
            where = from_any(frame)
            if where is not None:
                self._missing.setdefault(os.path.abspath(os.fsdecode(path)), where)

    def _written(self, path: Any) -> None:
        if not self._missing or not isinstance(path, (str, os.PathLike)):
            return
        self._tell(os.path.abspath(os.fsdecode(path)))

    def _tell(self, full: str) -> None:
        if full in self._missing and full not in self._told:
            self._told.add(full)
            spool.send("looked", path=full, where=self._missing[full])

    def _at_end(self) -> None:
        for full in list(self._missing):
            try:
                there = stat.S_ISREG(self._stat(full).st_mode)
            except OSError:
                continue
            if there:
                self._tell(full)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename":
            self._written(arguments[1])
        elif event == "open":
            path, mode, flags = arguments
            if opens_for_writing(mode, flags):
                self._written(path)
            elif isinstance(path, str) and path and not path.endswith((".pyc", ".py", ".so")) and path[0] != "<":
                self._look(path)

    def _look(self, path: str) -> None:
        try:
            self._stat(path)
        except OSError:
            self._lacks(path, sys._getframe(2))
