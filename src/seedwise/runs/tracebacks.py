"""Reads the traceback with which a run ended."""

import re
from dataclasses import dataclass

from seedwise_guest.protocol import is_user_file

from ..places import short_place

_FIRST = "Traceback (most recent call last)"
_FRAME = re.compile(r'\s+File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in (?P<name>.+))?')
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Iteration)(?::|$)")
_LIBRARY = re.compile(r"[/\\]lib(?:64)?[/\\]python\d[\d.]*[/\\]|[/\\](?:site|dist)-packages[/\\]")
_MOST_LINES = 60


@dataclass(frozen=True)
class Raised:
    """The exception that ended a process, and where in the user's code it came from."""

    text: str
    """The exception as its traceback names it, with its message; "" if there is none."""
    place: str = ""
    """`train.py:12 in fit`: the last frame in the user's code; "" if no frame is."""

    @property
    def kind(self) -> str:
        """The class of the exception."""
        return self.text.partition(":")[0].strip()

    @property
    def sentence(self) -> str:
        """Place and exception in one line."""
        return f"{self.place}: {self.text}" if self.place else self.text


def raised_in(stderr: str) -> Raised:
    """The exception with which a process ended, from what it printed on standard error."""
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    heads = [k for k, line in enumerate(lines) if line.startswith(_FIRST)]
    if heads:
        frames: list[str] = []
        for line in lines[heads[-1] + 1 :]:
            if not line.startswith((" ", "\t")):
                return Raised(line[:300], _last_of_user(frames))
            frames.append(line)
    for k in range(len(lines) - 1, max(-1, len(lines) - 6), -1):  # a SyntaxError has no such first line
        if _EXCEPTION.match(lines[k]):
            return Raised(lines[k][:300], _last_of_user(lines[max(0, k - 4) : k]))
    return Raised("")


def traceback_in(stderr: str) -> str:
    """The last traceback, or the last lines where there is none. At most so much as fits on a screen."""
    lines = stderr.rstrip().splitlines()
    heads = [k for k, line in enumerate(lines) if line.startswith(_FIRST)]
    shown = lines[heads[-1] :] if heads else lines[-10:]
    if len(shown) > _MOST_LINES:
        shown = [*shown[: _MOST_LINES // 2], "  …", *shown[-_MOST_LINES // 2 :]]
    return "\n".join(shown)


def _last_of_user(frames: list[str]) -> str:
    found = [match for line in frames if (match := _FRAME.fullmatch(line)) and _is_users(match["path"])]
    if not found:
        return ""
    where = short_place(f"{found[-1]['path']}:{found[-1]['line']}")
    name = found[-1]["name"]
    return where if name in (None, "<module>") else f"{where} in {name}"


def _is_users(path: str) -> bool:
    return not path.startswith("<") and not _LIBRARY.search(path) and is_user_file(path)
