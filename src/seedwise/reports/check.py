"""Presents what `check` found, in words and tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from seedwise_guest import State

from ..determinism import Check, Divergence, Outcome, Reason, Tried
from ..determinism.finding import sentence_of_shift
from ..places import short_place, without_place
from ..words import printable
from .page import Block, Line
from .screen import Tone
from .table import Table

_REASONS = {
    Reason.INPUT: "other numbers went into it",
    Reason.GENERATOR: "it was drawn from another state of its generator",
    Reason.KERNEL: "the same numbers went in and others came out",
    Reason.MEMORY: "it read memory that nothing had written",
    Reason.CONTROL: "other operations were done from here on",
}


def page_of_check(found: Check, ledger: bool) -> list[Block]:
    """What `check` found.

    The sentence, what differs and where, what was tried, and the generators (all with `ledger`, else only those that
    matter).
    """
    tone = Tone.GOOD if found.ok else Tone.BAD
    blocks: list[Block] = [Line(printable(found.sentence), tone, str(found.verdict))]
    if found.difference is not None and found.difference.what:
        blocks.append(Line(f"What differs: {printable('; '.join(found.difference.what))}."))
    if found.divergence is not None:
        blocks.append(Line(_first_operation(found.divergence)))
    blocks += [
        Line(f"Line {printable(line.where)}\n  - {printable(line.before)}\n  + {printable(line.after)}")
        for line in found.lines
    ]
    blocks += tried_table(found.perturbations, {Outcome.DIFFERENT: Tone.BAD})
    blocks += generators_table(found.ledger, every=ledger)
    for name, spread in found.measured.items():
        text = f"Note: {spread}." if isinstance(spread, str) else _spread(printable(name), spread)
        blocks += [] if text in found.sentence else [Line(text)]
    return blocks + [Line(f"Note: {printable(note)}.") for note in found.notes]


def _first_operation(first: Divergence) -> str:
    where = f" at {printable(short_place(first.line))}" if first.line else ""
    inside = f" in {printable(first.module)}" if first.module else ""
    return f"First in step {first.step + 1}: {printable(first.operation)}{inside}{where}: {_REASONS[first.reason]}."


def tried_table(perturbations: Sequence[Tried], shown: Mapping[Outcome, Tone]) -> list[Block]:
    """What was tried, with a tone for some of its results; and what was not."""
    tried = [t for t in perturbations if t.outcome is not Outcome.NOT_TRIED]
    rows = tuple((t.name, t.outcome.value, printable(t.detail)[:100]) for t in tried)
    tones = {(k, 1): shown[t.outcome] for k, t in enumerate(tried) if t.outcome in shown}
    blocks: list[Block] = [Table(("tried", "result", ""), rows, shorten={0: 16, 2: 18}, tones=tones)] if rows else []
    left = [f"{t.name} ({t.detail})" for t in perturbations if t.outcome is Outcome.NOT_TRIED]
    return [*blocks, Line(f"Not tried: {printable('; '.join(left))}.")] if left else blocks


def generators_table(entries: Sequence[Mapping[str, Any]], *, every: bool) -> list[Block]:
    """The random generators: every one, or those that nobody seeded."""
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
    return [
        Table(
            ("generator", "state", "seeded at", "made or first drawn at"),
            cells,
            drop=(2,),
            shorten={0: 16, 2: 16, 3: 16},
        )
    ]


def _spread(name: str, s: Mapping[str, Any]) -> str:
    """How much the result varies because of the uncontrolled source, or moves, and how much it varies between seeds."""
    if "shift" in s:
        return sentence_of_shift(name, s)
    if s["sd"] is None:
        return f"{name}: one run, no spread."
    what = f"between {s['n']} reruns" if s["of"] == "reruns" else "by this change alone"
    text = f"{name} has an SD of {s['sd']:.3g} {what}"
    if s["seed_sd"]:
        text += f", and of {s['seed_sd']:.3g} between {s['seeds']} seeds: {s['sd'] / s['seed_sd'] * 100:.2g} % of it"
    return text + "."
