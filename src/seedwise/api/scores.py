"""Makes scores (seed → number) from what a user has: mappings, arrays, frames, results, files."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ..errors import MetricError, UsageError
from ..metrics.goals import guess_goal
from ..results import Goal, Results, Scores
from ..tables.sheet import LARGEST, SEED_COLUMNS


class Frame(Protocol):
    """A table from pandas or polars."""

    @property
    def columns(self) -> Iterable[object]: ...

    def __getitem__(self, column: str, /) -> Iterable[object]: ...


ScoresLike = Scores | Results | Mapping[int, float] | ArrayLike | Frame | str | os.PathLike[str]
"""Everything that holds scores: see `as_scores`."""


def as_scores(
    given: ScoresLike,
    metric: str | None = None,
    goal: Goal | str | None = None,
    name: str = "scores",
    *,
    finite: bool = True,
) -> Scores:
    """One metric as scores, seed → number.

    Parameters
    ----------
    given
        `Scores`; `Results` (one metric of them); a mapping seed → number; a pandas or polars frame with a column
        `seed`; a pandas Series indexed by seed; numbers (their seeds are then 0, 1, 2 …); or the path of a CSV file
        or a log.
    metric
        Which metric, where there are several.
    goal
        `min` or `max`. By default it is guessed from the metric's name.
    name
        What the scores are called in messages.
    finite
        Refuse NaN and infinity.

    Raises
    ------
    MetricError
        For NaN, infinity, duplicate seeds, values that are not numbers, or no scores at all. The message says what,
        and under which seed.
    """
    found = _read(given, metric, name)
    if not len(found):
        raise MetricError(f"{name}: no scores")
    if finite and not np.isfinite(found.values).all():
        broken = [seed for seed, value in found.by_seed.items() if not math.isfinite(value)]
        raise MetricError(
            f"{name}: {found.metric} is NaN or infinite under seed {', '.join(map(str, broken[:10]))}: rerun or leave out these "
            "seeds on purpose; they are not averaged away"
        )
    _refuse_out_of_range(found, name)
    if goal is not None or found.goal is None:
        found = Scores(found.metric, found.by_seed, parse_goal(goal) or guess_goal(found.metric), found.n, found.reduce)
    return found


def _refuse_out_of_range(scores: Scores, name: str) -> None:
    """Numbers whose squares leave the range of floats give no variance."""
    size = np.abs(scores.values)
    largest = float(np.max(size, where=np.isfinite(size), initial=0.0))
    if largest > LARGEST:
        raise MetricError(
            f"{name}: {scores.metric} has {largest:g}, whose square is beyond floating-point numbers: rescale"
        )
    if 0 < largest < 1 / LARGEST:
        raise MetricError(
            f"{name}: {scores.metric} is at most {largest:g}, whose square is 0 as a floating-point number: rescale"
        )


def parse_goal(goal: Goal | str | None) -> Goal | None:
    """`min`, `max` or None. Raises UsageError."""
    try:
        return None if goal is None else Goal(goal)
    except ValueError:
        raise UsageError(f"a goal is min or max; got {goal!r}") from None


def _read(given: Any, metric: str | None, name: str) -> Scores:
    if isinstance(given, Scores):
        if metric is not None and metric != given.metric:
            raise MetricError(f"{name} holds {given.metric}, not {metric}")
        return given
    if isinstance(given, Results):
        return given.scores(metric)
    if isinstance(given, str | os.PathLike):
        from .tables import read_scores

        return read_scores(str(Path(given)), () if metric is None else (metric,)).scores(
            None if metric is None else metric.partition(":")[0]
        )
    if isinstance(given, Mapping):
        return _paired(list(given.keys()), list(given.values()), metric, name)
    if hasattr(given, "columns"):
        return _frame(given, metric, name)
    if type(given).__module__.startswith("pandas") and hasattr(given, "index"):
        return _paired(list(given.index), list(given), metric or getattr(given, "name", None), name)
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise MetricError(
            f"{name}: scores are numbers, a mapping seed → number, a frame or a file; got {type(given).__name__}"
        ) from None
    if values.ndim != 1:
        raise MetricError(
            f"{name}: scores are one number for each seed; got an array of shape {values.shape}"
            + ("" if values.ndim == 0 else ": several tasks or metrics are compared with compare_tasks")
        )
    lost = np.ma.getmaskarray(given) if isinstance(given, np.ma.MaskedArray) else np.zeros(len(values), dtype=np.bool_)
    kept = {
        seed: value for seed, (value, gone) in enumerate(zip(values.tolist(), lost.tolist(), strict=True)) if not gone
    }
    return Scores(metric or "value", kept, n=len(values))


def as_tasks(given: Mapping[str, ScoresLike] | ArrayLike, name: str = "scores") -> Mapping[str, ScoresLike]:
    """Task → scores: a mapping as it is, or the columns of an array of runs × tasks (as rliable has them).

    Raises
    ------
    UsageError
        An array is not runs × tasks.
    """
    if isinstance(given, Mapping):
        return given
    from ..tables.groups import tasks_of

    return tasks_of(given, name)


def _paired(seeds: Sequence[Any], values: Sequence[Any], metric: Any, name: str) -> Scores:
    by_seed: dict[int, float] = {}
    blank: set[int] = set()
    for seed, value in zip(seeds, values, strict=True):
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            try:
                whole = int(seed) if float(seed) == int(seed) and not isinstance(seed, str) else None
                if isinstance(seed, float | np.floating) and abs(float(seed)) >= 2**53:
                    raise MetricError(
                        f"{name}: the seed {seed:.0f} is a float and has lost its last digits: give integers"
                    )
            except (TypeError, ValueError, OverflowError):
                whole = None
            if whole is None:
                raise MetricError(f"{name}: the seed {seed!r} is not an integer")
            seed = whole
        if int(seed) in by_seed or int(seed) in blank:
            raise MetricError(f"{name}: seed {int(seed)} stands twice; one score for each seed")
        if _is_blank(value):
            blank.add(int(seed))  # a run without a number did not finish
            continue
        try:
            by_seed[int(seed)] = float(value)
        except (TypeError, ValueError):
            raise MetricError(f"{name}: the score of seed {int(seed)} is no number: {value!r}") from None
    return Scores(str(metric) if metric is not None else "value", by_seed, n=len(by_seed) + len(blank))


def _frame(frame: Any, metric: str | None, name: str) -> Scores:
    columns = [str(column) for column in frame.columns]
    seed = next((c for c in columns if c.lower() in SEED_COLUMNS), None)
    if seed is None:
        raise MetricError(f"{name}: the frame has no column `seed`; its columns are {', '.join(columns)}")
    numeric = [c for c in columns if c != seed and _is_numeric(frame[c])]
    if metric is None:
        if len(numeric) != 1:
            raise MetricError(f"{name}: which metric? metric= one of {', '.join(numeric) or 'none'}")
        metric = numeric[0]
    if metric not in columns:
        raise MetricError(f"{name}: no column {metric!r}; there are {', '.join(columns)}")
    return _paired(list(frame[seed]), list(frame[metric]), metric, name)


def _is_numeric(column: Any) -> bool:
    return all(
        _is_blank(v) or (isinstance(v, int | float | np.number) and not isinstance(v, bool)) for v in list(column)[:50]
    )


def _is_blank(value: object) -> bool:
    """Whether a cell of a frame says that there is nothing: None, pandas' NA, NumPy's masked."""
    return value is None or type(value).__name__ in ("NAType", "MaskedConstant")
