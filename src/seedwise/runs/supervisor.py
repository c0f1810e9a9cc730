"""Runs the seeds of one experiment: claims, starts, waits, saves. Renders nothing."""

import contextlib
import fcntl
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ..errors import SeedwiseError
from ..events import Began, Ended, Event, Note, Started, Waiting
from ..results import Cause, Run, Status
from . import identity, metrics
from .attempt import Attempt, Setup, Told
from .command import Mode, Workdir
from .cores import Cores, reserving
from .executors import Executor, Exit
from .interrupts import Interrupts
from .sequential import Tree, TreeChanged
from .store import NOT_THE_RUNS_FAULT, Experiment, Owner, Store
from .warm import Stage, Warmth

_GRACE = 5.0
_TICK = 0.2
AS_IS_SEED = 0
"""Under which the one process of an as-is experiment is started; its runs are keyed by the seeds it prints."""


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
        warmth: Warmth | None = None,
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
        self.warmth = warmth
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
        self._running: dict[int, tuple[Attempt, list[int]]] = {}
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
                self.step(_TICK / 10 if self._is_learning() else _TICK)
            if not interrupts.count and not self.stopped and not self.satisfied:
                self.wait_for_others(seeds, interrupts)
        self.interrupted = bool(interrupts.count)
        return not interrupts.count

    @contextlib.contextmanager
    def working(self, seeds: Sequence[int], cores: Cores) -> Iterator[None]:
        """While this lasts, `start_next` and `step` may be called; at its end, whatever still runs is ended and noted."""
        before = {run.seed: run for run in self.store.runs(self.experiment.id, last_only=True)}
        todo = [seed for seed in seeds if seed not in before or not self._is_settled(before[seed])]
        self._pending = deque(todo)
        failed = sum(seed in before and before[seed].status is Status.FAILED for seed in set(seeds) - set(todo))
        self._cores = cores
        with Owner(self.store.folder) as self.owner:
            self.tell(Began(len(seeds), len(seeds) - len(todo), len(todo), self.jobs, failed, self.experiment.label))
            try:
                self._begin_tree()
                yield
            finally:
                try:
                    self._stop()
                finally:
                    self._tidy()
                    if self.warmth is not None:
                        self.warmth.close()
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
        """How many runs go on."""
        return len(self._running)

    @property
    def has_more(self) -> bool:
        """Whether a seed is left to be started."""
        return self._left > 0 and not self.stopped and not self.satisfied

    @property
    def can_start(self) -> bool:
        """Whether there is a seed to start, and nothing that is worth waiting for first."""
        return self.has_more and not self._warming_up()

    def step(self, seconds: float) -> None:
        """Save what has ended, waiting up to `seconds` for it, and look after what still runs."""
        self._tidy()
        for exit_ in self.executor.wait(seconds):
            self._end(exit_)
        if self.warmth is not None:
            self.warmth.look()
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

    def _is_learning(self) -> bool:
        return self.warmth is not None and self.warmth.stage is Stage.LEARNING

    def _is_settled(self, run: Run) -> bool:
        """Whether a seed is not to be run again."""
        if run.status is Status.FAILED:
            return not self.retry_failed and run.cause not in NOT_THE_RUNS_FAULT
        return run.status is Status.FINISHED

    def _warming_up(self) -> bool:
        """Whether the warm parent will be ready in a moment: worth waiting for."""
        return self.warmth is not None and self._left > 1 and self.warmth.holding

    def start_next(self) -> bool:
        """Start the next seed that nobody else has; whether there was one."""
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

    def _start(self, seed: int, number: int) -> None:
        folder = self.store.run_folder(self.experiment, seed, number)
        attempt = Attempt(self.setup, seed, number, folder, self.setup.worlds.make())
        taken = self._cores.take()
        self._running[seed] = (attempt, taken)
        try:
            warm = self.warmth is not None and self.warmth.stage is Stage.READY and seed not in self._fresh_only
            record = self.warmth is not None and self.warmth.stage is Stage.LEARNING
            self.executor.start(attempt.prepare(taken, record, self._take_card(seed)), warm)
            if record and self.warmth is not None and self._left > 1:
                self.warmth.begin(attempt.world.spool, self._cores.others(taken))
            if self.timeout is not None:
                self._deadlines[seed] = time.monotonic() + self.timeout
        except (SeedwiseError, OSError) as error:
            self._give_up(seed, f"the run could not be started: {error}")
            return
        if self.setup.mode is not Mode.AS_IS:
            self.tell(Started(seed))

    def _give_up(self, seed: int, reason: str) -> None:
        attempt, taken = self._running.pop(seed)
        self._cores.give_back(taken)
        self.stopped = reason
        run = Run(seed, Status.INTERRUPTED, attempt=attempt.number, detail=reason)
        self.store.finish(self.experiment.id, run)
        attempt.discard()
        self.tell(Ended(run))

    def _take_card(self, seed: int) -> str | None:
        """The GPU with the fewest runs on it; None where none were named."""
        if not self._cards:
            return None
        card = min(self._cards, key=lambda name: self._cards[name])
        self._cards[card] += 1
        self._card_of[seed] = card
        return card

    def _end_late(self) -> None:
        """Ask runs that took too long to end; kill those that do not."""
        now = time.monotonic()
        for seed, deadline in list(self._deadlines.items()):
            if seed in self._running and now > deadline:
                asked = self._timed_out.get(seed, 0)
                self.executor.stop_one(seed, signal.SIGKILL if asked else signal.SIGTERM)
                self._timed_out[seed] = asked + 1
                self._deadlines[seed] = now + _GRACE

    def _end(self, exit_: Exit) -> None:
        attempt, taken = self._running.pop(exit_.seed)
        self._cores.give_back(taken)
        self._deadlines.pop(exit_.seed, None)
        if exit_.seed in self._card_of:
            self._cards[self._card_of.pop(exit_.seed)] -= 1
        late = self._timed_out.pop(exit_.seed, 0)
        self.setup.worlds.end_users(attempt.world, thorough=bool(late) or exit_.status != 0)
        told = attempt.told()
        if exit_.lost or told.not_warm:
            self._again(attempt, told.not_warm or "the process that it was forked from was killed", bool(told.not_warm))
            return
        if self._tree is not None:
            self._keep(attempt, told)
        run = self._read(attempt, exit_, told)
        if late:
            detail = f"ended after {self.timeout:g} s (--timeout)" + ("; it had to be killed" if late > 1 else "")
            run = replace(run, status=Status.FAILED, cause=Cause.TIMEOUT, detail=detail, series={})
        if self.setup.mode is Mode.AS_IS:
            self._save_as_is(attempt, run)
        else:
            self._save(run)  # before anything else can go wrong
        if self._tree is None:
            self._keep(attempt, told)
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
        if self.warmth is not None:
            self.warmth.learn(attempt.world.spool, told.imports, taken, worth=self._left > 1)

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
        if fresh and self.warmth is not None:
            self._fresh_only.add(attempt.seed)
            self.warmth.could_not(reason)
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
        fresh = {key: value for key, value in inputs.items() if key not in self._inputs}
        if fresh:
            self._describe(fresh, told)
        return run

    def _keep(self, attempt: Attempt, told: Told) -> None:
        """Keep what the run wrote; put the tree back where runs share it."""
        try:
            attempt.collect(told)
            if self._tree is not None:
                self._tree.put_back(attempt.folder / "files")
                self._check_writes(told)
        except TreeChanged as error:
            self.stopped = str(error)
        except OSError as error:
            self.tell(Note(f"not all files of seed {attempt.seed} could be kept: {error}"))

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
            plan = {**self.experiment.plan, "late_sites": told.late_sites, "ledger": told.ledger()}
            self.store.set_manifest(self.experiment, self.experiment.key, self.experiment.manifest, plan)

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
        for seed in list(self._running):
            attempt, taken = self._running.pop(seed)
            self._cores.give_back(taken)
            if self._tree is not None:
                with contextlib.suppress(TreeChanged):
                    self._tree.put_back(attempt.folder / "files")
            run = Run(
                seed,
                Status.INTERRUPTED,
                attempt=attempt.number,
                detail="interrupted",
                folder=str(attempt.folder),
            )
            self.store.finish(self.experiment.id, run)
            attempt.discard()

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
        if self._tree is not None and "too big" not in self.stopped:
            self._tree.end()
            self._lock.close()
