"""Folders of tables: `progress.csv` or `metrics.jsonl` of each run, or several exports of one tracker."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ...errors import UsageError
from ...wording import file_option
from ..groups import Groups
from ..guessing import guessed_by
from ..runs import split_runs
from ..sheet import Column, Sheet
from .tracked import RUN, Tracked, sheet_of_runs

ENDINGS: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_NO_NAMES: Final = frozenset("progress metrics log logs history train monitor result results scalars".split())
"""What many tools call the table of every run: the folder says which run it is."""
FILE: Final = "file"


def read_table_folder(path: str, opened: Mapping[Path, Sheet | Groups | None]) -> Sheet:
    """Tables as runs. A table with a column of runs or seeds holds several; any other is one, named by its path.

    Raises
    ------
    UsageError
        A file has no columns, or two files have the same metric of the same run.
    """
    runs: dict[str, Tracked] = {}
    came_from: dict[tuple[str, str], Path] = {}
    for file, sheet in opened.items():
        if not isinstance(sheet, Sheet):
            raise UsageError(f"{file} has no columns: name the one file that is meant, or take this one out of {path}")
        for run in _runs_of(sheet, _name(file, Path(path))):
            known = runs.setdefault(run.name, Tracked(run.name, run.identity))
            known.settings.update(run.settings)
            for metric, points in run.metrics.items():
                before = came_from.setdefault((run.name, metric), file)
                if before != file:
                    raise UsageError(f"{file}: {metric} of run {run.name} stands in {before} too")
                known.metrics[metric] = points
    return sheet_of_runs(path, f"runs in {len(opened)} file{'s' if len(opened) > 1 else ''}", list(runs.values()))


def _name(file: Path, root: Path) -> str:
    """What the path of a file calls its run: `ppo/seed_1/progress.csv` is ppo/seed_1."""
    inside = file.relative_to(root)
    if inside.stem.lower() in _NO_NAMES and len(inside.parts) > 1:
        return inside.parent.as_posix()
    return inside.with_suffix("").as_posix()


def _runs_of(sheet: Sheet, own: str) -> list[Tracked]:
    """The runs in one table. Raises UsageError where rows of two curves would become one run."""
    labels, told_by = _labels(sheet, own)
    at = sheet.steps_at
    steps = list(range(sheet.rows)) if at is None else sheet.numbers(at).values.tolist()
    runs: dict[str, Tracked] = {}
    for row, label in enumerate(labels):
        if label not in runs:
            runs[label] = Tracked(label, label, {sheet.names[k]: sheet.text(k, row) for k in told_by})
    in_rows = [runs[label] for label in labels]
    for k, column in enumerate(sheet.columns):
        if k in (at, *told_by) or column.name in (RUN, ""):
            continue
        if column.numeric:
            _log(column, in_rows, steps)
        elif column.words is not None and not column.right:
            codes, texts = column.words
            _refuse_two_curves(sheet, k, labels, steps)
            for run, code in zip(in_rows, codes.tolist(), strict=True):
                run.settings.setdefault(column.name, texts[code])
    if told_by and RUN not in sheet.names:
        for run in runs.values():
            run.settings[FILE] = own
    return list(runs.values())


def _labels(sheet: Sheet, own: str) -> tuple[Sequence[str], Sequence[int]]:
    """For each row what its run is called; and the columns beside that of runs that tell them apart: seed, method."""
    at = sheet.seeds_at
    if at is None:
        return [own] * sheet.rows, ()
    if RUN in sheet.names:
        k = sheet.names.index(RUN)
        return _texts(sheet, k), () if k == at else (at,)
    by = [sheet.index(name, "--by") for name in guessed_by(sheet)]
    if len(sheet.words(at)[1]) > 1:
        split_runs(sheet, ",".join(sheet.names[k] for k in by) or None)  # refuses a seed that stands twice
    else:  # the table of one run, whose rows may have no step and any numbers
        by = [k for k in by if not sheet.columns[k].numeric]
    told_by = (at, *by)
    said = [[f"{sheet.names[k]} {text}" for text in _texts(sheet, k)] for k in told_by]
    return [", ".join((own, *parts)) for parts in zip(*said, strict=True)], told_by


def _texts(sheet: Sheet, k: int) -> list[str]:
    codes, texts = sheet.words(k)
    return [texts[code] for code in codes.tolist()]


def _refuse_two_curves(sheet: Sheet, k: int, labels: Sequence[str], steps: Sequence[float]) -> None:
    """Rows of one run and step that differ in a word are of two curves, such as those of training and test."""
    first: dict[tuple[str, float], str] = {}
    for row, (label, step, text) in enumerate(zip(labels, steps, _texts(sheet, k), strict=True)):
        if (other := first.setdefault((label, step), text)) != text:
            raise UsageError(
                f"{sheet.place(row)}: {sheet.names[k]} is {text}, and in another row of the same run and step {other}: "
                f"a run is one curve; name this one file, with {file_option(f'--by {sheet.names[k]}')}"
            )


def _log(column: Column, runs: Sequence[Tracked], steps: Sequence[float]) -> None:
    blank = [False] * len(runs) if column.blank is None else column.blank.tolist()
    for run, step, value, missing in zip(runs, steps, column.values.tolist(), blank, strict=True):
        if not missing:
            run.log(column.name, float(step), float(value))
