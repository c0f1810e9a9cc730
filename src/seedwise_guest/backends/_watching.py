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


def noting(entry: Entry, seed_function: Callable[..., Any], digest: Callable[[], object]) -> Callable[..., Any]:
    """`seed_function`, which also notes in `entry` that, where and with what it was called."""
    start = digest()

    @functools.wraps(seed_function)
    def seed(*args: Any, **kwargs: Any) -> Any:
        first = entry.state in (State.UNTOUCHED, State.UNSEEDED)
        moved = first and digest() != start
        result = seed_function(*args, **kwargs)
        given = args[0] if args else next(iter(kwargs.values()), None)
        if given is None:
            return result
        if first:
            entry.state = State.SEEDED_LATE if moved else State.SEEDED
        entry.seed = int(given) if isinstance(given, int) or hasattr(given, "__index__") else None
        where = location(sys._getframe(1))
        if where not in entry.seeded_at and len(entry.seeded_at) < _MOST_PLACES:
            entry.seeded_at.append(where)
        return result

    return seed
