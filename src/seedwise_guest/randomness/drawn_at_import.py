"""Libraries also draw random numbers while they are imported.

These draws are the same under every seed and do not count as the script's.

During the outermost import of a library, each global generator that nobody has seeded or drawn from is put into one
fixed state. After the import it gets its earlier state back. A generator that the library makes for itself starts
from a fixed number; when the import is finished, it is started again from the seed. So an import is the same in every
run, and one import can serve all runs.
"""

from __future__ import annotations

import _thread
import contextlib
from dataclasses import dataclass
from typing import Any, Callable

from ..process.imports import is_standard, users_by_name, wrap_imports
from .backends._watching import drawn_from
from .backends.interface import Backend, Find, Own
from .ledger import Ledger, State
from .streams import derive

Names = tuple[str, str, int]
"""Library, module, and the number k of the generator: it is the k-th one that this module made."""
Made = tuple[Names, int, Own]
"""The names of a generator, the number of bits of its start, and how to restart it."""


@dataclass
class _Held:
    """A global generator that nobody has seeded or drawn from, while a library is imported."""

    backend: Backend
    start: object
    """Its digest before the import."""
    saved: Any = None
    """Its state before the import, if the library draws from another state. Otherwise None."""
    fixed: object = None
    """The digest of this other state."""
    entry: tuple[object, ...] = ()
    """What the ledger said before the import."""


class AtImport:
    """The imports of libraries in a process whose generators are controlled.

    Parameters
    ----------
    backends, ledger, started
        Those of the control. `started` names the libraries whose global generators we have started.
    """

    def __init__(self, backends: list[Backend], ledger: Ledger, started: set[str]) -> None:
        self._backends = backends
        self._ledger = ledger
        self._started = started
        self._counts: dict[tuple[str, str], int] = {}
        self._made: list[tuple[Names, int, int, Find]] = []
        self._held: dict[str, _Held] = {}
        self._inside = False
        self.drawn = 0
        """How many imports have drawn from a global generator in a way that changed nothing for the script."""
        self.depth = 0
        """How many imports are going on, one inside another. Generators that they make are started from the seed
        when the imports end.
        """

    def number(self, library: str, bits: int, module: str, find: Find) -> int:
        """The number from which a generator starts that is made while `module` is imported. See `NextStream`."""
        k = self._counts.get((library, module), 0)
        self._counts[library, module] = k + 1
        number = derive(0, "import", library, module, k, bits=bits)
        self._made.append(((library, module, k), bits, number, find))
        return number

    def made(self) -> list[Made]:
        """The generators that were made since the last call and that only draws have moved from their start."""
        made, self._made = self._made, []
        found: dict[int, Own] = {}
        for find in {id(find): find for *_, find in made}.values():
            found.update(find([number for *_, number, its in made if its is find]))
        return [(names, bits, found[number]) for names, bits, number, _ in made if number in found]

    def watch(self, start_made: Callable[[list[Made]], None]) -> Callable[[], None]:
        """Hold the generators during each outermost import of a library from now on.

        After the import, start what the library made.

        Returns a function that ends this. Nothing is held during an import in another thread, or while other threads
        run: those may be drawing.
        """
        thread = _thread.get_ident()
        outermost: list[object] = []
        is_users = users_by_name()

        def begin(name: str) -> object:
            token = object()
            if _thread.get_ident() == thread:
                self.depth += 1
            if _thread.get_ident() != thread or is_standard(name):
                return token
            if not outermost:
                if not is_users(name):
                    outermost.append(token)
                    if not _thread._count():
                        self.hold()
            elif self._inside and is_users(name):
                self.let_go()  # the user's own code draws from the script's own generators
            return token

        def end(token: object, ok: bool) -> None:
            if _thread.get_ident() == thread:
                self.depth -= 1
            if outermost and outermost[0] is token:
                outermost.clear()
                self.let_go()
            if not outermost and self._made:
                start_made(self.made())

        return wrap_imports(begin, end)

    def hold(self) -> None:
        """Call this when the import of a library begins."""
        self._inside = True
        for backend in self._backends:
            if backend.generator and backend.name in self._started:
                self._hold(backend)

    def starts(self, backend: Backend) -> None:
        """Call this when the library of `backend` has just been started; this may be in the middle of an import."""
        if self._inside and backend.generator:
            self._hold(backend)

    def _hold(self, backend: Backend) -> None:
        entry = self._entry(backend)
        if entry[0] not in (State.UNTOUCHED, State.UNSEEDED):
            return
        digest = backend.digest()
        if self._ledger.starts.get(backend.generator) != digest:
            return
        held = self._held[backend.name] = _Held(backend, digest, entry=entry)
        fixed = backend.while_importing()
        if fixed is not None:
            held.saved = backend.take()
            backend.put(fixed)
            held.fixed = self._ledger.starts[backend.generator] = backend.digest()

    def _entry(self, backend: Backend) -> tuple[object, ...]:
        entry = self._ledger.entry(backend.generator)
        return entry.state, entry.seed, entry.note, len(entry.seeded_at)

    def let_go(self) -> None:
        """Call this when the import of a library ends. Its draws have no effect on the script's generators."""
        self._inside = False
        self.drawn += self._has_drawn()
        for held in self._held.values():
            backend, starts = held.backend, self._ledger.starts
            seeded = self._entry(backend) != held.entry
            if held.fixed is None:
                if not seeded:  # its draws do not count as the script's
                    starts[backend.generator] = backend.digest()
            else:
                starts[backend.generator] = held.start
                if not seeded or drawn_from(held.fixed, backend.digest()):
                    with contextlib.suppress(ValueError):  # NumPy: the library has put in another kind of generator
                        backend.put(held.saved)  # else: the library has seeded it, for the script too
        self._held.clear()

    def _has_drawn(self) -> bool:
        """Whether somebody drew from a global generator since the library's import began.

        Only draws that change nothing for the script count.
        """
        held = [held for held in self._held.values() if held.fixed is not None]
        return any(one.backend.digest() != one.fixed and self._entry(one.backend) == one.entry for one in held)

    def position(self, backend: Backend) -> tuple[object, ...]:
        """Where the global generator stands, and what its ledger entry says.

        Draws that change nothing for the script are left out.
        """
        entry = self._entry(backend) if backend.generator else ()
        held = self._held.get(backend.name)
        if held is None or held.fixed is None or entry != held.entry:
            return backend.digest(), entry
        return held.start, entry
