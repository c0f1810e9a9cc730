"""The answer of `check --resume`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...decisions import Answer
from ..finding import Tried


class Resumed(StrEnum):
    """The verdict on a training that was interrupted."""

    IDENTICAL = "resumes-identical"
    ROUNDING = "equal-to-rounding"
    DIFFERENT = "different"
    STARTED_ANEW = "does-not-resume"
    NO_CHECKPOINT = "no-checkpoint"


@dataclass(frozen=True, repr=False)
class Resuming(Answer):
    """The answer of `check --resume`.

    Attributes
    ----------
    verdict
        Whether the resumed training is the uninterrupted one.
    cause
        What was not restored. "" if nothing is missing. What is only likely begins with "perhaps".
    location
        Where the cause is mended: the line that loads the checkpoint, or else the one that saves it.
    fix, fix_verified
        What to write; and whether the resumed training was the uninterrupted one when this was put back from outside.
    saved_at, loaded_at, checkpoint
        The lines that save and load the checkpoint, and its path.
    interrupted_after, resumed_from
        The step after which the process was ended (of the optimizer, counted from 1), and the step or epoch from which it went on.
    first_difference
        The first step or epoch that differs; None if none does.
    unit
        "step" or "epoch", as Keras' trainings are compared: what these two count.
    what
        What differs, in words.
    perhaps
        Variables of the program that differ where it goes on, and that nothing from outside can put back.
    perturbations
        What was put back, and what this did.
    sentence
        The answer in a sentence.
    ledger
        The generators of the uninterrupted training: name, state, seed, lines.
    notes
        What else there is to know.
    processes
        How many processes were run.
    """

    verdict: Resumed
    cause: str = ""
    location: str = ""
    fix: str = ""
    fix_verified: bool = False
    sentence: str = ""
    saved_at: str = ""
    loaded_at: str = ""
    checkpoint: str = ""
    interrupted_after: int | None = None
    resumed_from: int | None = None
    first_difference: int | None = None
    unit: str = "step"
    what: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    ledger: tuple[Mapping[str, Any], ...] = ()
    perturbations: tuple[Tried, ...] = ()
    notes: tuple[str, ...] = ()
    processes: int = 0

    @property
    def ok(self) -> bool:
        """Whether the resumed training is the uninterrupted one, bit by bit."""
        return self.verdict is Resumed.IDENTICAL

    def as_dict(self) -> dict[str, object]:
        """The values under the names that the project uses in all its JSON."""
        found = super().as_dict()
        found["ledger"] = [dict(e) for e in self.ledger]
        return found
