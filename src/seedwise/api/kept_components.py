"""Variance components that `decompose` found: kept with the first experiment of the design, and read again."""

import json
import os

from ..errors import UsageError
from ..experiments.store import open_store
from ..stats import Components
from ..typos import one_of
from ..wording import option

_PART = "decompositions"
"""The part of an experiment's plan in the store: metric → name of the decomposition, and the variances."""


def keep_components(experiment: str, name: str, metric: str, found: Components, store: str | None) -> None:
    """Keep the components of a metric with an experiment.

    Parameters
    ----------
    experiment
        The first experiment of the design.
    name
        What the decomposition is called: the name that the design has.
    """
    with open_store(store) as opened:
        kept = opened.experiment(experiment)
        before = dict(kept.plan.get(_PART, {}))
        before.pop(metric, None)  # the newest comes last
        variances = {part.name: part.variance for part in found.parts}
        opened.update_plan(kept.id, **{_PART: {**before, metric: {"name": name, "variances": variances}}})


def components_from(source: str, metric: str | None = None, store: str | None = None) -> tuple[str, dict[str, float]]:
    """The metric and the variances of a decomposition.

    Parameters
    ----------
    source
        A file that `seedwise decompose --json` or `seedwise variance --json` printed; or the name of a decomposition,
        or of one of its experiments, in the store.
    metric
        Which metric, if `decompose` was asked for several. By default the last one.

    Raises
    ------
    UsageError
        There is no such file or decomposition, or it holds something else.
    """
    if os.path.isfile(source) or source.lower().endswith(".json"):
        return _of_file(source, metric)
    return _of_store(source, metric, store)


def _of_file(path: str, metric: str | None) -> tuple[str, dict[str, float]]:
    if not os.path.isfile(path):
        raise UsageError(f"no file {path}: seedwise decompose … -o {path} writes one")
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        found = str(data["metric"]), {str(k): float(part["variance"]) for k, part in data["components"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{path} holds no variance components: seedwise decompose … --json prints them") from None
    if metric not in (None, found[0]):
        raise UsageError(f"{path} holds the components of {found[0]}, not of {metric}")
    return found


def _of_store(name: str, metric: str | None, store: str | None) -> tuple[str, dict[str, float]]:
    with open_store(store) as opened:
        every = [(one, kept) for one in opened.experiments() if (kept := one.plan.get(_PART))]
    named = [
        kept
        for one, kept in every
        if name in (one.name, one.label) or any(name == found["name"] for found in kept.values())
    ]
    if not named:
        there = sorted({found["name"] for _, kept in every for found in kept.values()})
        hint = (
            f"there {'is' if len(there) == 1 else 'are'} {one_of(there)}" if there else "seedwise decompose makes one"
        )
        raise UsageError(f"{option('--from-components')}: no file and no decomposition is called {name!r}; {hint}")
    kept = named[-1]
    chosen = metric or list(kept)[-1]
    if chosen not in kept:
        raise UsageError(f"{name} was decomposed for {one_of(list(kept))}, not for {chosen}")
    return chosen, {str(part): float(value) for part, value in kept[chosen]["variances"].items()}
