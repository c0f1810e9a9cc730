"""The store: every experiment and run, in one SQLite file; logs and files in folders beside it.

It may lie on a network home directory, so the journal is a rollback journal, never WAL. Its layout is numbered by
`user_version`; a file of an older version is brought forward, one of a newer version is refused.
"""

import json
import os
import re
import socket
import sqlite3
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count as counting
from pathlib import Path
from typing import Any

from ..errors import StoreError, UsageError
from ..results import Cause, Metric, Reduce, Run, Series, Status
from .project import project_root

VERSION = 2
FOLDER = ".seedwise"

NOT_THE_RUNS_FAULT = frozenset({Cause.ISOLATION, Cause.CHANGED, Cause.NOT_ENTERED})
"""Causes after which the same command tries a seed again: what was wrong lay outside the run."""

_LAYOUT_1 = """
CREATE TABLE experiments (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    key TEXT NOT NULL,
    created REAL NOT NULL,
    command TEXT NOT NULL,
    manifest TEXT NOT NULL,
    plan TEXT NOT NULL,
    metrics TEXT NOT NULL DEFAULT '[]',
    UNIQUE (name, version)
);
CREATE TABLE inputs (
    experiment INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment, kind, name)
) WITHOUT ROWID;
CREATE TABLE seeds (
    experiment INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    seed INTEGER NOT NULL,
    PRIMARY KEY (experiment, seed)
) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    experiment INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    seed INTEGER NOT NULL,
    replicate INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 1,
    status TEXT NOT NULL,
    cause TEXT,
    detail TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL DEFAULT '',
    started REAL,
    seconds REAL,
    folder TEXT,
    UNIQUE (experiment, seed, replicate, attempt)
);
CREATE TABLE series (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    metric TEXT NOT NULL,
    position INTEGER NOT NULL,
    last REAL,
    steps BLOB NOT NULL,
    numbers BLOB NOT NULL,
    PRIMARY KEY (run, metric)
) WITHOUT ROWID;
"""
_MIGRATIONS: dict[int, str] = {1: "ALTER TABLE runs ADD COLUMN forked INTEGER NOT NULL DEFAULT 0;"}
"""From version k to k + 1."""


@dataclass(frozen=True)
class Experiment:
    """What is run. `manifest` is what it is recognised by, `plan` the seed sites, `metrics` what was asked for."""

    id: int
    name: str
    version: int
    key: str
    command: tuple[str, ...]
    manifest: Mapping[str, Any]
    plan: Mapping[str, Any]
    metrics: tuple[Metric, ...] = field(default_factory=tuple)
    alone: bool = True
    """Whether it is the only one of its name."""

    @property
    def label(self) -> str:
        """`NAME` while there is one of the name, else `NAME@1`, `NAME@2` …: it leads back to this experiment."""
        return self.name if self.alone else f"{self.name}@{self.version}"


def find_folder(start: Path | None = None) -> Path:
    """The store's folder: SEEDWISE_STORE, else the nearest `.seedwise` from here up to the project's root, else one here."""
    named = os.environ.get("SEEDWISE_STORE")
    if named:
        return Path(named).expanduser().absolute()
    here = (start or Path.cwd()).absolute()
    root = project_root(here)
    for folder in (here, *here.parents):
        if (folder / FOLDER / "store.sqlite").is_file():
            return folder / FOLDER
        if folder == root:
            break
    return here / FOLDER


_owners: set[str] = set()
_BEAT = 20.0
_SILENT = 300.0
_FORGOTTEN = 7 * 86400.0


class Owner:
    """A sweep that claims seeds: host, process, when it started (so that a number used again is not taken for it), number.

    Other hosts know that it lives by a file that it touches every 20 seconds, in the store's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{this_owner()}:{next(_sweeps)}"
        self._file = _beat_of(folder, self.name)
        self._last = 0.0

    def beat(self) -> None:
        """Say that this sweep is alive; cheap, to be called often."""
        now = time.monotonic()
        if now - self._last >= _BEAT:
            self._last = now
            with suppress(OSError):  # a disk that is full for a while
                self._file.touch()

    def __enter__(self) -> "Owner":
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            for old in self._file.parent.iterdir():
                if time.time() - old.stat().st_mtime > _FORGOTTEN:
                    old.unlink()
            self._file.touch()
        except OSError as error:
            raise StoreError(f"cannot write {self._file}: {error.strerror}; what was saved before is safe") from None
        _owners.add(self.name)
        return self

    def __exit__(self, *_: object) -> None:
        _owners.discard(self.name)
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def _beat_of(folder: Path, owner: str) -> Path:
    return folder / "owners" / re.sub(r"[^\w.-]", "_", owner)


def this_owner() -> str:
    """Host, process, and when it started."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


_sweeps = counting(1)


def _started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        return f"{stat.rpartition(')')[2].split()[19]}.{boot}"
    except (OSError, IndexError):
        return "?"


def is_alive(owner: str, folder: Path) -> bool:
    """Whether a supervisor still runs; one on another machine does if it has touched its file in the last five minutes."""
    host, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    started, _, sweep = started.partition(":")
    if not pid.isdigit():
        return False
    if host != socket.gethostname():
        try:
            return time.time() - _beat_of(folder, owner).stat().st_mtime < _SILENT
        except FileNotFoundError:
            return False
        except OSError:  # nobody can tell: better wait than run a seed twice
            return True
    if sweep and int(pid) == os.getpid() and owner not in _owners:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return started in ("?", _started(int(pid)))


class Store:
    """Open, read and write. One connection, one thread."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        self.folder = folder
        self.path = folder / "store.sqlite"
        self._joined = False
        if not self.path.exists() and not create:
            raise StoreError(f"no experiments here: there is no {self.path}; make some with `seedwise run`")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            ignore = folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            self._db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
            self._db.execute("PRAGMA page_size = 8192")  # of a new file: nine series of 100 steps to a page
            self._db.execute("PRAGMA foreign_keys = ON")
            # a journal that is emptied instead of deleted: as durable, and six times faster here
            self._db.execute("PRAGMA journal_mode = TRUNCATE")
            self._prepare()
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreError(
                f"the store {folder} cannot be opened or written: {error}; name another with --store or SEEDWISE_STORE"
            ) from None
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"the store {self.path} is damaged ({error}). Nothing was changed. Its logs and files are whole in "
                f"{folder / 'runs'}; move the file aside to begin a new store"
            ) from None

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreError(
                f"the store {self.path} was written by a newer Seedwise (layout {version}; this one knows {VERSION}): "
                "upgrade Seedwise, or name another store with --store"
            )
        if version == VERSION:
            return
        with self._write():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            steps = [*([_LAYOUT_1] if version == 0 else []), *(_MIGRATIONS[k] for k in range(max(1, version), VERSION))]
            for step in steps:
                for statement in step.split(";"):
                    if statement.strip():
                        self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def together(self) -> Iterator[None]:
        """Everything that is written within is one transaction, and waits for the disk once."""
        with self._write():
            self._joined = True
            try:
                yield
            finally:
                self._joined = False

    @contextmanager
    def _write(self) -> Iterator[None]:
        """A transaction that holds the write lock from its beginning."""
        if self._joined:
            yield
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:  # a full disk has rolled it back already
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise StoreError(f"cannot write to the store {self.path}: {error}; what was saved before is safe") from None

    def _is_alive(self, owner: str) -> bool:
        return is_alive(owner, self.folder)

    def close(self) -> None:
        """Close the connection; everything is already saved."""
        self._db.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- experiments -----------------------------------------------------------------------------------------------

    _COLUMNS = (
        "id, name, version, key, command, manifest, plan, metrics, "
        "(SELECT count(*) FROM experiments AS same WHERE same.name = experiments.name)"
    )

    def _experiment(self, row: Sequence[Any]) -> Experiment:
        number, name, version, key, command, manifest, plan, metrics, of_name = row
        asked = tuple(
            Metric(m["name"], m["goal"] and _goal(m["goal"]), m["goal_said"], Reduce(m["reduce"]), m["pattern"])
            for m in json.loads(metrics)
        )
        return Experiment(
            number,
            name,
            version,
            key,
            tuple(json.loads(command)),
            json.loads(manifest),
            json.loads(plan),
            asked,
            of_name == 1,
        )

    def experiments(self, name: str | None = None) -> list[Experiment]:
        """All experiments, or those of a name, oldest first."""
        where, values = ("WHERE name = ?", (name,)) if name is not None else ("", ())
        rows = self._db.execute(f"SELECT {self._COLUMNS} FROM experiments {where} ORDER BY id", values)
        return [self._experiment(row) for row in rows]

    def experiment(self, label: str) -> Experiment:
        """The experiment `NAME` (the newest of that name) or `NAME@2`. Raises UsageError naming those there are."""
        name, at, version = label.partition("@")
        found = self.experiments(name)
        if at:
            found = [e for e in found if str(e.version) == version]
        if not found:
            names = sorted({e.label for e in self.experiments()})
            raise UsageError(f"no experiment {label!r} in {self.folder}; there are: {', '.join(names) or 'none'}")
        return found[-1]

    def add_experiment(
        self,
        name: str,
        key: str,
        command: Sequence[str],
        manifest: Mapping[str, Any],
        plan: Mapping[str, Any],
    ) -> Experiment:
        """A new experiment, the next version of its name; the one that is there, if another command just made the same."""
        with self._write():
            last = self._db.execute(
                f"SELECT {self._COLUMNS} FROM experiments WHERE name = ? ORDER BY version DESC", (name,)
            ).fetchone()
            if last is not None and last[3] == key and not self.inputs(last[0]):
                return self._experiment(last)
            self._db.execute(
                "INSERT INTO experiments (name, version, key, created, command, manifest, plan) VALUES (?,?,?,?,?,?,?)",
                (
                    name, (last[2] if last else 0) + 1, key, time.time(),
                    json.dumps(list(command)), json.dumps(manifest), json.dumps(plan),
                ),
            )  # fmt: skip
        return self.experiment(name)

    def set_metrics(self, experiment: Experiment, metrics: Sequence[Metric]) -> None:
        """Remember which metrics were asked for."""
        values = [
            {
                "name": m.name,
                "goal": m.goal,
                "goal_said": m.goal_said,
                "reduce": m.reduce,
                "pattern": m.pattern,
            }
            for m in metrics
        ]
        with self._write():
            self._db.execute("UPDATE experiments SET metrics = ? WHERE id = ?", (json.dumps(values), experiment.id))

    def inputs(self, experiment: int) -> dict[tuple[str, str], str]:
        """What runs of an experiment loaded and read: (kind, name) → digest, version, or size and time."""
        rows = self._db.execute("SELECT kind, name, value FROM inputs WHERE experiment = ?", (experiment,))
        return {(kind, name): value for kind, name, value in rows}

    def set_inputs(self, experiment: int, values: Mapping[tuple[str, str], str], replace: bool = False) -> None:
        """Add inputs; those that are known stay as they are unless `replace`."""
        how = "REPLACE" if replace else "IGNORE"
        with self._write():
            self._db.executemany(
                f"INSERT OR {how} INTO inputs (experiment, kind, name, value) VALUES (?,?,?,?)",
                [(experiment, kind, name, value) for (kind, name), value in values.items()],
            )

    def set_manifest(
        self, experiment: Experiment, key: str, manifest: Mapping[str, Any], plan: Mapping[str, Any]
    ) -> None:
        """Put a change that the user accepted into the experiment's identity."""
        with self._write():
            self._db.execute(
                "UPDATE experiments SET key = ?, manifest = ?, plan = ? WHERE id = ?",
                (key, json.dumps(manifest), json.dumps(plan), experiment.id),
            )

    def update_plan(self, experiment: int, **parts: Any) -> None:
        """Put parts into an experiment's plan; the others stay as they are."""
        with self._write():
            row = self._db.execute("SELECT plan FROM experiments WHERE id = ?", (experiment,)).fetchone()
            plan = {**json.loads(row[0]), **parts}
            self._db.execute("UPDATE experiments SET plan = ? WHERE id = ?", (json.dumps(plan), experiment))

    # --- runs ------------------------------------------------------------------------------------------------------

    def want(self, experiment: int, seeds: Sequence[int]) -> None:
        """Remember the seeds that were asked for, so that an interrupted command can be finished and k of n told."""
        with self._write():
            self._db.executemany(
                "INSERT OR IGNORE INTO seeds (experiment, seed) VALUES (?,?)", [(experiment, seed) for seed in seeds]
            )

    def forget_unbegun(self, experiment: int) -> None:
        """Seeds that were asked for and not begun are not needed any more."""
        with self._write():
            self._db.execute(
                "DELETE FROM seeds WHERE experiment = ? AND seed NOT IN (SELECT seed FROM runs WHERE experiment = ?)",
                (experiment, experiment),
            )

    def claim(
        self, experiment: int, seed: int, owner: str, replicate: int = 0, retry_failed: bool = False
    ) -> int | None:
        """Take one seed: its new attempt's number, or None when it is settled, or somebody else runs it."""
        with self._write():
            row = self._db.execute(
                "SELECT attempt, status, owner, id, cause FROM runs WHERE experiment = ? AND seed = ? AND replicate = ? "
                "ORDER BY attempt DESC LIMIT 1",
                (experiment, seed, replicate),
            ).fetchone()
            attempt = 1
            if row is not None:
                again = row[1] == Status.FAILED and (retry_failed or row[4] in NOT_THE_RUNS_FAULT)
                settled = row[1] in (Status.FINISHED, Status.FAILED) and not again
                if settled or (row[1] == Status.RUNNING and self._is_alive(row[2])):
                    return None
                if row[1] == Status.RUNNING:
                    self._db.execute(
                        "UPDATE runs SET status = ?, detail = ? WHERE id = ?",
                        (Status.INTERRUPTED, "its supervisor was gone", row[3]),
                    )
                attempt = row[0] + 1
            self._db.execute(
                "INSERT INTO runs (experiment, seed, replicate, attempt, status, owner, started) VALUES (?,?,?,?,?,?,?)",
                (experiment, seed, replicate, attempt, Status.RUNNING, owner, time.time()),
            )
        return attempt

    def finish(self, experiment: int, run: Run) -> None:
        """Save what became of a run, with its series, in one transaction."""
        with self._write():
            number = self._db.execute(
                "SELECT id FROM runs WHERE experiment = ? AND seed = ? AND replicate = ? AND attempt = ?",
                (experiment, run.seed, run.replicate, run.attempt),
            ).fetchone()
            if number is None:
                number = self._db.execute(
                    "INSERT INTO runs (experiment, seed, replicate, attempt, status, started) VALUES (?,?,?,?,?,?) RETURNING id",
                    (experiment, run.seed, run.replicate, run.attempt, run.status, time.time()),
                ).fetchone()
            self._db.execute(
                "UPDATE runs SET status = ?, cause = ?, detail = ?, seconds = ?, folder = ?, forked = ? WHERE id = ?",
                (run.status, run.cause, run.detail, run.seconds, run.folder, int(run.forked), number[0]),
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO series (run, metric, position, last, steps, numbers) VALUES (?,?,?,?,?,?)",
                [(number[0], name, k, *_pack(series)) for k, (name, series) in enumerate(run.series.items())],
            )

    def set_aside(self, experiment: int, seed: int, attempt: int, reason: str) -> None:
        """Keep a run that is not to be counted; its seed is free again."""
        with self._write():
            self._db.execute(
                "UPDATE runs SET status = ?, cause = NULL, detail = ? WHERE experiment = ? AND seed = ? AND attempt = ?",
                (Status.INTERRUPTED, reason, experiment, seed, attempt),
            )

    def release(self, experiment: int, seed: int, attempt: int) -> None:
        """Give back a claim whose run was never begun."""
        with self._write():
            self._db.execute(
                "DELETE FROM runs WHERE experiment = ? AND seed = ? AND attempt = ? AND status = ?",
                (experiment, seed, attempt, Status.RUNNING),
            )

    def drop_run(self, experiment: int, seed: int) -> None:
        """Forget a claim that turned out to be no run of its own."""
        with self._write():
            self._db.execute("DELETE FROM runs WHERE experiment = ? AND seed = ?", (experiment, seed))

    def runs(self, experiment: int, *, last_only: bool = False) -> list[Run]:
        """The newest attempt for each seed, by seed; seeds that were asked for and not begun are attempt 0.

        A run of a dead supervisor is told as interrupted. With `last_only`, of each series its last value alone is read.
        """
        rows = self._db.execute(
            "SELECT id, seed, replicate, attempt, status, cause, detail, seconds, folder, owner, forked FROM runs AS r "
            "WHERE experiment = ? AND attempt = (SELECT max(attempt) FROM runs WHERE experiment = r.experiment "
            "AND seed = r.seed AND replicate = r.replicate) ORDER BY seed, replicate",
            (experiment,),
        ).fetchall()
        series: dict[int, dict[str, Series]] = {}
        columns = "s.last, length(s.numbers) / 8" if last_only else "s.steps, s.numbers"
        for run, metric, steps, numbers in self._db.execute(
            f"SELECT s.run, s.metric, {columns} FROM series AS s JOIN runs AS r ON r.id = s.run "
            "WHERE r.experiment = ? ORDER BY s.run, s.position",
            (experiment,),
        ):
            found = _brief(metric, steps, numbers) if last_only else _unpack(steps, numbers)
            series.setdefault(run, {})[metric] = found
        result = []
        for number, seed, replicate, attempt, status, cause, detail, seconds, folder, owner, forked in rows:
            state = Status(status)
            if state is Status.RUNNING and not self._is_alive(owner):
                state, detail = Status.INTERRUPTED, "its supervisor was gone"
            result.append(
                Run(
                    seed, state, series.get(number, {}), replicate, attempt,
                    Cause(cause) if cause else None, detail, seconds, folder, bool(forked),
                )
            )  # fmt: skip
        begun = {run.seed for run in result}
        for (seed,) in self._db.execute("SELECT seed FROM seeds WHERE experiment = ?", (experiment,)):
            if seed not in begun:
                result.append(Run(seed, Status.INTERRUPTED, attempt=0, detail="not begun"))
        return sorted(result, key=lambda run: (run.seed, run.replicate))

    def is_large(self, experiment: int) -> bool:
        """Whether its series are so many that a report had better read their last values only."""
        rows = self._db.execute(
            "SELECT 1 FROM series AS s JOIN runs AS r ON r.id = s.run WHERE r.experiment = ? LIMIT 1 OFFSET 5000",
            (experiment,),
        ).fetchone()
        return rows is not None

    def counts(self) -> dict[int, dict[str, int]]:
        """For each experiment how many seeds have which status."""
        rows = self._db.execute(
            "SELECT experiment, status, owner, count(*) FROM runs AS r WHERE attempt = (SELECT max(attempt) FROM runs "
            "WHERE experiment = r.experiment AND seed = r.seed AND replicate = r.replicate) "
            "GROUP BY experiment, status, CASE status WHEN 'running' THEN owner ELSE '' END"
        )
        result: dict[int, dict[str, int]] = {}
        for experiment, status, owner, count in rows:
            state = status
            if status == Status.RUNNING and not self._is_alive(owner):
                state = Status.INTERRUPTED.value
            counts = result.setdefault(experiment, {})
            counts[state] = counts.get(state, 0) + count
        waiting = self._db.execute(
            "SELECT experiment, count(*) FROM seeds AS s WHERE NOT EXISTS "
            "(SELECT 1 FROM runs WHERE experiment = s.experiment AND seed = s.seed) GROUP BY experiment"
        )
        for experiment, count in waiting:
            counts = result.setdefault(experiment, {})
            counts[Status.INTERRUPTED] = counts.get(Status.INTERRUPTED, 0) + count
        return result

    def drop_experiment(self, experiment: int) -> None:
        """Forget an experiment and its runs."""
        with self._write():
            self._db.execute("DELETE FROM experiments WHERE id = ?", (experiment,))

    def run_folder(self, experiment: Experiment, seed: int, attempt: int) -> Path:
        """Where the logs and files of one attempt are kept."""
        again = "" if attempt == 1 else f"-attempt-{attempt}"
        return self.folder / "runs" / f"{experiment.name}@{experiment.version}" / f"seed-{seed}{again}"


def _goal(text: str) -> Any:
    from ..goals import Goal

    return Goal(text)


def _brief(metric: str, last: float | None, n: int) -> Series:
    """In place of a series its last value, twice where there are several: that is all that a report asks, but for `value`."""
    value = float("nan") if last is None else last
    if n == 1:
        return Series(_ONE, (value,))
    if metric != "value":
        return Series(_TWO, (value, value))
    return Series(tuple(range(1, n + 1)), (value,) * n)


_ONE, _TWO = (1,), (1, 2)


def _pack(series: Series) -> tuple[float | None, bytes, bytes]:
    last = series.values[-1]
    counted = series.steps == tuple(range(1, len(series.steps) + 1))
    steps = b"" if counted else array("q", series.steps).tobytes()
    return (last if last == last else None), steps, array("d", series.values).tobytes()


def _unpack(steps: bytes, numbers: bytes) -> Series:
    values = array("d")
    values.frombytes(numbers)
    counted = array("q")
    counted.frombytes(steps)
    return Series(tuple(counted) or tuple(range(1, len(values) + 1)), tuple(values))
