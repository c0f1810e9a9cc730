"""The standard library: `random`, instances of `random.Random`, and the system's own randomness."""

from __future__ import annotations

import functools
import os
import sys
from typing import Any

from ...process.frames import importing_module, is_importing, is_user_file, location
from ..ledger import Ledger, State
from ._watching import drawn_from, follow, noting
from .interface import NextStream, Own, Undo


class Stdlib:
    name = "random"
    module = "random"
    generator = "random"

    def known(self) -> bool:
        return True

    def seed(self, seed: int) -> None:
        import random

        random.seed(seed)

    def take(self) -> Any:
        import random

        return random.getstate()

    def put(self, state: Any) -> None:
        import random

        random.setstate(state)

    def digest(self) -> object:
        import random

        return random.getstate()

    def while_importing(self) -> Any:
        import random

        return random.Random(0).getstate()

    def drawn_before(self) -> bool | None:
        # the Mersenne twister's position is 624 after seeding and changes with the first draw; after exactly 624
        # numbers it is 624 again (once in 624 cases)
        import random

        return bool(random.getstate()[1][-1] != 624)

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        import random

        follow(ledger, "random", self.digest)
        module_seed, method = random.seed, random.Random.seed

        def seed_global(a: Any = None, version: int = 2) -> None:
            # `random.seed()` would ask the system for entropy: give it the next stream instead
            if a is None and is_importing(sys._getframe(1)):
                a = next_stream("random", 128, "random")
            elif a is None:
                where = location(sys._getframe(1))
                a = next_stream.made(f"random.seed() at {where}", where, "random", 128)
            module_seed(a, version)

        def seed_instance(self: random.Random, a: Any = None, version: int = 2) -> None:
            if a is not None:
                ledger.seeding("random.Random", a, False)
            elif _called_by_tempfile(sys._getframe(1)):
                pass
            elif is_importing(sys._getframe(1)):
                module = importing_module(sys._getframe(1))
                a = next_stream.at_import("random", 128, module, lambda numbers: _own(self, method, numbers))
            else:
                where = location(sys._getframe(1))
                a = next_stream.made(f"random.Random() made at {where}", where, "random", 128)
            method(self, a, version)

        functools.update_wrapper(seed_instance, method)
        random.seed = noting(ledger, "random", seed_global, self.digest, "random", "seed")
        random.Random.seed = seed_instance  # type: ignore[method-assign]

        urandom = os.urandom

        def noted_urandom(size: int) -> bytes:
            # uuid4, secrets and SystemRandom draw here; they are not changed, but entered in the ledger
            frame = sys._getframe(1)
            caller = frame.f_globals.get("__name__")
            drawn = caller in ("uuid", "secrets", "random") or is_user_file(frame.f_code.co_filename)
            if drawn and not is_importing(frame):
                where = location(frame)
                made = ledger.entry(f"system entropy drawn at {where}")
                made.state, made.made_at, made.note = State.UNTRACKED, where, "uuid4, secrets, os.urandom: never seeded"
            return urandom(size)

        os.urandom = random._urandom = noted_urandom  # type: ignore[attr-defined]

        def undo() -> None:
            os.urandom = random._urandom = urandom  # type: ignore[attr-defined]
            random.seed = module_seed
            random.Random.seed = method  # type: ignore[method-assign]

        return undo


def _own(generator: Any, seed: Any, numbers: list[int]) -> dict[int, Own]:
    """How to restart the generator that started from that number.

    Empty if it was seeded or its state was set since then.
    """
    import random

    start = random.Random(0)
    seed(start, numbers[0])
    try:
        ours = drawn_from(start.getstate(), generator.getstate())
    except Exception:  # noqa: BLE001 (a class of somebody's own)
        return {}
    return {numbers[0]: Own(lambda number: seed(generator, number), generator.getstate)} if ours else {}


def _called_by_tempfile(frame: Any) -> bool:
    """Whether tempfile made the call. Names of temporary files must stay unpredictable and must never collide."""
    for _ in range(3):
        if frame is None:
            return False
        if frame.f_globals.get("__name__") == "tempfile":
            return True
        frame = frame.f_back
    return False
