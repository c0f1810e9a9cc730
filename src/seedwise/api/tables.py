"""Reads a table or a log as results. Each row, or each printed line, is one seed."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..metrics import choose as metrics
from ..results import Metric, Results, Run, Series, Status

SEED_COLUMNS = ("seed", "random_state", "random seed", "random_seed", "run", "run_id", "trial", "replicate", "rep")


@dataclass(frozen=True)
class Sheet:
    """A table of text: names of columns, and rows with the numbers of their lines in the file."""

    path: str
    names: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: str, option: str) -> int:
        """The index of a column. Raises UsageError, which names the existing columns."""
        for k, known in enumerate(self.names):
            if known == name:
                return k
        for k, known in enumerate(self.names):
            if known.lower() == name.lower():
                return k
        raise UsageError(f"{self.path} has no column {name!r} ({option}); its columns are {', '.join(self.names)}")

    @property
    def seeds_at(self) -> int | None:
        """The index of the column of seeds; None if there is none."""
        names = [name.lower() for name in self.names]
        return next((names.index(word) for word in SEED_COLUMNS if word in names), None)

    def numeric(self, but: Sequence[int | None]) -> list[int]:
        """Indices of the columns that hold only numbers.

        Empty cells are ignored, and the columns in `but` are left out.
        """
        found = []
        for k in range(len(self.names)):
            cells = [row[k] for _, row in self.rows if row[k].strip()]
            if k not in but and cells and all(number_of(cell) is not None for cell in cells):
                found.append(k)
        return found


def number_of(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def text_of(path: str) -> str:
    if not os.path.isfile(path):
        raise UsageError(f"no such file: {path}")
    return Path(path).read_text(encoding="utf-8-sig", errors="replace")


def read_sheet(path: str) -> Sheet:
    """Reads a CSV or TSV file. Raises UsageError, which names the wrong line."""
    text = text_of(path)
    head = text.partition("\n")[0]
    separator = "\t" if path.lower().endswith(".tsv") or "\t" in head else ","
    if separator == "," and ";" in head and "," not in head:
        separator = ";"
    reader = csv.reader(text.splitlines(), delimiter=separator)
    try:
        lines = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}") from None
    lines = [(number, row) for number, row in lines if any(cell.strip() for cell in row)]
    if not lines:
        raise UsageError(f"{path} is empty")
    names = tuple(name.strip() for name in lines[0][1])
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise UsageError(f"{path}: the column {double[0]!r} stands twice")
    for number, row in lines[1:]:
        if len(row) != len(names):
            raise UsageError(f"{path}:{number} has {len(row)} cells; the header names {len(names)}")
    return Sheet(path, names, tuple((number, tuple(cell.strip() for cell in row)) for number, row in lines[1:]))


def is_table(path: str) -> bool:
    """Whether a file is read as a table. Its name decides."""
    return path.lower().endswith((".csv", ".tsv"))


def read_scores(path: str, metric: Sequence[str] = ()) -> Results:
    """Runs from a CSV file or a log.

    The CSV has a column `seed` (or `random_state`, `run`); the log has lines such as `seed = 3 | acc = 0.80`.

    Raises
    ------
    UsageError
        The file cannot be read, has no seeds, repeats a seed, or has no numbers. The message names line and column.
    """
    records = _table(path) if is_table(path) else metrics.split_by_seed(text_of(path))
    if not records:
        raise UsageError(f"{path}: no line says a seed, as `seed = 3 | acc = 0.80` would")
    runs = tuple(
        Run(
            seed, Status.FINISHED if series else Status.FAILED, series, detail="" if series else "no numbers in its row"
        )
        for seed, series in sorted(records.items())
    )
    choice = metrics.choose(runs, [metrics.parse_metric(m) for m in metric])
    chosen = choice.metrics
    if not chosen and not metric:  # if there is only one column of numbers, it is the metric, whatever its name
        names = list(dict.fromkeys(name for run in runs for name in run.series))
        chosen = (Metric(names[0]),) if len(names) == 1 else ()
    return Results(Path(path).stem, "", (path,), runs, chosen, choice.left_out)


def _table(path: str) -> dict[int, dict[str, Series]]:
    sheet = read_sheet(path)
    where = sheet.seeds_at
    if where is None:
        raise UsageError(f"{path} has no column `seed`; its columns are {', '.join(sheet.names)}")
    records: dict[int, dict[str, Series]] = {}
    for line, row in sheet.rows:
        seed = seed_of(sheet, line, row[where])
        if seed in records:
            raise UsageError(
                f"{path}:{line}: seed {seed} stands twice; one row for each seed (several methods: compare {path} --by COLUMN)"
            )
        numbers = {
            name: number_of(cell) for name, cell in zip(sheet.names, row, strict=True) if name != sheet.names[where]
        }
        records[seed] = {name: Series((1,), (value,)) for name, value in numbers.items() if value is not None}
    return records


def seed_of(sheet: Sheet, line: int, cell: str) -> int:
    value = number_of(cell)
    if value is None or value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise UsageError(f"{sheet.path}:{line}: the seed {cell!r} is not an integer")
    return int(value)
