"""Reads a notebook for its seeds: its cells are one program, and each site is named by cell and line."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .cells import cell_path, code_digest, read_cells
from .magics import python_of

if TYPE_CHECKING:
    from ..sites.findings import Findings
    from ..sites.modules import Module


def read_notebook(path: str) -> tuple[Module, list[int]]:
    """The cells as one module, and the line in it before each cell.

    Raises
    ------
    NotebookError, SyntaxError, OSError
        It cannot be read. An error of syntax names cell and line.
    """
    from ..sites.modules import parse_module

    with open(path, "rb") as file:
        data = file.read()
    texts = [python_of(cell) for cell in read_cells(path, data)]
    starts, line = [], 0
    for text in texts:
        starts.append(line)
        line += text.count("\n") + 1
    module = parse_module("\n".join(texts).encode("utf-8", "surrogatepass"), path, "__main__", "")
    module.digest = code_digest(path, data)
    return module, starts


def by_cell(found: Findings, path: str, starts: list[int]) -> Findings:
    """The findings in a notebook, each with the name of its cell and the line in it."""

    def moved(where: str, line: int) -> tuple[str, int]:
        if where != path or line < 1:
            return where, line
        k = bisect_right(starts, line - 1)
        return cell_path(path, k), line - starts[k - 1]

    def key(text: str) -> str:
        where, line, column = text.rsplit(":", 2)
        cell, in_cell = moved(where, int(line))
        return f"{cell}:{in_cell}:{column}"

    every: list[Any] = [*found.sites, *found.remarks, *found.split_uses]
    for item in every:
        item.path, item.line = moved(item.path, item.line)
    found.split_uses = [replace(use, sites=[key(site) for site in use.sites]) for use in found.split_uses]
    return found
