"""The lines where the order of sets enters a program: found by watching it, shown by sorting there."""

from dataclasses import replace

from seedwise_guest.protocol import ORDER, PLACED, SHOWN

from .causes import Fix
from .hypotheses import Hypothesis
from .proof import Prover
from .rerunning import FIRST_HASH_SEED, Change
from .trace import Trace

_MOST_LINES = 12


WATCHED = FIRST_HASH_SEED | Change({"sets": {"record": True}}, {})
"""The change under which each line that takes the elements of a set in their order is noted."""


def numbered(hypothesis: Hypothesis, watched: Trace) -> Hypothesis:
    """Order by address, with the classes whose objects are ordered so, and the first line that takes this order."""
    found = {name.removeprefix(PLACED): line for name, line in watched.facts.items() if name.startswith(PLACED)}
    if watched.failed or not found:
        return hypothesis
    return replace(hypothesis, where=next(iter(found.values())), classes=tuple(found))


def lines_of_order(watched: Trace) -> dict[str, str]:
    """The lines at which the program takes the elements of a set in their order, first ones first, and what they are."""
    if watched.failed:
        return {}
    return {name.removeprefix(ORDER): kind for name, kind in watched.facts.items() if name.startswith(ORDER)}


def proved_by_sorting(hypothesis: Hypothesis, prover: Prover, watched: Trace, base: Change) -> Hypothesis | None:
    """The cause with the lines at which sorting is enough. None if none were found, or sorting there is not enough.

    `base` is what is held still besides.
    """
    found = {line: kind for line, kind in lines_of_order(watched).items() if kind in ("word", "hash", SHOWN)}
    kept = list(found)[:_MOST_LINES]
    if not kept or not _helps(prover, kept, base):
        return None
    for line in reversed(list(kept)):
        rest = [other for other in kept if other != line]
        if rest and _helps(prover, rest, base):
            kept = rest
    return Hypothesis(hypothesis.cause, kept[0], sorted_at=tuple((line, found[line]) for line in kept))


def _helps(prover: Prover, lines: list[str], base: Change) -> bool:
    return bool(prover.hold([Fix("", {"sets": {"sort": lines}}, {})], base))
