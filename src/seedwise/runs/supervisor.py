"""Runs the seeds of one experiment: claims, starts, waits, saves. Renders nothing."""

import contextlib
import fcntl
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import count as counting

from ..errors import SeedwiseError
from ..events import Began, Ended, Event, Note, Started, Waiting
from ..experiments import identity
from ..experiments.command import Mode, Workdir
from ..experiments.store import NOT_THE_RUNS_FAULT, Experiment, Owner, Store
from ..metrics import choose as metrics
from ..results import Cause, Run, Status
from ..sandbox.restored_tree import Tree, TreeChanged
from .attempt import Attempt, Setup, Told
from .cores import Cores, reserving
from .executors import Executor, Exit
from .forking import Forking, Stage, Verdict, to_compare
from .fresh_and_forked import Observed, difference, timed_differently
from .interrupts import Interrupts

_GRACE = 5.0
_TICK = 0.2
AS_IS_SEED = 0
"""Under which the one process of an as-is experiment is started; its runs are keyed by the seeds it prints."""


_LONGER = 3.0
"""How many times as long as the fresh run a forked twin may take, ten seconds more besides."""
_MOST_KILLED = 3
_AT_ONCE = 60.0
"""Seconds of work that are done again without asking."""


class Purpose(Enum):
    """Why a process is started."""

    RUN = "run"
    """It is the run of its seed."""
    TWIN = "twin"
    """It is forked, to be compared with the fresh run of its seed, and thrown away."""
    AGAIN = "again"
    """It is fresh, to find out whether fresh runs differ from each other, and thrown away."""


@dataclass
class _Work:
    """A process that goes on. `announce`: it says what it imports."""

    number: int
    attempt: Attempt
    cores: list[int]
    purpose: Purpose = Purpose.RUN
    forked: bool = False
    announce: bool = False
    began: float = field(default_factory=time.monotonic)


@dataclass
class _Pair:
    """A seed that is run both ways, as far as it has come."""

    seed: int
    fresh: Observed | None = None
    twin: Observed | None = None
    twin_due: bool = False
    again_due: bool = False
    different: str = ""
    timed: frozenset[str] = frozenset()
    """Metrics that differ and may be durations: whether they are, another fresh run tells."""
    thrown_away: list[Attempt] | None = None
    killed: int = 0
    """How often one of its processes was killed from outside, which says nothing of what was compared."""
    too_long: bool = False
    """The forked twin was ended because it took much longer than the fresh run."""


class Supervisor:
    """One command's work on one experiment. Several may work on the same; the store gives each seed to one of them.

    Parameters
    ----------
    jobs
        How many runs at a time.
    tell
        Called with every event.
    enough
        Called with every run that has ended; a reason why no further seed is needed, or "".
    """

    def __init__(
        self,
        store: Store,
        experiment: Experiment,
        setup: Setup,
        executor: Executor,
        *,
        jobs: int,
        threads: int | None,
        packages: dict[str, str],
        tell: Callable[[Event], None],
        retry_failed: bool = False,
        forking: Forking | None = None,
        timeout: float | None = None,
        retries: int = 0,
        fail_fast: bool = False,
        gpus: Sequence[str] = (),
        enough: Callable[[Run], str] | None = None,
    ) -> None:
        self._enough = enough
        self._listener: Callable[[Run], None] | None = None
        self.satisfied = ""
        """Why no further seed is needed; "" while some are."""
        self._cards = dict.fromkeys(gpus, 0)
        self._card_of: dict[int, str] = {}
        self.forking = forking
        self._pairs: dict[int, _Pair] = {}
        """Seeds that are run both ways and not compared yet."""
        self._both_ways: set[int] = set()
        """Seeds that are to be run both ways, once runs are forked."""
        self._numbers = counting(1)
        self._of_first_lines: list[int] = []
        """Cores on which the first lines are executed, where no run goes on beside them that says which."""
        self.timeout = timeout
        self.retries = retries
        self.fail_fast = fail_fast
        self._deadlines: dict[int, float] = {}
        self._timed_out: dict[int, int] = {}
        self._tries: dict[int, int] = {}
        self._retrying: set[int] = set()
        self.store = store
        self.experiment = experiment
        self.setup = setup
        self.executor = executor
        self.jobs = jobs
        self.threads = threads
        self.packages = packages
        self.tell = tell
        self.retry_failed = retry_failed
        self.stopped = ""
        """Why no further seed is started; "" while all is well."""
        self._running: dict[int, _Work] = {}
        self._pending: deque[int] = deque()
        self._left_over: list[Attempt] = []
        self._ahead: deque[tuple[int, int]] = deque()
        """Seeds that are claimed and not started, with the numbers of their attempts."""
        self._fresh_only: set[int] = set()
        self._tree: Tree | None = None
        self._inputs = store.inputs(experiment.id)
        self.interrupted = False

    def run(self, seeds: Sequence[int]) -> bool:
        """Run what is not finished of `seeds`; False when interrupted."""
        with (
            Interrupts().caught() as interrupts,
            reserving(self.setup.worlds.base, self.threads) as cores,
            self.working(seeds, cores),
        ):
            while self.busy and not interrupts.count:
                while len(self._running) < self.jobs and self.can_start:
                    self.start_next()
                self.step(_TICK / 10 if self._is_waiting_to_fork() else _TICK)
            if not interrupts.count and not self.stopped and not self.satisfied:
                self.wait_for_others(seeds, interrupts)
        self.interrupted = bool(interrupts.count)
        return not interrupts.count

    @contextlib.contextmanager
    def working(self, seeds: Sequence[int], cores: Cores, *, in_order: bool = False) -> Iterator[None]:
        """While this lasts, `start_next` and `step` may be called; at its end, whatever still runs is ended and noted.

        With `in_order`, seeds that are run both ways, which take longer, do not come first.
        """
        before = {run.seed: run for run in self.store.runs(self.experiment.id, last_only=True)}
        damaged = self.store.damaged_seeds(self.experiment.id)
        todo = [s for s in seeds if s not in before or s in damaged or not self._is_settled(before[s])]
        self._pending = deque(todo)
        failed = sum(seed in before and before[seed].status is Status.FAILED for seed in set(seeds) - set(todo))
        self._cores = cores
        with Owner(self.store.folder) as self.owner:
            self.tell(Began(len(seeds), len(seeds) - len(todo), len(todo), self.jobs, failed, self.experiment.label))
            try:
                self._begin_tree()
                self._plan_comparisons(seeds, in_order)
                yield
            finally:
                try:
                    self._stop()
                finally:
                    self._tidy()
                    if self.forking is not None:
                        self.forking.close()
                    self._end_tree()

    def watch(self, listener: Callable[[Run], None]) -> None:
        """Have every run that ends passed on."""
        self._listener = listener

    @property
    def busy(self) -> bool:
        """Whether a run goes on, or one is still to be started."""
        return bool(self._running) or self.has_more

    @property
    def running(self) -> int:
        """How many processes go on."""
        return len(self._running)

    @property
    def has_more(self) -> bool:
        """Whether a seed, or the comparison of one, is left to be started."""
        return self.compares_next or (self._left > 0 and not self.stopped and not self.satisfied)

    @property
    def compares_next(self) -> bool:
        """Whether what is started next compares a forked run with a fresh one, and is no further seed."""
        return self._next_comparison() is not None and not self.stopped and not self.satisfied

    @property
    def can_start(self) -> bool:
        """Whether there is something to start, and nothing that is worth waiting for first."""
        if not self.has_more:
            return False
        return self._next_comparison() is not None or not self._had_better_wait()

    def step(self, seconds: float) -> None:
        """Save what has ended, waiting up to `seconds` for it, and look after what still runs."""
        self._tidy()
        for exit_ in self.executor.wait(seconds):
            self._end(exit_)
        self._look_at_forking()
        self._end_late()
        self.owner.beat()
        if self._tree is not None:
            self._tree.beat()

    def _tidy(self) -> None:
        """Remove the private folders of runs that are over, while those that came after them run."""
        while self._left_over:
            self._left_over.pop().discard()

    @property
    def _left(self) -> int:
        return len(self._pending) + len(self._ahead)

    # --- forked runs -----------------------------------------------------------------------------------------------

    def _plan_comparisons(self, seeds: Sequence[int], in_order: bool) -> None:
        """Choose the seeds that are run both ways; they come first, unless `in_order`."""
        if self.forking is None or self.forking.stage is Stage.OFF:
            return
        done = set(self.forking.record.seeds)
        chosen = [seed for seed in to_compare(self.experiment.key, seeds) if seed not in done]
        self._both_ways = {seed for seed in chosen if seed in self._pending}
        if not in_order:
            first = [] if self.forking.known else list(self._pending)[:1]
            early = [*first, *(seed for seed in self._both_ways if seed not in first)]
            self._pending = deque([*early, *(seed for seed in self._pending if seed not in early)])
        if self.forking.known and len(self._pending) > 1:
            self._of_first_lines = self._cores.take()  # as many as a run has: the first lines may count them
            self.forking.begin(self._of_first_lines)

    def _is_waiting_to_fork(self) -> bool:
        return self.forking is not None and self.forking.stage in (Stage.STARTING, Stage.READY, Stage.COMPARING)

    def _had_better_wait(self) -> bool:
        """Whether runs will be forked in a moment: worth waiting for."""
        if self.forking is None or not self.forking.begun or not (self._pairs or self.forking.known):
            return False
        if self.forking.known and self._next_seed in self._both_ways:
            return False  # it is run fresh all the same
        return self._left > (0 if self.forking.known else 1) and self.forking.holding

    @property
    def _next_seed(self) -> int | None:
        return self._ahead[0][0] if self._ahead else self._pending[0] if self._pending else None

    def _look_at_forking(self) -> None:
        """When the process that forks is ready, have the first seed run both ways, if that is worth its time."""
        forking = self.forking
        if forking is None:
            return
        forking.look()
        if forking.stage is not Stage.STARTING:
            self._cores.give_back(self._of_first_lines)
            self._of_first_lines = []
        worth = forking.is_worth_it(self._left)
        if forking.stage is Stage.READY:
            pair = next(iter(self._pairs.values()), None)
            if not self._left or (pair is not None and not worth):
                forking.turn_off("")
                self._pairs.clear()
            elif pair is not None:
                pair.twin_due = True
                forking.stage = Stage.COMPARING
        elif forking.stage is Stage.COMPARING and forking.first_seconds is None and not worth:
            self._drop_comparisons()
            forking.turn_off("")
        if forking.first_seconds is not None:
            for work in list(self._running.values()):
                slow = self._pairs.get(work.attempt.seed)
                limit = work.began + _LONGER * forking.first_seconds + 10
                if work.purpose is Purpose.TWIN and slow is not None and time.monotonic() > limit:
                    slow.too_long = True
                    self.executor.stop_one(work.number, signal.SIGKILL)
        if forking.stage is Stage.FORKING:
            busy = {work.attempt.seed for work in self._running.values() if work.purpose is not Purpose.RUN}
            for pair in self._pairs.values():
                if pair.fresh is not None and pair.twin is None and not pair.again_due and pair.seed not in busy:
                    pair.twin_due = True

    def _drop_comparisons(self) -> None:
        """Whatever is compared is not needed any more."""
        for work in list(self._running.values()):
            if work.purpose is not Purpose.RUN:
                self.executor.stop_one(work.number, signal.SIGKILL)
        for pair in self._pairs.values():
            pair.twin_due = pair.again_due = False

    def _next_comparison(self) -> _Pair | None:
        """A pair of which another process is to be started."""
        return next((pair for pair in self._pairs.values() if pair.twin_due or pair.again_due), None)

    def _start_comparison(self, pair: _Pair) -> None:
        world = self.setup.worlds.make()
        purpose = Purpose.TWIN if pair.twin_due else Purpose.AGAIN
        pair.twin_due = pair.again_due = False
        attempt = Attempt(self.setup, pair.seed, 0, world.folder / "compared", world)
        pair.thrown_away = [*(pair.thrown_away or []), attempt]
        self._begin(_Work(next(self._numbers), attempt, self._cores.take(), purpose, purpose is Purpose.TWIN))

    def _observe(self, work: _Work, exit_: Exit, told: Told) -> None:
        """A run of a seed that is run both ways has ended: compare, as far as there is something to compare."""
        pair = self._pairs.get(work.attempt.seed)
        if pair is None or self.forking is None:
            return
        observed = Observed(work.attempt.folder, exit_.status, told)
        if exit_.status == -signal.SIGKILL and not pair.too_long and pair.killed < _MOST_KILLED:
            pair.killed += 1
            if work.purpose is Purpose.RUN:
                self._forget(pair)
                if self.forking.stage is Stage.COMPARING and not self._pairs:
                    self.forking.stage = Stage.READY  # the next seed takes its place
            pair.twin_due, pair.again_due = work.purpose is Purpose.TWIN, work.purpose is Purpose.AGAIN
            return
        if work.purpose is Purpose.AGAIN and pair.fresh is not None:
            unsteady = bool(difference(pair.fresh, observed, self.setup.worlds))
            if (
                not pair.different
            ):  # only numbers that look like durations: they are, if fresh runs differ there as well
                left = pair.timed - timed_differently(pair.fresh, observed)
                pair.different = f"the metric {sorted(left)[0]}" if left else ""
                unsteady = unsteady and bool(left)
            self._compared(pair, unsteady)
            return
        if work.purpose is Purpose.TWIN:
            pair.twin = observed
        elif not work.forked:
            pair.fresh = observed
            if self.forking.first_seconds is None:
                self.forking.first_ended(exit_.seconds)
        if pair.fresh is not None and pair.twin is not None:
            pair.different = difference(pair.fresh, pair.twin, self.setup.worlds)
            pair.timed = timed_differently(pair.fresh, pair.twin)
            if pair.different or pair.timed:
                pair.twin, pair.again_due = None, True
            else:
                self._compared(pair, False)

    def _compared(self, pair: _Pair, unsteady: bool) -> None:
        """A comparison is through: note what it showed."""
        assert self.forking is not None
        goes_on = self.forking.compared(pair.seed, pair.different, unsteady)
        self.store.update_plan(self.experiment.id, forking=self.forking.record.as_dict())
        if goes_on and self.forking.stage is not Stage.FORKING:
            pair.different = ""  # once more, with the first lines alone
            return
        self._forget(pair)
        if self.forking.record.verdict is Verdict.DIFFERS:
            self._set_aside()

    def _forget(self, pair: _Pair) -> None:
        self._pairs.pop(pair.seed, None)
        self._left_over += pair.thrown_away or []
        pair.thrown_away = []

    def _set_aside(self) -> None:
        """Forked runs cannot be relied on: none of them counts, and their seeds are run again, fresh."""
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
        if cost <= _AT_ONCE and self._enough is None:  # a rule that stops has counted them: it begins anew
            self._pending.extend(run.seed for run in counted)
        else:
            self.stopped = (
                f"{len(counted)} forked runs are set aside; to run them again, fresh, takes about {cost / 60:.0f} min: "
                f"seedwise resume {self.experiment.label}"
            )

    def _is_settled(self, run: Run) -> bool:
        """Whether a seed is not to be run again."""
        if run.status is Status.FAILED:
            return not self.retry_failed and run.cause not in NOT_THE_RUNS_FAULT
        return run.status is Status.FINISHED

    def start_next(self) -> bool:
        """Start the next seed that nobody else has, or the comparison of one; whether there was one."""
        pair = self._next_comparison()
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
        """Save a run and claim the next seed, waiting for the disk once for both."""
        with self.store.together():
            self.store.finish(self.experiment.id, run)
            if run.status is Status.FINISHED and not self.stopped and self._tree is None and self._enough is None:
                self._claim_ahead()

    def _start(self, seed: int, attempt_number: int) -> None:
        folder = self.store.run_folder(self.experiment, seed, attempt_number)
        attempt = Attempt(self.setup, seed, attempt_number, folder, self.setup.worlds.make())
        work = _Work(next(self._numbers), attempt, self._cores.take())
        forking = self.forking
        if forking is not None and seed not in self._fresh_only:
            if forking.stage is Stage.FORKING:
                work.forked = seed not in self._both_ways
                if not work.forked:
                    self._both_ways.discard(seed)
                    self._pairs[seed] = _Pair(seed)
            elif forking.stage in (Stage.STARTING, Stage.READY) and not self._pairs and self._left:
                work.announce = not forking.begun
                self._both_ways.discard(seed)
                self._pairs[seed] = _Pair(seed)
            elif forking.stage is not Stage.OFF and seed in self._both_ways:
                self._both_ways.discard(seed)  # its twin is forked as soon as runs are
                self._pairs[seed] = _Pair(seed)
        if self._begin(work) and work.announce and forking is not None:
            forking.begin(self._cores.others(work.cores), attempt.world.spool)

    def _begin(self, work: _Work) -> bool:
        """Start a process; whether that was possible."""
        attempt = work.attempt
        self._running[work.number] = work
        try:
            card = self._take_card(work.number)
            thrown_away = work.purpose is not Purpose.RUN
            task = attempt.prepare(work.number, work.cores, work.announce, card, thrown_away)
            self.executor.start(task, work.forked)
        except (SeedwiseError, OSError) as error:
            self._give_up(work, f"the run could not be started: {error}")
            return False
        if self.timeout is not None:
            self._deadlines[work.number] = time.monotonic() + self.timeout
        if self.setup.mode is not Mode.AS_IS and work.purpose is Purpose.RUN:
            self.tell(Started(attempt.seed))
        return True

    def _give_up(self, work: _Work, reason: str) -> None:
        attempt = work.attempt
        self._let_go(work)
        self.stopped = reason
        if work.purpose is Purpose.RUN:
            run = Run(attempt.seed, Status.INTERRUPTED, attempt=attempt.number, detail=reason)
            self.store.finish(self.experiment.id, run)
            self.tell(Ended(run))
        attempt.discard()

    def _let_go(self, work: _Work) -> None:
        """The process is gone: its cores and its card are free."""
        del self._running[work.number]
        self._cores.give_back(work.cores)
        self._deadlines.pop(work.number, None)
        if work.number in self._card_of:
            self._cards[self._card_of.pop(work.number)] -= 1

    def _take_card(self, number: int) -> str | None:
        """The GPU with the fewest runs on it; None where none were named."""
        if not self._cards:
            return None
        card = min(self._cards, key=lambda name: self._cards[name])
        self._cards[card] += 1
        self._card_of[number] = card
        return card

    def _end_late(self) -> None:
        """Ask runs that took too long to end; kill those that do not."""
        now = time.monotonic()
        for number, deadline in list(self._deadlines.items()):
            if number in self._running and now > deadline:
                asked = self._timed_out.get(number, 0)
                self.executor.stop_one(number, signal.SIGKILL if asked else signal.SIGTERM)
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
            self._end_comparison(work, exit_, told)
        elif exit_.lost or told.not_forked or (work.forked and self._is_distrusted()):
            reason = told.not_forked or "the process that it was forked from was killed"
            self._again(attempt, reason, bool(told.not_forked))
        else:
            self._end_run(work, exit_, told, late)

    def _is_distrusted(self) -> bool:
        return self.forking is not None and self.forking.record.verdict is Verdict.DIFFERS

    def _end_comparison(self, work: _Work, exit_: Exit, told: Told) -> None:
        self._keep(work.attempt, told)
        pair = self._pairs.get(work.attempt.seed)
        if self.forking is None or self.forking.stage is Stage.OFF:
            if pair is not None:
                self._forget(pair)
        elif exit_.lost:  # the process that forked it is gone; another one is started
            if pair is not None and self.forking.record.verdict is None:
                pair.twin_due = False
        else:
            self._observe(work, exit_, told)

    def _end_run(self, work: _Work, exit_: Exit, told: Told, late: int) -> None:
        attempt = work.attempt
        not_kept = self._keep(attempt, told)  # a run that is saved as finished has its files
        run = replace(self._read(attempt, exit_, told), forked=work.forked)
        if not_kept:
            self.stopped = f"seed {attempt.seed}: {not_kept}"
            run = replace(run, status=Status.FAILED, cause=Cause.FILES, detail=not_kept, series={})
        if late:
            detail = f"ended after {self.timeout:g} s (--timeout)" + ("; it had to be killed" if late > 1 else "")
            run = replace(run, status=Status.FAILED, cause=Cause.TIMEOUT, detail=detail, series={})
        if self.setup.mode is Mode.AS_IS:
            self._save_as_is(attempt, run)
        else:
            self._save(run)  # before anything else can go wrong
        self._left_over.append(attempt)
        if run.cause is Cause.CHANGED or (run.cause is Cause.ISOLATION and "set up" in run.detail):
            self.stopped = run.detail
        if self.setup.mode is not Mode.AS_IS:
            whole = attempt.with_patterns(run)
            self.tell(Ended(whole, self.experiment.label))
            if self._listener is not None:
                self._listener(whole)
            if self._enough is not None and not self.satisfied:
                self.satisfied = self._enough(whole)
        if run.status is Status.FAILED and self.setup.mode is not Mode.AS_IS:
            self._failed(run)
        self._observe(work, exit_, told)

    def _failed(self, run: Run) -> None:
        """Try a failed run again while its budget lasts; or stop at the first failure, if that was asked for."""
        self._tries[run.seed] = self._tries.get(run.seed, 0) + 1
        if self._tries[run.seed] <= self.retries and run.cause not in NOT_THE_RUNS_FAULT:
            self._retrying.add(run.seed)
            self._pending.append(run.seed)
        elif self.fail_fast and not self.stopped:
            self.stopped = f"seed {run.seed} failed (--fail-fast): {run.detail}"

    def _again(self, attempt: Attempt, reason: str, fresh: bool) -> None:
        """A forked run that ended by no fault of its own is run again; fresh, when it could not go on as one would."""
        if self._tree is not None:
            self._keep(attempt, Told())
        self.store.finish(
            self.experiment.id, Run(attempt.seed, Status.INTERRUPTED, attempt=attempt.number, detail=reason)
        )
        attempt.discard()
        if fresh:
            self._fresh_only.add(attempt.seed)
        self._pending.append(attempt.seed)

    def _read(self, attempt: Attempt, exit_: Exit, told: Told) -> Run:
        """The run, with its inputs held against those of the runs before it."""
        try:
            run = attempt.finish(exit_, told)
        except (OSError, ValueError, RecursionError, OverflowError) as error:
            detail = f"what it printed cannot be read: {error}"
            return Run(
                attempt.seed,
                Status.FAILED,
                {},
                0,
                attempt.number,
                Cause.EXCEPTION,
                detail,
                exit_.seconds,
                str(attempt.folder),
            )
        if run.status is not Status.FINISHED or not told.ended:
            return run
        ours = str(self.setup.worlds.base) + os.sep  # a function that was carried over, for one
        read = [path for path in told.read if not path.startswith(ours)]
        inputs = identity.read_inputs(
            told.loaded, read, told.libraries, self.packages, self.experiment.manifest["code"]
        )
        for (kind, name), value in inputs.items():
            if (
                kind in ("code", "config")
                and name != self.setup.config_path
                and self._inputs.get((kind, name), value) != value
            ):
                detail = f"{name} was changed during the sweep, so this run is not of this experiment"
                return replace(run, status=Status.FAILED, cause=Cause.CHANGED, detail=detail)
        if told.read_more and not self._inputs:
            self.tell(Note(f"{told.read_more} of the data files that are read are too many to be watched for changes"))
        fresh = {key: value for key, value in inputs.items() if key not in self._inputs}
        if fresh:
            self._describe(fresh, told)
        return run

    def _keep(self, attempt: Attempt, told: Told) -> str:
        """Keep what the run wrote; put the tree back where runs share it. Returns why not all could be kept, or ""."""
        try:
            attempt.collect(told)
            if self._tree is not None:
                self._tree.put_back(attempt.folder / "files")
        except TreeChanged as error:
            return str(error)
        except OSError as error:
            return f"its files could not be kept: {error}"
        if self._tree is not None:
            try:
                self._check_writes(told)
            except TreeChanged as error:  # this run has its files; the next would find what it wrote
                self.stopped = str(error)
        return ""

    def _check_writes(self, told: Told) -> None:
        """One at a time in the user's own folder: a write elsewhere is seen by the next run."""
        root = str(self.setup.worlds.project) + os.sep
        private = ("/dev/shm/", os.path.expanduser("~/.cache/"), str(self.setup.worlds.base))
        allowed = (root, *private, *self.setup.worlds.share)
        outside = [path for path in told.written if not path.startswith(allowed) and os.path.exists(path)]
        if outside:
            raise TreeChanged(
                f"the run wrote {outside[0]}, outside the project, where the next run would find it: allow it with "
                f"--share {os.path.dirname(outside[0])}"
            )

    def _describe(self, fresh: dict[tuple[str, str], str], told: Told) -> None:
        """What runs loaded and read belongs to the experiment's identity."""
        first = not self._inputs
        self._inputs.update(fresh)
        self.store.set_inputs(self.experiment.id, fresh)
        if first:
            self.store.update_plan(self.experiment.id, late_sites=told.late_sites, ledger=told.ledger())

    def _save_as_is(self, attempt: Attempt, run: Run) -> None:
        """Turn the seeds that one process printed into runs; the process itself is no run unless it failed."""
        records = {}
        if run.status is Status.FINISHED:
            try:
                records = metrics.split_by_seed(attempt.text("stdout"))
            except SeedwiseError as error:
                self.tell(Note(str(error)))
            if not records:
                self.tell(
                    Note("nothing was printed under a seed such as `seed = 3 | acc = 0.80`, so there are no runs")
                )
        if not records:
            self.store.finish(self.experiment.id, run if run.status is not Status.FINISHED else replace(
                run, status=Status.FAILED, cause=Cause.EXIT, detail="printed no metrics under a seed"))  # fmt: skip
            return
        if AS_IS_SEED not in records:
            self.store.drop_run(self.experiment.id, AS_IS_SEED)
        for seed, series in records.items():
            found = replace(run, seed=seed, series=series, seconds=None)
            self.store.finish(self.experiment.id, found)
            self.tell(Ended(found))

    def wait_for_others(self, seeds: Sequence[int], interrupts: Interrupts) -> None:
        """Other commands may hold some of the seeds: wait for them, and take over what they leave."""
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
        """End what still runs; its seeds are interrupted, and run again by the same command."""
        while self._ahead:
            self.store.release(self.experiment.id, *self._ahead.popleft())
        if not self._running:
            return
        self.tell(Note(f"stopping {len(self._running)} unfinished run{'s' if len(self._running) > 1 else ''} …"))
        self.executor.stop(_GRACE)
        for work in list(self._running.values()):
            attempt = work.attempt
            self._let_go(work)
            if self._tree is not None:
                with contextlib.suppress(TreeChanged):
                    self._tree.put_back(attempt.folder / "files")
            if work.purpose is Purpose.RUN:
                run = Run(
                    attempt.seed, Status.INTERRUPTED, attempt=attempt.number, detail="interrupted",
                    folder=str(attempt.folder),
                )  # fmt: skip
                self.store.finish(self.experiment.id, run)
            attempt.discard()
        for pair in self._pairs.values():
            self._left_over += pair.thrown_away or []

    def _begin_tree(self) -> None:
        if self.setup.worlds.kind is Workdir.SEQUENTIAL:
            self._lock = open(self.store.folder / "sequential.lock", "w")  # noqa: SIM115 (held while runs go on)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SeedwiseError(
                    "another command is running here, and without private files for each run only one can: wait for it"
                ) from None
            self._tree = Tree(self.setup.worlds.project, self.store.folder / "sequential")
            repaired = self._tree.begin()
            if repaired:
                self.tell(Note(f"put back what an interrupted run had left: {', '.join(repaired[:5])}"))

    def _end_tree(self) -> None:
        if self._tree is not None and not self._tree.lost:
            self._tree.end()
            self._lock.close()
