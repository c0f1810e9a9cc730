"""What a warm parent may write: nothing. It sees the user's own files; an import that writes is made by each run, in its private view.

What a program does that an import starts is not seen.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import Any

from .. import spool
from ..capture import opens_for_writing

_CHANGES = frozenset(
    "os.chmod os.chown os.link os.remove os.rename os.rmdir os.symlink os.truncate os.utime shutil.rmtree sqlite3.connect".split()
)


class Writes:
    """Refuses to write from now on, but for an empty folder, which a library may want for its settings or its cache.

    Such a folder is gone again when the import is through; each run makes it where it is handed what was imported.
    """

    def __init__(self) -> None:
        self.refused: list[str] = []
        self._wanted: list[tuple[str, int]] = []
        self._watching = True
        sys.addaudithook(self._audit)

    def stop(self) -> None:
        """Refuse nothing any more: this process has become a run, or only forks."""
        self._watching = False

    def folders(self) -> list[tuple[str, int]]:
        """The folders made since this was last asked, outermost first, with their modes; they are removed."""
        wanted, self._wanted = self._wanted, []
        made = []
        for path, mode in wanted:
            if os.path.isdir(path) and (path, mode) not in made:
                made.append((path, mode))
        made.sort(key=lambda folder: len(folder[0]))
        self._watching = False
        for path, _ in reversed(made):
            with contextlib.suppress(OSError):  # somebody has put something into it
                os.rmdir(path)
        self._watching = True
        return made

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._watching:
            return
        if event == "open":
            path, mode, flags = arguments
            if not opens_for_writing(mode, flags):
                return
        elif event in _CHANGES or event == "os.mkdir":
            path = arguments[0]
        else:
            return
        place = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
        if not place or "__pycache__" in place or place.startswith(("/dev/", "/proc/", spool.folder())):
            return
        caller = sys._getframe(1).f_code.co_name
        if caller == "_get_default_tempdir":
            return  # `tempfile.gettempdir()` looks whether it may write, and leaves nothing; a run's own /tmp has the same name
        if event == "os.mkdir" and arguments[2] == -1 and caller != "mkdtemp":  # whose name must be another in each run
            if not os.path.lexists(place):
                self._wanted.append((os.path.abspath(place), stat.S_IMODE(arguments[1])))
            return
        self.refused.append(place)
        raise PermissionError(13, "a warm parent writes no files", place)
