"""Scores that were made elsewhere: tables and logs."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..metrics import choose as metrics
from ..metrics.goals import looks_like_metric
from ..results import Metric, Results, Run, Scores, Series, Status
from .scores import SEED_COLUMNS, as_scores


@dataclass(frozen=True)
class Sheet:
    """A table of text: names of columns, and rows with the lines they stand on."""

    path: str
    names: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: str, option: str) -> int:
        """Where a column is. Raises UsageError naming those there are."""
        for k, known in enumerate(self.names):
            if known == name:
                return k
        for k, known in enumerate(self.names):
            if known.lower() == name.lower():
                return k
        raise UsageError(f"{self.path} has no column {name!r} ({option}); its columns are {', '.join(self.names)}")

    @property
    def seeds_at(self) -> int | None:
        """The column of seeds."""
        names = [name.lower() for name in self.names]
        return next((names.index(word) for word in SEED_COLUMNS if word in names), None)

    def numeric(self, but: Sequence[int | None]) -> list[int]:
        """Columns that hold numbers and nothing else (empty cells aside)."""
        found = []
        for k in range(len(self.names)):
            cells = [row[k] for _, row in self.rows if row[k].strip()]
            if k not in but and cells and all(_number(cell) is not None for cell in cells):
                found.append(k)
        return found


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _text(path: str) -> str:
    if not os.path.isfile(path):
        raise UsageError(f"no such file: {path}")
    return Path(path).read_text(encoding="utf-8-sig", errors="replace")


def read_sheet(path: str) -> Sheet:
    """A CSV or TSV file. Raises UsageError with the line that is wrong."""
    text = _text(path)
    head = text.partition("\n")[0]
    separator = "\t" if path.lower().endswith(".tsv") or "\t" in head else ","
    if separator == "," and ";" in head and "," not in head:
        separator = ";"
    reader = csv.reader(text.splitlines(), delimiter=separator)
    try:
        lines = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}") from None
    lines = [(number, row) for number, row in lines if any(cell.strip() for cell in row)]
    if not lines:
        raise UsageError(f"{path} is empty")
    names = tuple(name.strip() for name in lines[0][1])
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise UsageError(f"{path}: the column {double[0]!r} stands twice")
    for number, row in lines[1:]:
        if len(row) != len(names):
            raise UsageError(f"{path}:{number} has {len(row)} cells; the header names {len(names)}")
    return Sheet(path, names, tuple((number, tuple(cell.strip() for cell in row)) for number, row in lines[1:]))


def is_table(path: str) -> bool:
    """Whether a file is read as a table, by its name."""
    return path.lower().endswith((".csv", ".tsv"))


def read_scores(path: str, metric: Sequence[str] = ()) -> Results:
    """Runs out of a CSV with a column `seed` (or `random_state`, `run`), or a log that says `seed = 3 | acc = 0.80`.

    Raises
    ------
    UsageError
        When the file cannot be read, has no seeds, repeats one, or has no numbers; with line and column.
    """
    records = _table(path) if is_table(path) else metrics.split_by_seed(_text(path))
    if not records:
        raise UsageError(f"{path}: no line says a seed, as `seed = 3 | acc = 0.80` would")
    runs = tuple(
        Run(
            seed, Status.FINISHED if series else Status.FAILED, series, detail="" if series else "no numbers in its row"
        )
        for seed, series in sorted(records.items())
    )
    choice = metrics.choose(runs, [metrics.parse_metric(m) for m in metric])
    chosen = choice.metrics
    if not chosen and not metric:  # one column of numbers under whatever name
        names = list(dict.fromkeys(name for run in runs for name in run.series))
        chosen = (Metric(names[0]),) if len(names) == 1 else ()
    return Results(Path(path).stem, "", (path,), runs, chosen, choice.left_out)


def _table(path: str) -> dict[int, dict[str, Series]]:
    sheet = read_sheet(path)
    where = sheet.seeds_at
    if where is None:
        raise UsageError(f"{path} has no column `seed`; its columns are {', '.join(sheet.names)}")
    records: dict[int, dict[str, Series]] = {}
    for line, row in sheet.rows:
        seed = _seed(sheet, line, row[where])
        if seed in records:
            raise UsageError(
                f"{path}:{line}: seed {seed} stands twice; one row for each seed (several methods: compare {path} --by COLUMN)"
            )
        numbers = {
            name: _number(cell) for name, cell in zip(sheet.names, row, strict=True) if name != sheet.names[where]
        }
        records[seed] = {name: Series((1,), (value,)) for name, value in numbers.items() if value is not None}
    return records


def _seed(sheet: Sheet, line: int, cell: str) -> int:
    value = _number(cell)
    if value is None or value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise UsageError(f"{sheet.path}:{line}: the seed {cell!r} is not an integer")
    return int(value)


def read_groups(path: str, by: str, metric: str | None = None) -> dict[str, Scores]:
    """Scores of several methods out of one file: `by` names the column that tells them apart."""
    return {name: of[""] for name, of in read_tasks(path, by, None, metric).items()}


def read_tasks(path: str, by: str, task: str | None, metric: str | None = None) -> dict[str, dict[str, Scores]]:
    """Method → task → scores, out of a table with a row for each run.

    Parameters
    ----------
    by, task
        Columns that name method and task.
    metric
        NAME, NAME:min or NAME:max; by default the only column of numbers, or the only one that is named like a metric.

    Raises
    ------
    UsageError
        When a run stands twice (episodes or epochs counted as runs would make intervals far too narrow), or a cell is no number.
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
        seed = len(scores) if seeds is None else _seed(sheet, line, row[seeds])
        if (name, of, seed) in lines:
            others = [n for k, n in enumerate(sheet.names) if k not in (at_by, at_task, seeds, at)]
            tell = f": is another column what tells them apart (--task {' or '.join(others)})?" if others else ""
            raise UsageError(
                f"{path}:{line}: seed {seed} of {name}{f' on {of}' if of else ''} stood already on line {lines[name, of, seed]}; a run "
                f"counts once{tell} Rows within one run, such as episodes or epochs, are no further runs"
            )
        lines[name, of, seed] = line
        value = _number(row[at])
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
    """Scores of several methods out of a table in which each column of numbers is a method, and each row a seed."""
    sheet = read_sheet(path)
    seeds = sheet.seeds_at
    asked = None if metric is None else metrics.parse_metric(metric)
    found = {}
    for k in sheet.numeric([seeds]):
        by_seed: dict[int, float] = {}
        for number, (line, row) in enumerate(sheet.rows):
            seed = number if seeds is None else _seed(sheet, line, row[seeds])
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
    """`{"A": [0.8, …], "B": {"1": 0.7, …}}`, or one level more for tasks."""
    try:
        data: Any = json.loads(_text(path))
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
