"""Ensembles of the runs of an experiment: is their average, or their vote, better than one of them?"""

import numpy as np
from numpy.typing import NDArray

from .. import stats
from ..errors import MetricError, UsageError
from ..reports.ensembles import Ensemble, ensemble_sentence
from ..results import Goal, Results
from .predictions import Predicted, predictions_of

Array = NDArray[np.float64]


def ensemble(
    results: Results, array: str | None = None, *, level: float = 0.95, rng: np.random.Generator | int | None = None
) -> Ensemble:
    """How good ensembles of these runs are, against their size, beside single runs.

    Parameters
    ----------
    results
        Runs of a function that returns `sw.Predictions` with targets. With kind `probability`, of shape (examples,) or
        (examples, classes), the runs are averaged, and they vote; with `label` they vote; with `value` they are averaged.
    array
        Which predictions, where the runs returned several.
    level
        Coverage of the intervals.
    rng
        Where drawing ensembles starts: an integer or a NumPy generator.

    Returns
    -------
    Ensemble
        Accuracy, for values the mean squared error, of ensembles of 1, 2, 3, 5, 10 … all runs.

    Raises
    ------
    MetricError
        There are no such predictions, or the runs did not see the same examples.
    UsageError
        `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise UsageError(f"level is between 0 and 1; got {level}")
    found = predictions_of(results, array)
    classes = 0
    try:
        if found.kind == "value":
            curves = [stats.curve_of_values(*_values(found), level=level, rng=rng)]
        else:
            support, labels, targets = _classes(found)
            classes = support.shape[2]
            given = [] if found.kind == "label" else [(stats.Combination.AVERAGE, support)]
            given.append((stats.Combination.VOTE, np.eye(classes)[labels]))
            curves = [stats.curve_of_classes(of, targets, how, level=level, rng=rng) for how, of in given]
    except ValueError as error:
        raise MetricError(f"{results.name}: {error}") from None
    metric, goal = ("accuracy", Goal.MAX) if classes else ("mean squared error", Goal.MIN)
    answer = Ensemble(
        metric, goal, len(found.seeds), len(results), len(found.targets), classes or None, level, tuple(curves)
    )
    return answer.saying(ensemble_sentence(answer))


def _values(found: Predicted) -> tuple[Array, Array]:
    for part in (found.values, found.targets):
        if part.dtype.kind not in "biuf":
            raise MetricError(f"{found.name} holds {part.dtype}, and values are numbers: kind='label' is for names")
    values, targets = found.values.astype(np.float64), found.targets.astype(np.float64)
    if targets.shape != values.shape[1:] and targets.size == values[0].size:
        targets = targets.reshape(values.shape[1:])
    _finite(found, values)
    return values, targets


def _classes(found: Predicted) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
    """Support (runs, examples, classes), predicted labels (runs, examples), and targets (examples,), as numbers of classes."""
    targets = found.targets.reshape(len(found.targets), -1)
    if targets.shape[1] != 1:
        raise MetricError(f"{found.name}: each example has one true class; targets have shape {found.targets.shape}")
    if found.kind == "label":
        labels = found.values.reshape(*found.values.shape[:2], -1)
        if labels.shape[2] != 1:
            raise MetricError(f"{found.name}: each example has one label; values have shape {found.values.shape[1:]}")
        names, numbers = np.unique(np.concatenate([labels.ravel(), targets.ravel()]), return_inverse=True)
        split = labels.size
        of_runs = numbers[:split].reshape(labels.shape[:2])
        return np.eye(len(names))[of_runs], of_runs, numbers[split:]
    p = found.values.astype(np.float64)
    _finite(found, p)
    if p.ndim == 3 and p.shape[2] == 1:
        p = p[..., 0]
    if p.min() < 0 or p.max() > 1 + 1e-6:
        raise MetricError(
            f"{found.name}: probabilities are between 0 and 1; there are {p.min():.4g} to {p.max():.4g}: return those after the softmax or sigmoid"
        )
    if p.ndim == 2:
        p = np.stack([1 - p, p], axis=2)
    if p.ndim != 3 or np.abs(p.sum(axis=2) - 1).max() > 0.01:
        raise MetricError(
            f"{found.name}: the probabilities of the classes of one example have the sum 1; shape {p.shape[1:]}"
        )
    return p, p.argmax(axis=2), _numbers(found, targets[:, 0], p.shape[2])


def _numbers(found: Predicted, targets: NDArray[np.generic], classes: int) -> NDArray[np.intp]:
    """Targets as the columns of probabilities."""
    try:
        numbers = targets.astype(np.float64)
    except ValueError:
        numbers = np.array([-1.0])
    if not ((numbers == np.rint(numbers)) & (numbers >= 0) & (numbers < classes)).all():
        raise MetricError(
            f"{found.name}: with probabilities, targets are the numbers of their columns, 0 to {classes - 1}; there are such as {targets[0]}"
        )
    return numbers.astype(np.intp)


def _finite(found: Predicted, values: Array) -> None:
    seeds = [seed for seed, of_run in zip(found.seeds, values, strict=True) if not np.isfinite(of_run).all()]
    if seeds:
        raise MetricError(f"{found.name} is NaN or infinite under seed {', '.join(map(str, seeds[:5]))}")
