"""Modules that were imported before the run began, kept out of its sight until it imports them itself."""

from __future__ import annotations

import _thread
import os
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Callable

from .. import spool
from ..imports import attributes_of, handed_out
from ..seeding import Control
from . import state

NOT_WARM = 95
"""Exit status of a child that cannot go on as a fresh process would; its seed is to be run fresh."""


ABSENT: object = object()
Change = tuple[Any, str, object, object]
"""A module, an attribute of it, what that was before and what it is after; ABSENT for nothing."""


@dataclass
class Unit:
    """What one import statement brought: its modules, and the states before and after it."""

    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    modules: dict[str, ModuleType]
    changes: list[Change] = field(default_factory=list)
    """What the import changed of modules that were there before: `numpy.random` becomes an attribute of `numpy`."""
    made: list[Any] = field(default_factory=list)
    """Generators that were made during the import, to be started from the seed."""
    drew: frozenset[str] = frozenset()
    """Libraries from whose global generators it drew: to no effect, if nobody has seeded or drawn from them before."""
    folders: list[tuple[str, int]] = field(default_factory=list)
    """Folders that it made, outermost first, with their modes."""
    printed: tuple[bytes, bytes] = (b"", b"")
    """What it printed to standard output and standard error."""


class Shelf:
    """Hands units out, in the order in which they were imported.

    Parameters
    ----------
    units
        In that order.
    control
        That of this run.
    """

    def __init__(self, units: list[Unit], control: Control) -> None:
        self._units = units
        self._control = control
        self._place: dict[str, int] = {}
        for k, unit in enumerate(units):
            for name in unit.modules:
                self._place[name] = k
        self._out = {k for k, unit in enumerate(units) if not unit.modules}
        """Those that have been handed out; one that brought nothing but the standard library has nothing to hand out."""
        self._lock = _thread.RLock()

    def put_away(self) -> None:
        """Take the modules out of `sys.modules` and answer for them from now on."""
        for k, unit in reversed([*enumerate(self._units)]):
            for module, key, old, _ in unit.changes if k not in self._out else ():
                _set(module, key, old)
        for name in self._place:
            sys.modules.pop(name, None)
        _answer_imports(self._hand_out)

    def _hand_out(self, name: str) -> bool:
        """Put the unit that holds `name` into `sys.modules`; False for a name that is not here."""
        k = self._place.get(name)
        if k is None or k in self._out:
            return False
        with self._lock:
            return k not in self._out and self._hand_out_unit(name, k)

    def _hand_out_unit(self, name: str, k: int) -> bool:
        unit = self._units[k]
        if name != unit.name:
            _give_up(f"{name} is not imported by {unit.name}, as it was first, but before it")
        why = state.same(state.take(), unit.before)
        if why:
            _give_up(f"{why} is not what it was when {name} was imported first")
        earlier = [j for j in range(k) if j not in self._out]
        if earlier:  # it may look for what came before it in the first run
            _give_up(f"{name} is imported before {self._units[earlier[0]].name}, after which it came at first")
        touched = sorted(unit.drew & self._control.started - self._control.imports.holds())
        if touched:
            _give_up(f"{touched[0]} was seeded or drawn from before {name} was imported, which draws from it")
        for module, key, old, _ in unit.changes:
            if old is not ABSENT and attributes_of(module).get(key, ABSENT) is not old:
                _give_up(
                    f"{module.__name__}.{key}, which {name} changes, is not what it was when that was imported first"
                )
        _print(name, unit.printed)
        for path, mode in unit.folders:
            try:
                os.mkdir(path, mode)
            except FileExistsError:
                continue
            except OSError as error:
                _give_up(f"{name} makes the folder {path}: {error}")
        sys.modules.update(unit.modules)
        for module, key, _, new in unit.changes:
            _set(module, key, new)
        self._out.add(k)
        state.put(unit.after)
        for inner, module in unit.modules.items():
            handed_out(inner, module)
        self._control.imports.start_later(unit.made)
        return name in sys.modules


def _print(name: str, printed: tuple[bytes, bytes]) -> None:
    """Print again what the import printed."""
    for fd, data, stream, own in zip((1, 2), printed, (sys.stdout, sys.stderr), (sys.__stdout__, sys.__stderr__)):
        if not data:
            continue
        if stream is not own or stream is None:
            _give_up(
                f"{name} prints when it is imported, and the script has put something else in the place of the stream"
            )
        if fd == 1 and not getattr(stream, "write_through", True):
            stream.write(
                data.decode(stream.encoding, stream.errors or "strict")
            )  # Python keeps it back, as it does in a fresh run
            continue
        stream.flush()
        while data:
            data = data[os.write(fd, data) :]


def _set(module: Any, key: str, value: object) -> None:
    if value is ABSENT:
        attributes_of(module).pop(key, None)
    else:
        attributes_of(module)[key] = value


def _give_up(reason: str) -> None:
    spool.send("not-warm", reason=reason)
    os._exit(NOT_WARM)


_WRAPPER = """
def _find_and_load(name, import_):
    if hand_out(name):
        return modules[name]
    return find_and_load(name, import_)
"""


def _answer_imports(hand_out: Callable[[str], bool]) -> None:
    bootstrap: Any = sys.modules["_frozen_importlib"]
    namespace: dict[str, Any] = {
        "hand_out": hand_out,
        "modules": sys.modules,
        "find_and_load": bootstrap._find_and_load,
    }
    exec(compile(_WRAPPER, "<frozen importlib._bootstrap>", "exec", dont_inherit=True), namespace)
    bootstrap._find_and_load = namespace["_find_and_load"]
