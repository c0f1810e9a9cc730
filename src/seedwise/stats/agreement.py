"""Do runs agree on each example? Which examples hang on the seed?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Agreement:
    """How far runs differ in what they predict for the same examples.

    Attributes
    ----------
    disagreement
        Labels: share of examples on which two runs differ, averaged over pairs of runs. Values: variance between runs,
        averaged over examples.
    error
        Labels: mean error rate. Values: mean squared error of single runs.
    share
        disagreement / error: the part of the error that is the seed's. Above 1 for labels if two runs often err differently.
        None where no run errs.
    examples
        The examples that flip, those on which runs are most divided first: labels only.
    agreeing
        For each of these, the share of runs with the commonest label.
    """

    disagreement: float
    error: float
    share: float | None
    examples: tuple[int, ...]
    agreeing: tuple[float, ...]


def agreement_of_labels(labels: ArrayLike, targets: ArrayLike) -> Agreement:
    """Disagreement of labels, shape (runs, examples), beside their error rate.

    Disagreement over error rate is Fort et al.'s (2019, arXiv 1912.02757, section 5.1) normalised diversity. Pairs of runs are
    distinct, as in the churn of Milani Fard et al. (2016).

    Raises ValueError for fewer than two runs, or other shapes.
    """
    x, y = np.asarray(labels), np.asarray(targets)
    if x.ndim != 2 or x.shape[0] < 2 or y.shape != x.shape[1:]:
        raise ValueError(f"labels have shape (runs ≥ 2, examples), with a target for each; got {x.shape} and {y.shape}")
    runs, n = x.shape
    alike, commonest = np.zeros(n), np.zeros(n)
    for label in np.unique(x):
        count = (x == label).sum(axis=0)
        alike += count * (count - 1)
        commonest = np.maximum(commonest, count)
    apart = 1 - alike / (runs * (runs - 1))
    order = np.argsort(commonest, kind="stable")
    flips = [int(k) for k in order if commonest[k] < runs]
    error = float((x != y).mean())
    disagreement = float(apart.mean())
    agreeing = tuple(float(commonest[k] / runs) for k in flips)
    return Agreement(disagreement, error, disagreement / error if error else None, tuple(flips), agreeing)


def agreement_of_values(values: ArrayLike, targets: ArrayLike) -> Agreement:
    """Variance between runs beside the squared error, of values of shape (runs, examples, …).

    Krogh & Vedelsby (1995): the error of the average of all runs is that of single runs less this variance (the ambiguity, there
    with the number of runs as divisor; here with one less, so that it does not depend on how many runs there are).

    Raises ValueError for fewer than two runs, or other shapes.
    """
    x, y = np.asarray(values, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if x.ndim < 2 or x.shape[0] < 2 or y.shape != x.shape[1:]:
        raise ValueError(
            f"values have shape (runs ≥ 2, examples, …), with a target for each; got {x.shape} and {y.shape}"
        )
    between, error = float(x.var(axis=0, ddof=1).mean()), float(((x - y) ** 2).mean())
    return Agreement(between, error, between / error if error else None, (), ())
