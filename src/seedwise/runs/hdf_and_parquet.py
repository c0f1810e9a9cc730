"""What HDF5 and Parquet files hold: their arrays, columns, links and attributes, without what their libraries note of the day.

The libraries that read them are used where they are installed beside Seedwise; without them, the bytes count.
"""

import datetime
import io
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

_MOST_BYTES = 2**26
_MOST_VALUES = 2_000_000
"""Of what is unpacked. Files that hold more count by their bytes."""

Parts = list[tuple[str, Any]]
"""Name and value: an array, or anything that has a `repr`."""


def parts_in(data: bytes) -> Parts | None:
    """The parts of a file of either kind, by name.

    None if it is of another kind, damaged or too large, or if no library is there to read it.
    """
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
        yield from _Hdf5(h5py, file).below(file, "")


class _Hdf5:
    """Walks through a file. An object that has two names is shown under the first one."""

    def __init__(self, h5py: Any, file: Any) -> None:
        self._h5py, self._file, self._left = h5py, file, _MOST_BYTES
        self._seen: dict[int, str] = {}

    def below(self, node: Any, name: str) -> Iterator[tuple[str, Any]]:
        yield from ((f"{name}@{key}", self._plain(value)) for key, value in node.attrs.items())
        place = self._h5py.h5o.get_info(node.id).addr
        if place in self._seen:
            yield name, f"the same as {self._seen[place]}"
            return
        self._seen[place] = name
        if isinstance(node, self._h5py.Dataset):
            self._left -= node.nbytes
            if self._left < 0:
                raise ValueError("too large")
            yield name, self._plain(node[()])
        elif isinstance(node, self._h5py.Group):
            yield name, "group"
            for key in sorted(node):
                link = node.get(key, getlink=True)
                way = f"{name}/{key}" if name else key
                if isinstance(link, self._h5py.HardLink):
                    yield from self.below(node[key], way)
                else:
                    yield way, f"link to {getattr(link, 'filename', '')} {link.path}"

    def _plain(self, value: Any) -> Any:
        if isinstance(value, self._h5py.Reference):
            return f"refers to {self._file[value].name if value else None}"
        if isinstance(value, np.ndarray) and value.dtype.kind == "O":
            return [one.tolist() if isinstance(one, np.ndarray) else self._plain(one) for one in value.ravel()]
        return _plain(value)


def _of_parquet(data: bytes) -> Iterator[tuple[str, Any]]:
    source = import_module("pyarrow").BufferReader(data)
    file = import_module("pyarrow.parquet").ParquetFile(source)
    if file.metadata.num_rows * file.metadata.num_columns > _MOST_VALUES:
        raise ValueError("too large")
    table = file.read()
    for name, column in zip(table.column_names, table.columns, strict=True):
        simple = not column.null_count and str(column.type).startswith(("int", "uint", "float", "double", "bool"))
        yield name, column.to_numpy() if simple else [_plain(value) for value in column.to_pylist()]
    for key, value in (table.schema.metadata or {}).items():
        yield f"@{key.decode()}", value.decode("utf-8", "replace")


def _plain(value: Any) -> Any:
    """Text and single numbers as Python's own, moments as text, arrays of numbers as they are, all others as lists."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray) and (value.dtype.kind not in "biufcV" or value.dtype.hasobject):
        value = value.tolist()
    if isinstance(value, datetime.date):
        return str(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


_KINDS: tuple[tuple[bytes, str, Callable[[bytes], Iterator[tuple[str, Any]]]], ...] = (
    (b"\x89HDF\r\n\x1a\n", "h5py", _of_hdf5),
    (b"PAR1", "pyarrow", _of_parquet),
)
