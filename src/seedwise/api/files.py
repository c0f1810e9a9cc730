"""Scores that were made elsewhere: tables and logs."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError
from ..results import Results, Run, Series, Status
from ..runs import metrics


def read_scores(path: str, metric: Sequence[str] = ()) -> Results:
    """Runs out of a CSV with a column `seed` (or `random_state`), or out of a log that says `seed = 3 | acc = 0.80`.

    Raises
    ------
    UsageError
        When the file cannot be read, has no seeds, repeats one, or has no numbers; with line and column.
    """
    if not os.path.isfile(path):
        raise UsageError(f"no such file: {path}")
    text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    records = _table(path, text) if path.lower().endswith((".csv", ".tsv")) else metrics.split_by_seed(text)
    if not records:
        raise UsageError(f"{path}: no line says a seed, as `seed = 3 | acc = 0.80` would")
    runs = tuple(
        Run(
            seed, Status.FINISHED if series else Status.FAILED, series, detail="" if series else "no numbers in its row"
        )
        for seed, series in sorted(records.items())
    )
    choice = metrics.choose(runs, [metrics.parse_metric(m) for m in metric])
    return Results(Path(path).stem, "", (path,), runs, choice.metrics, choice.left_out)


def _table(path: str, text: str) -> dict[int, dict[str, Series]]:
    separator = "\t" if path.lower().endswith(".tsv") or "\t" in text.partition("\n")[0] else ","
    if separator == "," and ";" in text.partition("\n")[0] and "," not in text.partition("\n")[0]:
        separator = ";"
    rows = list(csv.reader(text.splitlines(), delimiter=separator))
    if not rows:
        raise UsageError(f"{path} is empty")
    names = [name.strip() for name in rows[0]]
    where = next((k for k, name in enumerate(names) if name.lower() in ("seed", "random_state", "random seed")), None)
    if where is None:
        raise UsageError(f"{path} has no column `seed`; its columns are {', '.join(names)}")
    records: dict[int, dict[str, Series]] = {}
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(names):
            raise UsageError(f"{path}:{line} has {len(row)} cells; the header names {len(names)}")
        try:
            seed = int(row[where])
        except ValueError:
            raise UsageError(f"{path}:{line}: the seed {row[where]!r} is not an integer") from None
        if seed in records:
            raise UsageError(f"{path}:{line}: seed {seed} stands twice; one row for each seed")
        records[seed] = {}
        for name, cell in zip(names, row, strict=True):
            if name == names[where] or not cell.strip():
                continue
            try:
                records[seed][name] = Series((1,), (float(cell),))
            except ValueError:
                continue  # a column of words
    return records
