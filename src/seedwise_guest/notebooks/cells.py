"""The code cells of a notebook, and what each is called in tracebacks, in the ledger and in the list of seed sites.

Source of the format: nbformat 4 (nbformat.readthedocs.io/en/latest/format_description.html).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

ENDING = ".ipynb"
_OF_CELL = re.compile(r"(?s)(?P<notebook>.+\.ipynb) cell (?P<number>[0-9]+)")


class NotebookError(ValueError):
    """A file that is no notebook that can be run. The message says why, and what to do."""


@dataclass(frozen=True)
class Cell:
    """One code cell. `number` counts the code cells that are not empty from 1, as `In [3]` does after "Run All"."""

    number: int
    path: str
    """`/home/me/fit.ipynb cell 3`: what stands in the place of a file's name."""
    text: str


def is_notebook(path: str) -> bool:
    """Whether a file is a notebook, by its name."""
    return path.endswith(ENDING)


def cell_path(path: str, number: int) -> str:
    """The name of a cell."""
    return f"{path} cell {number}"


def notebook_of(path: str) -> str | None:
    """The notebook in which a cell stands; None for the name of a file."""
    found = _OF_CELL.fullmatch(path)
    return None if found is None else found["notebook"]


def place_of(path: str, line: int) -> str:
    """A place as people read it: `train.py:3`, `fit.ipynb cell 2 line 3`."""
    return f"{path}:{line}" if notebook_of(path) is None else f"{path} line {line}"


def as_place(text: str) -> str:
    """`FILE:LINE` of what `place_of` gave."""
    found = re.fullmatch(r"(?s)(.+\.ipynb cell [0-9]+) line ([0-9]+)", text)
    return text if found is None else f"{found[1]}:{found[2]}"


def read_cells(path: str, data: bytes) -> list[Cell]:
    """The code cells of a notebook that are not empty.

    Parameters
    ----------
    path
        The notebook's path; cells are named after it.
    data
        What the file holds.

    Raises
    ------
    NotebookError
        It is no notebook, of another format or language, or has no code.
    """
    sources = _sources(path, _document(path, data))
    cells = [text for text in sources if text.strip()]
    if not cells:
        raise NotebookError(f"{path} has no code cells: there is nothing to run")
    return [Cell(k, cell_path(path, k), text) for k, text in enumerate(cells, 1)]


def code_digest(path: str, data: bytes) -> str:
    """SHA-256 of the code alone: outputs, metadata and text around it are no part of an experiment."""
    from hashlib import sha256

    try:
        sources = _sources(path, _document(path, data))
    except NotebookError:
        return sha256(data).hexdigest()
    return sha256(json.dumps(sources).encode("utf-8", "surrogatepass")).hexdigest()


def kernel_of(path: str, data: bytes) -> str:
    """The name of the kernel that a notebook asks for; "" if it names none. Raises NotebookError."""
    kernel = _document(path, data).get("metadata", {}).get("kernelspec", {})
    name = kernel.get("name", "") if isinstance(kernel, dict) else ""
    return name if isinstance(name, str) else ""


def _document(path: str, data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"{path} is no notebook: {error}") from None
    if not isinstance(document, dict):
        raise NotebookError(f"{path} is no notebook: it holds no object")
    if "worksheets" in document or (isinstance(document.get("nbformat"), int) and document["nbformat"] < 4):
        raise NotebookError(
            f"{path} is a notebook of format {document.get('nbformat', 3)}, of before 2015: open and save it in Jupyter, or "
            f"jupyter nbconvert --to notebook --inplace {path}"
        )
    if not isinstance(document.get("cells"), list):
        raise NotebookError(f"{path} is no notebook: it has no list of cells")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        document["metadata"] = metadata = {}
    language = metadata.get("language_info", {}) if isinstance(metadata.get("language_info"), dict) else {}
    spec = metadata.get("kernelspec", {}) if isinstance(metadata.get("kernelspec"), dict) else {}
    name = str(language.get("name") or spec.get("language") or "python")
    if not name.lower().startswith(("python", "ipython")):
        raise NotebookError(f"{path} is a notebook of {name}; Seedwise runs those of Python")
    return document


def _sources(path: str, document: dict[str, Any]) -> list[str]:
    found = []
    for number, cell in enumerate(document["cells"], 1):
        if not isinstance(cell, dict):
            raise NotebookError(f"{path} is no notebook: its cell {number} is no object")
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(str(part) for part in source)
        if not isinstance(source, str):
            raise NotebookError(f"{path} is no notebook: its cell {number} has no text")
        found.append(source.replace("\r\n", "\n").replace("\r", "\n"))
    return found
