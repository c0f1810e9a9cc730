"""What the ledgers of the runs tell: generators that did not follow the seed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import Placement

from ..places import short_place
from ..results import Run, Status

_ENOUGH = 3
"""Runs whose ledgers are read."""


def about_generators(runs: Sequence[Run], placement: Placement) -> list[str]:
    """Warnings about global generators that had the same seed in every run, or none although the script types one.

    Parameters
    ----------
    runs
        Those of one experiment. Only finished ones are looked at, and only if there are two at least.
    """
    ledgers = [_global(run) for run in runs if run.status is Status.FINISHED][:_ENOUGH]
    if len(ledgers) < 2 or not all(ledgers):
        return []
    kept = {site.number for site in placement.sites if placement.value(site, 1) is None}
    found: list[str] = []
    for name, entry in ledgers[0].items():
        others = [ledger.get(name, {}).get("seed") for ledger in ledgers]
        if entry["seed"] is not None and entry["seed"] not in kept and len(set(others)) == 1:
            found.append(_same(name, entry))
    unseeded = [name for name, entry in ledgers[0].items() if entry["state"] == "unseeded"]
    if placement.sites and unseeded:
        found.append(
            f"{' and '.join(unseeded)}: drawn from, and never seeded by the script, so that a plain run differs each time; "
            "here it starts from s. Seed it in the script too"
        )
    return found


def _same(name: str, entry: Mapping[str, Any]) -> str:
    where = f" at {short_place(entry['seeded_at'][0])}" if entry["seeded_at"] else ""
    return (
        f"{name} was seeded with {entry['seed']}{where} in every run, whatever the seed was: "
        "the call made there has a seed of its own, perhaps a library's default; pass it the seed"
    )


def _global(run: Run) -> dict[str, dict[str, Any]]:
    """The entries of the libraries' global generators in a run's ledger, by name."""
    if run.folder is None:
        return {}
    try:
        entries = json.loads(Path(run.folder, "ledger.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {entry["generator"]: entry for entry in entries if entry["made_at"] is None}
