"""Putting replacements into a text. Apart from the plan, because every process of a run needs this and no syntax trees."""

from __future__ import annotations

from typing import Any


def apply_edits(text: str, edits: list[list[Any]]) -> str:
    """The text with its seeds replaced. Raises ValueError when it is not the text that the plan was made for."""
    lines = text.encode("utf-8").split(b"\n")
    for line, column, end, old, new in sorted(edits, reverse=True):
        row = lines[line - 1] if line <= len(lines) else b""
        if row[column:end] != old.encode():
            raise ValueError(f"line {line} is not what it was when the seed sites were read")
        lines[line - 1] = row[:column] + new.encode() + row[end:]
    return b"\n".join(lines).decode("utf-8")
