"""For `compare FILE --by COLUMN`: reads the scores of several methods from one file."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import UsageError
from ..metrics import choose as metrics
from ..metrics.goals import looks_like_metric
from ..results import Metric, Scores
from .scores import as_scores
from .tables import Sheet, number_of, read_sheet, seed_of, text_of


def read_groups(path: str, by: str, metric: str | None = None) -> dict[str, Scores]:
    """Scores of several methods from one file. The column `by` holds the method's name."""
    return {name: of[""] for name, of in read_tasks(path, by, None, metric).items()}


def read_tasks(path: str, by: str, task: str | None, metric: str | None = None) -> dict[str, dict[str, Scores]]:
    """The scores of each method on each task, from a table with a row for each run.

    Parameters
    ----------
    by, task
        Names of the columns that hold the method and the task.
    metric
        NAME, NAME:min or NAME:max. By default the only column of numbers, or the only one that is named like a
        metric.

    Returns
    -------
    dict
        Method → task → scores. Without `task`, the only task is "".

    Raises
    ------
    UsageError
        The same run has two rows, or a cell is not a number. (If episodes or epochs were counted as runs, intervals
        would be far too narrow.)
    """
    if path.lower().endswith(".json"):
        return _groups_of_json(path, metric)
    sheet = read_sheet(path)
    at_by, seeds = sheet.column(by, "--by"), sheet.seeds_at
    at_task = None if task is None else sheet.column(task, "--task")
    asked = None if metric is None else metrics.parse_metric(metric)
    at = _metric_column(sheet, asked, [at_by, at_task, seeds])
    found: dict[str, dict[str, dict[int, float]]] = {}
    lines: dict[tuple[str, str, int], int] = {}
    for line, row in sheet.rows:
        name, of = row[at_by], "" if at_task is None else row[at_task]
        scores = found.setdefault(name, {}).setdefault(of, {})
        seed = len(scores) if seeds is None else seed_of(sheet, line, row[seeds])
        if (name, of, seed) in lines:
            others = [n for k, n in enumerate(sheet.names) if k not in (at_by, at_task, seeds, at)]
            tell = f": is another column what tells them apart (--task {' or '.join(others)})?" if others else ""
            raise UsageError(
                f"{path}:{line}: seed {seed} of {name}{f' on {of}' if of else ''} stood already on line {lines[name, of, seed]}; a run "
                f"counts once{tell} Rows within one run, such as episodes or epochs, are no further runs"
            )
        lines[name, of, seed] = line
        value = number_of(row[at])
        if value is None:
            raise UsageError(f"{path}:{line}: {sheet.names[at]} is {row[at]!r}, which is no number")
        scores[seed] = value
    if not found:
        raise UsageError(f"{path} has no rows")
    goal = asked.goal if asked is not None else None
    return {
        name: {of: as_scores(Scores(sheet.names[at], s), None, goal, f"{path}, {name}") for of, s in tasks.items()}
        for name, tasks in found.items()
    }


def read_columns(path: str, metric: str | None = None) -> dict[str, Scores]:
    """Scores of several methods from a table in which each column of numbers is a method and each row is a seed."""
    sheet = read_sheet(path)
    seeds = sheet.seeds_at
    asked = None if metric is None else metrics.parse_metric(metric)
    found = {}
    for k in sheet.numeric([seeds]):
        by_seed: dict[int, float] = {}
        for number, (line, row) in enumerate(sheet.rows):
            seed = number if seeds is None else seed_of(sheet, line, row[seeds])
            if seed in by_seed:
                raise UsageError(f"{path}:{line}: seed {seed} stands twice; one row for each seed")
            if row[k]:
                by_seed[seed] = float(row[k])
        name = asked.name if asked is not None else "value"
        goal = asked.goal if asked is not None else None
        found[sheet.names[k]] = as_scores(Scores(name, by_seed), None, goal, f"{path}, {sheet.names[k]}")
    return found


def _metric_column(sheet: Sheet, asked: Metric | None, but: Sequence[int | None]) -> int:
    if asked is not None:
        return sheet.column(asked.name, "--metric")
    numeric = sheet.numeric(but)
    named = [k for k in numeric if looks_like_metric(sheet.names[k])]
    for some in (numeric, named):
        if len(some) == 1:
            return some[0]
    shown = ", ".join(sheet.names[k] for k in numeric) or "none"
    raise UsageError(f"which metric? --metric one of the columns of numbers in {sheet.path}: {shown}")


def _groups_of_json(path: str, metric: str | None) -> dict[str, dict[str, Scores]]:
    """Reads `{"A": [0.8, …], "B": {"1": 0.7, …}}`, or the same with one more level for tasks."""
    try:
        data: Any = json.loads(text_of(path))
    except ValueError as error:
        raise UsageError(f"{path} is no JSON: {error}") from None
    asked = None if metric is None else metrics.parse_metric(metric)
    if not isinstance(data, dict) or not data:
        raise UsageError(f'{path}: methods are the keys of an object, {{"A": [0.8, 0.7], "B": …}}')

    def scores(given: Any, name: str) -> Scores:
        if isinstance(given, dict):
            try:
                given = {int(seed): value for seed, value in given.items()}
            except ValueError:
                raise UsageError(f"{path}: the keys under {name} are seeds or tasks, not both") from None
        return as_scores(
            given, None if asked is None else asked.name, None if asked is None else asked.goal, f"{path}, {name}"
        )

    found: dict[str, dict[str, Scores]] = {}
    for name, given in data.items():
        nested = isinstance(given, Mapping) and all(isinstance(v, Mapping | list) for v in given.values())
        found[name] = {t: scores(v, f"{name}, {t}") for t, v in given.items()} if nested else {"": scores(given, name)}
    return found
