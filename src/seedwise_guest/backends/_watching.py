"""What the backends share: a seeding function that tells the ledger where it was called."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable

from ..frames import location
from ..ledger import Entry, Ledger, State

_MOST_PLACES = 16


def follow(ledger: Ledger, name: str, digest: Callable[[], object]) -> Entry:
    """Keep the entry of a global generator up to date: has it moved, though nobody seeded it?"""
    entry = ledger.entry(name)
    start = digest()

    def refresh() -> None:
        if entry.state is State.UNTOUCHED and digest() != start:
            entry.state = State.UNSEEDED

    ledger.when_read(refresh)
    return entry


def noting(
    entry: Entry, seed_function: Callable[..., Any], digest: Callable[[], object], module: str, name: str
) -> Callable[..., Any]:
    """`seed_function`, which also notes in `entry` that, where and with what it was called.

    It is pickled by reference to `module.name`, as the original is.
    """
    start = digest()

    @functools.wraps(seed_function)
    def seed(*args: Any, **kwargs: Any) -> Any:
        first = entry.state in (State.UNTOUCHED, State.UNSEEDED)
        moved = first and digest() != start
        result = seed_function(*args, **kwargs)
        given = args[0] if args else next((kwargs[key] for key in ("seed", "a") if key in kwargs), None)
        if given is None:
            entry.note = "last restarted without a seed: from a stream of the seed"
            return result
        entry.note = ""
        if first:
            entry.state = State.SEEDED_LATE if moved else State.SEEDED
        entry.seed = int(given) if isinstance(given, int) or hasattr(given, "__index__") else None
        where = location(sys._getframe(1))
        if where not in entry.seeded_at and len(entry.seeded_at) < _MOST_PLACES:
            entry.seeded_at.append(where)
        return result

    seed.__module__, seed.__name__, seed.__qualname__ = module, name, name
    return seed
