"""TensorBoard: reads event files that were made elsewhere as Results.

The seed stands in the name of their folder; the rest of the name is the group.
"""

from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..results import Results, Series
from ._grouping import Found, grouped, seed_in_path

__all__ = ["from_tensorboard"]


def from_tensorboard(folder: str, *, metric: Sequence[str] = ()) -> dict[str, Results]:
    """Read every folder below `folder` that has event files.

    Its path must name a seed (`lr=0.1/seed=3`, `run_seed-3`). Returns group → Results.

    Parameters
    ----------
    folder
        The folder of the event files, or any folder above it.
    metric
        Which metrics, as for `load`. By default those that are found.

    Raises
    ------
    UsageError
        tensorboard is not installed, there are no event files, a folder names no seed, or two trainings wrote into
        one folder.
    """
    try:
        reader: Any = import_module("tensorboard.backend.event_processing.event_accumulator")
    except ModuleNotFoundError:
        raise UsageError("tensorboard is not installed here: pip install tensorboard") from None
    top = Path(folder)
    places = sorted({path.parent for path in top.rglob("*tfevents*")})
    if not places:
        raise UsageError(f"{folder}: there are no event files in it")
    found = []
    for place in places:
        inner = place.relative_to(top).as_posix()
        try:
            named = seed_in_path(inner)
        except ValueError as error:
            raise UsageError(f"{place}: {error}; one of them must be called seed") from None
        if named is None:
            raise UsageError(f"{place}: its name tells no seed, as `seed=3` or `run_seed-3` would")
        found.append(Found({"seed": str(named[0]), "folder": named[1]}, _series(reader, place), label=inner))
    return grouped(found, folder, tuple(metric))


def _series(reader: Any, place: Path) -> dict[str, Series]:
    events = reader.EventAccumulator(str(place), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    series = {}
    for tag in events.Tags()["scalars"]:
        points = events.Scalars(tag)
        series[tag] = _once(place, tag, [(p.step, p.value) for p in points])
    for tag in events.Tags()["tensors"]:  # TensorFlow 2 writes scalars as tensors
        points = [(p.step, p.tensor_proto) for p in events.Tensors(tag)]
        numbers = [(step, _number(proto)) for step, proto in points]
        if numbers and all(value is not None for _, value in numbers):
            series[tag] = _once(place, tag, [(step, value) for step, value in numbers if value is not None])
    return series


def _once(place: Path, tag: str, points: list[tuple[int, float]]) -> Series:
    """The series of one training.

    Raises UsageError if steps go back, because then two trainings wrote into one folder.
    """
    steps = [step for step, _ in points]
    if any(a > b for a, b in pairwise(steps)):
        raise UsageError(f"{place}: the steps of {tag} go back: two trainings wrote into this folder; keep one")
    return Series(tuple(steps), tuple(float(value) for _, value in points))


def _number(proto: Any) -> float | None:
    """The single number in a tensor; None if it holds something else."""
    values = import_module("tensorboard.util.tensor_util").make_ndarray(proto)
    return float(values) if values.size == 1 and values.dtype.kind in "fiu" else None
