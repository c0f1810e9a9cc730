"""Runs an unmodified script under many seeds."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..events import Event
from ..experiments.command import words_of
from ..experiments.options import Options, cards_named, sources_named
from ..metrics.choose import parse_metric
from ..reports.live import shown_to_python
from ..results import Reduce, Results, check_seeds, reduce_named, several
from ..runs.all_failed import results_or_raise
from ..runs.executors.choosing import where_asked
from ..runs.request import Request
from ..runs.stopping import until_asked
from ..runs.sweep import execute
from ..sandbox.workdir import Workdir, workdir_named


def run_script(
    command: str | Sequence[str],
    seeds: Iterable[int],
    *,
    name: str | None = None,
    metric: str | Sequence[str] = (),
    reduce: Reduce | str | None = None,
    remember: bool = False,
    jobs: int | None = None,
    threads: int | None = 1,
    keep: str | Sequence[str] = (),
    vary: str | Sequence[str] = (),
    source: str | Sequence[str] = (),
    seed_site: str | None = None,
    share: str | Sequence[str] = (),
    workdir: Workdir | str = Workdir.AUTO,
    accept_change: bool = False,
    timeout: float | None = None,
    retries: int = 0,
    fail_fast: bool = False,
    keep_going: bool = False,
    gpus: Sequence[str | int] = (),
    nice: int = 0,
    fresh: bool = False,
    isolate_network: bool = False,
    metric_file: str | Sequence[str] = (),
    checkpoints: str | None = None,
    on: object = None,
    store: str | None = None,
    until_margin: float | None = None,
    until_rule: str = "sequence",
    bounds: tuple[float, float] | None = None,
    progress: bool | None = None,
    tell: Callable[[Event], None] | None = None,
) -> Results:
    """Run an unmodified script under many seeds. Each run has its own process and its own view of the files.

    Runs that are finished in the store are not run again: the same call runs what is missing, and more seeds add
    runs.

    Parameters
    ----------
    command
        Words such as `["python", "train.py"]`, or one text, which is split as in a shell. With `{seed}` in one of them
        the script takes the seed there and nothing is substituted.
    seeds
        The seeds themselves, 0 … 2**32 - 1, each once.
    name
        The experiment's name. By default the script's name without its ending.
    metric, reduce
        Which metrics (`acc`, `val_loss:min`, `err=REGEX`), and which value of a series: `last` (default), `best`, `mean`, `area`.
    remember
        Keep `metric` and `reduce` with the experiment, for `load`, `compare` and later runs. Otherwise they are a choice
        for this call.
    jobs
        How many runs go on at the same time. By default cores divided by threads; one if there is a GPU.
    threads
        Threads of each run; they are part of the experiment. None leaves the number to the script.
    keep
        Seed sites that stay as typed: `train.py:12`, or a source such as `split`.
    vary
        The sources that the seed varies: some of `init`, `order`, `dropout`, `augment`, `split`, `other`. Every other
        source draws what it draws in a plain run.
    source
        With `vary`: `model.py:41=augment`, to which source the draws of a line belong.
    seed_site
        `train.py:3`, where *the* number stands; or `conf.yaml:seed`, for a seed in a configuration file.
    share
        Files or folders that all runs share, such as a download cache.
    workdir
        How runs are kept apart: `auto`, `overlay`, `farm`, `sequential`; `shared` does not keep them apart.
    accept_change
        Continue the newest experiment of this name although code or packages have changed since.
    timeout
        Seconds after which a run is ended and counts as failed.
    retries
        How often a failed run is tried again at once. Its attempts are kept apart.
    fail_fast
        Start no further run after the first that fails.
    keep_going
        Run the other seeds though the first three failed alike, and return the results though every run failed.
    gpus
        Numbers of the GPUs to use. Each run sees one GPU: the one with the fewest runs at that moment. There are as
        many runs at a time as GPUs, or `jobs`, so that small runs can share a GPU.
    nice
        How much priority runs give up to other work on this machine: 0 (none) … 19.
    fresh
        Start an interpreter for each run. By default runs are forked from a process that has executed the script's
        first lines.
    isolate_network
        Give each run its own network, which has only a loopback device. The run can download nothing, and no other
        run uses its ports.
    metric_file
        Files with its metrics that each run writes: `["out/metrics.json"]`, `["logs/*/events*"]`. They are read instead of
        what it prints.
    checkpoints
        The folder from which the script resumes, below the working directory. When a seed that was interrupted is run again,
        what it had there is there.
    on
        Where the runs are made: `slurm`, `dask://host:8786`, `ray`, `ray://host:10001`, `local` (workers that go on when this
        process ends), a Dask client, or what `where` returns, which says more: `where("slurm", slurm="time=6:00:00")`. The
        same call collects what was submitted before. By default in this process.
    until_margin, until_rule, bounds
        Stop before all `seeds` are run, when the mean is known to ± this margin. The rule is `sequence` (t confidence
        sequence), `stein` (two stages), or `betting` for a metric within the given `bounds`.
    progress
        Show what is going on. By default on a terminal and in a notebook, unless there is a `tell`; False silences it.
    tell
        Called with every event during the work.
    store
        The store's folder. By default `.seedwise` of this project.

    Raises
    ------
    UsageError, ScriptError, StoreError
        Raised before anything is run. The message says what to do.
    RunsFailedError
        Every run failed. The message has the traceback of the first, and how many seeds share it.
    """
    options = Options(
        keep=several(keep, "keep"),
        vary=sources_named(vary),
        corrections=several(source, "source"),
        seed_site=seed_site,
        threads=threads,
        jobs=jobs,
        workdir=workdir_named(workdir),
        share=several(share, "share"),
        accept_change=accept_change,
        timeout=timeout,
        retries=retries,
        fail_fast=fail_fast,
        keep_going=keep_going,
        gpus=cards_named(gpus),
        nice=nice,
        fresh=fresh,
        isolate_network=isolate_network,
        metric_files=several(metric_file, "metric_file"),
        checkpoints=checkpoints,
    )
    until = until_asked(until_margin, until_rule, bounds)
    request = Request(words_of(command), check_seeds(seeds), options, name, until=until, on=where_asked(on))
    return _results(_reporting(request, metric, reduce, remember), keep_going, store, progress, tell)


def _reporting(request: Request, metric: Sequence[str], reduce: str | None, remember: bool) -> Request:
    """The same, with what is asked of the report."""
    how = reduce_named(reduce) if reduce else None
    asked = [parse_metric(text, how or Reduce.LAST) for text in several(metric, "metric")]
    return replace(request, metrics=asked, reduce=how, remember=remember)


def _results(
    request: Request,
    keep_going: bool,
    store: str | None,
    progress: bool | None,
    tell: Callable[[Event], None] | None,
) -> Results:
    with shown_to_python(progress, tell) as told:
        outcome = execute(request, store, told)
    return results_or_raise(outcome, keep_going)
