"""Predictions that runs returned, put together: the same examples in the same order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import MetricError
from ..results import Results, Run
from ..wording import option
from ..words import seed_list

_KINDS = ("label", "probability", "value")


@dataclass(frozen=True)
class Predicted:
    """What several runs predicted for the same examples.

    Attributes
    ----------
    values
        Shape (runs, examples, …).
    targets
        Shape (examples, …).
    ids
        The name of each example, shape (examples,).
    kind
        `label`, `probability` or `value`.
    """

    name: str
    seeds: tuple[int, ...]
    values: NDArray[np.generic]
    targets: NDArray[np.generic]
    ids: NDArray[np.generic]
    kind: str


def arrays_with_targets(run: Run) -> list[str]:
    """The names under which a run returned predictions with their targets."""
    names = set(run.arrays)
    return [
        name.removesuffix(".values")
        for name in run.arrays
        if name.endswith(".values") and f"{name.removesuffix('.values')}.targets" in names
    ]


def predictions_of(results: Results, array: str | None = None) -> Predicted:
    """The predictions of all finished runs.

    Parameters
    ----------
    array
        Which predictions, where the runs returned several.

    Raises
    ------
    MetricError
        There are none with targets, fewer than two runs have them, or the runs did not see the same examples.
    """
    runs = results.finished
    if len(runs) < 2:
        raise MetricError(
            f"{results.name}: {len(runs)} run{'' if len(runs) == 1 else 's'} finished; it takes two or more"
        )
    offered = arrays_with_targets(runs[0])
    if not offered:
        raise MetricError(
            f"{results.name}: no run returned predictions with their targets: return sw.Predictions(values, targets=…, kind='label') from the function "
            "that is run"
        )
    chosen = array or (offered[0] if len(offered) == 1 else None)
    if chosen not in offered:
        raise MetricError(f"{results.name}: which predictions? {option('--array')} one of {', '.join(offered)}")
    kind = str(runs[0].arrays[f"{chosen}.values"].get("kind"))
    return _aligned(results.name, chosen, [(run.seed, *_parts(run, chosen)) for run in runs], kind)


def _parts(run: Run, name: str) -> tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic]]:
    values, targets, ids = (run.array(f"{name}.{part}") for part in ("values", "targets", "ids"))
    return values, targets, ids


Part = tuple[int, NDArray[np.generic], NDArray[np.generic], NDArray[np.generic]]


def _aligned(whose: str, name: str, parts: Sequence[Part], kind: str) -> Predicted:
    values, rows = [], []
    for seed, of_run, targets, ids in parts:
        order = np.argsort(ids, kind="stable")
        if len(np.unique(ids)) < len(ids):
            raise MetricError(f"{whose}: seed {seed} names an example twice in the ids of {name}")
        values.append(of_run[order])
        rows.append((ids[order], targets[order]))
    ids, targets = rows[0]
    other = [
        seed
        for (seed, *_), (names, true) in zip(parts, rows, strict=True)
        if not (np.array_equal(names, ids) and np.array_equal(true, targets))
    ]
    if other:
        raise MetricError(
            f"{whose}: the examples of {name} under seed {seed_list(other, 5)} are not those of seed {parts[0][0]}: hold the split "
            f"({option('--keep split')}), or name the examples by sw.Predictions(…, ids=…)"
        )
    if len({v.shape for v in values}) > 1:
        raise MetricError(
            f"{whose}: {name} has other shapes in other runs: {', '.join(str(v.shape) for v in values[:3])}"
        )
    return Predicted(name, tuple(seed for seed, *_ in parts), np.stack(values), targets, ids, kind)
