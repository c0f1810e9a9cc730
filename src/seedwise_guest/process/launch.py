"""What this interpreter was asked to run: a script, a module, a command or standard input.

It also finds the user's script behind a launcher.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field

from ..protocol import CALL
from .frames import is_user_file

_WITH_ARGUMENT = {"W", "X"}


@dataclass
class Launch:
    """How an interpreter was started.

    `kind` is `script`, `module`, `command` or `input`; `target` is the path, the dotted name or the text.
    """

    kind: str
    target: str = ""
    arguments: list[str] = field(default_factory=list)


def original_arguments() -> list[str]:
    """The command line of this interpreter, with the interpreter's own options."""
    arguments = getattr(sys, "orig_argv", None)  # 3.10 and later
    if arguments:
        return list(arguments)
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return [os.fsdecode(part) for part in file.read().split(b"\0")[:-1]]
    except OSError:
        return [sys.executable, *sys.argv]


def this_launch() -> Launch:
    """How this interpreter was started."""
    rest = original_arguments()[1:]
    while rest:
        word = rest.pop(0)
        if word == "-" or not word.startswith("-"):
            return Launch("input" if word == "-" else "script", "" if word == "-" else word, rest)
        if word.startswith("--"):
            if word == "--check-hash-based-pycs" and rest:
                rest.pop(0)
            continue
        for k, letter in enumerate(word[1:], start=1):
            if letter in ("c", "m"):
                target = word[k + 1 :] or (rest.pop(0) if rest else "")
                return Launch("command" if letter == "c" else "module", target, rest)
            if letter in _WITH_ARGUMENT:
                if not word[k + 1 :] and rest:
                    rest.pop(0)
                break
    return Launch("input")


def is_spawned() -> bool:
    """Whether multiprocessing started this interpreter as one of its processes."""
    return "--multiprocessing-fork" in original_arguments()


def is_worker() -> bool:
    """Whether a pool of workers started this interpreter: multiprocessing, loky (joblib) or a fork server."""
    words = original_arguments()
    return is_spawned() or any("popen_loky" in word or "multiprocessing." in word for word in words)


@dataclass
class Script:
    """The user's main program: where its text is, and where its imports are searched for."""

    path: str  # "-c" for a command
    name: str = "__main__"
    package: str = ""  # what relative imports start from
    text: str | None = None
    folder: str | None = None  # what Python puts first on sys.path


def find_script(launch: Launch) -> Script | None:
    """The user's program that this launch runs, also if a launcher (torchrun, cProfile …) starts it.

    None if there is none.
    """
    if launch.kind == "script" and launch.target == CALL:
        path = launch.arguments[0].rpartition(":")[0] if launch.arguments else ""
        if not path.endswith(".py"):
            return None
        return module_at(path)
    if launch.kind == "script":
        path = launch.target
        if os.path.isdir(path):
            path = os.path.join(path, "__main__.py")
        if is_user_file(path) and os.path.isfile(path) and not path.endswith((".pyz", ".zip", ".pyc")):
            return Script(os.path.abspath(path), folder=os.path.dirname(os.path.realpath(path)))
    elif launch.kind == "module":
        script = _module(launch.target)
        if script is not None:
            return script
    elif launch.kind == "command":
        return Script("-c", text=launch.target, folder=os.getcwd())
    else:
        return None
    if launch.kind == "script" and is_user_file(launch.target):
        return None
    return _behind_launcher(launch.arguments)


def module_at(path: str) -> Script:
    """The module in a file whose function is called.

    A file in a package that imports from this package, `from .model import Net`, is imported as part of it; any other
    file is imported as if it stood alone.
    """
    folder, file = os.path.split(os.path.abspath(path))
    root = folder
    parts: list[str] = []
    while os.path.isfile(os.path.join(root, "__init__.py")) and os.path.basename(root).isidentifier():
        parts.insert(0, os.path.basename(root))
        root = os.path.dirname(root)
    name = file[: -len(".py")]
    if parts and _imports_from(path, parts[0]):
        return Script(os.path.join(folder, file), name=".".join([*parts, name]), package=".".join(parts), folder=root)
    return Script(os.path.join(folder, file), name=name, folder=folder)


def _imports_from(path: str, package: str) -> bool:
    """Whether a file imports anything relative to its package, or from it by name."""
    import ast

    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError):  # the import will say so
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level or (node.module or "").partition(".")[0] == package:
                return True
        elif isinstance(node, ast.Import) and any(a.name.partition(".")[0] == package for a in node.names):
            return True
    return False


def _module(name: str) -> Script | None:
    for folder in [os.getcwd(), *sys.path]:
        base = os.path.join(folder, name.replace(".", os.sep))
        for path, package in (
            (os.path.join(base, "__main__.py"), name),
            (base + ".py", name.rpartition(".")[0]),
        ):
            if os.path.isfile(path) and is_user_file(path):
                return Script(os.path.abspath(path), package=package, folder=os.getcwd())
    return None


def _behind_launcher(arguments: list[str]) -> Script | None:
    """The first script, or `-m module`, among a launcher's arguments that is the user's."""
    for k, word in enumerate(arguments):
        if word.endswith(".py") and os.path.isfile(word) and is_user_file(word):
            return Script(os.path.abspath(word), folder=os.path.dirname(os.path.realpath(word)))
        if word in ("-m", "--module") and k + 1 < len(arguments):
            found = _module(arguments[k + 1])
            if found is not None:
                return found
    return None
