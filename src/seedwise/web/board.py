"""What is shown now, shared by the thread that follows the runs and the server that tells browsers."""

import contextvars
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import SeedwiseError
from ..reports.html.content import Page
from ..reports.html.updates import changes, is_built_alike, state_of
from ..reports.html.writing import as_json, laid_out
from .following import Following, Now

LOOK = 1.0
"""Seconds between two looks at the store."""
QUICKEST = 2.0
"""Seconds from one page to the next, at least."""
SHARE = 0.1
"""At most so much of the time goes into making pages: one that takes a second is made every ten seconds."""
_KEPT = 50


@dataclass(frozen=True)
class Shown:
    """A state of the page. Versions count up from 1."""

    version: int
    page: Page
    state: dict[str, Any]
    as_of: str


class Board:
    """The newest state and what led to it. Any thread may ask."""

    def __init__(self) -> None:
        self._lock, self._laying_out = threading.Lock(), threading.Lock()
        self._html: tuple[int, str] = (0, "")
        self._watchers = 0
        self._steps: deque[tuple[int, str | None]] = deque(maxlen=_KEPT)
        """Versions with what leads to them, as JSON; None where nothing does but loading the page again."""
        self.shown: Shown | None = None
        self.now = Now("", 0, 0)

    def put(self, page: Page) -> None:
        """Show another state."""
        state = state_of(page)
        before = self.shown
        number = 1 if before is None else before.version + 1
        as_of = f"Pictures and tables: as of {time.strftime('%H:%M:%S')}."
        if before is not None:
            alike = is_built_alike(before.state, state)
            told = changes(before.state, state) if alike else None
            if told == []:
                return
            text = None if told is None else as_json({"version": number, "as_of": as_of, "changes": told})
            with self._lock:
                self._steps.append((number, text))
        self.shown = Shown(number, page, state, as_of)

    def since(self, version: int) -> list[str] | None:
        """What leads from a version to the newest, as JSON, one text a step; None where the page has to be loaded again."""
        shown = self.shown
        if shown is None or version > shown.version:
            return None
        with self._lock:
            steps = [(number, text) for number, text in self._steps if version < number <= shown.version]
        texts = [text for _, text in steps if text is not None]
        whole = [number for number, _ in steps] == list(range(version + 1, shown.version + 1))
        return texts if whole and len(texts) == len(steps) else None

    def html(self) -> str:
        """The whole page. It is laid out once for each state."""
        shown = self.shown
        assert shown is not None
        with self._laying_out:
            if self._html[0] != shown.version:
                data = {**shown.state["data"], "live": {"version": shown.version, "as_of": shown.as_of}}
                self._html = shown.version, laid_out(shown.page, as_json(data))
            return self._html[1]

    def come(self) -> None:
        """A browser listens from now on."""
        with self._lock:
            self._watchers += 1

    def leave(self) -> None:
        """One browser less listens."""
        with self._lock:
            self._watchers -= 1

    @property
    def is_watched(self) -> bool:
        """Whether any browser listens."""
        return self._watchers > 0


class Follower(threading.Thread):
    """The thread that follows the runs and puts what it sees on a board.

    It does so only while somebody looks, and never makes pages in more than a tenth of the time.
    """

    def __init__(self, follow: Callable[[], Following], board: Board) -> None:
        super().__init__(name="seedwise-follower", daemon=True)
        self._follow, self._board = follow, board
        self._context = contextvars.copy_context()  # messages are worded for the command line, or for Python
        self._ended, self._ready = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._following: Following | None = None
        self._due = 0.0
        self._stale, self._lacking = True, ""

    def begin(self) -> None:
        """Start, and wait for the first page. Raises what reading the store and making the page raise."""
        self.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Stop following."""
        self._ended.set()
        self.join(10)

    def folder_of(self, part: int, seed: int) -> Path | None:
        """Where a run's log is; None if there is no such run."""
        return None if self._following is None else self._following.folder_of(part, seed)

    def run(self) -> None:
        """Follow until `end`."""
        self._context.run(self._run)

    def _run(self) -> None:
        try:
            self._following = self._follow()
            self._following.look()
            self._board.now = self._following.now()
            self._make(self._following)
        except BaseException as error:  # noqa: BLE001 (it is raised where `begin` waits)
            self._error = error
            return
        finally:
            self._ready.set()
        while not self._ended.wait(LOOK):
            self._look(self._following)
        self._following.close()

    def _look(self, following: Following) -> None:
        """One step. What goes wrong is said on the page, and tried again: the store may be out of reach for a while."""
        try:
            self._step(following)
        except Exception as error:  # noqa: BLE001 (a page that silently stands still would be worse)
            self._say(Now(f"The runs cannot be read: {_told(error)}.", 0, 0))

    def _step(self, following: Following) -> None:
        if not self._board.is_watched:
            return
        self._stale |= following.look()
        if self._stale and time.monotonic() >= self._due:
            self._make(following)
        now = following.now()
        self._say(replace(now, said=f"{now.said} {self._lacking}") if self._lacking else now)

    def _say(self, now: Now) -> None:
        if not now.is_like(self._board.now):
            self._board.now = now

    def _make(self, following: Following) -> None:
        """Make the page anew. Where there can be none, as of experiments without a metric in common, the old one stays."""
        began = time.thread_time()
        self._stale, self._lacking = False, ""
        try:
            self._board.put(following.page())
        except Exception as error:
            if self._board.shown is None:
                raise
            self._lacking = f"Pictures and tables stand still: {_told(error)}."
        took = time.thread_time() - began if self._ready.is_set() else 0.0  # the first page loads libraries
        self._due = time.monotonic() + max(QUICKEST, took / SHARE)


def _told(error: Exception) -> str:
    if isinstance(error, SeedwiseError | sqlite3.Error | OSError):
        return str(error)
    return f"a fault in Seedwise itself: {type(error).__name__}: {error}; please report it"
