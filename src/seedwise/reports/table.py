"""A table is written once, as a value. Each format adds its own characters."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Names of the columns, and rows of text. Columns in `numeric` are aligned to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()

    def text(self, width: int | None = None) -> str:
        """Lines for a terminal, with two spaces between columns.

        If the table is wider than `width` characters: a block of lines for each row.
        """
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


def to_markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as GitHub's Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(
        "| " + " | ".join(_cell(c).replace("|", "\\|").replace("\n", " ") for c in line) + " |\n" for line in lines
    )


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def to_latex(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as LaTeX with the rules of booktabs. Every special character in the cells is escaped."""

    def line(cells: Sequence[object]) -> str:
        return " & ".join("".join(_LATEX.get(c, c) for c in _cell(cell)) for cell in cells) + r" \\"

    body = "\n".join(line(row) for row in rows)
    head = "\\begin{tabular}{" + "l" * len(columns) + "}\n\\toprule\n" + line(columns) + "\n\\midrule\n"
    return head + body + "\n\\bottomrule\n\\end{tabular}\n"


def _cell(cell: object) -> str:
    return "" if cell is None else f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def to_csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Comma-separated values with a header. None becomes an empty cell; floats keep every digit."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in row])
    return out.getvalue()
