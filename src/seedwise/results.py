"""Runs, results and scores: the values that one part of Seedwise gives to another. All of them are frozen."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from numbers import Integral
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from .advice import Advice
from .choices import named
from .errors import MetricError, SeedwiseError, UsageError
from .nodes import Place
from .showing import Shown, plotted
from .typos import did_you_mean
from .wording import either_goal, option

if TYPE_CHECKING:
    import numpy as np
    import pandas
    import polars
    from numpy.typing import NDArray

    from .showing import Picture


class Goal(StrEnum):
    """Which end of a metric is better."""

    MIN = "min"
    MAX = "max"


class Status(StrEnum):
    """The state of a run."""

    FINISHED = "finished"
    FAILED = "failed"
    RUNNING = "running"
    INTERRUPTED = "interrupted"


ELSEWHERE = "queued or running elsewhere"
"""What the detail of a running run says if an engine runs it (Slurm, Dask, Ray)."""


class Cause(StrEnum):
    """Why a run failed."""

    EXCEPTION = "exception"
    MISSING = "missing package"
    EXIT = "exit code"
    SIGNAL = "signal"
    NOT_ENTERED = "not entered"
    CHANGED = "code changed"
    ISOLATION = "isolation"
    TIMEOUT = "timeout"
    MEMORY = "out of memory"
    RESULT = "no result"
    FILES = "files not kept"
    DIVERGED = "diverged"


class Reduce(StrEnum):
    """Which of the values of one metric counts as the run's value."""

    LAST = "last"
    BEST = "best"
    MEAN = "mean"
    AREA = "area"


def reduce_named(name: str) -> Reduce:
    """The `Reduce` of this name. Raises UsageError if there is none."""
    return named(Reduce, name, "--reduce")


def goal_named(name: str) -> Goal:
    """The `Goal` of this name. Raises UsageError if there is none."""
    try:
        return Goal(name)
    except ValueError:
        raise UsageError(f"a goal is min or max; got {name!r}") from None


def several(texts: str | Sequence[str] | None, name: str) -> tuple[str, ...]:
    """One text, or several, as several. A text alone is not read letter by letter. None is none.

    Raises
    ------
    UsageError
        It is something else. The message says so of `name`, the argument.
    """
    found = (
        () if texts is None else (texts,) if isinstance(texts, str) or not isinstance(texts, Iterable) else tuple(texts)
    )
    if not all(isinstance(text, str) for text in found):
        raise UsageError(f"{name} is a text, or a list of texts; got {texts!r:.60}")
    return found


def _some(values: Sequence[float]) -> str:
    """A few numbers of many."""
    return ", ".join(f"{value:.4g}" for value in values[:4]) + (" …" if len(values) > 4 else "")


def _total(values: Sequence[float]) -> float:
    """The sum, correctly rounded; with infinities what arithmetic makes of them."""
    try:
        return math.fsum(values)
    except (ValueError, OverflowError):
        return sum(values)


def _frozen(mapping: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(dict(mapping))


@dataclass(frozen=True, repr=False)
class Series:
    """The values of one metric in one run, in the order in which they came.

    Where the run gave no steps, `steps` counts from 1.

    Attributes
    ----------
    steps, values
        The steps in ascending order of logging, and the value at each; of the same length.
    """

    steps: tuple[int, ...]
    values: tuple[float, ...]

    def __repr__(self) -> str:
        return f"<Series of {len(self.values)}: {_some(self.values)}>"

    def reduce(self, how: Reduce, goal: Goal | None) -> float:
        """One number for the run. `area` is that under the curve over its steps, by trapezoids.

        Raises
        ------
        UsageError
            `best` without a goal, `area` of a single value.
        """
        if how is Reduce.LAST:
            return self.values[-1]
        if how is Reduce.MEAN:
            return _total(self.values) / len(self.values)
        if how is Reduce.AREA:
            if len(self.values) < 2:
                raise UsageError("the area under a curve takes two values or more")
            points = list(zip(self.steps, self.values, strict=True))
            return _total([(end - start) * (a + b) / 2 for (start, a), (end, b) in pairwise(points)])
        if goal is None:
            raise UsageError(f"the best value of a series needs a goal: {either_goal()}")
        return min(self.values) if goal is Goal.MIN else max(self.values)


@dataclass(frozen=True, repr=False)
class Run:
    """One experiment under one seed. `detail` says in words why it failed. `folder` holds its logs and files.

    Attributes
    ----------
    seed, replicate
        The seed; and which repeat of it this is, 0 for the first.
    status, cause
        How it stands; and why it failed, None if it did not.
    series
        Name of a metric → its values by step.
    attempt
        Which try this was, 1 for the first.
    seconds
        How long it took by the clock; None where nobody measured it.
    """

    seed: int
    status: Status
    series: Mapping[str, Series] = field(default_factory=dict)
    replicate: int = 0
    attempt: int = 1
    cause: Cause | None = None
    detail: str = ""
    seconds: float | None = None
    folder: str | None = None
    forked: bool = False
    """Whether the run was forked from a process that had executed the script's first lines."""
    place: Place | None = None
    """Where it was made; None for a run on this machine that no engine has started."""
    held: "Mapping[str, NDArray[np.generic]]" = field(default_factory=dict, repr=False, compare=False)
    """Arrays that are in memory and not in the store."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "series", _frozen(self.series))
        object.__setattr__(self, "held", _frozen(self.held))

    def __repr__(self) -> str:
        why = f" ({self.cause}: {self.detail.splitlines()[0] if self.detail else ''})" if self.cause else ""
        last = [f"{name} {series.values[-1]:.4g}" for name, series in list(self.series.items())[:4] if series.values]
        more = " …" if len(self.series) > 4 else ""
        return f"<Run seed {self.seed}: {self.status}{why}{', ' if last else ''}{', '.join(last)}{more}>"

    @property
    def arrays(self) -> Mapping[str, Mapping[str, object]]:
        """The arrays that the run returned: name → shape, dtype and, for predictions, split and kind."""
        if self.held:
            return {name: {"shape": list(a.shape), "dtype": str(a.dtype)} for name, a in self.held.items()}
        if self.folder is None:
            return {}
        try:
            listed: dict[str, dict[str, Any]] = json.loads(Path(self.folder, "arrays", "arrays.json").read_text())
        except (OSError, ValueError):
            return {}
        return listed

    def array(self, name: str) -> "NDArray[np.generic]":
        """One of `arrays`, read from the store. Raises MetricError, which names the existing ones."""
        listed = self.arrays
        if name not in listed:
            raise MetricError(f"seed {self.seed} has no array {name!r}; it has: {', '.join(listed) or 'none'}")
        if name in self.held:
            return self.held[name]
        import numpy as np

        path = Path(str(self.folder), "arrays", Path(str(listed[name]["file"])).name)
        loaded: NDArray[Any] = np.load(path, allow_pickle=False)
        return loaded


def label_of(metric: str, reduce: Reduce) -> str:
    """A metric with what was taken of its series, where that is not the last value: `val_loss (best)`."""
    return metric if reduce is Reduce.LAST else f"{metric} ({reduce})"


@dataclass(frozen=True, repr=False)
class Scores:
    """One metric of some results: seed → number, with its goal.

    Parameters
    ----------
    metric
        The metric's name.
    by_seed
        The number for each seed that finished with one.
    goal
        Whether less or more is better. None if nobody said it and the name does not show it.
    n
        How many seeds were asked for. By default as many as there are numbers.
    reduce
        Which value of each run's series the numbers are.
    """

    metric: str
    by_seed: Mapping[int, float]
    goal: Goal | None = None
    n: int | None = None
    reduce: Reduce = Reduce.LAST

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_seed", _frozen(dict(sorted(self.by_seed.items()))))
        if self.goal is not None and not isinstance(self.goal, Goal):
            object.__setattr__(self, "goal", goal_named(self.goal))
        if self.n is None:
            object.__setattr__(self, "n", len(self.by_seed))

    @property
    def label(self) -> str:
        """The metric as it is shown: with its reduction, where that is not the last value."""
        return label_of(self.metric, self.reduce)

    def __repr__(self) -> str:
        goal = f":{self.goal}" if self.goal else ""
        return f"<Scores {self.metric}{goal}: {len(self)} of {self.n} seeds, {_some(tuple(self.by_seed.values()))}>"

    def __len__(self) -> int:
        return len(self.by_seed)

    def __iter__(self) -> Iterator[int]:
        return iter(self.by_seed)

    def __getitem__(self, seed: int) -> float:
        return self.by_seed[seed]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in ascending order."""
        return tuple(self.by_seed)

    @property
    def values(self) -> "NDArray[np.float64]":
        """The numbers in the order of `seeds`, shape (k,)."""
        import numpy as np

        return np.array(list(self.by_seed.values()), dtype=np.float64)


@dataclass(frozen=True, repr=False)
class Summary(Shown):
    """One metric over seeds, in its own units.

    `±` in any sentence about it is the `level` interval of the mean, by `method`.

    Numbers that these scores cannot give are None: spread and interval of a single score; everything if a score is
    NaN or infinite (`reason` then says under which seeds); best and worst if the goal is not known.

    Attributes
    ----------
    metric, goal
        The name, and which end is better; None if nobody knows.
    n, finished
        How many seeds were asked for, and how many of them finished with a number.
    mean, sd, sem
        Mean, standard deviation between seeds (divided by k - 1), and standard error of the mean.
    interval, level
        Low and high end of the interval of the mean, and its coverage.
    median, iqm
        Median, and mean of the middle half.
    min, max
        The smallest and the largest score.
    best_seed, worst_seed
        The seeds of the best and of the worst score, by the goal.
    """

    metric: str
    goal: Goal | None
    n: int
    finished: int
    mean: float | None
    sd: float | None
    sem: float | None
    interval: tuple[float, float] | None
    level: float
    median: float | None
    iqm: float | None
    min: float | None
    max: float | None
    best_seed: int | None
    worst_seed: int | None
    reason: str = ""
    method: str = "t interval"
    """How the interval was computed."""
    note: Advice | Literal[""] = ""
    """What the user should know about the interval, and can do about it."""
    reduce: Reduce = Reduce.LAST
    """Which value of each run's series was taken."""

    @property
    def label(self) -> str:
        """The metric as it is shown: with its reduction, where that is not the last value."""
        return label_of(self.metric, self.reduce)

    def __repr__(self) -> str:
        mean = self.reason if self.mean is None else f"mean {self.mean:.4g}"
        between = "" if self.interval is None else f" ({self.interval[0]:.4g} to {self.interval[1]:.4g}, {self.method})"
        return f"<Summary {self.metric}: {mean}{between}, {self.finished} of {self.n} seeds>"

    def as_dict(self) -> dict[str, object]:
        """The values under the names that the project uses in all its JSON."""
        interval = None if self.interval is None else list(self.interval)
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**values, "interval": interval, "goal": self.goal and self.goal.value, "reduce": self.reduce.value}

    @property
    def best(self) -> float | None:
        """The best score, by the goal."""
        return None if self.goal is None else self.min if self.goal is Goal.MIN else self.max

    @property
    def worst(self) -> float | None:
        """The worst score, by the goal."""
        return None if self.goal is None else self.max if self.goal is Goal.MIN else self.min


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise UsageError(f"{name} is not installed here: pip install {name}") from None


@dataclass(frozen=True)
class Metric:
    """A metric that was chosen: its goal, whether the user named it, and how a run's values become one number.

    Attributes
    ----------
    name, goal
        The name; and which end of it is better, None if nobody knows.
    reduce
        Which value of each run's series counts.
    """

    name: str
    goal: Goal | None = None
    goal_said: bool = False
    """True if the user named the goal; False if it was guessed from the name."""
    reduce: Reduce = Reduce.LAST
    pattern: str | None = None
    """A regular expression for the printed output, if the user gave one."""

    @property
    def label(self) -> str:
        """The metric as it is shown: with its reduction, where that is not the last value."""
        return label_of(self.name, self.reduce)


class RunsFailedError(SeedwiseError):
    """Every run failed. The message has the traceback of the first; `results` holds all runs."""

    def __init__(self, message: str, results: "Results") -> None:
        super().__init__(message)
        self.results = results


@dataclass(frozen=True)
class SourceDraws:
    """What one source of randomness drew in a run: how often, and from which lines (`file:line` → how often).

    `varied` says whether it varied between the runs. If not, it was to draw what it draws in a plain run; `held` says
    whether it did so in every run.
    """

    source: str
    count: int
    lines: Mapping[str, int]
    varied: bool
    held: bool = False

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "source": self.source,
            "count": self.count,
            "lines": dict(self.lines),
            "varied": self.varied,
            "held": self.held,
        }


@dataclass(frozen=True, repr=False)
class Results(Shown):
    """The runs of one experiment: the newest attempt for each seed.

    `metrics` holds the metrics that were chosen. `left_out` gives the reason for every other name that was found and
    not chosen. Each of the `warnings` names a next step.

    Attributes
    ----------
    name, key
        The experiment's name with its version, and the digest of all that belongs to it.
    command
        The words of the command; of a function, how it is called.
    runs
        One for each seed, in ascending order.
    sites
        Of each seed site: `location`, what is `typed` there, `where` it goes, its `source`, and what it
        `receives` under seed s.
    notes
        What a reader should know and need not act on.
    """

    name: str
    key: str
    command: tuple[str, ...]
    runs: Sequence[Run]
    metrics: tuple[Metric, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    sites: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[Advice, ...] = ()
    notes: tuple[str, ...] = ()
    forking: str = ""
    """How many runs were forked, and under which seeds forked and fresh runs were compared; "" if none was forked."""
    anytime: tuple[str, ...] = ()
    """Metrics that decided when to stop adding seeds."""
    question: tuple[str, ...] = ()
    """Metrics that are equally likely to be what the user wants to know; () where the first one leads."""
    draws: tuple[SourceDraws, ...] = ()
    """What each source drew in the first run, where sources were kept apart (`--vary`)."""
    there: int | None = None
    """How many seeds the experiment has, if these are only some of them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "left_out", _frozen(self.left_out))

    def __repr__(self) -> str:
        names = ", ".join(m.name for m in self.metrics[:4]) + (" …" if len(self.metrics) > 4 else "")
        return f"<Results {self.name}: {len(self.finished)} of {len(self.runs)} runs finished; {names or 'no metric'}>"

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, in ascending order."""
        return tuple(sorted(run.seed for run in self.runs))

    def having(self, status: Status) -> Sequence[Run]:
        """The runs with this status."""
        return tuple(run for run in self.runs if run.status is status)

    @cached_property
    def finished(self) -> Sequence[Run]:
        """The runs that finished."""
        return self.having(Status.FINISHED)

    @property
    def failed(self) -> Sequence[Run]:
        """The runs that failed."""
        return self.having(Status.FAILED)

    def metric(self, name: str | None = None) -> Metric:
        """A chosen metric by its name; upper and lower case do not matter. Without a name: the only one.

        Raises
        ------
        MetricError
            There is no such metric, or the name is missing and there are several. The message names the existing
            ones.
        """
        known = [metric.name for metric in self.metrics]
        if name is None:
            if len(self.metrics) == 1:
                return self.metrics[0]
            raise MetricError(f"which metric? {self.name} has: {', '.join(known) or 'none'}")
        for metric in self.metrics:
            if name in (metric.name, metric.name.replace("_", " ")):
                return metric
        for metric in self.metrics:
            if metric.name.lower() == name.lower().replace(" ", "_"):
                return metric
        meant, there = did_you_mean(name, known), f"; it has: {', '.join(known) or 'none'}"
        raise MetricError(f"{self.name} has no metric {name!r}{meant or there}")

    def _columns(self) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {
            "seed": [run.seed for run in self.runs],
            "status": [run.status.value for run in self.runs],
            "seconds": [run.seconds for run in self.runs],
        }
        for metric in self.metrics:
            by_seed = self.scores(metric.name).by_seed
            columns[metric.name] = [by_seed.get(run.seed) for run in self.runs]
        return columns

    def to_pandas(self) -> "pandas.DataFrame":
        """A pandas DataFrame: a row for each run, with seed, status, seconds and each metric."""
        return _library("pandas").DataFrame(self._columns())

    def to_polars(self) -> "polars.DataFrame":
        """A polars DataFrame: a row for each run, with seed, status, seconds and each metric."""
        return _library("polars").DataFrame(self._columns())

    def plot(self, kind: str | None = None, *, metric: str | None = None, level: float = 0.95) -> "Picture":
        """A picture: `results.plot("curves").save("fig.pdf")`. The kinds are those of `seedwise plot`.

        Raises
        ------
        UsageError, MetricError
            There is no such kind, or the metric cannot be drawn so.
        """
        return plotted(self, kind, metric=metric, level=level)

    def scores(self, metric: str | None = None) -> Scores:
        """Seed → number for one metric, for the runs that finished with it. Raises MetricError as `metric` does."""
        chosen = self.metric(metric)
        if chosen not in self._scores:
            values = {
                run.seed: run.series[chosen.name].reduce(chosen.reduce, chosen.goal)
                for run in self.finished
                if chosen.name in run.series
            }
            self._scores[chosen] = Scores(chosen.name, values, chosen.goal, n=len(self.runs), reduce=chosen.reduce)
        return self._scores[chosen]

    @cached_property
    def _scores(self) -> dict[Metric, Scores]:
        """The scores that were computed before."""
        return {}


_PART = re.compile(
    r"(?P<one>\d+)|(?P<low>\d+)\s*(?:-|–|\.\.\.?)\s*(?P<high>\d+)|(?P<start>\d*):(?P<stop>\d+)(?::(?P<step>\d+))?",
    re.ASCII,
)
_MOST_SEEDS = 10_000_000


def parse_seeds(text: str) -> list[int]:
    """Seeds from text such as `0,3,5`, `1-30`, `1..30` (both with their ends), `0:30` (as in Python, without 30).

    Raises UsageError, which names the part that is wrong.
    """
    seeds: list[int] = []
    for part in text.split(","):
        word = part.strip()
        found = _PART.fullmatch(word)
        if found is None:
            raise UsageError(
                f"{option('--seeds')} takes numbers and ranges, 0,3,5 or 1-30; {word!r} is neither{_meant(word)}"
            )
        seeds.extend(_range(word, found))
    return check_seeds(seeds)


def _range(word: str, found: "re.Match[str]") -> range:
    if found["one"]:
        row = range(int(found["one"]), int(found["one"]) + 1)
    elif found["low"]:
        row = range(int(found["low"]), int(found["high"]) + 1)
    elif found["step"] is not None and int(found["step"]) == 0:
        raise UsageError(f"{option(f'--seeds {word}')}: a step of 0 never ends")
    else:
        row = range(int(found["start"] or 0), int(found["stop"]), int(found["step"] or 1))
    if not row:
        raise UsageError(f"{option(f'--seeds {word}')}: the range ends before it begins")
    if len(row) > _MOST_SEEDS:
        raise UsageError(f"{option(f'--seeds {word}')}: that is {len(row)} seeds; the most is ten million")
    return row


def _meant(word: str) -> str:
    """What somebody meant by seeds that cannot be read: `range(30)` is `0:30`."""
    numbers = re.findall(r"\d+", word)
    if word.startswith("range(") and 1 <= len(numbers) <= 3:
        row = numbers if len(numbers) > 1 else ["0", *numbers]
        return f": did you mean {option('--seeds ' + ':'.join(row))}?"
    if len(numbers) > 1 and re.fullmatch(r"[\[(]?\s*\d+(?:[\s;]+\d+)*\s*[\])]?", word):
        return f": did you mean {option('--seeds ' + ','.join(numbers))}?"
    return ""


def check_seeds(seeds: Iterable[int]) -> list[int]:
    """The seeds as a list.

    Raises UsageError for a number of seeds instead of seeds, for duplicates, for a seed out of range, and for no
    seeds.
    """
    from seedwise_guest import SeedError
    from seedwise_guest.protocol import check_seed

    if isinstance(seeds, str):
        raise UsageError(f"seeds are integers, and {seeds!r} is text: seeds={parse_seeds(seeds)!r:.60}")
    if isinstance(seeds, Integral):
        raise UsageError(f"seeds are the seeds themselves, not how many: seeds=range(1, {int(seeds) + 1})?")
    if callable(seeds) or not isinstance(seeds, Iterable):
        raise UsageError(f"seeds are integers, such as range(1, 31) or [0, 3, 5]; got {seeds!r}")
    try:
        checked = [check_seed(seed) for seed in seeds]
    except SeedError as error:
        raise UsageError(str(error)) from None
    seen: set[int] = set()
    double = sorted({seed for seed in checked if seed in seen or seen.add(seed)})  # type: ignore[func-returns-value]
    if double:
        raise UsageError(f"each seed may stand once; twice or more: {', '.join(map(str, double[:10]))}")
    if not checked:
        raise UsageError("no seeds: name at least one")
    return checked
