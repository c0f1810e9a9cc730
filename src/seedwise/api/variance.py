"""Where variance comes from: sources, test examples, folds, and the course of training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import stats
from ..errors import MetricError, UsageError
from ..results import Results, Scores


def variance_components(
    scores: object,
    sources: Sequence[str] | None = None,
    *,
    metric: str | None = None,
    replicates: bool | None = None,
    level: float = 0.95,
) -> stats.Components:
    """Variance components of a crossed design: how much each source of randomness adds, and each pair of sources.

    Parameters
    ----------
    scores
        An array with one axis for each source (and one more at the end for replicates, if `replicates`). Or a mapping
        (value of source 1, value of source 2, …) → number; with replicates, → list of numbers. Or a frame with a
        column for each source.
    sources
        The names of the sources, in the order of the axes. For a frame: its columns of sources.
    metric
        The column of a frame that holds the scores.
    replicates
        Whether the last axis holds replicates. By default it does if there is one axis more than `sources`.
    level
        Coverage of the intervals.

    Returns
    -------
    Components
        `found["init"].variance`, `.share`, `.interval`; the same for each interaction, and for `rest`, which no
        source controls.

    Raises
    ------
    UsageError, MetricError
        The design is not crossed and balanced. The message says which cells are missing.
    """
    if isinstance(sources, str):
        sources = [name.strip() for name in sources.split(",")]
    if hasattr(scores, "columns"):
        scores = _cells_of_frame(scores, sources, metric)
    if isinstance(scores, Mapping):
        scores, replicates = _table(scores, sources)
    table = _numbers(scores, "scores")
    if sources is None:
        sources = [f"source {k + 1}" for k in range(table.ndim - bool(replicates))]
    if replicates is None:
        replicates = table.ndim == len(sources) + 1
    if len(sources) == 1 and not replicates and table.ndim == 1:
        raise UsageError(
            "one source and no replicates leave nothing to be told apart: scores with one more axis, or another source"
        )
    try:
        return stats.crossed_components(table, sources, replicates=replicates, level=level)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _numbers(values: object, what: str) -> NDArray[np.float64]:
    """An array of numbers. Raises MetricError for what is none."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise MetricError(f"{what} are numbers, as many in each row as in the others; got {values!r:.60}") from None


def _cells_of_frame(
    frame: Any, sources: Sequence[str] | None, metric: str | None
) -> dict[tuple[Any, ...], list[float]]:
    columns = [str(c) for c in frame.columns]
    if sources is None:
        raise UsageError(f"which columns are sources? sources= some of {', '.join(columns)}")
    rest = [c for c in columns if c not in sources]
    if metric is None:
        if len(rest) != 1:
            raise UsageError(f"which column is measured? metric= one of {', '.join(rest)}")
        metric = rest[0]
    missing = [c for c in (*sources, metric) if c not in columns]
    if missing:
        raise MetricError(f"no column {', '.join(missing)}; there are {', '.join(columns)}")
    cells: dict[tuple[Any, ...], list[float]] = {}
    for *key, value in zip(*(list(frame[c]) for c in (*sources, metric)), strict=True):
        cells.setdefault(tuple(key), []).append(float(value))
    return cells


def _table(cells: Mapping[Any, Any], sources: Sequence[str] | None) -> tuple[np.ndarray[Any, Any], bool]:
    if not cells:
        raise MetricError("no cells: a mapping (value of source 1, value of source 2, …) → number")
    keys = [key if isinstance(key, tuple) else (key,) for key in cells]
    width = len(keys[0])
    if any(len(key) != width for key in keys) or (sources is not None and len(sources) != width):
        raise UsageError(f"each cell is named by one value for each source; got {keys[0]} for {list(sources or ())}")
    axes = [list(dict.fromkeys(key[k] for key in keys)) for k in range(width)]
    found = {
        key: np.atleast_1d(_numbers(v, f"the scores of {key}")) for key, v in zip(keys, cells.values(), strict=True)
    }
    sizes = {v.size for v in found.values()}
    if len(sizes) > 1:
        raise UsageError(
            f"every cell needs the same number of replicates; there are {', '.join(map(str, sorted(sizes)))}"
        )
    every = np.stack(np.meshgrid(*[np.arange(len(a)) for a in axes], indexing="ij"), axis=-1).reshape(-1, width)
    names = [tuple(axes[k][i] for k, i in enumerate(row)) for row in every]
    missing = [name for name in names if name not in found]
    if missing:
        raise MetricError(f"a crossed design needs every cell; {len(missing)} are missing, such as {missing[0]}")
    r = sizes.pop()
    table = np.array([found[name] for name in names]).reshape([len(a) for a in axes] + [r])
    return (table, True) if r > 1 else (table[..., 0], False)


def noise_of_test_set(correct: ArrayLike, classes: int = 2) -> stats.TestSetNoise:
    """How much of the spread between runs comes from the choice of test examples (Jordan 2023).

    Parameters
    ----------
    correct
        Shape (runs, examples): 1 where a run is right, 0 where it is wrong.
    classes
        How many classes there are.

    Raises
    ------
    UsageError
        `correct` has another shape or other values.
    """
    try:
        return stats.noise_of_test_set(correct, classes)
    except ValueError as error:
        raise UsageError(str(error)) from None


def by_step(results: Results, metric: str | None = None, *, level: float = 0.95) -> list[tuple[int, stats.Description]]:
    """Mean, interval and spread across seeds after each step of training, so that "more training helps" can be tested.

    Parameters
    ----------
    results
        Runs with a value of the metric at each step.
    metric
        Which metric; by default the one that leads the report.
    level
        Coverage of the intervals.

    Returns
    -------
    list of (step, Description)
        Only the steps that every finished run has reached. Compare two of them with `step_scores`.

    Raises
    ------
    MetricError
        There is no such metric.
    """
    chosen = results.metric(metric)
    return [
        (step, stats.describe(list(by_seed.values()), level)) for step, by_seed in _steps(results, chosen.name).items()
    ]


def step_scores(results: Results, step: int, metric: str | None = None) -> Scores:
    """The scores of one step.

    Compare those of two steps with `compare(…, paired=True)`, because they come from the same runs.

    Parameters
    ----------
    results
        Runs with a value of the metric at each step.
    step
        The step, as it was logged.
    metric
        Which metric; by default the one that leads the report.

    Raises
    ------
    MetricError
        Not every run has this step.
    """
    chosen = results.metric(metric)
    steps = _steps(results, chosen.name)
    if step not in steps:
        shown = ", ".join(map(str, list(steps)[:12]))
        raise MetricError(
            f"not every run of {results.name} has {chosen.name} at step {step}; all have {shown or 'none'}"
        )
    return Scores(chosen.name, steps[step], chosen.goal, len(results))


def _steps(results: Results, metric: str) -> dict[int, dict[int, float]]:
    runs = [run for run in results.finished if metric in run.series]
    steps: dict[int, dict[int, float]] = {}
    for run in runs:
        for step, value in zip(run.series[metric].steps, run.series[metric].values, strict=True):
            steps.setdefault(step, {})[run.seed] = value
    return {step: by_seed for step, by_seed in sorted(steps.items()) if len(by_seed) == len(runs)}
