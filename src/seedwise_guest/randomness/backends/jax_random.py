"""JAX: it has no global generator.

Every key starts from a number that is typed in the source, and that number is a seed site.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable

from ...process.frames import location
from ..ledger import Ledger, State
from .interface import NextStream, Undo


class Jax:
    """Notes keys where they are made. There is no state to seed, to take or to put back."""

    name = "jax"
    module = "jax"
    generator = ""

    def known(self) -> bool:
        return hasattr(sys.modules.get("jax.random"), "PRNGKey")

    def seed(self, seed: int) -> None:
        pass

    def take(self) -> Any:
        return None

    def put(self, state: Any) -> None:
        pass

    def digest(self) -> object:
        return None

    def while_importing(self) -> Any:
        return None

    def drawn_before(self) -> bool | None:
        return False

    def watch(self, ledger: Ledger, next_stream: NextStream) -> Undo:
        module: Any = sys.modules["jax.random"]
        originals = {name: getattr(module, name) for name in ("PRNGKey", "key")}

        def noted(original: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(original)
            def make(*args: Any, **kwargs: Any) -> Any:
                seed = args[0] if args else kwargs.get("seed")
                ledger.seeding("jax.random.key", _number(seed), False)
                key = original(*args, **kwargs)
                where = location(sys._getframe(1))
                made = ledger.entry(f"jax key made at {where}")
                made.state, made.made_at, made.seed = State.SEEDED, where, _number(seed)
                if where not in made.seeded_at:
                    made.seeded_at.append(where)
                return key

            return make

        for name, original in originals.items():
            setattr(module, name, noted(original))

        def undo() -> None:
            for name, original in originals.items():
                setattr(module, name, original)

        return undo


def _number(seed: Any) -> int | None:
    """The seed as an int; None for a traced value, which has no number."""
    try:
        return int(seed)
    except Exception:  # noqa: BLE001 (a tracer refuses with an error of JAX's own)
        return None
