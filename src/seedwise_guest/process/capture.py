"""What a run tells its host: logged metrics, the code it loaded, the files it read."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from ..protocol import CONFIGURATION
from . import spool
from .frames import is_user_file
from .imports import attributes_of

_MOST_DATA = 20_000
"""This many data files are named; of the others only their number is told. Configuration and code are always named."""


def log(metrics: Mapping[str, Any] | None = None, /, *, step: int | None = None, **more: Any) -> None:
    """Record metrics of this run: `log(loss=0.31, step=10)` or `log({"val/acc": 0.9})`.

    Outside a run it does nothing, so it can stay in the script. In a distributed run only rank 0 is recorded.

    Parameters
    ----------
    metrics, more
        Names and numbers. Anything that `float` takes is a number: NumPy scalars and tensors of one element too.
    step
        Where in the training this is. Without it, the k-th value under a name is step k.

    Raises
    ------
    TypeError
        For a value that is not a number, naming it; also outside a run, so that a mistake shows at once.
    """
    values: dict[str, float] = {}
    for name, value in {**(metrics or {}), **more}.items():
        try:
            values[str(name)] = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"log() takes numbers; {name!r} is {value!r} of type {type(value).__name__}") from None
    if step is not None:
        step = int(step)
    if not values or not spool.folder() or _rank() not in ("", "0"):
        return
    spool.send("log", step=step, values=values)


def _rank() -> str:
    """The number of this process in a distributed run, as the launcher says it.

    Lightning gives only the local number.
    """
    return os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or "0"


class Files:
    """Notes which files this process opened, by an audit hook.

    A file that was read before it was written is an input.
    """

    def __init__(self) -> None:
        self.read: dict[str, None] = {}
        self.written: dict[str, None] = {}
        self.more = 0
        """How many data files were read beyond those that are named."""
        self._on = True

    def watch(self) -> None:
        sys.addaudithook(self._audit)

    def stop(self) -> None:
        self._on = False

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not self._on:
            return
        path, mode = arguments[0], arguments[1]
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        elif hasattr(path, "__fspath__"):
            path = path.__fspath__()
        if not isinstance(path, str) or path.endswith((".pyc", ".so")):
            return
        if opens_for_writing(mode, arguments[2]):
            self.written.setdefault(path, None)
        elif path not in self.written and path not in self.read:
            if len(self.read) < _MOST_DATA or path.lower().endswith((*CONFIGURATION, ".py")):
                self.read[path] = None
            else:
                self.more += 1

    def inputs(self) -> list[str]:
        """Absolute paths of the user's files that were read."""
        outside = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/")
        found = (os.path.abspath(path) for path in self.read)
        return sorted({p for p in found if not p.startswith(outside) and is_user_file(p) and os.path.isfile(p)})

    def outputs(self) -> list[str]:
        """Absolute paths of the files that were opened for writing."""
        found = (os.path.abspath(path) for path in self.written)
        return sorted({p for p in found if not p.startswith(("/proc/", "/sys/", "/dev/"))})


_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def opens_for_writing(mode: object, flags: object) -> bool:
    """Whether a file is opened for writing, by the arguments of Python's audit event `open`.

    `mode` is None for `os.open`.
    """
    if isinstance(mode, str):
        return any(c in mode for c in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


class Modules:
    """The modules of this process: the user's own, and those of installed libraries.

    When a forked process looks at a module, the kernel copies the memory of that module. For two thousand modules
    this takes longer than many short runs. Therefore the process that forks looks at its modules once, and each run
    looks only at those that were imported after the fork.
    """

    _LAST = "seedwise_guest.prefork"
    """This name is moved to the end of `sys.modules` when all modules have been looked at. What stands after it
    came later.
    """

    def __init__(self) -> None:
        self._mine: list[str] = []
        self._libraries: list[str] = []
        self._looked = False

    def remember(self) -> None:
        """Look at all modules now, so that forked processes need not."""
        self._mine, self._libraries = self._all()
        sys.modules[self._LAST] = sys.modules.pop(self._LAST)
        self._looked = True

    def mine(self) -> list[tuple[str, Any]]:
        """The user's own, `__main__` among them, with their names."""
        return [(name, sys.modules[name]) for name in self._all()[0] if name in sys.modules]

    def libraries(self) -> list[str]:
        """Top-level names of the imported modules that are neither the user's nor the standard library's."""
        return sorted(self._all()[1])

    def loaded_sources(self, known: Any) -> dict[str, str]:
        """Digest of the source of each of the user's modules that is not in `known`.

        Such a module may have been loaded from its cache.
        """
        from hashlib import sha256

        found = {}
        for _name, module in self.mine():
            path = attributes_of(module).get("__file__")
            if not isinstance(path, str) or not path.endswith(".py") or os.path.abspath(path) in known:
                continue
            full = os.path.abspath(path)
            try:
                with open(full, "rb") as file:
                    found[full] = sha256(file.read()).hexdigest()
            except OSError:
                continue
        return found

    def _all(self) -> tuple[list[str], list[str]]:
        mine, libraries = list(self._mine), list(self._libraries)
        for name in self._further():
            attributes = attributes_of(sys.modules.get(name))
            path = attributes.get("__file__")
            if name == "__main__" or (isinstance(path, str) and is_user_file(path)):
                mine.append(name)
            if "." in name or name.startswith("_"):
                continue
            origin = getattr(attributes.get("__spec__"), "origin", None)
            if isinstance(origin, str) and ("site-packages" in origin or "dist-packages" in origin):
                libraries.append(name)
        return list(dict.fromkeys(mine)), list(dict.fromkeys(libraries))

    def _further(self) -> list[str]:
        """Names of the modules that were imported since `remember`; of all modules if `remember` was not called."""
        if not self._looked:
            return list(sys.modules)
        while True:
            found: list[str] = []
            try:
                for name in reversed(sys.modules):
                    if name == self._LAST:
                        break
                    found.append(name)
            except RuntimeError:  # another thread imports
                continue
            return found[::-1]


modules = Modules()
