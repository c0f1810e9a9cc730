"""Presents what `check` found, in words and tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from seedwise_guest import State

from ..determinism import Check, Divergence, Outcome, Reason
from ..places import short_place, without_place
from ..words import printable
from .table import Table

_REASONS = {
    Reason.INPUT: "other numbers went into it",
    Reason.GENERATOR: "it was drawn from another state of its generator",
    Reason.KERNEL: "the same numbers went in and others came out",
    Reason.MEMORY: "it read memory that nothing had written",
    Reason.CONTROL: "other operations were done from here on",
}


def lines_of_check(found: Check, ledger: bool) -> list[str]:
    """What `check` found, as lines.

    They give the sentence, what differs and where, what was tried, and the generators (all with `ledger`, else only
    those that matter).
    """
    lines = [printable(found.sentence)]
    if found.difference is not None and found.difference.what:
        lines.append(f"What differs: {printable('; '.join(found.difference.what))}.")
    if found.divergence is not None:
        lines.append(_first_operation(found.divergence))
    lines += _tried(found)
    lines += _generators(found.ledger, ledger)
    for name, spread in found.measured.items():
        lines.append(f"Note: {spread}." if isinstance(spread, str) else _spread(printable(name), spread))
    return lines + [f"Note: {printable(note)}." for note in found.notes]


def _first_operation(first: Divergence) -> str:
    where = f" at {printable(short_place(first.line))}" if first.line else ""
    inside = f" in {printable(first.module)}" if first.module else ""
    return f"First in step {first.step + 1}: {printable(first.operation)}{inside}{where}: {_REASONS[first.reason]}."


def _tried(found: Check) -> list[str]:
    tried = [t for t in found.perturbations if t.outcome is not Outcome.NOT_TRIED]
    rows = tuple((t.name, t.outcome, printable(t.detail)[:100]) for t in tried)
    left = [f"{t.name} ({t.detail})" for t in found.perturbations if t.outcome is Outcome.NOT_TRIED]
    table = ["", Table(("tried", "result", ""), rows).text()]
    return [*table, f"Not tried: {printable('; '.join(left))}."] if left else table


def _generators(entries: Sequence[Mapping[str, Any]], every: bool) -> list[str]:
    fine = (State.SEEDED, State.UNTOUCHED)
    shown = [e for e in entries if every or (e["state"] not in fine and (e.get("made_at") or e.get("drawn_at")))]
    if not shown:
        return []
    cells = tuple(
        (
            printable(without_place(str(e["generator"]))),
            str(e["state"]),
            printable(", ".join(map(short_place, e.get("seeded_at") or ()))),
            printable(short_place(str(e.get("drawn_at") or e.get("made_at") or ""))),
        )
        for e in shown
    )
    return ["", Table(("generator", "state", "seeded at", "made or first drawn at"), cells).text()]


def _spread(name: str, s: Mapping[str, Any]) -> str:
    """How much the result varies because of the uncontrolled source, and how much because of the seed."""
    if s["sd"] is None:
        return f"{name}: one run, no spread."
    what = f"between {s['n']} reruns" if s["of"] == "reruns" else "by this change alone"
    text = f"{name} has an SD of {s['sd']:.3g} {what}"
    if s["seed_sd"]:
        text += f", and of {s['seed_sd']:.3g} between {s['seeds']} seeds: {s['sd'] / s['seed_sd'] * 100:.2g} % of it"
    return text + "."
