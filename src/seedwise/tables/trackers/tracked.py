"""Runs of a tracker as a table: a row for each run and step, with columns for settings and metrics."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...advice import Advice
from ...errors import UsageError
from ...results import Goal
from ..seeds_in_names import seeds_in
from ..sheet import SEED_COLUMNS, Codes, Column, Sheet, Texts, column_of_texts, factorised, looks_like_seed

RUN, STEP, STATE, GROUP = "run", "step", "state", "group"
_UNNUMBERED = re.compile(r"(?i)[-_ ./]*(?:run|rep|repeat|trial|version)?[-_ ./=]?\d+$")
"""What tells runs of one name apart: `ppo-2`, `ppo/run_2`, `version_3`."""
UNSET = "unset"
"""What a setting is in a run that has none of this name."""


@dataclass
class Tracked:
    """One run as a tracker stored it."""

    name: str
    """What people call it."""
    identity: str
    """What tells it apart from every other run."""
    settings: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """Name → (step, value), in the order in which they were logged."""
    state: str = ""
    """`finished`, `failed` or `running`; "" where the tracker does not say it."""

    def log(self, name: str, step: float, value: float) -> None:
        """One more value of a metric."""
        self.metrics.setdefault(name, []).append((step, value))


def sheet_of_runs(
    path: str,
    origin: str,
    runs: Sequence[Tracked],
    goals: Mapping[str, Goal] | None = None,
    notes: Iterable[Advice] = (),
) -> Sheet:
    """A table of runs, with a row for each run and step.

    Parameters
    ----------
    origin
        What the runs are, in words: `runs of W&B`.

    Raises
    ------
    UsageError
        There are no runs.
    """
    if not runs:
        raise UsageError(f"{path} holds no {origin}")
    runs = _told_apart(runs)
    said = list(notes)
    curves, twice = [], 0
    for run in runs:
        curve, again = _curve(run)
        curves.append(curve)
        twice += again
    if twice:
        said.append(
            Advice(
                f"{twice} numbers were logged twice at one step, and the later one counts",
                "log each number once a step where that is not meant",
            )
        )
    steps = [sorted({step for by_step in curve.values() for step in by_step}) or [0.0] for curve in curves]
    lengths = np.array([len(of) for of in steps])
    ends = np.cumsum(lengths)
    columns = _settings(runs, lengths)
    settings = frozenset(range(1, len(columns)))
    taken = {column.name for column in columns}
    columns.append(_numbers(_free(STEP, taken), np.concatenate([np.array(of, dtype=np.float64) for of in steps])))
    step_at = len(columns) - 1
    metrics = list(dict.fromkeys(name for curve in curves for name in curve))
    taken |= {columns[-1].name}
    named: dict[str, Goal] = {}
    for metric in metrics:
        name = _free(metric, taken)
        taken.add(name)
        columns.append(_metric(name, [curve.get(metric, {}) for curve in curves], steps))
        if goals and metric in goals:
            named[name] = goals[metric]

    def place(row: int) -> str:
        return f"{path}, run {runs[int(np.searchsorted(ends, row, side='right'))].name}"

    def spell(k: int) -> tuple[Codes, Texts]:
        return factorised([str(value) for value in columns[k].values.tolist()])

    kind = origin if len(runs) > 1 else origin.replace("runs", "run", 1)
    return Sheet(
        path,
        tuple(columns),
        int(lengths.sum()),
        place,
        spell,
        step=step_at,
        origin=f"{len(runs)} {kind}",
        settings=settings,
        goals=named,
        notes=tuple(said),
    )


def _told_apart(runs: Sequence[Tracked]) -> list[Tracked]:
    """Runs of one name get what tells them apart behind it."""
    seen = Counter(run.name for run in runs)
    return [
        run
        if run.name and seen[run.name] == 1
        else replace(run, name=f"{run.name} ({run.identity})".strip())
        if run.name
        else replace(run, name=run.identity)
        for run in runs
    ]


def _curve(run: Tracked) -> tuple[dict[str, dict[float, float]], int]:
    """Metric → step → value, and how many values gave way to a later one of the same step.

    A metric that was always logged at the same step was logged without one: the order is its step.
    """
    found: dict[str, dict[float, float]] = {}
    twice = 0
    for name, points in run.metrics.items():
        if len(points) > 1 and len({step for step, _ in points}) == 1:
            points = [(float(k), value) for k, (_, value) in enumerate(points)]
        found[name] = dict(points)
        twice += len(points) - len(found[name])
    return found, twice


def _settings(runs: Sequence[Tracked], lengths: NDArray[np.int64]) -> list[Column]:
    """The columns that have one value for each run: its name, state, settings, and the seed and group in its name."""
    given: dict[str, list[str]] = {RUN: [run.name for run in runs]}
    if any(run.state for run in runs):
        given[STATE] = [run.state or "finished" for run in runs]
    for name in dict.fromkeys(name for run in runs for name in run.settings):
        missing = "" if looks_like_seed(name) else UNSET
        texts = [run.settings.get(name, missing) for run in runs]
        given[name if name not in given else _free(f"{name} (setting)", given)] = texts
    if not any(looks_like_seed(name) for name in given):
        said = seeds_in(given[RUN])
        if said is not None:
            given["seed"] = [str(seed) for _, seed in said]
            groups = [group or "all" for group, _ in said]
        else:
            groups = [_UNNUMBERED.sub("", name) or "all" for name in given[RUN]]
        if GROUP not in given and len(set(groups)) < len(groups):
            given[GROUP] = groups
    columns = []
    for name, texts in given.items():
        codes, known = factorised(texts)
        columns.append(column_of_texts(name, np.repeat(codes, lengths), known)[0])
    return columns


def _metric(name: str, curves: Sequence[Mapping[float, float]], steps: Sequence[Sequence[float]]) -> Column:
    cells = [curve.get(step) for curve, of in zip(curves, steps, strict=True) for step in of]
    blank = np.array([cell is None for cell in cells], dtype=np.bool_)
    values = np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    return Column(name, values, blank if blank.any() else None, None, int((~blank).sum()))


def _numbers(name: str, values: NDArray[np.float64]) -> Column:
    whole: NDArray[Any] = values.astype(np.int64) if bool((values == np.trunc(values)).all()) else values
    return Column(name, whole, None, None, len(values))


def _free(name: str, taken: Iterable[str]) -> str:
    """A name that no other column has: a metric that is called like a setting is told apart."""
    lower = {one.lower() for one in taken}
    if name.lower() not in lower and not (name.lower() in SEED_COLUMNS and lower & set(SEED_COLUMNS[:6])):
        return name
    k = 2
    while f"{name} ({k})".lower() in lower:
        k += 1
    return f"{name} ({k})"
