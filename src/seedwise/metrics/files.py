"""Metrics in the files that a run wrote: JSON, JSON lines, CSV, and the event files of TensorBoard."""

import csv
import glob
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import MetricError
from ..results import Series
from . import headline
from .events import summaries
from .goals import looks_like_metric
from .stdout import json_numbers

_LARGEST = 200 * 2**20
_OFFERED_LARGEST = 20 * 2**20
_MOST_OFFERED = 200


def read_file(path: str | Path) -> dict[str, Series]:
    """The series in a file, by name; the format is told by its name.

    A JSON object gives one value a name (nested names joined by `/`, a list of numbers is a series), a list of objects and
    JSON lines give a value for each object that has the name, a CSV one for each row, TensorBoard one for each event.

    Raises
    ------
    MetricError
        The file cannot be read, or it is not what its name says.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST:
            raise MetricError(f"{path.name} is larger than {_LARGEST // 2**20} MB")
        if ".tfevents." in path.name:
            return _series(
                {of.tag: of.number} for of in summaries(path.read_bytes()) if of.tag and of.number is not None
            )
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() in (".csv", ".tsv", ".txt"):
            return _series(_rows(text))
        return _series(_objects(text))
    except (OSError, ValueError, ArithmeticError, RecursionError, csv.Error, IndexError) as error:
        raise MetricError(f"{path.name}: {error}") from None


@dataclass(frozen=True)
class FromFiles:
    """What stands in the files of one run, and what could not be read."""

    series: Mapping[str, Series]
    problems: tuple[str, ...] = ()


def read_matching(folder: Path, patterns: Sequence[str]) -> FromFiles:
    """The series in the files below a folder whose paths match: `out/metrics.json`, `logs/*/events*`.

    Where two files have the same name in them, the one that was written last counts.
    """
    found: dict[str, Series] = {}
    problems = []
    names = {name for pattern in patterns for name in glob.glob(pattern, root_dir=folder, recursive=True)}
    paths = [path for path in (folder / name for name in names) if path.is_file()]
    for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, str(path))):
        try:
            found.update(read_file(path))
        except MetricError as error:
            problems.append(str(error))
    if not paths:
        problems.append(f"it wrote no {' or '.join(patterns)}")
    return FromFiles(found, tuple(problems))


def offers(folder: Path) -> list[tuple[str, str]]:
    """The files below a folder in which a metric stands: the path as a pattern, and the name that would lead."""
    found: dict[str, str] = {}
    for path in _candidates(folder):
        try:
            names = [name for name in read_file(path) if looks_like_metric(name)]
        except MetricError:
            continue
        if names:
            ordered, _ = headline.order(names, ())
            found.setdefault(_as_pattern(str(path.relative_to(folder))), ordered[0])
    return sorted(found.items(), key=lambda offer: (not looks_like_metric(offer[1]), len(offer[0])))


def _candidates(folder: Path) -> Iterator[Path]:
    count = 0
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            is_events = ".tfevents." in name
            if is_events or name.lower().endswith((".json", ".jsonl", ".csv", ".tsv")) or name == "progress.txt":
                path = Path(above, name)
                if path.is_file() and path.stat().st_size <= _OFFERED_LARGEST and count < _MOST_OFFERED:
                    count += 1
                    yield path


_CHANGING = re.compile(r"\d{8,}|\d{4}-\d\d-\d\d|\d\d[-_]\d\d[-_]\d\d|_s?\d+\b|version_\d+|seed[-_]?\d+")


def _as_pattern(path: str) -> str:
    """A path whose parts with dates, times and numbers of runs may differ from run to run."""
    parts = path.split(os.sep)
    folders = [re.sub(r"[\d_-]*\d[\d_-]*", "*", part) if _CHANGING.search(part) else part for part in parts[:-1]]
    stem, dot, ending = parts[-1].rpartition(".")
    name = (
        "events*"
        if ".tfevents." in parts[-1]
        else (re.sub(r"[\d_-]*\d[\d_-]*", "*", stem) if _CHANGING.search(stem) else stem) + dot + ending
    )
    return "/".join([*folders, name])


def _objects(text: str) -> Iterator[Mapping[str, float]]:
    try:
        data = json.loads(text)
    except ValueError:
        data = _json_lines(text)
    if isinstance(data, dict):
        yield from _curves(data)
        return
    if not isinstance(data, list):
        raise ValueError("a JSON object, or a list of objects, is read")
    for entry in data:
        if isinstance(entry, dict):
            yield json_numbers(entry)


def _json_lines(text: str) -> list[object]:
    """One JSON value a line; a last line that is not whole was being written."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        return [json.loads(line) for line in lines]
    except ValueError:
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines[:-1]]


def _curves(data: Mapping[str, object], above: str = "") -> Iterator[Mapping[str, float]]:
    """The numbers of an object; a list of numbers in it is a series, a list of objects a history."""
    yield json_numbers(data, above)
    for name, value in data.items():
        if isinstance(value, list):
            for entry in value:
                if isinstance(
                    entry, dict
                ):  # transformers' `log_history` is one of all metrics; other lists have a name
                    yield json_numbers(entry, above if name in _HISTORIES else f"{above}{name}/")
                elif isinstance(entry, int | float) and not isinstance(entry, bool):
                    yield {f"{above}{name}": float(entry)}
        elif isinstance(value, dict):
            for found in _curves(value, f"{above}{name}/"):
                yield {k: v for k, v in found.items() if k not in json_numbers(data, above)}


_HISTORIES = frozenset({"log_history", "history", "logs", "epochs", "results", "records"})


def _rows(text: str) -> Iterator[Mapping[str, float]]:
    first = text.partition("\n")[0]
    separator = max("\t;,", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=separator)
    header = [name.strip() for name in next(reader, [])]
    if len(set(header)) < len(header) or not any(re.search(r"[^\W\d]", name) for name in header):
        raise ValueError("its first line is not a row of names")
    lowered = [name.lower() for name in header]
    if len(header) == 2 and lowered[0] in ("metric", "name", "measure") and lowered[1] in ("value", "score"):
        yield {row[0].strip(): value for row in reader if len(row) == 2 and (value := _cell(row[1])) is not None}
        return
    for row in reader:
        yield {
            name: value for name, cell in zip(header, row, strict=False) if (value := _cell(cell)) is not None and name
        }


def _cell(cell: str) -> float | None:
    text = cell.strip().rstrip("%").strip()
    wrapped = re.fullmatch(r"tensor\((.+?)(?:,\s.*)?\)", text)
    text = wrapped[1] if wrapped else text
    if re.fullmatch(r"[-+]?(?:0,\d+|\d+,\d{1,2})", text):  # a decimal comma
        text = text.replace(",", ".")
    try:
        return float(text) if re.match(r"[-+]?(?:[\d.]|nan|inf)", text, re.IGNORECASE) else None
    except ValueError:
        return None


def _series(records: Iterable[Mapping[str, float]]) -> dict[str, Series]:
    values: dict[str, list[float]] = {}
    for record in records:
        for name, value in record.items():
            values.setdefault(name, []).append(value)
    return {name: Series(tuple(range(1, len(v) + 1)), tuple(v)) for name, v in values.items()}
