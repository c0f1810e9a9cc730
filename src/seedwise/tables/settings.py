"""Columns that differ between the runs of a table as settings do: a method, a learning rate."""

import numpy as np
from numpy.typing import NDArray

from ..metrics.goals import looks_like_metric
from .runs import RunTable
from .sheet import WITHIN_RUNS

_NEVER = ("status", "state")


def settings_between(table: RunTable, within_methods: bool = False) -> dict[int, tuple[str, ...]]:
    """Columns that tell groups of runs apart, with their different values as text.

    With `within_methods`, only those that differ between the runs of one method on one task.

    Such a column has one value in each run, and on average two runs or more for each of its values. Of columns of
    numbers only those count that are not named like a metric: an accuracy on few examples repeats itself too.
    """
    runs = len(table.starts)
    found = {}
    for k, column in enumerate(table.sheet.columns):
        name = column.name.lower()
        if k in (*table.at, table.step) or name in (*WITHIN_RUNS, *_NEVER) or name[:1] in ("", "_"):
            continue
        if column.numeric and (looks_like_metric(column.name) or column.truth):
            continue
        codes, texts = table.sheet.words(k)
        ordered = codes[table.order]
        used = np.unique(ordered)
        if "" in texts or not 2 <= len(used) <= runs / 2 or not _one_each(ordered, table):
            continue
        if within_methods and not _differs_within(ordered, table):
            continue
        found[k] = tuple(texts[int(code)] for code in used)
    return found


def _differs_within(codes: NDArray[np.int64], table: RunTable) -> bool:
    """Whether two runs of one method on one task have different values."""
    first = codes[table.starts]
    pairs = np.unique(np.stack([table.group, first]), axis=1)
    return bool((np.bincount(pairs[0]) > 1).any())


def _one_each(codes: NDArray[np.int64], table: RunTable) -> bool:
    """Whether every run has one value in all its rows."""
    low, high = (of.reduceat(codes, table.starts) for of in (np.minimum, np.maximum))
    return bool((low == high).all())
