"""Same seed, same result? If not: the cause, the line, and a fix that was tried."""

import math
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..answers import plain
from ..determinism import Cause, Difference, Divergence, Trace, Verdict, compare, localise, set_order_line
from ..determinism.causes import Fix, fix_for
from ..determinism.masks import masked
from ..errors import ScriptError, SeedwiseError, UsageError
from ..results import Run, Series, Status
from ..runs.checking import NOTHING, Change, Checker, check_environment, whole
from ..runs.command import Workdir, available_cores, check_command
from ..runs.functions import carried, is_call, parse_call
from ..runs.worlds import find_worlds, guarded, private_folder, sweep_dead_worlds
from .script import run_script

Say = Callable[[str], None]
_LONG = 120.0
"""Seconds: what takes longer is not run under two further seeds."""
_PATIENCE = 600.0
"""Seconds that may go into showing that one cause is the cause."""
_PLAIN_RUNS = 5
"""Processes under no change, from which it is estimated how often two agree by chance."""
_HASH_SEEDS = (1, 4242, 2, 3, 5, 7, 11)


@dataclass(frozen=True)
class Tried:
    """One thing that was changed, and what came of it: `same`, `equal-to-rounding`, `different`, or `not tried`, with the reason."""

    name: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """The answer of `check`.

    Attributes
    ----------
    verdict
        Of the program as it is: identical when nothing that was tried changes its result.
    cause, location, fix
        What changes it, the line, and the smallest change against it; empty when identical.
    fix_verified
        Whether, with what the fix does applied from outside, two fresh processes gave the same bits.
    divergence
        The first optimizer step and operation that differed, where there are any.
    ledger
        Every generator: state, `file:line` of its seeding and of the first draw.
    perturbations
        What was changed, one thing at a time.
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

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.verdict is Verdict.IDENTICAL and not self.cause

    def as_dict(self) -> dict[str, Any]:
        """The names of the project's JSON output."""
        found: dict[str, Any] = plain(self)
        found["ledger"] = [dict(e) for e in self.ledger]
        return found


def check(
    function: Callable[..., Any],
    seed: int = 0,
    *,
    config: Mapping[str, Any] | None = None,
    rtol: float = 1e-4,
    timeout: float = 600.0,
    tell: Say = lambda text: None,
) -> Check:
    """Call `function(seed, **config)` in fresh processes, changing one thing at a time, and say what changes its result.

    Parameters
    ----------
    seed
        The seed of every call; that another seed gives another result is checked too.
    rtol
        Relative difference up to which numbers count as equal to rounding.
    timeout
        Seconds for each process.

    Raises
    ------
    UsageError
        When the function cannot be carried into another process.
    ScriptError
        When it fails under no change at all: how it ended.
    """
    if not callable(function):
        raise UsageError(
            f"check() takes a function; for a script there is `seedwise check -- python train.py`; got {function!r}"
        )
    with carried(function, dict(config or {}), private_folder()) as call:
        words = [word.replace("{seed}", str(seed)) for word in call.words]
        other = [word.replace("{seed}", str(seed + 1)) for word in call.words]
        examination = _Examination(words, other, rtol, timeout, tell)
        examination.is_function = True
        return examination.run()


def check_script(
    command: Sequence[str],
    *,
    seed: int | None = None,
    rtol: float = 1e-4,
    timeout: float = 600.0,
    save_trace: str | None = None,
    against: str | None = None,
    measure: int = 0,
    tell: Say = lambda text: None,
) -> Check:
    """The same for an unmodified script, as it is typed, or for `FILE.py:FUNCTION` under `seed`.

    Parameters
    ----------
    save_trace
        Write what the first process did to a file, for another machine or another version of the code.
    against
        Such a file: compare with it instead of with reruns.
    measure
        How many reruns to measure the spread with that the uncontrolled source causes; 0 for none.
    """
    if command and is_call(list(command)):
        call = parse_call(list(command))
        words = [word.replace("{seed}", str(0 if seed is None else seed)) for word in call.words]
        other = [word.replace("{seed}", str(1 if seed is None else seed + 1)) for word in call.words]
        examination = _Examination(words, other, rtol, timeout, tell)
        examination.is_function = True
        return examination.run(save_trace, against, measure)
    words = list(check_command(command))
    placed = any("{seed}" in word for word in words)
    if seed is not None and not placed:
        raise UsageError(
            "--seed is for FILE.py:FUNCTION, or where the command takes it as {seed}; a script is checked as it is typed"
        )
    first = [word.replace("{seed}", str(0 if seed is None else seed)) for word in words]
    second = [word.replace("{seed}", str(1 if seed is None else seed + 1)) for word in words]
    return _Examination(first, second if placed else None, rtol, timeout, tell).run(save_trace, against, measure)


class _Examination:
    """All processes of one check, and what follows from them."""

    def __init__(
        self, words: Sequence[str], other_seed: Sequence[str] | None, rtol: float, timeout: float, tell: Say
    ) -> None:
        self.words, self.other_seed, self.rtol, self.timeout, self.tell = list(words), other_seed, rtol, timeout, tell
        self.tried: list[Tried] = []
        self.notes: list[str] = []
        self._found: Divergence | None = None
        self._plain: list[list[Trace]] = []
        """The processes under no change, those with the same result together."""
        self._change: Change | None = None
        """What flipped the result, where reruns agree."""
        self.is_function = False

    def run(self, save_trace: str | None = None, against: str | None = None, measure: int = 0) -> Check:
        """Examine; see `check_script`."""
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
        difference = self._reruns(4 if self._suspicious() else 1)
        self.tried.append(_tried("plain rerun", difference))
        if difference:
            return self._unsteady(difference)
        found = self._repeating_workers() or self._perturbed() or self._seed_without_effect()
        if found is not None:
            return found
        self._try_typed_seeds()
        return self._answer(Verdict.IDENTICAL, None, "", None)

    def _try_typed_seeds(self) -> None:
        """A script that types its seed: do two seeds, placed there, give two results?"""
        if self.other_seed is not None or self.first.seconds > _LONG:
            return
        drawn = any(e["state"] in ("seeded", "seeded-late") for e in self.first.ledger)
        runs = self._under_seeds(2) if drawn else []
        if len(runs) < 2:
            return
        texts = [run.detail for run in runs]
        values = [{name: s.values for name, s in run.series.items()} for run in runs]
        same = repr(values[0]) == repr(values[1]) and len(set(texts)) < 2
        self.tried.append(Tried("two seeds, placed where one is typed", "same" if same else "different"))
        if same:
            self.notes.append(
                "two seeds gave the same output: the seed may not reach the result (`seedwise sites` shows where it goes in)"
            )

    def _reruns(self, most: int) -> Difference:
        """Plain reruns until one differs."""
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

    def _blame(self) -> str:
        """Whether the program fails without Seedwise too."""
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
        """How many processes must agree before agreement is no chance (below 1 %), from how often plain ones agree."""
        runs = sum(map(len, self._plain))
        often = (max(map(len, self._plain)) + 0.5) / (runs + 1)
        needed = 1 + math.ceil(math.log(0.01) / math.log(often))
        affordable = 3 + int(_PATIENCE / max(self.first.seconds, 0.1))
        if needed > affordable:
            self.notes.append(
                f"the cause rests on {affordable} agreeing processes, where {needed} would make chance unlikely: each takes long"
            )
        return min(needed, affordable)

    def _suspicious(self) -> bool:
        """Whether reruns may be the same by chance: something was drawn that nothing governs."""
        drawn = any(e["state"] in ("unseeded", "seeded-late") for e in self.first.ledger)
        return drawn or bool({"entropy", "pid", "completion", "pool"} & set(self.first.facts))

    # --- differs between reruns: hold one thing still at a time ------------------------------------------------------

    def _unsteady(self, difference: Difference) -> Check:
        if difference.first_step is not None:
            self._found = self._localise(difference, NOTHING)
        while sum(map(len, self._plain)) < _PLAIN_RUNS and self.first.seconds < _LONG:
            self._run_again()
        for cause, where, generators in self._suspects():
            fix = fix_for(cause, where, generators, any(e["generator"] == "keras" for e in self.first.ledger))
            self.tell(f"hold still: {cause}")
            if self._is_steady(Change(fix.interventions, fix.environment)):
                self.tried.append(Tried(f"held still: {cause}", "same", where))
                return self._answer(_verdict(difference), cause, where, difference, fix, True, generators)
            self.tried.append(Tried(f"held still: {cause}", "different", where))
        several = self._several()
        if several is not None:
            causes, fixes, place = several
            text = "; ".join(fix.text for fix in fixes)
            return self._answer(
                _verdict(difference), causes[0], place, difference, Fix(text, {}, {}), True, (), also=causes[1:]
            )
        return self._answer(_verdict(difference), Cause.UNKNOWN, "", difference)

    def _suspects(self) -> list[tuple[Cause, str, list[str]]]:
        """What this program does that could differ, likeliest first."""
        found: list[tuple[Cause, str, list[str]]] = []
        unseeded = [
            e
            for e in self.first.ledger
            if e["state"] in ("unseeded", "seeded-late") and e.get("note", "").find("system") < 0
        ]
        facts = self.first.facts
        unseeded.sort(
            key=lambda e: not (e.get("made_at") or e.get("drawn_at"))
        )  # what only libraries drew from comes last
        for entry in unseeded:
            late = entry["state"] == "seeded-late"
            where = entry.get("made_at") or entry.get("drawn_at") or ""
            found.append((Cause.LATE if late else Cause.GENERATOR, where, [entry["generator"]]))
        if len(unseeded) > 1:
            places = [e.get("made_at") or e.get("drawn_at") or "" for e in unseeded]
            found.append((Cause.GENERATOR, next((p for p in places if p), ""), [e["generator"] for e in unseeded]))
        for fact, cause in (("entropy", Cause.ENTROPY), ("clock", Cause.CLOCK), ("pid", Cause.PID)):
            if fact in facts:
                found.append((cause, facts[fact], []))
        if "completion" in facts or "pool" in facts:
            found.append((Cause.COMPLETION, facts.get("completion", facts.get("pool", "")), []))
        if "memory" in facts:
            found.append((Cause.MEMORY, facts["memory"], []))
        line = set_order_line(self.first.loaded)
        if line:
            found.append((Cause.ADDRESS, line, []))
        if self._threads() > 1:
            kernel = [(Cause.KERNEL, "", list[str]()), (Cause.THREADS, "", list[str]())]
            if self._found is not None and self._found.reason == "kernel":
                found = kernel + found  # the same went in and something else came out
            else:
                found += kernel if self.first.steps.size else kernel[1:]
        if not line:
            found.append((Cause.ADDRESS, "", []))
        return found

    def _is_steady(self, change: Change) -> bool:
        """Whether all of so many processes give the same that it is no chance."""
        a = self.checker.run(change)
        most = self._needed() if len(self._plain) > 1 else 3
        return not a.failed and not any(compare(a, self.checker.run(change), self.rtol) for _ in range(most - 1))

    def _several(self) -> tuple[list[Cause], list[Fix], str] | None:
        """Hold everything still; if that helps, let go of one thing after the other."""
        suspects = self._suspects()
        kept = [s for s in suspects if s[0] is not Cause.THREADS]
        self.tell("hold everything still")
        if not self._is_steady(_joined(kept)):
            return None
        for suspect in reversed(list(kept)):
            rest = [s for s in kept if s is not suspect]
            if rest and self._is_steady(_joined(rest)):
                kept = rest
        if len(kept) == 1:
            return None  # alone it was not enough before: by chance it is now
        places = [where for _, where, _ in kept if where]
        return [c for c, _, _ in kept], [fix_for(*s) for s in kept], places[0] if places else ""

    # --- the same between reruns: change one thing at a time --------------------------------------------------------

    def _perturbed(self) -> Check | None:
        rounding: Check | None = None
        for cause, where, change in self._perturbations():
            name = cause.value
            self.tell(f"change: {name}")
            other = self.checker.run(change)
            difference = compare(self.first, other, self.rtol)
            if other.failed:
                self.tried.append(Tried(name, "different", f"the program {other.failed}"))
                if cause in (Cause.CLOCK, Cause.WORKERS):
                    continue
            elif cause is Cause.WORKERS:
                self.tried.append(_tried(name, difference, where))
                if difference:
                    self.notes.append(
                        f"another number of DataLoader workers gives another result ({_short(where)}): it is part of the program, "
                        "so keep it, and do not take it from the machine"
                    )
                continue
            else:
                self.tried.append(_tried(name, difference, where))
            if not difference:
                continue
            chance = self._reruns(3)  # before anything is accused
            if chance:
                self.tried = [t for t in self.tried if t.name not in ("plain rerun", name)]
                self.tried.insert(0, _tried("plain rerun", chance))
                return self._unsteady(chance)
            if cause is Cause.HASH:
                where = set_order_line(self.first.loaded)
            fix = fix_for(cause, where)
            self._change = self._change or change
            found = self._answer(
                _verdict(difference), cause, where, difference, fix, self._verified(cause, fix, change), (), change
            )
            if found.verdict is Verdict.DIFFERENT:
                return found
            rounding = rounding or found
        return rounding

    def _perturbations(self) -> list[tuple[Cause, str, Change]]:
        facts, found = self.first.facts, []
        free = os.environ.get("PYTHONHASHSEED", "") in ("", "random")
        # two words keep their order under every other hash seed, so a program that iterates sets is tried under more
        many = set_order_line(self.first.loaded) and self.first.seconds < _LONG / 8
        seeds = [str(seed) for seed in (_HASH_SEEDS if many else _HASH_SEEDS[:2])] if free else []
        found += [(Cause.HASH, "", Change({}, {"PYTHONHASHSEED": s})) for s in seeds]
        if not seeds:
            self.tried.append(Tried(Cause.HASH, "not tried", "PYTHONHASHSEED is set in your environment"))
        for fact, cause, change in (
            ("listing", Cause.LISTING, {"listing": "other"}),
            ("completion", Cause.COMPLETION, {"completion": "delay"}),
            ("clock", Cause.CLOCK, {"clock": "shift"}),
            ("memory", Cause.MEMORY, {"memory": "nan"}),
            ("workers", Cause.WORKERS, {"workers": True}),
        ):
            if fact == "completion" and "pool" in facts:
                facts = {"completion": facts["pool"], **facts}
            if fact in facts:
                found.append((cause, facts[fact], Change(change, {})))
            else:
                self.tried.append(Tried(cause, "not tried", "no use of it was seen"))
        if self._threads() > 1:
            one = fix_for(Cause.THREADS, "")
            found.append((Cause.THREADS, "", Change(one.interventions, one.environment)))
        else:
            self.tried.append(
                Tried(Cause.THREADS, "not tried", "there is one core, or the program is held to one thread")
            )
        if "gpu" in facts:
            kernel = fix_for(Cause.KERNEL, "")
            found.append((Cause.KERNEL, "", Change(kernel.interventions, kernel.environment)))
        else:
            self.tried.append(Tried("GPU switches", "not tried", "no GPU was in use"))
        return found

    def _threads(self) -> int:
        named = os.environ.get("OMP_NUM_THREADS", "")
        return int(named) if named.isdigit() and int(named) > 0 else available_cores()

    def _verified(self, cause: Cause, fix: Fix, change: Change) -> bool:
        """With the fix, the change that flipped the result flips it no more; or what is pinned is the same between reruns."""
        if cause is Cause.WORKERS:
            return False  # nothing can be applied from outside
        if cause in (Cause.HASH, Cause.THREADS):
            return self._is_steady(Change(fix.interventions, fix.environment))
        both = Change({**change.interventions, **fix.interventions}, {**change.environment, **fix.environment})
        mended = self.checker.run(Change(fix.interventions, fix.environment))
        return not mended.failed and not compare(mended, self.checker.run(both), self.rtol)

    # --- the opposite failure ---------------------------------------------------------------------------------------

    def _repeating_workers(self) -> Check | None:
        for name, where in _repeats(self.first.workers):
            fix = fix_for(Cause.STREAMS, where)
            mended = self.checker.run(Change(fix.interventions, fix.environment))
            return self._answer(
                Verdict.IDENTICAL, Cause.STREAMS, where, None, fix, not _repeats(mended.workers), [name]
            )
        return None

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
        drawn = [e for e in self.first.ledger if e["state"] in ("seeded", "seeded-late", "unseeded")]
        moved = [g for g, d in other.generators.items() if self.first.generators.get(g) != d]
        self.tried.append(Tried("another seed", "different" if difference else "same"))
        if difference:
            return None
        if moved and not _all_seeded_alike(self.first.ledger, other.ledger) and self.first.steps.size:
            self.notes.append("another seed gave the same result: the metric may not show what the seed changes")
            return None
        where = next((p for e in drawn for p in e.get("seeded_at") or ()), "")
        return self._answer(Verdict.IDENTICAL, Cause.NO_EFFECT, where, None, fix_for(Cause.NO_EFFECT, where), False)

    # --- localise, measure, answer ----------------------------------------------------------------------------------

    def _localise(self, difference: Difference, change: Change) -> Divergence | None:
        """Record every operation of the first step that differs, twice, and find the first that does."""
        step = difference.first_step
        if step is None or self.first.unit != "step":
            return None  # Keras shows its weights after an epoch, and no single operation
        for _ in range(4):
            self.tell(f"record every operation of step {step + 1}")
            a = self.checker.run(Change({}, {}, step))
            b = self.checker.run(replace(change, record_step=step))
            found = localise(a, b, step)
            if found is not None:
                return found
            now = compare(a, b, self.rtol).first_step
            step = step if now is None else now  # by chance the same this time, or parted at another step
        return None

    def _answer(
        self, verdict: Verdict, cause: Cause | None, where: str, difference: Difference | None, fix: Fix | None = None,
        verified: bool = False, generators: Sequence[str] = (), change: Change = NOTHING, also: Sequence[Cause] = (),
    ) -> Check:  # fmt: skip
        divergence = self._found
        if divergence is None and difference is not None and difference.first_step is not None:
            divergence = self._localise(difference, change)
        if cause is Cause.THREADS and divergence is not None and divergence.operation.strip("_").startswith(_RACING):
            cause = Cause.KERNEL  # it differs between reruns too, only seldom
            fix = fix_for(cause, _short(divergence.line))
            verified = self._is_steady(Change(fix.interventions, fix.environment))
        if divergence is not None and divergence.line and (not where or cause in (Cause.THREADS, Cause.KERNEL)):
            where = divergence.line
            if cause is not None and fix is not None and cause in (Cause.THREADS, Cause.KERNEL):
                fix = fix_for(cause, _short(where), generators)
        text = "" if cause is None else cause.value
        if generators and cause in (Cause.GENERATOR, Cause.LATE, Cause.STREAMS):
            text += f": {', '.join(_without_place(g) for g in generators)}"
        if also:
            text += f" (and {', '.join(also)})"
        found = Check(
            verdict, text, _short(where), "" if fix is None else fix.text.replace(where, _short(where)), verified, "",
            difference, divergence, self.first.ledger, tuple(self.tried), tuple(self.notes),
        )  # fmt: skip
        return replace(found, sentence=_sentence(found))

    def _against(self, old: Trace) -> Check:
        difference = compare(old, self.first, self.rtol)
        verdict = difference.verdict
        changed = [
            e["generator"] for e in self.first.ledger
            if (o := next((x for x in old.ledger if x["generator"] == e["generator"]), None)) is not None
            and (o["state"], o.get("seed")) != (e["state"], e.get("seed"))
        ]  # fmt: skip
        if changed:
            self.notes.append(f"seeded otherwise than in the trace: {', '.join(changed)}")
        found = Check(verdict, "" if not difference else "another machine or version", "", "", False, "", difference, None,
                      self.first.ledger, (_tried("the saved trace", difference),), tuple(self.notes))  # fmt: skip
        return replace(found, sentence=_sentence(found))

    def _measured(self, found: Check, n: int) -> Check:
        """The spread that the uncontrolled source causes, beside the spread that the seed causes, for each metric."""
        from ..runs import metrics

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
                "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None, "n": len(values),
                "seed_sd": float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None, "seeds": len(seeds),
                "of": "reruns" if self._change is None else "the change",
            }  # fmt: skip
        return replace(found, measured=spread)

    def _under_seeds(self, n: int) -> list[Run]:
        """The script under so many seeds, placed where it types its own, with what each printed as `detail`; none where there
        is no place for them."""
        if self.is_function:
            return []
        with tempfile.TemporaryDirectory(prefix="seedwise-check-") as folder:
            try:
                results = run_script(
                    self.words, range(1, n + 1), name="check", store=os.path.join(folder, "store"), threads=None,
                    timeout=self.timeout,
                )  # fmt: skip
            except SeedwiseError as error:
                self.notes.append(f"no seeds could be placed: {error}")
                return []
            if not results.sites:
                return []
            printed = [masked(whole(Path(str(r.folder), "stdout"))) for r in results.finished]
            return [replace(run, detail=text) for run, text in zip(results.finished, printed, strict=True)]


def _as_run(k: int, trace: Trace) -> Run:
    from ..runs import metrics

    logged = {m: Series(tuple(range(1, len(v) + 1)), v) for m, v in trace.logged.items()}
    return Run(k, Status.FINISHED, metrics.read_run(logged, trace.stdout, trace.stderr, {}))


_RACING = ("index_put", "put", "index_copy", "scatter_reduce")
"""Operations that write through indices: with several threads the last one wins."""


def _saved_trace(path: str) -> Trace:
    if os.path.isdir(path):
        raise UsageError(f"--against {path}: that is a folder; it takes a file that --save-trace made")
    if not os.path.isfile(path):
        raise UsageError(f"no such file: {path}; make one with --save-trace")
    return Trace.load(Path(path))


def _joined(suspects: Sequence[tuple[Cause, str, list[str]]]) -> Change:
    interventions: dict[str, Any] = {}
    environment: dict[str, str] = {}
    for suspect in suspects:
        fix = fix_for(*suspect)
        names = [*interventions.get("generators", []), *fix.interventions.get("generators", [])]  # type: ignore[misc]
        interventions.update(fix.interventions)
        if names:
            interventions["generators"] = names
        environment.update(fix.environment)
    return Change(interventions, environment)


def _verdict(difference: Difference) -> Verdict:
    return difference.verdict


def _tried(name: str, difference: Difference, where: str = "") -> Tried:
    outcome = {Verdict.IDENTICAL: "same", Verdict.ROUNDING: "equal-to-rounding", Verdict.DIFFERENT: "different"}
    return Tried(name, outcome[difference.verdict], "; ".join(difference.what) or _short(where))


def _repeats(workers: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Generators that several workers hold in the same state, or the same worker in every epoch."""
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


def _without_place(generator: str) -> str:
    return generator.partition(" made at ")[0]


def _short(where: str) -> str:
    path, colon, line = where.rpartition(":")
    if not colon:
        return where
    relative = os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
    return f"{relative}:{line}"


def _sentence(c: Check) -> str:
    """The verdict first, then the cause, the line, the fix."""
    if c.verdict is Verdict.IDENTICAL and not c.cause:
        return "identical: nothing that was tried changes the result."
    at = f" at {c.location}" if c.location else ""
    how = ""
    d = c.difference
    if d is not None and d.verdict is Verdict.ROUNDING and d.share is not None:
        how = f" ({d.share * 100:.0f} % of the parameters differ, by at most {d.ulp} units in the last place)"
    start = f"{c.verdict}{how}: {c.cause}{at}."
    if c.cause == Cause.UNKNOWN:
        return f"{c.verdict}: reruns differ, and nothing that was held still makes them the same."
    if not c.fix:
        return start
    proved = "Identical with this" if c.fix_verified else "Proposed, and not enough or not to be tried from outside"
    return f"{start} {proved}: {c.fix}."
