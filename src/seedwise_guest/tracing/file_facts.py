"""What the system says of files besides their contents: inode, device, times. Held still, they are the same in every run."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Callable
from zlib import crc32

from .callers import direct
from .recording import Recording
from .replaced_builtins import StandIn

_DEVICE = 42
_THROUGH = ("genericpath.py", "posixpath.py", "tarfile.py", "zipfile.py")
"""Modules of the standard library that ask for the user's code, and tell it what they were told.

All others get the real facts: `shutil` holds a path against an open file.
"""


class FileFacts:
    """Gives the user's code an inode that follows from the path, one device, and times that follow from the order of writes."""

    def __init__(self, recording: Recording) -> None:
        self._began, self._now = time.time(), recording.first_time()
        self._times: dict[str, list[float]] = {}

    def hold(self) -> None:
        """Replace `os.stat` and `os.lstat`, by which `pathlib` and `os.path` ask too."""
        os.stat, os.lstat = self._held(os.stat, os.path.realpath), self._held(os.lstat, os.path.abspath)

    def _held(self, original: Callable[..., Any], full: Callable[[str], str]) -> StandIn:
        def own(path: Any, *args: Any, **kwargs: Any) -> Any:
            found = original(path, *args, **kwargs)
            if isinstance(path, (str, os.PathLike)) and not args and _asked_by_user(sys._getframe(2)):
                return self._shown(found, full(os.fsdecode(path)))
            return found

        return StandIn(original, own)

    def _shown(self, found: os.stat_result, path: str) -> os.stat_result:
        names = ("st_atime", "st_mtime", "st_ctime")
        times = {name: self._time(path, getattr(found, name)) for name in names}
        fields = [found[0], crc32(os.fsencode(path)), _DEVICE, *found[3:7], *map(int, times.values())]
        more = {**times, **{f"{name}_ns": int(value * 1e9) for name, value in times.items()}}
        more.update({name: getattr(found, name) for name in ("st_blocks", "st_blksize", "st_rdev")})
        return os.stat_result(fields, more)

    def _time(self, path: str, real: float) -> float:
        """A time from before this run as it is. A later one moves on each time that the file has another one."""
        if real < self._began - 1.0:
            return real
        seen = self._times.setdefault(path, [])
        if real not in seen:
            seen.append(real)
        return self._now + 0.01 * seen.index(real)


def _asked_by_user(frame: Any) -> bool:
    while frame is not None and (
        os.path.basename(frame.f_code.co_filename) in _THROUGH or "pathlib" in frame.f_code.co_filename
    ):
        frame = frame.f_back
    return direct(frame) is not None
