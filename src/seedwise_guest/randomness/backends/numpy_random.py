"""NumPy: the legacy global generator, and every Generator or RandomState that is given no seed."""

from __future__ import annotations

import sys
from typing import Any

from ...process.frames import importing_module, is_guest_file, is_importing, location
from ..ledger import Ledger
from ._watching import drawn_from, follow, noting
from .interface import NextStream, Own, Undo


def _np_random() -> Any:
    # not `np.random`: while numpy.random is still being imported, NumPy's own `__getattr__` would import it again
    return sys.modules["numpy.random"]


class NumPy:
    name = "numpy"
    module = "numpy.random"
    generator = "numpy.random"

    def known(self) -> bool:
        return True

    def seed(self, seed: int) -> None:
        _np_random().seed(seed)

    def take(self) -> Any:
        return _np_random().get_state(legacy=False)

    def put(self, state: Any) -> None:
        _np_random().set_state(state)

    def digest(self) -> object:
        state = _np_random().get_state(legacy=False)
        inner = state["state"]
        key = inner["key"].tobytes() if "key" in inner else repr(inner)
        return (key, inner.get("pos"), state.get("has_gauss"), state.get("gauss"))

    def while_importing(self) -> Any:
        np_random = _np_random()
        return {**np_random.MT19937(np_random.SeedSequence(0)).state, "has_gauss": 0, "gauss": 0.0}

    def drawn_before(self) -> bool | None:
        generator = _np_random().mtrand._rand._bit_generator
        sequence = _sequence(generator)
        if sequence is None or type(generator).__name__ != "MT19937":
            return None  # seeded the legacy way, or another generator was put in: its start is not known
        fresh = type(generator)(sequence).state
        now = generator.state
        return bool(
            (fresh["state"]["key"] != now["state"]["key"]).any() or fresh["state"]["pos"] != now["state"]["pos"]
        )

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        np_random = _np_random()
        bit_generator: Any = sys.modules["numpy.random.bit_generator"]

        follow(ledger, "numpy.random", self.digest)
        seed, randbits = np_random.seed, bit_generator.randbits

        def stream_bits(bits: int) -> int:
            # `default_rng()`, SeedSequence() and every other generator without a seed draw their entropy here
            if is_importing(sys._getframe(1)):
                return next_stream.at_import("numpy", bits, importing_module(sys._getframe(1)), _families)
            where = location(sys._getframe(1))
            name = f"numpy generator made at {where}"
            known = ledger.known(name)
            number = _Entropy(next_stream.made(name, where, "numpy", bits))
            if not known and not is_guest_file(
                sys._getframe(1).f_code.co_filename
            ):  # our own `numpy.random.seed(None)`
                number.while_calling(sys._getframe(1), lambda: next_stream.unmade(name))
            return number

        np_random.seed = noting(ledger, "numpy.random", seed, self.digest, "numpy.random", "seed")
        bit_generator.randbits = stream_bits

        def undo() -> None:
            np_random.seed = seed
            bit_generator.randbits = randbits

        return undo


def _families(numbers: list[int]) -> dict[int, Own]:
    """What was made from each number: seed sequences, generators, their children and their copies.

    Found by one walk over all objects.
    """
    import gc

    np_random = _np_random()
    sequences: dict[int, list[Any]] = {}
    generators: dict[int, list[Any]] = {}
    states: list[Any] = []
    for found in gc.get_objects():
        kind = type(found)  # its `__class__` may run foreign code
        if issubclass(kind, np_random.SeedSequence):
            sequences.setdefault(_entropy(found), []).append(found)
        elif issubclass(kind, np_random.BitGenerator):
            generators.setdefault(_entropy(_sequence(found)), []).append(found)
        elif issubclass(kind, np_random.RandomState):
            states.append(found)
    return {
        number: _own(number, sequences.get(number, []), generators.get(number, []), states)
        for number in numbers
        if number in sequences or number in generators
    }


def _own(number: int, sequences: list[Any], generators: list[Any], states: list[Any]) -> Own:
    generators = [found for found in generators if _is_where_it_was_taken(found, number)]
    mine = [state for state in states if any(state._bit_generator is found for found in generators)]

    def restart(to: int) -> None:
        for sequence in {id(s): s for s in [*sequences, *map(_sequence, generators)]}.values():
            sequence.__init__(
                to,
                spawn_key=sequence.spawn_key,
                pool_size=sequence.pool_size,
                n_children_spawned=sequence.n_children_spawned,
            )
        for found in generators:
            found.__init__(_sequence(found))
        for state in mine:
            state.set_state({**state.get_state(legacy=False), "has_gauss": 0, "gauss": 0.0})

    def position() -> object:
        import pickle

        return pickle.dumps([[found.state for found in generators], [s.n_children_spawned for s in sequences]])

    return Own(restart, position)


def _is_where_it_was_taken(generator: Any, number: int) -> bool:
    """Whether only draws have led the generator from its start to where it is: nobody has set its state."""
    sequence = _sequence(generator)
    start = type(generator)(_np_random().SeedSequence(number, spawn_key=sequence.spawn_key)).state["state"]
    now = generator.state["state"]
    if "inc" in start:
        return bool(start["inc"] == now["inc"])
    if "pos" in start:
        return drawn_from((start["key"].tobytes(),), (now["key"].tobytes(),))
    return not ("key" in start and (start["key"] != now["key"]).any())


def _entropy(sequence: Any) -> int:
    entropy = getattr(sequence, "entropy", None)
    return int(entropy) if isinstance(entropy, int) else -1


def _sequence(bit_generator: Any) -> Any:
    """The SeedSequence from which it started; None if it was seeded the legacy way."""
    return getattr(bit_generator, "seed_seq", None) or getattr(bit_generator, "_seed_seq", None)


class _Entropy(int):
    """A number that calls a function when nothing refers to it any more.

    `RandomState(3)` first makes a bit generator without a seed, then seeds it and drops the number from which it
    started. So a number that is deleted before the call has returned was never used.
    """

    _caller: Any = None
    _at = -1
    _unused: Any = None

    def while_calling(self, frame: Any, unused: Any) -> None:
        self._caller, self._at, self._unused = id(frame), frame.f_lasti, unused

    def __del__(self) -> None:
        if self._unused is None:
            return
        try:
            frame = sys._getframe(1)
        except ValueError:  # the interpreter ends
            return
        if id(frame) == self._caller and frame.f_lasti == self._at:
            self._unused()

    def __reduce__(self) -> Any:
        return int, (int(self),)
