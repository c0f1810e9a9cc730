"""Where the spread of a script comes from: runs a crossed design, and divides the variance between its sources."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .. import stats
from ..errors import MetricError, UsageError
from ..events import Event, Note
from ..experiments.command import available_cores, default_name, words_of
from ..experiments.crossing import THREADS, Crossing, Member, crossing
from ..experiments.draws import about_sources, draws_of
from ..experiments.functions import carried, is_call
from ..experiments.grids import named
from ..experiments.options import Options, check_vary, sources_named
from ..metrics.choose import parse_metric
from ..reports import spread
from ..reports.live import shown_to_python
from ..reports.page import Block, Line, warning
from ..results import Reduce, Results, Run, Status
from ..runs.all_failed import results_or_raise
from ..runs.request import Outcome, Request
from ..runs.sweep import execute
from ..sandbox.worlds import private_folder
from ..showing import Shown
from ..wording import option
from ..words import duration, printable


@dataclass(frozen=True, repr=False)
class Decomposition(Shown):
    """How much of a metric's variance between runs each source makes.

    Attributes
    ----------
    components
        `found.components["init"].variance`, `.share`, `.interval`; the same for what two sources do together, and for
        `rest`: what differs between repeats of the same run.
    fraction
        The share of the whole crossed design that was run.
    members
        Name of each experiment of the design, with its results.
    """

    name: str
    metric: str
    components: stats.Components
    design: Crossing
    members: dict[str, Results]
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Decomposition {self.name}: {self.metric}, {self.design.runs} runs>"

    @property
    def fraction(self) -> float:
        """The share of the whole crossed design that was run."""
        return self.design.cells / self.design.whole

    @property
    def sentence(self) -> str:
        """Which part of the variance each source makes."""
        return spread.components_sentence(self.metric, self.components)

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            **spread.components_dict(self.metric, self.components),
            "sources": list(self.design.sources),
            "threads": list(self.design.threads),
            "seeds_each": self.design.n,
            "repeats": self.design.repeats,
            "fraction": self.fraction,
            "total": self.components.total,
            "machine": spread.machine_sentence(self.components, THREADS),
            "experiments": list(self.members),
            "warnings": list(self.warnings),
        }


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
        cores.
    max_runs
        If the whole design has more runs, a fraction is run in which each pair of seeds of two sources meets once.
    metric
        Which metric; by default the one that leads the report.
    source
        `model.py:41=augment`: to which source the draws of a line belong.
    name, config, jobs, timeout, store, progress, tell
        As for `run_script` and `run`.

    Raises
    ------
    UsageError, ScriptError
        Raised before anything is run. A source that the script never draws from is named after the first run.
    MetricError
        A run has no value of the metric. The message says which.
    """
    vary = sources_named(vary)
    levels = threads_of(vary, threads)
    design = crossing(vary, n, levels, repeats, max_runs)
    one = levels[0] if levels else threads if isinstance(threads, int) else threads[0]
    options = Options(threads=one, jobs=jobs, timeout=timeout)
    corrections = (source,) if isinstance(source, str) else tuple(source)
    check_vary(design.sources, corrections)
    asked = [parse_metric(text, Reduce.LAST) for text in ([metric] if isinstance(metric, str) else metric) if text]
    with shown_to_python(progress, tell) as told:
        if not callable(what):
            request = Request(words_of(what), [1], replace(options, corrections=()), name, asked)
            return run_design(request, design, corrections, store, told, level)
        with carried(what, dict(config or {}), private_folder()) as call:
            label = name or getattr(what, "__name__", "function").strip("<>")
            request = Request(call.label, [1], options, label, asked, call=call)
            return run_design(request, design, corrections, store, told, level)


def threads_of(vary: Sequence[str], threads: int | Sequence[int]) -> tuple[int, ...]:
    """The numbers of threads that are compared; () if threads are no factor.

    Raises
    ------
    UsageError
        Several numbers, and threads are no factor; or there is only one core.
    """
    if THREADS not in vary:
        if not isinstance(threads, int):
            raise UsageError("several numbers of threads are a factor: name threads among what varies")
        return ()
    if not isinstance(threads, int):
        return tuple(threads)
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
        The script never draws for one of the sources, or it was interrupted.
    """
    base = request.name or default_name(
        [request.command[0].rpartition(":")[0]]
        if request.call is None and is_call(request.command)
        else request.command
    )
    tell = _once(tell)
    tell(Note(_said(design)))
    members = design.members()
    first = _run(request, design, members[0], base, corrections, [1], store, tell)
    results_or_raise(first, keep_going=False)
    _look_at_first(first.results, design, tell, request.options)
    found: dict[str, Results] = {}
    for member in members:
        outcome = _run(request, design, member, base, corrections, range(1, design.n + 1), store, tell)
        if outcome.interrupted:
            raise UsageError("interrupted: the same command goes on with what is missing")
        found[named(base, member.settings)] = outcome.results
    metric = _metric(request, found)
    components = _components(design, members, list(found.values()), metric, level)
    runs = [run for results in found.values() for run in results.runs]
    places = [text.rpartition("=")[0] for text in corrections]
    warnings = about_sources(runs, design.sources, places)
    if design.repeats < 2:
        warnings.append(
            "no run was repeated, so that what no seed controls cannot be told from what sources do together"
        )
    return Decomposition(base, metric, components, design, found, tuple(warnings))


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


def _look_at_first(results: Results, design: Crossing, tell: Callable[[Event], None], options: Options) -> None:
    """Say how long it will take, and stop if the script never draws for one of the sources."""
    run: Run = results.finished[0]
    drawn = draws_of(run).get("sources", {})
    never = [name for name in design.sources if name not in drawn and name != "split"]
    if never:
        raise UsageError(
            f"no draw of the first run belongs to {' or '.join(never)}, so that there is nothing to divide; drawn from: "
            f"{', '.join(sorted(drawn)) or 'nothing'}. Leave it out, or say which line draws for it: {option(f'--source FILE:LINE={never[0]}')}"
        )
    at_once = options.jobs or max(1, available_cores() // max(design.threads or (options.threads or 1,)))
    seconds = (run.seconds or 0.0) * math.ceil((design.runs - 1) / at_once)
    tell(
        Note(f"{design.runs} runs take about {duration(seconds)}, {at_once} at a time, where none of them is there yet")
    )


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
            cells = list(values)
            once = [values[cell][0] for cell in cells]
            return stats.latin_components(once, cells, design.sources, repeats=repeated or None, level=level)
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


def _score(results: Results, seed: int, metric: str) -> float:
    """The score of one run. Raises MetricError if it has none, and says why."""
    run = next((run for run in results.runs if run.seed == seed), None)
    if run is None or run.status is not Status.FINISHED:
        why = "was not run" if run is None else f"{run.status}: {run.detail}"
        raise MetricError(f"a design needs every run: {results.name}, seed {seed} {why}")
    if metric not in run.series or metric not in {m.name for m in results.metrics}:
        there = ", ".join(run.series) or "none"
        raise MetricError(f"a design needs {metric} in every run: {results.name}, seed {seed} has {there}")
    value = results.scores(metric)[seed]
    if not math.isfinite(value):
        raise MetricError(f"{metric} is {value} in {results.name}, seed {seed}: a design needs a number in every run")
    return value


def page_of_decomposition(found: Decomposition, explain: bool = False) -> list[Block]:
    """The report: the sentence, a bar and a row for each component, and what the machine adds."""
    machine = spread.machine_sentence(found.components, THREADS)
    page: list[Block] = [Line(found.sentence), spread.components_bars(found.components)]
    page += [spread.components_table(found.components)]
    page += [Line(machine)] if machine else []
    if found.design.fraction:
        page.append(
            Line(f"These runs are 1/{round(1 / found.fraction)} of the whole design; interactions are not told apart.")
        )
    page += [warning(printable(text)) for text in found.warnings]
    return [*page, Line(""), *map(Line, spread.explain_components(found.components))] if explain else page
