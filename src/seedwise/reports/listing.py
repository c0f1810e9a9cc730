"""Presents the list of experiments."""

from collections.abc import Sequence
from typing import Protocol

from ..words import ago, decimals, duration, number, printable
from .screen import Tone
from .table import Table, shortened

_METRIC = 24
"""Columns of a metric's name, which stands in one cell with its mean."""


class Row(Protocol):
    """What the list says of one experiment."""

    @property
    def name(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def finished(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def last_run(self) -> float: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def seconds_each(self) -> float | None: ...
    @property
    def metric(self) -> str | None: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def interval(self) -> tuple[float, float] | None: ...
    @property
    def sd(self) -> float | None: ...
    @property
    def differs(self) -> Sequence[str]: ...


def list_table(rows: Sequence[Row], commands: Sequence[str], now: float) -> Table:
    """A row for each experiment. `commands` are their command lines, `now` is in seconds since 1970."""
    columns = ("name", "last run", "mean", "k of n", "failed", "duration", "command or change")
    cells, tones = [], {}
    for k, (row, command) in enumerate(zip(rows, commands, strict=True)):
        counted, failed = f"{row.finished} of {row.n}", str(row.failed or "")
        what = f"changed: {', '.join(row.differs)}" if row.differs else command
        cells.append((row.name, ago(now - row.last_run), _mean(row), counted, failed, _took(row), printable(what)))
        if row.failed:
            tones[k, 3] = tones[k, 4] = Tone.BAD
    table = Table(columns, tuple(cells), frozenset({4}), (5, 1, 4), shorten={0: 16, 6: 18}, tones=tones)
    return table if any(row.failed for row in rows) else table.without(frozenset({4}))


def _mean(row: Row) -> str:
    if row.metric is None:
        return "–"
    name = shortened(printable(row.metric), _METRIC)
    if row.mean is None:
        return f"{name} –"
    half = None if row.interval is None else (row.interval[1] - row.interval[0]) / 2
    k = decimals(min((s for s in (half, row.sd) if s), default=None), row.mean)
    return f"{name} {number(row.mean, k)}" + ("" if half is None else f" ± {number(half, k)}")


def _took(row: Row) -> str:
    if row.seconds is None or row.seconds_each is None:
        return "–"
    each = f" ({duration(row.seconds_each)} each)" if row.finished > 1 else ""
    return f"{duration(row.seconds)}{each}"
