"""NumPy's files: an array of runs or runs × tasks, an archive of them by method, or rliable's dict of arrays."""

import zipfile
from typing import Any

import numpy as np

from ..errors import UsageError
from .groups import Groups, groups_of
from .sheet import SEED_COLUMNS, Sheet, sheet_of


def read_npy(path: str) -> Sheet | Groups:
    """Reads a .npy file. Raises UsageError for a shape that is not runs or runs × tasks, or for Python objects (a pickle)."""
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
        if not isinstance(loaded, np.ndarray):
            raise UsageError(f"{path} is an archive: call it .npz")
        return _of_object(path, loaded)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        if "allow_pickle" in str(error):
            raise UsageError(_no_pickle(path)) from None
        raise UsageError(f"{path} is no array of NumPy: {error}") from None


def read_pickle(path: str) -> Sheet | Groups:
    """Refuses a pickle. Raises UsageError with what to write instead."""
    raise UsageError(_no_pickle(path))


def _no_pickle(path: str) -> str:
    return (
        f"{path} holds a pickle, and opening one can run code: load it yourself and save it with "
        f"np.savez({path.rpartition('.')[0] + '.npz'!r}, **scores), or write a CSV"
    )


def read_npz(path: str) -> Sheet | Groups:
    """Reads a .npz file: methods with their arrays, or columns if one of them is called `seed`."""
    if not zipfile.is_zipfile(path):
        raise UsageError(f"{path} is no archive of arrays")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _of_mapping(path, {name: archive[name] for name in archive.files})
    except (ValueError, zipfile.BadZipFile, EOFError, OSError) as error:
        if "allow_pickle" in str(error):
            error = ValueError("it holds Python objects, which could run code: save arrays of numbers")
        raise UsageError(f"{path} is no archive of arrays: {error}") from None


def _of_object(path: str, data: Any) -> Sheet | Groups:
    if isinstance(data, np.ndarray) and data.dtype.kind == "O" and data.ndim == 0:
        data = data.item()
    if isinstance(data, dict):
        return _of_mapping(path, {str(name): value for name, value in data.items()})
    if isinstance(data, np.ndarray) and data.dtype.names:
        return sheet_of(path, {name: data[name] for name in data.dtype.names})
    return groups_of(path, {"": data})


def _of_mapping(path: str, found: dict[str, Any]) -> Sheet | Groups:
    for name, value in found.items():
        if isinstance(value, np.ndarray) and value.dtype.kind not in "biufUS":
            raise UsageError(f"{path}: {name} holds {value.dtype}, which is no plain number")
    flat = all(isinstance(value, np.ndarray) and value.ndim == 1 for value in found.values())
    if flat and any(name.lower() in SEED_COLUMNS for name in found):
        if len({len(value) for value in found.values()}) > 1:
            raise UsageError(f"{path}: the columns are of different lengths")
        return sheet_of(path, found)
    return groups_of(path, found)
