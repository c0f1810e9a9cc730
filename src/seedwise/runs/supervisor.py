"""Runs the seeds of one experiment: claims them, starts processes, waits, saves. Prints nothing."""

import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count as counting

from ..errors import SeedwiseError
from ..events import Beat, Comparing, Ended, Event, Note, Started, Waiting
from ..experiments.forking_record import Verdict
from ..experiments.options import Mode
from ..experiments.owners import Owner
from ..experiments.store import NOT_THE_RUNS_FAULT, Experiment, Store
from ..results import Cause, Run, Status
from ..sandbox.restored_tree import TreeChanged
from .attempt import Attempt, Setup, Told
from .beginning import Outset, beginning
from .both_ways import BothWays, Pair, Purpose, Work
from .cores import Cores, reserving
from .failing import Failing
from .forking import Forking, Stage, to_compare
from .interrupts import Interrupts
from .keeping import AS_IS_SEED, Keeping
from .last_words import last_words
from .processes import Exit, Processes

_GRACE = 5.0
_TICK = 0.2
_BEAT = 1.0
_MOMENT = 1.0


_AT_ONCE = 60.0
"""Seconds of work that are repeated without asking the user."""


class Supervisor:
    """The work of one command on one experiment.

    Several commands may work on the same experiment; the store gives each seed to one of them.

    Parameters
    ----------
    jobs
        How many runs at a time.
    packages
        Versions of the packages in the runs' interpreter.
    tell
        Called with every event.
    retry_failed
        Whether failed seeds are run again.
    enough
        Called with every run that has ended. Returns why no further seed is needed; "" as long as seeds are needed.
    """

    def __init__(
        self,
        store: Store,
        experiment: Experiment,
        setup: Setup,
        processes: Processes,
        forking: Forking | None = None,
        *,
        jobs: int,
        packages: dict[str, str],
        tell: Callable[[Event], None],
        retry_failed: bool = False,
        enough: Callable[[Run], str] | None = None,
    ) -> None:
        self._enough = enough
        self.ends_together = False
        """Whether an engine ends this process and its runs at the same time. A run that ends then has not failed."""
        self._interrupts = Interrupts()
        self.audited: Sequence[int] | None = None
        """Seeds that are run both ways, where not this supervisor chooses them."""
        self._listener: Callable[[Run], None] | None = None
        self.satisfied = ""
        """Why no further seed is needed; "" as long as seeds are needed."""
        self._cards = dict.fromkeys(setup.options.gpus, 0)
        self._card_of: dict[int, str] = {}
        self.forking = forking
        self.both_ways = BothWays(forking, setup.worlds)
        self._numbers = counting(1)
        self._told = time.monotonic()
        self.options = setup.options
        self._of_first_lines: list[int] = []
        """Cores for the first lines, if no run is running beside them that decides the cores."""
        self._deadlines: dict[int, float] = {}
        self._timed_out: dict[int, int] = {}
        self._tries: dict[int, int] = {}
        self._retrying: set[int] = set()
        self.store = store
        self.experiment = experiment
        self.setup = setup
        self.processes = processes
        self.jobs = jobs
        self.packages = packages
        self.tell = tell
        self.retry_failed = retry_failed
        self.stopped = ""
        """Why no further seed is started; "" if nothing is wrong."""
        self._running: dict[int, Work] = {}
        self._pending: deque[int] = deque()
        self._left_over: list[Attempt] = []
        self._ahead: deque[tuple[int, int]] = deque()
        """Seeds that are claimed but not started, with the numbers of their attempts."""
        self._fresh_only: set[int] = set()
        self.keeping = Keeping(store, experiment, setup, packages, tell)
        self.interrupted = False

    def run(self, seeds: Sequence[int]) -> bool:
        """Run those of `seeds` that are not finished. Returns False if interrupted."""
        with (
            Interrupts().caught() as interrupts,
            reserving(self.setup.worlds.base, self.options.threads) as cores,
            self.working(seeds, cores),
        ):
            self._interrupts = interrupts
            while self.busy and not interrupts.count:
                while len(self._running) < self.jobs and self.can_start:
                    self.start_next()
                self.step(_TICK / 10 if self.both_ways.is_waiting else _TICK)
            if not interrupts.count and not self.stopped and not self.satisfied:
                self.wait_for_others(seeds, interrupts)
        self.interrupted = bool(interrupts.count)
        return not interrupts.count

    @contextlib.contextmanager
    def working(self, seeds: Sequence[int], cores: Cores, *, in_order: bool = False) -> Iterator[None]:
        """Inside this block, `start_next` and `step` may be called.

        At its end, everything that is still running is ended and noted.

        Seeds that are run both ways take longer. They come first, unless `in_order` is set.
        """
        outset = Outset.of(self.store, self.experiment, seeds, self.retry_failed)
        self._pending = deque(outset.todo)
        self._failing = Failing(outset.works)
        self._cores = cores
        with Owner(self.store.folder) as self.owner:
            jobs, rule = self.jobs, self._enough is not None
            self.tell(beginning(self.store, self.experiment, self.setup, seeds, outset, jobs=jobs, rule=rule))
            try:
                self.keeping.begin()
                self._plan_comparisons(seeds, in_order)
                yield
            finally:
                try:
                    self._stop()
                finally:
                    self._tidy()
                    if self.forking is not None:
                        self.forking.close()
                    self.keeping.end()

    def watch(self, listener: Callable[[Run], None]) -> None:
        """Call `listener` with every run that ends."""
        self._listener = listener

    @property
    def busy(self) -> bool:
        """Whether a run is running, or one must still be started."""
        return bool(self._running) or self.has_more

    @property
    def running(self) -> int:
        """How many processes are running."""
        return len(self._running)

    @property
    def has_more(self) -> bool:
        """Whether a seed, or the comparison of one, must still be started."""
        return self.compares_next or (self._left > 0 and not self.stopped and not self.satisfied)

    @property
    def compares_next(self) -> bool:
        """Whether the next process to be started compares a forked run with a fresh one, and is no seed of its own."""
        return self.both_ways.due() is not None and not self.stopped and not self.satisfied

    @property
    def can_start(self) -> bool:
        """Whether there is something to start, and no reason to wait first."""
        if not self.has_more:
            return False
        return self.both_ways.due() is not None or not self.both_ways.had_better_wait(self._left, self._next_seed)

    def step(self, seconds: float) -> None:
        """Wait up to `seconds` for processes to end, save those that have ended, and check those that are running."""
        self._tidy()
        for exit_ in self.processes.wait(seconds):
            self._end(exit_)
        self._look_at_forking()
        self._end_late()
        self.owner.beat()
        if time.monotonic() - self._told >= _BEAT:
            self._told = time.monotonic()
            self.tell(Beat())
        if self.keeping.tree is not None:
            self.keeping.tree.beat()

    def _tidy(self) -> None:
        """Remove the private folders of runs that have ended, while the next runs are running."""
        for over in (self._left_over, self.both_ways.through):
            while over:
                over.pop().discard()

    @property
    def _left(self) -> int:
        return len(self._pending) + len(self._ahead)

    # --- forked runs -----------------------------------------------------------------------------------------------

    def _plan_comparisons(self, seeds: Sequence[int], in_order: bool) -> None:
        """Choose the seeds that are run both ways. They come first, unless `in_order`."""
        chosen = to_compare(self.experiment.key, seeds) if self.audited is None else self.audited
        self._pending = deque(self.both_ways.choose(chosen, self._pending, in_order))
        forking = self.forking
        if forking is not None and forking.stage is Stage.STARTING and forking.known and len(self._pending) > 1:
            self._of_first_lines = self._cores.take()  # as many as a run has: the first lines may count them
            forking.begin(self._of_first_lines)

    @property
    def _next_seed(self) -> int | None:
        return self._ahead[0][0] if self._ahead else self._pending[0] if self._pending else None

    def _look_at_forking(self) -> None:
        """Check whether runs can be forked now, and end processes that are no longer needed for it."""
        for work in self.both_ways.look(self._left, list(self._running.values())):
            self.processes.stop_one(work.number, signal.SIGKILL)
        if self.forking is not None and self.forking.stage is not Stage.STARTING:
            self._cores.give_back(self._of_first_lines)
            self._of_first_lines = []

    def _start_comparison(self, pair: Pair) -> None:
        world = self.setup.worlds.make()
        purpose = pair.take_due()
        attempt = Attempt(self.setup, pair.seed, 0, world.folder / "compared", world)
        pair.thrown_away.append(attempt)
        self._begin(Work(next(self._numbers), attempt, self._cores.take(), purpose, purpose is Purpose.TWIN))

    def _note_comparison(self) -> None:
        """A comparison is finished: store what it showed.

        If forked runs differ from fresh ones, no forked run counts.
        """
        assert self.forking is not None
        self.store.update_plan(self.experiment.id, forking=self.forking.record.as_dict())
        if self.forking.record.verdict is Verdict.DIFFERS:
            self._set_aside()

    def _set_aside(self) -> None:
        """Set all forked runs aside, because they cannot be relied on. Their seeds are run again, fresh."""
        assert self.forking is not None
        runs = [run for run in self.store.runs(self.experiment.id, last_only=True) if run.forked and run.attempt]
        counted = [run for run in runs if run.status in (Status.FINISHED, Status.FAILED)]
        if not counted:
            return
        reason = f"set aside: {self.forking.record.sentence_of_difference()}"
        for run in counted:
            self.store.set_aside(self.experiment.id, run.seed, run.attempt, reason)
        cost = len(counted) * (self.forking.first_seconds or 1.0) / self.jobs
        self.tell(Note(f"{len(counted)} forked runs are {reason}"))
        if cost <= _AT_ONCE and self._enough is None:  # a stopping rule has counted them: it begins again
            self._pending.extend(run.seed for run in counted)
        else:
            self.stopped = (
                f"{len(counted)} forked runs are set aside; to run them again, fresh, takes about {cost / 60:.0f} min: "
                f"seedwise resume {self.experiment.label}"
            )

    def start_next(self) -> bool:
        """Start the next seed that nobody else has, or the comparison of one. Returns whether there was one."""
        pair = self.both_ways.due()
        if pair is not None:
            self._start_comparison(pair)
            return True
        if not self._ahead:
            self._claim_ahead()
        if not self._ahead:
            return False
        self._start(*self._ahead.popleft())
        return True

    def _claim_ahead(self) -> None:
        while self._pending and not self._ahead:
            self._claim(self._pending.popleft())

    def _claim(self, seed: int) -> None:
        again = self.retry_failed or seed in self._retrying
        number = self.store.claim(self.experiment.id, seed, self.owner.name, retry_failed=again)
        if number is not None:
            self._ahead.append((seed, number))

    def _save(self, run: Run) -> None:
        """Save a run and claim the next seed. Both wait for the disk together, once."""
        with self.store.together():
            self.store.finish(self.experiment.id, run)
            if (
                run.status is Status.FINISHED
                and not self.stopped
                and self.keeping.tree is None
                and self._enough is None
            ):
                self._claim_ahead()

    def _start(self, seed: int, attempt_number: int) -> None:
        folder = self.store.run_folder(self.experiment, seed, attempt_number)
        attempt = Attempt(self.setup, seed, attempt_number, folder, self.setup.worlds.make())
        work = Work(next(self._numbers), attempt, self._cores.take())
        if seed not in self._fresh_only:
            self.both_ways.start(work, self._left)
        if self._begin(work) and work.announce and self.forking is not None:
            self.forking.begin(self._cores.others(work.cores), attempt.world.spool)

    def _begin(self, work: Work) -> bool:
        """Start a process. Returns whether that was possible."""
        attempt = work.attempt
        self._running[work.number] = work
        try:
            card = self._take_card(work.number)
            thrown_away = work.purpose is not Purpose.RUN
            task = attempt.prepare(work.number, work.cores, work.announce, card, thrown_away)
            self.processes.start(task, work.forked)
        except (SeedwiseError, OSError) as error:
            self._give_up(work, f"the run could not be started: {error}")
            return False
        if self.options.timeout is not None:
            self._deadlines[work.number] = time.monotonic() + self.options.timeout
        if work.purpose is Purpose.RUN:
            doing = partial(last_words, attempt.folder, attempt.world.spool)
            seed = None if self.setup.mode is Mode.AS_IS else attempt.seed
            self.tell(Started(seed, self.experiment.label, doing))
        else:
            self.tell(Comparing(attempt.seed, self.experiment.label))
        return True

    def _give_up(self, work: Work, reason: str) -> None:
        attempt = work.attempt
        self._let_go(work)
        self.stopped = reason
        if work.purpose is Purpose.RUN:
            run = Run(attempt.seed, Status.INTERRUPTED, attempt=attempt.number, detail=reason)
            self.store.finish(self.experiment.id, run)
            self.tell(Ended(run, self.experiment.label))
        attempt.discard()

    def _let_go(self, work: Work) -> None:
        """The process has ended: free its cores and its GPU."""
        del self._running[work.number]
        self._cores.give_back(work.cores)
        self._deadlines.pop(work.number, None)
        if work.number in self._card_of:
            self._cards[self._card_of.pop(work.number)] -= 1

    def _take_card(self, number: int) -> str | None:
        """The GPU with the fewest runs on it; None if no GPUs were named."""
        if not self._cards:
            return None
        card = min(self._cards, key=lambda name: self._cards[name])
        self._cards[card] += 1
        self._card_of[number] = card
        return card

    def _end_late(self) -> None:
        """Ask runs that took too long to end, and kill those that do not."""
        now = time.monotonic()
        for number, deadline in list(self._deadlines.items()):
            if number in self._running and now > deadline:
                asked = self._timed_out.get(number, 0)
                self.processes.stop_one(number, signal.SIGKILL if asked else signal.SIGTERM)
                self._timed_out[number] = asked + 1
                self._deadlines[number] = now + _GRACE

    def _end(self, exit_: Exit) -> None:
        work = self._running[exit_.number]
        self._let_go(work)
        late = self._timed_out.pop(exit_.number, 0)
        attempt = work.attempt
        self.setup.worlds.end_users(attempt.world, thorough=bool(late) or exit_.status != 0)
        told = attempt.told()
        if work.purpose is not Purpose.RUN:
            self.tell(Comparing(attempt.seed, self.experiment.label, ended=True))
            self._end_comparison(work, exit_, told)
        elif exit_.lost or told.not_forked or (work.forked and self._is_distrusted()):
            reason = told.not_forked or "the process that it was forked from was killed"
            self._again(attempt, reason, bool(told.not_forked))
        elif self.ends_together and self._is_asked_to_end(exit_):
            self._again(attempt, "ended together with its worker", False)
        else:
            self._end_run(work, exit_, told, late)

    def _is_asked_to_end(self, exit_: Exit) -> bool:
        """Whether this process is asked to end, or will be in a moment: a run that was asked too may end first."""
        until = time.monotonic() + _MOMENT
        while exit_.status != 0 and not self._interrupts.count and time.monotonic() < until:
            time.sleep(0.02)
        return self._interrupts.count > 0

    def _is_distrusted(self) -> bool:
        return self.forking is not None and self.forking.record.verdict is Verdict.DIFFERS

    def _end_comparison(self, work: Work, exit_: Exit, told: Told) -> None:
        self._kept(work.attempt, told)
        if self.both_ways.ended(work, exit_, told):
            self._note_comparison()

    def _end_run(self, work: Work, exit_: Exit, told: Told, late: int) -> None:
        attempt = work.attempt
        not_kept = self._kept(attempt, told)  # keep the files first: a run that is saved as finished has its files
        run = replace(self.keeping.read(attempt, exit_, told), forked=work.forked)
        if not_kept:
            self.stopped = f"seed {attempt.seed}: {not_kept}"
            run = replace(run, status=Status.FAILED, cause=Cause.FILES, detail=not_kept, series={})
        if late:
            detail = f"ended after {self.options.timeout:g} s, its time limit" + (
                "; it had to be killed" if late > 1 else ""
            )
            run = replace(run, status=Status.FAILED, cause=Cause.TIMEOUT, detail=detail, series={})
        if self.setup.mode is Mode.AS_IS:
            self.keeping.save_as_is(attempt, run)
        else:
            self._save(run)  # save it before anything else can go wrong
        self._left_over.append(attempt)
        if run.cause is Cause.CHANGED or (run.cause is Cause.ISOLATION and told.for_all):
            self.stopped = run.detail
        if self.setup.mode is not Mode.AS_IS:
            whole = attempt.with_patterns(run)
            self.tell(Ended(whole, self.experiment.label))
            if self._listener is not None:
                self._listener(whole)
            if self._enough is not None and not self.satisfied:
                self.satisfied = self._enough(whole)
        if self.setup.mode is not Mode.AS_IS:
            self._settled(run, told.alike)
        if self.both_ways.observe(work, exit_, told):
            self._note_comparison()

    def _kept(self, attempt: Attempt, told: Told) -> str:
        """Keep what the run wrote. Returns why not everything could be kept; "" if it was."""
        why_not = self.keeping.keep(attempt, told)
        self.stopped = self.keeping.reached_out or self.stopped
        return why_not

    def _settled(self, run: Run, alike: str) -> None:
        """Try a failed run again, if it has tries left; or stop, if no other seed would do better or that was asked for."""
        if run.status is not Status.FAILED:
            self._failing.add(run, "")
            return
        self._tries[run.seed] = self._tries.get(run.seed, 0) + 1
        if self._tries[run.seed] <= self.options.retries and run.cause not in NOT_THE_RUNS_FAULT:
            self._retrying.add(run.seed)
            self._pending.append(run.seed)
            return
        self._failing.add(run, alike)
        self.stopped = self.stopped or self._failing.why_stop(run, self.options, self._left > 0)

    def _again(self, attempt: Attempt, reason: str, fresh: bool) -> None:
        """Run a seed again whose forked run ended without a fault of its own.

        It is run fresh if the forked run could not continue as a fresh one would.
        """
        if self.keeping.tree is not None:
            self._kept(attempt, Told())
        self.store.finish(
            self.experiment.id, Run(attempt.seed, Status.INTERRUPTED, attempt=attempt.number, detail=reason)
        )
        attempt.discard()
        if fresh:
            self._fresh_only.add(attempt.seed)
        self._pending.append(attempt.seed)

    def wait_for_others(self, seeds: Sequence[int], interrupts: Interrupts) -> None:
        """Wait for seeds that other commands are running, and take over those that they leave."""
        said: tuple[int, ...] = ()
        while not interrupts.count:
            wanted = set(seeds)
            left = {r.seed: r for r in self.store.runs(self.experiment.id, last_only=True) if r.seed in wanted}
            theirs = tuple(seed for seed in seeds if seed in left and left[seed].status is Status.RUNNING)
            open_ = [seed for seed in seeds if seed in left and left[seed].status is Status.INTERRUPTED]
            if self.setup.mode is Mode.AS_IS:
                theirs = tuple(s for s in theirs if s == AS_IS_SEED)
            if theirs and theirs != said:
                said = theirs
                self.tell(Waiting(theirs))
            for seed in open_[: max(0, self.jobs - len(self._running))] if not self.stopped else []:
                self._claim(seed)
            while self.has_more and len(self._running) < self.jobs and self.start_next():
                pass
            waiting = bool(self._pending) and not self.stopped
            if not self._running and not waiting and ((not theirs and not open_) or self.stopped):
                return
            self.step(_TICK)
            if theirs and not self._running:
                time.sleep(_TICK)

    def _stop(self) -> None:
        """End everything that is still running. These seeds count as interrupted; the same command runs them again."""
        while self._ahead:
            self.store.release(self.experiment.id, *self._ahead.popleft())
        if not self._running:
            return
        self.tell(Note(f"stopping {len(self._running)} unfinished run{'s' if len(self._running) > 1 else ''} …"))
        self.processes.stop(_GRACE)
        for work in list(self._running.values()):
            attempt = work.attempt
            self._let_go(work)
            if self.keeping.tree is not None:
                with contextlib.suppress(TreeChanged):
                    self.keeping.tree.put_back(attempt.folder / "files")
            if work.purpose is Purpose.RUN:
                run = Run(
                    attempt.seed,
                    Status.INTERRUPTED,
                    attempt=attempt.number,
                    detail="interrupted",
                    folder=str(attempt.folder),
                )
                self.store.finish(self.experiment.id, run)
            attempt.discard()
        self.both_ways.close()
