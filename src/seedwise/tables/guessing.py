"""Which columns tell groups of runs apart, where nobody named them: everything that differs but the seed."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..metrics.goals import looks_like_metric
from .grouping import column_of_seeds, labels_of_runs
from .runs import AS_NAMED, Layout, RunTable, split_runs
from .settings import settings_between
from .sheet import WITHIN_RUNS, Sheet

_METHODS = "group method model algorithm algo agent name experiment study arm variant file".split()
_NO_METHOD = frozenset(
    "host hostname node machine device gpu user owner path dir folder date time started finished created tag tags notes".split()
)
"""Words that differ between runs and are no reason to keep them apart."""
_PARTS = frozenset("train training val valid validation dev test eval holdout".split())
"""Of one run: rows of its training and of its test are two curves."""


def guessed_by(sheet: Sheet, layout: Layout = AS_NAMED) -> tuple[str, ...]:
    """The columns that tell groups of runs apart, as a method or a setting does; none if nothing does.

    A column that tells no more groups apart than those before it is left out; those that are called like a method
    come first. A column of numbers counts where it was stored as a setting, or where groups share a seed: a number
    that a run gave repeats itself too.
    """
    layout = Layout(layout.seed, layout.rows_are_runs, layout.step)
    try:
        seeds_at = column_of_seeds(sheet, layout.seed, layout.rows_are_runs)
        table = _by_name(sheet, seeds_at, layout) or split_runs(sheet, layout=layout)
    except UsageError:
        return _by_trial(sheet, layout)
    return _finest(table, seeds_at)


def _by_name(sheet: Sheet, seeds_at: int | None, layout: Layout) -> RunTable | None:
    """The rows as runs that their names tell apart, if they have names beside their seeds."""
    names = [k for k in labels_of_runs(sheet) if k != seeds_at]
    if seeds_at is None or not names:
        return None
    return split_runs(sheet, layout=replace(layout, seed=sheet.names[names[0]]))


def _finest(table: RunTable, seeds_at: int | None) -> tuple[str, ...]:
    sheet, rows = table.sheet, table.order[table.starts]
    seeds = (
        np.arange(len(rows)) if seeds_at is None else np.unique(sheet.words(seeds_at)[0][rows], return_inverse=True)[1]
    )
    at = [k for k in settings_between(table) if k != seeds_at and _may_group(table, k, rows, seeds)]
    found: list[int] = []
    codes = np.zeros(len(rows), dtype=np.int64)
    groups = 1
    for k in sorted(at, key=lambda k: _rank(sheet.names[k])):
        added = sheet.words(k)[0][rows]
        used, finer = np.unique(codes * (int(added.max()) + 1) + added, return_inverse=True)
        if groups < len(used) <= len(rows) / 2:
            found.append(k)
            codes, groups = finer.astype(np.int64), len(used)
    return tuple(sheet.names[k] for k in found)


def _may_group(table: RunTable, k: int, rows: NDArray[np.int64], seeds: NDArray[np.int64]) -> bool:
    sheet = table.sheet
    if _last_word(sheet.names[k]) in _NO_METHOD or k in labels_of_runs(sheet):
        return False
    if k in sheet.settings or not sheet.columns[k].numeric:
        return True
    values = sheet.words(k)[0][rows]
    pairs = np.unique(np.stack([seeds, values]), axis=1)
    return bool((np.bincount(pairs[0]) > 1).any())


def _by_trial(sheet: Sheet, layout: Layout) -> tuple[str, ...]:
    """The only column by which no seed stands twice."""
    found = []
    for k, column in enumerate(sheet.columns):
        name = column.name
        if k == sheet.step or name.lower() in WITHIN_RUNS or _last_word(name) in _NO_METHOD:
            continue
        if column.numeric and looks_like_metric(name):
            continue
        if column.numeric and column.values.dtype.kind != "i":
            continue
        if not column.numeric and {text.lower() for text in sheet.words(k)[1]} <= _PARTS:
            continue
        try:
            split_runs(sheet, name, None, layout)
        except UsageError:
            continue
        found.append(name)
    return tuple(found) if len(found) == 1 else ()


def _rank(name: str) -> int:
    last = _last_word(name)
    return _METHODS.index(last) if last in _METHODS else len(_METHODS)


def _last_word(name: str) -> str:
    return name.lower().replace(".", "/").rpartition("/")[2]
