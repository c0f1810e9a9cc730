"""A report as a value: lines and tables in order. It is laid out for the screen that it is shown on."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..advice import Advice
from ..words import printable
from .screen import Screen, Tone
from .table import Table


@dataclass(frozen=True)
class Line:
    """A paragraph. `tone` is the colour of the whole, or of the word `only`."""

    text: str
    tone: Tone = Tone.PLAIN
    only: str = ""

    def lines(self, screen: Screen) -> list[str]:
        """The paragraph in lines that fit."""
        wrapped = screen.wrapped(screen.has(self.text).rstrip(), "  " if self.text.startswith("  ") else "")
        if not self.only:
            return [screen.toned(line, self.tone) for line in wrapped]
        for k, line in enumerate(wrapped):
            before, found, after = line.partition(self.only)
            if found:
                wrapped[k] = before + screen.toned(found, self.tone) + after
                break
        return wrapped


Block = Line | Table


def warning(advice: Advice) -> Line:
    """A warning. An `Advice` names the next step."""
    text = printable(advice)
    end = "" if text.endswith(("?", "!", ".")) else "."
    return Line(f"Warning: {text}{end}", Tone.WARNING, "Warning:")


def lay_out(blocks: Sequence[Block], screen: Screen | None = None) -> str:
    """The report as text. An empty line stands around each table."""
    screen = screen or Screen()
    lines: list[str] = []
    for k, block in enumerate(blocks):
        around = k > 0 and (isinstance(block, Table) or isinstance(blocks[k - 1], Table))
        if around and lines[-1:] != [""] and block != Line(""):
            lines.append("")
        lines += block.lines(screen)
    return "\n".join(lines)
