"""Designs in files and stores: sources in columns, which examples each run got right."""

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import stats
from ..errors import MetricError, UsageError
from ..results import Results
from ..tables.crossed import read_cells_of
from ..tables.opening import open_table
from ..tables.sheet import Sheet
from ..wording import option
from .predictions import arrays_with_targets, predictions_of
from .variance import noise_of_test_set, variance_components

Array = NDArray[np.float64]


def sheet_of(path: str) -> Sheet:
    """A file as a table. Raises UsageError if it has no columns."""
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
    cells = read_cells_of(sheet_of(path), sources, metric, "--source")
    if len(cells.by_cell) == 1:
        raise MetricError(f"{path}: {', '.join(sources)} never change: there is no spread to be divided")
    return cells.metric, variance_components(cells.by_cell, sources, level=level)


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
        raise UsageError(f"{option('--array')} would be ignored: {path} is a table")
    sheet = sheet_of(path)
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
                raise UsageError(f"{option('--array')} would be ignored: {path} holds one array")
            return loaded.astype(np.float64)
        with loaded:
            names = list(loaded.files)
            chosen = array or (names[0] if len(names) == 1 else "correct")
            if chosen not in names:
                raise UsageError(f"{path}: which array? {option('--array')} one of {', '.join(names)}")
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
            f"{results.name}: which array says what was right? {option('--array')} one of {', '.join(offered)}"
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
