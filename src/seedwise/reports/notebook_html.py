"""A report as HTML in the output of a notebook's cell: the same lines and tables as on a terminal.

It has no scripts, no classes and no style of its own beside alignment, so that it looks like its surroundings in
JupyterLab, VS Code, marimo and on paper, in light and dark. Everything that a run or a user named is escaped.
"""

import base64
from collections.abc import Sequence
from html import escape

from ..words import printable
from .page import Block, Line
from .screen import Tone
from .table import Table

_CELL = "padding:0.15em 0.7em;white-space:pre"
_TONES = {
    Tone.BAD: "color:#c0392b",
    Tone.WARNING: "color:#b9770e",
    Tone.GOOD: "color:#1e8449",
    Tone.QUIET: "opacity:0.75",
}


def to_html(blocks: Sequence[Block], pictures: Sequence[tuple[str, str]] = ()) -> str:
    """A report as HTML.

    Parameters
    ----------
    pictures
        SVG and words of each picture. It stands below the first line.
    """
    parts = [_block(block) for block in blocks if block != Line("")]
    shown = [_picture(svg, words) for svg, words in pictures]
    return "<div>" + "\n".join([*parts[:1], *shown, *parts[1:]]) + "</div>"


def _block(block: Block) -> str:
    return _table(block) if isinstance(block, Table) else _line(block)


def _line(line: Line) -> str:
    text = _said(line.text)
    style = _TONES.get(line.tone, "")
    if line.only and style:
        marked = _said(line.only)
        text = text.replace(marked, f'<span style="{style}">{marked}</span>', 1)
        style = ""
    return f'<p style="max-width:60em;{style}">{text}</p>'


def _table(table: Table) -> str:
    def cells(row: Sequence[str], tag: str, number: int | None) -> str:
        made = []
        for k, text in enumerate(row):
            side = "right" if k in table.numeric else "left"
            tone = _TONES.get(table.tones.get((number, k), Tone.PLAIN), "") if number is not None else ""
            made.append(f'<{tag} style="text-align:{side};{_CELL};{tone}">{_said(text)}</{tag}>')
        return "<tr>" + "".join(made) + "</tr>"

    body = "".join(cells(row, "td", k) for k, row in enumerate(table.rows))
    head = cells(table.columns, "th", None)
    note = f"<p>{_said(table.note)}</p>" if table.note else ""
    return f'<table style="border-collapse:collapse"><thead>{head}</thead><tbody>{body}</tbody></table>{note}'


def _picture(svg: str, words: str) -> str:
    """A picture as a file of its own in the page: nothing in it can act on what is around it."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{_said(words)}" style="max-width:100%;background:#fff" src="data:image/svg+xml;base64,{data}">'


def _said(text: str) -> str:
    return escape(printable(text))
