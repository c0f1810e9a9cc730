"""Has Python execute a notebook that it was given as a script."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable

from .cells import is_notebook, read_cells

Texts = list[tuple[str, str]]
"""Name and text, as Python, of each cell."""


def typed_cells(path: str) -> Texts:
    """The cells as they stand in the file. Raises NotebookError, SyntaxError, OSError."""
    from .magics import python_of

    with open(path, "rb") as file:
        return [(cell.path, python_of(cell)) for cell in read_cells(os.path.abspath(path), file.read())]


def is_launched() -> bool:
    """Whether this interpreter was given a notebook as its script."""
    if not any(is_notebook(word) for word in getattr(sys, "orig_argv", sys.argv)):
        return False
    from ..process.launch import this_launch

    launch = this_launch()
    return launch.kind == "script" and is_notebook(launch.target)


def run_notebooks_here(cells_of: Callable[[str], Texts]) -> None:
    """Let Python run a notebook in place of a script. `cells_of(path)` gives its cells."""
    from ..sites.substitution import ScriptFinder

    def run(path: str, namespace: dict[str, Any], _text: object) -> None:
        from .execution import execute, prepare, steps_of

        cells = cells_of(path)
        show_in_tracebacks(cells)
        prepare(path, namespace, [text for _, text in cells])
        execute(steps_of(cells), namespace)

    def hook(path: str) -> ScriptFinder:
        if not is_notebook(path) or not os.path.isfile(path):
            raise ImportError(f"not a notebook: {path}")
        return ScriptFinder(path, lambda: "", run)

    sys.path_hooks.insert(0, hook)


def show_in_tracebacks(cells: Texts) -> None:
    """Let tracebacks and `inspect` find the text of the cells, which stands in no file of this name."""
    import linecache

    from ..sites.substitution import show_what_ran

    for path, text in cells:
        linecache.cache[path] = (len(text), None, (text + "\n").splitlines(keepends=True), path)
    show_what_ran()
