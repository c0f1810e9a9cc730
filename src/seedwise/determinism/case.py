"""What the parts of one check share: its runs, how two of them are compared, what was tried and noted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..places import short_place
from .compare import Difference, Verdict, compare
from .entering import WATCHED
from .finding import Outcome, Tried
from .hypotheses import Hypothesis
from .localise import Divergence, localise
from .plain import Plain
from .rerunning import FIRST_HASH_SEED, NOTHING, Change, Checker
from .trace import Trace

Say = Callable[[str], None]
_PATIENCE = 150.0
"""Seconds that the runs of one proof may take together; with `thorough`, ten times as long."""


@dataclass(frozen=True)
class Finding:
    """What changes the result: the difference, its causes, and whether their fixes are enough.

    `causes` act together; the first one is told first. `change` changed the result where plain reruns agree.
    """

    difference: Difference | None
    causes: tuple[Hypothesis, ...] = ()
    verified: bool = False
    change: Change = NOTHING


class Case:
    """One program that is checked.

    Parameters
    ----------
    checker
        Runs the program.
    first
        Its first plain run.
    rtol
        Relative difference up to which numbers count as equal to rounding.
    tell
        Called with a line of text when a new step begins.
    thorough
        Whether proofs may take many runs.
    notes
        What is noted already.
    """

    def __init__(
        self,
        checker: Checker,
        first: Trace,
        rtol: float,
        tell: Say,
        *,
        thorough: bool = False,
        notes: Sequence[str] = (),
    ) -> None:
        self.checker, self.first, self.rtol, self.tell, self.thorough = checker, first, rtol, tell, thorough
        self.plain = Plain(checker, first, rtol, tell)
        self.tried: list[Tried] = []
        self.notes: list[str] = list(notes)
        self.divergence: Divergence | None = None
        """The first operation that differs between plain runs, if it was looked for and found."""
        self.beside = ""
        """What differs beside a result that all plain runs share, in words."""
        self.same = 1
        """How many runs, plain ones and such with a change, gave the result of the first one."""

    @property
    def most_runs(self) -> int:
        """How many runs one proof may take."""
        patience = _PATIENCE * (10 if self.thorough else 1)
        return max(12, min(2000 if self.thorough else 200, int(patience / max(self.first.seconds, 0.05))))

    def reruns(self, most: int) -> Difference:
        """Rerun without any change, at most `most` times, until a rerun differs."""
        difference = self.plain.reruns(most)
        self.same = len(self.plain.groups[0])
        self.tried = [t for t in self.tried if t.name != "plain rerun"]
        self.tried.insert(0, tried_with("plain rerun", difference))
        return difference

    def only_results(self, beside: str, *, report_only: bool = False) -> None:
        """From now on compare nothing but results, which all plain runs share. `beside` says what differs beside them.

        `report_only` says that numbers in files are no part of it.
        """
        self.beside = beside
        self.plain.compare_only_results(report_only=report_only)
        self.same = self.plain.count
        self.tried = [Tried("plain rerun", Outcome.SAME, "its result; what stands beside it differs")]

    @cached_property
    def sets_watched(self) -> Trace:
        """A run in which each line that takes the elements of a set in their order was noted."""
        return self.checker.run(WATCHED)

    def note(self, text: str) -> None:
        """Note this once."""
        if text not in self.notes:
            self.notes.append(text)

    def differs(self, reference: Trace, other: Trace) -> bool:
        """Whether a run with a change ended well, with another result."""
        return not other.failed and bool(self.plain.compare(reference, other, changed=True))

    def localise(self, difference: Difference, change: Change) -> Divergence | None:
        """Find the first operation that differs.

        Every operation of the first step that differs is recorded, in two processes.
        """
        step = difference.first_step
        if step is None or self.first.unit != "step":
            return None  # Keras shows its weights only after an epoch, and no single operation
        for _ in range(4):
            self.tell(f"record every operation of step {step + 1}")
            a, b = self.checker.run_all([replace(one, record_step=step) for one in (FIRST_HASH_SEED, change)])
            now = compare(a, b, self.rtol).first_step
            found = None if now is not None and now < step else localise(a, b, step)
            if found is not None:
                return found
            step = step if now is None else now  # this time the same by chance, or different at another step
        return None


def tried_with(name: str, difference: Difference, where: str = "") -> Tried:
    """What something did that was tried, from how two runs differ."""
    outcome = {
        Verdict.IDENTICAL: Outcome.SAME,
        Verdict.ROUNDING: Outcome.ROUNDING,
        Verdict.DIFFERENT: Outcome.DIFFERENT,
    }
    return Tried(name, outcome[difference.verdict], "; ".join(difference.what) or short_place(where))
