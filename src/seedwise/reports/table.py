"""A table is written once, as a value; each format fills in its own signs."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Names of the columns and rows of text. `numeric` columns are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()

    def text(self, width: int | None = None) -> str:
        """Plain lines for a terminal, columns two spaces apart; a block for each row where that is wider than `width`."""
        wide = self._wide()
        if width is None or max(len(line) for line in wide.splitlines()) <= width:
            return wide
        name = max(map(len, self.columns))
        blocks = [
            "\n".join(f"{c.ljust(name)}  {v}".rstrip() for c, v in zip(self.columns, row, strict=True))
            for row in self.rows
        ]
        return "\n\n".join(blocks)

    def _wide(self) -> str:
        every = [self.columns, *self.rows]
        widths = [max(len(row[k]) for row in every) for k in range(len(self.columns))]
        lines = []
        for row in every:
            cells = [
                c.rjust(w) if k in self.numeric else c.ljust(w)
                for k, (c, w) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


def to_csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Comma-separated values with a header; None becomes an empty cell, floats keep every digit."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in row])
    return out.getvalue()
