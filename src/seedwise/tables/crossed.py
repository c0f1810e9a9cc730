"""Tables whose rows are cells of a design: which value of each source, which fold, which example."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..metrics.goals import looks_like_metric
from ..wording import file_option, option
from .sheet import SEED_COLUMNS, WITHIN_RUNS, Sheet


@dataclass(frozen=True)
class Cells:
    """The numbers of a table by cell. Several numbers of one cell are replicates."""

    metric: str
    by_cell: dict[tuple[str, ...], list[float]]


def read_cells_of(sheet: Sheet, columns: Sequence[str], metric: str | None, typed: str) -> Cells:
    """The numbers of each combination of values in some columns.

    Parameters
    ----------
    columns
        The columns that tell cells apart.
    typed
        The option that named them, for messages.

    Raises
    ------
    UsageError
        A column does not exist or a cell of it is blank; which column holds the numbers is not clear; a number is
        missing; or rows of one run over time would count as replicates.
    """
    at = [sheet.index(name, typed) for name in columns]
    if len(set(at)) < len(at):
        raise UsageError(f"{file_option(typed)}: each column once; got {', '.join(columns)}")
    k = _measured(sheet, at, metric)
    numbers = sheet.numbers(k)
    if numbers.blank is not None and numbers.blank.any():
        row = int(numbers.blank.argmax())
        raise UsageError(f"{sheet.place(row)}: {numbers.name} is blank: every cell of the design needs its number")
    keys = []
    for column in at:
        codes, texts = sheet.words(column)
        if "" in texts:
            row = int((codes == texts.index("")).argmax())
            raise UsageError(f"{sheet.place(row)}: {sheet.names[column]} is blank")
        keys.append([texts[code] for code in codes.tolist()])
    found: dict[tuple[str, ...], list[float]] = {}
    for *key, value in zip(*keys, numbers.values.tolist(), strict=True):
        found.setdefault(tuple(key), []).append(float(value))
    within = [name for j, name in enumerate(sheet.names) if j not in (*at, k) and name.lower() in WITHIN_RUNS]
    if within and any(len(values) > 1 for values in found.values()):
        raise UsageError(
            f"{sheet.path}: rows that differ in {within[0]} alone are of one run, and no replicates: keep one row of each run, or name "
            f"{file_option(f'{typed} {within[0]}')}"
        )
    return Cells(sheet.names[k], found)


def _measured(sheet: Sheet, at: Sequence[int], metric: str | None) -> int:
    if metric is not None:
        return sheet.index(metric, "--metric")
    free = [
        k
        for k, column in enumerate(sheet.columns)
        if k not in at
        and column.numeric
        and column.name.lower() not in (*SEED_COLUMNS, *WITHIN_RUNS)
        and column.name[:1] not in ("", "_")
    ]
    named = [k for k in free if looks_like_metric(sheet.names[k])]
    for some in (free, named):
        if len(some) == 1:
            return some[0]
    shown = ", ".join(sheet.names[k] for k in free) or f"none (its columns are {', '.join(sheet.names)})"
    raise UsageError(
        f"which column is measured? {option('--metric')} one of the columns of numbers in {sheet.path}: {shown}"
    )
