"""A table is written once, as a value. Each format adds its own characters."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from .screen import Screen, Tone

_ANY = 10**9
_LEAST = 8
"""Not even a name is shortened below this."""


def _first_column() -> dict[int, int]:
    return {0: 16}


@dataclass(frozen=True)
class Table:
    """Names of the columns, and rows of text. Columns in `numeric` are aligned to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    drop: tuple[int, ...] = ()
    """Columns that a narrow terminal does without, the least important first."""
    pictures: frozenset[int] = frozenset()
    """Columns that only a screen can show."""
    tones: Mapping[tuple[int, int], Tone] = field(default_factory=dict)
    """What the colour of a cell means, by row and column."""
    shorten: Mapping[int, int] = field(default_factory=_first_column)
    """Columns of names and prose, which may lose their middle, and how short each becomes before others are left out.
    A number is never shortened: it would be another number."""
    note: str = ""
    """What a reader of the table on paper has to be told: what ± is."""
    paper: "Table | None" = None
    """The table as a paper has it, if that has other columns."""

    def text(self, width: int | None = None) -> str:
        """Lines for a terminal, with two spaces between columns, without colours."""
        return "\n".join(self.lines(Screen(width)))

    def lines(self, screen: Screen) -> list[str]:
        """The table in lines that fit, and at the end which columns were left out to make it fit."""
        header = [screen.has(c) for c in self.columns]
        body = [[screen.has(c) for c in row] for row in self.rows]
        kept = list(range(len(header)))
        out = []
        for column in self.drop:
            if screen.width is None or self._least(header, body, kept) <= screen.width:
                break
            kept.remove(column)
            out.append(column)
        widths = self._widths(header, body, kept, screen.width)
        lines = [self._line(header, None, kept, widths, screen)]
        lines += [self._line(row, k, kept, widths, screen) for k, row in enumerate(body)]
        if out:
            names = ", ".join(header[k] for k in sorted(out))
            said = screen.wrapped(f"(left out at {screen.width} columns: {names})", "  ")
            lines += [screen.toned(line, Tone.QUIET) for line in said]
        return lines

    def _least(self, header: Sequence[str], body: Sequence[Sequence[str]], kept: Sequence[int]) -> int:
        """How wide the table is at least, when names are short."""
        widths = [min(_wide(header, body, k), self.shorten.get(k, _ANY)) for k in kept]
        return sum(widths) + 2 * (len(kept) - 1)

    def _widths(
        self, header: Sequence[str], body: Sequence[Sequence[str]], kept: Sequence[int], width: int | None
    ) -> dict[int, int]:
        """The width of each column that is kept; names are shortened where all columns are too wide, prose before names."""
        widths = {k: _wide(header, body, k) for k in kept}
        for lowest in (self.shorten, dict.fromkeys(self.shorten, _LEAST)):
            while width is not None and sum(widths.values()) + 2 * (len(kept) - 1) > width:
                open_ = [k for k in kept if k in lowest and widths[k] > lowest[k]]
                if not open_:
                    break
                widths[max(open_, key=lambda k: widths[k])] -= 1
        return widths

    def _line(
        self,
        cells: Sequence[str],
        row: int | None,
        kept: Sequence[int],
        widths: Mapping[int, int],
        screen: Screen,
    ) -> str:
        parts = []
        for place, k in enumerate(kept):
            cell = shortened(cells[k], widths[k], screen.has("…"))
            space = " " * (widths[k] - cell_len(cell))
            tone = Tone.PLAIN if row is None else self.tones.get((row, k), Tone.PLAIN)
            toned = screen.toned(cell, tone)
            last = place == len(kept) - 1
            parts.append(space + toned if k in self.numeric else toned if last else toned + space)
        return "  ".join(parts).rstrip()

    def without(self, columns: frozenset[int]) -> "Table":
        """The same table without some columns."""
        kept = [k for k in range(len(self.columns)) if k not in columns]
        place = {k: new for new, k in enumerate(kept)}
        return Table(
            tuple(self.columns[k] for k in kept),
            tuple(tuple(row[k] for k in kept) for row in self.rows),
            frozenset(place[k] for k in self.numeric if k in place),
            tuple(place[k] for k in self.drop if k in place),
            frozenset(place[k] for k in self.pictures if k in place),
            {(row, place[k]): tone for (row, k), tone in self.tones.items() if k in place},
            {place[k]: least for k, least in self.shorten.items() if k in place},
            self.note,
        )

    def on_paper(self) -> "Table":
        """The table as a paper has it, without what only a screen can show."""
        return self.paper or self.without(self.pictures)


def _wide(header: Sequence[str], body: Sequence[Sequence[str]], column: int) -> int:
    return max(cell_len(line[column]) for line in (header, *body))


def shortened(cell: str, width: int, dots: str = "…") -> str:
    """A cell that is too long without its middle: both ends of a name tell it from others."""
    if cell_len(cell) <= width:
        return cell
    left = right = len(cell) // 2
    while cell_len(cell[:left]) + len(dots) + cell_len(cell[right:]) > width and left + len(cell) - right > 0:
        if left >= len(cell) - right:
            left -= 1
        else:
            right += 1
    return cell[:left] + dots + cell[right:]


def to_markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as GitHub's Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(
        "| " + " | ".join(plain_cell(c).replace("|", "\\|").replace("\n", " ") for c in line) + " |\n" for line in lines
    )


def plain_cell(cell: object) -> str:
    """What stands in a cell: "" for None, six digits of a float."""
    return "" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def to_csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Comma-separated values with a header. None becomes an empty cell; floats keep every digit.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_defused(column) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
    return out.getvalue()


def _csv_cell(cell: object) -> object:
    if isinstance(cell, str):
        return _defused(cell)
    return "" if cell is None else repr(cell) if isinstance(cell, float) else cell


_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _defused(text: str) -> str:
    """A text that a spreadsheet takes for a text. A number with its sign stays one."""
    if not text.lstrip(" ").startswith(_STARTS_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
