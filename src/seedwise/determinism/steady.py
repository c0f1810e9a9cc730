"""What a check does where plain reruns agree: change one thing at a time, and see whether the result changes."""

from collections.abc import Sequence
from dataclasses import replace

from ..places import short_place
from .case import Case, Finding, tried_with
from .causes import Cause
from .chance import runs_for_change
from .compare import Difference, Verdict
from .finding import Outcome, Tried
from .hypotheses import BESIDE_RESULTS, TRIED_ALONE, Hypothesis, as_change, perturbations, together
from .placing import Placing
from .printed import says_metrics
from .proof import Held, Prover, quality
from .rerunning import FIRST_HASH_SEED, Change
from .trace import Trace
from .unsteady import Unsteady


class Steady:
    """Finds what would change the result of a program whose plain reruns agree."""

    def __init__(self, case: Case, unsteady: Unsteady) -> None:
        self._case, self._unsteady, self._placing = case, unsteady, Placing(case)

    def find(self, *, again: bool = True) -> Finding | None:
        """The changes that change the result, with their causes; None if there is none.

        `again` allows to begin anew, with results alone, where plain runs turn out to differ beside their result.
        """
        changes, skipped = perturbations(self._case.first, self._case.plain.hash_seeds)
        self._case.tried = [one for one in self._case.tried if one.name == "plain rerun"] + skipped
        suspects = self._suspects(changes)
        found: list[tuple[Hypothesis, Change, Difference]] = []
        for hypothesis, change in changes:
            if any(h.cause is hypothesis.cause for h, _, _ in found):
                continue
            if (hypothesis, change) not in suspects and hypothesis.cause not in TRIED_ALONE:
                continue
            self._case.tell(f"change: {hypothesis.cause}")
            other = self._case.checker.run(change)
            difference = self._case.plain.compare(self._case.first, other, changed=True)
            if not self._counts(hypothesis, other, difference):
                continue
            seen = 1 + ((hypothesis, change) in suspects)  # it was part of a run that differed, too
            chance = self._is_chance(change, seen, len(changes))
            if chance:
                return self._unsteady.find(chance) or (self.find(again=False) if again else None)
            found.append((hypothesis, change, difference))
        return self._as_finding(found)

    def _suspects(self, changes: Sequence[tuple[Hypothesis, Change]]) -> list[tuple[Hypothesis, Change]]:
        """The changes that must be tried one by one, because several of them together changed the result."""
        suspects: list[tuple[Hypothesis, Change]] = []
        groups = together(changes)
        self._case.tell("change: " + ", ".join(dict.fromkeys(str(h.cause) for _, parts in groups for h, _ in parts)))
        others = self._case.checker.run_all([change for change, _ in groups])
        for (_, parts), other in zip(groups, others, strict=True):
            if other.failed or self._case.plain.compare(self._case.first, other, changed=True):
                suspects += parts
                continue
            self._case.same += 1
            for hypothesis, _ in parts:
                self._case.tried.append(Tried(hypothesis.cause.value, Outcome.SAME, short_place(hypothesis.where)))
        return suspects

    def _counts(self, hypothesis: Hypothesis, other: Trace, difference: Difference) -> bool:
        """Enter what a change did. Whether it is a change of the result that needs a cause."""
        cause, where = hypothesis.cause, "" if hypothesis.cause is Cause.HASH else hypothesis.where
        if other.failed:
            self._case.tried.append(Tried(cause, Outcome.NOT_TRIED, f"the program then {other.failed}"))
            return False
        self._case.tried.append(tried_with(cause, difference, where))
        if not difference:
            self._case.same += 1
        if cause is Cause.WORKERS and difference:
            self._case.notes.append(
                f"another number of DataLoader workers gives another result ({short_place(where)}): it is part of the program, "
                "so keep it, and do not take it from the machine"
            )
            return False
        if difference.agrees.result and self._may_stand_beside(cause, difference):
            at = f" ({short_place(where)})" if where else ""
            self._case.note(
                f"the result stays the same, whatever this is: {cause}{at}; beside it this changes: {'; '.join(difference.what)}"
            )
            return False
        if cause is Cause.THREADS and self._is_only_rounding(difference):
            self._case.note(
                f"with one thread instead of {self._case.first.settings.get('threads', 'several')} sums are rounded otherwise; all that is "
                f"printed is the same, and this is not: {'; '.join(difference.what)}. For the same bits on every machine: "
                f"{hypothesis.fix(self._case.first).text}"
            )
            return False
        return bool(difference)

    def _may_stand_beside(self, cause: Cause, difference: Difference) -> bool:
        is_shown = cause is Cause.HASH and (difference.agrees.permuted or self._placing.only_shows_sets())
        return cause in BESIDE_RESULTS or is_shown

    def _is_only_rounding(self, difference: Difference) -> bool:
        """Whether nothing differs but parameters and files of numbers, while every metric that is printed is the same."""
        only = bool(difference) and all(what.startswith(("files: ", "parameters, ")) for what in difference.what)
        return only and not difference.in_kept_text and says_metrics(self._case.first)

    def _is_chance(self, change: Change, seen: int, changes: int) -> Difference | None:
        """Runs with the change and plain runs, until chance is ruled out. A plain run that differs, if one does.

        `seen` runs with the change have differed before.
        """
        plain, changed = runs_for_change(self._case.same, changes)
        most = self._case.most_runs
        for other in self._case.checker.repeat(change, min(changed, most) - seen):
            if not self._case.differs(self._case.first, other):
                return self._rare_difference()
        return self._case.reruns(max(1, min(plain - self._case.same, most))) or None

    def _rare_difference(self) -> Difference:
        """The same change once changed the result and once did not: a race. Plain runs that show it."""
        difference = self._case.reruns(min(60, self._case.most_runs))
        if difference:
            return difference
        self._case.note("one run differed, and the next under the same change did not: a race that is rare")
        return Difference(Verdict.DIFFERENT, ("one run of many",))

    def _as_finding(self, found: Sequence[tuple[Hypothesis, Change, Difference]]) -> Finding | None:
        if not found:
            return None
        order = sorted(
            found, key=lambda one: one[2].verdict is not Verdict.DIFFERENT
        )  # what is only rounding comes last
        real = [one for one in order if one[2].verdict is Verdict.DIFFERENT] or order[:1]
        _, change, difference = real[0]
        causes = tuple(self._with_line(h) for h, _, _ in real)
        verified = all(self._verified(h, c) for h, (_, c, _) in zip(causes, real, strict=True))
        return Finding(difference, causes, verified, change)

    def _with_line(self, hypothesis: Hypothesis) -> Hypothesis:
        if hypothesis.cause is Cause.BUDGET:
            return replace(hypothesis, where=self._case.first.facts.get("clock-often", hypothesis.where))
        if hypothesis.cause is Cause.HASH:
            return self._placing.order_enters(hypothesis)
        if hypothesis.cause is Cause.MEMORY:
            return self._placing.unwritten(hypothesis)
        return hypothesis

    def _verified(self, hypothesis: Hypothesis, change: Change) -> bool:
        """Whether the fix works.

        With the fix, the change must no longer change the result. For hash order and threads, reruns must agree.
        """
        fix = hypothesis.fix(self._case.first)
        if hypothesis.cause in (Cause.HASH, Cause.THREADS, Cause.KERNEL):
            return bool(Prover(self._case.plain, self._case.most_runs).hold([fix]))
        applied = FIRST_HASH_SEED | as_change([fix])
        mended, changed = self._case.checker.run_all([applied, change | applied])
        if mended.failed or self._case.plain.compare(mended, changed, changed=True):
            return False
        return quality([self._case.first], mended) is Held.SAME
