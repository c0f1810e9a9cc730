"""The guest: the part of Seedwise that is loaded into a user's process.

The host, `seedwise`, is the process of the command line.

The guest uses the standard library only and runs on Python 3.9 and later. It touches NumPy, torch and other libraries
only after the script has imported them. What it changes for a scope, it puts back at the end of the scope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .process.capture import log as log
    from .process.function_calls import Predictions as Predictions
    from .randomness.ledger import Entry as Entry
    from .randomness.ledger import Ledger as Ledger
    from .randomness.ledger import State as State
    from .randomness.seeding import seed_everything as seed_everything
    from .randomness.seeding import seeded as seeded
    from .randomness.streams import SeedError as SeedError
    from .randomness.streams import Streams as Streams

_HOME = {
    "Predictions": "process.function_calls",
    "log": "process.capture",
    "Entry": "randomness.ledger",
    "Ledger": "randomness.ledger",
    "State": "randomness.ledger",
    "seed_everything": "randomness.seeding",
    "seeded": "randomness.seeding",
    "SeedError": "randomness.streams",
    "Streams": "randomness.streams",
}

__all__ = [
    "Entry",
    "Ledger",
    "Predictions",
    "SeedError",
    "State",
    "Streams",
    "log",
    "seed_everything",
    "seeded",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module("." + _HOME[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
