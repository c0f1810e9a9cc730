"""Presents what `check --resume` found."""

from ..determinism import Outcome
from ..determinism.resuming import Resuming
from ..words import printable
from .check import generators_table, tried_table
from .page import Block, Line
from .screen import Tone


def page_of_resuming(found: Resuming, ledger: bool) -> list[Block]:
    """The sentence, what differs, what is perhaps missing, what was put back, and with `ledger` the generators."""
    blocks: list[Block] = [Line(printable(found.sentence), Tone.GOOD if found.ok else Tone.BAD, str(found.verdict))]
    if found.what and found.verdict != "resumes-identical":
        blocks.append(Line(f"What differs: {printable('; '.join(found.what))}."))
    if found.interrupted_after and found.checkpoint:
        blocks.append(
            Line(
                f"Ended after step {found.interrupted_after}, and started again with the checkpoint {printable(found.checkpoint)}"
                + (f" of {found.unit} {found.resumed_from}." if found.resumed_from else ".")
            )
        )
    blocks += [Line(f"Perhaps also: {printable(text)}.") for text in found.perhaps if text != found.cause]
    blocks += tried_table(found.perturbations, {Outcome.SAME: Tone.GOOD})
    if ledger:
        blocks += generators_table(found.ledger, every=True)
    return blocks + [Line(f"Note: {printable(note)}.") for note in found.notes]
