"""A worker: runs the seeds of one chunk on the node where an engine has started it, and leaves what it finds on the shared folder.

It is the supervisor of `seedwise run`, with a store of its own on the node's disk, which is thrown away at the end. Each run
is copied to the shared folder as soon as it has ended, and told in a journal.
"""

import contextlib
import errno
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import SeedwiseError, UsageError
from ...events import Beat, Ended, Event, Note, Started
from ...experiments.site_reading import Reading, read_sites
from ...experiments.store import Experiment, Store
from ...nodes import Place, processor
from ...results import Cause, Run, Status
from ...sandbox.workdir import Workdir
from ...sandbox.worlds import Worlds, find_worlds, guarded, private_folder, sweep_dead_worlds
from ..forking import Forking, why_not_forked
from ..processes.local import LocalProcesses
from ..supervisor import Supervisor
from . import snapshot
from .carrying import Carried, environment_there, read_carried
from .folder import Submission
from .journal import FULL, UNFIT, End, Journal, JournalReader, Line, run_as_values
from .node import NodesRecord

_UNTIL_KILLED = 20.0
_SPARE, _SHARE = 60.0, 0.25
"""Seconds, and at most this part of the limit. A worker that is asked to end so shortly before its time limit, or later, has
reached it: Slurm may ask a minute earlier than it was told to."""


class _SharedFolderFull(SeedwiseError):
    """The shared folder cannot be written."""


@dataclass(frozen=True)
class Here:
    """What the engine says of this worker."""

    job: str = ""
    jobs: int | None = None
    """How many runs at a time; None: as many as there are cores for."""
    lead: float = 0.0
    """Seconds before its time limit at which the engine asks it to end."""
    before: Mapping[str, str] | None = None
    """The environment before the user's own lines of shell, if there are any."""
    slurm: bool = False
    """Whether Slurm can be asked to queue this job again."""


def work(file: Path, number: int, here: Here) -> int:
    """Run what is missing of one chunk. Returns the exit status.

    Parameters
    ----------
    file
        The round.
    number
        That of the chunk in it.
    """
    began = time.monotonic()
    submission = Submission.of_round(file)
    place = submission.place(file, number)
    name = f"{int(time.time())}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        journal = Journal(place, name)
        at = Place(socket.gethostname(), here.job, processor())
        journal.write(Line.BEGAN, place=at.as_dict())
    except OSError as error:
        print(f"seedwise: {place} cannot be written on {socket.gethostname()}: {error.strerror}", flush=True)
        return FULL
    try:
        return _work(submission, file, number, here, journal, at, began)
    except _SharedFolderFull as error:
        print(f"seedwise: {error}", flush=True)
        with contextlib.suppress(OSError):
            journal.write(Line.ENDED, end=End.FULL.value, why=str(error))
        return FULL
    except (SeedwiseError, OSError) as error:
        print(f"seedwise: {error}", flush=True)
        with contextlib.suppress(OSError):
            journal.write(Line.ENDED, end=End.UNFIT.value, why=f"{socket.gethostname()}: {error}")
        return UNFIT


def _work(
    submission: Submission, file: Path, number: int, here: Here, journal: Journal, at: Place, began: float
) -> int:
    carried = read_carried(submission)
    chunk = submission.chunk_of(file, number)
    done = _told_before(submission.place(file, number))
    seeds = [seed for seed, _ in chunk.seeds if seed not in done]
    os.environ.clear()
    os.environ.update(environment_there(carried.environment, _own, here.before))
    try:
        os.chdir(carried.folder)
    except OSError as error:
        raise UsageError(f"there is no {carried.folder} here ({error.strerror})") from None
    with _own_folder() as folder:
        carried = _with_call(carried, submission, folder)
        worlds, reading = _read_here(carried, snapshot.to_this_node(submission.code, folder / "code"))
        setup = carried.as_setup(worlds, str(reading.python.get("executable", "")))
        record = NodesRecord(worlds.base, carried.experiment["key"], setup.python, reading.packages)
        try:
            off = why_not_forked(setup, str(reading.python.get("version", "")))
            if chunk.fresh or carried.options.fresh or carried.options.vary:
                off = "asked for"
            elif record.others_compare:
                off = "another worker of this node compares"
            with _OwnStore(folder / "store") as store:
                experiment = _experiment(store, carried)
                delivering = Delivering(submission.place(file, number), journal, at, carried, reading, record)
                store.delivering = delivering
                forking = Forking(setup, off=off, record=record.record, tell=delivering.note)
                supervisor = Supervisor(
                    store,
                    experiment,
                    setup,
                    LocalProcesses(forking),
                    forking,
                    jobs=_jobs(carried, here),
                    packages=dict(reading.packages),
                    tell=delivering.tell,
                )
                supervisor.audited, supervisor.ends_together = chunk.audited, True
                delivering.follow(supervisor)
                with guarded(worlds.base):
                    complete = supervisor.run(seeds)
                return _end(delivering, supervisor, complete, carried, here, began)
        finally:
            record.close()


_own = dict(os.environ)
"""The environment in which the engine has started this process."""


def _told_before(place: Path) -> set[int]:
    """The seeds of which earlier starts of this chunk have told a record that counts."""
    done: set[int] = set()
    for path in sorted(place.glob("*.jsonl")):
        for line in JournalReader(path).read():
            if line["type"] == Line.RUN:
                done.add(int(line["seed"]))
            elif line["type"] == Line.ASIDE:
                done.discard(int(line["seed"]))
    return done


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """A folder of this worker's on the node's own disk, which every run can see."""
    base = private_folder()
    sweep_dead_worlds(base)
    folder = Path(tempfile.mkdtemp(prefix=f"worker-{os.getpid()}-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _with_call(carried: Carried, submission: Submission, folder: Path) -> Carried:
    """The command with this node's copy of the function that is called."""
    if carried.call is None:
        return carried
    shutil.copytree(submission.folder / "call", folder / "call")
    here = str(folder / "call" / "payload")
    return replace(carried, command=tuple(here if word == carried.call else word for word in carried.command))


def _read_here(carried: Carried, code: Path | None) -> tuple[Worlds, Reading]:
    """How runs are kept apart on this node, and what its interpreter says of itself.

    Raises UsageError if runs cannot be kept apart here.
    """
    options, script = carried.options, carried.setup["script"]
    worlds = find_worlds(
        options.workdir, script, options.share, [carried.store], carried.command, options.isolate_network
    )
    if worlds.kind is Workdir.SEQUENTIAL:
        raise UsageError(f"runs cannot have private files here ({worlds.reason}), and others may use the same folder")
    worlds.nice, worlds.code = options.nice, code
    setup = carried.as_setup(worlds, "")
    words = [str(word) for word in carried.command]
    start = None if worlds.kind is Workdir.SHARED else worlds.throw_away
    reading = read_sites(words, setup.environment, options, setup.mode, start)
    return worlds, reading


def _jobs(carried: Carried, here: Here) -> int:
    if carried.jobs is not None:
        return carried.jobs
    if here.jobs is not None:
        return max(1, here.jobs // (carried.options.threads or here.jobs))
    return max(1, len(os.sched_getaffinity(0)) // (carried.options.threads or 10**6))


def _experiment(store: Store, carried: Carried) -> Experiment:
    of = carried.experiment
    found = store.add_experiment(of["name"], of["key"], of["command"], of["manifest"], {"sites": [], "number": None})
    store.set_inputs(found.id, carried.inputs)
    return found


class _OwnStore(Store):
    """The worker's own store. What is saved in it is delivered too."""

    delivering: "Delivering"

    def finish(self, experiment: int, run: Run) -> None:
        super().finish(experiment, run)
        self.delivering.saved[run.seed] = run

    def set_aside(self, experiment: int, seed: int, attempt: int, reason: str) -> None:
        super().set_aside(experiment, seed, attempt, reason)
        self.delivering.aside(seed, reason)

    def update_plan(self, experiment: int, **parts: object) -> None:
        super().update_plan(experiment, **parts)
        self.delivering.plan(parts)


class Delivering:
    """Copies each run to the shared folder, and tells of it in the journal.

    Parameters
    ----------
    folder
        That of the chunk.
    at
        Where this is.
    """

    def __init__(
        self, folder: Path, journal: Journal, at: Place, carried: Carried, reading: Reading, record: NodesRecord
    ) -> None:
        self.folder = folder
        self.journal = journal
        self.saved: dict[int, Run] = {}
        """Runs as they were saved: without what the patterns find that somebody asked for."""
        self.running: set[int] = set()
        self.delivered = 0
        self._at = at
        self._carried = carried
        self._record = record
        self._python = str(reading.python.get("version", ""))
        self._told: set[tuple[str, str]] = set()
        self._supervisor: Supervisor | None = None

    def follow(self, supervisor: Supervisor) -> None:
        """Deliver what this supervisor does."""
        self._supervisor = supervisor
        self._told = set(supervisor.keeping.inputs)

    def tell(self, event: Event) -> None:
        """Take an event of the supervisor."""
        try:
            if isinstance(event, Started) and event.seed is not None:
                self.running.add(event.seed)
                self.journal.add(Line.STARTED, seed=event.seed)
            elif isinstance(event, Ended):
                self.running.discard(event.run.seed)
                self._deliver(self.saved.pop(event.run.seed))
            elif isinstance(event, Note):
                self.note(event.text)
            elif isinstance(event, Beat):
                self.journal.beat()
        except OSError as error:
            raise _SharedFolderFull(_cannot_write(self.folder, error)) from None

    def note(self, text: str) -> None:
        """Tell the user something."""
        self.journal.add(Line.NOTE, text=text)

    def aside(self, seed: int, reason: str) -> None:
        """A run that was delivered does not count."""
        self.journal.add(Line.ASIDE, seed=seed, reason=reason)

    def plan(self, parts: Mapping[str, object]) -> None:
        """Tell what becomes part of the experiment's plan."""
        if "forking" in parts:
            assert self._supervisor is not None
            assert self._supervisor.forking is not None
            record = self._supervisor.forking.record
            self._record.keep(record)
            self.journal.add(Line.FORKING, record=record.as_dict())
        else:
            self.journal.add(Line.PLAN, parts=dict(parts))

    def _deliver(self, run: Run) -> None:
        self._tell_inputs()
        self.journal.write(Line.RUN, **run_as_values(run, self._copied(run), self.place))
        self.delivered += 1

    def _copied(self, run: Run) -> str | None:
        """Copy the folder of a run. It has its name only when it is whole."""
        if run.folder is None or not os.path.isdir(run.folder):
            return None
        name = f"seed-{run.seed}-{run.attempt}-{self.journal.path.stem}"
        draft = self.folder / f".{name}"
        try:
            _copy(Path(run.folder), draft)
            draft.rename(self.folder / name)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return name

    @property
    def place(self) -> Place:
        """Where this is, with the versions that are not as at home."""
        assert self._supervisor is not None
        loaded = {name: value for (kind, name), value in self._supervisor.keeping.inputs.items() if kind == "package"}
        used = {name: self._supervisor.packages.get(name, value) for name, value in loaded.items()}
        versions = {name: there for name, there in used.items() if self._carried.packages.get(name) != there}
        if self._python.split(" ")[0] != self._carried.python.split(" ")[0]:
            versions["python"] = self._python.split(" ")[0]
        return replace(self._at, versions=versions)

    def _tell_inputs(self) -> None:
        assert self._supervisor is not None
        inputs = self._supervisor.keeping.inputs
        fresh = [[kind, name, value] for (kind, name), value in inputs.items() if (kind, name) not in self._told]
        if fresh:
            self.journal.add(Line.INPUTS, values=fresh)
            self._told |= set(inputs)

    def deliver_late(self, seed: int, limit: float) -> None:
        """The run under a seed did not end within the time limit of its job."""
        detail = f"did not end within the time limit of its job, {limit:g} s"
        run = Run(seed, Status.FAILED, cause=Cause.TIMEOUT, detail=detail, seconds=limit)
        self.journal.write(Line.RUN, **run_as_values(run, None, self.place))


def _copy(folder: Path, to: Path) -> None:
    """Copy a folder. Raises the first OSError, where `shutil.copytree` would go on."""
    to.mkdir()
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            _copy(Path(entry.path), to / entry.name)
        else:
            shutil.copy2(entry.path, to / entry.name, follow_symlinks=False)


def _cannot_write(folder: Path, error: OSError) -> str:
    why = "it is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
    return f"{folder} cannot be written on {socket.gethostname()}: {why}"


def _end(
    delivering: Delivering, supervisor: Supervisor, complete: bool, carried: Carried, here: Here, began: float
) -> int:
    """Tell how this worker ends. Returns its exit status."""
    write = delivering.journal.write
    try:
        if not complete:
            late = _reached_limit(carried, here, began)
            if late and not delivering.delivered and carried.options.checkpoints is None:
                for seed in sorted(delivering.running):  # it would be no other the next time
                    delivering.deliver_late(seed, carried.limit or 0.0)
            write(Line.ENDED, end=End.ASKED.value, why="its time limit" if late else "")
            if late and here.slurm and (delivering.delivered or carried.options.checkpoints is not None):
                _queue_again(here.job)
            return 0
        if supervisor.stopped:
            write(Line.ENDED, end=End.STOPPED.value, why=supervisor.stopped)
            return 0
        write(Line.ENDED, end=End.DONE.value, why="")
    except OSError as error:
        raise _SharedFolderFull(_cannot_write(delivering.folder, error)) from None
    return 0


def _queue_again(job: str) -> None:
    """Have Slurm queue this job again. Where it refuses, the command that collects gives the seeds out again."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(["scontrol", "requeue", job], capture_output=True, timeout=20, check=False)
        if done.returncode == 0:
            time.sleep(_UNTIL_KILLED)  # it ends this process; if this ended before, the job would count as done


def _reached_limit(carried: Carried, here: Here, began: float) -> bool:
    if carried.limit is None:
        return False
    spare = min(_SPARE, _SHARE * carried.limit)
    return time.monotonic() - began >= carried.limit - here.lead - spare
