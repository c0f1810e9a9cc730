"""The ledger of a checked process: which generators there are, and where they were seeded and first drawn from.

Nothing is seeded here.
"""

from __future__ import annotations

import functools
import sys
from os import getpid, urandom  # the real functions, before they are watched: Seedwise's own calls must not be noted
from types import ModuleType
from typing import Any, Callable
from zlib import crc32

from ..process import spool
from ..process.frames import is_importing, location
from ..process.imports import when_imported
from ..randomness.backends import all_backends
from ..randomness.backends.interface import Backend, Find
from ..randomness.ledger import Ledger, State
from ..randomness.streams import derive
from .callers import maker_of
from .child_processes import Children
from .compiling import put, take_back
from .ops import GENERATOR_BYTES
from .replaced_builtins import StandIn

_RANDOM = (
    "random uniform randint randrange choice choices shuffle sample gauss normalvariate lognormvariate expovariate "
    "betavariate gammavariate triangular vonmisesvariate paretovariate weibullvariate getrandbits randbytes"
).split()
_NUMPY = (
    "rand randn randint random random_sample ranf sample choice permutation shuffle normal uniform standard_normal binomial "
    "poisson exponential beta gamma bytes random_integers multinomial multivariate_normal laplace lognormal"
).split()
_TORCH = (
    "rand randn randint randperm normal bernoulli multinomial rand_like randn_like randint_like dropout poisson".split()
)
_TENSORFLOW = "normal uniform truncated_normal shuffle categorical gamma poisson".split()
_MOST_UNMADE = 50
"""How many legacy generators, made and seeded at once on the same line, are reported; the others are not."""
_TENSOR = "uniform_ normal_ random_ bernoulli_ exponential_ cauchy_ log_normal_ geometric_".split()


class Observer:
    """Follows every generator of this process and seeds none that was not asked for.

    Parameters
    ----------
    asked
        `generators`: the ledger's names of the generators that start from a fixed number.
    is_child
        Whether this process was started by another one of the run. Its global generators are named so.
    """

    def __init__(self, asked: dict[str, Any], is_child: bool = False) -> None:
        self._children = Children(is_child, self._begin_in_child)
        self.backends: list[Backend] = all_backends()
        self.ledger = Ledger(backend.generator for backend in self.backends)
        self.watched: set[str] = set()
        self._fixed = asked.get("generators", ())
        self._count = 0
        self._unmade: dict[str, int] = {}
        self._pid = getpid()
        self._drawn_at: dict[str, str] = {}
        self._before_seed: set[str] = set()

    def take_hold(self) -> None:
        """Watch the libraries that are imported now, and each other one when it is imported."""
        for backend in self.backends:

            def act(module: ModuleType, backend: Backend = backend) -> None:
                if not backend.known():
                    return
                self._hold(backend)
                backend.watch(self.ledger, self)
                self.watched.add(backend.name)
                self._watch_draws(backend)

            when_imported(backend.module, act)

        self._children.watch()

    def _holds(self, generator: str) -> bool:
        return generator in self._fixed

    def _hold(self, backend: Backend) -> None:
        """Start a library's global generator from a fixed number, if that was asked for."""
        if self._holds(self._children.name_of(backend.generator)):
            backend.seed(derive(0, "check", backend.name, *self._children.path) % 2**32)

    def _begin_in_child(self, forked: bool) -> None:
        """A child process begins: forked, or started anew and told only now which one it is.

        Python gives `random` another start in each forked process. All other generators are copies of the parent's.
        """
        for backend in self.backends:
            if backend.name not in self.watched or (forked and backend.name != "random"):
                continue
            self._hold(backend)
            entry = self.ledger.entry(backend.generator)
            entry.state, entry.seed, entry.seeded_at, entry.note = State.UNTOUCHED, None, [], ""
            self.ledger.starts[backend.generator] = backend.digest()
            self._drawn_at.pop(backend.generator, None)
            self._before_seed.discard(backend.generator)
            if forked:
                self._watch_draws(backend)

    def __call__(self, library: str, bits: int, generator: str = "") -> int:
        """The number from which a generator without a seed starts.

        It comes from the system, as without Seedwise; if asked for, it is fixed.
        """
        self._count += 1
        if self._holds(generator):
            return derive(0, "check", library, self._count, bits=bits)
        return int.from_bytes(urandom((bits + 7) // 8), "big") >> (-bits % 8)

    def made(self, generator: str, where: str, library: str, bits: int) -> int:
        """The number for a generator that the code at `where` makes. The generator gets an entry in the ledger."""
        by = maker_of(sys._getframe(1))
        entry = self.ledger.made_without_seed(generator, where, f"given no seed by {by}" if by else "given no seed")
        if getpid() != self._pid and self._unmade.get(generator, 0) < _MOST_UNMADE:
            spool.send("made", entry=entry.as_dict())  # a worker may be killed before it can tell
        return self(library, bits, generator)

    def unmade(self, generator: str) -> None:
        """Remove the entry of a generator whose number was not used: see `NextStream`."""
        self.ledger.forget(generator)
        self._unmade[generator] = self._unmade.get(generator, 0) + 1
        if getpid() != self._pid and self._unmade[generator] <= _MOST_UNMADE:
            spool.send("unmade", generator=generator)

    def at_import(self, library: str, bits: int, module: str, find: Find) -> int:
        """The number for a generator that a library makes while it is imported.

        It comes from the system, as without Seedwise.
        """
        return int.from_bytes(urandom((bits + 7) // 8), "big") >> (-bits % 8)

    def _watch_draws(self, backend: Backend) -> None:
        """Note the line of the first draw from a global generator. After it the functions are no longer replaced."""
        if backend.name == "random":
            import random

            _first_call([(random, name) for name in _RANDOM], lambda where: self._drawn("random", where))
        elif backend.name == "numpy":
            module = sys.modules["numpy.random"]
            _first_call([(module, name) for name in _NUMPY], lambda where: self._drawn("numpy.random", where))
            when_imported("sklearn.utils.validation", self._watch_sklearn)
        elif backend.name == "torch":
            torch: Any = sys.modules["torch"]
            places = [(torch, name) for name in _TORCH] + [(torch.Tensor, name) for name in _TENSOR]
            functional = getattr(torch.nn, "functional", None) if hasattr(torch, "nn") else None
            if functional is not None:
                places += [(functional, "dropout")]
            _first_call(places, lambda where: self._drawn("torch", where))
        elif backend.name == "tensorflow":
            module = sys.modules["tensorflow"].random
            _first_call([(module, name) for name in _TENSORFLOW], self._drawn_from_tensorflow, unless="seed")

    def _drawn_from_tensorflow(self, where: str) -> None:
        """Note a draw from TensorFlow.

        Without a global seed an operation asks the system and no state changes, so only the draw itself shows it.
        """
        self._drawn("tensorflow", where)
        entry = self.ledger.entry("tensorflow")
        if entry.state is State.UNTOUCHED:
            entry.state = State.UNSEEDED

    def _watch_sklearn(self, module: Any) -> None:
        """Watch scikit-learn.

        An estimator without a random_state draws from NumPy's global generator through an object, not through the
        functions of `numpy.random`.
        """
        check = module.check_random_state

        @functools.wraps(check)
        def own(seed: Any) -> Any:
            found = check(seed)
            if found is sys.modules["numpy.random"].mtrand._rand and not is_importing(sys._getframe(1)):
                self._drawn("numpy.random", location(sys._getframe(1)))
            return found

        module.check_random_state = own

    def _drawn(self, generator: str, where: str) -> None:
        if generator not in self._drawn_at:
            self._drawn_at[generator] = where
            name = self._children.name_of(generator)
            if name != generator and self.ledger.entry(generator).state in (State.UNTOUCHED, State.UNSEEDED):
                entry = {**self.ledger.entry(generator).as_dict(), "generator": name, "state": str(State.UNSEEDED)}
                spool.send("made", entry={**entry, "drawn_at": where})  # a worker may be killed before it can tell
            if self.ledger.known(generator) and self.ledger.entry(generator).state in (State.UNTOUCHED, State.UNSEEDED):
                self._before_seed.add(generator)

    def as_dicts(self) -> list[dict[str, Any]]:
        """The entries of the ledger, with the line of the first draw from each."""
        entries = self.ledger.as_dicts()
        for entry in entries:
            entry["drawn_at"] = self._drawn_at.get(entry["generator"])
            if entry["state"] == State.SEEDED_LATE and entry["generator"] not in self._before_seed:
                entry["state"], entry["note"] = str(State.SEEDED), "libraries drew from it while they were imported"
            if entry["generator"] in {backend.generator for backend in self.backends}:
                entry["generator"] = self._children.name_of(entry["generator"])
        return entries

    def digests(self) -> dict[str, int]:
        """For each global generator: a digest of its state now."""
        found = {}
        for backend in self.backends:
            if backend.name in self.watched and backend.generator:
                state: Any = backend.digest()
                if backend.name == "torch":
                    state = state[:GENERATOR_BYTES]
                found[backend.generator] = crc32(repr(state).encode())
        return found


def _first_call(places: list[tuple[Any, str]], note: Callable[[str], None], unless: str = "generator") -> None:
    """Replace functions until somebody other than an import calls one of them; then put all of them back.

    A call that gets its own generator or seed (the keyword `unless`) does not count.
    """
    done = [False]
    places = [(owner, name) for owner, name in places if getattr(owner, name, None) is not None]

    put_there: list[tuple[Any, str, Any]] = []

    def restore() -> None:
        done[0] = True
        for owner, name, own in put_there:
            take_back(owner, name, own)

    def wrap(original: Any, name: str) -> Any:
        def first(*args: Any, **kwargs: Any) -> Any:
            if not done[0] and kwargs.get(unless) is None and not is_importing(sys._getframe(1)):
                if name != "dropout" or kwargs.get("training", args[2] if len(args) > 2 else True):
                    note(location(sys._getframe(1)))
                    restore()
            return original(*args, **kwargs)

        return first

    for owner, name in places:
        original = getattr(owner, name)
        first = wrap(original, name)
        own = functools.update_wrapper(first, original) if isinstance(owner, type) else StandIn(original, first)
        put(owner, name, own)
        put_there.append((owner, name, own))
