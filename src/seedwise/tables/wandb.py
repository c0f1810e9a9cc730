"""The CSV that a chart of Weights & Biases exports: a column for each run, a row for each step."""

import re
from collections.abc import Sequence

import numpy as np

from ..errors import UsageError
from .seeds_in_names import seeds_in
from .sheet import STEP_COLUMNS, WITHIN_RUNS, Column, Sheet, factorised

_COLUMN = re.compile(r"(?P<run>.+?) - (?P<metric>\S.*?)(?P<edge>__MIN|__MAX)?")


def is_export(sheet: Sheet) -> bool:
    """Whether the columns are a step, then `run - metric` for each run."""
    names = sheet.names
    first = names[0].lower() if names else ""
    stepped = (
        first in WITHIN_RUNS or first.startswith("relative time") or first in ("wall time", "_timestamp", "runtime")
    )
    return stepped and len(names) > 1 and all(_COLUMN.fullmatch(name) for name in names[1:])


def unfolded(sheet: Sheet) -> Sheet:
    """A row for each run and step, with columns run, group, seed, step and each metric.

    The seed is read from names such as `resnet-seed3`, and the rest of the name is the group. If the names do not say
    a seed, each run is a run, and there is no column `seed`.
    """
    found: dict[str, dict[str, int]] = {}
    for k, name in enumerate(sheet.names[1:], 1):
        parts = _COLUMN.fullmatch(name)
        if parts and not parts["edge"] and parts["metric"].lower() not in STEP_COLUMNS:
            found.setdefault(parts["run"], {})[parts["metric"]] = k
    runs = list(found)
    if not runs:
        raise UsageError(f"{sheet.path}: no column holds a metric of a run")
    metrics = list(dict.fromkeys(metric for of in found.values() for metric in of))
    times = sheet.numbers(0)
    named = sheet.names[0] if sheet.names[0].lower() in STEP_COLUMNS else "step"
    step = Column(named, np.tile(times.values, len(runs)), None, None, len(runs) * sheet.rows)
    columns = [*_names(runs, sheet.rows), step]
    for metric in metrics:
        columns.append(_stacked(sheet, metric, [found[run].get(metric) for run in runs]))

    def place(row: int) -> str:
        return f"{sheet.place(row % sheet.rows)}, run {runs[row // sheet.rows]}"

    def spell(k: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], tuple[str, ...]]:
        return factorised([str(value) for value in columns[k].values.tolist()])

    return Sheet(sheet.path, tuple(columns), len(runs) * sheet.rows, place, spell)


def _stacked(sheet: Sheet, metric: str, indices: Sequence[int | None]) -> Column:
    """One metric of all runs, one run below the other."""
    parts, blanks = [], []
    for k in indices:
        column = None if k is None else sheet.columns[k]
        if column is None or (column.wrong is None and not column.right):
            parts.append(np.full(sheet.rows, np.nan))
            blanks.append(np.ones(sheet.rows, dtype=np.bool_))
            continue
        column = sheet.numbers(k or 0)
        parts.append(column.values.astype(np.float64))
        blanks.append(np.zeros(sheet.rows, dtype=np.bool_) if column.blank is None else column.blank)
    blank = np.concatenate(blanks)
    return Column(metric, np.concatenate(parts), blank, None, int((~blank).sum()))


def _names(runs: Sequence[str], rows: int) -> list[Column]:
    """The columns run, group and seed."""
    said = seeds_in(runs)
    columns = [_worded("run", runs, rows)]
    if said is not None:
        columns.append(_worded("group", [group or "all" for group, _ in said], rows))
        numbers = np.repeat(np.array([seed for _, seed in said], dtype=np.int64), rows)
        columns.append(Column("seed", numbers, None, None, len(numbers)))
    return columns


def _worded(name: str, texts: Sequence[str], rows: int) -> Column:
    codes, known = factorised(texts)
    repeated = np.repeat(codes, rows)
    return Column(name, np.full(len(repeated), np.nan), None, (0, "which is no number"), 0, words=(repeated, known))
