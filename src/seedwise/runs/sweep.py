"""Runs one request, a command under many seeds.

It reads the seed sites, finds the experiment, runs what is missing, and loads the results.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seedwise_guest.protocol import CALL, inside

from ..errors import ScriptError, UsageError
from ..events import Event
from ..experiments import identity
from ..experiments.command import (
    PLACEHOLDER,
    available_cores,
    check_command,
    check_name,
    default_name,
    fixed_seed_on_command_line,
    leaves_at_once,
    plain_threads,
    run_environment,
    without_secrets,
    words_of,
)
from ..experiments.config_site import edit_config
from ..experiments.forking_record import Record
from ..experiments.functions import is_call, parse_call
from ..experiments.kernels import sentence_about
from ..experiments.loading import results_of
from ..experiments.membership import find_experiment, live_site_seen
from ..experiments.options import Mode, Options, mode_of
from ..experiments.seed_probe import Probed, find_live_site, is_doubtful
from ..experiments.site_reading import Reading, Start, in_place, read_sites
from ..experiments.store import Experiment, Store, metrics_as_values, open_store
from ..results import Reduce, Status
from ..sandbox.workdir import Workdir
from ..sandbox.worlds import Worlds, find_worlds, guarded, sweep_dead_worlds
from ..wording import is_at_command_line, option
from .attempt import Setup
from .away.folder import submissions_of
from .executors import Engine
from .executors.choosing import Where
from .forking import Forking, why_not_forked
from .interleaved import run_interleaved
from .keeping import AS_IS_SEED
from .processes.local import LocalProcesses
from .request import Notes, Outcome, Request
from .stopping import DecisionRule, MarginRule, Watch
from .supervisor import Supervisor

if TYPE_CHECKING:
    from .away.home import Away


def execute(request: Request, store_folder: str | None, tell: Callable[[Event], None]) -> Outcome:
    """Run what is missing of a request, and load the results.

    Raises
    ------
    UsageError, ScriptError, StoreError
        Raised before anything is run. The message says what to do.
    """
    understood = understand(request)
    with open_store(store_folder, create=True) as store, _nothing_left_if_refused(store, understood.name):
        sweep = prepare(store, understood, tell)
        sweep.look_first()
        with guarded(sweep.supervisor.setup.worlds.base):
            complete = sweep.supervisor.run(sweep.seeds)
        return sweep.outcome(complete)


@contextmanager
def _nothing_left_if_refused(store: Store, *names: str) -> Iterator[None]:
    """Forget the experiments of these names that were made, where a mistake ends the command before their first run."""
    before = _known(store, names)
    try:
        yield
    except (UsageError, ScriptError):
        _forget_without_runs(store, _known(store, names) - before)
        raise


def _known(store: Store, names: Iterable[str]) -> set[int]:
    return {experiment.id for name in names for experiment in store.experiments(name)}


def _forget_without_runs(store: Store, experiments: Iterable[int]) -> None:
    for experiment in experiments:
        store.drop_if_unused(experiment)


def execute_against(
    pair: tuple[Request, Request],
    store_folder: str | None,
    tell: Callable[[Event], None],
    *,
    until_decided: float | None = None,
) -> tuple[Outcome, Outcome]:
    """Run two commands under the same seeds, in turn, so that a drifting machine affects both in the same way.

    Parameters
    ----------
    until_decided
        Stop when, at this level, the t confidence sequence of the differences leaves 0 out.

    Raises
    ------
    UsageError
        Runs cannot have private files (the message says why); both commands are the same; or --as-is is set, which
        has only one process.
    """
    if pair[0].on is not None:
        raise UsageError(
            f"{option('--against')} alternates seed by seed on one machine: it does not go with {option('--on')}"
        )
    if pair[0].options.as_is:
        raise UsageError(
            f"{option('--against')} alternates seed by seed; with {option('--as-is')} the script has them all in one process"
        )
    understood = [understand(request) for request in pair]
    names = [one.name for one in understood]
    with open_store(store_folder, create=True) as store, _nothing_left_if_refused(store, *names):
        first, second = (prepare(store, one, tell) for one in understood)
        both = first.at_home, second.at_home
        if both[0].experiment.id == both[1].experiment.id:
            raise UsageError(f"{option('--against')} names the same command: there is nothing to compare")
        for one in both:
            if not one.setup.worlds.parallel:
                raise UsageError(
                    f"{option('--against')} needs private files for each run: {one.setup.worlds.reason or 'not here'}"
                )
        watches = (first.watched(), second.watched()) if until_decided is not None else None
        rule = None if watches is None or until_decided is None else DecisionRule(*watches, until_decided).look
        with guarded(both[0].setup.worlds.base):
            complete = run_interleaved(both, first.seeds, max(one.jobs for one in both), rule)
        for sweep, watch in zip((first, second), watches or (), strict=False):
            if watch.metric is not None:
                sweep.remember_looks(watch.metric.name)
        return first.outcome(complete), second.outcome(complete)


def script_for(request: Request, store_folder: str | None, tell: Callable[[Event], None]) -> str:
    """What Slurm would be given for a request: the script for sbatch, and how many jobs. Nothing is submitted.

    Raises
    ------
    UsageError, ScriptError, StoreError
        The request makes no sense. The message says what to do.
    """
    understood = understand(request)
    with open_store(store_folder, create=True) as store:
        before = _known(store, [understood.name])
        try:
            sweep = prepare(store, understood, tell)
            assert not isinstance(sweep.supervisor, Supervisor)
            return sweep.supervisor.described(sweep.seeds)
        finally:
            _forget_without_runs(store, _known(store, [understood.name]) - before)


@dataclass
class Sweep:
    """One experiment that is ready to be run."""

    supervisor: "Supervisor | Away"
    request: Request
    seeds: Sequence[int]
    note: Notes
    rule: MarginRule | None = None

    @property
    def at_home(self) -> Supervisor:
        """The supervisor of seeds that are run here."""
        assert isinstance(self.supervisor, Supervisor)
        return self.supervisor

    def look_first(self) -> None:
        """Check whether the runs from before are enough already."""
        if self.rule is not None:
            self.supervisor.satisfied = self.rule.look()

    def watched(self) -> Watch:
        """The scores as they come. It begins with those that exist already."""
        supervisor, request = self.at_home, self.request
        watch = Watch(self.seeds, request.metrics)
        watch.begin(results_of(supervisor.store, supervisor.experiment, request.metrics, request.reduce or Reduce.LAST))
        supervisor.watch(watch.add)
        return watch

    def remember_looks(self, metric: str) -> None:
        """Store that this metric decided the number of seeds. Its t interval is then no longer valid."""
        store, old = self.supervisor.store, self.supervisor.experiment
        options = dict(store.experiment(f"{old.name}@{old.version}").plan.get("options", {}))
        options["anytime"] = sorted({*options.get("anytime", []), metric})
        store.update_plan(old.id, options=options)

    def outcome(self, complete: bool) -> Outcome:
        """The results, after the supervisor has finished."""
        supervisor, store, note = self.supervisor, self.supervisor.store, self.note
        if supervisor.stopped:
            note(f"stopped: {supervisor.stopped}")
            complete = False
        elif supervisor.satisfied:
            note(supervisor.satisfied)
            store.forget_unbegun(supervisor.experiment.id)
        elif self.rule is not None and complete:
            note(
                f"the margin {self.rule.until.margin:g} is not reached after {len(self.seeds)} seeds{' (--max-seeds)' if is_at_command_line() else ''}"
            )
        if self.rule is not None and self.rule.watch.metric is not None:
            self.remember_looks(self.rule.watch.metric.name)
        changed = identity.changed_data(store.inputs(supervisor.experiment.id))
        if changed:
            note(
                f"data changed since the first run: {', '.join(changed[:5])}; start a new experiment with {option('--name')}"
            )
        experiment = store.experiment(f"{supervisor.experiment.name}@{supervisor.experiment.version}")
        request = self.request
        asked = None if supervisor.setup.mode is Mode.AS_IS else self.seeds
        results = results_of(
            store, experiment, request.metrics, request.reduce or Reduce.LAST, note.texts, asked, brief=request.brief
        )
        forking = supervisor.forking if isinstance(supervisor, Supervisor) else None
        record = None if forking is None else forking.record
        return Outcome(results, complete, supervisor.interrupted, record)


@dataclass(frozen=True)
class Understood:
    """A request that makes sense, with what its source says. Nothing has been made or run for it."""

    request: Request
    words: tuple[str, ...]
    """The words that start it."""
    shown: tuple[str, ...]
    """The words that are stored and shown."""
    name: str
    mode: Mode
    environment: dict[str, str]
    reading: Reading


def understand(request: Request) -> Understood:
    """Read a request, and the seed sites of its command.

    Raises
    ------
    UsageError, ScriptError
        Something is mistyped, does not exist, or does not go together.
    """
    request = replace(request, command=words_of(request.command))
    call = parse_call(request.command) if request.call is None and is_call(request.command) else request.call
    request, options = replace(request, call=call), request.options
    if call is not None and options.as_is:
        raise UsageError(
            f"{option('--as-is')} is for a script that loops over its seeds; a function is called under each seed"
        )
    words = check_command(request.command) if call is None else call.words
    shown = without_secrets(words) if call is None else call.label
    name = _name(request, words, shown)
    mode = mode_of(words, options)
    _check_together(request, mode)
    environment = run_environment(options.threads)
    reading = read_sites(words, environment, options, mode, _launcher_for_reading(words, options))
    return Understood(request, words, tuple(shown), name, mode, environment, reading)


def prepare(store: Store, understood: Understood, tell: Callable[[Event], None]) -> Sweep:
    """Do everything that comes before the first run: find or make the experiment, test the isolation."""
    note = Notes(tell)
    request, words, shown = understood.request, understood.words, understood.shown
    name, mode, environment, reading = understood.name, understood.mode, understood.environment, understood.reading
    call, options = request.call, request.options
    about_kernel = sentence_about(request.command) if call is None else ""
    if about_kernel:
        note(about_kernel)
    fixed = fixed_seed_on_command_line(words) if mode in (Mode.SUBSTITUTE, Mode.CONFIG) else None
    if fixed:
        note(f"the command fixes a seed ({fixed}): if that is the script's seed, write {{seed}} in its place")
    worlds = _worlds(store, words, mode, options, reading)
    if mode is Mode.SUBSTITUTE and options.number_at is None and not options.vary and is_doubtful(reading.placement):
        known = live_site_seen(store, name, shown, mode, options, reading, environment, call)
        _take_live_site(
            reading, known, lambda: find_live_site(words, environment, reading, worlds.throw_away), worlds, note
        )
    experiment = find_experiment(
        store, name, shown, mode, options, reading, environment, note, only=request.only, call=call
    )
    _check_where(store, experiment, request.on)
    request = replace(request, reduce=request.reduce or _own_reduction(experiment))
    experiment = _remember(store, experiment, request)
    _say_how(worlds, options, note, request.on is not None)
    if options.vary:
        _say_held(reading, request, note)
    setup = _setup(words, mode, reading, environment, worlds, request)
    if options.checkpoints is not None:
        setup.checkpoints = store.folder / "checkpoints" / f"{experiment.name}@{experiment.version}"
    seeds = _seeds(store, experiment, mode, request)
    rule = None
    if request.until is not None:
        rule = MarginRule(request.until, Watch(seeds, request.metrics), len(seeds), note)
        rule.watch.begin(results_of(store, experiment, request.metrics, request.reduce or Reduce.LAST))
    if request.on is not None:
        return Sweep(_away(store, experiment, setup, reading, request, tell, rule), request, seeds, note, rule)
    off = option("--fresh") if options.fresh else why_not_forked(setup, str(reading.python.get("version", "")))
    record = Record.from_dict(experiment.plan.get("forking", {})).here()
    if record.verdict is None and request.alike is not None:
        record = request.alike.of_another().here()
    forking = Forking(setup, off=off, record=record, tell=note)
    supervisor = Supervisor(
        store,
        experiment,
        setup,
        LocalProcesses(forking),
        forking,
        jobs=_jobs(options, worlds, 1 if mode is Mode.AS_IS else len(request.seeds)),
        packages=dict(reading.packages),
        tell=tell,
        retry_failed=request.retry_failed,
        enough=rule,
    )
    return Sweep(supervisor, request, seeds, note, rule)


def _away(
    store: Store,
    experiment: Experiment,
    setup: Setup,
    reading: Reading,
    request: Request,
    tell: Callable[[Event], None],
    rule: MarginRule | None,
) -> "Away":
    """What has the seeds run by an engine, and collects them."""
    from .away.home import Away, Wishes
    from .executors.choosing import make_executor

    on, options = request.on, request.options
    assert on is not None
    return Away(
        store,
        experiment,
        setup,
        make_executor(on, options.jobs, options.threads),
        reading,
        Wishes.of(on),
        tell=tell,
        retry_failed=request.retry_failed,
        enough=rule,
        ask=request.ask,
    )


def _check_where(store: Store, experiment: Experiment, on: Where | None) -> None:
    """Raises UsageError if seeds of this experiment are elsewhere than where this command would look for them."""
    for one in submissions_of(store, experiment):
        there = Engine(one.carried()["engine"])
        if there is not (on and on.engine) and not (on is None and one.is_collected(store.folder)):
            raise UsageError(
                f"seeds of {experiment.label} are queued or running on {there}: seedwise resume {experiment.label} collects them"
            )


def _check_together(request: Request, mode: Mode) -> None:
    """Refuse options that cannot be combined, before anything is started."""
    options = request.options
    if options.config_site is not None:
        edit_config(options.config_site, 0)  # raises an error if something is wrong with it
        if options.workdir is Workdir.SHARED:
            raise UsageError(
                f"{option('--seed-site')} of a configuration file needs private files: it cannot go with {option('--workdir shared')}"
            )
    if options.as_is and (options.retries or options.fail_fast):
        raise UsageError(
            f"{option('--retries')} and {option('--fail-fast')} would be ignored: with {option('--as-is')} the script runs once, with all its seeds"
        )
    if options.vary and request.call is None and mode is Mode.PLACEHOLDER:
        raise UsageError(
            f"{option('--vary')} holds the script's own seed, and the command gives it {PLACEHOLDER}: write the seed as the script takes it, --seed 1"
        )
    if options.as_is and options.checkpoints:
        raise UsageError(f"{option('--checkpoints')} would be ignored: with {option('--as-is')} the script runs once")
    if options.workdir is Workdir.SEQUENTIAL and options.jobs not in (None, 1):
        raise UsageError(
            f"{option(f'--jobs {options.jobs}')} would be ignored: with {option('--workdir sequential')} runs go one after another"
        )
    if request.until is not None and mode is Mode.AS_IS:
        raise UsageError(
            f"{option('--until-margin')} adds seeds one by one; with {option('--as-is')} the script has them all in one process"
        )


def _name(request: Request, words: Sequence[str], shown: Sequence[str]) -> str:
    if request.name is not None:
        return check_name(request.name)
    return default_name(words if request.call is None else [shown[0].rpartition(":")[0]])


def _launcher_for_reading(command: Sequence[str], options: Options) -> Start:
    """How the command is started to read its source.

    It is started in a world that is thrown away, unless it certainly does nothing else.

    Plain Python exits before the script begins. A shell script runs up to its first Python. A tool that prepares an
    environment (uv, poetry …) must reach the real environment.
    """
    if leaves_at_once(command) or options.workdir in (Workdir.SHARED, Workdir.SEQUENTIAL):
        return in_place
    worlds = find_worlds(options.workdir, None, options.share, command=command)
    return worlds.throw_away if worlds.parallel else in_place


def _worlds(store: Store, words: Sequence[str], mode: Mode, options: Options, reading: Reading) -> Worlds:
    """Find how runs are kept apart here."""
    worlds = find_worlds(
        options.workdir, reading.script, options.share, [str(store.folder)], words, options.isolate_network
    )
    worlds.nice = options.nice
    if options.checkpoints is not None and worlds.kind is Workdir.SEQUENTIAL:
        raise UsageError(f"{option('--checkpoints')} needs private files for each run, and here: {worlds.reason}")
    if mode is Mode.CONFIG and worlds.kind is Workdir.SEQUENTIAL:
        assert options.config_site is not None
        path, _ = edit_config(options.config_site, 0)
        if not inside(path, str(worlds.project)):
            raise UsageError(f"{path} is outside the project, where it cannot be put back after each run")
    sweep_dead_worlds(worlds.base)
    return worlds


def _take_live_site(
    reading: Reading, known: str, probe: Callable[[], Probed], worlds: Worlds, note: Callable[[str], None]
) -> None:
    """Take the number that reaches a generator first as *the* seed, where reading alone cannot tell which one that is."""
    placement = reading.placement
    site = next((site for site in placement.varied if site.key == known), None)
    probed = Probed(site)
    if site is None and worlds.kind in (Workdir.OVERLAY, Workdir.FARM):
        note("starting the script once, to see which of the seeds that are typed reaches a generator first")
        probed = probe()
    elif site is None:
        probed = Probed(None, "runs have no private files here, so the script was not started to find out")
    if probed.site is not None:
        placement.take(probed.site, seen=True)
    elif probed.elsewhere:
        note(
            f"{probed.reason}, so this seed is the same in every run" + (f"; {probed.remedy}" if probed.remedy else "")
        )
    elif placement.number is not None:
        note(
            f"several seeds are typed, and which one counts could not be seen ({probed.reason}): {placement.number} is varied; "
            f"{option('--seed-site FILE:LINE')} chooses another"
        )


def _own_reduction(experiment: Experiment) -> Reduce:
    """Which value of a series the experiment takes, if somebody asked for it to be remembered; else the last."""
    return Reduce(experiment.plan.get("options", {}).get("reduce", Reduce.LAST))


def _remember(store: Store, experiment: Experiment, request: Request) -> Experiment:
    """Store what was chosen: for `resume`, which goes on with this command; and for `show`, if it is to be remembered."""
    before = experiment.plan.get("options", {})
    reduce = request.reduce or Reduce.LAST
    if request.remember and request.metrics:
        store.set_metrics(experiment, request.metrics)
    store.update_plan(
        experiment.id,
        options={
            "reduce": reduce.value if request.remember else before.get("reduce", Reduce.LAST.value),
            "asked": {"metrics": metrics_as_values(request.metrics), "reduce": reduce.value},
            **request.options.kept(),
            "on": _where_kept(store, experiment, request.on),
            "until": None if request.until is None else request.until.as_dict(),
            "anytime": before.get("anytime", []),
        },
    )
    return store.experiment(f"{experiment.name}@{experiment.version}")


def _where_kept(store: Store, experiment: Experiment, on: Where | None) -> object:
    """Where `resume` goes on: where this command runs seeds; or where seeds are that another command has submitted."""
    if on is None and submissions_of(store, experiment):
        return experiment.plan.get("options", {}).get("on")
    return None if on is None else on.as_dict()


def _setup(
    words: tuple[str, ...],
    mode: Mode,
    reading: Reading,
    environment: dict[str, str],
    worlds: Worlds,
    request: Request,
) -> Setup:
    launch = reading.launch
    return Setup(
        words,
        mode,
        reading.placement,
        reading.script,
        environment,
        worlds,
        request.options,
        metrics=request.metrics,
        command_text=launch.get("target") if launch.get("kind") == "command" else None,
        entered=reading.entered,
        python=str(reading.python.get("executable", "")),
        launch_kind=str(launch.get("kind", "")),
        arguments=len(launch.get("arguments", ())),
        script_behind_launcher=not _runs_itself(reading),
        is_function=request.call is not None,
        reduce=request.reduce or Reduce.LAST,
    )


def _seeds(store: Store, experiment: Experiment, mode: Mode, request: Request) -> Sequence[int]:
    """The seeds that are run. They are stored as asked for."""
    if mode is Mode.AS_IS:
        done = any(run.status is Status.FINISHED for run in store.runs(experiment.id))
        return [] if done else [AS_IS_SEED]
    store.want(experiment.id, request.seeds)
    return request.seeds


def _runs_itself(reading: Reading) -> bool:
    """Whether the interpreter was asked to run the script itself, without a launcher."""
    target = str(reading.launch.get("target", ""))
    if target == CALL:
        return True
    return reading.script is not None and os.path.realpath(target) == os.path.realpath(reading.script)


def _say_how(worlds: Worlds, options: Options, note: Callable[[str], None], elsewhere: bool) -> None:
    """Tell the user what differs from a plain run."""
    plain = plain_threads()
    if options.threads is not None and options.threads != plain:
        note(
            f"{options.threads} thread{'s' if options.threads > 1 else ''} (your plain run: {plain}); {option('--threads') if is_at_command_line() else 'threads='} changes it"
        )
    if worlds.kind is Workdir.SEQUENTIAL and worlds.reason and not elsewhere:
        note(f"cannot isolate here ({worlds.reason}); running one after another")
    if worlds.kind is Workdir.SHARED:
        note(f"runs share your files ({option('--workdir shared')}): one may read what another wrote")


def _say_held(reading: Reading, request: Request, note: Callable[[str], None]) -> None:
    """Tell the user what varies, and where everything else starts."""
    *others, last = request.options.sources
    varied = (
        f"{', '.join(others)} and {last}" if others else last
    )  # in a design all of them vary, from one experiment to the next
    number = reading.placement.number
    held = "what is typed" if number is not None else "0, as no seed is typed"
    if request.call is not None:
        held = "the function's seed 0"
    note(f"{varied} {'varies' if len(request.options.sources) == 1 else 'vary'}; everything else starts from {held}")


def _jobs(options: Options, worlds: Worlds, n: int) -> int:
    """How many runs go on at the same time."""
    if worlds.kind is Workdir.SEQUENTIAL:
        return 1
    if options.jobs is not None:
        return options.jobs
    if options.gpus:
        return min(n, len(options.gpus))
    if worlds.kind is Workdir.SHARED or os.path.exists("/dev/nvidia0") or options.threads is None:
        return 1
    return max(1, min(n, available_cores() // options.threads))
