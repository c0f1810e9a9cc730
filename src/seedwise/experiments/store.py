"""The store: every experiment and run in one SQLite file; logs and files in folders beside it.

The store may lie on a network home directory. Therefore it uses a rollback journal, never WAL. `user_version` is the
number of its layout. A file with an older layout is converted; a file with a newer layout is refused.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ..errors import StoreError, UsageError
from ..nodes import Place
from ..results import ELSEWHERE, Cause, Goal, Metric, Reduce, Run, Series, Status
from ..sandbox.project import project_root
from ..typos import closest, did_you_mean
from ..wording import option
from .columns import as_text, brief, from_text, pack, readable, relative, unpack
from .layout import LAYOUT_1, MIGRATIONS, SEALED, VERSION, WHOLE_RUN, WHOLE_SERIES, checksum, sealed_series
from .names import is_name
from .owners import AWAY, beats, is_alive, is_dead_here

FOLDER = ".seedwise"

GONE = "its supervisor was gone"
_LONGEST_WRITE = 60.0
"""Seconds. A journal that is older was left by a process that is gone, whatever others do at this moment."""
NOT_THE_RUNS_FAULT = frozenset({Cause.ISOLATION, Cause.CHANGED, Cause.NOT_ENTERED, Cause.FILES, Cause.MISSING})
"""Causes after which the same command tries a seed again, because the reason of the failure was outside the run."""


@dataclass(frozen=True)
class Experiment:
    """What is run, as the store holds it.

    `manifest` holds everything by which it is recognised, `plan` its seed sites, `metrics` the metrics that
    somebody asked to be remembered.
    """

    id: int
    name: str
    version: int
    key: str
    command: tuple[str, ...]
    manifest: Mapping[str, Any]
    plan: Mapping[str, Any]
    metrics: tuple[Metric, ...] = field(default_factory=tuple)
    alone: bool = True
    """Whether it is the only experiment of its name."""
    created: float = 0.0
    """When it was made, in seconds since 1970."""

    @property
    def label(self) -> str:
        """A name that leads back to this experiment.

        It is `NAME` if it is the only one of its name, else `NAME@1`, `NAME@2` …
        """
        return self.name if self.alone else f"{self.name}@{self.version}"


def find_folder(start: Path | None = None) -> Path:
    """The store's folder.

    It is SEEDWISE_STORE; else the nearest `.seedwise` between here and the project's root; else a new one here.
    """
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


class Store:
    """Opens, reads and writes a store. It has one connection, for one thread.

    Parameters
    ----------
    reading
        Only read, beside those who write: the file is not looked through after an unclean end, which takes long and
        would have them wait; nothing is made, and layouts of older versions are refused.

    Raises
    ------
    StoreError
        The store cannot be opened or written, is damaged, or was written by a newer Seedwise.
    """

    def __init__(self, folder: Path, *, create: bool = True, reading: bool = False) -> None:
        self.folder = folder
        self.path = folder / "store.sqlite"
        self._joined = False
        if not self.path.exists() and not create:
            raise StoreError(f"no experiments here: there is no {self.path}; make some with `seedwise run`")
        try:
            if reading:
                self._open_for_reading()
                return
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = not self.path.exists()
            ignore = folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            left = _left_over(Path(f"{self.path}-journal"))
            self._db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
            self._db.create_function("checksum_of", -1, checksum, deterministic=True)
            if new:
                os.chmod(self.path, 0o600)
            self._db.execute("PRAGMA page_size = 8192")  # for a new file: nine series of 100 steps fit on a page
            self._db.execute("PRAGMA foreign_keys = ON")
            # the journal is emptied instead of deleted: just as safe, and six times faster here
            self._db.execute("PRAGMA journal_mode = TRUNCATE")
            self._prepare()
            self._look_after_unclean_end(left)
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreError(
                f"the store {folder} cannot be opened or written: {error}; name another with {option('--store')} or SEEDWISE_STORE"
            ) from None
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from None

    def _open_for_reading(self) -> None:
        # not "mode=ro": after a power cut somebody has to take back the half of a transaction, whoever comes first
        self._db = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw", timeout=60, isolation_level=None, uri=True
        )
        self._db.create_function("checksum_of", -1, checksum, deterministic=True)
        self._db.execute("PRAGMA query_only = ON")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            now = "`seedwise list` converts it" if version < VERSION else "a newer Seedwise reads it"
            raise StoreError(
                f"the store {self.path} has another layout ({version}; this Seedwise writes {VERSION}): {now}"
            )

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreError(
                f"the store {self.path} was written by a newer Seedwise (layout {version}; this one knows {VERSION}): "
                f"upgrade Seedwise, or name another store with {option('--store')}"
            )
        if version == VERSION:
            return
        with self._write():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            steps = [*([LAYOUT_1] if version == 0 else []), *(MIGRATIONS[k] for k in range(max(1, version), VERSION))]
            for step in steps:
                for statement in step.split(";"):
                    if statement.strip():
                        self._db.execute(statement)
            if version < 2:  # a later layout has checksums already, which may tell of damage
                self._seal_everything()
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    # --- checksums: docs/decisions/0013 ----------------------------------------------------------------------------

    def _seal(self, table: str, where: str, values: Sequence[Any]) -> None:
        """Put the checksum into rows that have just been written."""
        columns = SEALED[table]
        self._db.execute(f"UPDATE {table} SET checksum = checksum_of({columns}) WHERE {where}", values)

    def _seal_everything(self) -> None:
        """Put checksums into a store of an older layout. What it holds now is taken as undamaged."""
        for run, folder in self._db.execute("SELECT id, folder FROM runs WHERE folder IS NOT NULL").fetchall():
            self._db.execute("UPDATE runs SET folder = ? WHERE id = ?", (relative(folder), run))
        for table in SEALED:
            self._seal(table, "true", ())
        self._db.execute(
            "UPDATE series SET checksum = checksum_of(run, metric, position, last, length(numbers)), "
            "numbers_checksum = checksum_of(steps, numbers)"
        )

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows that a query finds. Raises StoreError if the file is damaged or cannot be read."""
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            raise StoreError(f"the store {self.path} cannot be read: {error}") from None
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise self._damaged(str(error)) from None

    def _damaged(self, what: str) -> StoreError:
        return StoreError(
            f"the store {self.path} is damaged ({what}). Nothing was changed. Its logs and files are whole in "
            f"{self.folder / 'runs'}; move the file aside to begin a new store"
        )

    def _look_after_unclean_end(self, left: float | None) -> None:
        """If a process ended without closing the store, let SQLite check the whole file once.

        `left` is the age of a journal that was there; a young one is of somebody who writes at this moment.
        """
        owners = list((self.folder / "owners").glob("*"))
        dead = [path for path in owners if is_dead_here(path.name)]
        if not dead and (left is None or (left < _LONGEST_WRITE and any(map(beats, owners)))):
            return
        found = self._rows("PRAGMA quick_check(1)")
        if found != [("ok",)]:
            raise self._damaged(str(found[0][0]))
        for path in dead:
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make everything that is written inside one transaction, which waits for the disk once."""
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
                if self._db.in_transaction:  # a full disk has caused a rollback already
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise StoreError(f"cannot write to the store {self.path}: {error}; what was saved before is safe") from None

    def _is_alive(self, owner: str) -> bool:
        return is_alive(owner, self.folder)

    def close(self) -> None:
        """Close the connection. Everything is saved already."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- experiments -----------------------------------------------------------------------------------------------

    _COLUMNS = (
        "id, name, version, key, command, manifest, plan, metrics, "
        "(SELECT count(*) FROM experiments AS same WHERE same.name = experiments.name), created, "
        "checksum = checksum_of(id, name, version, key, command, manifest, plan, metrics)"
    )

    def _experiment(self, row: Sequence[Any]) -> Experiment:
        number, name, version, key, command, manifest, plan, metrics, of_name, created, whole = row
        if not whole:
            raise self._damaged(f"the record of experiment {number} is not what was written")
        if not isinstance(version, int) or not is_name(str(name)):
            raise StoreError(f"the store {self.path} holds an experiment named {name!r}@{version!r}, which none can be")
        asked = metrics_from(json.loads(metrics))
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
            float(created),
        )

    def experiments(self, name: str | None = None) -> list[Experiment]:
        """All experiments, or those of one name, oldest first."""
        where, values = ("WHERE name = ?", (name,)) if name is not None else ("", ())
        rows = self._rows(f"SELECT {self._COLUMNS} FROM experiments {where} ORDER BY id", values)
        return [self._experiment(row) for row in rows]

    def experiment(self, label: str) -> Experiment:
        """The experiment `NAME` (the newest of that name) or `NAME@2`.

        Raises UsageError, which names the existing ones.
        """
        name, at, version = label.partition("@")
        found = self.experiments(name)
        if at:
            found = [e for e in found if str(e.version) == version]
        if not found:
            raise UsageError(self._no_such_experiment(label))
        return found[-1]

    def _no_such_experiment(self, label: str) -> str:
        """What to say of a name that no experiment has: what was meant, or which ones there are."""
        every = self.experiments()
        name, at, _ = label.partition("@")
        versions = [f"{e.name}@{e.version}" for e in every if e.name == name]
        if at and versions:
            return f"no experiment {label!r}; there are: {', '.join(versions[-10:])}"
        names = sorted({e.label for e in every})
        if os.path.splitext(name)[1] in ENDINGS_OF_TABLES:
            there = [path.name for path in Path(os.path.dirname(name) or ".").glob(f"*{os.path.splitext(name)[1]}")]
            return f"no file {name}, and no experiment of that name{did_you_mean(os.path.basename(name), there)}"
        members = [e.name for e in every if e.name.startswith(f"{name} ")]
        if members:
            return f"{name} is a family of {len(members)} experiments: `seedwise show {name}` compares them; one of them is '{members[0]}'"
        bare = os.path.basename(name).removesuffix(".py")
        meant = (
            bare
            if bare in {e.name for e in every}
            else closest(label, [*names, *{e.name for e in every}, *{e.name.partition(" ")[0] for e in every}])
        )
        if meant:
            return f"no experiment {label!r}: did you mean {meant}?"
        return f"no experiment {label!r} in {self.folder}; there are: {', '.join(names[-20:]) or 'none'}"

    def add_experiment(
        self,
        name: str,
        key: str,
        command: Sequence[str],
        manifest: Mapping[str, object],
        plan: Mapping[str, object],
    ) -> Experiment:
        """Add an experiment as the next version of its name.

        If another command has just added the same one, return that.
        """
        with self._write():
            last = self._db.execute(
                f"SELECT {self._COLUMNS} FROM experiments WHERE name = ? ORDER BY version DESC", (name,)
            ).fetchone()
            if last is not None and last[3] == key and not self.inputs(last[0]):
                return self._experiment(last)
            self._db.execute(
                "INSERT INTO experiments (name, version, key, created, command, manifest, plan) VALUES (?,?,?,?,?,?,?)",
                (
                    name,
                    (last[2] if last else 0) + 1,
                    key,
                    time.time(),
                    json.dumps(list(command)),
                    json.dumps(manifest),
                    json.dumps(plan),
                ),
            )
            self._seal("experiments", "name = ?", (name,))
        return self.experiment(name)

    def set_metrics(self, experiment: Experiment, metrics: Sequence[Metric]) -> None:
        """Store which metrics are the experiment's own."""
        values = json.dumps(metrics_as_values(metrics))
        with self._write():
            self._db.execute("UPDATE experiments SET metrics = ? WHERE id = ?", (values, experiment.id))
            self._seal("experiments", "id = ?", (experiment.id,))

    def inputs(self, experiment: int) -> dict[tuple[str, str], str]:
        """What the runs of an experiment loaded and read: (kind, name) → digest, or version, or size and time."""
        rows = self._rows(
            "SELECT kind, name, value, checksum = checksum_of(experiment, kind, name, value) FROM inputs WHERE experiment = ?",
            (experiment,),
        )
        if not all(whole for *_, whole in rows):
            raise self._damaged(f"what experiment {experiment} read is not what was written")
        return {(kind, from_text(name)): value for kind, name, value, _ in rows}

    def set_inputs(self, experiment: int, values: Mapping[tuple[str, str], str], replace: bool = False) -> None:
        """Add inputs. Known ones are replaced only with `replace`."""
        how = "REPLACE" if replace else "IGNORE"
        with self._write():
            self._db.executemany(
                f"INSERT OR {how} INTO inputs (experiment, kind, name, value) VALUES (?,?,?,?)",
                [(experiment, kind, as_text(name), value) for (kind, name), value in values.items()],
            )
            self._seal("inputs", "experiment = ?", (experiment,))

    def set_manifest(
        self, experiment: Experiment, key: str, manifest: Mapping[str, object], plan: Mapping[str, object]
    ) -> None:
        """Store the experiment's new identity after a change that the user accepted."""
        with self._write():
            self._db.execute(
                "UPDATE experiments SET key = ?, manifest = ?, plan = ? WHERE id = ?",
                (key, json.dumps(manifest), json.dumps(plan), experiment.id),
            )
            self._seal("experiments", "id = ?", (experiment.id,))

    def experiment_plan(self, experiment: int) -> dict[str, Any]:
        """An experiment's plan, as it is now."""
        return dict(json.loads(self._rows("SELECT plan FROM experiments WHERE id = ?", (experiment,))[0][0]))

    def update_plan(self, experiment: int, **parts: Any) -> None:
        """Put parts into an experiment's plan. The other parts do not change."""
        with self._write():
            row = self._db.execute("SELECT plan FROM experiments WHERE id = ?", (experiment,)).fetchone()
            plan = {**json.loads(row[0]), **parts}
            self._db.execute("UPDATE experiments SET plan = ? WHERE id = ?", (json.dumps(plan), experiment))
            self._seal("experiments", "id = ?", (experiment,))

    # --- runs ------------------------------------------------------------------------------------------------------

    def want(self, experiment: int, seeds: Sequence[int]) -> None:
        """Store the seeds that were asked for.

        Then an interrupted command can be finished, and reports can say "k of n".
        """
        with self._write():
            self._db.executemany(
                "INSERT OR IGNORE INTO seeds (experiment, seed) VALUES (?,?)", [(experiment, seed) for seed in seeds]
            )

    def forget_unbegun(self, experiment: int) -> None:
        """Forget seeds that were asked for but never begun."""
        with self._write():
            self._db.execute(
                "DELETE FROM seeds WHERE experiment = ? AND seed NOT IN (SELECT seed FROM runs WHERE experiment = ?)",
                (experiment, experiment),
            )

    def claim(
        self, experiment: int, seed: int, owner: str, replicate: int = 0, retry_failed: bool = False
    ) -> int | None:
        """Claim one seed.

        Returns the number of its new attempt; None if the seed is settled or somebody else runs it.
        """
        with self._write():
            row = self._db.execute(
                f"SELECT attempt, status, owner, id, cause, {WHOLE_RUN} FROM runs "
                "WHERE experiment = ? AND seed = ? AND replicate = ? ORDER BY attempt DESC LIMIT 1",
                (experiment, seed, replicate),
            ).fetchone()
            attempt = 1
            if row is not None:
                again = row[1] == Status.FAILED and (retry_failed or row[4] in NOT_THE_RUNS_FAULT)
                settled = row[1] in (Status.FINISHED, Status.FAILED) and not again and self._is_whole(row[3], row[5])
                if settled or (row[1] == Status.RUNNING and self._is_alive(row[2])):
                    return None
                if row[1] == Status.RUNNING:
                    self._db.execute(
                        "UPDATE runs SET status = ?, detail = ? WHERE id = ?",
                        (Status.INTERRUPTED, GONE, row[3]),
                    )
                    self._seal("runs", "id = ?", (row[3],))
                attempt = row[0] + 1
            self._db.execute(
                "INSERT INTO runs (experiment, seed, replicate, attempt, status, owner, started) VALUES (?,?,?,?,?,?,?)",
                (experiment, seed, replicate, attempt, Status.RUNNING, owner, time.time()),
            )
            self._seal("runs", "experiment = ? AND seed = ? AND attempt = ?", (experiment, seed, attempt))
        return attempt

    def _is_whole(self, run: int, whole: int) -> bool:
        """Whether the stored record of a run and its series is undamaged. If not, the run is run again."""
        if not whole:
            return False
        rows = self._rows(f"SELECT {WHOLE_SERIES} FROM series WHERE run = ?", (run,))
        return all(row[0] for row in rows)

    def finish(self, experiment: int, run: Run) -> None:
        """Save how a run ended, with its series, in one transaction."""
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
                (
                    run.status,
                    run.cause,
                    readable(run.detail),
                    run.seconds,
                    None if run.folder is None else relative(run.folder),
                    int(run.forked),
                    number[0],
                ),
            )
            self._seal("runs", "id = ?", (number[0],))
            self._db.executemany(
                "INSERT OR REPLACE INTO series (run, metric, position, last, steps, numbers, checksum, numbers_checksum) "
                "VALUES (?,?,?,?,?,?,?,?)",
                [
                    sealed_series(number[0], readable(name), k, *pack(series))
                    for k, (name, series) in enumerate(run.series.items())
                ],
            )
            if run.place is not None:
                place = readable(json.dumps(run.place.as_dict()))
                self._db.execute(
                    "INSERT OR REPLACE INTO places (run, place, checksum) VALUES (?,?,?)",
                    (number[0], place, checksum(number[0], place)),
                )

    def set_aside(self, experiment: int, seed: int, attempt: int, reason: str) -> None:
        """Keep a run but do not count it. Its seed can be claimed again."""
        with self._write():
            self._db.execute(
                "UPDATE runs SET status = ?, cause = NULL, detail = ? WHERE experiment = ? AND seed = ? AND attempt = ?",
                (Status.INTERRUPTED, readable(reason), experiment, seed, attempt),
            )
            self._seal("runs", "experiment = ? AND seed = ? AND attempt = ?", (experiment, seed, attempt))

    def release(self, experiment: int, seed: int, attempt: int) -> None:
        """Give back a claim whose run never began."""
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
        """The newest attempt of each seed, ordered by seed. A seed that was asked for but not begun has attempt 0.

        A run whose supervisor has died is returned as interrupted. With `last_only`, only the last value of each
        series is read.
        """
        newest = (
            "r.experiment = ? AND attempt = (SELECT max(attempt) FROM runs WHERE experiment = r.experiment "
            "AND seed = r.seed AND replicate = r.replicate)"
        )
        result = list(self._runs_where(newest, "r.experiment = ?", (experiment,), last_only).values())
        begun = {run.seed for run in result}
        result += [unbegun(seed) for seed in self.wanted(experiment) if seed not in begun]
        return sorted(result, key=lambda run: (run.seed, run.replicate))

    def runs_numbered(self, numbers: Sequence[int]) -> dict[int, Run]:
        """Runs by their numbers in the store, as `heads` gives them; those that are gone are left out."""
        these = f"r.id IN ({','.join('?' * len(numbers))})"
        return self._runs_where(these, these, numbers, last_only=False)

    def wanted(self, experiment: int) -> list[int]:
        """The seeds that were asked for."""
        return [seed for (seed,) in self._rows("SELECT seed FROM seeds WHERE experiment = ?", (experiment,))]

    def heads(
        self, experiment: int, after: tuple[int, int, int], most: int
    ) -> list[tuple[int, int, int, int, str, str, float, int]]:
        """What tells whether a run has changed, of the next runs after a seed, replicate and attempt.

        Returns
        -------
        rows
            Number, seed, replicate, attempt, status, owner, when it was started, and a checksum that is another one
            after each change.
        """
        return self._rows(
            "SELECT id, seed, replicate, attempt, status, owner, coalesce(started, 0.0), checksum FROM runs "
            "WHERE experiment = ? AND (seed, replicate, attempt) > (?, ?, ?) ORDER BY seed, replicate, attempt LIMIT ?",
            (experiment, *after, most),
        )

    def changes(self) -> int:
        """A number that is another one after somebody else has written. It is quick to read."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def is_running(self, owner: str) -> bool:
        """Whether the supervisor of this name still works."""
        return self._is_alive(owner)

    def _runs_where(self, where: str, of_series: str, values: Sequence[Any], last_only: bool) -> dict[int, Run]:
        """Runs by their numbers. `of_series` chooses the series of the same runs, and perhaps more."""
        rows = self._rows(
            "SELECT id, seed, replicate, attempt, status, cause, detail, seconds, folder, owner, forked, "
            f"{WHOLE_RUN} FROM runs AS r WHERE {where} ORDER BY seed, replicate",
            values,
        )
        series, damaged = self._series_where(of_series, values, last_only)
        places = self._places_where(of_series, values)
        result = {}
        for number, seed, replicate, attempt, status, cause, detail, seconds, folder, owner, forked, whole in rows:
            if not whole or number in damaged:
                detail = "its record in the store is damaged, and does not count; the same command runs it again"
                result[number] = Run(int(seed), Status.INTERRUPTED, attempt=int(attempt), detail=detail)
                continue
            state = Status(status)
            if state is Status.RUNNING and not self._is_alive(owner):
                state, detail = Status.INTERRUPTED, GONE
            elif state is Status.RUNNING and owner.startswith(AWAY):
                detail = ELSEWHERE
            result[number] = Run(
                seed,
                state,
                series.get(number, {}),
                replicate,
                attempt,
                Cause(cause) if cause else None,
                detail,
                seconds,
                self._kept_at(folder),
                bool(forked),
                places.get(number),
            )
        return result

    def _series_where(
        self, where: str, values: Sequence[Any], last_only: bool
    ) -> tuple[dict[int, dict[str, Series]], set[int]]:
        """The series of runs by their numbers; and the runs of which one is damaged."""
        series: dict[int, dict[str, Series]] = {}
        damaged: set[int] = set()
        columns = "s.steps, s.numbers, s.numbers_checksum" if not last_only else "NULL, NULL, 0"
        for run, metric, position, last, length, head, steps, numbers, inner in self._rows(
            f"SELECT s.run, s.metric, s.position, s.last, length(s.numbers), s.checksum, {columns} "
            f"FROM series AS s JOIN runs AS r ON r.id = s.run WHERE {where} ORDER BY s.run, s.position",
            values,
        ):
            whole = head == checksum(run, metric, position, last, length)
            if not whole or (not last_only and inner != checksum(steps, numbers)):
                damaged.add(run)
                continue
            found = brief(metric, last, length // 8) if last_only else unpack(steps, numbers)
            series.setdefault(run, {})[metric] = found
        return series, damaged

    def _places_where(self, where: str, values: Sequence[Any]) -> dict[int, Place]:
        """Where runs were made, those that an engine gave to a node."""
        rows = self._rows(
            f"SELECT p.run, p.place, p.checksum FROM places AS p JOIN runs AS r ON r.id = p.run WHERE {where}", values
        )
        same: dict[str, Place] = {}  # many runs have one place
        found = {}
        for run, place, sum_ in rows:
            if sum_ == checksum(run, place):
                found[run] = same.setdefault(place, Place.from_dict(json.loads(place)))
        return found

    def _kept_at(self, folder: str | None) -> str | None:
        """Where the logs and files of a run are: in this store, even if the store was moved.

        None for a folder outside the store.
        """
        if folder is None:
            return None
        place = self.folder / folder
        if os.path.isabs(folder) or not place.resolve().is_relative_to((self.folder / "runs").resolve()):
            return None
        return str(place)

    def damaged_seeds(self, experiment: int) -> set[int]:
        """Seeds whose numbers in the store are damaged."""
        rows = self._rows(
            "SELECT DISTINCT r.seed FROM series AS s JOIN runs AS r ON r.id = s.run "
            "WHERE r.experiment = ? AND s.numbers_checksum <> checksum_of(s.steps, s.numbers) AND r.attempt = (SELECT max(attempt) "
            "FROM runs WHERE experiment = r.experiment AND seed = r.seed AND replicate = r.replicate)",
            (experiment,),
        )
        return {int(seed) for (seed,) in rows}

    def is_large(self, experiment: int) -> bool:
        """Whether the experiment has so many series that a report should read only their last values."""
        rows = self._db.execute(
            "SELECT 1 FROM series AS s JOIN runs AS r ON r.id = s.run WHERE r.experiment = ? LIMIT 1 OFFSET 5000",
            (experiment,),
        ).fetchone()
        return rows is not None

    def counts(self) -> dict[int, dict[str, int]]:
        """For each experiment: how many seeds have which status."""
        rows = self._rows(
            f"SELECT experiment, CASE WHEN {WHOLE_RUN} THEN status ELSE 'interrupted' END, owner, count(*) FROM runs AS r "
            "WHERE attempt = (SELECT max(attempt) FROM runs WHERE experiment = r.experiment AND seed = r.seed AND replicate = r.replicate) "
            "GROUP BY 1, 2, CASE r.status WHEN 'running' THEN owner ELSE '' END"
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

    def commands(self, experiment: int) -> int:
        """How many commands ran seeds of an experiment."""
        rows = self._rows("SELECT count(DISTINCT owner) FROM runs WHERE experiment = ?", (experiment,))
        return int(rows[0][0])

    def times(self) -> dict[int, tuple[float, float, int]]:
        """For each experiment with runs: when the last one was started, the seconds of those that finished, their number."""
        rows = self._rows(
            "SELECT experiment, max(coalesce(started, 0)), total(CASE WHEN status = 'finished' THEN seconds END), "
            "count(CASE WHEN status = 'finished' THEN seconds END) FROM runs GROUP BY experiment"
        )
        return {experiment: (float(last), float(seconds), int(n)) for experiment, last, seconds, n in rows}

    def drop_experiment(self, experiment: int) -> None:
        """Forget an experiment and its runs."""
        with self._write():
            self._db.execute("DELETE FROM experiments WHERE id = ?", (experiment,))

    def drop_if_unused(self, experiment: int) -> None:
        """Forget an experiment of which no run was begun."""
        with self._write():
            self._db.execute(
                "DELETE FROM experiments WHERE id = ? AND NOT EXISTS (SELECT 1 FROM runs WHERE experiment = ?)",
                (experiment, experiment),
            )

    def run_folder(self, experiment: Experiment, seed: int, attempt: int) -> Path:
        """The folder for the logs and files of one attempt."""
        again = "" if attempt == 1 else f"-attempt-{attempt}"
        return self.folder / "runs" / f"{experiment.name}@{experiment.version}" / f"seed-{seed}{again}"


def open_store(folder: str | None = None, *, create: bool = False, reading: bool = False) -> Store:
    """Open the store of this project, or the one in `folder`. Raises StoreError if it cannot be opened."""
    where = Path(folder).expanduser().absolute() if folder else find_folder()
    return Store(where, create=create, reading=reading)


def unbegun(seed: int) -> Run:
    """A seed that was asked for and not begun."""
    return Run(seed, Status.INTERRUPTED, attempt=0, detail="not begun")


def metrics_as_values(metrics: Sequence[Metric]) -> list[dict[str, object]]:
    """Metrics as plain values, for JSON."""
    return [
        {"name": m.name, "goal": m.goal, "goal_said": m.goal_said, "reduce": m.reduce, "pattern": m.pattern}
        for m in metrics
    ]


def metrics_from(values: Sequence[Mapping[str, Any]]) -> tuple[Metric, ...]:
    """The metrics that `metrics_as_values` gave."""
    return tuple(
        Metric(m["name"], m["goal"] and Goal(m["goal"]), m["goal_said"], Reduce(m["reduce"]), m["pattern"])
        for m in values
    )


ENDINGS_OF_TABLES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".npy", ".npz", ".parquet", ".txt", ".log"})


def _left_over(journal: Path) -> float | None:
    """Age in seconds of a journal that has something in it; None if there is none."""
    try:
        found = journal.stat()
    except OSError:
        return None
    return time.time() - found.st_mtime if found.st_size else None
