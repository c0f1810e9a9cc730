"""Which column of a table is the seed, and which tell methods and tasks apart: named, or guessed and said."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..wording import file_option
from .sheet import RUN_LABELS, WITHIN_RUNS, Sheet

Rows = NDArray[np.int64]
NOTHING = "none"
"""What --by is given to take all runs as one group."""


def columns_named(sheet: Sheet, names: str | None, option: str, seeds_at: int | None) -> tuple[int, ...]:
    """The columns that an option names: one, or several with commas between them. Raises UsageError."""
    if names is None:
        return ()
    lower = [name.lower() for name in sheet.names]
    parts = [names] if names.lower() in lower else [part.strip() for part in names.split(",")]
    if len(parts) == 1 and parts[0] == NOTHING and NOTHING not in lower:
        return ()
    found = []
    for part in parts:
        k = sheet.index(part, option)
        if sheet.names[k].lower() in WITHIN_RUNS or k in (seeds_at, sheet.step):
            what = "tells runs apart" if k == seeds_at else "counts rows within a run"
            raise UsageError(
                f"{sheet.path}: {sheet.names[k]} {what}, and is no method and no task ({file_option(option)}); its columns are {', '.join(sheet.names)}"
            )
        found.append(k)
    return tuple(dict.fromkeys(found))


def column_of_seeds(sheet: Sheet, named: str | None, rows_are_runs: bool) -> int | None:
    """The column that tells runs apart; None if there is none.

    Raises
    ------
    UsageError
        There is no such column, or several may be it.
    """
    if rows_are_runs and named is not None:
        raise UsageError(f"{file_option('--rows-are-runs')} and {file_option('--seed-column')}: one or the other")
    if rows_are_runs:
        if sheet.seeds_at is not None:
            raise UsageError(
                f"{file_option('--rows-are-runs')}: {sheet.path} has a column {sheet.names[sheet.seeds_at]!r}, which says the run"
            )
        return None
    if named is None:
        return _guessed(sheet)
    k = sheet.index(named, "--seed-column")
    if sheet.names[k].lower() in WITHIN_RUNS:
        raise UsageError(
            f"{sheet.path}: {sheet.names[k]} counts rows within a run, and is no seed ({file_option('--seed-column')})"
        )
    return k


def _guessed(sheet: Sheet) -> int | None:
    """Of several columns that are named like a seed, the only one that differs between rows."""
    may_be = sheet.may_be_seeds
    if len(may_be) > 1:
        may_be = [k for k in may_be if len(sheet.words(k)[1]) > 1] or may_be[:1]
    if len(may_be) > 1:
        raise UsageError(
            f"{sheet.path}: which column is the seed? {file_option('--seed-column')} one of {', '.join(sheet.names[k] for k in may_be)}"
        )
    return may_be[0] if may_be else sheet.seeds_at


def labels_of_runs(sheet: Sheet) -> list[int]:
    """The columns that give each run a name: `run`, `run_id`."""
    return [k for k, name in enumerate(sheet.names) if name.lower() in RUN_LABELS]


def columns_of_runs(sheet: Sheet, labels: int) -> list[int]:
    """Columns of words that have one value in each run and fewer values than there are runs."""
    codes, runs = sheet.words(labels)
    found = []
    for k, column in enumerate(sheet.columns):
        if k == labels or column.words is None or column.name.lower() in ("state", "status"):
            continue
        of, texts = column.words
        pairs = np.unique(np.stack([codes, of]), axis=1).shape[1]
        if pairs == len(runs) and 1 < len(texts) < len(runs):
            found.append(k)
    return found


def groups_of_rows(sheet: Sheet, by: Sequence[int], task: Sequence[int]) -> tuple[Rows, tuple[tuple[str, str], ...]]:
    """For each row the index of its method and task, and the names of these. Raises UsageError for a blank cell."""
    methods, names = _joined(sheet, by)
    tasks, of = _joined(sheet, task)
    both = methods.astype(np.int64) * len(of) + tasks
    used, codes = np.unique(both, return_inverse=True)
    return codes.astype(np.int64), tuple((names[int(c) // len(of)], of[int(c) % len(of)]) for c in used)


def _joined(sheet: Sheet, columns: Sequence[int]) -> tuple[Rows, tuple[str, ...]]:
    """For each row the index of its values in some columns, and these values in words."""
    codes = np.zeros(sheet.rows, dtype=np.int64)
    names: tuple[str, ...] = ("",)
    for k in columns:
        added, texts = sheet.words(k)
        if "" in texts:
            row = int(np.argmax(added == texts.index("")))
            raise UsageError(f"{sheet.place(row)}: {sheet.names[k]} is blank")
        shown = texts if len(columns) == 1 else tuple(_said(sheet.names[k], text) for text in texts)
        used, codes = np.unique(codes * len(texts) + added, return_inverse=True)
        names = tuple(
            ", ".join(part for part in (names[int(c) // len(texts)], shown[int(c) % len(texts)]) if part) for c in used
        )
    if len(set(names)) < len(names):
        raise UsageError(
            f"{sheet.path}: two groups would be called {max(names, key=names.count)!r}: name fewer columns"
        )
    return codes.astype(np.int64), names


def _said(name: str, text: str) -> str:
    """A value with the name of its column, where it does not speak for itself: `lr 0.1`."""
    return (
        text
        if any(letter.isalpha() for letter in text) and text.lower() not in ("true", "false", "none", "unset")
        else f"{name} {text}"
    )
