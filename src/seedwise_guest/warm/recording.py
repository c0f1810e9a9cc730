"""Watching the imports of a fresh run: which of them may be made before the run begins?"""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from dataclasses import dataclass, field
from typing import Any, Callable, cast

from ..frames import is_user_file
from ..imports import belongs_to_user, is_standard, wrap_imports
from . import state


@dataclass
class _Import:
    name: str
    above: _Import | None
    state: int
    drawn: tuple[object, ...]
    threads: int
    files: frozenset[str]
    drew: tuple[object, ...]
    asked: int = 0
    warned: int = 0
    draws: bool = False
    """Whether it draws where that has no effect once the outermost import is through: see `AtImport`."""
    below: list[_Import] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    users: bool = False
    """A module of the user's, as far as its name tells."""
    reason: str = ""
    """Why it must be made in each run itself; "" if it need not."""
    guilty: str = ""


class Recording:
    """The imports of this process, as a tree.

    Parameters
    ----------
    drawn
        Returns something that changes when a generator is drawn from.
    asked
        Returns how often what differs from run to run was asked for: the command line, the seed's variable, the file with
        the seed in it.
    drew
        Returns what libraries have drawn so far, in the outermost import that is going on, to no effect outside it.
    announce
        Called with name and state of each import of a library that begins in the user's own code, so that a warm parent
        can make it at the same time.
    """

    def __init__(
        self,
        drawn: Callable[[], tuple[object, ...]],
        announce: Callable[[str, dict[str, Any]], None] = lambda name, state: None,
        asked: Callable[[], int] = lambda: 0,
        drew: Callable[[], tuple[object, ...]] = lambda: (),
    ) -> None:
        self._drawn = drawn
        self._asked = asked
        self._drew = drew
        self._announce = announce
        self._states: list[dict[str, Any]] = []
        self._top: list[_Import] = []
        self._now: _Import | None = None
        self._latest: tuple[tuple[object, ...], int, frozenset[str], tuple[object, ...]] | None = None
        self._born: dict[object, object] = {}
        self._thread = threading.get_ident()
        self._undo = wrap_imports(self._begin, self._end)
        self._warned = 0
        """How many warnings named a line of the user's: the one that imports, which a parent has not."""
        self._warnings: Any = cast(Any, warnings)
        self._show = self._warnings._showwarnmsg
        self._warnings._showwarnmsg = self._see_warning

    def _see_warning(self, message: Any) -> None:
        if is_user_file(str(message.filename)):
            self._warned += 1
        self._show(message)

    def stop(self) -> None:
        """Watch no longer."""
        self._undo()
        self._warnings._showwarnmsg = self._show

    def _begin(self, name: str) -> _Import | None:
        if threading.get_ident() != self._thread:
            return None
        now = state.take()
        if not self._states or (self._states[-1] is not now and self._states[-1] != now):
            self._states.append(now)
        if self._now is None or self._latest is None:
            self._latest = (self._drawn(), count_threads(), open_files(), self._drew())
        # inside another import, what was seen last: should the code in between have drawn, the outer one is to blame too
        new = _Import(name, self._now, len(self._states) - 1, *self._latest, asked=self._asked(), warned=self._warned)
        if new.above is None or new.above.users:
            new.users = belongs_to_user(name)
            if not new.users and not is_standard(name):
                self._announce(name, now)
        self._now = new
        return new

    def _end(self, new: _Import | None, ok: bool) -> None:
        if new is None or self._now is not new:
            return
        self._now = new.above
        (self._top if new.above is None else new.above.below).append(new)
        new.names = [new.name, *[name for inner in new.below for name in inner.names]]
        new.reason, new.guilty = self._judge(new, ok)

    def _judge(self, new: _Import, ok: bool) -> tuple[str, str]:
        for inner in new.below:
            if inner.reason:
                return inner.reason, inner.guilty
        self._latest = (self._drawn(), count_threads(max(1, new.threads)), open_files(), self._drew())
        new.draws = self._latest[3] != new.drew
        module = sys.modules.get(new.name)
        if ok and module is None:
            return "takes itself out of sys.modules", new.name
        if module is not None and not _is_library(new.name, module):
            return "is the user's own", new.name
        if self._asked() > new.asked:
            return "reads what differs from run to run", new.name
        if self._warned > new.warned:
            return "warns of the line that imports it", new.name
        if not ok:
            return "", ""
        drawn, threads, files, _ = self._latest
        if self._moved(new.drawn, drawn):
            return "draws from a generator", new.name
        if threads > max(1, new.threads):
            return "starts threads", new.name
        opened = files - new.files
        if any(path.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")) for path in opened):
            return "opens a GPU", new.name
        if any(not path.startswith(("/proc/", "/sys/", "/dev/")) for path in opened):
            return "keeps a file open", new.name
        if state.take()["fixed"] != self._states[new.state]["fixed"]:
            return "changes settings of the process", new.name
        return "", ""

    def _moved(self, before: tuple[object, ...], now: tuple[object, ...]) -> bool:
        """Whether a generator moved; of one that came into being meanwhile, since it was first seen."""
        known = {part[0]: part[1] for part in before[1:]}  # type: ignore[index]
        for part in now[1:]:
            name, digest = part[0], part[1]  # type: ignore[index]
            if name not in known:
                known[name] = self._born.setdefault(name, digest)
            if digest != known[name]:
                return True
        return now[0] != before[0]

    def born(self, name: str, digest: object) -> None:
        """A generator was started: what it looks like before anything is drawn."""
        self._born[name] = digest

    def as_message(self) -> dict[str, Any]:
        """What a warm parent needs to know: units in order, with the states they begin in; and what is left to each run."""
        units: list[dict[str, Any]] = []
        left: dict[str, str] = {}

        def visit(node: _Import) -> None:
            outermost = node.above is None or node.above.users
            if not node.reason and (outermost or not node.draws):
                units.append({"name": node.name, "state": node.state, "names": node.names})
                return
            if not node.reason and not any(inner.draws for inner in node.below):
                left.setdefault(node.name, "draws from a generator")
            if node.guilty and node.reason != "is the user's own":
                left.setdefault(node.guilty, node.reason)
            for inner in node.below:
                visit(inner)

        for node in self._top:
            visit(node)
        return {"states": self._states, "units": units, "left": left}


def _is_library(name: str, module: Any) -> bool:
    """Of the standard library or installed; neither the user's nor Seedwise's."""
    if name.partition(".")[0] in ("seedwise", "seedwise_guest", "__main__", "sitecustomize", "usercustomize"):
        return False
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    if origin in (None, "built-in", "frozen"):
        folders = list(getattr(module, "__path__", ()))
        return not any(is_user_file(os.path.join(folder, "x.py")) for folder in folders)
    return not is_user_file(str(origin))


_SAFE = "jemalloc_bg_thd" if sys.version_info < (3, 12) else ""
"""PyArrow's allocator has a thread that it ends by itself in a child: its pthread_atfork handler resets it (jemalloc,
`background_thread_postfork_child`). From 3.12 on Python warns of forks beside any thread, in a fresh run but not in a forked one."""


def count_threads(expected: int = sys.maxsize) -> int:
    """Threads that a fork would lose; where there are more than `expected`, looked at twice: a new one has no name yet."""
    try:
        tasks = os.listdir("/proc/self/task")
    except OSError:
        return threading.active_count()
    if len(tasks) == 1:
        return 1
    count = len(tasks) - sum(_name_of(task) == _SAFE for task in tasks)
    if count <= expected:
        return count
    time.sleep(0.02)
    return count_threads()


def _name_of(task: str) -> str:
    try:
        with open(f"/proc/self/task/{task}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""  # it has ended


_last_files: tuple[list[str], frozenset[str]] = ([], frozenset())


def open_files() -> frozenset[str]:
    """Paths that are open; looked at again when the descriptors are others than before."""
    global _last_files
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return frozenset()
    if numbers != _last_files[0]:
        found = []
        for name in numbers:
            try:
                found.append(os.readlink(f"/proc/self/fd/{name}"))
            except OSError:
                continue
        _last_files = (numbers, frozenset(p for p in found if p.startswith("/") and not p.startswith("/proc/")))
    return _last_files[1]
