"""What IPython understands beyond Python: `%magic`, `%%magic`, `!command`, `name?`.

IPython itself translates them, where it is installed. The lines stay what they were.
"""

from __future__ import annotations

import ast
from typing import Any

from .cells import Cell, NotebookError, place_of

_TIMED = "%%time"
_IPYTHON_ONLY = ("%", "!", "?")


def python_of(cell: Cell) -> str:
    """The text of a cell as Python.

    Raises
    ------
    SyntaxError
        It is neither Python nor what IPython understands.
    NotebookError
        It has magics, and IPython is not installed in this environment.
    """
    text = cell.text
    if _begins_with(text, _TIMED):  # a time differs from run to run: the cell is executed, and its time is not printed
        k = text.index(_TIMED)
        text = f"{text[:k]}#{text[k:]}"
    try:
        _parse(text, cell.path)
        return text
    except SyntaxError as error:
        line = _line_with_magic(text)
        if line is None:
            raise
        try:
            from IPython.core.inputtransformer2 import TransformerManager
        except ImportError:
            shown = text.split("\n")[line - 1].strip()
            raise NotebookError(
                f"{place_of(cell.path, line)}: `{shown}` is for IPython, which is not installed in this environment: "
                "pip install ipython, or write it as Python"
            ) from error
    return _translated(text, cell.path, TransformerManager())


def _translated(text: str, path: str, manager: Any) -> str:
    """What IPython makes of a text. It takes blank lines off the beginning: they are put back."""
    body = text.lstrip("\n") if not text[:1].isspace() else text
    while body[:1].isspace() and not body.split("\n", 1)[0].strip():
        body = body.partition("\n")[2]
    blank = text[: len(text) - len(body)].count("\n")
    result = "\n" * blank + str(manager.transform_cell(body)).rstrip("\n")
    _parse(result, path)
    return result


def _parse(text: str, path: str) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python itself will show them
        ast.parse(text, path)


def _begins_with(text: str, word: str) -> bool:
    first = text.lstrip().split("\n", 1)[0].split()
    return bool(first) and first[0] == word


def _line_with_magic(text: str) -> int | None:
    """The first line that is for IPython, from 1; None if there is none."""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        value = bare.partition("=")[2].strip() if "=" in bare else ""
        if bare.startswith(_IPYTHON_ONLY) or value.startswith(("%", "!")) or bare.endswith("?"):
            return number
    return None


def needs_ipython(text: str) -> bool:
    """Whether translated text asks for IPython's shell."""
    return "get_ipython" in text
