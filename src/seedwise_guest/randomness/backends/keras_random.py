"""Keras 3: its global SeedGenerator. Every other generator of Keras starts from `random`, which is seeded before it."""

from __future__ import annotations

import sys
from typing import Any

from ..ledger import Ledger
from ._watching import follow, noting
from .interface import NextStream, Undo

_GENERATOR, _SEED = "global_seed_generator", "global_random_seed"


def _global_state() -> Any:
    # Keras has no public function that returns the global SeedGenerator
    return sys.modules["keras.src.backend.common.global_state"]


class Keras:
    """The global SeedGenerator. The library with which Keras computes has its own backend and is seeded there.

    `keras.utils.set_random_seed(s)` seeds `random`, NumPy and that library. It also drops the global SeedGenerator,
    which Keras makes again from `random` when it needs it. `seed` of this class does only the last of these things.
    """

    name = "keras"
    module = "keras"
    generator = "keras"

    def known(self) -> bool:
        return "keras.src.backend.common.global_state" in sys.modules  # not in Keras 2

    def seed(self, seed: int) -> None:
        state = _global_state()
        state.set_global_attribute(_GENERATOR, None)
        state.set_global_attribute(_SEED, seed)

    def take(self) -> Any:
        state = _global_state()
        generator = state.get_global_attribute(_GENERATOR)
        return state.get_global_attribute(_SEED), generator, None if generator is None else _value(generator)

    def put(self, state: Any) -> None:
        seed, generator, value = state
        attributes = _global_state()
        attributes.set_global_attribute(_SEED, seed)
        attributes.set_global_attribute(_GENERATOR, generator)
        if generator is not None:
            generator.state.assign(value)

    def digest(self) -> object:
        generator = _global_state().get_global_attribute(_GENERATOR)
        return None if generator is None else _value(generator).tobytes()

    def while_importing(self) -> Any:
        return None

    def drawn_before(self) -> bool | None:
        return _global_state().get_global_attribute(_GENERATOR) is not None

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        follow(ledger, self.generator, self.digest)
        original = sys.modules["keras.src.utils.rng_utils"].set_random_seed
        noted = noting(ledger, self.generator, original, self.digest, original.__module__, "set_random_seed")
        places = [
            module
            for name, module in list(sys.modules.items())
            if name.endswith("keras.utils") or name in ("keras.src.utils", "keras.src.utils.rng_utils")
            if getattr(module, "set_random_seed", None) is original
        ]
        for place in places:
            place.set_random_seed = noted  # type: ignore[attr-defined]

        def undo() -> None:
            for place in places:
                place.set_random_seed = original  # type: ignore[attr-defined]

        return undo


def _value(generator: Any) -> Any:
    import numpy as np

    return np.array(sys.modules["keras.src.backend"].convert_to_numpy(generator.state.value))
