"""What Seedwise loads into a user's process.

Standard library only, Python 3.9 and later. NumPy, torch and the rest are touched only once the script has
imported them, and whatever is changed for a scope is put back at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calling import Predictions as Predictions
    from .capture import log as log
    from .ledger import Entry as Entry
    from .ledger import Ledger as Ledger
    from .ledger import State as State
    from .seeding import seed_everything as seed_everything
    from .seeding import seeded as seeded
    from .streams import SeedError as SeedError
    from .streams import Streams as Streams

PROTOCOL = 1
"""Version of the messages between host and guest; both sides refuse another."""

_HOME = {
    "Predictions": "calling",
    "log": "capture",
    "Entry": "ledger",
    "Ledger": "ledger",
    "State": "ledger",
    "seed_everything": "seeding",
    "seeded": "seeding",
    "SeedError": "streams",
    "Streams": "streams",
}

__all__ = [
    "PROTOCOL",
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
