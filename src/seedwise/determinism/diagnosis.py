"""The examination behind `check`: which processes are run, and what their results show."""

import math
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seedwise_guest import State

from ..errors import ScriptError, SeedwiseError, UsageError
from ..experiments.options import Options
from ..results import Run, Series, Status
from ..runs.masks import masked
from ..runs.request import Request, silent
from ..runs.sweep import execute
from ..sandbox.workdir import Workdir
from ..sandbox.worlds import find_worlds, guarded, sweep_dead_worlds
from . import (
    Cause,
    Check,
    Difference,
    Divergence,
    Fix,
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
from .hypotheses import LONG, Hypothesis, as_change, hypotheses, may_agree_by_chance, perturbations
from .rerunning import NOTHING, Change, Checker, check_environment, whole

Say = Callable[[str], None]
_PATIENCE = 600.0
"""Seconds that may be spent to show that one cause is the cause."""
_PLAIN_RUNS = 5
"""Number of processes without any change. They show how often two processes agree by chance."""


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
    ) -> None:
        self.words, self.other_seed, self.rtol, self.timeout, self.tell = list(words), other_seed, rtol, timeout, tell
        self.tried: list[Tried] = []
        self.notes: list[str] = []
        self._found: Divergence | None = None
        self._plain: list[list[Trace]] = []
        """The processes without any change, in groups: those with the same result are together."""
        self._change: Change | None = None
        """The change that changed the result, where plain reruns agree."""
        self._is_function = is_function

    def run(self, save_trace: str | None = None, against: str | None = None, measure: int = 0) -> Check:
        """Run the examination; see `check_script`."""
        worlds = find_worlds(Workdir.AUTO, None, (), [], self.words)
        if worlds.kind is Workdir.SEQUENTIAL:
            worlds = find_worlds(Workdir.SHARED, None, (), [], self.words)
            self.notes.append("runs share your files here: what one writes, the next may read")
        sweep_dead_worlds(worlds.base)
        self.checker = Checker(self.words, worlds, check_environment(), self.timeout)
        with guarded(worlds.base):
            found = self._examine(save_trace, against)
            if measure:
                found = self._measured(found, measure)
            return replace(found, processes=self.checker.runs)

    def _examine(self, save_trace: str | None, against: str | None) -> Check:
        old = None if against is None else _saved_trace(against)
        if save_trace is not None and not Path(save_trace).absolute().parent.is_dir():
            raise UsageError(f"--save-trace {save_trace}: no such folder")
        self.tell("run it once")
        self.first = self.checker.run()
        self._plain = [[self.first]]
        if self.first.failed:
            raise ScriptError(f"the program {self.first.failed}: nothing can be compared{self._blame()}")
        self._say_what_is_compared()
        self.checker.timeout = min(self.timeout, max(60.0, 20 * self.first.seconds))
        if save_trace is not None:
            self.first.save(Path(save_trace))
        if old is not None:
            return self._against(old)
        difference = self._reruns(4 if may_agree_by_chance(self.first) else 1)
        self.tried.append(_tried("plain rerun", difference))
        if difference:
            return self._unsteady(difference)
        found = self._repeating_workers() or self._perturbed() or self._seed_without_effect()
        if found is not None:
            return found
        self._try_typed_seeds()
        return self._answer(None, None)

    def _try_typed_seeds(self) -> None:
        """For a script that types its seed: do two seeds, put in its place, give two results?"""
        if self.other_seed is not None or self.first.seconds > LONG:
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
        difference = Difference(Verdict.IDENTICAL)
        for _ in range(most):
            difference = self._run_again()
            if difference:
                break
        return difference

    def _run_again(self) -> Difference:
        self.tell("run it again")
        again = self.checker.run()
        for group in self._plain:
            if not compare(group[0], again, self.rtol):
                group.append(again)
                break
        else:
            self._plain.append([again])
        difference = compare(self.first, again, self.rtol)
        note = f"numbers that look like durations differ and were not counted: {difference.uncounted}"
        if difference.uncounted and not any(n.startswith(note[:40]) for n in self.notes):
            self.notes.append(note)
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

    def _needed(self) -> int:
        """How many processes must agree until chance is below one per cent.

        It depends on how often processes without a change agree.
        """
        runs = sum(map(len, self._plain))
        often = (max(map(len, self._plain)) + 0.5) / (runs + 1)
        return 1 + math.ceil(math.log(0.01) / math.log(often))

    # --- differs between reruns: hold one thing still at a time ------------------------------------------------------

    def _unsteady(self, difference: Difference) -> Check:
        if difference.first_step is not None:
            self._found = self._localise(difference, NOTHING)
        while sum(map(len, self._plain)) < _PLAIN_RUNS and self.first.seconds < LONG:
            self._run_again()
        tried = hypotheses(self.first, self._found is not None and self._found.reason is Reason.KERNEL)
        for hypothesis in tried:
            self.tell(f"hold still: {hypothesis.cause}")
            steady = self._is_steady(hypothesis.fix(self.first))
            self.tried.append(
                Tried(
                    f"held still: {hypothesis.cause}",
                    Outcome.SAME if steady else Outcome.DIFFERENT,
                    short_place(hypothesis.where),
                )
            )
            if steady:
                return self._answer(difference, hypothesis, verified=True)
        several = self._several(tried)
        if several:
            return self._answer(difference, several[0], verified=True, also=several[1:])
        return self._answer(difference, Hypothesis(Cause.UNKNOWN))

    def _is_steady(self, *fixes: Fix) -> bool:
        """Whether enough processes give the same result with these fixes, so that chance is ruled out."""
        change = as_change(fixes)
        wanted = self._needed() if len(self._plain) > 1 else 3
        most = min(wanted, 3 + int(_PATIENCE / max(self.first.seconds, 0.1)))
        a = self.checker.run(change)
        if a.failed or any(compare(a, self.checker.run(change), self.rtol) for _ in range(most - 1)):
            return False
        if most < wanted:
            self._note(f"{most} processes agreed, where {wanted} would make chance unlikely: each takes long")
        return True

    def _several(self, alone: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Hold several causes still that were not enough alone.

        If that helps, leave them out one by one, as long as it still helps.
        """
        kept = [hypothesis for hypothesis in alone if hypothesis.cause is not Cause.THREADS]
        self.tell("hold everything still")
        if not self._is_steady(*(hypothesis.fix(self.first) for hypothesis in kept)):
            return []
        for hypothesis in reversed(list(kept)):
            rest = [s for s in kept if s is not hypothesis]
            if rest and self._is_steady(*(s.fix(self.first) for s in rest)):
                kept = rest
        return kept if len(kept) > 1 else []  # a single cause was not enough before, so this agreement is chance

    # --- the same between reruns: change one thing at a time --------------------------------------------------------

    def _perturbed(self) -> Check | None:
        rounding: Check | None = None
        changes, skipped = perturbations(self.first)
        self.tried += skipped
        for hypothesis, change in changes:
            cause, name = hypothesis.cause, hypothesis.cause.value
            where = "" if cause is Cause.HASH else hypothesis.where  # it is not known which set it is
            self.tell(f"change: {name}")
            other = self.checker.run(change)
            difference = compare(self.first, other, self.rtol)
            if other.failed:
                self.tried.append(Tried(name, Outcome.DIFFERENT, f"the program {other.failed}"))
                if cause in (Cause.CLOCK, Cause.WORKERS):
                    continue
            elif cause is Cause.WORKERS:
                self.tried.append(_tried(name, difference, where))
                if difference:
                    self.notes.append(
                        f"another number of DataLoader workers gives another result ({short_place(where)}): it is part of the program, "
                        "so keep it, and do not take it from the machine"
                    )
                continue
            else:
                self.tried.append(_tried(name, difference, where))
            if not difference:
                continue
            chance = self._reruns(3)  # before a cause is named
            if chance:
                self.tried = [t for t in self.tried if t.name not in ("plain rerun", name)]
                self.tried.insert(0, _tried("plain rerun", chance))
                return self._unsteady(chance)
            self._change = self._change or change
            found = self._answer(difference, hypothesis, verified=self._verified(hypothesis, change), change=change)
            if found.verdict is Verdict.DIFFERENT:
                return found
            rounding = rounding or found
        if rounding is None:
            return None
        return replace(rounding, perturbations=tuple(self.tried), notes=tuple(self.notes))

    def _verified(self, hypothesis: Hypothesis, change: Change) -> bool:
        """Whether the fix works.

        With the fix, the change must no longer change the result. For hash order and threads, reruns must agree.
        """
        fix = hypothesis.fix(self.first)
        if hypothesis.cause in (Cause.HASH, Cause.THREADS):
            return self._is_steady(fix)
        applied = as_change([fix])
        both = Change({**change.interventions, **applied.interventions}, {**change.environment, **applied.environment})
        mended = self.checker.run(applied)
        return not mended.failed and not compare(mended, self.checker.run(both), self.rtol)

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
        difference = compare(self.first, other, self.rtol)
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
            a = self.checker.run(Change({}, {}, step))
            b = self.checker.run(replace(change, record_step=step))
            found = localise(a, b, step)
            if found is not None:
                return found
            now = compare(a, b, self.rtol).first_step
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
            hypothesis, verified = self._at_operation(hypothesis, divergence, verified)
            places = [s.where for s in (hypothesis, *also)] + ([] if divergence is None else [divergence.line])
            where = short_place(next((place for place in places if place), ""))
            fixes = "; ".join(s.fix(self.first).text for s in (hypothesis, *also))
            found = Check(
                verdict, _cause_in_words(hypothesis, also), where, fixes, verified, "", difference, divergence
            )
        found = replace(found, ledger=self.first.ledger, perturbations=tuple(self.tried), notes=tuple(self.notes))
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
            verified = self._is_steady(hypothesis.fix(self.first))
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
        if changed:
            self.notes.append(f"seeded otherwise than in the trace: {', '.join(changed)}")
        found = Check(
            verdict,
            "" if not difference else "another machine or version",
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
        from ..metrics import choose as metrics

        if found.verdict is Verdict.IDENTICAL:
            return replace(found, measured={"note": "nothing changes the result: there is no spread to measure"})
        self.tell(f"measure the spread over {n} runs")
        changes = [NOTHING] * (n - 1) if self._change is None else [self._change]
        runs = [_as_run(k, t) for k, t in enumerate([self.first, *map(self.checker.run, changes)]) if not t.failed]
        of_seeds = self._under_seeds(n)
        spread: dict[str, Any] = {}
        for metric in metrics.choose(runs).metrics or metrics.choose(of_seeds).metrics:
            if not all(metric.name in run.series for run in runs):
                continue
            values = [run.series[metric.name].values[-1] for run in runs]
            seeds = [run.series[metric.name].values[-1] for run in of_seeds if metric.name in run.series]
            spread[metric.name] = {
                "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                "n": len(values),
                "seed_sd": float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None,
                "seeds": len(seeds),
                "of": "reruns" if self._change is None else "the change",
            }
        return replace(found, measured=spread)

    def _under_seeds(self, n: int) -> list[Run]:
        """Finished runs of the script under n seeds, which replace the seed that it types.

        `detail` holds what each printed. Empty if there is no place for a seed.
        """
        if self._is_function:
            return []
        with tempfile.TemporaryDirectory(prefix="seedwise-check-") as folder:
            try:
                options = Options(threads=None, timeout=self.timeout)
                request = Request(self.words, list(range(1, n + 1)), options, "check")
                results = execute(request, os.path.join(folder, "store"), silent).results
            except SeedwiseError as error:
                self.notes.append(f"no seeds could be placed: {error}")
                return []
            if not results.sites:
                return []
            printed = [masked(whole(Path(str(r.folder), "stdout"))) for r in results.finished]
            return [replace(run, detail=text) for run, text in zip(results.finished, printed, strict=True)]


def _as_run(k: int, trace: Trace) -> Run:
    from ..metrics import choose as metrics

    logged = {m: Series(tuple(range(1, len(v) + 1)), v) for m, v in trace.logged.items()}
    return Run(k, Status.FINISHED, metrics.read_run(logged, trace.stdout, trace.stderr, {}))


_RACING = ("index_put", "put", "index_copy", "scatter_reduce")
"""Operations that write through indices. With several threads the last thread wins."""


def _saved_trace(path: str) -> Trace:
    if os.path.isdir(path):
        raise UsageError(f"--against {path}: that is a folder; it takes a file that --save-trace made")
    if not os.path.isfile(path):
        raise UsageError(f"no such file: {path}; make one with --save-trace")
    return Trace.load(Path(path))


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
