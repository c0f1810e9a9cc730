"""The output of the cell of a notebook that is being executed: a text in it that can be replaced.

It takes nothing but what every front end has: a display that is updated (JupyterLab, VS Code, nbconvert), or in marimo
the output of the cell.
"""

import sys
from collections.abc import Callable
from typing import Any


def in_notebook() -> bool:
    """Whether this is a cell of a notebook."""
    return _in_marimo() or _has_kernel()


def cell_output() -> Callable[[str], None]:
    """What shows a text in the output of this cell, in the place of the one that it showed before."""
    return _marimo_output() if _in_marimo() else _jupyter_output()


def _has_kernel() -> bool:
    """Whether IPython's shell is that of a kernel. A script too may import ipykernel, or have a shell."""
    module: Any = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _in_marimo() -> bool:
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


def _jupyter_output() -> Callable[[str], None]:
    from IPython.display import display  # type: ignore[import-not-found, unused-ignore]

    handle: Any = None

    def show(text: str) -> None:
        nonlocal handle
        data = {"text/plain": text}
        if handle is None:
            handle = display(data, raw=True, display_id=True)
        else:
            handle.update(data, raw=True)

    return show


def _marimo_output() -> Callable[[str], None]:
    marimo: Any = sys.modules["marimo"]

    def show(text: str) -> None:
        marimo.output.replace(marimo.plain_text(text))

    return show
