"""TensorFlow: its global seed, from which eager operations and `tf.data` derive theirs, and its generators.

Operations that are given a seed of their own keep it: `tf.random.normal((3,), seed=1)` is a seed site of the script.
"""

from __future__ import annotations

import sys
from typing import Any

from ...process.frames import location
from ..ledger import Ledger
from ._watching import follow, noting
from .interface import NextStream, Undo


def _context() -> Any:
    # the module behind `tf.random.set_seed`; TensorFlow has no public way to read the seed that was set
    return sys.modules["tensorflow.python.eager.context"].context()


class TensorFlow:
    name = "tensorflow"
    module = "tensorflow"
    generator = "tensorflow"

    def known(self) -> bool:
        return "tensorflow.python.eager.context" in sys.modules and hasattr(
            _random(), "set_seed"
        )  # not in TensorFlow 1

    def seed(self, seed: int) -> None:
        _random().set_seed(seed)

    def take(self) -> Any:
        context = _context()
        kept = sys.modules["tensorflow.python.ops.stateful_random_ops"].global_generator
        numbers = None if context._seed is None else context._rng.getstate()
        return context._seed, numbers, kept, None if kept is None else kept.state.numpy()

    def put(self, state: Any) -> None:
        seed, numbers, kept, inner = state
        stateful: Any = sys.modules["tensorflow.python.ops.stateful_random_ops"]
        _random().set_seed(seed)  # also forgets the counters of operations in this scope; None is "no seed"
        if numbers is not None:
            _context()._rng.setstate(numbers)
        stateful.global_generator = kept
        if kept is not None:
            kept.state.assign(inner)

    def digest(self) -> object:
        context = _context()
        return context._seed, None if context._seed is None else context._rng.getstate()

    def while_importing(self) -> Any:
        return None

    def drawn_before(self) -> bool | None:
        import random

        context = _context()
        if context._seed is None:
            return None  # without a seed, operations ask the system, and nothing shows whether they did
        return bool(random.Random(context._seed).getstate() != context._rng.getstate())

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        follow(ledger, self.generator, self.digest)
        stateful: Any = sys.modules["tensorflow.python.ops.stateful_random_ops"]
        entropy = stateful.non_deterministic_ints

        def stream_ints(shape: Any, dtype: Any = None) -> Any:
            # Generator.from_non_deterministic_state(), and the global generator at its first use, start here
            numpy, tensorflow = sys.modules["numpy"], sys.modules["tensorflow"]
            where = location(sys._getframe(1))
            name = f"tensorflow generator made at {where}"
            wanted = tensorflow.int64 if dtype is None else tensorflow.as_dtype(dtype)
            count = int(numpy.prod(shape))
            bits = [next_stream.made(name, where, "tensorflow", wanted.size * 8 - 1) for _ in range(count)]
            return tensorflow.constant(numpy.array(bits).reshape(shape), dtype=wanted)

        stateful.non_deterministic_ints = stream_ints
        kept: list[tuple[Any, str, Any]] = []
        for name in ("set_seed", "set_random_seed"):
            original = getattr(sys.modules["tensorflow.python.framework.random_seed"], name)
            noted = noting(ledger, self.generator, original, self.digest, original.__module__, name)
            for place in _places():
                if vars(place).get(name) is original:
                    kept.append((place, name, original))
                    setattr(place, name, noted)

        def undo() -> None:
            for place, name, original in kept:
                setattr(place, name, original)
            stateful.non_deterministic_ints = entropy

        return undo


def _random() -> Any:
    return sys.modules["tensorflow"].random


def _places() -> list[Any]:
    """Every module that gives access to `set_seed`, or to the `set_random_seed` of TensorFlow 1."""
    names = (
        "tensorflow._api.v2.random",
        "tensorflow._api.v2.compat.v2.random",
        "tensorflow._api.v2.compat.v1",
        "tensorflow._api.v2.compat.v1.random",
        "tensorflow.python.framework.random_seed",
    )
    return [_random(), *(sys.modules[name] for name in names if name in sys.modules)]
