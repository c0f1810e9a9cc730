"""What a text is shown on: how wide it is, whether it has colours, and which characters."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from rich.cells import cell_len

from .characters import in_encoding


class Tone(StrEnum):
    """What a colour means. Without colours nothing is lost: every tone stands on words that say the same."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    QUIET = "quiet"


_CODES = {Tone.GOOD: "32", Tone.BAD: "31", Tone.WARNING: "33", Tone.QUIET: "2"}
_UNKNOWN_WIDTH = 80


@dataclass(frozen=True)
class Screen:
    """`width` in columns; None where lines may be as long as they like: a file, a pipe."""

    width: int | None = None
    colour: bool = False
    encoding: str | None = None
    """None where it has every character."""

    def has(self, text: str) -> str:
        """The text in the characters that the screen has."""
        return in_encoding(text, self.encoding)

    def toned(self, text: str, tone: Tone) -> str:
        """The text in the colour of a tone, where there are colours."""
        code = _CODES.get(tone) if self.colour and text else None
        return text if code is None else f"\x1b[{code}m{text}\x1b[0m"

    def wrapped(self, text: str, indent: str = "") -> list[str]:
        """Lines that fit, broken between words; all but the first are indented. A longer word stays whole."""
        if self.width is None or cell_len(text) <= self.width:
            return [text]
        lines: list[str] = []
        line = ""
        for word in together(text.split(" ")):
            longer = f"{line} {word}" if line.strip() else line + word
            if line.strip() and cell_len(longer) > self.width:
                lines.append(line)
                line = indent + word
            else:
                line = longer
        return [*lines, line]


_BETWEEN = ("±", "+/-", "…", "...", "=", "<")


def together(words: Sequence[str]) -> list[str]:
    """Words, of which those that belong together are one: `0.81 ± 0.02`, `95 %`, `p = .03`, `seed 7`."""
    found: list[str] = []
    for word in words:
        before = found[-1].rpartition(" ")[2] if found else ""
        number_of = before.lstrip("(-") == "seed" and word[:1].isdigit()
        if found and (word in (*_BETWEEN, "%", "%,") or before in _BETWEEN or number_of):
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def screen_of(stream: TextIO) -> Screen:
    """The screen behind a stream: a terminal has a width and, if nobody objects (NO_COLOR, TERM=dumb), colours."""
    encoding = getattr(stream, "encoding", None)
    if not stream.isatty():
        return Screen(None, False, encoding)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "") in ("", "dumb", "unknown")
    return Screen(_width(stream), not plain, encoding)


def _width(stream: TextIO) -> int:
    said = os.environ.get("COLUMNS", "")
    if said.isdigit() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _UNKNOWN_WIDTH
    except (OSError, ValueError):
        return _UNKNOWN_WIDTH
