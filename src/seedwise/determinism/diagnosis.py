"""The examination behind `check`: which processes are run, and what their results show."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seedwise_guest import State

from ..errors import ScriptError, UsageError
from ..experiments.command import available_cores
from ..results import Run
from ..sandbox.workdir import Workdir
from ..sandbox.worlds import find_worlds, guarded, sweep_dead_worlds
from ..wording import option
from . import (
    Cause,
    Check,
    Difference,
    Divergence,
    Outcome,
    Reason,
    Trace,
    Tried,
    Verdict,
    compare,
    localise,
    sentence_of,
    short_place,
    without_place,
)
from .chance import runs_for_change
from .compare import first_step_after, resumed_at
from .entering import lines_of_order, numbered, proved_by_sorting
from .hypotheses import (
    LONG,
    OTHER_MEMORY,
    TRIED_ALONE,
    Hypothesis,
    as_change,
    hypotheses,
    may_agree_by_chance,
    perturbations,
    together,
)
from .plain import Plain
from .printed import says_metrics
from .proof import Held, Proof, Prover, quality
from .rerunning import FIRST_HASH_SEED, NOTHING, Change, Checker, check_environment
from .rewriting import changed_line
from .spread import as_run, spreads, under_seeds

Say = Callable[[str], None]
_PATIENCE = 150.0
"""Seconds that the runs of one proof may take together; with `thorough`, ten times as long."""
_PLAIN_RUNS = 5
"""Number of processes without any change. They show how often two processes agree by chance."""
THOROUGH_RUNS = 59
"""So many plain runs without a difference show that at most one in twenty differs (95 %)."""
_MUCH_OUTPUT = 4_000_000
_FEW_OTHERS = 5
"""Where fewer plain runs than this differ from the others, more are made, to learn how often they do."""


class Examination:
    """All processes of one check, and what their results show."""

    def __init__(
        self,
        words: Sequence[str],
        other_seed: Sequence[str] | None,
        rtol: float,
        timeout: float,
        tell: Say,
        *,
        is_function: bool = False,
        thorough: bool = False,
    ) -> None:
        self.words, self.other_seed, self.rtol, self.timeout, self.tell = list(words), other_seed, rtol, timeout, tell
        self.thorough = thorough
        self.tried: list[Tried] = []
        self.notes: list[str] = []
        self._found: Divergence | None = None
        self._change: Change | None = None
        """The change that changed the result, where plain reruns agree."""
        self._perhaps: Hypothesis | None = None
        self._by_address: Hypothesis | None = None
        """What made runs agree when it was held still, though on another result than the plain ones."""
        self._is_function = is_function
        self._same = 1
        """How many runs, plain ones and such with a change, gave the result of the first one."""

    def run(
        self,
        save_trace: str | None = None,
        against: str | None = None,
        measure: int = 0,
        instead: Callable[[Plain, list[str]], Check] | None = None,
    ) -> Check:
        """Run the examination; see `check_script`.

        `instead` of it another question may be asked about the plain runs; it adds to the notes.
        """
        worlds = find_worlds(Workdir.AUTO, None, (), [], self.words)
        if worlds.kind is Workdir.SEQUENTIAL:
            worlds = find_worlds(Workdir.SHARED, None, (), [], self.words)
            self.notes.append("runs share your files here: what one writes, the next may read")
        sweep_dead_worlds(worlds.base)
        self.checker = Checker(self.words, worlds, check_environment(), self.timeout)
        with guarded(worlds.base):
            found = self._examine(save_trace, against, instead)
            if measure:
                found = self._measured(found, measure)
            return replace(found, processes=self.checker.runs)

    def _examine(
        self, save_trace: str | None, against: str | None, instead: Callable[[Plain, list[str]], Check] | None
    ) -> Check:
        old = None if against is None else _saved_trace(against)
        if save_trace is not None and not Path(save_trace).absolute().parent.is_dir():
            raise UsageError(f"{option(f'--save-trace {save_trace}')}: no such folder")
        self.tell("run it once")
        self.first = self.checker.run()
        if self.first.failed:
            raise ScriptError(f"the program {self.first.failed}: nothing can be compared{self._blame()}")
        self.plain = Plain(self.checker, self.first, self.rtol, self.tell)
        self.checker.given = self.first.readings
        self.checker.at_once = _at_once(self.first)
        self._say_what_is_compared()
        if save_trace is not None:
            self.first.save(Path(save_trace))
        if old is not None:
            return self._against(old)
        if instead is not None:
            return instead(self.plain, self.notes)
        self.checker.timeout = min(self.timeout, max(60.0, 20 * self.first.seconds))
        self._say_estimate()
        difference = self._reruns(self._plain_runs() - 1)
        if difference:
            return self._unsteady(difference)
        found = self._repeating_workers() or self._perturbed() or self._second_run() or self._seed_without_effect()
        if found is not None:
            return found
        self._try_typed_seeds()
        return self._answer(None, None)

    def _plain_runs(self) -> int:
        if self.thorough:
            return THOROUGH_RUNS
        return 5 if may_agree_by_chance(self.first) and self.first.seconds < LONG else 2

    def _say_estimate(self) -> None:
        changes, _ = perturbations(self.first)
        runs = self._plain_runs() - 1 + len(together(changes)) + 3
        seconds = runs * self.first.seconds
        if seconds >= 5.0:
            self.tell(f"about {runs} more runs, {seconds:.0f} s; about as many again if they differ")

    @property
    def _most_runs(self) -> int:
        """How many runs one proof may take."""
        patience = _PATIENCE * (10 if self.thorough else 1)
        return max(12, min(2000 if self.thorough else 200, int(patience / max(self.first.seconds, 0.05))))

    def _try_typed_seeds(self) -> None:
        """For a script that types its seed: do two seeds, put in its place, give two results?"""
        if self.other_seed is not None or self.first.seconds > LONG or len(self.first.stdout) > _MUCH_OUTPUT:
            return
        drawn = any(e["state"] in (State.SEEDED, State.SEEDED_LATE) for e in self.first.ledger)
        runs = self._under_seeds(2) if drawn else []
        if len(runs) < 2:
            return
        texts = [run.detail for run in runs]
        values = [{name: s.values for name, s in run.series.items()} for run in runs]
        same = repr(values[0]) == repr(values[1]) and len(set(texts)) < 2
        self.tried.append(Tried("two seeds, placed where one is typed", Outcome.SAME if same else Outcome.DIFFERENT))
        if same:
            self.notes.append(
                "two seeds gave the same output: the seed may not reach the result (`seedwise sites` shows where it goes in)"
            )

    def _reruns(self, most: int) -> Difference:
        """Rerun without any change, at most `most` times, until a rerun differs."""
        difference = self.plain.reruns(most)
        self._same = len(self.plain.groups[0])
        self.tried = [t for t in self.tried if t.name != "plain rerun"]
        self.tried.insert(0, _tried("plain rerun", difference))
        return difference

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _blame(self) -> str:
        """Says that the program ends well without Seedwise, if it does; else ""."""
        if self.first.status is None:
            return ""
        return "" if self.checker.fails_alone() else ". Without Seedwise it ends well: what it does cannot be watched"

    def _say_what_is_compared(self) -> None:
        first = self.first
        if not (any(c.isdigit() for c in first.stdout) or first.logged or first.files or first.steps.size):
            self.notes.append(
                "there was little to compare: the program printed no number, logged none, and wrote no file into its folder"
            )

    # --- differs between reruns: hold one thing still at a time ------------------------------------------------------

    def _unsteady(self, difference: Difference) -> Check:
        if difference.first_step is not None:
            self._found = self._localise(difference, NOTHING)
        self._see_how_often()
        kernel = self._found is not None and self._found.reason is Reason.KERNEL
        tried = hypotheses(self.first, kernel, varies_hash_seed=self.checker.varies_hash_seed)
        prover = Prover(self.plain, self._most_runs)
        if self.plain.others < min(_FEW_OTHERS, self.plain.count - 1) and not kernel:
            by_memory = self._by_memory(tried)
            if by_memory is not None:
                return self._with_further(difference, [by_memory])
        if prover.needed > self._most_runs and not kernel:
            return self._too_rare(difference, tried)
        for hypothesis in tried:
            named = self._holds(prover, hypothesis)
            if named is not None:
                return self._with_further(difference, [named])
            if prover.rare and kernel and hypothesis.cause is Cause.KERNEL:
                # it was seen to give other numbers for the same ones: only its fix is not proved
                self._note(f"runs agree with the fix, but {prover.needed} would have to, until chance is ruled out")
                return self._answer(difference, hypothesis)
            if prover.rare:
                break
        several = [] if prover.rare else self._several(prover, tried)
        if several:
            return self._with_further(difference, several)
        if prover.rare:
            return self._too_rare(difference, tried)
        if self._perhaps is not None:
            return self._answer(difference, self._perhaps)
        beside = self._side_by_side(tried)
        return self._answer(difference, Hypothesis(Cause.BESIDE if beside else Cause.UNKNOWN, beside))

    def _side_by_side(self, tried: Sequence[Hypothesis]) -> str:
        """The first line at which something runs side by side, which is noted. "" if nothing was seen to."""
        where = next((h.where for h in tried if h.cause is Cause.COMPLETION and h.where), "")
        if where:
            count = self.first.facts.get("started", "several")
            self._note(
                f"{count} threads, processes or tasks worked side by side, the first of them from {short_place(where)}"
            )
        return where

    def _see_how_often(self) -> None:
        """More plain runs: five, and where only few of them differ, as many as are needed to see how often they do."""
        if self.plain.count < _PLAIN_RUNS and self.first.seconds < LONG:
            self.plain.more(_PLAIN_RUNS - self.plain.count)
        while self.plain.others < min(_FEW_OTHERS, self.plain.count - 1) and self.plain.count < self._most_runs // 2:
            self.plain.more(self.checker.at_once)

    def _holds(self, prover: Prover, hypothesis: Hypothesis) -> Hypothesis | None:
        """The cause, with its line, if runs agree while it is held still."""
        self.tell(f"hold still: {hypothesis.cause}")
        hypothesis = self._with_classes(hypothesis)
        proof = prover.hold([hypothesis.fix(self.first)])
        name = f"held still: {_in_words(hypothesis)}"
        if proof.held is Held.FAILED and proof.trace is not None:
            self.tried.append(Tried(name, Outcome.NOT_TRIED, f"the program {proof.trace.failed}"))
            return None
        outcome = Outcome.SAME if proof.held in (Held.SAME, Held.TOO_RARE) else Outcome.DIFFERENT
        detail = _WORSE.get(proof.held, short_place(hypothesis.where))
        self.tried.append(Tried(name, outcome, detail))
        if hypothesis.cause is Cause.MEMORY and proof.trace is not None and not _filled(proof.trace):
            return None  # no line took such memory: that runs agreed has another reason
        if proof:
            return self._refined(hypothesis, proof)
        if proof.held is Held.ELSEWHERE and self._perhaps is None:
            self._perhaps = self._refined(hypothesis, proof)
        return None

    def _with_classes(self, hypothesis: Hypothesis) -> Hypothesis:
        """Order by address with the classes of the objects; anything else as it is."""
        if hypothesis.cause is not Cause.ADDRESS or not hypothesis.where:
            return hypothesis
        if self._by_address is None:
            self._by_address = numbered(hypothesis, self.checker)
        return self._by_address

    def _refined(self, hypothesis: Hypothesis, proof: Proof) -> Hypothesis:
        """The cause told apart from its neighbours, and with the line that the proof has shown."""
        if hypothesis.cause is Cause.CLOCK and proof.trace is not None:
            shifted = as_change([hypothesis.fix(self.first)]) | Change({"readings": {"shift": True}}, {})
            other = self.checker.run(shifted)
            if not other.failed and not self.plain.compare(proof.trace, other, changed=True):
                return Hypothesis(Cause.BUDGET, self.first.facts.get("clock-often", hypothesis.where))
        if hypothesis.cause is Cause.MEMORY and proof.trace is not None:
            return replace(hypothesis, where=self._unwritten_line(proof.trace) or hypothesis.where)
        if hypothesis.cause is Cause.HASH:
            return self._where_order_enters(hypothesis)
        return hypothesis

    def _where_order_enters(self, hypothesis: Hypothesis, base: Change = NOTHING) -> Hypothesis:
        """Hash order with the lines at which sorting is enough, if there are such lines."""
        late = self.first.facts.get("hash-seed-late")
        if late:
            self._note(
                f"PYTHONHASHSEED is set inside the program ({short_place(late)}), which has no effect: Python reads it when it starts"
            )
        self.tell("look where the order of sets enters")
        found = proved_by_sorting(hypothesis, Prover(self.plain, self._most_runs), self.checker, base)
        return found or hypothesis

    def _by_memory(self, tried: Sequence[Hypothesis]) -> Hypothesis | None:
        """The cause, if other numbers in memory that was never written change the result each time.

        Plain runs often find the same numbers there, so that few of them differ.
        """
        hypothesis = next((h for h in tried if h.cause is Cause.MEMORY), None)
        if hypothesis is None:
            return None
        self.tell("put other numbers into memory that was never written")
        a, b, c = (self.checker.run(FIRST_HASH_SEED | OTHER_MEMORY[k]) for k in (0, 1, 0))
        if a.failed or b.failed or self.plain.compare(a, c, changed=True) or not self._differs(a, b):
            return None
        filled = FIRST_HASH_SEED | as_change([hypothesis.fix(self.first)])
        x, y = (self.checker.run(filled | other) for other in OTHER_MEMORY)
        if x.failed or not _filled(x) or self._differs(x, y):
            return None
        held = quality(self.plain.runs, x)
        found = replace(hypothesis, where=self._unwritten_line(x) or hypothesis.where)
        self.tried.append(Tried(f"held still: {hypothesis.cause}", Outcome.SAME, _WORSE.get(held, "")))
        if held is Held.ELSEWHERE:
            self._perhaps = found
        return found if held is Held.SAME else None

    def _where_unwritten(self, hypothesis: Hypothesis, base: Change = NOTHING) -> Hypothesis:
        """The cause with the line whose memory is read before it is written, other causes being held still."""
        filled = self.checker.run(FIRST_HASH_SEED | base | as_change([hypothesis.fix(self.first)]))
        return replace(hypothesis, where=self._unwritten_line(filled, base) or hypothesis.where)

    def _unwritten_line(self, mended: Trace, base: Change = NOTHING) -> str:
        """The line whose memory is read before it is written: with that memory filled, other memory changes nothing."""
        lines = _filled(mended)
        for line in lines[:_MOST_LINES] if len(lines) > 1 else ():
            filled = FIRST_HASH_SEED | base | Change({"memory": "zero", "memory-line": line}, {})
            a, b = (self.checker.run(filled | other) for other in OTHER_MEMORY)
            if not a.failed and not self.plain.compare(a, b, changed=True):
                return line
        return lines[0] if lines else ""

    def _several(self, prover: Prover, alone: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Hold several causes still that were not enough alone.

        If that helps, leave them out one by one, as long as it still helps.
        """
        kept = [self._with_classes(hypothesis) for hypothesis in alone if hypothesis.cause is not Cause.THREADS]
        self.tell("hold everything still")
        if not prover.hold([hypothesis.fix(self.first) for hypothesis in kept]):
            return []
        for hypothesis in reversed(list(kept)):
            rest = [s for s in kept if s is not hypothesis]
            if rest and prover.hold([s.fix(self.first) for s in rest]):
                kept = rest
        return kept if len(kept) > 1 else []  # a single cause was not enough before, so this agreement is chance

    def _with_further(self, difference: Difference, causes: list[Hypothesis]) -> Check:
        """The answer, with what else changes the result once these causes are held still."""
        held, known = as_change([h.fix(self.first) for h in causes]), {h.cause for h in causes}
        if {Cause.HASH, Cause.ADDRESS} <= known:
            causes = self._by_address_alone(causes)
        for k, hypothesis in enumerate(causes):
            if hypothesis.cause is Cause.HASH and len(causes) > 1:
                base = as_change([h.fix(self.first) for h in causes if h is not hypothesis])
                causes[k] = self._where_order_enters(hypothesis, base)
        held = held | as_change([h.fix(self.first) for h in causes])
        further = self._further(held, known) if self.first.seconds < LONG else []
        return self._answer(difference, causes[0], verified=True, also=[*causes[1:], *further])

    def _by_address_alone(self, causes: list[Hypothesis]) -> list[Hypothesis]:
        """The causes without hash order, where the only sets whose order is taken hold objects that are placed by address.

        What an address is also depends on the hash seed, so that both must be held still, and yet only one is a cause.
        """
        found = lines_of_order(self.checker)
        if not found or set(found.values()) != {"object"}:
            return causes
        at = {Cause.ADDRESS: next(iter(found))}
        return [replace(h, where=at.get(h.cause, h.where)) for h in causes if h.cause is not Cause.HASH]

    def _further(self, base: Change, causes: set[Cause]) -> list[Hypothesis]:
        reference = self.checker.run(FIRST_HASH_SEED | base)
        if reference.failed:
            return []
        changes, _ = perturbations(self.first)
        known = _related(causes)
        changes = [(h, c) for h, c in perturbations(self.first)[0] if h.cause not in known]
        found: dict[Cause, Hypothesis] = {}
        for change, parts in together(changes):
            self.tell("change the rest")
            if not self._differs(reference, self.checker.run(change | base)):
                continue
            for hypothesis, part in parts:
                if hypothesis.cause not in found and self._differs(reference, self.checker.run(part | base)):
                    if self._differs(reference, self.checker.run(part | base)):
                        if hypothesis.cause is Cause.MEMORY:
                            hypothesis = self._where_unwritten(hypothesis, base)
                        found[hypothesis.cause] = hypothesis
                        self.tried.append(
                            Tried(f"besides: {hypothesis.cause}", Outcome.DIFFERENT, short_place(hypothesis.where))
                        )
        return list(found.values())

    def _differs(self, reference: Trace, other: Trace) -> bool:
        return not other.failed and bool(self.plain.compare(reference, other, changed=True))

    def _too_rare(self, difference: Difference, tried: Sequence[Hypothesis]) -> Check:
        """The answer where plain runs differ too seldom to prove a cause."""
        self._note(
            f"{self.plain.others} of {self.plain.count} plain runs differ: too few to prove a cause"
            + ("" if self.thorough else f"; {option('--thorough')} makes more runs")
        )
        return self._answer(difference, Hypothesis(Cause.RACE, self._side_by_side(tried)))

    # --- the same between reruns: change one thing at a time --------------------------------------------------------

    def _perturbed(self) -> Check | None:
        changes, skipped = perturbations(self.first)
        self.tried += skipped
        suspects = self._suspects(changes)
        found: list[tuple[Hypothesis, Change, Difference]] = []
        for hypothesis, change in changes:
            if any(h.cause is hypothesis.cause for h, _, _ in found):
                continue
            if (hypothesis, change) not in suspects and hypothesis.cause not in TRIED_ALONE:
                continue
            self.tell(f"change: {hypothesis.cause}")
            other = self.checker.run(change)
            difference = self.plain.compare(self.first, other, changed=True)
            if not self._counts(hypothesis, other, difference):
                continue
            seen = 1 + ((hypothesis, change) in suspects)  # it was part of a run that differed, too
            chance = self._is_chance(change, seen, len(changes))
            if chance:
                return self._unsteady(chance)
            found.append((hypothesis, change, difference))
        return self._answer_changes(found)

    def _suspects(self, changes: Sequence[tuple[Hypothesis, Change]]) -> list[tuple[Hypothesis, Change]]:
        """The changes that must be tried one by one, because several of them together changed the result."""
        suspects: list[tuple[Hypothesis, Change]] = []
        groups = together(changes)
        self.tell("change: " + ", ".join(dict.fromkeys(str(h.cause) for _, parts in groups for h, _ in parts)))
        others = self.checker.run_all([change for change, _ in groups])
        for (_, parts), other in zip(groups, others, strict=True):
            if other.failed or self.plain.compare(self.first, other, changed=True):
                suspects += parts
                continue
            self._same += 1
            for hypothesis, _ in parts:
                self.tried.append(Tried(hypothesis.cause.value, Outcome.SAME, short_place(hypothesis.where)))
        return suspects

    def _counts(self, hypothesis: Hypothesis, other: Trace, difference: Difference) -> bool:
        """Enter what a change did. Whether it is a change of the result that needs a cause."""
        cause, where = hypothesis.cause, "" if hypothesis.cause is Cause.HASH else hypothesis.where
        if other.failed:
            self.tried.append(Tried(cause, Outcome.NOT_TRIED, f"the program then {other.failed}"))
            return False
        self.tried.append(_tried(cause, difference, where))
        if not difference:
            self._same += 1
        if cause is Cause.WORKERS and difference:
            self.notes.append(
                f"another number of DataLoader workers gives another result ({short_place(where)}): it is part of the program, "
                "so keep it, and do not take it from the machine"
            )
            return False
        if cause is Cause.THREADS and self._is_only_rounding(difference):
            self._note(
                f"with one thread instead of {self.first.settings.get('threads', 'several')} sums are rounded otherwise; all that is "
                f"printed is the same, and this is not: {'; '.join(difference.what)}. For the same bits on every machine: "
                f"{hypothesis.fix(self.first).text}"
            )
            return False
        return bool(difference)

    def _is_only_rounding(self, difference: Difference) -> bool:
        """Whether nothing differs but parameters and files of numbers, while every metric that is printed is the same."""
        only = bool(difference) and all(what.startswith(("files: ", "parameters, ")) for what in difference.what)
        return only and not difference.in_kept_text and says_metrics(self.first)

    def _is_chance(self, change: Change, seen: int, tried: int) -> Difference | None:
        """Runs with the change and plain runs, until chance is ruled out. A plain run that differs, if one does.

        `seen` runs with the change have differed before.
        """
        plain, changed = runs_for_change(self._same, tried)
        most = self._most_runs
        left = min(changed, most) - seen
        while left > 0:
            others = self.checker.run_all([change] * min(left, self.checker.at_once))
            left -= len(others)
            if not all(self._differs(self.first, other) for other in others):
                return self._rare_difference()
        return self._reruns(max(1, min(plain - self._same, most))) or None

    def _rare_difference(self) -> Difference:
        """The same change once changed the result and once did not: a race. Plain runs that show it."""
        difference = self._reruns(min(60, self._most_runs))
        if difference:
            return difference
        self._note("one run differed, and the next under the same change did not: a race that is rare")
        return Difference(Verdict.DIFFERENT, ("one run of many",))

    def _answer_changes(self, found: Sequence[tuple[Hypothesis, Change, Difference]]) -> Check | None:
        if not found:
            return None
        order = sorted(
            found, key=lambda one: one[2].verdict is not Verdict.DIFFERENT
        )  # what is only rounding comes last
        real = [one for one in order if one[2].verdict is Verdict.DIFFERENT] or order[:1]
        hypothesis, change, difference = real[0]
        self._change = change
        real = [(self._with_line(h), c, d) for h, c, d in real]
        verified = all(self._verified(h, c) for h, c, _ in real)
        hypothesis = real[0][0]
        return self._answer(difference, hypothesis, verified=verified, change=change, also=[h for h, _, _ in real[1:]])

    def _with_line(self, hypothesis: Hypothesis) -> Hypothesis:
        if hypothesis.cause is Cause.BUDGET:
            return replace(hypothesis, where=self.first.facts.get("clock-often", hypothesis.where))
        if hypothesis.cause is Cause.HASH:
            return self._where_order_enters(hypothesis)
        if hypothesis.cause is Cause.MEMORY:
            return self._where_unwritten(hypothesis)
        return hypothesis

    def _verified(self, hypothesis: Hypothesis, change: Change) -> bool:
        """Whether the fix works.

        With the fix, the change must no longer change the result. For hash order and threads, reruns must agree.
        """
        fix = hypothesis.fix(self.first)
        if hypothesis.cause in (Cause.HASH, Cause.THREADS, Cause.KERNEL):
            return bool(Prover(self.plain, self._most_runs).hold([fix]))
        applied = FIRST_HASH_SEED | as_change([fix])
        mended = self.checker.run(applied)
        if mended.failed or self.plain.compare(mended, self.checker.run(change | applied), changed=True):
            return False
        return quality([self.first], mended) is Held.SAME

    def _second_run(self) -> Check | None:
        """Run once more in the folder that a first run left, where it looked for a file and then wrote it."""
        if not self.first.looked:
            return None
        self.tell("run it again in the folder that it left")
        first, second = self.checker.run_twice(FIRST_HASH_SEED)
        if second.failed:
            self.tried.append(Tried(Cause.EARLIER, Outcome.NOT_TRIED, f"the second run {second.failed}"))
            return None
        if second.steps.size < first.steps.size:
            path = short_place(f"{next(iter(self.first.looked))}:1").removesuffix(":1")
            self._note(
                f"the second run in the same folder makes {second.steps.size} of {first.steps.size} {first.unit}s: it goes on from what the "
                f"first one left ({path}, or another file); `seedwise check --resume` says whether it does so rightly"
            )
            return None
        difference = self.plain.compare_results(first, second)
        path, where = next(iter(self.first.looked.items()))
        self.tried.append(_tried(Cause.EARLIER, difference, where))
        if not difference:
            return None
        self._note(f"the first run wrote {path}, and the second one found it there")
        return self._answer(difference, Hypothesis(Cause.EARLIER, where), verified=True)

    # --- the opposite failure ---------------------------------------------------------------------------------------

    def _repeating_workers(self) -> Check | None:
        repeats = _repeats(self.first.workers)
        if not repeats:
            return None
        name, where = repeats[0]
        hypothesis = Hypothesis(Cause.STREAMS, where, (name,))
        mended = self.checker.run(as_change([hypothesis.fix(self.first)]))
        return self._answer(None, hypothesis, verified=not mended.failed and not _repeats(mended.workers))

    def _seed_without_effect(self) -> Check | None:
        if self.other_seed is None:
            return None
        self.tell("another seed")
        words, self.checker.words = self.checker.words, list(self.other_seed)
        try:
            other = self.checker.run()
        finally:
            self.checker.words = words
        difference = self.plain.compare(self.first, other)
        drawn = [e for e in self.first.ledger if e["state"] in (State.SEEDED, State.SEEDED_LATE, State.UNSEEDED)]
        moved = [g for g, d in other.generators.items() if self.first.generators.get(g) != d]
        self.tried.append(Tried("another seed", Outcome.DIFFERENT if difference else Outcome.SAME))
        if difference:
            return None
        if moved and not _all_seeded_alike(self.first.ledger, other.ledger) and self.first.steps.size:
            self.notes.append("another seed gave the same result: the metric may not show what the seed changes")
            return None
        where = next((p for e in drawn for p in e.get("seeded_at") or ()), "")
        return self._answer(None, Hypothesis(Cause.NO_EFFECT, where))

    # --- localise, measure, answer ----------------------------------------------------------------------------------

    def _localise(self, difference: Difference, change: Change) -> Divergence | None:
        """Find the first operation that differs.

        Every operation of the first step that differs is recorded, in two processes.
        """
        step = difference.first_step
        if step is None or self.first.unit != "step":
            return None  # Keras shows its weights only after an epoch, and no single operation
        for _ in range(4):
            self.tell(f"record every operation of step {step + 1}")
            a = self.checker.run(replace(FIRST_HASH_SEED, record_step=step))
            b = self.checker.run(replace(change, record_step=step))
            now = compare(a, b, self.rtol).first_step
            found = None if now is not None and now < step else localise(a, b, step)
            if found is not None:
                return found
            step = step if now is None else now  # this time the same by chance, or different at another step
        return None

    def _answer(
        self,
        difference: Difference | None,
        hypothesis: Hypothesis | None,
        *,
        verified: bool = False,
        change: Change = NOTHING,
        also: Sequence[Hypothesis] = (),
    ) -> Check:
        """The answer: the verdict on `difference` (None: the program shows none) and its cause.

        `also` are causes that act together with it.
        """
        verdict = Verdict.IDENTICAL if difference is None else difference.verdict
        divergence = self._found
        if divergence is None and difference is not None and difference.first_step is not None:
            divergence = self._localise(difference, change)
        if hypothesis is None:
            found = Check(verdict, difference=difference, divergence=divergence)
        else:
            if hypothesis.cause is not Cause.RACE:
                hypothesis, verified = self._at_operation(hypothesis, divergence, verified)
            places = [s.where for s in (hypothesis, *also)] + ([] if divergence is None else [divergence.line])
            where = short_place(next((place for place in places if place), ""))
            fixes = "; ".join(s.fix(self.first).text for s in (hypothesis, *also))
            found = Check(
                verdict, _cause_in_words(hypothesis, also), where, fixes, verified, "", difference, divergence
            )
            lines = (changed_line(s.cause, s.where) for s in (hypothesis, *also))
            found = replace(found, lines=tuple(line for line in lines if line is not None))
        for text in self.plain.not_counted():
            self._note(text)
        found = replace(
            found,
            ledger=self.first.ledger,
            perturbations=_once(self.tried),
            notes=tuple(self.notes),
            same_runs=self._same if verdict is Verdict.IDENTICAL else 0,
            plain_runs=self.plain.count,
            other_runs=self.plain.others,
        )
        return replace(found, sentence=sentence_of(found))

    def _at_operation(
        self, hypothesis: Hypothesis, divergence: Divergence | None, verified: bool
    ) -> tuple[Hypothesis, bool]:
        """Give threads and operations the line of the first operation that differed.

        This operation also tells the two causes apart.
        """
        if divergence is None:
            return hypothesis, verified
        if hypothesis.cause is Cause.THREADS and divergence.operation.strip("_").startswith(_RACING):
            hypothesis = Hypothesis(Cause.KERNEL, divergence.line)  # it differs between reruns too, but seldom
            verified = bool(Prover(self.plain, self._most_runs).hold([hypothesis.fix(self.first)]))
        if divergence.line and hypothesis.cause in (Cause.THREADS, Cause.KERNEL):
            hypothesis = replace(hypothesis, where=divergence.line)
        return hypothesis, verified

    def _against(self, old: Trace) -> Check:
        difference = compare(old, self.first, self.rtol)
        verdict = difference.verdict
        changed = [
            e["generator"]
            for e in self.first.ledger
            if (o := next((x for x in old.ledger if x["generator"] == e["generator"]), None)) is not None
            and (o["state"], o.get("seed")) != (e["state"], e.get("seed"))
        ]
        other_command = bool(old.command) and tuple(self.words) != old.command
        if other_command:
            self._note(f"the trace is of another command: {' '.join(old.command)}")
        start = resumed_at(old, self.first)
        if start is not None:
            step = first_step_after(old, self.first, start)
            said = "all its steps are the same" if step is None else f"the first step that differs is {step + 1}"
            self._note(
                f"this run has only the last {self.first.steps.size} of {old.steps.size} steps: as a resumed run, {said}"
            )
        if changed:
            self.notes.append(f"seeded otherwise than in the trace: {', '.join(changed)}")
        found = Check(
            verdict,
            "" if not difference else "another command" if other_command else "another machine or version",
            "",
            "",
            False,
            "",
            difference,
            None,
            self.first.ledger,
            (_tried("the saved trace", difference),),
            tuple(self.notes),
        )
        return replace(found, sentence=sentence_of(found))

    def _measured(self, found: Check, n: int) -> Check:
        """The answer with two spreads for each metric.

        One is caused by the uncontrolled source, the other by the seed.
        """
        if found.verdict is Verdict.IDENTICAL:
            return replace(found, measured={"note": "nothing changes the result: there is no spread to measure"})
        self.tell(f"measure the spread over {n} runs")
        changes = [NOTHING] * (n - 1) if self._change is None else [self._change]
        runs = [as_run(k, t) for k, t in enumerate([self.first, *map(self.checker.run, changes)]) if not t.failed]
        of = "reruns" if self._change is None else "the change"
        return replace(found, measured=spreads(runs, self._under_seeds(n), of))

    def _under_seeds(self, n: int) -> list[Run]:
        if self._is_function:
            return []
        found, note = under_seeds(self.words, n, self.timeout)
        self.notes += [note] if note else []
        return found


_RACING = ("index_put", "put", "index_copy", "scatter_reduce")
"""Operations that write through indices. With several threads the last thread wins."""


def _saved_trace(path: str) -> Trace:
    if os.path.isdir(path):
        raise UsageError(
            f"{path} is a folder: `seedwise check --against` takes a file that `seedwise check --save-trace FILE` made"
        )
    if not os.path.isfile(path):
        raise UsageError(f"no such file: {path}; `seedwise check --save-trace {path}` makes one")
    return Trace.load(Path(path))


_MOST_LINES = 5
_ONE_CORE = 1.3
"""Seconds of processor time in each second up to which a program counts as using one core."""
_WORSE = {
    Held.NOT_FINITE: "they agree on NaN",
    Held.ELSEWHERE: "they agree, far from every plain run",
    Held.TOO_RARE: "they agree, but so seldom do plain runs differ that this may be chance",
}


def _filled(mended: Trace) -> list[str]:
    """The user's lines that took memory which was then filled."""
    return [what.partition(" ")[2] for what in mended.facts if what.startswith("memory ")]


def _at_once(first: Trace) -> int:
    """How many processes of this program fit beside each other: as many as there are cores that it does not use itself.

    Programs with threads, with workers or with a GPU run alone: they would disturb each other.
    """
    if {"gpu", "completion", "threads", "workers", "started"} & set(first.facts):
        return 1
    busy = first.processor_seconds / max(first.seconds, 0.01)
    return 1 if busy > _ONE_CORE else min(4, max(1, available_cores()))


def _related(causes: set[Cause]) -> set[Cause]:
    """These causes, and those that are held still with them."""
    time = {Cause.CLOCK, Cause.BUDGET}
    return causes | (time if causes & time else set())


def _in_words(hypothesis: Hypothesis) -> str:
    names = ", ".join(map(without_place, hypothesis.generators))
    return f"{hypothesis.cause}: {names}" if names else hypothesis.cause.value


def _once(tried: Sequence[Tried]) -> tuple[Tried, ...]:
    """What was tried under one name several times with the same result (hash seeds) is told once, with their number."""
    found: dict[tuple[str, Outcome], list[Tried]] = {}
    for one in tried:
        found.setdefault((one.name, one.outcome), []).append(one)
    return tuple(
        group[0] if len(group) == 1 else replace(group[0], name=f"{group[0].name} ({len(group)} times)")
        for group in found.values()
    )


def _tried(name: str, difference: Difference, where: str = "") -> Tried:
    outcome = {
        Verdict.IDENTICAL: Outcome.SAME,
        Verdict.ROUNDING: Outcome.ROUNDING,
        Verdict.DIFFERENT: Outcome.DIFFERENT,
    }
    return Tried(name, outcome[difference.verdict], "; ".join(difference.what) or short_place(where))


def _repeats(workers: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Name and line of the generators whose stream is repeated.

    Several workers hold them in the same state, or one worker does more than once (in every epoch).
    """
    seen: dict[tuple[str, int], set[int]] = {}
    for message in workers:
        seen.setdefault((message["generator"], message["digest"]), set()).add(message["worker"])
    times: dict[tuple[str, int, int], int] = {}
    for message in workers:
        key = message["generator"], message["digest"], message["worker"]
        times[key] = times.get(key, 0) + 1
    found = {name for (name, _), who in seen.items() if len(who) > 1} | {k[0] for k, n in times.items() if n > 1}
    places = {m["generator"]: m["where"] for m in workers}
    return [(name, places[name]) for name in sorted(found)]


def _all_seeded_alike(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> bool:
    seeds = [{e["generator"]: e.get("seed") for e in ledger if e.get("seed") is not None} for ledger in (a, b)]
    return bool(seeds[0]) and seeds[0] == seeds[1]


def _cause_in_words(hypothesis: Hypothesis, also: Sequence[Hypothesis]) -> str:
    text = hypothesis.cause.value
    if hypothesis.cause in (Cause.GENERATOR, Cause.LATE, Cause.STREAMS):
        text += f": {', '.join(without_place(name) for name in hypothesis.generators)}"
    return f"{text} (and {', '.join(s.cause.value for s in also)})" if also else text
