"""Parquet, by pyarrow, polars or pandas: whichever is installed."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..errors import UsageError
from .sheet import Sheet, sheet_of


def read_parquet(path: str) -> Sheet:
    """Reads a Parquet file. Raises UsageError where it is none, or where no library is installed that reads it."""
    readers = {"pyarrow": _with_pyarrow, "polars": _with_polars, "fastparquet": _with_pandas}
    reader = next((read for name, read in readers.items() if find_spec(name) is not None), None)
    if reader is None:
        raise UsageError(f"{path} is Parquet, which needs a library: pip install pyarrow")
    try:
        columns = reader(path)
    except Exception as error:  # noqa: BLE001  each library has its own errors
        raise UsageError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    if not columns:
        raise UsageError(f"{path} has no columns")
    return sheet_of(path, {name: items for name, items in columns.items() if not name.startswith("__index_level_")})


def _with_pyarrow(path: str) -> dict[str, Any]:
    table = import_module("pyarrow.parquet").read_table(path)
    return {name: _of_arrow(table.column(name)) for name in table.column_names}


def _of_arrow(column: Any) -> Any:
    types = import_module("pyarrow").types
    simple = types.is_integer(column.type) or types.is_floating(column.type) or types.is_boolean(column.type)
    if not simple:
        return column.to_pylist()
    if not column.null_count:
        return column.to_numpy()
    lacking = column.is_null().to_numpy()
    return np.ma.MaskedArray(column.fill_null(False if types.is_boolean(column.type) else 0).to_numpy(), lacking)


def _with_polars(path: str) -> dict[str, Any]:
    frame = import_module("polars").read_parquet(path)
    return {name: frame[name].to_list() for name in frame.columns}


def _with_pandas(path: str) -> dict[str, Any]:
    frame = import_module("pandas").read_parquet(path)
    return {str(name): frame[name].tolist() for name in frame.columns}
