"""Methods that hold their scores themselves: `{"A": [0.8, 0.7], "B": …}`, or an array of runs × tasks for each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..advice import Advice
from ..errors import UsageError
from ..results import Reduce, Scores
from ..wording import option

VALUE = "value"


@dataclass(frozen=True)
class Groups:
    """Method → task → scores, of a file that has no columns. A file of one method calls it ""."""

    path: str
    scores: Mapping[str, Mapping[str, Scores]]
    curves: "Mapping[str, NDArray[np.float64]]" = field(default_factory=dict)
    """Method → numbers of runs × tasks × steps, where the file has them."""
    notes: tuple[Advice, ...] = ()
    """What the user should know of how many numbers became one."""

    def reduced(self, how: Reduce | None) -> "Groups":
        """The same with another number of the steps. Raises UsageError where that cannot be."""
        if how is None:
            return self
        if not self.curves:
            raise UsageError(f"{option('--reduce')} would be ignored: {self.path} has one number for each run")
        if how not in (Reduce.LAST, Reduce.MEAN):
            raise UsageError(
                f"{option(f'--reduce {how}')}: the steps in {self.path} have no numbers and no goal: last or mean"
            )
        return groups_of(self.path, self.curves, how)


def groups_of(path: str, methods: Mapping[str, Any], reduce: Reduce = Reduce.LAST) -> Groups:
    """Methods and what they hold: numbers (runs), runs × tasks, runs × tasks × steps, or a mapping task → numbers.

    Parameters
    ----------
    reduce
        Which number of the steps counts: the last or the mean.

    Raises
    ------
    UsageError
        It holds something else.
    """
    if not methods:
        raise UsageError(f"{path} is empty")
    methods, curves = _without_steps(path, methods, reduce)
    found: dict[str, Mapping[str, Scores]] = {}
    for name, given in methods.items():
        where = f"{path}, {name}" if name else path
        nested = isinstance(given, Mapping) and any(
            isinstance(v, Mapping | Sequence | np.ndarray) for v in given.values()
        )
        if nested and not all(isinstance(v, Mapping | Sequence | np.ndarray) for v in given.values()):
            raise UsageError(f"{where}: holds numbers and tasks; it is one or the other")
        if nested:
            found[name] = {str(task): _runs(v, f"{where}, {task}") for task, v in given.items()}
        elif isinstance(given, Mapping):
            found[name] = {"": _by_seed(given, where)}
        else:
            found[name] = tasks_of(given, where)
    lengths = sorted({of.shape[2] for of in curves.values()})
    how = "their mean" if reduce is Reduce.MEAN else "the last"
    notes = (
        Advice(
            f"a run has {' or '.join(map(str, lengths))} steps and counts with {how}",
            f"{option('--reduce')} last or mean says which",
        ),
    )
    return Groups(path, found, curves, notes if curves else ())


def _without_steps(
    path: str, methods: Mapping[str, Any], reduce: Reduce
) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Arrays of runs × tasks × steps with one number for their steps; and these arrays."""
    found: dict[str, Any] = {}
    curves: dict[str, NDArray[np.float64]] = {}
    for name, given in methods.items():
        if not isinstance(given, np.ndarray) or given.ndim != 3 or given.dtype.kind not in "biuf":
            found[name] = given
            continue
        curves[name] = given.astype(np.float64)
        if not given.shape[2]:
            raise UsageError(f"{path}, {name}: an array of runs × tasks × steps has no steps")
        found[name] = given.mean(axis=2) if reduce is Reduce.MEAN else given[:, :, -1]
    if len({of.shape[1] for of in curves.values()}) > 1:
        raise UsageError(f"{path}: the methods have different numbers of tasks")
    return found, curves


def tasks_of(given: Any, where: str) -> dict[str, Scores]:
    """Task → scores of an array of runs, or of runs × tasks. What a masked array hides did not finish."""
    numbers, lost = _array(given, where)
    if numbers.ndim == 1:
        return {"": _scores(numbers, lost)}
    if numbers.ndim == 2:
        return {f"task {task}": _scores(numbers[:, task], lost[:, task]) for task in range(numbers.shape[1])}
    raise UsageError(
        f"{where}: an array is runs, or runs × tasks; got shape {numbers.shape}"
        + (": if the last axis is time, take one point of it, scores[:, :, -1]" if numbers.ndim == 3 else "")
    )


def _runs(given: Any, where: str) -> Scores:
    if isinstance(given, Mapping):
        return _by_seed(given, where)
    numbers, lost = _array(given, where)
    if numbers.ndim != 1:
        raise UsageError(f"{where}: one number for each run; got an array of shape {numbers.shape}")
    return _scores(numbers, lost)


def _scores(numbers: Any, lost: Any) -> Scores:
    kept = {
        seed: value for seed, (value, gone) in enumerate(zip(numbers.tolist(), lost.tolist(), strict=True)) if not gone
    }
    return Scores(VALUE, kept, n=len(numbers))


def _array(given: Any, where: str) -> tuple[Any, Any]:
    """Numbers, and where there are none."""
    mask = np.ma.getmaskarray(given) if isinstance(given, np.ma.MaskedArray) else None
    data = np.ma.getdata(given) if mask is not None else given
    if isinstance(data, str | bytes):
        raise UsageError(f"{where}: {data!r} is no number")
    if not isinstance(data, np.ndarray) or data.dtype.kind == "O":
        _refuse_words(data, where)
        mask = np.array(
            [[cell is None for cell in row] if _is_row(row) else row is None for row in data], dtype=np.bool_
        )
    try:
        numbers = np.asarray(data, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{where}: numbers of one kind are read, runs × tasks without gaps") from None
    return numbers, np.zeros(numbers.shape, dtype=np.bool_) if mask is None else mask


def _is_row(item: Any) -> bool:
    return isinstance(item, list | tuple | np.ndarray)


def _refuse_words(items: Any, where: str) -> None:
    if not isinstance(items, list | tuple | np.ndarray):
        raise UsageError(f"{where}: {items!r} is no list of numbers")
    widths = {len(item) if _is_row(item) else -1 for item in items}
    if len(widths) > 1:
        raise UsageError(f"{where}: the rows of runs × tasks are of different lengths")
    for k, item in enumerate(items):
        for j, cell in enumerate(item if _is_row(item) else (item,)):
            if cell is not None and (isinstance(cell, bool) or not isinstance(cell, int | float | np.number)):
                at = f"number {k + 1}" + (f", task {j}" if _is_row(item) else "")
                raise UsageError(f"{where}: {at} is {cell!r}, which is no number")


def _by_seed(given: Mapping[Any, Any], where: str) -> Scores:
    found: dict[int, float] = {}
    for key, value in given.items():
        try:
            seed = int(key)
        except ValueError:
            raise UsageError(
                f"{where}: the keys are seeds, or tasks with lists of numbers; {key!r} is neither"
            ) from None
        if seed in found:
            raise UsageError(f"{where}: seed {seed} stands twice")
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or math.isinf(float(value)):
            raise UsageError(f"{where}: the score of seed {seed} is {value!r}, which is no number")
        found[seed] = float(value)
    return Scores(VALUE, found, n=len(given))
