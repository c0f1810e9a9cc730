"""What the columns of the store hold, and how it is read and written: names, folders, series of numbers."""

import json
from array import array
from pathlib import Path

from ..results import Series


def relative(folder: str) -> str:
    """The part of a run's folder that stays the same when the store is moved: `runs/train@1/seed-7`."""
    parts = Path(folder).parts
    k = max((k for k, part in enumerate(parts) if part == "runs"), default=0)
    return str(Path(*parts[k:])) if ".." not in parts else ""


def readable(text: str) -> str:
    """The text in a form that can be stored and printed. A character that cannot be encoded is shown by its number."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def as_text(name: str) -> str:
    """A file name as text that can be stored, even if it is no UTF-8. `from_text` gives the name back."""
    try:
        name.encode("utf-8")
        return json.dumps(name) if name.startswith('"') else name
    except UnicodeEncodeError:
        return json.dumps(name)


def from_text(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text


def brief(metric: str, last: float | None, n: int) -> Series:
    """A short stand-in for a series.

    It holds only the last value, twice if the series has several. A report needs no more. For `value` it has the full
    length.
    """
    value = float("nan") if last is None else last
    if n == 1:
        return Series(_ONE, (value,))
    if metric != "value":
        return Series(_TWO, (value, value))
    return Series(tuple(range(1, n + 1)), (value,) * n)


_ONE, _TWO = (1,), (1, 2)


def pack(series: Series) -> tuple[float | None, bytes, bytes]:
    last = series.values[-1]
    counted = series.steps == tuple(range(1, len(series.steps) + 1))
    steps = b"" if counted else array("q", series.steps).tobytes()
    return (last if last == last else None), steps, array("d", series.values).tobytes()


def unpack(steps: bytes, numbers: bytes) -> Series:
    values = array("d")
    values.frombytes(numbers)
    counted = array("q")
    counted.frombytes(steps)
    return Series(tuple(counted) or tuple(range(1, len(values) + 1)), tuple(values))
