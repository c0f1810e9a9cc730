"""Running an unmodified script under many seeds."""

from collections.abc import Callable, Iterable, Sequence

from ..events import Event
from ..experiments.options import Options, cards_named
from ..metrics.choose import parse_metric
from ..results import Reduce, Results, check_seeds
from ..runs.request import Request, silent
from ..runs.stopping import until_asked
from ..runs.sweep import execute
from ..sandbox.workdir import Workdir, workdir_named


def run_script(
    command: Sequence[str],
    seeds: Iterable[int],
    *,
    name: str | None = None,
    metric: Sequence[str] = (),
    reduce: Reduce | str = Reduce.LAST,
    jobs: int | None = None,
    threads: int | None = 1,
    keep: Sequence[str] = (),
    seed_site: str | None = None,
    share: Sequence[str] = (),
    workdir: Workdir | str = Workdir.AUTO,
    accept_change: bool = False,
    timeout: float | None = None,
    retries: int = 0,
    fail_fast: bool = False,
    gpus: Sequence[str | int] = (),
    nice: int = 0,
    fresh: bool = False,
    isolate_network: bool = False,
    store: str | None = None,
    until_margin: float | None = None,
    until_rule: str = "sequence",
    bounds: tuple[float, float] | None = None,
    tell: Callable[[Event], None] = silent,
) -> Results:
    """Run an unmodified script under many seeds, each in a process and a view of the files of its own.

    What is finished in the store is not run again: the same call finishes the rest, more seeds add runs.

    Parameters
    ----------
    command
        Words such as `["python", "train.py"]`. With `{seed}` in one of them the script takes the seed there and nothing
        is substituted.
    seeds
        The seeds themselves, 0 … 2**32 - 1, each once.
    name
        What the experiment is called; the script's stem by default.
    metric, reduce
        Which metrics (`acc`, `val_loss:min`, `err=REGEX`) and which value of a series: `last`, `best`, `mean`.
    jobs
        Runs at a time; by default one for each core that the threads leave, and one where a GPU is present.
    threads
        Threads of each run, part of the experiment; None leaves the script's own.
    keep
        Seed sites to be left as typed: `train.py:12`, or a source such as `split`.
    seed_site
        `train.py:3` where *the* number stands, or `conf.yaml:seed` for a seed in a configuration file.
    share
        Files or folders that all runs share, such as a download cache.
    workdir
        How runs are kept apart: `auto`, `overlay`, `farm`, `sequential`, or `shared` for not at all.
    accept_change
        Go on with the newest experiment of this name though code or packages have changed since.
    timeout
        Seconds after which a run is ended and counts as failed.
    retries
        How often a failed run is tried again at once; its attempts are kept apart.
    fail_fast
        Start no further run after the first that fails.
    gpus
        Numbers of the GPUs to be used. Each run sees one, the one with the fewest runs; as many run at a time as there are
        cards, or `jobs`, so that small runs can share one.
    nice
        By how much runs step back for other work on this machine, 0 … 19.
    fresh
        Start an interpreter for each run, instead of forking them from one that has executed the script's first lines.
    isolate_network
        Give each run a network of its own, with nothing but its loopback: no download, and no port that another run has.
    until_margin, until_rule, bounds
        Stop before all `seeds` are run, when the mean is known to ± this margin: by `sequence` (t confidence sequence), `stein`
        (two stages), or `betting` for a metric within declared bounds.
    tell
        Called with every event while it works.

    Raises
    ------
    UsageError, ScriptError, StoreError
        Before anything is run, with what to do.
    """
    options = Options(
        keep=tuple(keep),
        seed_site=seed_site,
        threads=threads,
        jobs=jobs,
        workdir=workdir_named(workdir),
        share=tuple(share),
        accept_change=accept_change,
        timeout=timeout,
        retries=retries,
        fail_fast=fail_fast,
        gpus=cards_named(gpus),
        nice=nice,
        fresh=fresh,
        isolate_network=isolate_network,
    )
    request = Request(
        command,
        check_seeds(seeds),
        options,
        name,
        [parse_metric(text, Reduce(reduce)) for text in metric],
        Reduce(reduce),
        until=until_asked(until_margin, until_rule, bounds),
    )
    return execute(request, store, tell).results
