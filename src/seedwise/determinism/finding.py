"""The answer of `check`: what was tried, what it did, and a sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..decisions import Answer
from ..wording import option
from .causes import Cause
from .chance import largest_share
from .compare import Difference, Verdict
from .localise import Divergence
from .rewriting import ChangedLine


class Outcome(StrEnum):
    """What a change did to the result of the program."""

    SAME = "same"
    ROUNDING = "equal-to-rounding"
    DIFFERENT = "different"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Tried:
    """One thing that was changed, and what it did to the result. For a change that was not tried, `detail` says why."""

    name: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, repr=False)
class Check(Answer):
    """The answer of `check`.

    Attributes
    ----------
    verdict
        For the program as it is: identical if nothing that was tried changes its result.
    cause, location, fix
        What changes the result, the line, and the smallest change against it. Empty if identical.
    fix_verified
        Whether fresh processes gave the same bits when the effect of the fix was applied from outside.
    divergence
        The first optimizer step and operation that differed, if there is one.
    ledger
        Every generator: state, `file:line` of its seeding and of the first draw.
    perturbations
        What was tried, one thing at a time.
    lines
        The lines that the fix changes, before and after, where the change can be written down.
    same_runs
        How many runs gave the same result, if the verdict is identical: plain ones, and those with a change.
    plain_runs, other_runs
        How many plain runs there were, and how many of them differ from the most frequent result.
    beside
        What differs between plain runs beside a result that is the same. Then the verdict is about the result alone.
    difference
        How far the results are apart, if they are.
    processes
        How many processes were run in all.
    measured
        The spread that the uncontrolled source causes, if it was asked for.
    notes
        What could not be tried, and other things to know.
    sentence
        The answer in words.
    """

    verdict: Verdict
    cause: str = ""
    location: str = ""
    fix: str = ""
    fix_verified: bool = False
    sentence: str = ""
    difference: Difference | None = None
    divergence: Divergence | None = None
    ledger: tuple[Mapping[str, Any], ...] = ()
    perturbations: tuple[Tried, ...] = ()
    notes: tuple[str, ...] = ()
    processes: int = 0
    measured: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[ChangedLine, ...] = ()
    same_runs: int = 0
    plain_runs: int = 0
    other_runs: int = 0
    beside: str = ""

    @property
    def ok(self) -> bool:
        """Whether the program is identical and no cause was found."""
        return self.verdict is Verdict.IDENTICAL and not self.cause

    def as_dict(self) -> dict[str, object]:
        """The values under the names that the project uses in all its JSON."""
        found = super().as_dict()
        found["ledger"] = [dict(e) for e in self.ledger]
        return found


def sentence_of(c: Check) -> str:
    """The sentence: first the verdict, then the cause, the line, the fix."""
    if c.verdict is Verdict.IDENTICAL and not c.cause:
        if c.beside:
            return f"identical in its result: nothing that was tried changes it{_seen(c.same_runs)}. What stands beside it differs: {c.beside}."
        return f"identical: nothing that was tried changes the result{_seen(c.same_runs)}."
    at = f" at {c.location}" if c.location else ""
    start = f"{c.verdict}{how_far(c.difference)}: {c.cause}{at}."
    if c.cause == Cause.RACE:
        return f"{c.verdict}: a {c.cause}{at}: {c.other_runs} of {c.plain_runs} plain runs differ, too few to say more."
    if c.cause == Cause.UNKNOWN:
        return f"{c.verdict}: reruns differ ({c.other_runs} of {c.plain_runs}), and nothing that was held still makes them the same."
    if not c.fix:
        return start
    proved = "Identical with this" if c.fix_verified else "Proposed, and not enough or not to be tried from outside"
    return f"{start} {proved}: {c.fix}."


def how_far(d: Difference | None) -> str:
    """In brackets, how far parameters are apart that differ by rounding alone; else ""."""
    if d is None or d.verdict is not Verdict.ROUNDING or d.share is None:
        return ""
    return f" ({d.share * 100:.0f} % of the parameters differ, by at most {_size(d)})"


def _seen(runs: int) -> str:
    """How many runs showed no difference, and how many others may still differ."""
    if runs < 2:
        return ""
    share = largest_share(runs - 1)
    most = f"{math.ceil(share * 10)} in 10" if share > 0.1 else f"{math.ceil(share * 100)} in 100"
    return f" (no difference in {runs} runs: at most {most} differ, 95 %)"


def _size(d: Difference) -> str:
    """The size of a difference.

    Units in the last place mean little for numbers near 0: a change of sign makes millions of them. Then the largest
    number gives the scale.
    """
    share = f"{d.relative:.1g} of the largest one"
    return f"{d.ulp} units in the last place, {share}" if d.ulp is not None and d.ulp < 10_000 else share


def sentence_of_shift(name: str, s: Mapping[str, Any]) -> str:
    """How far a metric moves over the seeds, and what that is beside the spread of the seed."""
    out = f" (and {s['left_out']} more, which gave NaN or infinity)" if s["left_out"] else ""
    over = f"Over {s['seeds']} seeds{out} it"
    if s["low"] == s["high"] == 0:
        return f"{over} does not move {name}."
    size = f" ({abs(s['shift']) / s['seed_sd']:.2g} SD of the seed)" if s["seed_sd"] > 0 else ""
    said = {
        "inside": "inside the spread of seeds",
        "beyond": "beyond the spread of seeds",
        "open": f"these seeds do not decide whether that is beyond their spread ({option('--measure')} takes more)",
    }[s["place"]]
    return f"{over} moves {name} by {s['shift']:+.3g}{size}, 95 % {s['low']:.3g} to {s['high']:.3g}: {said}."
