"""What the backends share.

These functions report to the ledger where a generator was seeded, and whether it was drawn from.
"""

from __future__ import annotations

import functools
import operator
import sys
from typing import Any, Callable

from ...process.frames import location
from ..ledger import Ledger, State

_MOST_PLACES = 16


def follow(ledger: Ledger, name: str, digest: Callable[[], object]) -> None:
    """Keep the entry of a global generator up to date. An untouched generator that has moved is entered as unseeded."""
    if not name:
        return
    entry = ledger.entry(name)
    ledger.starts[name] = digest()

    def refresh() -> None:
        if entry.state is State.UNTOUCHED and digest() != ledger.starts.get(name):
            entry.state = State.UNSEEDED

    ledger.when_read(refresh)


def noting(
    ledger: Ledger,
    generator: str,
    seed_function: Callable[..., Any],
    digest: Callable[[], object],
    module: str,
    name: str,
) -> Callable[..., Any]:
    """A function that calls `seed_function` and also notes the call in the ledger.

    The entry for `generator` then says where it was called and with which seed.

    It is pickled by reference to `module.name`, as the original is.
    """

    @functools.wraps(seed_function)
    def seed(*args: Any, **kwargs: Any) -> Any:
        entry = ledger.entry(generator)
        first = entry.state in (State.UNTOUCHED, State.UNSEEDED)
        moved = first and digest() != ledger.starts.get(generator)
        given = args[0] if args else next((kwargs[key] for key in ("seed", "a") if key in kwargs), None)
        ledger.seeding(generator, given)
        result = seed_function(*args, **kwargs)
        ledger.seeded(generator)
        if given is None:
            entry.note = "last restarted without a seed"
            return result
        entry.note = ""
        if first:
            entry.state = State.SEEDED_LATE if moved else State.SEEDED
        entry.seed = _as_number(given)
        where = location(sys._getframe(1))
        if where not in entry.seeded_at and len(entry.seeded_at) < _MOST_PLACES:
            entry.seeded_at.append(where)
        return result

    seed.__module__, seed.__name__, seed.__qualname__ = module, name, name
    return seed


def _as_number(given: Any) -> int | None:
    """A seed as an integer; None if it is not a single integer (an array, text, bytes)."""
    try:
        return operator.index(given)
    except TypeError:
        return None


_MOST_TWISTS = 64


def drawn_from(start: Any, now: Any) -> bool:
    """Whether draws alone lead from the digest `start` of a generator to the digest `now`.

    The generator is a Mersenne twister, `random`'s or NumPy's.

    The 624 words of its state are replaced as a whole each time they are used up. About forty thousand draws of 32
    bits are followed.
    """
    import random

    twister, wanted = random.Random(0), _words(now)
    twister.setstate((3, (*_words(start), 624), None))
    for _ in range(_MOST_TWISTS):
        if twister.getstate()[1][:-1] == wanted:
            return True
        twister.getrandbits(32 * 624)
    return False


def _words(digest: Any) -> tuple[int, ...]:
    if isinstance(digest[0], bytes):
        return tuple(int.from_bytes(digest[0][k : k + 4], sys.byteorder) for k in range(0, len(digest[0]), 4))
    return tuple(digest[1][:-1])
