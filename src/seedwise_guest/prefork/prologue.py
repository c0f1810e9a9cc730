"""The first lines of a script: the statements that all runs can share are executed once; each run executes the rest.

The statements are executed one after another in the script's own namespace. The first lines end before the first
statement that holds a seed, and before the first statement that, as `Watch` says, each run must execute itself. A
statement that only gives a seed a name (`SEED = 42`, `def train(seed=42)`) does not end them: each run executes it
later, and the first lines end before the first statement that uses this name.
"""

from __future__ import annotations
import __future__

import ast
import os
import sys
from typing import Any, Callable

from .children import become_run
from .forking_process import Process
from .watch import Watch


class Prologue:
    """Executes the first lines of a script in the process that forks, and the rest in the children.

    Parameters
    ----------
    process, watch
        Of this process.
    edits
        For each path, the edits of the script. The first field of an edit is the line in which a seed is typed.
    way_back
        How children leave the private files of this process: see `world.enter_and_remember`. None if it has none.
    become
        Is called in a child without arguments. It makes the child the run that its plan describes.
    """

    def __init__(
        self,
        process: Process,
        watch: Watch,
        edits: dict[str, list[list[Any]]],
        way_back: tuple[int, bool] | None,
        become: Callable[[], None],
    ) -> None:
        self._process = process
        self._watch = watch
        self._edits = edits
        self._way_back = way_back
        self._become = become
        self._reason = ""
        self._put_off: list[int] = []

    def run_script(self, path: str, namespace: dict[str, Any], text_of: Callable[[], str]) -> None:
        """Execute a script: its first lines here, the rest in each child.

        `text_of()` is called in the children only. It returns the text with the seed of the run in it.
        """
        try:
            with open(path, "rb") as file:
                body, flags = _parse(file.read(), path)
        except (SyntaxError, ValueError, OSError):  # the runs will say so
            body, flags = [], 0
        done = self._first_statements(
            [(statement, os.path.abspath(path)) for statement in body],
            lambda k: exec(_compiled([body[k]], path, flags, head=k == 0), namespace),
        )
        self._serve(body[done].lineno if done < len(body) else 0)
        text = text_of()
        if not done:
            exec(compile(text, path, "exec", dont_inherit=True), namespace)
            return
        rest, flags = _parse(text, path)
        if len(rest) != len(body):
            raise RuntimeError(f"{path} has other statements than it had when it was read")
        exec(_compiled([*(rest[k] for k in self._put_off), *rest[done:]], path, flags), namespace)

    def run_notebook(
        self, path: str, namespace: dict[str, Any], cells_of: Callable[[str], list[tuple[str, str]]]
    ) -> None:
        """Execute a notebook: its first statements here, the rest in each child.

        `cells_of(path)` is called in the children only. It returns name and text of each cell, with the seed of the run.
        """
        from ..notebooks.execution import awaits, execute, prepare, steps_of
        from ..notebooks.loading import show_in_tracebacks, typed_cells

        full = os.path.abspath(path)
        try:
            typed = typed_cells(path)
            steps = steps_of(typed)
        except (SyntaxError, ValueError, OSError):  # the runs will say so
            typed, steps = [], []
        texts = [text for _, text in typed]
        self._reason = self._process.attempt(lambda: prepare(full, namespace, texts), hoisted=True) if typed else ""
        prepared, done = bool(typed) and not self._reason, 0
        if prepared:
            can_be_shared = next((k for k, step in enumerate(steps) if awaits(step)), len(steps))
            done = self._first_statements(
                [(step.statement, step.path) for step in steps[:can_be_shared]],
                lambda k: execute([steps[k]], namespace),
            )
        self._serve(steps[done].statement.lineno if done < len(steps) else 0)
        cells = cells_of(full)
        show_in_tracebacks(cells)
        if not prepared:
            prepare(full, namespace, [text for _, text in cells])
        rest = steps_of(cells)
        if done and len(rest) != len(steps):
            raise RuntimeError(f"{path} has other statements than it had when it was read")
        execute([*(rest[k] for k in self._put_off), *rest[done:]], namespace)

    def run_call(self, find: Callable[[], Any], call: Callable[[Any], None]) -> None:
        """Find a function here, by importing its module, and call it in each child."""
        found: list[Any] = []
        self._reason = self._process.attempt(lambda: found.append(find()), imports=True)
        self._serve(0)
        call(found[0] if found else find())

    def _first_statements(self, body: list[tuple[ast.stmt, str]], execute: Callable[[int], None]) -> int:
        """Execute statements as long as all runs can share them. Returns how many statements are done with.

        Parameters
        ----------
        body
            Each statement, and the absolute path of its file.
        execute
            Executes the statement with this index.
        """
        put_off: set[str] = set()
        self._put_off = []
        for k, (statement, path) in enumerate(body):
            self._reason = _why_apart(statement, put_off)
            if self._reason:
                return k
            seeds = {int(edit[0]) for edit in self._edits.get(path, ())}
            if seeds & set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)):
                if not _only_names(statement):
                    self._reason = "holds a seed"
                    return k
                put_off |= _names_bound(statement)
                self._put_off.append(k)
                continue
            if sys.version_info >= (3, 14) and any(isinstance(node, ast.AnnAssign) for node in _of_module(statement)):
                self._reason = "annotates a name"  # the annotations of a module belong to one code object
                return k
            if k and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a string that stands alone would become the module's docstring
            if _does_nothing_but_define(statement):
                execute(k)
                continue
            self._reason = self._process.attempt(
                lambda k=k: execute(k),  # type: ignore[misc]
                imports=isinstance(statement, (ast.Import, ast.ImportFrom)),
            )
            if self._reason:
                return k
        self._reason = ""
        return len(body)

    def _serve(self, line: int) -> None:
        made = self._watch.made()
        self._process.send(
            {"type": "ready", "pid": os.getpid(), "root": self._process.root, "line": line, "why": self._reason}
        )
        request = self._process.serve()
        self._watch.close()
        become_run(
            request, self._process.printed, self._way_back, made or self._watch.made(), self._watch.own_arguments
        )
        self._become()


def _why_apart(statement: ast.stmt, put_off: set[str]) -> str:
    """Why a statement must come after names that hold a seed; "" if it need not."""
    if not put_off:
        return ""
    if _looks_at_all_names(statement):
        return "looks at all names, of which one holds a seed"
    used = put_off & _names_used(statement)
    return f"uses {sorted(used)[0]}, which holds a seed" if used else ""


def _parse(text: str | bytes, path: str) -> tuple[list[ast.stmt], int]:
    """The statements of a module and the flags of its `from __future__` imports. Raises SyntaxError."""
    tree: Any = compile(text, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    flags = 0
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for alias in statement.names:
                flags |= getattr(__future__, alias.name).compiler_flag
    body: list[ast.stmt] = []
    for statement in tree.body:
        body += statement.body if _is_main_block(statement) else [statement]
    return body, flags


def _is_main_block(statement: ast.stmt) -> bool:
    """Whether this is `if __name__ == "__main__":` without an `else`.

    In a script, the statements in it are the script's own.
    """
    return (
        isinstance(statement, ast.If)
        and not statement.orelse
        and isinstance(statement.test, ast.Compare)
        and ast.dump(statement.test) == _MAIN
    )


_MAIN = ast.dump(ast.parse("__name__ == '__main__'", mode="eval").body)


def _compiled(statements: list[ast.stmt], path: str, flags: int, *, head: bool = False) -> Any:
    """Code for some statements of a module.

    A string that stands first in them is a docstring only at the head of the module.
    """
    body = list(statements)
    while not head and body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body.pop(0)
    return compile(ast.Module(body, []), path, "exec", flags, dont_inherit=True)


def _does_nothing_but_define(statement: ast.stmt) -> bool:
    """Whether the statement can only bind a name.

    It is a function without decorators and computed defaults, or a constant.
    """
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        defaults = [*statement.args.defaults, *(d for d in statement.args.kw_defaults if d is not None)]
        return not statement.decorator_list and all(isinstance(default, ast.Constant) for default in defaults)
    if isinstance(statement, ast.Assign):
        return isinstance(statement.value, ast.Constant) and all(isinstance(t, ast.Name) for t in statement.targets)
    return isinstance(statement, ast.Pass)


def _only_names(statement: ast.stmt) -> bool:
    """Whether a statement with a seed in it only gives names to plain values.

    Such a statement may be executed later.
    """
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        annotations = [a.annotation for a in ast.walk(statement.args) if isinstance(a, ast.arg) and a.annotation]
        return _does_nothing_but_define(statement) and not annotations and statement.returns is None
    if isinstance(statement, ast.Assign):
        return _is_plain(statement.value) and all(isinstance(target, ast.Name) for target in statement.targets)
    return False


def _is_plain(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _names_bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.Assign):
        return {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return {statement.name}  # type: ignore[attr-defined]


def _looks_at_all_names(statement: ast.stmt) -> bool:
    """Whether a statement may see or bind any name of the module: `globals()`, `exec`, `from x import *`."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in ("globals", "locals", "vars", "dir", "exec", "eval"):
            return True
        if isinstance(node, ast.alias) and (node.name == "*" or node.name.partition(".")[0] == "__main__"):
            return True
    return False


def _names_used(statement: ast.stmt) -> set[str]:
    """Names that a statement may read, bind or delete, inside functions too.

    For a plain definition of a function: its own name and its arguments' names.
    """
    plain = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and _does_nothing_but_define(statement)
    if plain:
        arguments = {node.id for node in ast.walk(statement.args) if isinstance(node, ast.Name)}  # type: ignore[attr-defined]
        return {statement.name, *arguments}  # type: ignore[attr-defined]
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _of_module(statement: ast.stmt) -> list[ast.AST]:
    """The nodes of a statement that are executed together with the module.

    Those inside functions and classes are not.
    """
    found: list[ast.AST] = [statement]
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        for inner in ast.iter_child_nodes(statement):
            found += _of_module(inner)  # type: ignore[arg-type]
    return found
