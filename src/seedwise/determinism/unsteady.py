"""What a check does where plain reruns differ: hold one thing still at a time, until runs agree."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ..places import short_place, without_place
from ..wording import option
from .case import Case, Finding
from .causes import Cause
from .compare import Difference
from .entering import lines_of_order, numbered
from .finding import Outcome, Tried
from .hypotheses import (
    BESIDE_RESULTS,
    LONG,
    NOT_KNOWN,
    OF_THE_MACHINE,
    OTHER_MEMORY,
    Hypothesis,
    as_change,
    hypotheses,
    lines_of_fact,
    machine_of,
    perturbations,
    together,
)
from .localise import Reason
from .placing import Placing, filled
from .printed import result_in_words
from .proof import Held, Proof, Prover, quality
from .rerunning import FIRST_HASH_SEED, NOTHING, Change
from .trace import Trace

_PLAIN_RUNS = 5
"""Number of processes without any change. They show how often two processes agree by chance."""
_FEW_OTHERS = 5
"""Where fewer plain runs than this differ from the others, more are made, to learn how often they do."""
_RUNS_OF_MACHINE = 4
"""So many runs must agree at least while all of the machine is held still."""

_SHIFTS = (118_368.371_913, 1_000_003.0, 31_557_607.7)
"""Seconds by which the clock is moved, to tell durations from days and hours."""


class Unsteady:
    """Finds what makes plain reruns of a program differ."""

    def __init__(self, case: Case) -> None:
        self._case, self._placing = case, Placing(case)
        self._perhaps: Hypothesis | None = None
        """What made runs agree when it was held still, though on another result than the plain ones."""
        self._by_address: Hypothesis | None = None
        self._hash_seeds: Collection[str] = ()
        """The hash seeds of the runs that agreed while the causes were held still."""
        self._left_out = False
        """Whether something of the machine was left out of the causes, since it changes only what stands beside the result."""

    def find(self, difference: Difference) -> Finding | None:
        """The cause of a difference between two plain runs. None if it stands beside a result that is the same."""
        self._hash_seeds = ()
        if difference.first_step is not None:
            self._case.divergence = self._case.localise(difference, NOTHING)
        self._see_how_often()
        is_beside = self._case.plain.all_have(lambda d: d.agrees.result)
        is_reported = is_beside or self._case.plain.all_have(lambda d: d.agrees.report)
        held = self._with_machine_held() if is_reported else None
        if held is not None and (is_beside or self._hangs_on_durations(held)):
            self._note_beside(difference, machine_of(self._case.first), report_only=not is_beside)
            return None
        found = self._cause(difference, is_beside=is_beside)
        causes = {hypothesis.cause for hypothesis in found.causes}
        if not causes <= set(OF_THE_MACHINE):  # a digest of a date is beside the result, one of weights is not
            is_beside = is_beside and self._case.plain.all_have(lambda d: d.agrees.digests)
        if is_beside and (causes <= BESIDE_RESULTS or self._shows_sets(causes)):
            self._note_beside(difference, found.causes)
            return None
        if causes <= NOT_KNOWN and self._case.plain.all_have(
            lambda d: d.agrees.log or (is_beside and self._may_take_turns(found.causes))
        ):
            self._note_beside(difference, ())
            return None
        return self._with_further(difference, list(found.causes)) if found.verified else found

    def _shows_sets(self, causes: set[Cause]) -> bool:
        """Whether the order of sets changes nothing but the order in which something is shown or kept."""
        if not Cause.HASH in causes <= BESIDE_RESULTS | {Cause.HASH}:
            return False
        return self._case.plain.all_have(lambda d: d.agrees.permuted) or self._placing.only_shows_sets()

    def _may_take_turns(self, causes: Sequence[Hypothesis]) -> bool:
        """Whether who was first explains what differs beside the result: parameters agree, or several work side by side."""
        return bool(self._case.first.steps.size) or all(
            h.cause in (Cause.BESIDE, Cause.RACE) and h.where for h in causes
        )

    def _machine_still(self) -> Change:
        still = as_change(hypothesis.fix(self._case.first) for hypothesis in machine_of(self._case.first))
        return still | Change({"readings": {"clock": True, "meter": True}, "files": "fixed"}, {})

    def _with_machine_held(self) -> Trace | None:
        """A run with clocks, process numbers and all else of the machine held still, if such runs agree in everything."""
        self._case.tell("hold clock and machine still")
        wanted = Prover(self._case.plain, self._case.most_runs).needed
        if wanted > self._case.most_runs:
            return None
        first: Trace | None = None
        for other in self._case.checker.repeat(self._machine_still(), max(wanted, _RUNS_OF_MACHINE)):
            if other.failed or (first is not None and self._case.plain.compare(first, other, changed=True)):
                return None
            first = first or other
        return first

    def _hangs_on_durations(self, held: Trace) -> bool:
        """Whether numbers in files are durations, or made of such: another day and hour moves none of them.

        A seed from the clock moves with it. All else of the machine is left free, so that a seed from a process number moves too.
        """
        self._case.tell("hold the clock still, at another hour")
        readings = ({"clock": True, "meter": True, "shift": shift} for shift in _SHIFTS)
        for other in self._case.checker.run_all([Change({"readings": one}, {}) for one in readings]):
            difference = self._case.plain.compare(held, other, changed=True)
            if other.failed or (difference and not (difference.agrees.report and difference.agrees.numbers)):
                return False
        return True

    def _note_beside(self, difference: Difference, causes: Sequence[Hypothesis], *, report_only: bool = False) -> None:
        """Note what stands beside a result that is the same. From now on only results are compared."""
        case = self._case
        said = " or ".join(filter(None, map(self._placing.in_words, causes)))
        why = f". It comes from {said}" if said else "" if causes else ". Why was not found"
        why += (
            " Numbers in files that differ are durations: another day and hour moves none of them."
            if report_only
            else ""
        )
        result = result_in_words(case.first, files=not report_only)
        case.note(
            f"taken for the result, and the same in {case.plain.count} plain runs: {result}. What stands beside it is not: "
            f"{'; '.join(difference.what)}{why}"
        )
        case.only_results(difference.what[0], report_only=report_only)

    def _cause(self, difference: Difference, *, is_beside: bool) -> Finding:
        """The cause of a difference, found by holding one thing still at a time.

        Several causes together are not looked for where the result is the same: what stands beside it has many reasons.
        """
        kernel = self._case.divergence is not None and self._case.divergence.reason is Reason.KERNEL
        tried = hypotheses(self._case.first, kernel, varies_hash_seed=self._case.checker.varies_hash_seed)
        prover = Prover(self._case.plain, self._case.most_runs)
        if self._case.plain.others < min(_FEW_OTHERS, self._case.plain.count - 1) and not kernel:
            by_memory = self._by_memory(tried)
            if by_memory is not None:
                return Finding(difference, (by_memory,), verified=True)
        if prover.needed > self._case.most_runs and not kernel:
            return self._too_rare(difference, tried)
        for hypothesis in tried:
            named = self._holds(prover, hypothesis)
            if named is not None:
                self._hash_seeds = prover.hash_seeds
                return Finding(difference, (named,), verified=True)
            if prover.rare and kernel and hypothesis.cause is Cause.KERNEL:
                # it was seen to give other numbers for the same ones: only its fix is not proved
                self._case.note(
                    f"runs agree with the fix, but {prover.needed} would have to, until chance is ruled out"
                )
                return Finding(difference, (hypothesis,))
            if prover.rare:
                break
        several = [] if prover.rare or is_beside else self._several(prover, tried)
        if several:
            self._hash_seeds = prover.hash_seeds
            return Finding(difference, tuple(several), verified=True)
        if prover.rare:
            return self._too_rare(difference, tried)
        if self._perhaps is not None:
            return Finding(difference, (self._perhaps,))
        beside = self._side_by_side(tried)
        return Finding(difference, (Hypothesis(Cause.BESIDE if beside else Cause.UNKNOWN, beside),))

    def _side_by_side(self, tried: Sequence[Hypothesis]) -> str:
        """The first line at which something runs side by side, which is noted. "" if nothing was seen to."""
        where = next((h.where for h in tried if h.cause is Cause.COMPLETION and h.where), "")
        if where:
            count = self._case.first.facts.get("started", "several")
            self._case.note(
                f"{count} threads, processes or tasks worked side by side, the first of them from {short_place(where)}"
            )
        return where

    def _see_how_often(self) -> None:
        """More plain runs: five, and where only few of them differ, as many as are needed to see how often they do."""
        if self._case.plain.count < _PLAIN_RUNS and self._case.first.seconds < LONG:
            self._case.plain.more(_PLAIN_RUNS - self._case.plain.count)
        while (
            self._case.plain.others < min(_FEW_OTHERS, self._case.plain.count - 1)
            and self._case.plain.count < self._case.most_runs // 2
        ):
            self._case.plain.more(self._case.checker.at_once)

    def _holds(self, prover: Prover, hypothesis: Hypothesis) -> Hypothesis | None:
        """The cause, with its line, if runs agree while it is held still."""
        self._case.tell(f"hold still: {hypothesis.cause}")
        hypothesis = self._with_classes(hypothesis)
        proof = prover.hold([hypothesis.fix(self._case.first)])
        name = f"held still: {_in_words(hypothesis)}"
        if proof.held is Held.FAILED and proof.trace is not None:
            self._case.tried.append(Tried(name, Outcome.NOT_TRIED, f"the program {proof.trace.failed}"))
            return None
        outcome = Outcome.SAME if proof.held in (Held.SAME, Held.TOO_RARE) else Outcome.DIFFERENT
        detail = _WORSE.get(proof.held, short_place(hypothesis.where))
        self._case.tried.append(Tried(name, outcome, detail))
        if hypothesis.cause is Cause.MEMORY and proof.trace is not None and not filled(proof.trace):
            return None  # no line took such memory: that runs agreed has another reason
        if proof:
            return self._refined(hypothesis, proof, prover.needed)
        if proof.held is Held.ELSEWHERE and self._perhaps is None:
            self._perhaps = self._refined(hypothesis, proof, prover.needed)
        return None

    def _with_classes(self, hypothesis: Hypothesis) -> Hypothesis:
        """Order by address with the classes of the objects; anything else as it is."""
        if hypothesis.cause is not Cause.ADDRESS or not hypothesis.where:
            return hypothesis
        if self._by_address is None:
            self._by_address = numbered(hypothesis, self._case.sets_watched)
        return self._by_address

    def _refined(self, hypothesis: Hypothesis, proof: Proof, needed: int) -> Hypothesis:
        """The cause told apart from its neighbours, and with the line that the proof has shown.

        `needed`: how many runs must agree, before chance is ruled out.
        """
        if hypothesis.cause is Cause.CLOCK and proof.trace is not None:
            return self._clock_or_budget(hypothesis, proof.trace, needed)
        if hypothesis.cause is Cause.MEMORY and proof.trace is not None:
            return replace(hypothesis, where=self._placing.unwritten_line(proof.trace) or hypothesis.where)
        return hypothesis

    def _clock_or_budget(self, hypothesis: Hypothesis, held: Trace, needed: int) -> Hypothesis:
        """Whether the clock was read for a number or for the end of a loop; and whether by the program or by a library it calls."""
        facts = self._case.first.facts
        often = [facts["clock-often"]] if "clock-often" in facts else []
        lines = lines_of_fact(facts, "clock-library")
        if "clock" in facts or len(lines) > 1:
            runs = max(2, min(needed, _FEW_OTHERS))
            lines = [line for line in lines if all(self._has_result_under(held, {"clock": line}) for _ in range(runs))]
        if lines or "clock" not in facts:
            often = [line for line in lines_of_fact(facts, "clock-library-often") if not lines or line in lines]
            hypothesis = replace(hypothesis, where=lines[0] if lines else hypothesis.where)
        if often and self._has_result_under(held, {"clock": True, "shift": True}):
            return Hypothesis(Cause.BUDGET, often[0])
        return hypothesis

    def _has_result_under(self, result: Trace, readings: Mapping[str, object]) -> bool:
        """Whether a run with these readings has that result."""
        other = self._case.checker.run(Change({"readings": readings}, {}))
        return not other.failed and not self._case.plain.compare(result, other, changed=True)

    def _by_memory(self, tried: Sequence[Hypothesis]) -> Hypothesis | None:
        """The cause, if other numbers in memory that was never written change the result each time.

        Plain runs often find the same numbers there, so that few of them differ.
        """
        hypothesis = next((h for h in tried if h.cause is Cause.MEMORY), None)
        if hypothesis is None:
            return None
        self._case.tell("put other numbers into memory that was never written")
        a, b, c = self._case.checker.run_all([FIRST_HASH_SEED | OTHER_MEMORY[k] for k in (0, 1, 0)])
        if a.failed or b.failed or self._case.plain.compare(a, c, changed=True) or not self._case.differs(a, b):
            return None
        still = FIRST_HASH_SEED | as_change([hypothesis.fix(self._case.first)])
        x, y = self._case.checker.run_all([still | other for other in OTHER_MEMORY])
        if x.failed or not filled(x) or self._case.differs(x, y):
            return None
        held = quality(self._case.plain.runs, x)
        found = replace(hypothesis, where=self._placing.unwritten_line(x) or hypothesis.where)
        self._case.tried.append(Tried(f"held still: {hypothesis.cause}", Outcome.SAME, _WORSE.get(held, "")))
        if held is Held.ELSEWHERE:
            self._perhaps = found
        return found if held is Held.SAME else None

    def _several(self, prover: Prover, alone: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Hold several causes still that were not enough alone.

        If that helps, leave them out as long as it still helps: the unlikely ones at once, then one by one.
        """
        kept = [self._with_classes(hypothesis) for hypothesis in alone if hypothesis.cause is not Cause.THREADS]
        self._case.tell("hold everything still")
        if not prover.hold([hypothesis.fix(self._case.first) for hypothesis in kept]):
            return []
        likely = [one for one in kept if one.where and one.cause not in OF_THE_MACHINE]
        if 0 < len(likely) < len(kept) - 1 and prover.hold([one.fix(self._case.first) for one in likely]):
            kept = likely
        for hypothesis in reversed(list(kept)):
            rest = [s for s in kept if s is not hypothesis]
            if rest and prover.hold([s.fix(self._case.first) for s in rest]):
                kept = rest
        if len(kept) > 1:
            return self._of_results(kept)
        return []  # a single cause was not enough before, so this agreement is chance

    def _of_results(self, causes: list[Hypothesis]) -> list[Hypothesis]:
        """The causes without those of the machine that change only what stands beside the result."""
        prover = Prover(self._case.plain, self._case.most_runs)
        with self._case.plain.results_alone():
            for hypothesis in [one for one in causes if one.cause in OF_THE_MACHINE]:
                rest = [one for one in causes if one is not hypothesis]
                if rest and prover.hold([one.fix(self._case.first) for one in rest]):
                    causes, self._left_out = rest, True
                    self._case.note(
                        f"{hypothesis.cause} ({short_place(hypothesis.where)}) changes what stands beside the result, and not the result"
                    )
        return causes

    def _with_further(self, difference: Difference, causes: list[Hypothesis]) -> Finding:
        """The answer, with the lines of these causes, and with what else changes the result once they are held still."""
        held, known = as_change([h.fix(self._case.first) for h in causes]), {h.cause for h in causes}
        if {Cause.HASH, Cause.ADDRESS} <= known:
            causes = self._by_address_alone(causes)
        for k, hypothesis in enumerate(causes):
            if hypothesis.cause is Cause.HASH:
                base = as_change([h.fix(self._case.first) for h in causes if h is not hypothesis])
                causes[k] = self._placing.order_enters(hypothesis, base)
        held = held | as_change([h.fix(self._case.first) for h in causes])
        with self._case.plain.results_alone(self._left_out):
            further = self._further(held, known) if self._case.first.seconds < LONG else []
        return Finding(difference, (*causes, *further), verified=True)

    def _by_address_alone(self, causes: list[Hypothesis]) -> list[Hypothesis]:
        """The causes without hash order, where the only sets whose order is taken hold objects that are placed by address.

        What an address is also depends on the hash seed, so that both must be held still, and yet only one is a cause.
        """
        found = lines_of_order(self._case.sets_watched)
        if not found or set(found.values()) != {"object"}:
            return causes
        at = {Cause.ADDRESS: next(iter(found))}
        return [replace(h, where=at.get(h.cause, h.where)) for h in causes if h.cause is not Cause.HASH]

    def _further(self, base: Change, causes: set[Cause]) -> list[Hypothesis]:
        """What else changes the result while `causes` are held still (`base`)."""
        known = _related(causes)
        changes = [(h, c) for h, c in perturbations(self._case.first, self._hash_seeds)[0] if h.cause not in known]
        groups = together(changes)
        self._case.tell("change the rest")
        reference, *others = self._case.checker.run_all(
            [one | base for one in (FIRST_HASH_SEED, *(c for c, _ in groups))]
        )
        if reference.failed:
            return []
        found: dict[Cause, Hypothesis] = {}
        for (_, parts), other in zip(groups, others, strict=True):
            if not self._case.differs(reference, other):
                continue
            for hypothesis, part in parts:
                if hypothesis.cause in found or not all(
                    self._changes_result(hypothesis.cause, reference, part | base) for _ in range(2)
                ):
                    continue
                if hypothesis.cause is Cause.MEMORY:
                    hypothesis = self._placing.unwritten(hypothesis, base)
                found[hypothesis.cause] = hypothesis
                self._case.tried.append(
                    Tried(f"besides: {hypothesis.cause}", Outcome.DIFFERENT, short_place(hypothesis.where))
                )
        return list(found.values())

    def _changes_result(self, cause: Cause, reference: Trace, change: Change) -> bool:
        other = self._case.checker.run(change)
        if other.failed:
            return False
        difference = self._case.plain.compare(reference, other, changed=True)
        return bool(difference) and not (cause in BESIDE_RESULTS and difference.agrees.result)

    def _too_rare(self, difference: Difference, tried: Sequence[Hypothesis]) -> Finding:
        """The answer where plain runs differ too seldom to prove a cause."""
        self._case.note(
            f"{self._case.plain.others} of {self._case.plain.count} plain runs differ: too few to prove a cause"
            + ("" if self._case.thorough else f"; {option('--thorough')} makes more runs")
        )
        return Finding(difference, (Hypothesis(Cause.RACE, self._side_by_side(tried)),))


_WORSE = {
    Held.NOT_FINITE: "they agree on NaN",
    Held.ELSEWHERE: "they agree, far from every plain run",
    Held.TOO_RARE: "they agree, but so seldom do plain runs differ that this may be chance",
}


def _related(causes: set[Cause]) -> set[Cause]:
    """These causes, and those that are held still with them."""
    time = {Cause.CLOCK, Cause.BUDGET}
    return causes | (time if causes & time else set())


def _in_words(hypothesis: Hypothesis) -> str:
    names = ", ".join(map(without_place, hypothesis.generators))
    return f"{hypothesis.cause}: {names}" if names else hypothesis.cause.value
