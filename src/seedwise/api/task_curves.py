"""Curves by step of methods over several tasks, from tables."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..reports.pictures.task_curves import TaskCurvesInfo
from ..stats.task_curves import iqm_curve
from ..tables.opening import open_table
from ..tables.references import Reference, ends_of
from ..tables.runs import Layout, split_runs
from ..tables.sheet import Sheet
from .files import asked_metric
from .tables import chosen_column

Array = NDArray[np.float64]
Curves = Mapping[str, Mapping[str, Sequence[tuple[Array, Array]]]]
"""Method → task → steps and values of each run."""


def read_task_curves(path: str, by: str | None, task: str, metric: str | None, layout: Layout) -> Curves:
    """The curves in a table with a column of tasks; {} where each run has one row.

    Raises
    ------
    UsageError
        As `read_methods` does.
    """
    sheet = open_table(path)
    if not isinstance(sheet, Sheet):
        return {}
    table = split_runs(sheet, by, task, layout)
    if not table.curves or table.step is None or layout.steps_to is not None:
        return {}
    k, _ = chosen_column(table, asked_metric(path, metric))
    found: dict[str, dict[str, list[tuple[Array, Array]]]] = {}
    for run, group in enumerate(table.group.tolist()):
        steps, values = table.curve(k, run)
        if steps.size and not table.lost[run]:
            method, of = table.groups[group]
            found.setdefault(method, {}).setdefault(of, []).append((steps, values))
    return found


def task_curves_info(
    methods: Curves,
    metric: str,
    *,
    reference: Reference | None = None,
    level: float = 0.95,
    rng: int = 0,
    normalised: str = "",
) -> TaskCurvesInfo:
    """The picture's numbers, over the tasks that every method has.

    Raises
    ------
    UsageError
        The methods have no task in common, or a task has no reference scores.
    """
    first = next(iter(methods.values()))
    shared = [task for task in first if all(task in of for of in methods.values())]
    if not shared:
        raise UsageError("the methods have no task in common")
    curves = {}
    for name, of in methods.items():
        tasks = []
        for task in shared:
            zero, one = (0.0, 1.0) if reference is None else ends_of(reference, task)
            tasks.append([(steps, (values - zero) / (one - zero)) for steps, values in of[task]])
        curves[name] = iqm_curve(tasks, level, rng=rng)
    return TaskCurvesInfo(metric, level, len(shared), curves, normalised)
