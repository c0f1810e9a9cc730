"""From rows to runs: which rows belong to one run, and the one number that a run gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..advice import Advice
from ..errors import UsageError
from ..results import Goal, Metric, Reduce, Scores
from ..wording import either_goal, file_option
from .grouping import column_of_seeds, columns_named, columns_of_runs, groups_of_rows, labels_of_runs
from .sheet import WITHIN_RUNS, Sheet

Rows = NDArray[np.int64]

_DONE = frozenset("finished completed complete success succeeded successful done ok passed".split())
_LOST = frozenset(
    "failed fail failure crashed crash killed running interrupted preempting preempted pending error timeout oom out_of_memory "
    "canceled cancelled node_fail boot_fail deadline pruned diverged queued".split()
)


@dataclass(frozen=True)
class Layout:
    """What the columns of a table are, where their names do not say it, and how many rows become one number."""

    seed: str | None = None
    """The column that tells runs apart."""
    rows_are_runs: bool = False
    """Each row is a run of its own, though no column says a seed."""
    step: str | None = None
    """The column that orders the rows of one run."""
    reduce: Reduce | None = None
    steps_to: float | None = None
    """A run gives the first step at which the metric reaches this number."""

    def typed(self) -> dict[str, object]:
        """The options of the command line that set this."""
        return {
            "--seed-column": self.seed,
            "--rows-are-runs": self.rows_are_runs,
            "--step-column": self.step,
            "--reduce": self.reduce,
            "--steps-to": self.steps_to,
        }


AS_NAMED = Layout()


@dataclass(frozen=True)
class RunTable:
    """The rows of a sheet, sorted by group, seed and step."""

    sheet: Sheet
    groups: tuple[tuple[str, str], ...]
    """Method and task of each group."""
    order: Rows
    starts: Rows
    """Where each run begins in `order`."""
    group: Rows
    """The group of each run."""
    seeds: NDArray[Any]
    """The seed of each run."""
    lost: NDArray[np.bool_]
    """Runs that a column `status` or `state` says did not finish."""
    at: tuple[int, ...]
    """The columns that say which run a row is of."""
    step: int | None
    layout: Layout

    @property
    def curves(self) -> bool:
        """Whether runs have several rows."""
        return len(self.starts) < len(self.order)

    @cached_property
    def steps(self) -> NDArray[np.float64]:
        """The step of each row, in `order`."""
        if self.step is None:
            raise UsageError(
                f"{self.sheet.path}: no column says the order of the rows of a run: {file_option('--step-column NAME')}"
            )
        return self.sheet.numbers(self.step).values.astype(np.float64)[self.order]

    def curve(self, k: int, run: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Steps and values of one column in one run, without blanks. Where nothing orders the rows, they count from 1."""
        end = self.starts[run + 1] if run + 1 < len(self.starts) else len(self.order)
        rows = self.order[self.starts[run] : end]
        column = self.sheet.columns[k]
        values = column.values[rows].astype(np.float64)
        there = np.ones(len(rows), dtype=np.bool_) if column.blank is None else ~column.blank[rows]
        steps = np.arange(1.0, len(rows) + 1) if self.step is None else self.steps[self.starts[run] : end]
        return steps[there], values[there]

    def values(self, k: int, metric: Metric) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """One number for each run, and whether the run finished with one."""
        column = self.sheet.numbers(k)
        found = column.values.astype(np.float64)[self.order]
        there = np.ones(len(found), dtype=np.bool_) if column.blank is None else ~column.blank[self.order]
        if not self.curves and self.layout.steps_to is None:
            return found, there & ~self.lost
        run = np.repeat(np.arange(len(self.starts)), np.diff(np.append(self.starts, len(found))))[there]
        values, has = _reduced(self, found[there], there, run, metric)
        return values, has & ~self.lost

    def scores(self, k: int, metric: Metric) -> dict[tuple[str, str], Scores]:
        """The scores of each group."""
        values, has = self.values(k, metric)
        metric = self.named(metric)
        ends = np.searchsorted(self.group, np.arange(len(self.groups) + 1))
        found = {}
        for g, (low, high) in enumerate(pairwise(ends.tolist())):
            kept = has[low:high]
            by_seed = dict(zip(self.seeds[low:high][kept].tolist(), values[low:high][kept].tolist(), strict=True))
            found[self.groups[g]] = Scores(
                metric.name, by_seed, metric.goal, int(high - low), metric.reduce if self.curves else Reduce.LAST
            )
        return found

    def named(self, metric: Metric) -> Metric:
        """The metric under the name of what a run gives."""
        if self.layout.steps_to is None:
            return metric
        sign = "≤" if metric.goal is Goal.MIN else "≥"
        return Metric(f"steps to {metric.name} {sign} {self.layout.steps_to:g}", Goal.MIN, True)

    def notes(self, *columns: int) -> list[Advice]:
        """What the user should know of how many rows of these columns became one number."""
        notes = list(self.said())
        if self.at and self.sheet.named_runs(self.at[-1]):
            notes.append(
                Advice(
                    f"{self.sheet.names[self.at[-1]]} holds names and no seeds, so that a run's number is made of its name",
                    f"if another column holds the seeds, {file_option('--seed-column NAME')} takes it",
                )
            )
        if not self.curves or self.step is None or self.layout.steps_to is not None:
            return notes
        name = self.sheet.names[self.step]
        if self.layout.reduce is None:
            another = f"{file_option('--reduce best')}, mean or area takes another number"
            notes.append(Advice(f"a run counts with its last row by {name}", another))
        for k in columns:
            blank = self.sheet.columns[k].blank
            there = np.ones(len(self.order), dtype=np.bool_) if blank is None else ~blank[self.order]
            uneven = self.uneven(np.where(there, self.steps, -np.inf), np.maximum, "ends")
            if uneven:
                notes.append(
                    Advice(
                        f"{self.sheet.names[k]} is of different lengths of training: {uneven}",
                        "compare runs of one length, or leave out those that were stopped",
                    )
                )
        return notes

    def said(self) -> tuple[Advice, ...]:
        """What was taken for the seed, where the rows were made of something that is no table."""
        if not self.sheet.origin or not self.at:
            return self.sheet.notes
        seed = self.sheet.names[self.at[-1]]
        what = "each run counts by its name" if self.sheet.named_runs(self.at[-1]) else f"the seed is the column {seed}"
        read = f"{self.sheet.path}: {self.sheet.origin}; {what}"
        decides = "as asked" if self.layout.seed else f"{file_option('--seed-column')} takes another column"
        return (Advice(read, decides), *self.sheet.notes)

    def uneven(self, steps: NDArray[np.float64], end: np.ufunc, word: str) -> str:
        """Two runs that begin or end at different steps, in words; "" if there are none."""
        ends = end.reduceat(steps, self.starts)
        known = np.flatnonzero(np.isfinite(ends) & ~self.lost)
        if not len(known) or np.ptp(ends[known]) == 0:
            return ""
        low, high = known[np.argmin(ends[known])], known[np.argmax(ends[known])]
        return f"seed {self.seeds[low]} {word} at {ends[low]:g}, seed {self.seeds[high]} at {ends[high]:g}"


def _reduced(
    table: RunTable, values: NDArray[np.float64], there: NDArray[np.bool_], run: Rows, metric: Metric
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """One number for each run out of its rows that are not blank."""
    how, goal = table.layout.reduce or Reduce.LAST, metric.goal
    count = len(table.starts)
    result, has = np.full(count, np.nan), np.zeros(count, dtype=np.bool_)
    if not len(run):
        return result, has
    starts = np.flatnonzero(np.append(True, np.diff(run) > 0))
    ends = np.append(starts[1:], len(run)) - 1
    present = run[starts]
    has[present] = True
    if goal is None and (how is Reduce.BEST or table.layout.steps_to is not None):
        raise UsageError(f"whether more or less {metric.name} is better has to be known: {either_goal(metric.name)}")
    if table.layout.steps_to is not None:
        reached = values <= table.layout.steps_to if goal is Goal.MIN else values >= table.layout.steps_to
        first = np.minimum.reduceat(np.where(reached, table.steps[there], np.inf), starts)
        result[present], has[present] = first, np.isfinite(first)
    elif how is Reduce.LAST:
        if table.step is None:
            raise UsageError(
                f"{table.sheet.path}: no column says which row of a run is last: {file_option('--step-column NAME')}"
            )
        result[present] = values[ends]
    elif how is Reduce.BEST:
        result[present] = (np.minimum if goal is Goal.MIN else np.maximum).reduceat(values, starts)
    elif how is Reduce.MEAN:
        result[present] = np.add.reduceat(values, starts) / (ends - starts + 1)
    else:
        result[present] = _areas(table, values, there, starts, ends)
    return result, has


def _areas(
    table: RunTable, values: NDArray[np.float64], there: NDArray[np.bool_], starts: Rows, ends: Rows
) -> NDArray[np.float64]:
    """The area under each curve, by trapezoids."""
    steps = table.steps[there]
    for far, end, word in ((np.inf, np.minimum, "begins"), (-np.inf, np.maximum, "ends")):
        uneven = table.uneven(np.where(there, table.steps, far), end, word)
        if uneven:
            raise UsageError(f"{table.sheet.path}: areas are compared over the same steps: {uneven}")
    if (starts == ends).any():
        raise UsageError(f"{table.sheet.path}: an area takes two steps in each run")
    pieces = np.append(np.diff(steps) * (values[1:] + values[:-1]) / 2, 0.0)
    pieces[ends] = 0.0
    areas: NDArray[np.float64] = np.add.reduceat(pieces, starts)
    return areas


def split_runs(sheet: Sheet, by: str | None = None, task: str | None = None, layout: Layout = AS_NAMED) -> RunTable:
    """Sorts the rows of a sheet into runs.

    Raises
    ------
    UsageError
        A column does not exist; nothing says which run a row is of; or two rows are of one run, and nothing says
        how they become one number. (If episodes or epochs were counted as runs, intervals would be far too narrow.)
    """
    seeds_at = column_of_seeds(sheet, layout.seed, layout.rows_are_runs)
    at_by = columns_named(sheet, by, "--by", seeds_at)
    at_task = columns_named(sheet, task, "--task", seeds_at)
    step = sheet.steps_at if layout.step is None else sheet.index(layout.step, "--step-column")
    codes, groups = groups_of_rows(sheet, at_by, at_task)
    if seeds_at is None:
        _ask_for_seeds(sheet, layout)
        order = np.argsort(codes, kind="stable")
        first = np.searchsorted(codes[order], np.arange(len(groups)))
        group = codes[order]
        seeds: NDArray[Any] = np.arange(len(order)) - first[group]
        lost = _lost(sheet)[order]
        return RunTable(
            sheet, groups, order, np.arange(len(order)), group, seeds, lost, (*at_by, *at_task), None, layout
        )
    numbers = sheet.seeds(seeds_at)
    keys = np.unique(numbers, return_inverse=True)[1] if numbers.dtype.kind == "O" else numbers
    steps = None if step is None else sheet.columns[step].values
    order = np.lexsort((keys, codes) if steps is None else (steps, keys, codes))
    changed = (np.diff(codes[order]) != 0) | (np.diff(keys[order]) != 0)
    starts = np.flatnonzero(np.append(True, changed))
    seeds = numbers[order][starts]
    lost = np.maximum.reduceat(_lost(sheet)[order], starts)
    at = (*at_by, *at_task, seeds_at)
    found = RunTable(sheet, groups, order, starts, codes[order][starts], seeds, lost, at, step, layout)
    _refuse_two_runs(found)
    _check_rows(found)
    return found


def _ask_for_seeds(sheet: Sheet, layout: Layout) -> None:
    """Rows may be epochs or episodes: a table without seeds is asked about, a mere list of numbers is not."""
    if layout.reduce is not None or layout.steps_to is not None or layout.step is not None:
        raise UsageError(
            f"{sheet.path} has no column `seed`, so that no rows are of one run; {file_option('--seed-column NAME')} of {', '.join(sheet.names)}"
        )
    if layout.rows_are_runs or len(sheet.columns) == 1:
        return
    raise UsageError(
        f"{sheet.path} has no column `seed`; its columns are {', '.join(sheet.names)}: {file_option('--seed-column NAME')} says which one tells runs apart, "
        f"{file_option('--rows-are-runs')} that each row is a run of its own (epochs, episodes and folds are not)"
    )


def _lost(sheet: Sheet) -> NDArray[np.bool_]:
    """Rows of runs that did not finish, by a column `status` or `state` with words that say so."""
    for k, name in enumerate(sheet.names):
        if name.lower() in ("status", "state") and sheet.columns[k].words is not None:
            codes, texts = sheet.words(k)
            words = [text.strip().lower().replace(" ", "_").partition("_by_")[0] for text in texts]
            known = [word in _DONE | _LOST for word in words]
            if not any(known):
                continue  # it speaks of something else
            if not all(known):
                strange = ", ".join(repr(text) for text, ok in zip(texts, known, strict=True) if not ok)
                raise UsageError(
                    f"{sheet.path}: {name} holds {strange}: whether such a run finished is not known; leave these rows out, or say finished or failed"
                )
            lost: NDArray[np.bool_] = np.array([word in _LOST for word in words], dtype=np.bool_)[codes]
            return lost
    return np.zeros(sheet.rows, dtype=np.bool_)


def _refuse_two_runs(table: RunTable) -> None:
    """Rows of two runs that have the same group and seed are not made one run, though their steps may not meet."""
    sheet = table.sheet
    for k in labels_of_runs(sheet):
        if k in table.at:
            continue
        codes, texts = sheet.words(k)
        ordered = codes[table.order]
        low, high = (of.reduceat(ordered, table.starts) for of in (np.minimum, np.maximum))
        if (low != high).any():
            run = int(np.argmax(low != high))
            method, task = table.groups[int(table.group[run])]
            of = (f" of {method}" if method else "") + (f" on {task}" if task else "")
            free = [sheet.names[c] for c in columns_of_runs(sheet, k) if c not in table.at and c != table.step]
            other = file_option(f"--by {' or '.join(free)}")
            tell = f"does another column tell them apart ({other})? Else " if free and not task else ""
            raise UsageError(
                f"{sheet.path}: the {sheet.names[k]}s {texts[low[run]]} and {texts[high[run]]} are both seed "
                f"{table.seeds[run]}{of}, and a seed counts once: {tell}leave one out, or {file_option(f'--seed-column {sheet.names[k]}')} "
                f"makes each a run of its own"
            )


def _check_rows(table: RunTable) -> None:
    """Several rows of one run take steps, or an average that was asked for."""
    layout = table.layout
    if not table.curves:
        if layout.reduce is not None:
            raise UsageError(f"{file_option('--reduce')} would be ignored: {table.sheet.path} has one row for each run")
        if layout.steps_to is not None:
            raise UsageError(
                f"{file_option('--steps-to')} takes several rows for each run, and {table.sheet.path} has one"
            )
        return
    if table.step is None:
        if layout.reduce is not Reduce.MEAN:
            _refuse_twice(table, next(_repeated(table, None)))
        return
    column = table.sheet.numbers(table.step)
    if column.blank is not None:
        raise UsageError(f"{table.sheet.place(int(np.argmax(column.blank)))}: {column.name} is blank")
    finite = np.isfinite(column.values.astype(np.float64))
    if not finite.all():
        raise UsageError(f"{table.sheet.place(int(np.argmin(finite)))}: {column.name} is no step")
    twice = next(_repeated(table, table.steps), None)
    if twice is not None:
        _refuse_twice(table, twice)
    _refuse_mixture(table)


def _refuse_mixture(table: RunTable) -> None:
    """Words that differ between the rows of one run, and come back, tell more than one curve apart: train and val."""
    sheet = table.sheet
    run = np.repeat(np.arange(len(table.starts)), np.diff(np.append(table.starts, len(table.order))))
    for k, column in enumerate(sheet.columns):
        if k in (*table.at, table.step) or column.words is None or column.right or column.name.lower() in WITHIN_RUNS:
            continue
        codes, texts = column.words
        filled = np.array([text != "" for text in texts], dtype=np.bool_)[codes[table.order]]
        pairs = np.unique(run[filled] * len(texts) + codes[table.order][filled])
        per_run = np.bincount(pairs // len(texts), minlength=len(table.starts))
        if (per_run > 1).any() and len(pairs) < filled.sum():
            at = int(np.argmax(per_run > 1))
            raise UsageError(
                f"{sheet.path}: {column.name} differs between the rows of seed {table.seeds[at]}: does it tell methods or tasks apart "
                f"({file_option(f'--by {column.name}')}, {file_option(f'--task {column.name}')})? A run is one curve"
            )


def _repeated(table: RunTable, steps: NDArray[np.float64] | None) -> Iterator[int]:
    """Positions in `order` that are of the same run, and the same step, as the one before."""
    same = np.ones(len(table.order), dtype=np.bool_)
    same[table.starts] = False
    if steps is not None:
        same[1:] &= steps[1:] == steps[:-1]
    found = np.flatnonzero(same)
    if len(found):
        yield int(found[np.argmin(table.order[found])])


def _refuse_twice(table: RunTable, at: int) -> None:
    sheet = table.sheet
    run = int(np.searchsorted(table.starts, at, side="right")) - 1
    method, task = table.groups[int(table.group[run])]
    of = (f" of {method}" if method else "") + (f" on {task}" if task else "")
    step = "" if table.step is None else f" at {sheet.names[table.step]} {table.steps[at]:g}"
    others = [n for k, n in enumerate(sheet.names) if k not in (*table.at, table.step) and n.lower() not in WITHIN_RUNS]
    free = [
        n
        for n in others
        if not sheet.columns[sheet.names.index(n)].numeric
        or sheet.columns[sheet.names.index(n)].values.dtype == np.int64
    ]
    apart = file_option(f"{'--task' if method else '--by'} {' or '.join(free)}")
    tell = f": does another column tell them apart ({apart})?" if free and not task else "."
    within = [n for n in sheet.names if n.lower() in WITHIN_RUNS]
    why = f" Rows within one run, such as {within[0] if within else 'episodes'}, are no further runs"
    both = f": {file_option('--reduce mean')} averages them, {file_option('--step-column NAME')} orders them"
    mean = "" if table.step is not None else both
    row, before = int(table.order[at]), int(table.order[at - 1])
    raise UsageError(
        f"{sheet.place(row)}: seed {table.seeds[run]}{of} stands twice{step}, as on {sheet.place(before)}; a run counts once{tell}{why}{mean}"
    )
