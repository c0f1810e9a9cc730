"""What HDF5 and Parquet files hold: their arrays, columns and attributes, without what their libraries note of the day.

The libraries that read them are used where they are installed beside Seedwise; without them, the bytes count.
"""

import datetime
import io
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

Parts = list[tuple[str, Any]]
"""Name and value: an array, or anything that has a `repr`."""


def parts_in(data: bytes) -> Parts | None:
    """The parts of a file of either kind, by name. None if it is of another kind, damaged, or no library is there to read it."""
    for magic, library, read in _KINDS:
        if data.startswith(magic) and find_spec(library) is not None:
            try:
                return sorted(read(data), key=lambda part: part[0])
            except Exception:  # noqa: BLE001  each library has its own errors
                return None
    return None


def _of_hdf5(data: bytes) -> Iterator[tuple[str, Any]]:
    h5py = import_module("h5py")
    with h5py.File(io.BytesIO(data), "r") as file:
        found: list[tuple[str, Any]] = []
        file.visititems(lambda name, node: found.append((name, node)))
        for name, node in [("", file), *found]:
            yield from ((f"{name}@{key}", _plain(value)) for key, value in node.attrs.items())
            yield name, _plain(node[()]) if isinstance(node, h5py.Dataset) else "group"


def _of_parquet(data: bytes) -> Iterator[tuple[str, Any]]:
    table = import_module("pyarrow.parquet").read_table(import_module("pyarrow").BufferReader(data))
    for name, column in zip(table.column_names, table.columns, strict=True):
        simple = not column.null_count and str(column.type).startswith(("int", "uint", "float", "double", "bool"))
        yield name, column.to_numpy() if simple else [_plain(value) for value in column.to_pylist()]
    yield from (
        (f"@{key.decode()}", value.decode("utf-8", "replace")) for key, value in (table.schema.metadata or {}).items()
    )


def _plain(value: Any) -> Any:
    """Text and single numbers as Python's own, moments as text, arrays of numbers as they are, all others as lists."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biufc":
        value = value.tolist()
    if isinstance(value, datetime.date):
        return str(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


_KINDS: tuple[tuple[bytes, str, Callable[[bytes], Iterator[tuple[str, Any]]]], ...] = (
    (b"\x89HDF\r\n\x1a\n", "h5py", _of_hdf5),
    (b"PAR1", "pyarrow", _of_parquet),
)
