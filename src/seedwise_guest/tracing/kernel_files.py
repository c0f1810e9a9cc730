"""What a program reads of the machine in the kernel's files, `/proc` and `/sys`: their numbers are readings too."""

from __future__ import annotations

import builtins
import io
import os
import re
import sys
from typing import Any

from .callers import direct
from .facts import Facts
from .recording import Recording
from .replaced_builtins import StandIn

_FOLDERS = ("/proc/", "/sys/")
_NUMBER = re.compile(r"(?<![\w.:-])(?:[1-9]\d{0,14}|0)(?:\.\d+)?(?![\w.:-])")
"""A count or a measure; no address, no version, no identifier."""
_LARGEST = 65_536
_MOST_NUMBERS = 2_000


def watch_kernel_files(recording: Recording, facts: Facts) -> None:
    """Keep the numbers that the user's own code reads there, or give those of another run again."""
    original = builtins.open

    def own(name: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        opened = original(name, mode, *args, **kwargs)
        path = os.fspath(name) if isinstance(name, (str, os.PathLike)) else ""
        if not isinstance(path, str) or not path.startswith(_FOLDERS) or mode not in ("r", "rt", "rb"):
            return opened
        if (args[0] if args else kwargs.get("buffering", -1)) != -1:
            return opened
        where = _reader(sys._getframe(2))
        if where is None:
            return opened
        try:
            said = opened.read(_LARGEST)
        except (OSError, ValueError):
            said = ""
        text = said if isinstance(said, str) else said.decode("latin-1")
        if not 0 < len(said) < _LARGEST or not 0 < len(_NUMBER.findall(text)) <= _MOST_NUMBERS:
            opened.close()
            return original(name, mode, *args, **kwargs)
        opened.close()
        facts.note("meter", where)
        shown = _with_numbers(text, path.replace(f"/{os.getpid()}/", "/self/"), recording)
        return io.StringIO(shown) if isinstance(said, str) else io.BytesIO(shown.encode("latin-1"))

    builtins.open = io.open = StandIn(original, own)


def _reader(frame: Any) -> str | None:
    while frame is not None and "pathlib" in frame.f_code.co_filename:
        frame = frame.f_back
    return direct(frame)


def _with_numbers(text: str, name: str, recording: Recording) -> str:
    """The text with the numbers that the recording gives; as it is where it gives the same ones."""
    numbers = [float(number) for number in _NUMBER.findall(text)]
    given = iter(zip(numbers, recording.meter(name, numbers)))

    def again(found: re.Match[str]) -> str:
        real, other = next(given)
        return found[0] if real == other else f"{other:.{len(found[0].partition('.')[2])}f}"

    return _NUMBER.sub(again, text)
