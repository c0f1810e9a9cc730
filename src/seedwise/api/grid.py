"""Runs a Python function under every combination of settings."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..errors import UsageError
from ..events import Event
from ..experiments.grids import Grid, named
from ..reports.family import Family
from ..results import Reduce, Results, RunsFailedError, check_seeds
from ..runs.request import silent
from ..sandbox.workdir import Workdir
from .families import each_setting, highest_seed
from .function import run


def run_grid(
    function: Callable[..., object],
    seeds: Iterable[int],
    grid: Mapping[str, Sequence[object]],
    *,
    config: Mapping[str, object] | None = None,
    name: str | None = None,
    confirm: int = 0,
    metric: str | Sequence[str] = (),
    reduce: Reduce | str = Reduce.LAST,
    jobs: int | None = None,
    threads: int | None = 1,
    share: str | Sequence[str] = (),
    workdir: Workdir | str = Workdir.AUTO,
    timeout: float | None = None,
    retries: int = 0,
    fresh: bool = False,
    checkpoints: str | None = None,
    on: object = None,
    store: str | None = None,
    progress: bool | None = None,
    tell: Callable[[Event], None] | None = None,
) -> Family:
    """Call `function(seed, **config, **setting)` under many seeds, for every combination of settings.

    Parameters
    ----------
    grid
        Name of an argument → its values: `{"lr": [0.01, 0.1], "layers": [1, 2]}`.
    confirm
        Run the best setting again under so many seeds that had no part in choosing it.
    function, seeds, config, name, metric, reduce, jobs, threads, share, workdir
        As for `run`. The experiments are called `train lr=0.01 layers=1` and so on.
    timeout, retries, fresh, checkpoints, on, store, progress, tell
        As for `run`.

    Returns
    -------
    Family
        `family.members["train lr=0.01 layers=1"]` are results; `family.ranking` compares all pairs, held together by
        Holm.

    Raises
    ------
    UsageError
        The grid is empty, an argument has no values, a value stands twice, or it is set in `config` too.
    """
    label = name or getattr(function, "__name__", "function").strip("<>")
    settings = _settings(label, grid, config or {})
    chosen = check_seeds(seeds)

    def start(experiment: str, setting: Mapping[str, object], under: Sequence[int]) -> tuple[Results, bool]:
        try:
            return under_one(experiment, setting, under), False
        except RunsFailedError as error:
            return error.results, False  # the other settings may do better; the report says why this one has no place

    def under_one(experiment: str, setting: Mapping[str, object], under: Sequence[int]) -> Results:
        return run(
            function,
            under,
            config={**(config or {}), **setting},
            name=experiment,
            metric=metric,
            reduce=reduce,
            jobs=jobs,
            threads=threads,
            share=share,
            workdir=workdir,
            timeout=timeout,
            retries=retries,
            fresh=fresh,
            checkpoints=checkpoints,
            on=on,
            store=store,
            progress=progress,
            tell=tell,
        )

    before = highest_seed(settings, store)
    return each_setting(label, settings, chosen, start, tell or silent, confirm, before)


def _settings(
    label: str, grid: Mapping[str, Sequence[object]], config: Mapping[str, object]
) -> dict[str, dict[str, object]]:
    """Name of the experiment → its settings."""
    if not isinstance(grid, Mapping) or not grid:
        raise UsageError(f"a grid is name → values, such as {{'lr': [0.01, 0.1]}}; got {grid!r}")
    by_text: dict[str, dict[str, object]] = {}
    for key, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise UsageError(f"grid {key}: several values are a list, such as [{values!r}]; got {values!r}")
        if key in config or key == "seed":
            raise UsageError(
                f"{key} is in the grid, and cannot be set otherwise"
                if key in config
                else "seed: name the seeds with seeds="
            )
        by_text[key] = {str(value): value for value in values}
        if len(by_text[key]) < len(list(values)) or not by_text[key]:
            raise UsageError(f"grid {key}: different values, at least one; got {list(values)!r}")
    axes = Grid({key: tuple(values) for key, values in by_text.items()})
    return {
        named(label, setting): {key: by_text[key][text] for key, text in setting.items()} for setting in axes.settings()
    }
