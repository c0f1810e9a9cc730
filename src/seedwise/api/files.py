"""For `compare FILE --by COLUMN`: reads the scores of several methods from one file."""

from dataclasses import dataclass, replace

from ..advice import Advice
from ..errors import UsageError
from ..metrics import choose as metrics
from ..metrics.goals import looks_like_metric
from ..results import Metric, Reduce, Scores
from ..tables.groups import VALUE, Groups
from ..tables.guessing import guessed_by
from ..tables.opening import open_table
from ..tables.runs import AS_NAMED, Layout, RunTable, split_runs
from ..tables.settings import settings_between
from ..tables.sheet import WITHIN_RUNS, Sheet
from ..wording import file_option, option
from .scores import as_scores
from .tables import OTHERS, chosen_column, grouped_by, groups_without, left_out_of, offered_columns, taken_together

Methods = dict[str, dict[str, Scores]]
"""Method → task → scores. Without tasks, the only one is ""."""


@dataclass(frozen=True)
class Found:
    """The methods in a file, and what the user should know of how they were read."""

    methods: Methods
    notes: tuple[Advice, ...] = ()


def read_tasks(
    path: str, by: str | None, task: str | None, metric: str | None = None, layout: Layout = AS_NAMED
) -> Methods:
    """The scores of each method on each task: `read_methods` without its notes."""
    return read_methods(path, by, task, metric, layout).methods


def read_methods(
    path: str, by: str | None, task: str | None, metric: str | None = None, layout: Layout = AS_NAMED
) -> Found:
    """The scores of each method on each task, from a table with a row for each run, or a file that names its methods.

    Parameters
    ----------
    by, task
        Names of the columns that hold the method and the task, with commas between several. A file without columns
        names them itself. Without tasks, the columns of methods are guessed if need be, and a note says which.
    metric
        NAME, NAME:min or NAME:max. By default the only column of numbers, or the only one that is named like a
        metric.

    Raises
    ------
    UsageError
        The same run has two rows, or a cell is not a number. (If episodes or epochs were counted as runs, intervals
        would be far too narrow.)
    """
    asked = asked_metric(path, metric)
    found = open_table(path)
    if isinstance(found, Groups):
        _refuse_columns(path, by, task, layout)
        found = found.reduced(layout.reduce)
        return Found(_named(found, asked), found.notes)
    if found is None:
        raise UsageError(f"{path} is a log, and has no columns: compare takes a log for each method")
    guessed = guessed_by(found, layout) if by is None and task is None else ()
    if by is None and not guessed:
        raise UsageError(
            f"which column of {path} tells the methods apart? {file_option('--by')} one of {', '.join(found.names)}; or {file_option('--wide')} if each column is a method"
        )
    table = split_runs(found, by or ",".join(guessed), task, layout)
    k, chosen = chosen_column(table, asked)
    methods: Methods = {}
    without = groups_without(table, [(k, chosen)]) if guessed else {}
    for (name, of), scores in table.scores(k, chosen).items():
        if name in without:
            continue
        methods.setdefault(name, {})[of] = as_scores(scores, None, None, f"{path}, {name}{of and ', '}{of}")
    said = [
        *grouped_by(guessed),
        *left_out_of(without, chosen.name),
        *_which(table, k, asked),
        *_pooled(table, k),
        *table.notes(k),
    ]
    return Found(methods, tuple(said))


def read_one_method(
    path: str, task: str, metric: str | None = None, layout: Layout = AS_NAMED
) -> tuple[dict[str, Scores], tuple[Advice, ...]]:
    """The scores of one method on each task, from a table with a column of tasks; and how they were read.

    Raises
    ------
    UsageError
        The file has no columns, or the same run has two rows.
    """
    asked = asked_metric(path, metric)
    sheet = open_table(path)
    if not isinstance(sheet, Sheet):
        raise UsageError(f"{path} has no columns: {file_option('--task')} names a column")
    table = split_runs(sheet, None, task, layout)
    k, chosen = chosen_column(table, asked)
    scores = {of: as_scores(s, None, None, f"{path}, {of}") for (_, of), s in table.scores(k, chosen).items()}
    return scores, (*_pooled(table, k), *table.notes(k))


def _which(table: RunTable, k: int, asked: Metric | None) -> list[Advice]:
    """Which metric was taken, where nobody named it and there are others."""
    others = [table.sheet.names[j] for j in offered_columns(table, True) if j != k]
    if asked is not None or not any(looks_like_metric(name) for name in others):
        return []
    return [
        Advice(f"the metric is {table.sheet.names[k]}", f"{option('--metric')} takes another: {', '.join(others[:8])}")
    ]


def _pooled(table: RunTable, measured: int) -> list[Advice]:
    """Settings that differ between the runs of one method are not pooled without a word."""
    found = {k: values for k, values in settings_between(table, within_methods=True).items() if k != measured}
    return taken_together(table.sheet, found, OTHERS)


def asked_metric(path: str, metric: str | None) -> Metric | None:
    asked = None if metric is None else metrics.parse_metric(metric)
    if asked is not None and asked.pattern:
        raise UsageError(f"{option('--metric NAME=REGEX')} is for what is printed, and {path} is a table")
    return asked


def _refuse_columns(path: str, by: str | None, task: str | None, layout: Layout) -> None:
    given = {"--by": by, "--task": task, **replace(layout, reduce=None).typed()}
    typed = [file_option(name) for name, value in given.items() if value is not None and value is not False]
    if typed:
        raise UsageError(
            f"{' and '.join(typed)} would be ignored: {path} names its methods and tasks itself, and has no columns"
        )


def _named(found: Groups, asked: Metric | None) -> Methods:
    """The scores under the metric's name, without a goal if nobody said it."""
    name, goal = (asked.name, asked.goal) if asked is not None else (VALUE, None)
    return {
        method: {
            task: as_scores(
                Scores(name, s.by_seed, goal, s.n), None, None, f"{found.path}, {method}{task and ', '}{task}"
            )
            for task, s in of.items()
        }
        for method, of in found.scores.items()
    }


def read_columns(path: str, metric: str | None = None, layout: Layout = AS_NAMED) -> Found:
    """Scores of several methods from a table in which each column of numbers is a method and each row is a seed."""
    asked = asked_metric(path, metric)
    sheet = open_table(path)
    if not isinstance(sheet, Sheet):
        raise UsageError(f"{path} has no columns: leave {file_option('--wide')} out")
    within = [name for name in sheet.names if name.lower() in WITHIN_RUNS]
    if within and layout.seed is None and sheet.seeds_at is None:
        raise UsageError(
            f"{path}: {within[0]} counts rows within a run, so that its rows are no seeds: {file_option('--seed-column NAME')}"
        )
    alone = sheet.seeds_at is None and layout.seed is None  # lists of scores side by side
    table = split_runs(sheet, None, None, Layout(rows_are_runs=True) if alone and layout == AS_NAMED else layout)
    found, used = {}, []
    for k, column in enumerate(sheet.columns):
        if k in table.at or k == table.step or column.name.lower() in WITHIN_RUNS or not column.name.strip():
            continue  # a count of rows, or the index that pandas wrote
        if column.mixed:
            sheet.numbers(k)
        if column.numeric and not column.truth:
            metric_of = Metric(
                asked.name if asked else VALUE,
                asked.goal if asked else None,
                asked is not None,
                layout.reduce or Reduce.LAST,
            )
            used.append(k)
            found[column.name] = as_scores(table.scores(k, metric_of)["", ""], None, None, f"{path}, {column.name}")
    if not found:
        raise UsageError(f"{path} has no column of numbers; its columns are {', '.join(sheet.names)}")
    return Found({name: {"": scores} for name, scores in found.items()}, tuple(table.notes(*used)))
