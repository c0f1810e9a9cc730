"""CuPy: the legacy generator of each device.

`cupy.random.default_rng()` without a seed starts from NumPy's SeedSequence.

CuPy makes a device's generator at the first draw on that device. Until then this module does not touch a device.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from ...process.frames import location
from ..ledger import Ledger
from ._watching import follow, noting
from .interface import NextStream, Undo


class CuPy:
    name = "cupy"
    module = "cupy"
    generator = "cupy.random"

    def __init__(self) -> None:
        self._start: int | None = None

    def known(self) -> bool:
        return "cupy.random._generator" in sys.modules

    def seed(self, seed: int) -> None:
        _module()._random_states.clear()  # CuPy makes each generator again, from this number, when it needs it
        self._start = seed

    def take(self) -> Any:
        return dict(_module()._random_states), self._start

    def put(self, state: Any) -> None:
        generators, self._start = state
        _module()._random_states.clear()
        _module()._random_states.update(generators)

    def digest(self) -> object:
        return tuple((device, state._rk_seed) for device, state in _module()._random_states.items())

    def while_importing(self) -> Any:
        return None

    def drawn_before(self) -> bool | None:
        return None if _module()._random_states else False

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        follow(ledger, self.generator, self.digest)
        module, public = _module(), sys.modules["cupy.random"]
        method, seed = module.RandomState.seed, module.seed

        @functools.wraps(method)
        def own(this: Any, number: Any = None) -> None:
            if number is None and _is_global(sys._getframe(1)) and self._start is not None:
                number = self._start
            elif number is None:
                where = location(sys._getframe(1))
                number = next_stream.made(f"cupy generator made at {where}", where, "cupy", 63)
            method(this, number)

        module.RandomState.seed = own
        noted = noting(ledger, self.generator, seed, self.digest, "cupy.random", "seed")
        public.seed = module.seed = noted  # type: ignore[attr-defined]

        def undo() -> None:
            module.RandomState.seed = method
            public.seed = module.seed = seed  # type: ignore[attr-defined]

        return undo


def _module() -> Any:
    return sys.modules["cupy.random._generator"]


def _is_global(frame: Any) -> bool:
    """Whether the generator that is being made is the global one of a device."""
    return frame.f_back is not None and frame.f_back.f_code.co_name == "get_random_state"
