"""torch: its default generators on CPU, CUDA, MPS and XPU.

The seeds of DataLoader workers come from the CPU generator.
"""

from __future__ import annotations

import sys
from typing import Any

from ...process.frames import location
from ..ledger import Ledger
from ._watching import follow, noting
from .interface import NextStream, Undo

_DEVICES = ("cuda", "xpu")


class Torch:
    name = "torch"
    module = "torch"
    generator = "torch"

    def known(self) -> bool:
        return True

    def seed(self, seed: int) -> None:
        import torch

        torch.manual_seed(seed)  # CPU, CUDA, MPS, XPU; a device that is not in use yet, at its first use

    def take(self) -> Any:
        import torch

        state: dict[str, Any] = {"cpu": torch.get_rng_state()}
        for device in _DEVICES:
            module = getattr(torch, device, None)
            if module is None:
                continue
            if module.is_available() and module.is_initialized():
                state[device] = module.get_rng_state_all()
            elif hasattr(module, "_lazy_seed_tracker"):  # a seeding that waits for the device's first use
                state[device + " waiting"] = dict(vars(module._lazy_seed_tracker))
            if hasattr(module, "_queued_calls"):
                state[device + " queue"] = list(module._queued_calls)
        if torch.backends.mps.is_available():
            state["mps"] = torch.mps.get_rng_state()
        return state

    def put(self, state: Any) -> None:
        import torch

        torch.set_rng_state(state["cpu"])
        for device in _DEVICES:
            module = getattr(torch, device, None)
            if module is None:
                continue
            if device in state:
                module.set_rng_state_all(state[device])
            elif not module.is_initialized():
                if device + " waiting" in state:
                    vars(module._lazy_seed_tracker).update(state[device + " waiting"])
                if device + " queue" in state:
                    module._queued_calls[:] = state[device + " queue"]
            else:  # first used inside the scope: start it where the CPU's seed would have started it
                module.manual_seed_all(torch.initial_seed())
        if "mps" in state:
            torch.mps.set_rng_state(state["mps"])

    def digest(self) -> object:
        import ctypes

        import torch

        state = torch.get_rng_state()
        return ctypes.string_at(state.data_ptr(), state.numel())

    def while_importing(self) -> Any:
        return None

    def drawn_before(self) -> bool | None:
        import torch

        start = torch.Generator().manual_seed(torch.initial_seed())
        return not torch.equal(start.get_state(), torch.get_rng_state())

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        import torch

        follow(ledger, "torch", self.digest)
        manual_seed, seed = torch.manual_seed, torch.seed

        def seed_from_stream() -> int:
            where = location(sys._getframe(1))
            number = next_stream.made(f"torch.seed() at {where}", where, "torch", 63)
            manual_seed(number)
            return number

        generator_seed = torch.Generator.seed

        def generator_seed_from_stream(own: Any) -> int:
            where = location(sys._getframe(1))
            number = next_stream.made(f"torch.Generator.seed() at {where}", where, "torch", 63)
            own.manual_seed(number)
            return number

        noting_seed = noting(ledger, "torch", manual_seed, self.digest, "torch.random", "manual_seed")
        torch.manual_seed = torch.random.manual_seed = noting_seed
        torch.seed = torch.random.seed = seed_from_stream
        _put_method(torch.Generator, "seed", generator_seed_from_stream)

        def undo() -> None:
            torch.manual_seed = torch.random.manual_seed = manual_seed
            torch.seed = torch.random.seed = seed
            _put_method(torch.Generator, "seed", generator_seed)

        return undo


def _put_method(kind: Any, name: str, own: Any) -> None:
    """Replace a method of a class that is written in C.

    Python refuses to set it, and a class in its place would not be the one that `torch.compile` knows.
    """
    import ctypes
    import gc

    methods = gc.get_referents(vars(kind))[0]
    if isinstance(methods, dict) and name in methods:
        methods[name] = own
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def deterministic(on: bool = True) -> Any:
    """Set torch's deterministic algorithms and cuDNN's two flags. Returns a function that restores the old settings."""
    import torch

    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
    )

    def put_back() -> None:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.deterministic = before[2]
        torch.backends.cudnn.benchmark = before[3]

    torch.use_deterministic_algorithms(on)
    torch.backends.cudnn.deterministic = on
    torch.backends.cudnn.benchmark = not on and before[3]
    return put_back
