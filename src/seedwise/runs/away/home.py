"""Has seeds run elsewhere, and collects what their workers find: the only part that touches the store."""

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...events import Beat, Ended, Event, Note, Started
from ...experiments.forking_record import Record, Verdict
from ...experiments.loading import with_patterns
from ...experiments.owners import Owner
from ...experiments.site_reading import Reading
from ...experiments.store import Experiment, Store
from ...results import Cause, Run, Status
from ...sandbox.worlds import move_file
from ..asking import Ask, Leave
from ..attempt import Setup
from ..beginning import Outset, beginning
from ..executors import Engine, Executor, Fate, Round, Standing
from ..executors.choosing import Where
from ..executors.local import check_number_of_workers
from ..executors.sharing import check_shared
from ..executors.slurm_settings import seconds_of
from ..failing import Failing
from ..forking import to_compare
from ..interrupts import Interrupts
from . import snapshot
from .carrying import carry
from .chunks import OpenChunk, Queued
from .endings import Again, what_to_do
from .folder import Submission, submissions_of
from .journal import End, JournalReader, Line, run_from_values

_SHOWN = {Engine.LOCAL: "workers on this machine", Engine.SLURM: "Slurm", Engine.DASK: "Dask", Engine.RAY: "Ray"}
_TICK = 0.2
_MOST_CHUNKS = 100
"""Where the user does not say how many seeds a worker gets, there are at most so many workers."""
_CANCELLED = "cancelled"
_LOOKS_A_SECOND = 50
"""At most so many chunks are looked at on the shared folder in a second, on the average."""
_MOST_ROUNDS = 4
"""A seed whose workers vanish is given out so often."""
_PATIENCE = 90.0
"""Seconds to wait, after everything was cancelled, for what is still coming."""


@dataclass(frozen=True)
class Wishes:
    """What a user chose about running elsewhere."""

    seeds_per_task: int | None = None
    """Seeds in one chunk; None: as many as make a hundred chunks at most, at least one."""
    live: bool = False
    """Whether runs see the project's files as they are when they run, not as they were when they were submitted."""
    lag: float = 30.0
    """Seconds after which what a node has written is certainly seen here."""
    limit: float | None = None
    """Seconds after which the engine ends a worker, if that is known."""

    @classmethod
    def of(cls, on: Where) -> "Wishes":
        """What was said with `--on`."""
        lag = {Engine.LOCAL: 2.0, Engine.SLURM: float(on.slurm.get("lag", 30))}.get(on.engine, 10.0)
        return cls(on.seeds_per_task, on.live, lag, seconds_of(on.slurm.get("time", "")))


class Away:
    """The work of one command on one experiment whose seeds an engine runs. It has the face of a `Supervisor`.

    Parameters
    ----------
    reading
        What the interpreter at home says of itself and of the packages.
    ask
        Asks what becomes of the seeds after Ctrl-C. None: they are left.
    """

    def __init__(
        self,
        store: Store,
        experiment: Experiment,
        setup: Setup,
        executor: Executor,
        reading: Reading,
        wishes: Wishes,
        *,
        tell: Callable[[Event], None],
        retry_failed: bool = False,
        enough: Callable[[Run], str] | None = None,
        ask: Ask | None = None,
    ) -> None:
        self.store = store
        self.experiment = experiment
        self.setup = setup
        self.executor = executor
        self.stopped = ""
        self.satisfied = ""
        self.interrupted = False
        self._reading = reading
        self._wishes = wishes
        self._tell = tell
        self._retry_failed = retry_failed
        self._enough = enough
        self._ask = ask
        self._queued: list[Queued] = []
        self._inputs = store.inputs(experiment.id)
        self._record = Record.from_dict(experiment.plan.get("forking", {}))
        self._again: dict[bool, list[int]] = {False: [], True: []}
        """Seeds that are given out again; True: never forked."""
        self._rounds_of: dict[int, int] = {}
        self._said: set[str] = set()
        self._is_cancelled = self._is_left = False
        self._looked = self._read = self._beaten = 0.0

    # --- the way of a command --------------------------------------------------------------------------------------

    def run(self, seeds: Sequence[int]) -> bool:
        """Have those of `seeds` run that are not finished. Returns False if somebody interrupted it."""
        self._seeds = seeds
        outset = Outset.of(self.store, self.experiment, seeds, self._retry_failed)
        before, todo = outset.before, outset.todo
        self._failing = Failing(outset.works)
        with Interrupts().caught() as interrupts, Owner(self.store.folder) as owner:
            self._owner = owner
            rule = self._enough is not None
            jobs = len(todo)
            self._tell(beginning(self.store, self.experiment, self.setup, seeds, outset, jobs=jobs, rule=rule))
            try:
                self._take_over()
                fresh = [s for s in todo if s not in before or before[s].status is not Status.RUNNING]
                if fresh and not self.satisfied:
                    self._submit(fresh)
                self._collect(seeds, interrupts)
            finally:
                for queued in self._queued:
                    queued.submission.give_lease_back(owner.name)
                self.executor.close()
        self.interrupted = self._is_left or self.stopped == _CANCELLED
        return not (self.interrupted or self._has_open(seeds))

    def _has_open(self, seeds: Sequence[int]) -> bool:
        """Whether a seed that was asked for has no record at the end: it was cancelled, or others have left it."""
        wanted = set(seeds)
        runs = self.store.runs(self.experiment.id, last_only=True)
        return not self.satisfied and any(run.seed in wanted and run.status is Status.INTERRUPTED for run in runs)

    def watch(self, listener: Callable[[Run], None]) -> None:
        """Two commands in turn are run on one machine only."""
        raise UsageError("two commands alternate on one machine only")

    def described(self, seeds: Sequence[int]) -> str:
        """What the engine would be given for those of `seeds` that are not finished."""
        todo = Outset.of(self.store, self.experiment, seeds, self._retry_failed).todo
        if not todo:
            return "# nothing to submit: every seed is done\n"
        size = self._size(len(todo))
        file = self.store.folder / "away" / f"{self.experiment.name}-…" / "rounds" / "1.json"
        chunks = Round(
            file, range(-(-len(todo) // size)), f"seedwise-{self.experiment.name}", file.parent.parent / "logs"
        )
        head = f"# {len(todo)} seeds, {len(chunks.numbers)} tasks of at most {size}\n"
        return head + self.executor.shown(chunks)

    def _size(self, n: int) -> int:
        """How many seeds one worker gets, of `n`."""
        if self._wishes.seeds_per_task is not None:
            return self._wishes.seeds_per_task
        return max(1, n if self.executor.engine is Engine.LOCAL else -(-n // _MOST_CHUNKS))

    def _take_over(self) -> None:
        """Go on with what earlier commands have submitted and nobody collects."""
        ours = {queued.submission for queued in self._queued}
        for submission in submissions_of(self.store, self.experiment):
            if submission in ours or not submission.take_lease(self.store, self._owner.name):
                continue
            runs = self.store.runs(self.experiment.id, last_only=True)  # as they are now that nobody else collects
            open_ = {run.seed: run.attempt for run in runs if run.status is Status.RUNNING}
            queued = Queued(submission, offsets=submission.read_before())
            for one in submission.rounds():
                queued.add(one, open_)
                for chunk in submission.chunks_of(one.file):
                    for seed, _ in chunk:
                        self._rounds_of[seed] = self._rounds_of.get(seed, 0) + 1
            self._queued.append(queued)
            left = sum(len(chunk.seeds) for chunk in queued.chunks.values())
            if left:
                self._note(f"collecting {left} seeds that were submitted before")

    def _submit(self, seeds: Sequence[int]) -> None:
        """Submit seeds as a new submission."""
        if self.executor.engine is Engine.LOCAL:
            check_number_of_workers(-(-len(seeds) // self._size(len(seeds))))  # before seeds are claimed
        submission = Submission.make(self.store, self.experiment)
        try:
            submission.take_lease(self.store, self._owner.name)  # before others can find it
            said = check_shared(submission.folder, self.executor)
            if said:
                self._note(said)
            carry(
                submission,
                self.store,
                self.experiment,
                self.setup,
                self._reading,
                self.executor.engine.value,
                self.executor.jobs,
                self._wishes.limit,
            )
            if not self._wishes.live:
                named = [*self.setup.placement.files, *(word for word in self.setup.command if Path(word).is_file())]
                snapshot.take(self.setup.worlds.project, [p for p in named if p != "-c"], submission.code)
        except BaseException:
            submission.remove()
            raise
        queued = Queued(submission)
        self._queued.append(queued)
        self._give_out(queued, seeds, fresh=False, again=self._retry_failed)

    def _give_out(self, queued: Queued, seeds: Sequence[int], fresh: bool, again: bool = False) -> None:
        """Claim seeds and submit them as one round. None is claimed without standing in a round, where others find it."""
        submission = queued.submission
        claimed: list[tuple[int, int]] = []
        fresh = fresh or self._record.verdict is Verdict.DIFFERS
        with self.store.together():
            for seed in seeds:
                number = self.store.claim(self.experiment.id, seed, submission.owner, retry_failed=again)
                if number is not None:
                    claimed.append((seed, number))
            if not claimed:
                return
            size = self._size(len(claimed))
            chunks = [claimed[k : k + size] for k in range(0, len(claimed), size)]
            audited = to_compare(self.experiment.key, self._seeds)
            one = submission.add_round(chunks, f"seedwise-{submission.folder.name}", audited, fresh)
        for seed, _ in claimed:
            self._rounds_of[seed] = self._rounds_of.get(seed, 0) + 1
        try:
            self.executor.submit(one)
            submission.save_handle(one)
        except BaseException as error:
            with self.store.together():
                for seed, number in claimed:
                    self.store.release(self.experiment.id, seed, number)
            if not queued.chunks:
                submission.remove()
                self._queued.remove(queued)
            if isinstance(error, UsageError) and self._rounds_of.get(claimed[0][0], 0) > 1:
                self.stopped = str(error)
                return
            raise
        queued.add(one)
        self._note(
            f"{len(claimed)} seeds submitted to {_SHOWN[self.executor.engine]}, {len(chunks)} chunk{'s' * (len(chunks) > 1)}"
        )

    def _collect(self, seeds: Sequence[int], interrupts: Interrupts) -> None:
        """Wait for everything that is submitted, and save what comes."""
        asked = 0
        while any(queued.chunks for queued in self._queued) or self._others(seeds):
            if interrupts.count > asked:
                asked = interrupts.count
                if self._left_after_asking():
                    return
            reason = self.satisfied or (self.stopped if not self._is_cancelled else "")
            if reason and not self._is_cancelled:
                self._cancel()
            self._look()
            self._owner.beat()
            time.sleep(_TICK)
        for queued in self._queued:
            queued.submission.remove()

    def _others(self, seeds: Sequence[int]) -> bool:
        """Whether another command collects seeds of this experiment; asked every few seconds, when nothing else is left."""
        if any(queued.chunks for queued in self._queued) or self.stopped or self.satisfied or self._is_cancelled:
            return False
        wanted = set(seeds)
        runs = self.store.runs(self.experiment.id, last_only=True)
        theirs = [run.seed for run in runs if run.seed in wanted and run.status is Status.RUNNING]
        if not theirs:
            return False
        ours = [s for s in submissions_of(self.store, self.experiment) if not s.is_collected(self.store.folder)]
        if ours:
            self._take_over()
        if "theirs" not in self._said:
            self._said.add("theirs")
            self._tell(Note(f"{len(theirs)} seeds are being run by another command; waiting for it"))
        time.sleep(2)
        return True

    # --- Ctrl-C ----------------------------------------------------------------------------------------------------

    def _left_after_asking(self) -> bool:
        """Ask what becomes of the seeds. Returns whether they are left."""
        left = sum(len(chunk.seeds) for queued in self._queued for chunk in queued.chunks.values())
        if not left:  # it waits for others only
            self._is_left = True
            return True
        question = f"{left} seeds are queued or running: {_SHOWN[self.executor.engine]}"
        choice = Leave.LEAVE if self._ask is None else self._ask(question)
        if choice is Leave.LEAVE:
            self._note(f"{question}, and go on there; seedwise resume {self.experiment.label} collects them")
            self._is_left = True
            return True
        if choice is Leave.CANCEL:
            self.stopped = _CANCELLED
        return False

    def _cancel(self) -> None:
        """End everything that is submitted. What has been found until then is collected."""
        self._is_cancelled = True
        self._cancelled_at = time.monotonic()
        for queued in self._queued:
            queued.submission.mark_cancelled()
            self.executor.cancel(queued.rounds)
        self._looked = 0.0

    # --- looking ---------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._beaten >= 1:
            self._beaten = now
            self._tell(Beat())
            self._drop_what_others_took()
        if now - self._looked >= self.executor.pause:
            self._looked = now
            for queued in self._queued:
                if queued.chunks:
                    queued.look(self.executor)
        busy = [c for q in self._queued for c in q.chunks.values() if c.standing.fate is not Fate.WAITING]
        if now - self._read < max(_TICK, len(busy) / _LOOKS_A_SECOND):
            return
        self._read = now
        for queued in self._queued:
            self._read_journals(queued)
            for chunk in list(queued.chunks.values()):
                self._look_at_end(queued, chunk)
        self._give_out_again()

    def _drop_what_others_took(self) -> None:
        """Collect no more what another command collects: it took over because this one was stopped for minutes."""
        for queued in list(self._queued):
            if not queued.submission.has_lease(self._owner.name):
                self._queued.remove(queued)
                self._note("another command has taken over what this one collected")

    def _read_journals(self, queued: Queued) -> None:
        """Save what is new in the journals, and note then how far they were read."""
        lines = [
            (chunk, reader, line)
            for chunk in queued.chunks.values()
            if chunk.standing.fate is not Fate.WAITING
            for reader, line in chunk.news(queued.offsets)
        ]
        ended: list[Run] = []
        if lines:
            with self.store.together():
                for chunk, reader, line in lines:
                    chunk.take(line)
                    run = self._take(chunk, reader, line)
                    if run is not None:
                        ended.append(run)
        queued.remember()
        for run in ended:
            self._told(run)
        for chunk in queued.chunks.values():
            for seed in chunk.running & set(chunk.seeds):
                if f"started {seed} {chunk.seeds[seed]}" not in self._said:
                    self._said.add(f"started {seed} {chunk.seeds[seed]}")
                    self._tell(Started(seed, self.experiment.label, partial(_doing, chunk)))

    def _take(self, chunk: OpenChunk, reader: JournalReader, line: Mapping[str, Any]) -> Run | None:
        """Save what a line says. Returns the run, if it is about one that has ended."""
        kind = line["type"]
        if kind == Line.RUN:
            return self._save(chunk, reader, line)
        if kind == Line.ASIDE:
            self._set_aside(chunk, int(line["seed"]), str(line["reason"]))
        elif kind == Line.INPUTS:
            self._take_inputs(chunk, reader, line["values"])
        elif kind == Line.PLAN:
            if not self.store.experiment_plan(self.experiment.id).keys() & line["parts"].keys():
                self.store.update_plan(self.experiment.id, **line["parts"])
        elif kind == Line.NOTE:
            self._note(str(line["text"]))
        elif kind == Line.FORKING:
            self._take_record(Record.from_dict(line["record"]))
        return None

    def _save(self, chunk: OpenChunk, reader: JournalReader, line: Mapping[str, Any]) -> Run | None:
        seed = int(line["seed"])
        number = chunk.seeds.pop(seed, None)
        if number is None:  # tried again by its worker, or told twice after a worker was thought to be gone
            number = self.store.claim(self.experiment.id, seed, self._owner.name, retry_failed=True)
            if number is None or line["attempt"] == 1:
                if number is not None:
                    self.store.release(self.experiment.id, seed, number)
                return None
        chunk.running.discard(seed)
        folder = self.store.run_folder(self.experiment, seed, number)
        not_kept = self._moved(chunk, line["folder"], folder)
        run = run_from_values(line, number, str(folder))
        if reader.path.name in chunk.spoiled and run.status is Status.FINISHED:
            why = chunk.spoiled[reader.path.name]
            run = replace(run, status=Status.FAILED, cause=Cause.CHANGED, detail=why, series={})
        if not_kept:
            run = replace(run, status=Status.FAILED, cause=Cause.FILES, detail=not_kept, series={})
            self.stopped = f"seed {seed}: {not_kept}"
        self.store.finish(self.experiment.id, run)
        if run.forked and self._record.verdict is Verdict.DIFFERS:  # its node has not found out itself
            self.store.set_aside(self.experiment.id, seed, number, self._why_aside())
            self._again[True].append(seed)
            return None
        return run

    def _why_aside(self) -> str:
        return f"set aside: {self._record.sentence_of_difference()}"

    def _moved(self, chunk: OpenChunk, name: str | None, folder: Path) -> str:
        """Move what a run has left to its place in the store. Returns why that was not possible; "" if it was."""
        if name is None:
            folder.mkdir(parents=True, exist_ok=True)
            return ""
        source = chunk.place / name
        try:
            if folder.exists() and not source.exists():
                return ""  # moved before, by a command that was killed before it could save the run
            folder.parent.mkdir(parents=True, exist_ok=True)
            until = time.monotonic() + self._wishes.lag
            while not source.exists() and time.monotonic() < until:
                time.sleep(_TICK)
            move_file(source, folder)
        except OSError as error:
            return f"its files could not be kept: {error}"
        return ""

    def _set_aside(self, chunk: OpenChunk, seed: int, reason: str) -> None:
        """A worker takes back a run; it will tell another one."""
        runs = [run for run in self.store.runs(self.experiment.id, last_only=True) if run.seed == seed]
        if runs and runs[0].status is not Status.RUNNING:
            self.store.set_aside(self.experiment.id, seed, runs[0].attempt, reason)
            owner = self._queued_of(chunk).submission.owner
            number = self.store.claim(self.experiment.id, seed, owner)
            if number is not None:
                chunk.seeds[seed] = number

    def _queued_of(self, chunk: OpenChunk) -> Queued:
        return next(queued for queued in self._queued if chunk in queued.chunks.values())

    def _take_inputs(self, chunk: OpenChunk, reader: JournalReader, values: Sequence[Sequence[str]]) -> None:
        """Compare what runs elsewhere loaded and read with what is known; add what is new."""
        fresh: dict[tuple[str, str], str] = {}
        for kind, name, value in values:
            if kind == "package":
                value = self._reading.packages.get(name, value)  # a version that differs stands in the run's record
            known = self._inputs.get((kind, name))
            if known is None:
                fresh[kind, name] = value
            elif known != value and kind in ("code", "config") and name != self.setup.config_path:
                chunk.spoiled[reader.path.name] = (
                    f"{name} was changed during the sweep, so this run is not of this experiment"
                )
        if fresh:
            self._inputs.update(fresh)
            self.store.set_inputs(self.experiment.id, fresh)

    def _take_record(self, record: Record) -> None:
        """Add what a comparison on a node has shown. If forked runs differ from fresh ones, none counts that was forked."""
        ours = self._record
        ours.seeds += [seed for seed in record.seeds if seed not in ours.seeds]
        if record.verdict is None or ours.verdict is Verdict.DIFFERS:
            return
        if ours.verdict is None or record.verdict is not Verdict.SAME:
            ours.verdict, ours.different = record.verdict, record.different
            if record.verdict is not Verdict.SAME and record.seeds:  # the sentence names the last one
                ours.seeds = [*(seed for seed in ours.seeds if seed != record.seeds[-1]), record.seeds[-1]]
        self.store.update_plan(self.experiment.id, forking=ours.as_dict())
        if ours.verdict is Verdict.DIFFERS:
            runs = self.store.runs(self.experiment.id, last_only=True)
            counted = [run for run in runs if run.forked and run.status in (Status.FINISHED, Status.FAILED)]
            reason = self._why_aside()
            for run in counted:
                self.store.set_aside(self.experiment.id, run.seed, run.attempt, reason)
            if counted:
                self._note(f"{len(counted)} forked runs are {reason}")
                self._again[True] += [run.seed for run in counted]

    def _told(self, run: Run) -> None:
        """Tell that a run has ended, and see whether the rest is still needed."""
        whole = with_patterns(run, self.setup.metrics)
        self._tell(Ended(whole, self.experiment.label))
        if self._enough is not None and not self.satisfied:
            self.satisfied = self._enough(whole)
        self._failing.add(run, "")
        if run.status is not Status.FAILED:
            return
        if run.cause is Cause.CHANGED:
            self.stopped = self.stopped or run.detail
        more = any(chunk.seeds for queued in self._queued for chunk in queued.chunks.values())
        self.stopped = self.stopped or self._failing.why_stop(run, self.setup.options, more)

    # --- how chunks end --------------------------------------------------------------------------------------------

    def _look_at_end(self, queued: Queued, chunk: OpenChunk) -> None:
        """If a chunk is over, decide about its seeds without a record."""
        now = time.monotonic()
        is_over = chunk.standing.fate.is_over  # a job that was preempted may be queued again
        chunk.over_since = (chunk.over_since or now) if is_over else None
        if chunk.is_complete:
            pass
        elif chunk.over_since is not None:
            ended, is_cancelled = chunk.ended, chunk.standing.fate is Fate.CANCELLED
            goes_on = ended is not None and ended["end"] == End.ASKED and bool(ended["why"])  # at its time limit
            told = is_cancelled if goes_on else ended is not None or (is_cancelled and not chunk.readers)
            wait = max(self._wishes.lag, 2 * self.executor.pause) if goes_on else self._wishes.lag
            if not told and now - chunk.over_since < wait:
                return  # what it has written last may not be seen yet, nor that its job is queued again
        elif self._is_cancelled and now - self._cancelled_at > _PATIENCE:
            pass
        else:
            return
        queued.drop(chunk)
        standing = chunk.standing
        if chunk.seeds and standing.fate.is_over:
            standing = self.executor.collect(chunk.round, chunk.number, standing)
        if chunk.seeds:
            self._decide(chunk, standing)
        if chunk.round not in queued.rounds:
            self.executor.forget(chunk.round)
        with contextlib.suppress(OSError):
            shutil.rmtree(chunk.place)

    def _decide(self, chunk: OpenChunk, standing: Standing) -> None:
        """What becomes of the seeds of a chunk that is over, of which there is no record."""
        ended = {} if chunk.ended is None else chunk.ended
        what = what_to_do(standing, End(ended["end"]) if ended else None, str(ended.get("why", "")), self._log(chunk))
        for seed, number in chunk.seeds.items():
            if self.satisfied:
                self.store.release(self.experiment.id, seed, number)
                continue
            cause = what.cause_of_running if seed in chunk.running else None
            status = Status.FAILED if cause is not None else Status.INTERRUPTED
            detail = what.words if self.stopped != _CANCELLED else _CANCELLED
            run = Run(seed, status, attempt=number, cause=cause, detail=detail)
            self.store.finish(self.experiment.id, run)
            if cause is not None:
                self._told(run)
            elif what.again is Again.YES and not self._is_cancelled:
                if self._rounds_of.get(seed, 0) >= _MOST_ROUNDS:
                    self.stopped = (
                        self.stopped or f"seed {seed} was given out {_MOST_ROUNDS} times in vain: {what.words}"
                    )
                else:
                    self._again[False].append(seed)
        if what.stops and not self._is_cancelled:
            self.stopped = self.stopped or what.words
        elif what.again is not Again.YES and not what.cause_of_running and not self._is_cancelled:
            left = len(chunk.seeds)
            self._note(
                f"{what.words}: {left} seed{'s' * (left > 1)} left; seedwise resume {self.experiment.label} gives "
                f"{'them' if left > 1 else 'it'} out again"
            )

    def _log(self, chunk: OpenChunk) -> str:
        """The last line that a chunk's workers themselves printed; "" if there is none."""
        name = str(chunk.round.handle.get("log", "")).format(number=chunk.number)
        with contextlib.suppress(OSError):
            lines = (chunk.round.logs / name).read_text(encoding="utf-8", errors="replace").splitlines()
            return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
        return ""

    def _give_out_again(self) -> None:
        for fresh, seeds in self._again.items():
            if not seeds or not self._queued or self._is_cancelled or self.stopped or self.satisfied:
                continue
            given = list(dict.fromkeys(seeds))
            seeds.clear()
            self._note(f"{len(given)} seed{'s' * (len(given) > 1)} given out again")
            self._give_out(self._queued[-1], given, fresh)

    def _note(self, text: str) -> None:
        """Tell the user something, once."""
        if text not in self._said:
            self._said.add(text)
            self._tell(Note(text))


def _doing(chunk: OpenChunk) -> str:
    return f"on {chunk.node}" if chunk.node else ""
