"""Where the spread of a script comes from: runs a crossed design, and divides the variance between its sources."""

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace

from .. import stats
from ..advice import Advice
from ..errors import Interrupted, MetricError, UsageError
from ..events import Event, Note, Planned
from ..experiments.command import available_cores, check_name, default_name, words_of
from ..experiments.crossing import THREADS, Crossing, Member, crossing
from ..experiments.draws import about_sources, draws_of, never_drawn
from ..experiments.forking_record import Record
from ..experiments.functions import carried, is_call
from ..experiments.grids import named
from ..experiments.options import Options, check_number, check_whole, sources_named
from ..experiments.signatures import check_call, settings_of
from ..metrics.choose import parse_metric
from ..reports.decomposition import Decomposition
from ..reports.live import shown_to_python
from ..results import Reduce, Results, Run, Status, several
from ..runs.all_failed import results_or_raise
from ..runs.executors.choosing import where_asked
from ..runs.request import Outcome, Request
from ..runs.sweep import execute
from ..sandbox.worlds import private_folder
from ..wording import option
from ..words import duration, failure
from .kept_components import keep_components


def decompose(
    what: str | Sequence[str] | Callable[..., object],
    vary: str | Sequence[str],
    *,
    n: int = 8,
    config: dict[str, object] | None = None,
    repeats: int = 2,
    threads: int | Sequence[int] = 1,
    max_runs: int = 200,
    metric: str | Sequence[str] = (),
    source: str | Sequence[str] = (),
    name: str | None = None,
    jobs: int | None = None,
    timeout: float | None = None,
    level: float = 0.95,
    on: object = None,
    store: str | None = None,
    progress: bool | None = None,
    tell: Callable[[Event], None] | None = None,
) -> Decomposition:
    """Run a script or a function under a crossed design, and divide the variance between its sources of randomness.

    Parameters
    ----------
    what
        The words of a command, or a function that is called as `train(seed, **config)`.
    vary
        Some of `init`, `order`, `dropout`, `augment`, `split`, `other`; and `threads`, for the number of threads.
    n
        Seeds of each source.
    repeats
        How often n of the runs are done, so that one sees what no seed controls. 1 for not at all.
    threads
        Threads of each run; with `threads` in `vary`, the numbers that are compared. Then the default is 1 and all
        cores; with `on`, there is none, since other machines have other cores.
    max_runs
        If the whole design has more runs, a fraction is run in which each pair of seeds of two sources meets once.
    metric
        Which metric; by default the one that leads the report.
    source
        `model.py:41=augment`: to which source the draws of a line belong.
    name, config, jobs, timeout, on, store, progress, tell
        As for `run_script` and `run`.
    level
        Coverage of the intervals.

    Raises
    ------
    UsageError, ScriptError
        Raised before anything is run. A source that the script never draws from is named after the first run.
    Interrupted
        Somebody interrupted it; the same call goes on.
    MetricError
        A run has no value of the metric. The message says which.
    """
    vary = sources_named(vary)
    if not vary:
        raise UsageError(
            'which sources? vary=["init", "order"]: some of init, order, dropout, augment, split, other; and threads'
        )
    where = where_asked(on)
    levels = threads_of(vary, threads, here=where is None)
    corrections = several(source, "source")
    design = crossing(vary, n, levels, repeats, max_runs, corrections)
    options = Options(
        threads=levels[0] if levels else threads if isinstance(threads, int) else 1, jobs=jobs, timeout=timeout
    )
    asked = [parse_metric(text, Reduce.LAST) for text in several(metric, "metric")]
    check_level_and_name(level, name)
    with shown_to_python(progress, tell) as told:
        if not callable(what):
            request = Request(_words(what, config), [1], replace(options, corrections=()), name, asked, on=where)
            return run_design(request, design, corrections, store, told, level)
        settings = settings_of(config)
        check_call(what, settings)
        with carried(what, settings, private_folder()) as call:
            label = name or getattr(what, "__name__", "function").strip("<>")
            request = Request(call.label, [1], options, label, asked, call=call, on=where)
            return run_design(request, design, corrections, store, told, level)


def _words(what: object, config: object) -> tuple[str, ...]:
    """The words of a command. Raises UsageError for what is no command, and for settings that it would not get."""
    if not isinstance(what, Sequence):
        raise UsageError(
            f'decompose takes a command, ["python", "train.py"], or a function, without () behind its name; got {what!r:.60}'
        )
    words = words_of(what)
    if not any(word.strip() for word in words):
        raise UsageError('no command: decompose(["python", "train.py"], ["init", "order"])')
    if config:
        raise UsageError("config is for a function: a script takes its settings as words of its command")
    return words


def check_level_and_name(level: float, name: str | None) -> None:
    """Raises UsageError for a level or a name that would be refused after the runs."""
    check_number(option("--level"), level)
    if not 0 < level < 1:
        raise UsageError(f"{option('--level')} is between 0 and 1; got {level}")
    if name is not None:
        check_name(name)


def threads_of(vary: Sequence[str], threads: int | Sequence[int], *, here: bool = True) -> tuple[int, ...]:
    """The numbers of threads that are compared; () if threads are no factor.

    Parameters
    ----------
    here
        Whether the runs are done on this machine.

    Raises
    ------
    UsageError
        Several numbers, and threads are no factor; no number at all; there is only one core; or the runs are done on
        other machines, and no numbers are given.
    """
    if THREADS not in vary:
        if not isinstance(threads, int) and isinstance(threads, Sequence) and not isinstance(threads, str):
            raise UsageError(
                f"several numbers of threads are a factor: name {THREADS} among what varies, {option('--vary ' + ','.join([*vary, THREADS]))}"
            )
        check_whole(option("--threads"), threads)
        return ()
    if not isinstance(threads, int):
        if isinstance(threads, str) or not isinstance(threads, Sequence) or not threads:
            raise UsageError(f"threads as a factor takes numbers, {option('--threads 1,2')}; got {threads!r:.60}")
        for number in threads:
            check_whole(option("--threads"), number)
        return tuple(threads)
    if not here:
        raise UsageError(
            f"which numbers of threads? The cores of this machine say nothing about others: {option('--threads 1,4')}"
        )
    cores = available_cores()
    if cores < 2:
        raise UsageError("threads cannot vary here: there is one core")
    return (1, cores)


def run_design(
    request: Request,
    design: Crossing,
    corrections: Sequence[str],
    store: str | None,
    tell: Callable[[Event], None],
    level: float = 0.95,
) -> Decomposition:
    """Run every experiment of a design, one after another, and divide the variance.

    Parameters
    ----------
    request
        The command and its options, without seeds.

    Raises
    ------
    UsageError
        The script never draws for one of the sources.
    Interrupted
        Somebody interrupted it.
    """
    base = request.name or default_name(
        [request.command[0].rpartition(":")[0]]
        if request.call is None and is_call(request.command)
        else request.command
    )
    tell = _once(tell)
    tell(Note(_said(design)))
    tell(Planned(design.runs, base))
    members = design.members()
    first = _run(request, design, members[0], base, corrections, [1], store, tell)
    _go_on_after(first)
    results_or_raise(first, keep_going=False)
    _look_at_first(first.results, design, tell, request)
    found: dict[str, Results] = {}
    alike: dict[int | None, Record | None] = {}  # number of threads → how forked runs were compared with fresh ones
    for member in members:
        asked = replace(request, alike=alike.get(member.threads))
        outcome = _run(asked, design, member, base, corrections, range(1, design.n + 1), store, tell)
        _go_on_after(outcome)
        found[named(base, member.settings)] = outcome.results
        _look_at_member(outcome.results, design.n, request)
        alike[member.threads] = outcome.forking
    metric = _metric(request, found)
    components = _components(design, members, list(found.values()), metric, level)
    keep_components(found[named(base, members[0].settings)].name, base, metric, components, store)
    runs = [run for results in found.values() for run in results.runs]
    places = [text.rpartition("=")[0] for text in corrections]
    warnings = about_sources(runs, design.sources, places, first.results.sites)
    if design.repeats < 2:
        warnings.append(
            Advice(
                "no run was repeated, so that what no seed controls cannot be told from what sources do together",
                f"{option('--repeats 2')} runs some of them twice",
            )
        )
    return Decomposition(base, metric, components, design, found, tuple(warnings))


def _go_on_after(outcome: Outcome) -> None:
    """Raises Interrupted if somebody interrupted it."""
    if outcome.interrupted:
        raise Interrupted("interrupted; what was finished is saved, and the same command goes on with the rest")


def _once(tell: Callable[[Event], None]) -> Callable[[Event], None]:
    """The same, without notes that were told before: every experiment of a design has the same threads."""
    told: set[str] = set()

    def telling(event: Event) -> None:
        if isinstance(event, Note):
            if event.text in told:
                return
            told.add(event.text)
        tell(event)

    return telling


def _said(design: Crossing) -> str:
    values = " × ".join(f"{size} {name}" for name, size in zip(design.factors, design.shape, strict=True))
    repeated = f", of which {design.runs - design.cells} repeat others" if design.repeats > 1 else ""
    if not design.fraction:
        return f"{values}: {design.runs} runs{repeated}; the first one tells how long they take"
    return (
        f"{values} would be {design.whole} runs: a fraction of 1/{design.whole // design.cells}, {design.runs} runs{repeated}, in which each pair of seeds "
        "of two sources meets once; the first one tells how long they take"
    )


def _run(
    request: Request,
    design: Crossing,
    member: Member,
    base: str,
    corrections: Sequence[str],
    seeds: Sequence[int],
    store: str | None,
    tell: Callable[[Event], None],
) -> Outcome:
    threads = request.options.threads if member.threads is None else member.threads
    options = replace(
        request.options, vary=design.sources[:1], at=member.at, corrections=tuple(corrections), threads=threads
    )
    return execute(replace(request, name=named(base, member.settings), seeds=seeds, options=options), store, tell)


def _look_at_first(results: Results, design: Crossing, tell: Callable[[Event], None], request: Request) -> None:
    """Say how long it will take, and stop if the script never draws for one of the sources."""
    run: Run = _finished(results, results.runs[0].seed if results.runs else 1)
    drawn = draws_of(run).get("sources", {})
    never = never_drawn(drawn, design.sources, results.sites)
    if never:
        raise UsageError(
            f"no draw of the first run belongs to {' or '.join(never)}, so that there is nothing to divide; drawn from: "
            f"{', '.join(sorted(drawn)) or 'nothing'}. Leave it out, or say which line draws for it: {option(f'--source FILE:LINE={never[0]}')}"
        )
    options, seconds = request.options, run.seconds or 0.0
    if request.on is not None:
        tell(Note(f"{design.runs} runs of about {duration(seconds)} each, where none of them is there yet"))
        return
    at_once = options.jobs or max(1, available_cores() // max(design.threads or (options.threads or 1,)))
    seconds *= math.ceil((design.runs - 1) / at_once)
    tell(
        Note(f"{design.runs} runs take about {duration(seconds)}, {at_once} at a time, where none of them is there yet")
    )


def _look_at_member(results: Results, n: int, request: Request) -> None:
    """Stop the design where a run has failed, or has no value of the metric that was asked for."""
    for seed in range(1, n + 1):
        if request.metrics:
            _score(results, seed, request.metrics[0].name)
        else:
            _finished(results, seed)


def _metric(request: Request, members: dict[str, Results]) -> str:
    if request.metrics:
        return request.metrics[0].name
    leads = [results.metrics[0].name for results in members.values() if results.metrics]
    if not leads:
        raise MetricError(f"no run printed a metric: {option('--metric NAME=REGEX')} finds one")
    return max(leads, key=leads.count)


def _components(
    design: Crossing, members: Sequence[Member], results: Sequence[Results], metric: str, level: float
) -> stats.Components:
    import numpy as np

    values: dict[tuple[int, ...], list[float]] = {}
    for member, of in zip(members, results, strict=True):
        for seed, cell in enumerate(member.cells, start=1):
            values.setdefault(cell, []).append(_score(of, seed, metric))
    repeated = [row for row in values.values() if len(row) > 1]
    try:
        if design.fraction:
            return _of_fraction(design, values, repeated, level)
        table = np.empty(design.shape)
        for cell, row in values.items():
            table[cell] = row[0]
        if len(design.factors) == 1:
            return stats.crossed_components(
                np.array(list(values.values())), design.factors, replicates=True, level=level
            )
        return stats.crossed_components(table, design.factors, repeats=repeated or None, level=level)
    except ValueError as error:
        raise MetricError(f"{metric}: {error}") from None


def _of_fraction(
    design: Crossing, values: dict[tuple[int, ...], list[float]], repeated: list[list[float]], level: float
) -> stats.Components:
    k = len(design.sources)
    cells = list(dict.fromkeys(cell[:k] for cell in values))
    if not design.threads:
        once = [values[cell][0] for cell in cells]
        return stats.latin_components(once, cells, design.sources, repeats=repeated or None, level=level)
    table = [[values[*cell, t][0] for t in range(len(design.threads))] for cell in cells]
    return stats.latin_components(
        table, cells, design.sources, crossed_with=THREADS, repeats=repeated or None, level=level
    )


def _score(results: Results, seed: int, metric: str) -> float:
    """The score of one run. Raises MetricError if it has none, and says why."""
    run = _finished(results, seed)
    if metric not in run.series or metric not in {m.name for m in results.metrics}:
        there = ", ".join(run.series) or "none"
        raise MetricError(
            f"a design needs {metric} in every run: {results.name}, seed {seed} has {there}. "
            f"{option('--metric NAME')} takes a metric that every run has"
        )
    value = results.scores(metric)[seed]
    if not math.isfinite(value):
        raise MetricError(
            f"{metric} is {value} in {results.name}, seed {seed}: a design needs a number in every run. "
            f"{option('--metric NAME')} takes another metric"
        )
    return value


def _finished(results: Results, seed: int) -> Run:
    """The run under a seed. Raises MetricError, which says what to do, if it has not finished."""
    run = next((run for run in results.runs if run.seed == seed), None)
    if run is not None and run.status is Status.FINISHED:
        return run
    why = "was not run" if run is None else failure(run)
    raise MetricError(
        f"a design needs every run: {results.name}, seed {seed}: {why}. "
        f"`seedwise resume {shlex.quote(results.name)} --failed` runs it again"
    )
