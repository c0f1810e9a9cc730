"""Seed every library in one line, for good (`seed_everything`) or for a scope (`seeded`)."""

from __future__ import annotations

import _thread
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Callable

from ..process.frames import location
from ..process.imports import forget, when_imported
from .backends import all_backends
from .backends.interface import Backend, Find
from .drawn_at_import import AtImport, Made
from .ledger import Ledger, State
from .streams import check_seed, derive


class Control:
    """Holds every library to one seed until `release` is called.

    A library that is imported already is seeded at once; another one is seeded when it is imported. Generators that
    are made without a seed get child streams 0, 1, 2 … of the seed, counted for each library.

    Parameters
    ----------
    seed
        The seed from which the streams of generators without a seed are derived.
    start
        Returns, for the name of a library, the number from which its global generators start. By default this is
        `seed`.
    path
        Names that distinguish this process from others under the same seed.
    ledger
        Where the generators are entered. By default a new one.
    """

    def __init__(
        self,
        seed: int,
        *,
        start: Callable[[str], int] | None = None,
        path: tuple[str | int, ...] = (),
        ledger: Ledger | None = None,
    ) -> None:
        self.seed = seed
        self.path = path
        self.backends: list[Backend] = all_backends()
        self.ledger = Ledger(backend.generator for backend in self.backends) if ledger is None else ledger
        self._start = start or (lambda name: seed)
        self._counts: dict[str, int] = {}
        self._lock = _thread.allocate_lock()
        self._undo: list[Callable[[], None]] = []
        self._waiting: list[tuple[str, Callable[[ModuleType], None]]] = []
        self.started: set[str] = set()
        self._on_started: Callable[[str], None] = lambda name: None
        self.imports = AtImport(self.backends, self.ledger, self.started)
        self._gathered: list[tuple[Made, object]] | None = None

    def next_stream(self, library: str, bits: int) -> int:
        """The number from which the next generator without a seed starts."""
        with self._lock:
            k = self._counts.get(library, 0)
            self._counts[library] = k + 1
        return derive(self.seed, "unseeded", *self.path, library, k, bits=bits)

    def __call__(self, library: str, bits: int, generator: str = "") -> int:
        return self.next_stream(library, bits)

    def made(self, generator: str, where: str, library: str, bits: int) -> int:
        """The number for a generator that the code at `where` makes without a seed: see `NextStream`."""
        self.ledger.made_without_seed(generator, where, "given no seed: got a stream of the seed")
        return self.next_stream(library, bits)

    def unmade(self, generator: str) -> None:
        """That generator does not exist: remove it from the ledger."""
        self.ledger.forget(generator)

    def at_import(self, library: str, bits: int, module: str, find: Find) -> int:
        """The number for a generator that a library makes while it is imported: see `NextStream`."""
        if not self.imports.depth:
            return self.next_stream(library, bits)
        return self.imports.number(library, bits, module, find)

    def start_made(self, made: list[Made]) -> None:
        """Start generators that were made during imports, after these imports.

        After `gather`, they are started when the run begins.
        """
        if self._gathered is not None:
            self._gathered += [(one, one[2].position()) for one in made]
            return
        for names, bits, own in made:
            own.restart(derive(self.seed, "unseeded", *self.path, "import", *names, bits=bits))

    def gather(self) -> None:
        """Call this in a process that forks: `begin_again` then starts the generators that imports have made."""
        self._gathered = []

    def made_moved(self) -> bool:
        """Whether somebody has drawn from a generator that waits for `begin_again`."""
        return any(own.position() != position for (_, _, own), position in self._gathered or ())

    def ends(self) -> dict[str, str]:
        """For each library: a digest of the state of its global generator."""
        from hashlib import sha256

        return {
            backend.name: sha256(repr(backend.digest()).encode()).hexdigest()[:16]
            for backend in self.backends
            if backend.name in self.started and backend.generator
        }

    def counts(self) -> object:
        """How many generators without a seed were made, for each library."""
        return sorted(self._counts.items())

    def watch_imports(self) -> None:
        """Keep what libraries draw and make during their imports apart from what the script does: see `AtImport`."""
        self._undo.append(self.imports.watch(self.start_made))

    def restart_streams(self) -> None:
        """Count generators without a seed from 0 again, because this process now has its own path."""
        self._counts.clear()

    def start_from(self, start: Callable[[str], int]) -> None:
        """Set the start of the libraries that are imported from now on."""
        self._start = start

    def on_started(self, call: Callable[[str], None]) -> None:
        """Call `call(name)` for each library that has been started, and later for each that will be."""
        self._on_started = call
        for name in self.started:
            call(name)

    def begin_again(self, seed: int, start: Callable[[str], int], path: tuple[str | int, ...]) -> None:
        """Begin another run, in a child of the process in which this control saw the imports."""
        from .backends._watching import follow

        self.seed, self._start, self.path = seed, start, path
        self._counts.clear()
        self.ledger.clear()
        self._on_started = lambda name: None
        for backend in self.backends:
            if backend.name in self.started:
                self.seed_unnoted(backend.name, start(backend.name))
                follow(self.ledger, backend.generator, backend.digest)
        gathered, self._gathered = self._gathered or [], None
        self.start_made([made for made, _ in gathered])

    def seed_unnoted(self, library: str, number: int) -> None:
        """Start the library's global generators from `number`.

        The ledger does not mention it, because the script did not do it.
        """
        backend = next(backend for backend in self.backends if backend.name == library)
        entry = self.ledger.entry(backend.generator)
        before = {**vars(entry), "seeded_at": list(entry.seeded_at)}
        backend.seed(number)
        vars(entry).update(before)
        if backend.generator:
            self.ledger.starts[backend.generator] = backend.digest()
        else:
            self.ledger.forget("")

    def _has_started(self, backend: Backend) -> None:
        self.started.add(backend.name)
        self._on_started(backend.name)
        self.imports.starts(backend)

    def take_hold(self, on_start: Callable[[Backend], None] | None = None) -> None:
        """Seed the libraries that are imported now, and each other one when it is imported.

        `on_start(backend)` is called before each.
        """
        for backend in self.backends:

            def act(module: ModuleType, backend: Backend = backend) -> None:
                if not backend.known():
                    return
                if on_start is not None:
                    on_start(backend)
                backend.seed(self._start(backend.name))
                self._undo.append(backend.watch(self.ledger, self))
                self._has_started(backend)

            self._waiting.append((backend.module, act))
            when_imported(backend.module, act)

    def release(self) -> None:
        """Stop following the generators. They keep their states."""
        for name, act in self._waiting:
            forget(name, act)
        self._waiting.clear()
        while self._undo:
            self._undo.pop()()


_current: Control | None = None


def seed_everything(seed: int, *, deterministic: bool = False) -> Ledger:
    """Seed every library: `random`, NumPy, torch on every device. Libraries that are imported later are seeded then.

    The global generators get `seed` itself, so they give the same numbers as after `random.seed(42)`,
    `np.random.seed(42)` and `torch.manual_seed(42)`. A generator that is made later without a seed
    (`np.random.default_rng()`, `random.Random()`) gets the next child stream of `seed`. A second call replaces the
    first.

    Parameters
    ----------
    seed
        An integer from 0 to 2**32 - 1.
    deterministic
        Also set torch's deterministic algorithms, `cudnn.deterministic`, and clear `cudnn.benchmark`. The same seed
        then gives the same bits on the same machine; some operations become slower and a few raise an error. On a
        GPU, cuBLAS also wants CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment at launch.

    Returns
    -------
    Ledger
        Every generator with its state: `seeded`, `seeded-late` (drawn from before), `unseeded`, `untouched`.

    Raises
    ------
    SeedError
        A float, a bool, or a number out of range. Nothing has been changed then.
    """
    global _current
    number = check_seed(seed)
    held: set[str] = set()
    if _current is not None:
        _current.release()
        held = _current.started  # these libraries were seeded by us before: draws since then do not count as late
    control = _current = Control(number)
    where = location(sys._getframe(1))
    control.take_hold(
        lambda backend: _note_seeding(control, backend, where, backend.name not in held and backend.drawn_before())
    )
    _note_waiting(control, where)
    if deterministic:
        _deterministic_torch()
    return control.ledger


def _note_seeding(control: Control, backend: Backend, where: str, late: bool | None) -> None:
    """Enter into the ledger that the library's global generator was seeded at `where`."""
    if not backend.generator:
        return
    entry = control.ledger.entry(backend.generator)
    entry.state = State.SEEDED_LATE if late else State.SEEDED
    entry.seed = control.seed
    entry.seeded_at = [where]
    entry.note = "draws before this cannot be seen" if late is None else ""


def _note_waiting(control: Control, where: str) -> None:
    """Enter the libraries that will be seeded when they are imported into the ledger."""
    for backend in control.backends:
        if backend.name not in control.started and backend.generator and _is_installed(backend.module):
            _note_seeding(control, backend, where, late=False)
            control.ledger.entry(backend.generator).note = "will be seeded when it is imported"


def _is_installed(module: str) -> bool:
    """Whether the library can be imported. It is not imported for this."""
    from importlib.util import find_spec

    try:
        return find_spec(module.partition(".")[0]) is not None
    except (ValueError, ImportError):
        return False


def _deterministic_torch() -> Callable[[], None]:
    """Set torch's flags, now or when torch is imported. Returns a function that restores the old settings."""
    put_back: list[Callable[[], None]] = []

    def act(module: ModuleType) -> None:
        from .backends.torch_random import deterministic

        put_back.append(deterministic())

    when_imported("torch", act)

    def undo() -> None:
        forget("torch", act)
        while put_back:
            put_back.pop()()

    return undo


@contextmanager
def seeded(seed: int, *, deterministic: bool = False) -> Iterator[Ledger]:
    """A scope under a seed.

    It seeds as `seed_everything` does; at the end, also after an exception, every state is put back.

    Scopes can be nested. TensorFlow keeps some states inside its kernels: those of operations with their own seed,
    and those of a `tf.function` that was traced earlier. These are neither seeded nor put back. A library that is
    first imported inside the scope has no earlier state. At the end it is started from the system's entropy, as if it
    were imported then.

    Parameters
    ----------
    seed, deterministic
        As for `seed_everything`.

    Yields
    ------
    Ledger
        The generators of this scope.

    Raises
    ------
    SeedError
        A float, a bool, or a number out of range.
    """
    number = check_seed(seed)
    where = location(sys._getframe(2))  # the caller of the `with` statement: skip contextlib's frame
    control = Control(number)
    states: list[tuple[Backend, Any]] = []
    here = {backend.name for backend in control.backends if backend.module in sys.modules}

    def before(backend: Backend) -> None:
        _note_seeding(control, backend, where, late=False)
        if backend.name in here:
            states.append((backend, backend.take()))

    undo: Callable[[], None] = lambda: None  # noqa: E731
    try:
        control.take_hold(before)
        _note_waiting(control, where)
        if deterministic:
            undo = _deterministic_torch()
        yield control.ledger
    finally:
        undo()
        control.release()
        for backend, state in states:
            backend.put(state)
        for backend in control.backends:  # first imported inside the scope: seed it from the system, as an import would
            if backend.name in control.started and backend.name not in here:
                backend.seed(int.from_bytes(os.urandom(4), "big"))
