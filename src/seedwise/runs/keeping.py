"""Keeps what a run leaves: the files that it wrote, and the list of what it read.

What it read is compared with what the runs before it read. Where runs share the tree, the tree is put back.
"""

import fcntl
import os
from collections.abc import Callable
from dataclasses import replace

from ..errors import SeedwiseError
from ..events import Ended, Event, Note
from ..experiments import identity
from ..experiments.forking_record import this_machine
from ..experiments.store import Experiment, Store
from ..metrics import choose as metrics
from ..results import Cause, Run, Status
from ..sandbox.restored_tree import Tree, TreeChanged
from ..sandbox.workdir import Workdir
from ..wording import option
from .attempt import Attempt, Setup, Told
from .processes import Exit

AS_IS_SEED = 0
"""The seed under which the single process of an as-is experiment is started. Its runs have the seeds that it prints."""


class Keeping:
    """Keeps what the runs of one experiment leave.

    Parameters
    ----------
    packages
        Versions of the packages in the runs' interpreter.
    tell
        Called with every event.
    """

    def __init__(
        self,
        store: Store,
        experiment: Experiment,
        setup: Setup,
        packages: dict[str, str],
        tell: Callable[[Event], None],
    ) -> None:
        self.store = store
        self.experiment = experiment
        self.setup = setup
        self.packages = packages
        self.tell = tell
        self.tree: Tree | None = None
        """The user's own folder, if runs use it one after another."""
        self.reached_out = ""
        """What a run wrote in a place where the next run would find it; "" if there is no such file."""
        self._inputs = store.inputs(experiment.id)

    @property
    def inputs(self) -> dict[tuple[str, str], str]:
        """What the runs have loaded and read so far."""
        return self._inputs

    def begin(self) -> None:
        """Prepare for runs.

        If they use the user's own folder one after another, it is put back after each of them from now on.
        """
        if self.setup.worlds.kind is Workdir.SEQUENTIAL:
            self._lock = open(self.store.folder / "sequential.lock", "w")  # noqa: SIM115 (held while runs go on)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SeedwiseError(
                    "another command is running here, and without private files for each run only one can: wait for it"
                ) from None
            self.tree = Tree(self.setup.worlds.project, self.store.folder / "sequential")
            repaired = self.tree.begin()
            if repaired:
                self.tell(Note(f"put back what an interrupted run had left: {', '.join(repaired[:5])}"))

    def end(self) -> None:
        """Call this when no further run comes."""
        if self.tree is not None and not self.tree.lost:
            self.tree.end()
            self._lock.close()

    def keep(self, attempt: Attempt, told: Told) -> str:
        """Keep what the run wrote, and put the tree back if runs share it.

        Returns why not everything could be kept; "" if it was.
        """
        try:
            attempt.collect(told)
            if self.tree is not None:
                self.tree.put_back(attempt.folder / "files")
        except TreeChanged as error:
            return str(error)
        except OSError as error:
            return f"its files could not be kept: {error}"
        if self.tree is not None:
            try:
                self._check_writes(told)
            except TreeChanged as error:  # this run has its files, but the next one would find what it wrote
                self.reached_out = str(error)
        return ""

    def _check_writes(self, told: Told) -> None:
        """Check where a run wrote.

        If runs use the user's own folder one after another, the next run sees a file written elsewhere. Raises
        TreeChanged.
        """
        root = str(self.setup.worlds.project) + os.sep
        private = ("/dev/shm/", os.path.expanduser("~/.cache/"), str(self.setup.worlds.base))
        allowed = (root, *private, *self.setup.worlds.share)
        outside = [path for path in told.written if not path.startswith(allowed) and os.path.exists(path)]
        if outside:
            raise TreeChanged(
                f"the run wrote {outside[0]}, outside the project, where the next run would find it: allow it with "
                f"{option(f'--share {os.path.dirname(outside[0])}')}"
            )

    def read(self, attempt: Attempt, exit_: Exit, told: Told) -> Run:
        """Read a run, and compare its inputs with those of the runs before it.

        If code or configuration has changed, the run counts as failed.
        """
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
        ours = str(self.setup.worlds.base) + os.sep  # for example a function that was carried over
        read = [path for path in told.read if not path.startswith(ours)]
        inputs = identity.read_inputs(
            told.loaded,
            read,
            told.libraries,
            self.packages,
            self.experiment.manifest["code"],
            self.setup.worlds.as_seen,
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

    def _describe(self, fresh: dict[tuple[str, str], str], told: Told) -> None:
        """Add what the runs loaded and read to the experiment's identity."""
        first = not self._inputs
        self._inputs.update(fresh)
        self.store.set_inputs(self.experiment.id, fresh)
        if first:
            self.store.update_plan(
                self.experiment.id, late_sites=told.late_sites, ledger=told.ledger(), machine=this_machine()
            )

    def save_as_is(self, attempt: Attempt, run: Run) -> None:
        """Make a run of each seed that the process printed. The process itself counts as a run only if it failed."""
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
            self.store.finish(
                self.experiment.id,
                run
                if run.status is not Status.FINISHED
                else replace(run, status=Status.FAILED, cause=Cause.EXIT, detail="printed no metrics under a seed"),
            )
            return
        if AS_IS_SEED not in records:
            self.store.drop_run(self.experiment.id, AS_IS_SEED)
        for seed, series in records.items():
            found = replace(run, seed=seed, series=series, seconds=None)
            self.store.finish(self.experiment.id, found)
            self.tell(Ended(found))
