"""The experiments of a project: when each was run, what it gave, and how it differs from the one before it."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..errors import UsageError
from ..experiments.differences import differences
from ..experiments.store import Experiment, Store, find_folder, open_store
from ..results import Reduce, Scores, Status


@dataclass(frozen=True)
class Listed:
    """One experiment in the list.

    Attributes
    ----------
    n, finished, failed
        How many seeds were asked for, and how many of them finished and failed.
    last_run
        When a run of it was last started, in seconds since 1970.
    seconds
        How long its finished runs took together; `seconds_each` their mean. None where none finished.
    metric, mean, interval
        The metric that leads its report, with the interval of the mean; None where there is none.
    differs
        What it has otherwise than the version before it of the same name.
    """

    name: str
    key: str
    n: int
    finished: int
    failed: int
    command: tuple[str, ...]
    last_run: float = 0.0
    seconds: float | None = None
    seconds_each: float | None = None
    metric: str | None = None
    mean: float | None = None
    interval: tuple[float, float] | None = None
    sd: float | None = None
    differs: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        when = datetime.fromtimestamp(self.last_run, UTC).isoformat(timespec="seconds")
        return {**asdict(self), "command": list(self.command), "last_run": when, "differs": list(self.differs)}


def listing(store: str | None = None) -> list[Listed]:
    """The experiments in the store, oldest first."""
    folder = find_folder() if store is None else Path(store).expanduser().absolute()
    if not (folder / "store.sqlite").exists():
        return []
    with open_store(store) as opened:
        counts, times = opened.counts(), opened.times()
        every = opened.experiments()
        before = _versions_before(every)
        return [_listed(opened, e, before.get(e.id), counts.get(e.id, {}), times.get(e.id)) for e in every]


def _versions_before(every: Sequence[Experiment]) -> dict[int, Experiment]:
    last: dict[str, Experiment] = {}
    found: dict[int, Experiment] = {}
    for experiment in every:
        if experiment.name in last:
            found[experiment.id] = last[experiment.name]
        last[experiment.name] = experiment
    return found


def _listed(
    store: Store,
    experiment: Experiment,
    before: Experiment | None,
    counts: Mapping[str, int],
    times: tuple[float, float, int] | None,
) -> Listed:
    started, seconds, timed = times or (experiment.created, 0.0, 0)
    finished = counts.get(Status.FINISHED, 0)
    metric, mean, interval, sd = _headline(store, experiment) if finished else (None, None, None, None)
    changed: list[str] = []
    if before is not None:
        changed = differences(before, experiment, store.inputs(before.id), store.inputs(experiment.id))
    return Listed(
        experiment.label,
        experiment.key,
        sum(counts.values()),
        finished,
        counts.get(Status.FAILED, 0),
        tuple(experiment.command),
        started,
        seconds if timed else None,
        seconds / timed if timed else None,
        metric,
        mean,
        interval,
        sd,
        tuple(changed),
    )


def _headline(
    store: Store, experiment: Experiment
) -> tuple[str | None, float | None, tuple[float, float] | None, float | None]:
    """The metric that leads the report, its mean, the interval, the SD: the same numbers as in the report."""
    from ..experiments.loading import runs_of
    from ..metrics.choose import choose
    from ..metrics.summary import Interval, summary_of

    said = experiment.plan.get("options", {})
    how = Reduce(said.get("reduce", "last"))
    asked = [replace(metric, reduce=how) for metric in experiment.metrics]
    runs = [run for run in runs_of(store, experiment, asked, how, brief=True) if run.status is Status.FINISHED]
    choice = choose(runs, asked, how)
    metric = next((m for m in choice.metrics if how is not Reduce.BEST or m.goal is not None), None)
    if metric is None or choice.question:
        return None, None, None, None
    values = {r.seed: r.series[metric.name].reduce(how, metric.goal) for r in runs if metric.name in r.series}
    if not values or not all(map(math.isfinite, values.values())):
        return metric.name, None, None, None
    scores = Scores(metric.name, values, metric.goal)
    s = summary_of(scores, Interval.ANYTIME if metric.name in said.get("anytime", ()) else Interval.T)
    return metric.name, s.mean, s.interval, s.sd


def newest(how_many: int = 1, store: str | None = None) -> tuple[list[str], int]:
    """The experiments that were run last, the newest first, and how many there are.

    Raises
    ------
    UsageError
        There are fewer.
    StoreError
        There is no store, or it is damaged.
    """
    with open_store(store) as opened:
        times = opened.times()
        every = sorted(opened.experiments(), key=lambda e: (times.get(e.id, (e.created,))[0], e.id), reverse=True)
    if len(every) < how_many:
        there = (
            f"there is only {every[0].label}"
            if every
            else "there are no experiments yet: seedwise run -n 30 -- python train.py"
        )
        raise UsageError(there)
    return [e.label for e in every[:how_many]], len(every)


def command_line(command: Sequence[str]) -> str:
    """The command as it would be typed; of a path to an interpreter only its name."""
    words = list(command)
    if words and os.sep in words[0] and os.path.basename(words[0]).startswith("python"):
        words[0] = os.path.basename(words[0])
    return " ".join(words)
