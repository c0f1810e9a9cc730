"""The end of what a run printed, as text."""

import os
import re
import stat
from pathlib import Path

from .content import Log

_BYTES = 24_000
_AS_IT_IS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
"""A log is a file of its folder: no link to another one, and no pipe that one would wait at."""
_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
"""Commands to a terminal: colours, movements of the cursor, titles of windows."""


def end_of(folder: str | None, lines: int) -> tuple[Log, ...]:
    """The last lines of both streams of a run, those that are not empty."""
    found = []
    for name, title in (("stdout", "Standard output"), ("stderr", "Standard error")):
        text, whole = _tail(Path(folder, name), lines) if folder else ("", True)
        if text.strip():
            found.append(Log(title, text, whole))
    return tuple(found)


def _tail(path: Path, lines: int) -> tuple[str, bool]:
    try:
        with open(os.open(path, _AS_IT_IS), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return "", True
            size = file.seek(0, 2)
            file.seek(max(0, size - _BYTES))
            raw = file.read(_BYTES)
    except (OSError, ValueError):
        return "", True
    text = without_commands(raw.decode("utf-8", "replace"))
    rows = text.split("\n")
    if size > _BYTES:
        rows = rows[1:]
    rows = rows[:-1] if rows and not rows[-1] else rows
    return "\n".join(rows[-lines:]), size <= _BYTES and len(rows) <= lines


def without_commands(text: str) -> str:
    """The text as a terminal leaves it: without commands, and of a line that was written over, what stands at the end."""
    plain = _SEQUENCES.sub("", text).replace("\r\n", "\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n"))
