"""The examination behind `check --resume`: which processes are run, and what they show."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import ScriptError, UsageError
from ...places import short_place
from ...sandbox.workdir import Workdir
from ...sandbox.worlds import find_worlds, guarded, sweep_dead_worlds
from ...wording import option
from ..compare import Verdict
from ..finding import Outcome, Tried
from ..lines import rows_of
from ..plain import Plain
from ..rerunning import Checker, check_environment
from ..trace import Trace
from .answer import Resumed, Resuming
from .checkpoints import Checkpoint, checkpoints_of, nearest, to_resume_from
from .comparing import Comparison, Left, compare_resumed, verdict_on
from .lost import (
    Suspect,
    cached,
    differing_anywhere,
    differing_parts,
    other_rates,
    own_generators,
    perhaps,
    why_moved,
    without_effect,
)
from .putting_back import Prover
from .running import Continuing, Interrupted, size_of
from .sentences import none_sentence, sentence_of, short_path, unsteady_words, without_command
from .words import Lost, fix_words, frameworks_of

Say = Callable[[str], None]
_LARGE = 2 * 2**30
_KILL, _TERM = 9, 15


class ResumeExamination:
    """All processes of one `check --resume`, and what they show.

    Parameters
    ----------
    words, resume_words
        The command, and the one that goes on from a checkpoint.
    at
        End it after this step (counted from 1); None: after the checkpoint nearest to the middle.
    every
        Interrupt it after every checkpoint, and once by SIGTERM, as a cluster does.
    """

    def __init__(
        self,
        words: Sequence[str],
        resume_words: Sequence[str] | None,
        rtol: float,
        timeout: float,
        tell: Say,
        *,
        at: int | None = None,
        every: bool = False,
    ) -> None:
        self.words, self.rtol, self.timeout, self.tell = list(words), rtol, timeout, tell
        self.resume_words = list(resume_words or words)
        self._other_command = resume_words is not None
        if at is not None and at < 2:
            raise UsageError(f"{option('--at')} is the number of an optimizer step, 2 or more; got {at}")
        if at is not None and every:
            raise UsageError(f"{option('--at')} names one step, and every checkpoint is asked for: only one of them")
        self.at, self.every = at, every
        self.notes: list[str] = []
        self.tried: list[Tried] = []

    def run(self) -> Resuming:
        """Run the examination. Raises ScriptError and UsageError."""
        worlds = find_worlds(Workdir.AUTO, None, (), [], self.words)
        if worlds.kind not in (Workdir.OVERLAY, Workdir.FARM):
            raise UsageError(
                f"a check of resuming needs a private copy of your files for each run, so that no run goes on from another's "
                f"checkpoint, and this system gives none: {worlds.reason or 'no overlay here'}"
            )
        sweep_dead_worlds(worlds.base)
        self.checker = Checker(self.words, worlds, check_environment(), self.timeout)
        with guarded(worlds.base), tempfile.TemporaryDirectory(prefix="seedwise-resume-", dir=worlds.base) as folder:
            self.running = Continuing(self.checker, self.resume_words, Path(folder))
            found = self._examine()
            return replace(found, processes=self.checker.runs)

    def _examine(self) -> Resuming:
        self.tell("run it once")
        first = self.running.uninterrupted({})
        if first.failed:
            raise ScriptError(f"the program {first.failed}: nothing can be compared")
        self._note_earlier(first)
        every = checkpoints_of(first)
        usable = to_resume_from(first, every)
        if not usable:
            return self._answer(Resumed.NO_CHECKPOINT, first, sentence=none_sentence(first, every))
        chosen = self._chosen(usable, first)
        self.tell(f"run it again, uninterrupted; then end it after {self._where(chosen)}, and start it again")
        self.whole = self.running.uninterrupted({"at_step": chosen.step, "after_writes": chosen.last})
        self.plain = Plain(self.checker, first, self.rtol, self.tell)
        self.checker.given = first.readings
        self.expected = frozenset({*first.files} & {*self.whole.files})
        self.said = frozenset(rows_of(first.stdout).keys() & rows_of(self.whole.stdout).keys())
        difference = self.plain.compare(first, self.whole)
        if difference:
            return self._answer(
                Resumed.DIFFERENT,
                first,
                cause=Lost.UNSTEADY.value,
                what=difference.what,
                sentence=unsteady_words(difference),
            )
        found = self._interrupted_at(chosen, usable, _KILL)
        if not self.every or found.verdict is not Resumed.IDENTICAL:
            return found
        return self._every(usable, chosen, found)

    def _every(self, usable: Sequence[Checkpoint], chosen: Checkpoint, found: Resuming) -> Resuming:
        """Interrupt it after each other checkpoint too, and by the signal of a cluster. The first that is not identical."""
        for one, signal in [*((c, _KILL) for c in usable if c is not chosen), (chosen, _TERM)]:
            self.tell(f"end it after {self._where(one)}" + (" by SIGTERM" if signal == _TERM else ""))
            self.whole = self.running.uninterrupted({"at_step": one.step, "after_writes": one.last})
            other = self._interrupted_at(one, usable, signal)
            if other.verdict is not Resumed.IDENTICAL:
                return other
        return replace(found, perturbations=tuple(self.tried), notes=tuple(self.notes))

    def _note_earlier(self, first: Trace) -> None:
        written = {p for c in checkpoints_of(first) for p in c.paths}
        lying = [p for p in written if os.path.exists(p)]
        if lying:
            self.notes.append(
                f"{short_path(min(lying))} was in your folder before: the program may have gone on from it from the start"
            )

    def _chosen(self, usable: Sequence[Checkpoint], first: Trace) -> Checkpoint:
        done = int(first.resuming.get("done", 0))
        if self.at is None:
            return nearest(usable, done / 2) if done else usable[(len(usable) - 1) // 2]
        if not done:
            raise UsageError(
                f"{option(f'--at {self.at}')} counts optimizer steps, and this program makes none that are seen"
            )
        before = [one for one in usable if one.step < self.at]
        if not before or self.at >= done:
            raise UsageError(
                f"{option(f'--at {self.at}')}: the program makes {done} steps, and its first checkpoint is written after step "
                f"{usable[0].step}: a number from {usable[0].step + 1} to {done - 1}"
            )
        return before[-1]

    def _where(self, one: Checkpoint) -> str:
        name = short_path(one.paths[-1])
        return f"step {one.step + 1} (checkpoint {name})" if one.step else f"checkpoint {name}"

    # --- one interruption -------------------------------------------------------------------------------------------

    def _interrupted_at(self, one: Checkpoint, usable: Sequence[Checkpoint], signal: int) -> Resuming:
        left = self.running.interrupt(self._ending(one, usable, signal))
        if not left.was_ended:
            raise ScriptError(
                f"the program ended before it could be interrupted after {self._where(one)}: it does not repeat itself"
            )
        if size_of(left.kept) > _LARGE:
            self.notes.append(
                f"what the interrupted run left has {size_of(left.kept) / 2**30:.1f} GB; every further run takes as much"
            )
        files = sorted({p for c in usable for p in c.paths})
        part = self.running.go_on(left, {"files": files})
        name = f"interrupted after {self._where(one)}" + (" by SIGTERM" if signal == _TERM else "")
        common: dict[str, Any] = {
            "saved_at": short_place(one.line),
            "checkpoint": short_path(one.paths[-1]),
            "interrupted_after": max(one.step + 1, self.at or 0) if one.step else None,
            "loaded_at": self._loaded_at(part),
        }
        if part.failed:
            return self._fails(part, common)
        for trace in (self.whole, part):
            if "fault" in trace.resuming:
                self.notes.append(f"not every part of the state could be seen: {trace.resuming['fault']}")
        found = self._compared(part, one, left)
        if self._began_anew(part, found):
            return self._anew(part, common)
        verdict = verdict_on(found, self.whole, part, self.rtol)
        if verdict is not Verdict.IDENTICAL and (sound := self._from_earlier(found, one, usable, signal)):
            return sound
        self.tried.append(Tried(name, _OUTCOMES[verdict], "; ".join(found.difference.what)[:200]))
        start = found.start if one.step else None
        common.update(resumed_from=start, unit=self.whole.unit, what=_what(found, self.whole))
        if verdict is Verdict.IDENTICAL and not found.shows:
            raise ScriptError(
                "nothing can be compared: the program makes no step that is seen, and after the checkpoint it prints, logs and "
                "writes nothing else: let it print its result"
            )
        if verdict is Verdict.IDENTICAL:
            if found.means:
                self.notes.append(
                    f"the first mean after the checkpoint is taken over the steps since, and not restored ({found.means}); "
                    "all later ones, and the parameters after each step, are the same"
                )
            idle = without_effect(part)
            self.notes += [f"not restored, without an effect in this run: {'; '.join(idle)}"] if idle else []
            return self._answer(Resumed.IDENTICAL, part, **common)
        if found.first_step is not None and found.first_step < self.whole.steps.size:
            common["first_difference"] = found.first_step + 1
        return self._explained(Resumed(verdict.value), part, found, (left, files, one), common)

    def _from_earlier(
        self, found: Comparison, one: Checkpoint, usable: Sequence[Checkpoint], signal: int
    ) -> Resuming | None:
        """The answer if it is interrupted after the earlier checkpoint from which it went on; None if that is no sounder.

        The newest file may be none of those from which the program goes on: its best model, say. Where both have the same name but for
        a number, the program took the wrong one.
        """
        if not (found.exact and one.step and self.whole.unit == "step" and found.start < one.step):
            return None
        earlier = next((c for c in reversed(usable) if c.step == found.start), None)
        if earlier is None or earlier.kinds & one.kinds:
            return None
        kept = self.whole, [*self.tried], [*self.notes]
        self.tell(f"it went on from step {earlier.step}: end it after {self._where(earlier)}")
        self.whole = self.running.uninterrupted({"at_step": earlier.step, "after_writes": earlier.last})
        answer = self._interrupted_at(earlier, usable, signal)
        if answer.verdict is Resumed.IDENTICAL:
            name = short_path(one.paths[-1])
            note = f"{name} was written later, after step {one.step}; the program does not go on from it"
            return replace(answer, notes=(*answer.notes, note))
        self.whole, self.tried, self.notes = kept
        return None

    def _compared(self, part: Trace, one: Checkpoint, left: Interrupted) -> Comparison:
        what = Left(left.files, left.printed, self.expected, self.said, not self._other_command)
        return compare_resumed(
            self.whole, part, one, what, self.rtol, self.plain.readings, every_word=not self.plain.printed
        )

    def _ending(self, one: Checkpoint, usable: Sequence[Checkpoint], signal: int) -> dict[str, Any]:
        if one.step:
            return {"end_after": max(one.step + 1, self.at or 0), "signal": signal, "complete": list(one.paths)}
        return {"end_before_write": one.complete, "signal": signal}

    def _loaded_at(self, part: Trace) -> str:
        reads = [r for r in part.resuming.get("reads", ()) if r["where"] and not r["done"]]
        reads = [r for r in reads if not r["writes"]] or reads  # what is read while it saves is nothing to go on from
        return short_place(reads[-1]["where"]) if reads else ""

    def _began_anew(self, part: Trace, found: Comparison) -> bool:
        if found.exact:
            return False
        if self.whole.steps.size:
            return found.anew and found.done >= self.whole.steps.size
        return not part.resuming.get("reads")

    def _frameworks(self, part: Trace) -> list[str]:
        return frameworks_of(self.whole.loaded, part.resuming.get("frameworks", ()))

    def _fails(self, part: Trace, common: dict[str, Any]) -> Resuming:
        sentence = f"does-not-resume: the program {part.failed} when it is started again in the files that it left."
        if common["loaded_at"]:
            sentence += f" It had read the checkpoint at {common['loaded_at']}."
        return self._answer(Resumed.STARTED_ANEW, part, cause=Lost.FAILS.value, sentence=sentence, **common)

    def _anew(self, part: Trace, common: dict[str, Any]) -> Resuming:
        read = bool(part.resuming.get("reads"))
        lost = Lost.NOT_APPLIED if read else Lost.NOTHING_READ
        fix = fix_words(lost, (), self._frameworks(part))
        if not read and not self._other_command:
            hint = without_command(self.whole.loaded, common["checkpoint"])
            fix = f"{fix}; {hint}" if fix else hint
        return self._answer(
            Resumed.STARTED_ANEW, part, cause=lost.value, fix=fix, location=common["saved_at"], **common
        )

    # --- what was not restored --------------------------------------------------------------------------------------

    def _explained(
        self,
        verdict: Resumed,
        part: Trace,
        found: Comparison,
        where: tuple[Interrupted, list[str], Checkpoint],
        common: dict[str, Any],
    ) -> Resuming:
        left, files, one = where
        if self.whole.resuming.get("large"):
            self.notes.append(
                "the parameters take more than a gigabyte: only generators and the order of the data were compared and put back"
            )
        filled = self._filled_before(left, files, one)
        if filled is not None:
            line, cause = filled
            fix = fix_words(cause.lost, (), ())
            return self._answer(
                Resumed.DIFFERENT, part, cause=cause.text, fix=fix, fix_verified=True, location=line, **common
            )
        mark = self.running.mark()
        ended = bool(mark.get("ended", True))
        suspects = differing_parts(self.whole, part, found, ended, bool(mark))
        skips = part.resuming.get("delivered") == self.whole.resuming.get("delivered")
        prover = Prover(self.running, left, files, skips and not ended, self.tell)

        def compare(trace: Trace) -> Comparison:
            return self._compared(trace, one, left)

        proof = prover.prove(
            suspects, lambda t: self._same(compare(t), t), lambda t: compare(t).first_step, found.first_step
        )
        self.tried += proof.tried
        causes, verified = [why_moved(c, self.whole, part) for c in proof.causes], proof.proved
        likely: list[Suspect] = []
        if not verified:
            suspected = perhaps(self.whole, part) or own_generators(self.whole, part)
            others = self._others_in_each_run(one) if suspected else frozenset()
            likely = perhaps(self.whole, part, others)
            own = own_generators(self.whole, part, others)  # they may be made too late to be put back
            data = [s for s in suspects if s.lost in (Lost.POSITION, Lost.ORDER)]
            causes = self._others(causes, likely, found, one, part) or own or data or [Suspect(Lost.UNKNOWN)]
        if found.older is not None:
            wrong = Suspect(Lost.FILE, (f"those of step {found.older} were loaded, not those of step {one.step}",))
            causes = [wrong if c.lost is Lost.PARAMETERS else c for c in causes]
        frameworks = self._frameworks(part)
        fixes = [words for c in causes if (words := fix_words(c.lost, c.detail, frameworks))]
        return self._answer(
            Resumed.DIFFERENT if verified else verdict,  # what was lost is no rounding, however little it changed
            part,
            cause="; and ".join(c.text for c in causes),
            fix="; ".join(dict.fromkeys(fixes)),
            fix_verified=verified,
            location=common["loaded_at"] or common["saved_at"],
            perhaps=tuple(s.text for s in likely),
            **common,
        )

    def _others_in_each_run(self, one: Checkpoint) -> frozenset[str]:
        """Variables that differ between uninterrupted runs too: a drawn name, a time. They were not lost."""
        self.tell("run it uninterrupted once more, for what each run has of its own")
        again = self.running.uninterrupted({"at_step": one.step, "after_writes": one.last})
        return differing_anywhere(self.whole, again)

    def _filled_before(self, left: Interrupted, files: Sequence[str], one: Checkpoint) -> tuple[str, Suspect] | None:
        """A file that the first run looked for and made, and the line, if the resumed training is the uninterrupted one without it."""
        found = cached(self.whole, left.files, files)
        if not found:
            return None
        self.tell(f"go on without {', '.join(short_path(path) for path in found)}")
        trace = self.running.go_on(left, {"files": list(files)}, without=list(found))
        again = self._compared(trace, one, left)
        goes_on = bool(trace.resuming.get("reads")) and not self._began_anew(trace, again)  # or it would prove nothing
        same = not trace.failed and goes_on and self._same(again, trace)
        outcome = Outcome.NOT_TRIED if trace.failed else Outcome.SAME if same else Outcome.DIFFERENT
        names = ", ".join(short_path(path) for path in found)
        self.tried.append(Tried(f"without {names}", outcome, trace.failed))
        line = short_place(next(iter(found.values())))
        told = f"{names}: {line} looks for it, and goes on otherwise once it is there"
        return (line, Suspect(Lost.CACHE, (told,))) if same else None

    def _same(self, found: Comparison, trace: Trace) -> bool:
        lost = trace.resuming.get("lost")
        return not trace.failed and found.first_step is None and not found.difference and not lost

    def _others(
        self, proved: list[Suspect], likely: list[Suspect], found: Comparison, one: Checkpoint, part: Trace
    ) -> list[Suspect]:
        """The causes where putting back was not enough: what helped, a wrong file, a counter, and what is only likely."""
        causes = list(proved)
        if found.exact and one.step and self.whole.unit == "step" and found.start != one.step:
            causes.insert(
                0, Suspect(Lost.FILE, (f"those of step {found.start} were loaded, not those of step {one.step}",))
            )
        elif _comes_first(likely, same_length=found.done == found.left) and not any(c.part for c in causes):
            causes = likely[:1]
        elif found.done != found.left and not any(c.lost is Lost.POSITION for c in causes):
            causes.insert(0, Suspect(Lost.COUNTER, (f"{found.done} steps were made where {found.left} were left",)))
        elif not causes:
            rates = other_rates(self.whole, part, found)
            named = likely and likely[0].lost not in (Lost.VARIABLE, Lost.HISTORY)  # what the rate may be computed from
            causes = likely[:1] if named or rates is None else [rates]
        return causes

    def _answer(self, verdict: Resumed, trace: Trace, *, sentence: str = "", **known: Any) -> Resuming:
        found = Resuming(
            verdict, ledger=trace.ledger, perturbations=tuple(self.tried), notes=tuple(self.notes), **known
        )
        return replace(found, sentence=sentence or sentence_of(found))


def _comes_first(likely: Sequence[Suspect], *, same_length: bool) -> bool:
    """Whether what is likely lost goes before what else differs, because that follows from it.

    A replay memory that must be filled again; what an object counts as it runs along; where the training became longer or shorter, a patience that began anew
    while the counters are right.
    """
    kinds = [s.lost for s in likely]
    if kinds[:1] in ([Lost.REPLAY], [Lost.OBJECT]):
        return True
    return not same_length and kinds[:1] in ([Lost.PATIENCE], [Lost.BEST]) and Lost.COUNTER not in kinds


_OUTCOMES = {
    Verdict.IDENTICAL: Outcome.SAME,
    Verdict.ROUNDING: Outcome.ROUNDING,
    Verdict.DIFFERENT: Outcome.DIFFERENT,
}


def _what(found: Comparison, whole: Trace) -> tuple[str, ...]:
    what = list(found.difference.what)
    if found.left != found.done:
        what.append(f"{found.left} {whole.unit}s were left, and {found.done} were made")
    if found.first_step is not None and found.first_step < whole.steps.size:
        what.append(f"parameters, from {whole.unit} {found.first_step + 1} of {whole.steps.size} on")
    return tuple(what)
