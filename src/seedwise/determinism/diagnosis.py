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
    Outcome,
    Trace,
    Tried,
    Verdict,
    compare,
    sentence_of,
    short_place,
    without_place,
)
from .case import Case, Finding, Say, tried_with
from .compare import first_step_after, resumed_at
from .hypotheses import LONG, Hypothesis, as_change, may_agree_by_chance, perturbations, together
from .localise import Divergence
from .plain import Plain
from .proof import Prover
from .rerunning import FIRST_HASH_SEED, HASH_SEEDS, NOTHING, Change, Checker, check_environment
from .rewriting import changed_line
from .spread import as_run, spreads, under_seeds
from .steady import Steady
from .unsteady import Unsteady

THOROUGH_RUNS = 59
"""So many plain runs without a difference show that at most one in twenty differs (95 %)."""
_MUCH_OUTPUT = 4_000_000


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
        notes: Sequence[str] = (),
    ) -> None:
        self.words, self.other_seed, self.rtol, self.timeout, self.tell = list(words), other_seed, rtol, timeout, tell
        self.thorough, self.notes = thorough, notes
        self._change: Change | None = None
        """The change that changed the result, where plain reruns agree."""
        self._is_function = is_function

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
        worlds, notes = find_worlds(Workdir.AUTO, None, (), [], self.words), list(self.notes)
        if worlds.kind is Workdir.SEQUENTIAL:
            worlds = find_worlds(Workdir.SHARED, None, (), [], self.words)
            notes.append("runs share your files here: what one writes, the next may read")
        sweep_dead_worlds(worlds.base)
        checker = Checker(self.words, worlds, check_environment(), self.timeout)
        with guarded(worlds.base):
            found = self.examine(checker, save_trace, against, instead, notes)
            if measure:
                found = self._measured(found, measure)
            return replace(found, processes=checker.runs)

    def examine(
        self,
        checker: Checker,
        save_trace: str | None = None,
        against: str | None = None,
        instead: Callable[[Plain, list[str]], Check] | None = None,
        notes: Sequence[str] = (),
    ) -> Check:
        """Run the program with `checker`; see `run`."""
        old = None if against is None else _saved_trace(against)
        if save_trace is not None and not Path(save_trace).absolute().parent.is_dir():
            raise UsageError(f"{option(f'--save-trace {save_trace}')}: no such folder")
        self.tell("run it once")
        first = checker.run()
        if first.failed:
            raise ScriptError(f"the program {first.failed}: nothing can be compared{_blame(checker, first)}")
        self._case = case = Case(checker, first, self.rtol, self.tell, thorough=self.thorough, notes=notes)
        checker.given = first.readings
        checker.at_once = _at_once(first, checker.shares_files)
        self._say_what_is_compared()
        if save_trace is not None:
            first.save(Path(save_trace))
        if old is not None:
            return self._against(old)
        if instead is not None:
            return instead(case.plain, case.notes)
        checker.timeout = min(self.timeout, max(60.0, 20 * first.seconds))
        self._say_estimate()
        unsteady = Unsteady(case)
        difference = case.reruns(self._plain_runs() - 1)
        found = unsteady.find(difference) if difference else None
        found = (
            found
            or self._repeating_workers()
            or Steady(case, unsteady).find()
            or self._second_run()
            or self._seed_without_effect()
        )
        if found is not None:
            return self._answer(found)
        self._try_typed_seeds()
        return self._answer(Finding(None))

    def _plain_runs(self) -> int:
        if self.thorough:
            return THOROUGH_RUNS
        return 5 if may_agree_by_chance(self._case.first) and self._case.first.seconds < LONG else 2

    def _say_estimate(self) -> None:
        changes, _ = perturbations(self._case.first, HASH_SEEDS[: self._plain_runs()])
        runs = self._plain_runs() - 1 + len(together(changes)) + 3
        seconds = runs * self._case.first.seconds
        if seconds >= 5.0:
            self.tell(f"about {runs} more runs, {seconds:.0f} s; about as many again if they differ")

    def _try_typed_seeds(self) -> None:
        """For a script that types its seed: do two seeds, put in its place, give two results?"""
        case = self._case
        if self.other_seed is not None or case.first.seconds > LONG or len(case.first.stdout) > _MUCH_OUTPUT:
            return
        drawn = any(e["state"] in (State.SEEDED, State.SEEDED_LATE) for e in case.first.ledger)
        runs = self._under_seeds(2) if drawn else []
        if len(runs) < 2:
            return
        texts = [run.detail for run in runs]
        values = [{name: s.values for name, s in run.series.items()} for run in runs]
        same = repr(values[0]) == repr(values[1]) and len(set(texts)) < 2
        case.tried.append(Tried("two seeds, placed where one is typed", Outcome.SAME if same else Outcome.DIFFERENT))
        if same:
            case.notes.append(
                "two seeds gave the same output: the seed may not reach the result (`seedwise sites` shows where it goes in)"
            )

    def _say_what_is_compared(self) -> None:
        first = self._case.first
        if not (any(c.isdigit() for c in first.stdout) or first.logged or first.files or first.steps.size):
            self._case.notes.append(
                "there was little to compare: the program printed no number, logged none, and wrote no file into its folder"
            )

    def _second_run(self) -> Finding | None:
        """Run once more in the folder that a first run left, where it looked for a file and then wrote it."""
        case = self._case
        if not case.first.looked:
            return None
        self.tell("run it again in the folder that it left")
        first, second = case.checker.run_twice(FIRST_HASH_SEED)
        if second.failed:
            case.tried.append(Tried(Cause.EARLIER, Outcome.NOT_TRIED, f"the second run {second.failed}"))
            return None
        if second.steps.size < first.steps.size:
            path = short_place(f"{next(iter(case.first.looked))}:1").removesuffix(":1")
            case.note(
                f"the second run in the same folder makes {second.steps.size} of {first.steps.size} {first.unit}s: it goes on from what the "
                f"first one left ({path}, or another file); `seedwise check --resume` says whether it does so rightly"
            )
            return None
        difference = case.plain.compare_results(first, second)
        path, where = next(iter(case.first.looked.items()))
        case.tried.append(tried_with(Cause.EARLIER, difference, where))
        if not difference:
            return None
        case.note(f"the first run wrote {path}, and the second one found it there")
        return Finding(difference, (Hypothesis(Cause.EARLIER, where),), verified=True)

    def _repeating_workers(self) -> Finding | None:
        case = self._case
        repeats = _repeats(case.first.workers)
        if not repeats:
            return None
        name, where = repeats[0]
        hypothesis = Hypothesis(Cause.STREAMS, where, (name,))
        mended = case.checker.run(as_change([hypothesis.fix(case.first)]))
        return Finding(None, (hypothesis,), verified=not mended.failed and not _repeats(mended.workers))

    def _seed_without_effect(self) -> Finding | None:
        case = self._case
        if self.other_seed is None:
            return None
        self.tell("another seed")
        words, case.checker.words = case.checker.words, list(self.other_seed)
        try:
            other = case.checker.run()
        finally:
            case.checker.words = words
        difference = case.plain.compare(case.first, other)
        drawn = [e for e in case.first.ledger if e["state"] in (State.SEEDED, State.SEEDED_LATE, State.UNSEEDED)]
        moved = [g for g, d in other.generators.items() if case.first.generators.get(g) != d]
        case.tried.append(Tried("another seed", Outcome.DIFFERENT if difference else Outcome.SAME))
        if difference:
            return None
        if moved and not _all_seeded_alike(case.first.ledger, other.ledger) and case.first.steps.size:
            case.notes.append("another seed gave the same result: the metric may not show what the seed changes")
            return None
        where = next((p for e in drawn for p in e.get("seeded_at") or ()), "")
        return Finding(None, (Hypothesis(Cause.NO_EFFECT, where),))

    def _answer(self, found: Finding) -> Check:
        """The answer: the verdict, and the cause if the program shows one."""
        case, difference = self._case, found.difference
        self._change = None if found.change is NOTHING else found.change
        verdict = Verdict.IDENTICAL if difference is None else difference.verdict
        divergence = case.divergence
        if divergence is None and difference is not None and difference.first_step is not None:
            divergence = case.localise(difference, found.change)
        answer = Check(verdict, difference=difference, divergence=divergence)
        if found.causes:
            answer = self._with_causes(answer, found, divergence)
        for text in case.plain.not_counted():
            case.note(text)
        answer = replace(
            answer,
            ledger=case.first.ledger,
            perturbations=_once(case.tried),
            notes=tuple(case.notes),
            same_runs=case.same if verdict is Verdict.IDENTICAL else 0,
            plain_runs=case.plain.count,
            other_runs=case.plain.others,
            beside=case.beside,
        )
        return replace(answer, sentence=sentence_of(answer))

    def _with_causes(self, answer: Check, found: Finding, divergence: Divergence | None) -> Check:
        """The answer with its causes, their first line and their fixes."""
        (hypothesis, *also), verified = found.causes, found.verified
        if hypothesis.cause is not Cause.RACE:
            hypothesis, verified = self._at_operation(hypothesis, divergence, verified)
        causes = (hypothesis, *also)
        places = [one.where for one in causes] + ([] if divergence is None else [divergence.line])
        lines = (changed_line(one.cause, one.where, one.generators) for one in causes)
        return replace(
            answer,
            cause=_cause_in_words(hypothesis, also),
            location=short_place(next((place for place in places if place), "")),
            fix="; ".join(one.fix(self._case.first).text for one in causes),
            fix_verified=verified,
            lines=tuple(line for line in lines if line is not None),
        )

    def _at_operation(
        self, hypothesis: Hypothesis, divergence: Divergence | None, verified: bool
    ) -> tuple[Hypothesis, bool]:
        """Give threads and operations the line of the first operation that differed.

        This operation also tells the two causes apart.
        """
        case = self._case
        if divergence is None:
            return hypothesis, verified
        if hypothesis.cause is Cause.THREADS and divergence.operation.strip("_").startswith(_RACING):
            hypothesis = Hypothesis(Cause.KERNEL, divergence.line)  # it differs between reruns too, but seldom
            verified = bool(Prover(case.plain, case.most_runs).hold([hypothesis.fix(case.first)]))
        if divergence.line and hypothesis.cause in (Cause.THREADS, Cause.KERNEL):
            hypothesis = replace(hypothesis, where=divergence.line)
        return hypothesis, verified

    def _against(self, old: Trace) -> Check:
        case = self._case
        difference = compare(old, case.first, self.rtol)
        verdict = difference.verdict
        changed = [
            e["generator"]
            for e in case.first.ledger
            if (o := next((x for x in old.ledger if x["generator"] == e["generator"]), None)) is not None
            and (o["state"], o.get("seed")) != (e["state"], e.get("seed"))
        ]
        other_command = bool(old.command) and tuple(self.words) != old.command
        if other_command:
            case.note(f"the trace is of another command: {' '.join(old.command)}")
        start = resumed_at(old, case.first)
        if start is not None:
            step = first_step_after(old, case.first, start)
            said = "all its steps are the same" if step is None else f"the first step that differs is {step + 1}"
            case.note(
                f"this run has only the last {case.first.steps.size} of {old.steps.size} steps: as a resumed run, {said}"
            )
        if changed:
            case.notes.append(f"seeded otherwise than in the trace: {', '.join(changed)}")
        found = Check(
            verdict,
            "" if not difference else "another command" if other_command else "another machine or version",
            "",
            "",
            False,
            "",
            difference,
            None,
            case.first.ledger,
            (tried_with("the saved trace", difference),),
            tuple(case.notes),
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
        runs = [
            as_run(k, t)
            for k, t in enumerate([self._case.first, *map(self._case.checker.run, changes)])
            if not t.failed
        ]
        of = "reruns" if self._change is None else "the change"
        return replace(found, measured=spreads(runs, self._under_seeds(n), of))

    def _under_seeds(self, n: int) -> list[Run]:
        if self._is_function:
            return []
        found, note = under_seeds(self.words, n, self.timeout)
        self._case.notes += [note] if note else []
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


_ONE_CORE = 1.3
"""Seconds of processor time in each second up to which a program counts as using one core."""


def _blame(checker: Checker, first: Trace) -> str:
    """Says that the program ends well without Seedwise, if it does; else ""."""
    if first.status is None:
        return ""
    return "" if checker.fails_alone() else ". Without Seedwise it ends well: what it does cannot be watched"


def _at_once(first: Trace, shares_files: bool) -> int:
    """How many processes of this program fit beside each other: as many as there are cores that it does not use itself.

    Programs with threads, with workers or with a GPU run alone: they would disturb each other. So do all where they share files: the
    project, or the folder for temporary files, in which names may be held still.
    """
    if shares_files or {"gpu", "completion", "threads", "workers", "started"} & set(first.facts):
        return 1
    busy = first.processor_seconds / max(first.seconds, 0.01)
    return 1 if busy > _ONE_CORE else min(4, max(1, available_cores()))


def _once(tried: Sequence[Tried]) -> tuple[Tried, ...]:
    """What was tried under one name several times with the same result (hash seeds) is told once, with their number."""
    found: dict[tuple[str, Outcome], list[Tried]] = {}
    for one in tried:
        found.setdefault((one.name, one.outcome), []).append(one)
    return tuple(
        group[0] if len(group) == 1 else replace(group[0], name=f"{group[0].name} ({len(group)} times)")
        for group in found.values()
    )


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
