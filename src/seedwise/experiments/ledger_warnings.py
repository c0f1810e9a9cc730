"""What the ledgers of the runs tell: generators that did not follow the seed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import Placement

from ..advice import Advice
from ..places import short_place
from ..results import Run, Status

_ENOUGH = 3
"""Runs whose ledgers are read."""


def about_generators(runs: Sequence[Run], placement: Placement) -> list[Advice]:
    """Warnings about global generators that had the same seed in every run, or none although the script types one.

    Parameters
    ----------
    runs
        Those of one experiment. Only finished ones are looked at, and only if there are two at least.
    """
    ledgers = [_global(run) for run in runs if run.status is Status.FINISHED][:_ENOUGH]
    if len(ledgers) < 2 or not all(ledgers):
        return []
    kept = {site.number for site in placement.own if placement.value(site, 1) is None}
    found: list[Advice] = []
    same: dict[tuple[int, str], list[str]] = {}
    for name, entry in ledgers[0].items():
        others = {ledger.get(name, {}).get("seed") for ledger in ledgers}
        if entry["seed"] is not None and entry["seed"] not in kept and len(others) == 1:
            where = short_place(entry["seeded_at"][-1]) if entry["seeded_at"] else ""
            same.setdefault((entry["seed"], where), []).append(name)
    for (seed, where), names in same.items():
        found.append(
            Advice(
                f"{_listed(names)} {'were' if len(names) > 1 else 'was'} seeded with {seed}{f' at {where}' if where else ''} in every run, "
                "whatever the seed was: the call there has a number of its own, perhaps a library's default",
                "pass it the seed",
            )
        )
    unseeded = [name for name, entry in ledgers[0].items() if entry["state"] == "unseeded"]
    if placement.own and unseeded:
        found.append(
            Advice(
                f"{_listed(unseeded)}: drawn from, and never seeded by the script, so that a plain run differs each time, and here starts from s",
                "seed it in the script too",
            )
        )
    return found


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def _global(run: Run) -> dict[str, dict[str, Any]]:
    """The entries of the libraries' global generators in a run's ledger, by name."""
    if run.folder is None:
        return {}
    try:
        entries = json.loads(Path(run.folder, "ledger.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {entry["generator"]: entry for entry in entries if entry["made_at"] is None}
