"""Runs a Python function under many seeds."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..errors import UsageError
from ..events import Event
from ..experiments.functions import carried
from ..experiments.options import Options, sources_named
from ..experiments.signatures import check_call, settings_of
from ..metrics.choose import parse_metric
from ..reports.live import shown_to_python
from ..results import Reduce, Results, check_seeds, reduce_named, several
from ..runs.all_failed import results_or_raise
from ..runs.executors.choosing import where_asked
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
    metric: str | Sequence[str] = (),
    reduce: Reduce | str | None = None,
    remember: bool = False,
    jobs: int | None = None,
    threads: int | None = 1,
    vary: str | Sequence[str] = (),
    source: str | Sequence[str] = (),
    share: str | Sequence[str] = (),
    workdir: Workdir | str = Workdir.AUTO,
    timeout: float | None = None,
    retries: int = 0,
    fail_fast: bool = False,
    keep_going: bool = False,
    fresh: bool = False,
    checkpoints: str | None = None,
    on: object = None,
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
    vary
        The sources that the seed varies: some of `init`, `order`, `dropout`, `augment`, `split`, `other`. Every other
        source draws what it draws in a plain run. The function is called with seed 0.
    source
        With `vary`: `model.py:41=augment`, to which source the draws of a line belong.
    timeout
        Seconds after which a run is ended and counts as failed.
    retries
        How often a failed run is tried again at once.
    fail_fast
        Start no further run after the first that fails.
    keep_going
        Run the other seeds though the first three failed alike, and return the results though every run failed.
    name, metric, reduce, remember, jobs, threads, share, workdir, fresh, checkpoints, on, store, progress, tell
        As for `run_script`.

    Returns
    -------
    Results
        `results.scores("value")` for a function that returns a number; `run.array(name)` for arrays.

    Raises
    ------
    UsageError
        The function cannot be carried into another process, or does not take its settings; the message says why.
    RunsFailedError
        Every run failed. The message has the traceback of the first, and how many seeds share it.
    """
    if not callable(function):
        raise UsageError(_no_function(function))
    settings = settings_of(config)
    check_call(function, settings)
    how = None if reduce is None else reduce_named(reduce)
    options = Options(
        threads=threads,
        jobs=jobs,
        vary=sources_named(vary),
        corrections=several(source, "source"),
        workdir=workdir_named(workdir),
        share=several(share, "share"),
        fresh=fresh,
        timeout=timeout,
        retries=retries,
        fail_fast=fail_fast,
        keep_going=keep_going,
        checkpoints=checkpoints,
    )
    asked = [parse_metric(text, how or Reduce.LAST) for text in several(metric, "metric")]
    label, chosen = name or _name_of(function), check_seeds(seeds)
    with carried(function, settings, private_folder()) as call:
        request = Request(call.label, chosen, options, label, asked, how, call, remember=remember, on=where_asked(on))
        with shown_to_python(progress, tell) as told:
            outcome = execute(request, store, told)
        return results_or_raise(outcome, keep_going)


def _name_of(function: Callable[..., object]) -> str:
    """The name of an experiment without a name of its own."""
    name = str(getattr(function, "__name__", "function"))
    return "".join(c if c.isalnum() or c in "_-" else "-" for c in name).strip("-") or "function"


def _no_function(given: object) -> str:
    """What to say to somebody who gave something else than a function."""
    if isinstance(given, str):
        words = given.split() if " " in given else ["python", given] if given.endswith(".py") else [given]
        return f"run() takes a function, and {given!r} is text: for a script there is run_script({words!r}, seeds=…)"
    if isinstance(given, list | tuple):
        return f"run() takes a function; for a script there is run_script({list(given)!r}, seeds=…)"
    if given is None or isinstance(given, int | float | dict):
        return f"run() takes a function, not what it returned ({given!r:.60}): run(train, seeds=…), without () behind train"
    return f"run() takes a function, which is called as train(seed); got {given!r:.100}"
