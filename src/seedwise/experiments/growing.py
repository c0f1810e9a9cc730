"""The runs of an experiment while they go on: read again and again, only what changed, a few rows at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..metrics import choose as metrics
from ..results import Results, Run, Status, reduce_named
from .loading import asked_of, read_again, results_from
from .owners import AWAY
from .store import Experiment, Store, unbegun

_HEADS, _RUNS = 2000, 200
"""So many rows are read at once. SQLite lets nobody write while rows are read, so each time must be short."""


@dataclass(frozen=True)
class Going:
    """A run that is going on, and since when (seconds since 1970)."""

    seed: int
    began: float
    folder: Path


class _Head(NamedTuple):
    """What `Store.heads` gives of a run."""

    number: int
    seed: int
    replicate: int
    attempt: int
    status: str
    owner: str
    began: float
    checksum: int


@dataclass
class _Known:
    run: Run
    checksum: int
    problems: list[str] = field(default_factory=list)


class Growing:
    """The runs of one experiment. `look` sees what others have written since; it belongs to one thread, as a store does.

    Raises UsageError for a metric or a reduction that is not understood.
    """

    def __init__(self, store: Store, name: str, metric: Sequence[str] = ()) -> None:
        self._store = store
        self._experiment = store.experiment(name)
        self._reduce = reduce_named(self._experiment.plan.get("options", {}).get("reduce", "last"))
        self._asked = [metrics.parse_metric(m, self._reduce) for m in metric]
        self._heads: dict[tuple[int, int], _Head] = {}
        self._running: list[_Head] = []
        self._known: dict[int, _Known] = {}
        self._unbegun: list[int] = []
        self._gone: set[str] = set()

    @property
    def label(self) -> str:
        """The experiment's name."""
        return self._experiment.label

    def look(self, written: bool = True) -> bool:
        """See what changed; whether anything did.

        Parameters
        ----------
        written
            Whether anybody has written to the store since. If not, a supervisor may have gone without a word.

        Raises
        ------
        UsageError
            The experiment is no longer in the store.
        """
        changed = self._read() if written else False
        gone = {h.owner for h in self._running if not self._store.is_running(h.owner)}
        if gone != self._gone:  # whether such a run was interrupted is for the store to say
            self._gone, changed = gone, True
            for head in self._running:
                self._known.pop(head.number, None)
            self._read()
        return changed

    def _read(self) -> bool:
        self._experiment = self._there()
        heads: dict[tuple[int, int], _Head] = {}
        for head in self._every_head():
            newest = heads.get((head.seed, head.replicate))
            if newest is None or newest.attempt < head.attempt:
                heads[head.seed, head.replicate] = head
        other = [h.number for h in heads.values() if self._is_other(h)]
        asked = asked_of(self._experiment, self._asked, self._reduce)
        files = tuple(self._experiment.plan.get("options", {}).get("metric_files", ()))
        checksums = {h.number: h.checksum for h in heads.values()}
        for k in range(0, len(other), _RUNS):
            for number, run in self._store.runs_numbered(other[k : k + _RUNS]).items():
                problems: list[str] = []
                self._known[number] = _Known(read_again(run, asked, files, problems), checksums[number], problems)
        begun = {seed for seed, _ in heads}
        unbegun_now = [seed for seed in self._store.wanted(self._experiment.id) if seed not in begun]
        changed = bool(other) or heads != self._heads or unbegun_now != self._unbegun
        self._heads, self._unbegun = heads, unbegun_now
        self._running = [h for h in heads.values() if h.status == Status.RUNNING]
        return changed

    def _is_other(self, head: _Head) -> bool:
        known = self._known.get(head.number)
        return known is None or known.checksum != head.checksum

    def _there(self) -> Experiment:
        return self._store.experiment(f"{self._experiment.name}@{self._experiment.version}")

    def _every_head(self) -> Iterator[_Head]:
        after = (-1, 0, 0)
        while True:
            rows = [_Head._make(row) for row in self._store.heads(self._experiment.id, after, _HEADS)]
            yield from rows
            if len(rows) < _HEADS:
                return
            after = rows[-1].seed, rows[-1].replicate, rows[-1].attempt

    def runs(self) -> list[Run]:
        """The newest attempt of each seed, as `Store.runs` gives them."""
        found = [unbegun(seed) for seed in self._unbegun]
        for head in self._heads.values():
            known = self._known.get(head.number)
            if known is None:
                continue  # it was removed between two reads
            found.append(known.run)
        return sorted(found, key=lambda run: (run.seed, run.replicate))

    def results(self) -> Results:
        """The results so far, as `load` gives them. Raises what it raises."""
        runs = self.runs()
        problems = [text for head in self._heads.values() for text in self._problems(head.number)]
        asked = asked_of(self._experiment, self._asked, self._reduce)
        return results_from(
            self._store, self._experiment, runs, asked, self._reduce, there=len(runs), problems=problems
        )

    def _problems(self, number: int) -> list[str]:
        known = self._known.get(number)
        return known.problems if known else []

    def going(self) -> list[Going]:
        """The runs that are going on here, the one that began first in front. Those that an engine has are not among them."""
        found = [
            Going(h.seed, h.began, self._store.run_folder(self._experiment, h.seed, h.attempt))
            for h in self._running
            if h.owner not in self._gone and not h.owner.startswith(AWAY)
        ]
        return sorted(found, key=lambda one: (one.began, one.seed))

    def folder_of(self, seed: int) -> Path | None:
        """Where the log of the newest run under a seed is; None if there is no such run. Any thread may ask."""
        head = self._heads.get((seed, 0))
        if head is None:
            return None
        known = self._known.get(head.number)
        if known is not None and known.run.folder is not None:
            return Path(known.run.folder)
        return self._store.run_folder(self._experiment, seed, head.attempt)
