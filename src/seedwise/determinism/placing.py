"""The line at which a cause enters, shown by changing that line alone."""

from dataclasses import replace

from seedwise_guest.protocol import SHOWN

from ..places import short_place
from .case import Case
from .causes import Cause
from .entering import lines_of_order, proved_by_sorting
from .hypotheses import OTHER_MEMORY, Hypothesis, as_change
from .proof import Prover
from .rerunning import FIRST_HASH_SEED, NOTHING, Change
from .trace import Trace

_MOST_LINES, _MOST_TOLD = 5, 3


def filled(mended: Trace) -> list[str]:
    """The user's lines that took memory which was then filled."""
    return [what.partition(" ")[2] for what in mended.facts if what.startswith("memory ")]


class Placing:
    """Finds the lines of the causes of one check."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def order_enters(self, hypothesis: Hypothesis, base: Change = NOTHING) -> Hypothesis:
        """Hash order with the lines at which sorting is enough, if there are such lines."""
        self._note_late_seed()
        self._case.tell("look where the order of sets enters")
        found = proved_by_sorting(
            hypothesis, Prover(self._case.plain, self._case.most_runs), self._case.sets_watched, base
        )
        return found or hypothesis

    def in_words(self, hypothesis: Hypothesis) -> str:
        """The cause with its line; for hash order, with the lines that take the elements of sets in their order, or show sets."""
        if hypothesis.cause is not Cause.HASH:
            return f"{hypothesis.cause} ({short_place(hypothesis.where)})" if hypothesis.where else ""
        self._note_late_seed()
        taken = lines_of_order(self._case.sets_watched)
        lines = [short_place(line) for line, kind in taken.items() if kind in ("word", SHOWN)]
        if not lines:
            return (
                f"{hypothesis.cause} ({short_place(hypothesis.where)})" if hypothesis.where else hypothesis.cause.value
            )
        more = f" and {len(lines) - _MOST_TOLD} more" if len(lines) > _MOST_TOLD else ""
        return f"{hypothesis.cause} (sets are read or shown at {', '.join(lines[:_MOST_TOLD])}{more})"

    def _note_late_seed(self) -> None:
        late = self._case.first.facts.get("hash-seed-late")
        if late:
            self._case.note(
                f"PYTHONHASHSEED is set inside the program ({short_place(late)}), which has no effect: Python reads it when it starts"
            )

    def only_shows_sets(self) -> bool:
        """Whether no line of the user's takes the elements of a set in their order: sets are printed or kept, and no more."""
        return set(lines_of_order(self._case.sets_watched).values()) <= {SHOWN}

    def unwritten(self, hypothesis: Hypothesis, base: Change = NOTHING) -> Hypothesis:
        """The cause with the line whose memory is read before it is written, other causes being held still."""
        mended = self._case.checker.run(FIRST_HASH_SEED | base | as_change([hypothesis.fix(self._case.first)]))
        return replace(hypothesis, where=self.unwritten_line(mended, base) or hypothesis.where)

    def unwritten_line(self, mended: Trace, base: Change = NOTHING) -> str:
        """The line whose memory is read before it is written: with that memory filled, other memory changes nothing."""
        lines = filled(mended)
        for line in lines[:_MOST_LINES] if len(lines) > 1 else ():
            still = FIRST_HASH_SEED | base | Change({"memory": "zero", "memory-line": line}, {})
            a, b = self._case.checker.run_all([still | other for other in OTHER_MEMORY])
            if not a.failed and not self._case.plain.compare(a, b, changed=True):
                return line
        return lines[0] if lines else ""
