"""Designs in files and stores: sources in columns, folds in rows, which examples each run got right."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import stats
from ..errors import MetricError, UsageError
from ..metrics.choose import parse_metric
from ..metrics.goals import guess_goal
from ..results import Goal, Results
from ..tables.crossed import Cells, read_cells_of
from ..tables.opening import open_table
from ..tables.sheet import Sheet
from .predictions import arrays_with_targets, predictions_of
from .variance import cross_validated, noise_of_test_set, variance_components

Array = NDArray[np.float64]


def _sheet(path: str) -> Sheet:
    found = open_table(path)
    if not isinstance(found, Sheet):
        raise UsageError(f"{path} has no columns: write a table with a row for each run")
    return found


def components_in(
    path: str, sources: Sequence[str], metric: str | None, level: float = 0.95
) -> tuple[str, stats.Components]:
    """Variance components of a table with a column for each source; rows of one cell are replicates.

    Returns
    -------
    (name of the metric, Components)

    Raises
    ------
    UsageError, MetricError
        The design is not crossed and balanced, or a column is not there.
    """
    cells = read_cells_of(_sheet(path), sources, metric, "--source")
    if len(cells.by_cell) == 1:
        raise MetricError(f"{path}: {', '.join(sources)} never change: there is no spread to be divided")
    return cells.metric, variance_components(cells.by_cell, sources, level=level)


@dataclass(frozen=True)
class CrossValidation:
    """A cross-validation in a file: whose it is, and the answer."""

    metric: str
    methods: tuple[str, ...]
    result: stats.CrossValidated
    goal: Goal | None = None


def cross_validation_in(
    path: str,
    *,
    fold: str = "fold",
    by: str | None = None,
    seed: str | None = None,
    metric: str | None = None,
    folds: str | None = None,
    test_share: float | None = None,
    level: float = 0.95,
) -> CrossValidation:
    """The corrected test of a table with a row for each seed, fold and method.

    Parameters
    ----------
    by
        The column of two methods. Without it, the mean over folds gets its interval.
    seed
        The column of seeds; by default the one that is called so. Without one, there is one division into folds.

    Raises
    ------
    UsageError, MetricError
        A cell is missing or stands twice, there are more than two methods, or `folds` has to be said.
    """
    sheet = _sheet(path)
    if seed is None:
        found = sheet.seeds_at
        seed = None if found is None else sheet.names[found]
    columns = [name for name in (by, seed, fold) if name is not None]
    asked = None if metric is None else parse_metric(metric)
    cells = read_cells_of(sheet, columns, None if asked is None else asked.name, "--fold-column")
    methods = list(dict.fromkeys(key[0] for key in cells.by_cell)) if by is not None else [""]
    if len(methods) > 2:
        raise UsageError(f"--by {by}: two methods are compared; {path} has {', '.join(methods)}")
    if by is not None and len(methods) < 2:
        raise UsageError(f"--by {by}: {path} has one method, {methods[0]}: leave --by out")
    sides = [_folds_of(cells, None if by is None else name, columns, path) for name in methods]
    if len(sides) == 2 and sides[0][1] != sides[1][1]:
        raise MetricError(f"{path}: {methods[0]} and {methods[1]} need the same seeds and folds")
    if len(sides[0][0]) > 1 and folds is None:
        raise UsageError(
            f"{path} has {len(sides[0][0])} seeds: --folds same if the k-th fold is the same under every seed, --folds reshuffled if each seed divides the "
            "data anew"
        )
    if len(sides[0][0]) == 1 and folds is not None:
        raise UsageError(f"--folds would be ignored: {path} has one division into folds")
    result = cross_validated(
        sides[0][0],
        sides[1][0] if len(sides) == 2 else None,
        folds=folds,
        test_share=test_share,
        level=level,
    )
    goal = asked.goal if asked is not None and asked.goal is not None else guess_goal(cells.metric)
    return CrossValidation(cells.metric, tuple(methods) if by is not None else (), result, goal)


def _folds_of(cells: Cells, method: str | None, names: Sequence[str], path: str) -> tuple[Array, list[tuple[str, ...]]]:
    """Scores of one method, shape (seeds, folds), and the names of the cells in that order."""
    skip = 0 if method is None else 1
    mine = {key[skip:]: values for key, values in cells.by_cell.items() if method is None or key[0] == method}
    twice = next((key for key, values in mine.items() if len(values) > 1), None)
    if twice is not None:
        hint = (
            ""
            if method is not None
            else ": if another column tells two methods apart, name it with --by; if it tells seeds or repeats apart, with --seed-column"
        )
        where = ", ".join(
            filter(None, (method, *(f"{name} {value}" for name, value in zip(names[skip:], twice, strict=True))))
        )
        raise MetricError(f"{path}: {where} stands twice, and a fold has one score{hint}")
    seeds = len(names) - skip > 1
    rows = sorted({key[0] for key in mine}) if seeds else [""]
    columns = sorted({key[-1] for key in mine})
    order: list[tuple[str, ...]] = [(row, column) if seeds else (column,) for row in rows for column in columns]
    missing = [key for key in order if key not in mine]
    if missing:
        raise MetricError(f"{path}: no score of {' '.join(filter(None, (method, *missing[0])))}")
    return np.array([mine[key][0] for key in order]).reshape(len(rows), len(columns)), order


def noise_between(
    what: str | Results, *, array: str | None = None, classes: int | None = None
) -> tuple[stats.TestSetNoise, int]:
    """How much of the spread between runs the choice of test examples makes, from a file or an experiment.

    Parameters
    ----------
    what
        A file: an array of runs × examples of 0 and 1, or a table with columns seed, example and one of 0 and 1. Or
        the results of a function that returns `sw.Predictions` with targets (kind `label` or `probability`), or an
        array of 0 and 1.
    array
        Which array of the runs, where there are several.
    classes
        Number of classes. By default 2, or as many as the targets have.

    Returns
    -------
    (TestSetNoise, number of classes)

    Raises
    ------
    UsageError, MetricError
        There is nothing that says which examples a run got right.
    """
    if isinstance(what, Results):
        correct, found = _correct_of_runs(what, array)
    else:
        correct, found = _correct_in_file(what, array), 2
    classes = found if classes is None else classes
    return noise_of_test_set(correct, classes), classes


def _correct_in_file(path: str, array: str | None) -> Array:
    end = os.path.splitext(path)[1].lower()
    if end in (".npy", ".npz"):
        return _array_in(path, array)
    if array is not None:
        raise UsageError(f"--array would be ignored: {path} is a table")
    sheet = _sheet(path)
    seed = sheet.seeds_at
    examples = [
        k for k, name in enumerate(sheet.names) if name.lower() in ("example", "example_id", "id", "sample", "index")
    ]
    if seed is None or len(examples) != 1:
        raise UsageError(
            f"{path}: a row for each run and example, with columns seed, example and one of 0 and 1; its columns are {', '.join(sheet.names)}"
        )
    cells = read_cells_of(sheet, (sheet.names[seed], sheet.names[examples[0]]), None, "noise")
    seeds, names = (list(dict.fromkeys(key[i] for key in cells.by_cell)) for i in (0, 1))
    for row in seeds:
        for name in names:
            if len(cells.by_cell.get((row, name), ())) != 1:
                raise MetricError(f"{path}: seed {row} needs one row of example {name}")
    return np.array([[cells.by_cell[row, name][0] for name in names] for row in seeds])


def _array_in(path: str, array: str | None) -> Array:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            if array is not None:
                raise UsageError(f"--array would be ignored: {path} holds one array")
            return loaded.astype(np.float64)
        with loaded:
            names = list(loaded.files)
            chosen = array or (names[0] if len(names) == 1 else "correct")
            if chosen not in names:
                raise UsageError(f"{path}: which array? --array one of {', '.join(names)}")
            return np.asarray(loaded[chosen], dtype=np.float64)
    except (ValueError, OSError, EOFError) as error:
        raise UsageError(f"{path} holds no plain arrays of numbers: {error}") from None


def _correct_of_runs(results: Results, array: str | None) -> tuple[Array, int]:
    runs = results.finished
    if len(runs) < 2:
        raise MetricError(f"{results.name}: {len(runs)} run finished; it takes two or more")
    names = list(runs[0].arrays)
    predicted = arrays_with_targets(runs[0])
    plain = [name for name in names if "." not in name]
    offered = [*predicted, *plain]
    chosen = array or (offered[0] if len(offered) == 1 else None)
    if chosen not in offered:
        raise MetricError(
            f"{results.name}: which array says what was right? --array one of {', '.join(offered)}"
            if offered
            else f"{results.name}: no run returned predictions with their targets: return sw.Predictions(values, targets=…, kind='label') "
            "from the function that is run"
        )
    if chosen in plain:
        return _stacked(results, [run.array(chosen).astype(np.float64) for run in runs]), 2
    found = predictions_of(results, chosen)
    if found.kind == "value":
        raise MetricError(f"{chosen} holds values, not labels: whether a prediction is right is not known")
    labels = [row if found.kind == "label" else _most_likely(row) for row in found.values]
    rows = [(of_run == found.targets).astype(np.float64) for of_run in labels]
    return _stacked(results, rows), max(2, len(np.unique(found.targets)))


def _most_likely(probabilities: NDArray[np.generic]) -> NDArray[np.generic]:
    values = np.asarray(probabilities, dtype=np.float64)
    return (values >= 0.5).astype(np.int64) if values.ndim == 1 else values.argmax(axis=-1)


def _stacked(results: Results, rows: Sequence[Array]) -> Array:
    if len({row.shape for row in rows}) > 1 or rows[0].ndim != 1:
        raise MetricError(f"{results.name}: every run needs one value for each of the same examples")
    return np.stack(rows)
