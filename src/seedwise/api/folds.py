"""Cross-validation under several seeds: from arrays, from runs in the store, and from tables."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import stats
from ..errors import MetricError, UsageError
from ..experiments.grids import is_confirmation, settings_of
from ..experiments.loading import load
from ..experiments.members import members_of
from ..metrics.choose import parse_metric
from ..metrics.goals import guess_goal
from ..reports.family import Family
from ..results import Goal, Metric, Results, Run
from ..tables.crossed import Cells, read_cells_of
from ..wording import file_option, option
from ..words import seed_list
from .designs import sheet_of
from .families import load_family

Array = NDArray[np.float64]


def cross_validated(
    new: ArrayLike | Results | Family,
    base: ArrayLike | Results | Family | None = None,
    *,
    folds: str | None = None,
    test_share: float | None = None,
    level: float = 0.95,
    metric: str | None = None,
    fold: str = "fold",
) -> stats.CrossValidated:
    """Scores of cross-validation under several seeds, by the corrected resampled t test.

    How much of the spread is the split is told apart from what the seed does on one and the same split.

    Parameters
    ----------
    new, base
        Shape (splits,) or (seeds, splits). With `base`, of the same shape and with the same splits, the differences
        are tested. Or the results of runs that each returned a number for each fold as a series, such as
        `{"fold_rmse": [...]}`; or of a grid with one fold in each setting, `run_grid(train, seeds, {"fold": range(5)})`.
    folds
        With several seeds: `same`, if the k-th fold is the same under every seed; `reshuffled`, if each seed divides the data
        anew. It has to be said: taking reshuffled folds for the same ones finds a difference in 33 to 40 % of cases where
        there is none.
    test_share
        n_test / n_train of a split. By default 1/(splits - 1), as in k folds.
    level
        Coverage of the interval.
    metric
        Runs: which metric.
    fold
        A grid: the setting that numbers the folds.

    Raises
    ------
    UsageError, MetricError
        The shapes differ, there are too few splits, a run is missing, or it was not said what the folds of several seeds are.
    """
    both = [side for side in (new, base) if side is not None]
    of_runs = [isinstance(side, Results | Family) for side in both]
    if any(of_runs):
        if not all(of_runs):
            raise UsageError("both sides are results of runs, or both are arrays")
        tables = [_of_runs(side, metric, fold) for side in both if isinstance(side, Results | Family)]
        if len(tables) == 2 and tables[0][1] != tables[1][1]:
            raise MetricError("both sides need the same seeds and folds")
        x, y = tables[0][0], tables[1][0] if len(tables) == 2 else None
    else:
        x, y = np.asarray(new, dtype=np.float64), None if base is None else np.asarray(base, dtype=np.float64)
    if y is not None:
        if y.shape != x.shape:
            raise UsageError(f"both sides need the same seeds and splits; got shapes {x.shape} and {y.shape}")
        x = x - y
    several = x.ndim == 2 and x.shape[0] > 1
    if several and folds not in ("same", "reshuffled"):
        raise UsageError(
            "several seeds: say folds='same' if the k-th fold is the same under every seed, or folds='reshuffled' if each seed divides the "
            f"data anew{'' if folds is None else f'; got {folds!r}'}"
        )
    try:
        return stats.corrected_resampled_t(
            x, test_share=test_share, level=level, reshuffled=several and folds == "reshuffled"
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _of_runs(side: Results | Family, metric: str | None, fold: str) -> tuple[Array, list[tuple[str, ...]]]:
    members = {side.name: side} if isinstance(side, Results) else dict(side.members)
    cells = _cells_of_runs(members, None, fold, None if metric is None else parse_metric(metric), side.name)
    return _folds_of(cells, None, ("seed", fold), side.name)


@dataclass(frozen=True)
class CrossValidation:
    """A cross-validation in a file or in the store: whose it is, and the answer.

    `scores` has a row for each seed and a column for each of `folds`: of the method, or the differences of two.
    """

    metric: str
    methods: tuple[str, ...]
    result: stats.CrossValidated
    goal: Goal | None
    folds: tuple[str, ...]
    scores: Array


def cross_validation_of(
    what: str,
    *,
    fold: str = "fold",
    by: str | None = None,
    seed: str | None = None,
    metric: str | None = None,
    folds: str | None = None,
    test_share: float | None = None,
    level: float = 0.95,
    store: str | None = None,
) -> CrossValidation:
    """The corrected test of a file with a row for each seed, fold and method; or of an experiment or a family of them.

    Parameters
    ----------
    by
        The column, or the setting of a family, that tells two methods apart. Without it, the mean over folds gets its
        interval.
    fold
        The column, or the setting, that numbers folds. Without such a setting, the folds are the values that each run
        gave of one metric.
    seed
        A file: the column of seeds; by default the one that is called so. Without one, there is one division into folds.

    Raises
    ------
    UsageError, MetricError
        A cell is missing or stands twice, there are more than two methods, or `folds` has to be said.
    """
    asked = None if metric is None else parse_metric(metric)
    if os.path.isfile(what):
        columns, cells = _in_file(what, fold, by, seed, asked)
    else:
        members = _members(what, metric, store)
        columns = [name for name in (by, "seed", fold) if name is not None]
        cells = _cells_of_runs(members, by, fold, asked, what)
    methods = list(dict.fromkeys(key[0] for key in cells.by_cell)) if by is not None else [""]
    if len(methods) > 2:
        raise UsageError(f"{file_option(f'--by {by}')}: two methods are compared; {what} has {', '.join(methods)}")
    if by is not None and len(methods) < 2:
        raise UsageError(
            f"{file_option(f'--by {by}')}: {what} has one method, {methods[0]}: leave {file_option('--by')} out"
        )
    sides = [_folds_of(cells, None if by is None else name, columns, what) for name in methods]
    if len(sides) == 2 and sides[0][1] != sides[1][1]:
        raise MetricError(f"{what}: {methods[0]} and {methods[1]} need the same seeds and folds")
    seeds = len(sides[0][0])
    if seeds > 1 and folds is None:
        raise UsageError(
            f"{what} has {seeds} seeds: {file_option('--folds same')} if the k-th fold is the same under every seed, {file_option('--folds reshuffled')} if each seed divides the "
            "data anew"
        )
    if seeds == 1 and folds is not None:
        raise UsageError(f"{file_option('--folds')} would be ignored: {what} has one division into folds")
    scores = sides[0][0] - sides[1][0] if len(sides) == 2 else sides[0][0]
    result = cross_validated(scores, folds=folds, test_share=test_share, level=level)
    goal = asked.goal if asked is not None and asked.goal is not None else guess_goal(cells.metric)
    names = tuple(dict.fromkeys(key[-1] for key in sides[0][1]))
    return CrossValidation(cells.metric, tuple(methods) if by is not None else (), result, goal, names, scores)


def _in_file(path: str, fold: str, by: str | None, seed: str | None, asked: Metric | None) -> tuple[list[str], Cells]:
    sheet = sheet_of(path)
    if seed is None:
        found = sheet.seeds_at
        seed = None if found is None else sheet.names[found]
    columns = [name for name in (by, seed, fold) if name is not None]
    return columns, read_cells_of(sheet, columns, None if asked is None else asked.name, "--fold-column")


def _members(name: str, metric: str | None, store: str | None) -> dict[str, Results]:
    """The experiments of a family, or the one of this name."""
    asked = () if metric is None or parse_metric(metric).pattern is None else (metric,)
    several = members_of(name, store) or (members_of(f"{name} *", store) if " " in name else [])
    if not several:
        return {name: load(name, metric=asked, store=store)}
    return dict(load_family(name, metric=asked, store=store).members)


Place = tuple[str, Mapping[str, str], Results]
"""Name of an experiment, its settings, its runs."""


def _cells_of_runs(members: Mapping[str, Results], by: str | None, fold: str, asked: Metric | None, what: str) -> Cells:
    """The number of each (method,) seed and fold. Folds are a setting of the family, or the values of a series."""
    places: list[Place] = [(name, settings_of(name), of) for name, of in members.items() if not is_confirmation(name)]
    _check_settings([of for _, of, _ in places], by, fold, what)
    if all(fold in settings for _, settings, _ in places):
        name = _one_metric([of for *_, of in places], asked, what)
        rows = [
            (settings.get(by or ""), seed, settings[fold], value)
            for _, settings, of in places
            for seed, value in _scores(of, name).items()
        ]
    else:
        name = _series_of_folds([of for *_, of in places], asked, fold, what)
        rows = [
            (settings.get(by or ""), run.seed, str(k), value)
            for _, settings, of in places
            for run in of.finished
            for k, value in enumerate(_of_folds(run, name), start=1)
        ]
    found: dict[tuple[str, ...], list[float]] = {}
    for method, seed, which, value in rows:
        if not math.isfinite(value):
            raise MetricError(f"{what}: {name} is {value} under seed {seed}, fold {which}")
        key = (str(seed), which) if by is None else (method or "", str(seed), which)
        found.setdefault(key, []).append(value)
    return Cells(name, found)


def _check_settings(settings: Sequence[Mapping[str, str]], by: str | None, fold: str, what: str) -> None:
    """Raises UsageError where settings differ that are neither the method nor the fold."""
    if by == fold:
        raise UsageError(f"{file_option(f'--by {by}')}: folds are no methods")
    if by is not None and not all(by in of for of in settings):
        there = ", ".join(dict.fromkeys(key for of in settings for key in of)) or "none"
        raise UsageError(f"{file_option(f'--by {by}')}: no such setting of {what}; it has {there}")
    for key in dict.fromkeys(key for of in settings for key in of):
        values = list(dict.fromkeys(of.get(key, "–") for of in settings))
        if key not in (by, fold) and len(values) > 1:
            shown, base = ", ".join(values[:6]), what.partition(" ")[0]
            raise UsageError(
                f"{what} has {key}={shown}: {file_option(f'--by {key}')} compares two of them, and '{base} *{key}={values[0]}*' is one of them"
            )


def _one_metric(results: Sequence[Results], asked: Metric | None, what: str) -> str:
    if asked is not None:
        return asked.name
    leads = [of.metrics[0].name for of in results if of.metrics]
    if not leads:
        raise MetricError(f"{what}: no run has a metric")
    return max(leads, key=leads.count)


def _scores(of: Results, metric: str) -> dict[int, float]:
    """Seed → number. Raises MetricError for a run without one, since every fold needs every seed."""
    values = dict(of.scores(metric).by_seed)
    missing = [run.seed for run in of.runs if run.seed not in values]
    if missing:
        raise MetricError(
            f"{of.name}: no {metric} under seed {seed_list(missing, 6)}; every fold needs every seed: `seedwise resume` runs what is missing"
        )
    return values


def _of_folds(run: Run, name: str) -> tuple[float, ...]:
    """The numbers that a run gave under this name: a series, or an array with one axis."""
    if name in run.series:
        return run.series[name].values
    known = run.arrays.get(name)
    if known is None or len(_axes(known)) != 1:
        return ()
    return tuple(run.array(name).astype(np.float64).tolist())


def _axes(known: Mapping[str, object]) -> Sequence[object]:
    shape = known.get("shape")
    return shape if isinstance(shape, list) else ()


def _several(run: Run) -> list[str]:
    """The names under which a run gave several numbers."""
    arrays = [name for name, known in run.arrays.items() if "." not in name and len(_axes(known)) == 1]
    return [name for name, series in run.series.items() if len(series.values) > 1] + arrays


def _series_of_folds(results: Sequence[Results], asked: Metric | None, fold: str, what: str) -> str:
    """The metric that each run gave once for each fold.

    Without being asked for, a series is taken for one of folds only if its name says so: `fold_rmse`, `accuracy_of_folds`.
    """
    every = [run for of in results for run in of.runs]
    there = list(dict.fromkeys(name for run in every for name in _several(run)))
    names = [asked.name] if asked is not None else [name for name in there if fold in name.lower()]
    if len(names) != 1 or names[0] not in there:
        shown = ", ".join(there) or "none"
        raise UsageError(
            f"{what}: which values are those of folds? Run one fold in each setting ({option('--grid')} {fold}=0,1,2,3,4), or return one number for each fold "
            f"as a list and name it by {option('--metric')}; the runs have these lists of numbers: {shown}"
        )
    lengths = {(k, run.seed): len(_of_folds(run, names[0])) for k, of in enumerate(results) for run in of.runs}
    if len(set(lengths.values())) > 1:
        usual = max(lengths.values())
        short = sorted({seed for (_, seed), length in lengths.items() if length != usual})
        raise MetricError(f"{what}: {names[0]} has {usual} folds, but not under seed {seed_list(short, 6)}")
    return names[0]


def _folds_of(cells: Cells, method: str | None, names: Sequence[str], what: str) -> tuple[Array, list[tuple[str, ...]]]:
    """Scores of one method, shape (seeds, folds), and the names of the cells in that order."""
    skip = 0 if method is None else 1
    mine = {key[skip:]: values for key, values in cells.by_cell.items() if method is None or key[0] == method}
    twice = next((key for key, values in mine.items() if len(values) > 1), None)
    if twice is not None:
        hint = (
            ""
            if method is not None
            else f": if another column tells two methods apart, name it with {file_option('--by')}; if it tells seeds or repeats apart, with {file_option('--seed-column')}"
        )
        where = ", ".join(
            filter(None, (method, *(f"{name} {value}" for name, value in zip(names[skip:], twice, strict=True))))
        )
        raise MetricError(f"{what}: {where} stands twice, and a fold has one score{hint}")
    seeds = len(names) - skip > 1
    rows = sorted({key[0] for key in mine}, key=_by_number) if seeds else [""]
    columns = sorted({key[-1] for key in mine}, key=_by_number)
    order: list[tuple[str, ...]] = [(row, column) if seeds else (column,) for row in rows for column in columns]
    missing = [key for key in order if key not in mine]
    if missing:
        cell = " ".join(f"{name} {value}" for name, value in zip(names[skip:], missing[0], strict=True))
        raise MetricError(f"{what}: no score of {' '.join(filter(None, (method, cell)))}")
    return np.array([mine[key][0] for key in order]).reshape(len(rows), len(columns)), order


def _by_number(text: str) -> tuple[float, str]:
    """Numbers in their order, before words."""
    try:
        return float(text), text
    except ValueError:
        return math.inf, text
