"""Follows experiments in the store, for a page that is served: what goes on, and the page when it is asked for."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..api.report import page_of_results
from ..errors import UsageError
from ..experiments.grids import is_confirmation
from ..experiments.growing import Going, Growing
from ..experiments.members import members_in
from ..experiments.store import open_store
from ..metrics.choose import parse_metric
from ..reports.html.content import Page
from ..reports.standing import seconds_left
from ..results import Run, Status
from ..runs.last_words import last_words
from ..words import duration, printable

MOST_GOING = 20
_LATELY = 20
_FAMILIES = 5.0
"""Seconds between two looks at which settings of a family there are."""
_REMEMBERED = 30
"""The number of runs that go on at a time is the highest of so many looks: between two runs there is one less."""


@dataclass(frozen=True)
class Asked:
    """What is to be followed, and how it is shown."""

    names: tuple[str, ...]
    metric: tuple[str, ...] = ()
    level: float = 0.95
    rng: int = 0
    store: str | None = None


@dataclass(frozen=True)
class Now:
    """What goes on now.

    `going` has for the first runs that go on: which experiment, the seed, for how many seconds, what it has said last.
    """

    said: str
    n: int
    ended: int
    going: tuple[tuple[int, int, float, str], ...] = ()

    def is_like(self, other: "Now") -> bool:
        """Whether a page that counts the seconds itself shows the same of both."""
        return self._without_seconds() == other._without_seconds()

    def _without_seconds(self) -> tuple[object, ...]:
        return self.said, self.n, self.ended, tuple((part, seed, said) for part, seed, _, said in self.going)

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {"said": self.said, "n": self.n, "ended": self.ended, "going": [list(one) for one in self.going]}


class Following:
    """Experiments that are read again and again. It belongs to one thread.

    Raises
    ------
    UsageError, StoreError, MetricError
        There is no such experiment or no store, or a metric is not understood.
    """

    def __init__(self, asked: Asked, clock: Callable[[], float] = time.time) -> None:
        self.asked = asked
        self._clock = clock
        self._store = open_store(asked.store, reading=True)
        names = self._names()
        self._has_families = names != list(asked.names)
        self._followed = {name: Growing(self._store, name, asked.metric) for name in names}
        labels = [one.label for one in self._followed.values()]
        if len(set(labels)) < len(names):
            raise UsageError(f"each experiment once: {' '.join(names)}")
        self._written: int | None = None
        self._expanded, self._unexpanded = clock(), False
        self._news = False
        """What was seen and not yet told: a later experiment may fail to be read."""
        self._standing: dict[str, _Standing] = {}
        self._jobs: deque[int] = deque(maxlen=_REMEMBERED)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _names(self) -> list[str]:
        """The experiments: of a family, its settings that have begun."""
        found = []
        for name in self.asked.names:
            members = [member for member in members_in(self._store, name) if not is_confirmation(member)]
            found += members or [name]
        return found

    def _grow(self) -> None:
        """Follow the settings of a family that have begun meanwhile: they are run one after another."""
        if self._has_families and self._unexpanded and self._clock() - self._expanded >= _FAMILIES:
            self._expanded, self._unexpanded = self._clock(), False
            self._followed = {
                name: self._followed.get(name) or Growing(self._store, name, self.asked.metric)
                for name in self._names()
            }

    def look(self) -> bool:
        """See what has changed since the last time; whether anything did. Raises SeedwiseError if it cannot be read."""
        written = self._store.changes()
        new = written != self._written
        self._unexpanded |= new
        self._grow()
        for name, one in self._followed.items():
            if one.look(new or name not in self._standing):
                self._standing[name], self._news = _standing_of(one.runs()), True
        self._written = written
        news, self._news = self._news, False
        return news

    def page(self) -> Page:
        """The page as things stand. Raises SeedwiseError where it cannot be made."""
        groups = {of.name: of for of in [one.results() for one in self._followed.values()]}
        asked = self.asked
        first = parse_metric(asked.metric[0]).name if asked.metric else None
        known = all(first in {m.name for m in of.metrics} for of in groups.values() if of.metrics)
        reported = any(first in {m.name for m in of.metrics} for of in groups.values())
        lacking = first is not None and not reported and any(of.finished for of in groups.values())
        notes = (
            [f"No run that has finished reports {printable(str(first))}, the metric that was asked for."]
            if lacking
            else []
        )
        return page_of_results(
            groups,
            metric=first if known else None,
            level=asked.level,
            rng=asked.rng,
            notes=notes,
            store=asked.store,
            live=True,
        )

    def now(self) -> Now:
        """What goes on."""
        moment = self._clock()
        going = [(k, one) for k, of in enumerate(self._followed.values()) for one in of.going()]
        whole = _Standing()
        for one in self._standing.values():
            whole = whole.and_of(one)
        self._jobs.append(len(going))
        left = seconds_left(whole.lasted, [moment - one.began for _, one in going], whole.waiting, max(self._jobs))
        shown = tuple(self._shown(k, one, moment) for k, one in going[:MOST_GOING])
        return Now(_said(whole, left, len(going)), whole.n, whole.ended, shown)

    @staticmethod
    def _shown(part: int, one: Going, moment: float) -> tuple[int, int, float, str]:
        said = printable(last_words(one.folder, one.folder / "spool").replace("\t", " "))[:200]
        return part, one.seed, round(max(0.0, moment - one.began), 1), said

    def folder_of(self, part: int, seed: int) -> Path | None:
        """Where a run's log is; None if there is no such run. Any thread may ask."""
        followed = list(self._followed.values())
        return followed[part].folder_of(seed) if 0 <= part < len(followed) else None


@dataclass(frozen=True)
class _Standing:
    """How many seeds are in which state; and how many seconds the last ones took that ended."""

    n: int = 0
    finished: int = 0
    failed: int = 0
    running: int = 0
    waiting: int = 0
    lasted: tuple[float, ...] = ()

    @property
    def ended(self) -> int:
        return self.finished + self.failed

    def and_of(self, other: "_Standing") -> "_Standing":
        """Both together."""
        return _Standing(
            self.n + other.n,
            self.finished + other.finished,
            self.failed + other.failed,
            self.running + other.running,
            self.waiting + other.waiting,
            self.lasted + other.lasted,
        )


def _standing_of(runs: Sequence[Run]) -> _Standing:
    """A seed that was asked for and never begun waits."""
    counted = Counter(run.status for run in runs)
    waiting = sum(run.attempt == 0 for run in runs)
    ended = (run.seconds for run in reversed(runs) if run.status in (Status.FINISHED, Status.FAILED))
    lasted = tuple(islice((seconds for seconds in ended if seconds is not None), _LATELY))
    finished, failed, running = (counted[of] for of in (Status.FINISHED, Status.FAILED, Status.RUNNING))
    return _Standing(len(runs), finished, failed, running, waiting, lasted)


def _said(whole: _Standing, left: float | None, here: int) -> str:
    """How far everything is, in a sentence."""
    running, waiting = whole.running, whole.waiting
    broken = whole.n - whole.ended - running - waiting
    parts = [f"{whole.ended} of {whole.n} seeds ended"]
    parts += [f"{whole.failed} of them failed"] if whole.failed else []
    parts += [f"{running} running"] if running else []
    parts += [f"{waiting} {'waiting' if running else 'not begun'}"] if waiting else []
    parts += [f"{broken} interrupted"] if broken else []
    if here > MOST_GOING:
        parts.append(f"the first {MOST_GOING} that run are listed")
    if not running and whole.ended < whole.n:
        parts.append("nobody runs them now")
    about = f"; about {_rounded(left)} left" if left is not None and running else ""
    return ", ".join(parts) + about + "."


def _rounded(seconds: float) -> str:
    """About how long: seconds that change at each look would only be noise."""
    if seconds < 10:
        return "10 s"
    if seconds < 60:
        return f"{round(seconds, -1):.0f} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return duration(round(seconds / 600) * 600)
