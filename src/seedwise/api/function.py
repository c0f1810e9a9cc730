"""Runs a Python function under many seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..errors import UsageError
from ..events import Event
from ..experiments.functions import carried
from ..experiments.options import Options
from ..metrics.choose import parse_metric
from ..reports.live import shown_to_python
from ..results import Reduce, Results, check_seeds
from ..runs.request import Request
from ..runs.sweep import execute
from ..sandbox.workdir import Workdir, workdir_named
from ..sandbox.worlds import private_folder


def run(
    function: Callable[..., object],
    seeds: Iterable[int],
    *,
    config: Mapping[str, object] | None = None,
    name: str | None = None,
    metric: Sequence[str] = (),
    reduce: Reduce | str = Reduce.LAST,
    jobs: int | None = None,
    threads: int | None = 1,
    share: Sequence[str] = (),
    workdir: Workdir | str = Workdir.AUTO,
    timeout: float | None = None,
    retries: int = 0,
    fail_fast: bool = False,
    fresh: bool = False,
    store: str | None = None,
    progress: bool | None = None,
    tell: Callable[[Event], None] | None = None,
) -> Results:
    """Call `function(seed, **config)` under many seeds. Each call has its own process and its own view of the files.

    The function may be defined anywhere: in a module, in a notebook, inside another function. Before each call every
    global generator is seeded with the seed. What the function refers to (globals, closures, settings) is part of the
    experiment: if it changes, the next call begins another experiment.

    Parameters
    ----------
    function
        Returns a number; or a dict whose values are numbers, lists of numbers (a series), arrays or `Predictions`.
    seeds
        The seeds themselves, 0 … 2**32 - 1, each once.
    config
        Keyword arguments of every call.
    timeout
        Seconds after which a run is ended and counts as failed.
    retries
        How often a failed run is tried again at once.
    fail_fast
        Start no further run after the first that fails.
    name, metric, reduce, jobs, threads, share, workdir, fresh, store, progress, tell
        As for `run_script`.

    Returns
    -------
    Results
        `results.scores("value")` for a function that returns a number; `run.array(name)` for arrays.

    Raises
    ------
    UsageError
        The function cannot be carried into another process; the message says why.
    """
    if not callable(function):
        raise UsageError(f"run() takes a function; for a script there is run_script([...]); got {function!r}")
    options = Options(
        threads=threads,
        jobs=jobs,
        workdir=workdir_named(workdir),
        share=tuple(share),
        fresh=fresh,
        timeout=timeout,
        retries=retries,
        fail_fast=fail_fast,
    )
    asked = [parse_metric(text, Reduce(reduce)) for text in metric]
    label = name or "".join(
        c if c.isalnum() or c in "_-" else "-" for c in getattr(function, "__name__", "function")
    ).strip("-")
    chosen = check_seeds(seeds)
    with carried(function, dict(config or {}), private_folder()) as call:
        request = Request(call.label, chosen, options, label or "function", asked, Reduce(reduce), call=call)
        with shown_to_python(progress, tell) as told:
            return execute(request, store, told).results
