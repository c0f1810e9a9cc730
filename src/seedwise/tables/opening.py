"""Opens a file or a folder: its name, or what it holds, says what it is."""

import os
import sqlite3

from ..errors import UsageError
from . import wandb
from .groups import Groups
from .sheet import Sheet
from .trackers.finding import open_folder, open_tracked_file

_UNREAD = {
    (".xlsx", ".xls", ".ods"): "a spreadsheet: save it as CSV",
    (".feather", ".arrow", ".h5", ".hdf5", ".mat"): "not read: save it as CSV, Parquet or .npz",
}


def open_table(path: str) -> Sheet | Groups | None:
    """A file or folder as a table, or as methods with their scores; None if it is a log.

    Raises
    ------
    UsageError
        There is no such file, or it is not what its name says.
    """
    try:
        if os.path.isdir(path):
            return open_folder(path, open_table)
        if not os.path.isfile(path):
            raise UsageError(f"no such file: {path}")
        return _opened(path)
    except (OverflowError, TypeError, ValueError, sqlite3.Error) as error:
        raise UsageError(f"{path} cannot be read as a table: {' '.join(str(error).split())}") from None


def _opened(path: str) -> Sheet | Groups | None:
    end = os.path.splitext(path)[1].lower()
    for ends, why in _UNREAD.items():
        if end in ends:
            raise UsageError(f"{path} is {why}")
    tracked = open_tracked_file(path)
    if tracked is not None:
        return tracked
    if end in (".csv", ".tsv"):
        from .delimited import read_delimited

        sheet = read_delimited(path)
        return wandb.unfolded(sheet) if wandb.is_export(sheet) else sheet
    if end in (".json", ".jsonl", ".ndjson"):
        from .objects import read_json, read_lines

        return read_json(path) if end == ".json" else read_lines(path)
    if end in (".npy", ".npz", ".pkl", ".pickle"):
        from . import arrays

        return {".npy": arrays.read_npy, ".npz": arrays.read_npz}.get(end, arrays.read_pickle)(path)
    if end in (".parquet", ".pq"):
        from .parquet import read_parquet

        return read_parquet(path)
    return _numbers_only(path)


def _numbers_only(path: str) -> Sheet | None:
    """A file with one number in each line, whatever its name."""
    from .cells import read_cells

    with open(path, encoding="utf-8-sig", errors="replace") as file:
        for line in file:
            if line.strip() and (read_cells([line]).wrong or "," in line):
                return None
    from .delimited import read_delimited

    try:
        return read_delimited(path)
    except UsageError:
        return None
