"""Reads a table or a log as results of one method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..advice import Advice
from ..errors import UsageError
from ..metrics import choose as metrics
from ..metrics.goals import guess_goal, looks_like_metric
from ..results import Metric, Results, Run, Scores, Series, Status
from ..tables.groups import Groups
from ..tables.guessing import guessed_by
from ..tables.opening import open_table
from ..tables.runs import AS_NAMED, Layout, RunTable, split_runs
from ..tables.settings import settings_between
from ..tables.sheet import SEED_COLUMNS, WITHIN_RUNS, Sheet
from ..wording import file_option, option

__all__ = ["SEED_COLUMNS", "TableResults", "chosen_column", "read_groups", "read_scores"]


_BLANK = "it did not finish, or its cells are blank"


class SeveralMethods(UsageError):
    """A file that names several methods or tasks was read as one."""


def read_scores(path: str, metric: Sequence[str] = (), layout: Layout = AS_NAMED, *, pool: bool = True) -> Results:
    """Runs of one method from a table, an array or a log; docs/statistics.md lists what is read.

    A table has a column `seed` (or `random_state`, `run`); a log has lines such as `seed = 3 | acc = 0.80`.

    Parameters
    ----------
    pool
        Take runs of several methods or settings as one, with a warning.

    Raises
    ------
    SeveralMethods
        Without `pool`, for a table whose runs are of several methods or settings.
    UsageError
        The file cannot be read, has no seeds, repeats a seed, holds several methods, or has no numbers. The message
        names line and column.
    """
    found = open_table(path)
    asked = [metrics.parse_metric(m) for m in metric]
    if found is not None and any(m.pattern for m in asked):
        raise UsageError(f"{option('--metric NAME=REGEX')} is for what is printed, and {path} is a table")
    if isinstance(found, Sheet):
        by = () if pool else guessed_by(found, layout)
        if by:
            raise SeveralMethods(f"{path} holds runs that differ in {', '.join(by)}: {file_option(f'--by {by[0]}')}")
        return _of_sheet(found, asked, layout)
    given = replace(layout, reduce=None) if isinstance(found, Groups) else layout
    typed = [file_option(name) for name, value in given.typed().items() if value is not None and value is not False]
    if typed:
        raise UsageError(f"{typed[0]} would be ignored: {path} has no columns")
    return _of_groups(found.reduced(layout.reduce), asked) if isinstance(found, Groups) else _of_log(path, asked)


def _of_log(path: str, asked: Sequence[Metric]) -> Results:
    text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    records = metrics.split_by_seed(text)
    if not records:
        raise UsageError(f"{path}: no line says a seed, as `seed = 3 | acc = 0.80` would")
    runs = tuple(
        Run(
            seed, Status.FINISHED if series else Status.FAILED, series, detail="" if series else "no numbers in its row"
        )
        for seed, series in sorted(records.items())
    )
    choice = metrics.choose(runs, asked)
    chosen = choice.metrics
    names = list(dict.fromkeys(name for run in runs for name in run.series))
    if not chosen and not asked:  # if there is only one name, it is the metric, whatever it is called
        chosen = (Metric(names[0]),) if len(names) == 1 else ()
    if not chosen:
        what = f"no metric {asked[0].name!r}" if asked else "no metric"
        raise UsageError(
            f"{path} has {what}; beside seeds it has: {', '.join(names[:20]) or 'nothing that is a number'}"
        )
    return Results(Path(path).stem, "", (path,), runs, chosen, choice.left_out)


def _of_groups(found: Groups, asked: Sequence[Metric]) -> Results:
    single = [scores for of in found.scores.values() for scores in of.values()]
    if len(single) != 1:
        names = ", ".join(f"{name} {task}".strip() or "runs" for name, of in found.scores.items() for task in of)
        raise SeveralMethods(
            f"{found.path} holds several methods or tasks ({names[:200]}): seedwise compare {found.path}"
        )
    if len(asked) > 1:
        raise UsageError(f"{found.path} holds one metric: name it, {option('--metric')}")
    metric = asked[0] if asked else _metric_called(next(iter(found.scores)) or single[0].metric)
    by_seed, n = single[0].by_seed, single[0].n or 0
    seeds = np.array([*by_seed, *sorted(set(range(n)) - set(by_seed))[: n - len(by_seed)]], dtype=object)
    scores = {metric.name: Scores(metric.name, by_seed, metric.goal, n=n)}
    if not by_seed:
        raise UsageError(f"{found.path} has no numbers")
    kept = np.arange(n) < len(by_seed)
    return TableResults(
        Path(found.path).stem,
        "",
        (found.path,),
        (),
        (metric,),
        warnings=found.notes,
        all_seeds=seeds,
        kept=kept,
        by_metric=scores,
    )


def _metric_called(name: str) -> Metric:
    return Metric(name, guess_goal(name))


@dataclass(frozen=True)
class _Chosen:
    """Which columns of a table are its metrics."""

    metrics: Sequence[Metric]
    at: Sequence[int]
    left_out: Mapping[str, str]
    question: Sequence[str]


def _of_sheet(sheet: Sheet, asked: list[Metric], layout: Layout) -> Results:
    table = split_runs(sheet, layout=layout)
    settings = settings_between(table)
    chosen = _chosen_columns(table, asked, settings)
    pooled = taken_together(sheet, {k: v for k, v in settings.items() if k not in chosen.at})
    return _of_group(table, 0, Path(sheet.path).stem, chosen, (*pooled, *table.notes(*chosen.at)))


def read_groups(
    path: str, by: str | None = None, metric: Sequence[str] = (), layout: Layout = AS_NAMED
) -> Mapping[str, Results]:
    """The runs of a table, an array or a log as results of one or several methods, with their curves.

    Parameters
    ----------
    by
        The columns that tell methods apart, with commas between them; `none` takes all runs together. By default
        they are guessed, and the warnings of the results say which they are.

    Raises
    ------
    UsageError
        As `read_scores` does.
    """
    found = open_table(path)
    asked = [metrics.parse_metric(m) for m in metric]
    if isinstance(found, Groups) and by is None:
        found = found.reduced(layout.reduce)
        return {
            name or Path(path).stem: _of_groups(replace(found, scores={name: of}), asked)
            for name, of in found.scores.items()
        }
    guessed = guessed_by(found, layout) if isinstance(found, Sheet) and by is None else ()
    if not isinstance(found, Sheet) or (by is None and not guessed):
        return {Path(path).stem: read_scores(path, metric, layout)}
    table = split_runs(found, by or ",".join(guessed), None, layout)
    within = settings_between(table, within_methods=True)
    chosen = _chosen_columns(table, asked, within)
    without = groups_without(table, list(zip(chosen.at, chosen.metrics, strict=True))) if guessed else {}
    names = " or ".join(metric.name for metric in chosen.metrics)
    notes = [*grouped_by(guessed), *left_out_of(without, names), *table.notes(*chosen.at)]
    notes += taken_together(found, {k: v for k, v in within.items() if k not in chosen.at}, OTHERS)
    return {
        method or Path(path).stem: _of_group(table, g, method or Path(path).stem, chosen, notes)
        for g, (method, _) in enumerate(table.groups)
        if method not in without
    }


OTHERS = "leave the others out, or make one method of each"


def grouped_by(columns: Sequence[str]) -> list[Advice]:
    """That and how groups were guessed, in a line."""
    if not columns:
        return []
    decide = f"{file_option('--by COLUMN')} decides, {file_option('--by none')} takes all together"
    return [Advice(f"runs are kept apart by {', '.join(columns)}", decide)]


def groups_without(table: RunTable, columns: Sequence[tuple[int, Metric]]) -> dict[str, int]:
    """How many runs each group has of which no run has a number in these columns; {} if that is all groups."""
    kept = np.zeros(len(table.starts), dtype=np.bool_)
    for k, metric in columns:
        kept |= table.values(k, metric)[1]
    with_some = set(table.group[kept].tolist())
    sizes = np.bincount(table.group, minlength=len(table.groups)).tolist()
    lacking = {table.groups[g][0]: n for g, n in enumerate(sizes) if g not in with_some}
    return lacking if with_some else {}


def left_out_of(groups: Mapping[str, int], metric: str) -> list[Advice]:
    """That some groups are left out, because they have nothing of a metric."""
    if not groups:
        return []
    told = ", ".join(f"{name} ({n} run{'s' if n > 1 else ''})" for name, n in groups.items())
    return [
        Advice(f"left out, without any number in {metric}: {told}", f"{file_option('--metric')} names another metric")
    ]


def _chosen_columns(table: RunTable, asked: list[Metric], settings: Mapping[int, tuple[str, ...]]) -> _Chosen:
    """The columns that were asked for, or those that are metrics. Raises UsageError."""
    sheet, layout = table.sheet, table.layout
    if asked:
        at = [sheet.index(metric.name, "--metric") for metric in asked]
        spelt = [as_spelt(metric, sheet, k, layout) for metric, k in zip(asked, at, strict=True)]
        return _Chosen(spelt, at, {}, ())
    names = {sheet.names[k]: k for k in offered_columns(table)}
    choice = metrics.lead(
        {name: _a_setting(k, settings) or _reason(table, k) for name, k in names.items()},
        set() if table.curves else set(names),
    )
    only = [Metric(name) for name in names] if len(names) == 1 else []
    chosen = [as_spelt(metric, sheet, names[metric.name], layout) for metric in choice.metrics or only]
    if not chosen:
        raise UsageError(
            f"{sheet.path} has no column of numbers that is a metric; its columns are {', '.join(sheet.names)}"
        )
    return _Chosen(chosen, [names[metric.name] for metric in chosen], choice.left_out, choice.question)


def _of_group(table: RunTable, group: int, name: str, chosen: _Chosen, warnings: Sequence[Advice]) -> Results:
    """The results of one group of runs."""
    sheet, layout = table.sheet, table.layout
    low, high = np.searchsorted(table.group, (group, group + 1)).tolist()
    pairs = list(zip(chosen.metrics, chosen.at, strict=True))
    given = [(table.named(metric), table.scores(k, metric)[table.groups[group]]) for metric, k in pairs]
    kept = np.zeros(high - low, dtype=np.bool_)
    for metric, k in pairs:
        kept |= table.values(k, metric)[1][low:high]
    if not kept.any():
        of = f" of {name}" if len(table.groups) > 1 else ""
        raise UsageError(
            f"{sheet.path}: no run{of} has a number in {', '.join(m.name for m in chosen.metrics)}; its columns are {', '.join(sheet.names)}"
        )
    renamed = {metric.name: scores for metric, scores in given}
    curves = table.curves and layout.steps_to is None
    return TableResults(
        name,
        "",
        (sheet.path,),
        (),
        tuple(metric for metric, _ in given),
        chosen.left_out,
        warnings=tuple(warnings),
        question=tuple(name for name in chosen.question if name in renamed),
        all_seeds=table.seeds[low:high],
        kept=kept,
        by_metric=renamed,
        without=_BLANK if layout.steps_to is None else f"it does not reach {layout.steps_to:g}",
        curves=(table, low, {metric.name: k for metric, k in pairs}) if curves else None,
    )


def _a_setting(k: int, settings: Mapping[int, tuple[str, ...]]) -> str:
    return "the same in groups of runs, as a setting is" if k in settings else ""


def taken_together(sheet: Sheet, settings: Mapping[int, tuple[str, ...]], remedy: str = "") -> list[Advice]:
    """Runs of several methods or settings are not pooled without a word. `remedy` says what to do, if not `by`."""
    if not settings:
        return []
    told = [
        f"{sheet.names[k]} ({', '.join(values[:4])}{' …' if len(values) > 4 else ''})" for k, values in settings.items()
    ]
    first = sheet.names[next(iter(settings))]
    apart = remedy or f"{file_option(f'--by {first}')} keeps them apart"
    return [Advice(f"runs of different {' and '.join(told)} are taken together", apart)]


def as_spelt(metric: Metric, sheet: Sheet, k: int, layout: Layout) -> Metric:
    name = sheet.names[k]
    goal = metric.goal if metric.goal_said else sheet.goals.get(name) or guess_goal(name)
    return Metric(name, goal, metric.goal_said, layout.reduce or metric.reduce)


def offered_columns(table: RunTable, asked: bool = False) -> list[int]:
    """The columns that may hold a metric.

    Raises
    ------
    UsageError
        A column named like a metric holds numbers and something else: the message names the first such cell. (Not if
        the metric was named.)
    """
    sheet = table.sheet
    found = []
    for k, column in enumerate(sheet.columns):
        if k in table.at or k == table.step or column.name.lower() in WITHIN_RUNS or column.name[:1] in ("", "_"):
            continue
        if k in sheet.settings:
            continue
        if column.mixed and not asked and (looks_like_metric(column.name) or len(sheet.columns) - len(table.at) < 2):
            sheet.numbers(k)  # says which cell
        if column.numeric and (not column.truth or looks_like_metric(column.name)):
            found.append(k)
    if not found and not asked:
        for k, column in enumerate(sheet.columns):
            if column.mixed and k not in table.at:
                sheet.numbers(k)
    return found


def _reason(table: RunTable, k: int) -> str:
    """Why a column is no metric; "" if it is one."""
    column = table.sheet.columns[k]
    values = column.values[~column.blank] if column.blank is not None else column.values
    same = len(values) > 1 and bool(
        (values == values[0]).all() or (values.dtype.kind == "f" and np.isnan(values).all())
    )
    as_seed = not table.curves and len(values) > 1 and bool(np.all(column.values[table.order] == table.seeds))
    return metrics.reason_against(
        column.name, as_seed, float(values[0]) if same else None, same and metrics.named_like_setting(column.name)
    )


class _Rows(Sequence[Run]):
    """Runs that are made when they are asked for: a million rows stay numbers."""

    def __init__(self, of: "TableResults", rows: NDArray[np.int64]) -> None:
        self._of, self._rows = of, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Run: ...
    @overload
    def __getitem__(self, at: slice) -> "_Rows": ...
    def __getitem__(self, at: int | slice) -> "Run | _Rows":
        if isinstance(at, slice):
            return _Rows(self._of, self._rows[at])
        return self._of.run(int(self._rows[at]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class TableResults(Results):
    """Results whose runs are rows of a table."""

    all_seeds: NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=np.int64), compare=False)
    kept: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_), compare=False)
    """Which runs finished with some number."""
    by_metric: dict[str, Scores] = field(default_factory=dict)
    without: str = _BLANK
    """Why a run has no number."""
    curves: tuple[RunTable, int, Mapping[str, int]] | None = field(default=None, compare=False, repr=False)
    """Where runs have several rows: the table, the first run of these in it, and the column of each metric."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "runs", _Rows(self, np.arange(len(self.all_seeds))))

    def run(self, row: int) -> Run:
        """One run, with its curves, or the one number of each metric that it finished with."""
        seed = int(self.all_seeds[row])
        if self.curves is not None:
            table, first, columns = self.curves
            curves = {name: _series(*table.curve(k, first + row)) for name, k in columns.items()}
            curves = {name: series for name, series in curves.items() if series.values}
            if not self.kept[row]:
                return Run(seed, Status.FAILED, curves, detail=self.without)
            return Run(seed, Status.FINISHED, curves)
        if not self.kept[row]:
            return Run(seed, Status.FAILED, detail=self.without)
        found = {n: Series((1,), (s.by_seed[seed],)) for n, s in self.by_metric.items() if seed in s.by_seed}
        return Run(seed, Status.FINISHED, found)

    def having(self, status: Status) -> Sequence[Run]:
        """The runs with this status."""
        rows = {Status.FINISHED: self.kept, Status.FAILED: ~self.kept}.get(status)
        return () if rows is None else _Rows(self, np.flatnonzero(rows))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, in ascending order."""
        return tuple(np.sort(self.all_seeds).tolist())

    def scores(self, metric: str | None = None) -> Scores:
        """Seed → number for one metric. Raises MetricError as `metric` does."""
        return self.by_metric[self.metric(metric).name]


def _series(steps: NDArray[np.float64], values: NDArray[np.float64]) -> Series:
    """A curve. Steps that are no integers count from 1."""
    whole = bool((steps == np.trunc(steps)).all())
    return Series(tuple(steps.astype(np.int64).tolist() if whole else range(1, len(steps) + 1)), tuple(values.tolist()))


def _leading(table: RunTable, named: Sequence[int]) -> int | None:
    """The column that leads among several that are named like metrics, as it does for one method; None if two may."""
    names = {table.sheet.names[k]: k for k in named}
    choice = metrics.lead({name: _reason(table, k) for name, k in names.items()}, set())
    if not choice.metrics or len(choice.question) > 1:
        return None
    return names[choice.metrics[0].name]


def chosen_column(table: RunTable, asked: Metric | None) -> tuple[int, Metric]:
    """The one column whose scores are compared. Raises UsageError, which names the columns of numbers."""
    sheet = table.sheet
    if asked is not None:
        k = sheet.index(asked.name, "--metric")
        return k, as_spelt(asked, sheet, k, table.layout)
    numeric = offered_columns(table)
    named = [k for k in numeric if looks_like_metric(sheet.names[k])]
    for some in (numeric, named):
        if len(some) == 1:
            return some[0], as_spelt(Metric(sheet.names[some[0]]), sheet, some[0], table.layout)
    leading = _leading(table, named)
    if leading is not None:
        return leading, as_spelt(Metric(sheet.names[leading]), sheet, leading, table.layout)
    shown = ", ".join(sheet.names[k] for k in numeric) or f"none (its columns are {', '.join(sheet.names)})"
    raise UsageError(f"which metric? {option('--metric')} one of the columns of numbers in {sheet.path}: {shown}")
