"""Merges the ledgers of a run's processes into one ledger."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Ledger = Sequence[Mapping[str, Any]]


def merged(ledgers: Iterable[Ledger]) -> tuple[Mapping[str, object], ...]:
    """The first ledger, with what the others (of workers, of subprocesses) add to it.

    Generators that are untouched there add nothing.
    """
    first, *others = [*ledgers] or [()]
    found = {entry["generator"]: entry for entry in first}
    for ledger in others:
        for entry in ledger:
            if (
                entry["state"] != "untouched"
                and found.get(entry["generator"], {"state": "untouched"})["state"] == "untouched"
            ):
                found[entry["generator"]] = entry
    return tuple(found.values())
