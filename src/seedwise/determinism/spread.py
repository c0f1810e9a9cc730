"""How much a program's metrics spread: between reruns, and between seeds put in the place of the one that it types."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SeedwiseError
from ..experiments.options import Options
from ..results import Run, Series, Status
from ..runs.masks import masked
from ..runs.request import Request, silent
from ..runs.sweep import execute
from .rerunning import whole
from .trace import Trace


def under_seeds(
    words: Sequence[str], n: int, timeout: float, environment: Mapping[str, str] | None = None
) -> tuple[list[Run], str]:
    """Finished runs of the script under n seeds, which replace the seed that it types; and why there are none, or "".

    `detail` holds what each printed. Empty if there is no place for a seed. `environment` has variables besides those of
    this process.
    """
    with tempfile.TemporaryDirectory(prefix="seedwise-check-") as folder:
        try:
            options = Options(threads=None, timeout=timeout)
            request = Request(list(words), list(range(1, n + 1)), options, "check")
            with _set(environment or {}):
                results = execute(request, os.path.join(folder, "store"), silent).results
        except SeedwiseError as error:
            return [], f"no seeds could be placed: {error}"
        if not results.sites:
            return [], ""
        printed = [masked(whole(Path(str(r.folder), "stdout"))) for r in results.finished]
        return [replace(run, detail=text) for run, text in zip(results.finished, printed, strict=True)], ""


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and put them back."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def as_run(k: int, trace: Trace) -> Run:
    """A process of the check as a finished run, with its metrics."""
    from ..metrics import choose as metrics

    logged = {m: Series(tuple(range(1, len(v) + 1)), v) for m, v in trace.logged.items()}
    return Run(k, Status.FINISHED, metrics.read_run(logged, trace.stdout, trace.stderr, {}))


def spreads(runs: Sequence[Run], of_seeds: Sequence[Run], of: str) -> dict[str, Any]:
    """For each metric its standard deviation between `runs`, which differ by `of`, and between seeds."""
    from ..metrics import choose as metrics

    found: dict[str, Any] = {}
    for metric in metrics.choose(runs).metrics or metrics.choose(of_seeds).metrics:
        if not all(metric.name in run.series for run in runs):
            continue
        values = [run.series[metric.name].values[-1] for run in runs]
        seeds = [run.series[metric.name].values[-1] for run in of_seeds if metric.name in run.series]
        found[metric.name] = {
            "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "n": len(values),
            "seed_sd": float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None,
            "seeds": len(seeds),
            "of": of,
        }
    return found
