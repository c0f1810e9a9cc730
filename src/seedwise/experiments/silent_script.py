"""A script that printed nothing: which of its functions its user may have meant to run."""

import ast
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedwise_guest.protocol import is_seed_name, is_seeding_helper

from ..results import Run
from ..wording import run_command
from ..words import printable
from .signatures import Takes, takes_of

_MOST = 3
_ENTRIES = ("train", "main", "run", "experiment", "fit", "evaluate")
"""Where several functions could be meant, these come first."""


@dataclass(frozen=True)
class Candidate:
    """A function that could be run: its file, its name, and what it takes."""

    path: str
    name: str
    takes: Takes

    @property
    def words(self) -> list[str]:
        """The words that name it, with each setting that it needs."""
        return [
            f"{self.path}:{self.name}",
            *(word for setting in self.takes.needed for word in ("--set", f"{setting}=…")),
        ]


def printed_nothing(runs: Sequence[Run]) -> bool:
    """Whether none of the first runs has printed anything."""
    folders = [Path(run.folder) for run in runs[:3] if run.folder is not None]
    try:
        return bool(folders) and not any(
            (f / stream).stat().st_size for f in folders for stream in ("stdout", "stderr")
        )
    except OSError:
        return False


def functions_instead(command: Sequence[str], folder: str, code: Iterable[str], n: int) -> str:
    """What a script that printed nothing may have been meant to do, as the end of a sentence; "" if nobody knows.

    Parameters
    ----------
    command, folder
        The words that started the script, and where.
    code
        The user's files that it loads.
    n
        How many seeds were run.
    """
    script = script_of(command, folder)
    trees = {path: tree for path in [script, *sorted(set(code) - {script})] if (tree := _parsed(path)) is not None}
    found = candidates(trees, folder)[:_MOST]
    if found:
        which = " or ".join(f"{printable(one.name)}() of {printable(one.path)}" for one in found)
        named = ", or ".join(run_command(one.words, n) for one in found)
        return f"to run {which}, name {'it' if len(found) == 1 else 'one'}: {named}"
    defined = [node.name for node in _functions(trees[script])] if script in trees else []
    defined = [name for name in defined if not is_seeding_helper(name)]
    if not defined or _uses(trees[script], defined):
        return ""
    shown = _shown(script, folder)
    own = sorted(defined, key=_rank)[0]
    return (
        f"{printable(shown)} defines {', '.join(map(printable, defined[:_MOST]))}{' …' if len(defined) > _MOST else ''} and does not call {'it' if len(defined) == 1 else 'them'}: "
        f"call it at the end of the file and print what it returns; or give it the seed, def {printable(own)}(seed, …), and "
        f"{run_command([f'{shown}:{own}'], n)}"
    )


def script_of(command: Sequence[str], folder: str) -> str:
    """The path of the script, module or package that a command starts; "" if it starts none that can be seen."""
    for k, word in enumerate(command):
        stem = (
            os.path.join(folder, command[k + 1].replace(".", os.sep)) if word == "-m" and k + 1 < len(command) else ""
        )
        at = os.path.join(folder, word)
        tried = [os.path.join(stem, "__main__.py"), f"{stem}.py"] if stem else []
        tried += [at] if word.endswith(".py") else [os.path.join(at, "__main__.py")] if k else []
        found = next((path for path in tried if os.path.isfile(path)), None)
        if found is not None:
            return os.path.normpath(found)
    return ""


def candidates(trees: Mapping[str, ast.Module], folder: str) -> list[Candidate]:
    """The functions of some files that take a seed and give something back, and that no other of them calls."""
    taking = [
        (path, node)
        for path, tree in trees.items()
        for node in _functions(tree)
        if is_seed_name(takes_of(node).seed)
        and not node.name.startswith("_")
        and not is_seeding_helper(node.name)
        and _gives_back(node)
    ]
    called = {name for _, node in taking for name in _called(node) if name != node.name}
    outer = [(path, node) for path, node in taking if node.name not in called] or taking
    outer.sort(key=lambda found: _rank(found[1].name))
    return [Candidate(_shown(path, folder), node.name, takes_of(node)) for path, node in outer]


def _parsed(path: str) -> ast.Module | None:
    try:
        return ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in tree.body if isinstance(node, ast.FunctionDef))


def _rank(name: str) -> int:
    return _ENTRIES.index(name) if name in _ENTRIES else len(_ENTRIES)


def _gives_back(node: ast.FunctionDef) -> bool:
    return any(isinstance(inner, ast.Return) and inner.value is not None for inner in ast.walk(node))


def _called(node: ast.FunctionDef) -> Iterator[str]:
    """The last names of what a function calls: `load` of `data.load(…)`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name | ast.Attribute):
            yield inner.func.id if isinstance(inner.func, ast.Name) else inner.func.attr


def _uses(tree: ast.Module, names: Iterable[str]) -> bool:
    """Whether a file does anything with some of its functions, beside defining them."""
    known = set(names)
    return any(
        isinstance(inner, ast.Name) and inner.id in known
        for node in tree.body
        if not isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
    )


def _shown(path: str, folder: str) -> str:
    relative = os.path.relpath(path, folder or None)
    return path if relative.startswith("..") else relative
