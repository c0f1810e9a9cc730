"""Executes the cells of a notebook in one namespace, as a kernel does: the last expression of a cell is shown, `await` may
stand outside functions, and magics are given to IPython's shell.
"""

from __future__ import annotations
import __future__

import ast
import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from types import CodeType
from typing import Any

from .magics import needs_ipython

_AWAIT: int = getattr(ast, "PyCF_ALLOW_TOP_LEVEL_AWAIT", 0)
_COROUTINE = 0x80


@dataclass
class Step:
    """One statement of a cell. `shown` says that it is an expression that ends its cell."""

    statement: ast.stmt
    path: str
    flags: int
    shown: bool


def steps_of(cells: list[tuple[str, str]]) -> list[Step]:
    """The statements of some cells, each given by its name and its text. Raises SyntaxError."""
    flags = 0
    found: list[Step] = []
    for path, text in cells:
        tree: Any = compile(text, path, "exec", ast.PyCF_ONLY_AST | _AWAIT, dont_inherit=True)
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                for alias in statement.names:
                    flags |= getattr(__future__, alias.name).compiler_flag
        silent = text.rstrip().endswith(";")
        last = len(tree.body) - 1
        for k, statement in enumerate(tree.body):
            shown = k == last and isinstance(statement, ast.Expr) and not silent
            found.append(Step(statement, path, flags, shown))
    return found


def execute(steps: list[Step], namespace: dict[str, Any]) -> None:
    """Execute some statements. Those of one cell that follow each other are compiled together."""
    k = 0
    while k < len(steps):
        end = k
        while end < len(steps) and steps[end].path == steps[k].path and not steps[end].shown:
            end += 1
        if end > k:
            first = steps[k]
            code = compile(
                ast.Module([step.statement for step in steps[k:end]], []),
                first.path,
                "exec",
                first.flags | _AWAIT,
                dont_inherit=True,
            )
            _run(code, namespace)
        if end < len(steps) and steps[end].shown:
            shown = steps[end]
            tree = ast.Interactive([shown.statement])
            _run(compile(tree, shown.path, "single", shown.flags | _AWAIT, dont_inherit=True), namespace)
            end += 1
        k = end


def awaits(step: Step) -> bool:
    """Whether a statement waits for something, outside functions."""
    code = compile(ast.Module([step.statement], []), step.path, "exec", step.flags | _AWAIT, dont_inherit=True)
    return bool(code.co_flags & _COROUTINE)


def _run(code: CodeType, namespace: dict[str, Any]) -> None:
    found = eval(code, namespace)
    if not code.co_flags & _COROUTINE:
        return
    import asyncio

    global _loop
    if _loop is None:
        _loop = asyncio.new_event_loop()  # one for all cells, as in a kernel
        asyncio.set_event_loop(_loop)
    _loop.run_until_complete(found)


_loop: Any = None


def prepare(path: str, namespace: dict[str, Any], texts: list[str]) -> None:
    """Make the process what a kernel is: in the notebook's folder, with `display`, pictures kept off the screen."""
    folder = os.path.dirname(os.path.abspath(path))
    os.chdir(folder)
    for name in ("__file__", "__cached__"):
        namespace.pop(name, None)  # no notebook has them, and spawned processes import no main script
    import builtins

    vars(builtins).setdefault("display", display)
    _keep_pictures_off_the_screen()
    if any(map(needs_ipython, texts)) and find_spec("IPython") is not None:  # else a cell may find that there is none
        _open_shell(namespace)


def _keep_pictures_off_the_screen() -> None:
    if "MPLBACKEND" not in os.environ:
        inline = find_spec("matplotlib_inline") is not None and find_spec("IPython") is not None
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline" if inline else "agg"


def display(*objects: object, **_options: object) -> None:
    """Print objects, as a terminal shows what `display` of a notebook is given."""
    for found in objects:
        print(found if isinstance(found, str) else repr(found))


def _open_shell(namespace: dict[str, Any]) -> None:
    """IPython's shell over the namespace of the notebook, with no history, no profile and no hooks of its own."""
    import tempfile

    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    hook, shower = sys.excepthook, sys.displayhook
    with tempfile.TemporaryDirectory(prefix="seedwise-ipython-") as folder:
        shell = InteractiveShell.instance(
            config=config, ipython_dir=folder, user_module=sys.modules["__main__"], user_ns=namespace
        )
    shell.enable_gui = lambda gui=None: None  # there is no screen
    sys.excepthook, sys.displayhook = hook, shower
    namespace["get_ipython"] = shell.get_ipython
