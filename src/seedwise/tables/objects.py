"""JSON and JSON lines: records, pandas' orientations, and methods with their scores."""

import json
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .groups import Groups, groups_of
from .sheet import SEED_COLUMNS, Sheet, sheet_of

Table = Sheet | Groups
_LINES = 10_000


def read_json(path: str) -> Table:
    """Reads a JSON file: records, one of pandas' orientations, or methods with their scores.

    Raises
    ------
    UsageError
        It is no JSON, an object has a key twice, a number leaves the range of floats, or nothing in it is a table.
    """
    text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    if not text.strip():
        raise UsageError(f"{path} is empty")
    try:
        data = _parse(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and len(text.splitlines()) > 1:
            return read_lines(path)
        raise UsageError(f"{path} is no JSON: {error}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error or 'is nested too deeply'}") from None
    return _table(path, data)


def read_lines(path: str) -> Sheet:
    """Reads JSON lines: one object in each line."""
    columns: dict[str, list[Any]] = {}
    lines = array("q")
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        numbered = ((number, line) for number, line in enumerate(file, 1) if line.strip())
        while piece := list(islice(numbered, _LINES)):
            records = _objects(path, piece)
            if _add_alike(columns, len(lines), records):
                lines.extend(number for number, _ in piece)
                continue
            for (number, _), record in zip(piece, records, strict=True):
                if not isinstance(record, dict):
                    raise UsageError(f'{path}:{number}: JSON lines hold an object each, as {{"seed": 1, "acc": 0.9}}')
                _add(columns, len(lines), record)
                lines.append(number)
    if not lines:
        raise UsageError(f"{path} is empty")
    return sheet_of(path, _filled(columns, len(lines)), lambda row: f"{path}:{lines[row]}")


def _objects(path: str, lines: Sequence[tuple[int, str]]) -> list[Any]:
    """What some lines hold; read at once where they are all sound, else one by one for the number of the wrong one."""
    try:
        found: list[Any] = _parse(f"[{','.join(line for _, line in lines)}]")
        if len(found) == len(lines):
            return found
    except (ValueError, RecursionError):
        pass
    return [_parse_line(path, number, line) for number, line in lines]


def _parse_line(path: str, number: int, line: str) -> Any:
    try:
        return _parse(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}:{number}: no JSON: {error}") from None


def _parse(text: str) -> Any:
    return _DECODER.decode(text)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large for a floating-point number")
    if value == 0 and text.lower().partition("e")[0].strip("-0."):
        raise ValueError(f"{text} is too small for a floating-point number")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_float=_finite, object_pairs_hook=_once)


def _table(path: str, data: Any) -> Table:
    if isinstance(data, list):
        return _of_list(path, data)
    if not isinstance(data, dict) or not data:
        raise UsageError(
            f'{path}: a table is a list of records, or methods are the keys of an object, {{"A": [0.8, 0.7], "B": …}}'
        )
    if isinstance(data.get("data"), list) and isinstance(data.get("columns"), list):
        return _of_split(path, data["columns"], data["data"])
    if isinstance(data.get("data"), list) and isinstance(data.get("schema"), dict):
        return _of_list(path, data["data"])
    if all(isinstance(value, list) for value in data.values()):
        return _of_lists(path, data)
    if all(isinstance(value, dict) for value in data.values()):
        return _of_objects(path, data)
    if any(_is_seed(name) for name in data):
        return _of_records(path, [data])
    if all(_is_number(value) or value is None for value in data.values()) and all(_is_whole(key) for key in data):
        return groups_of(path, {"": data})
    return groups_of(path, data)


def _of_list(path: str, data: Sequence[Any]) -> Table:
    if data and all(isinstance(item, dict) for item in data):
        return _of_records(path, data)
    if any(isinstance(item, list) for item in data):
        raise UsageError(f"{path}: rows without names of columns; write records (pandas: orient='records')")
    return groups_of(path, {"": data})


def _of_lists(path: str, data: Mapping[str, list[Any]]) -> Table:
    """Columns, if one of them holds seeds or words; else methods."""
    flat = all(not isinstance(cell, list | dict) for cells in data.values() for cell in cells)
    worded = any(cells and all(isinstance(cell, str | None) for cell in cells) for cells in data.values())
    if flat and (worded or any(_is_seed(name) for name in data)):
        if len({len(cells) for cells in data.values()}) > 1:
            raise UsageError(f"{path}: the columns are of different lengths")
        return sheet_of(path, data)
    return groups_of(path, data)


def _of_objects(path: str, data: Mapping[str, Mapping[str, Any]]) -> Table:
    """Columns of pandas, records by their index or seed, or methods with seed → number."""
    inner = list(data.values())
    if any(_is_seed(name) for name in data) or any(isinstance(v, str) for of in inner for v in of.values()):
        if not any(_is_seed(name) for of in inner for name in of):
            keys = dict.fromkeys(key for of in inner for key in of)
            return sheet_of(path, {name: [of.get(key) for key in keys] for name, of in data.items()})
    if any(_is_seed(name) for of in inner for name in of):
        return _of_records(path, inner)
    if all(_is_whole(key) for key in data) and not any(_is_whole(name) for of in inner for name in of):
        return _of_records(path, [{"seed": int(key), **of} for key, of in data.items()])
    return groups_of(path, data)


def _of_split(path: str, names: Sequence[Any], rows: Sequence[Any]) -> Sheet:
    if any(not isinstance(row, list) or len(row) != len(names) for row in rows):
        raise UsageError(
            f"{path}: a row of data does not have a cell for each of the columns {', '.join(map(str, names))}"
        )
    if len({*map(str, names)}) < len(names):
        raise UsageError(f"{path}: a column stands twice")
    return sheet_of(path, {str(name): [row[k] for row in rows] for k, name in enumerate(names)})


def _of_records(path: str, records: Sequence[Mapping[str, Any]]) -> Sheet:
    columns: dict[str, list[Any]] = {}
    for row, record in enumerate(records):
        _add(columns, row, record)
    return sheet_of(path, _filled(columns, len(records)))


def _add_alike(columns: dict[str, list[Any]], row: int, records: Sequence[Any]) -> bool:
    """Some more rows at once, if all have the same names and nothing nested."""
    first = records[0]
    if not isinstance(first, dict) or any(not isinstance(r, dict) or r.keys() != first.keys() for r in records):
        return False
    found = {name: [record[name] for record in records] for name in first}
    if any({dict, list} & set(map(type, values)) for values in found.values()):
        return False
    for name, values in found.items():
        column = columns.setdefault(name, [])
        column.extend([None] * (row - len(column)))
        column.extend(values)
    return True


def _add(columns: dict[str, list[Any]], row: int, record: Mapping[str, Any]) -> None:
    """One more row."""
    for name, value in _flat(record):
        column = columns.setdefault(name, [])
        if len(column) < row:
            column.extend([None] * (row - len(column)))
        elif len(column) > row:
            raise UsageError(f"record {row + 1} has {name!r} twice, once of them nested")
        column.append(value)


def _filled(columns: dict[str, list[Any]], rows: int) -> dict[str, list[Any]]:
    for column in columns.values():
        column.extend([None] * (rows - len(column)))
    return columns


def _flat(record: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    """Names and values; nested names are joined by `/`, lists are left out."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}/")
        elif not isinstance(value, list):
            yield f"{above}{name}", value


def _is_seed(name: str) -> bool:
    return name.lower() in SEED_COLUMNS


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(text: str) -> bool:
    return text.lstrip("-").isdigit()
