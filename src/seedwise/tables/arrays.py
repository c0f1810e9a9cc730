"""NumPy's files: an array of runs or runs × tasks, an archive of them by method, or rliable's dict of arrays."""

import io
import pickle
import zipfile
from typing import Any

import numpy as np

from ..errors import UsageError
from .groups import Groups, groups_of
from .sheet import SEED_COLUMNS, Sheet, sheet_of

_HARMLESS = {
    (f"numpy{module}", name)
    for module, names in {
        "": ("ndarray", "dtype"),
        ".core.multiarray": ("_reconstruct", "scalar"),
        "._core.multiarray": ("_reconstruct", "scalar"),
        ".core.numeric": ("_frombuffer",),
        "._core.numeric": ("_frombuffer",),
    }.items()
    for name in names
} | {("collections", "OrderedDict"), ("_codecs", "encode")}
"""All that a pickled dict of arrays needs: these build arrays and do nothing else."""


class _Harm(Exception):
    """A pickle names something that is no array."""


class _Harmless(pickle.Unpickler):
    """Reads arrays, dicts, lists and numbers; anything else could run code, and is refused."""

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) not in _HARMLESS:
            raise _Harm(f"{module}.{name}")
        return super().find_class(module, name)


def read_npy(path: str) -> Sheet | Groups:
    """Reads a .npy file. Raises UsageError for a shape that is not runs or runs × tasks, or for a pickle that is not harmless."""
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            read_header = (
                np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            )
            *_, dtype = read_header(file)
            if dtype.hasobject:
                return _of_object(path, _unpickled(path, file.read()))
        return _of_object(path, np.load(path, allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        raise UsageError(f"{path} is no array of NumPy: {error}") from None


def read_pickle(path: str) -> Sheet | Groups:
    """Reads a pickle of a dict of arrays. Raises UsageError for a pickle that could run code."""
    with open(path, "rb") as file:
        return _of_object(path, _unpickled(path, file.read()))


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


def _unpickled(path: str, data: bytes) -> Any:
    try:
        return _Harmless(io.BytesIO(data)).load()
    except _Harm as error:
        raise UsageError(
            f"{path} is a pickle with {error} in it, and opening such a file can run code: save arrays with np.savez({path.rpartition('.')[0] + '.npz'!r}, "
            "**scores), or write a CSV"
        ) from None
    except Exception as error:  # noqa: BLE001  what a damaged pickle raises is anything
        raise UsageError(f"{path} is no pickle: {type(error).__name__}: {' '.join(str(error).split())}") from None


def _of_object(path: str, data: Any) -> Sheet | Groups:
    if isinstance(data, np.ndarray) and data.dtype.kind == "O" and data.ndim == 0:
        data = data.item()
    if isinstance(data, dict):
        return _of_mapping(path, {str(name): value for name, value in data.items()})
    if isinstance(data, np.ndarray) and data.dtype.names:
        return sheet_of(path, {name: data[name] for name in data.dtype.names})
    return groups_of(path, {"": data})


def _of_mapping(path: str, found: dict[str, Any]) -> Sheet | Groups:
    flat = all(isinstance(value, np.ndarray) and value.ndim == 1 for value in found.values())
    if flat and any(name.lower() in SEED_COLUMNS for name in found):
        if len({len(value) for value in found.values()}) > 1:
            raise UsageError(f"{path}: the columns are of different lengths")
        return sheet_of(path, found)
    return groups_of(path, found)
