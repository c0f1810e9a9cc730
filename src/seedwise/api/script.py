"""Running an unmodified script under many seeds."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..events import Event, Note
from ..experiments import identity
from ..experiments.command import (
    Mode,
    Options,
    Workdir,
    available_cores,
    check_command,
    check_name,
    default_name,
    fixed_seed_on_command_line,
    leaves_at_once,
    mode_of,
    plain_threads,
    run_environment,
    without_secrets,
)
from ..experiments.config_site import edit_config
from ..experiments.functions import CALL, Call, is_call, parse_call
from ..experiments.loading import open_store, results_of
from ..experiments.site_reading import Reading, Start, in_place, plan_to_dict, read_sites
from ..experiments.store import Experiment, Store
from ..metrics.choose import parse_metric
from ..results import Metric, Reduce, Results, Status, check_seeds
from ..runs.attempt import Setup
from ..runs.executors.local import LocalExecutor
from ..runs.forking import Forking, Record, why_not_forked
from ..runs.interleaved import run_interleaved
from ..runs.supervisor import AS_IS_SEED, Supervisor
from ..sandbox.worlds import Worlds, find_worlds, guarded, inside, sweep_dead_worlds
from .stopping import DecisionRule, MarginRule, Rule, Until, Watch


def silent(_event: Event) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Outcome:
    """Results, whether all was done that could be, and whether somebody interrupted it."""

    results: Results
    complete: bool
    interrupted: bool = False


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
    options = make_options(
        keep=keep,
        seed_site=seed_site,
        threads=threads,
        jobs=jobs,
        workdir=workdir,
        share=share,
        accept_change=accept_change,
        timeout=timeout,
        retries=retries,
        fail_fast=fail_fast,
        gpus=gpus,
        nice=nice,
        fresh=fresh,
        isolate_network=isolate_network,
    )
    asked = [parse_metric(text, Reduce(reduce)) for text in metric]
    until = make_until(until_margin, until_rule, bounds)
    return execute(command, check_seeds(seeds), options, name, asked, Reduce(reduce), store, tell, until=until).results


def make_until(
    margin: float | None, rule: str = "sequence", bounds: tuple[float, float] | None = None, level: float = 0.95
) -> Until | None:
    """Check what a user chose about stopping. Raises UsageError."""
    try:
        kind = Rule(rule)
    except ValueError:
        raise UsageError(f"the rule is one of {', '.join(Rule)}; got {rule!r}") from None
    if margin is None:
        if kind is not Rule.SEQUENCE or bounds is not None:
            raise UsageError("--until-rule and --bounds go with --until-margin")
        return None
    return Until(margin, kind, bounds, level)


def make_options(
    *,
    as_is: bool = False,
    keep: Sequence[str] = (),
    seed_site: str | None = None,
    threads: int | None = 1,
    jobs: int | None = None,
    workdir: Workdir | str = Workdir.AUTO,
    share: Sequence[str] = (),
    accept_change: bool = False,
    timeout: float | None = None,
    retries: int = 0,
    fail_fast: bool = False,
    gpus: Sequence[str | int] = (),
    nice: int = 0,
    fresh: bool = False,
    isolate_network: bool = False,
) -> Options:
    """Check what a user chose. Raises UsageError."""
    for what, number in (("threads", threads), ("jobs", jobs)):
        if number is not None and number < 1:
            raise UsageError(f"--{what} is at least 1; got {number}")
    if timeout is not None and not timeout > 0:
        raise UsageError(f"--timeout is a number of seconds above 0; got {timeout}")
    if retries < 0:
        raise UsageError(f"--retries is 0 or more; got {retries}")
    if not 0 <= nice <= 19:
        raise UsageError(f"--nice is 0 to 19; got {nice}")
    try:
        kind = Workdir(workdir)
    except ValueError:
        raise UsageError(f"--workdir is one of {', '.join(Workdir)}; got {workdir!r}") from None
    in_source = seed_site is not None and seed_site.rpartition(":")[2].isdigit()
    if seed_site is not None and ":" not in seed_site:
        raise UsageError(f"--seed-site takes FILE.py:LINE or CONFIG:KEY; got {seed_site!r}")
    return Options(
        as_is=as_is,
        keep=tuple(keep),
        number_at=seed_site if in_source else None,
        config_site=None if in_source else seed_site,
        threads=threads,
        jobs=jobs,
        workdir=kind,
        share=tuple(share),
        accept_change=accept_change,
        timeout=timeout,
        retries=retries,
        fail_fast=fail_fast,
        gpus=_check_gpus(gpus),
        nice=nice,
        fresh=fresh,
        isolate_network=isolate_network,
    )


def _check_gpus(gpus: Sequence[str | int]) -> tuple[str, ...]:
    cards = tuple(str(card).strip() for card in gpus)
    if len(set(cards)) < len(cards) or not all(c and all(x.isalnum() or x in "-/:" for x in c) for c in cards):
        raise UsageError(f"--gpus takes numbers of cards, each once, such as 0,1; got {','.join(cards)}")
    return cards


@dataclass
class Sweep:
    """One experiment that is ready to be run."""

    supervisor: Supervisor
    seeds: Sequence[int]
    asked: Sequence[Metric]
    reduce: Reduce
    notes: list[str]
    tell: Callable[[Event], None]
    brief: bool = False
    """The results are for a report, which reads last values only where there are very many."""
    rule: MarginRule | None = None

    def look_first(self) -> None:
        """What was run before may be enough already."""
        if self.rule is not None:
            self.supervisor.satisfied = self.rule.look()

    def note(self, text: str) -> None:
        """Say it now, and keep it with the results."""
        self.notes.append(text)
        self.tell(Note(text))

    def remember_looks(self, metric: str) -> None:
        """The number of seeds was chosen by looking at this metric: its t interval does not hold any more."""
        store, old = self.supervisor.store, self.supervisor.experiment
        options = dict(store.experiment(f"{old.name}@{old.version}").plan.get("options", {}))
        options["anytime"] = sorted({*options.get("anytime", []), metric})
        store.update_plan(old.id, options=options)

    def outcome(self, complete: bool) -> Outcome:
        """The results, after the supervisor has done what it could."""
        supervisor, store = self.supervisor, self.supervisor.store
        if supervisor.stopped:
            self.note(f"stopped: {supervisor.stopped}")
            complete = False
        elif supervisor.satisfied:
            self.note(supervisor.satisfied)
            store.forget_unbegun(supervisor.experiment.id)
        elif self.rule is not None and complete:
            self.note(
                f"the margin {self.rule.until.margin:g} is not reached after {len(self.seeds)} seeds (--max-seeds)"
            )
        if self.rule is not None and self.rule.watch.metric is not None:
            self.remember_looks(self.rule.watch.metric.name)
        changed = identity.changed_data(store.inputs(supervisor.experiment.id))
        if changed:
            self.note(f"data changed since the first run: {', '.join(changed[:5])}; start a new experiment with --name")
        experiment = store.experiment(f"{supervisor.experiment.name}@{supervisor.experiment.version}")
        return Outcome(
            results_of(store, experiment, self.asked, self.reduce, self.notes, brief=self.brief),
            complete,
            supervisor.interrupted,
        )


def execute(
    command: Sequence[str],
    seeds: Sequence[int],
    options: Options,
    name: str | None,
    asked: Sequence[Metric],
    reduce: Reduce,
    store_folder: str | None,
    tell: Callable[[Event], None],
    *,
    retry_failed: bool = False,
    only: Experiment | None = None,
    call: Call | None = None,
    brief: bool = False,
    until: Until | None = None,
) -> Outcome:
    """Read the sites, find or make the experiment, run what is missing, and load the results.

    Parameters
    ----------
    retry_failed
        Run failed seeds again.
    only
        The experiment that it must be; another one is refused.
    call
        The function that is to be called; `command` is then only shown.
    brief
        The results are for a report: of very many series, last values only.
    until
        Stop before all seeds are run, when the mean is known well enough.
    """
    with open_store(store_folder, create=True) as store:
        sweep = prepare(
            store, command, seeds, options, name, asked, reduce, tell, retry_failed=retry_failed, only=only, call=call,
            until=until,
        )  # fmt: skip
        sweep.brief = brief
        sweep.look_first()
        with guarded(sweep.supervisor.setup.worlds.base):
            complete = sweep.supervisor.run(sweep.seeds)
        return sweep.outcome(complete)


def execute_against(
    command: Sequence[str],
    against: Sequence[str],
    seeds: Sequence[int],
    options: Options,
    name: str | None,
    asked: Sequence[Metric],
    reduce: Reduce,
    store_folder: str | None,
    tell: Callable[[Event], None],
    *,
    until_decided: float | None = None,
    only: tuple[Experiment | None, Experiment | None] = (None, None),
) -> tuple[Outcome, Outcome]:
    """Run two commands under the same seeds, alternating, so that a drifting machine hits both alike.

    Parameters
    ----------
    until_decided
        Stop when, at this level, the t confidence sequence of the differences leaves 0 out.
    only
        The experiments that they must be.

    Raises
    ------
    UsageError
        Where runs cannot have private files, with the reason; with --as-is, which has one process only.
    """
    if options.as_is:
        raise UsageError("--against alternates seed by seed; with --as-is the script has them all in one process")
    with open_store(store_folder, create=True) as store:
        other = None if only[1] is None else only[1].name
        first = prepare(store, command, seeds, options, name, asked, reduce, tell, only=only[0])
        second = prepare(store, against, seeds, options, other, asked, reduce, tell, only=only[1])
        pair = first.supervisor, second.supervisor
        if pair[0].experiment.id == pair[1].experiment.id:
            raise UsageError("--against names the same command: there is nothing to compare")
        for one in pair:
            if not one.setup.worlds.parallel:
                raise UsageError(f"--against needs private files for each run: {one.setup.worlds.reason or 'not here'}")
        rule = None
        if until_decided is not None:
            watches = [Watch(first.seeds, asked), Watch(first.seeds, asked)]
            for one, watch in zip(pair, watches, strict=True):
                watch.begin(results_of(store, one.experiment, asked, reduce))
                one.watch(watch.add)
            rule = DecisionRule(watches[0], watches[1], until_decided).look
        with guarded(pair[0].setup.worlds.base):
            complete = run_interleaved(pair, first.seeds, max(one.jobs for one in pair), rule)
        if rule is not None:
            for sweep, watch in zip((first, second), watches, strict=True):
                if watch.metric is not None:
                    sweep.remember_looks(watch.metric.name)
        return first.outcome(complete), second.outcome(complete)


def prepare(
    store: Store,
    command: Sequence[str],
    seeds: Sequence[int],
    options: Options,
    name: str | None,
    asked: Sequence[Metric],
    reduce: Reduce,
    tell: Callable[[Event], None],
    *,
    retry_failed: bool = False,
    only: Experiment | None = None,
    call: Call | None = None,
    until: Until | None = None,
) -> Sweep:
    """All that is done before the first run: read the sites, find or make the experiment, probe the isolation."""
    if call is None and is_call(command):
        call = parse_call(command)
    if call is not None and options.as_is:
        raise UsageError("--as-is is for a script that loops over its seeds; a function is called under each seed")
    words = check_command(command) if call is None else call.words
    mode = mode_of(words, options)
    shown = without_secrets(words) if call is None else call.label
    name = (
        check_name(name) if name is not None else default_name(words if call is None else [shown[0].rpartition(":")[0]])
    )
    environment = run_environment(options.threads)
    if mode is Mode.CONFIG:
        assert options.config_site is not None
        path, _ = edit_config(options.config_site, 0)
        if options.workdir is Workdir.SHARED:
            raise UsageError(
                "--seed-site of a configuration file needs private files: it cannot go with --workdir shared"
            )
    if mode is Mode.AS_IS:
        seeds = [AS_IS_SEED]
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        tell(Note(text))

    reading = read_sites(words, environment, options, mode, _planning_launcher(words, options))
    if mode in (Mode.SUBSTITUTE, Mode.CONFIG):
        fixed = fixed_seed_on_command_line(words)
        if fixed:
            note(f"the command fixes a seed ({fixed}): if that is the script's seed, write {{seed}} in its place")
    worlds = find_worlds(
        options.workdir, reading.script, options.share, [str(store.folder)], words, options.isolate_network
    )
    if mode is Mode.CONFIG and worlds.kind is Workdir.SEQUENTIAL and not inside(path, str(worlds.project)):
        raise UsageError(f"{path} is outside the project, where it cannot be put back after each run")
    experiment = find_experiment(store, name, shown, mode, options, reading, environment, note, only, call)
    if asked:
        store.set_metrics(experiment, asked)
    options_said = {
        "reduce": reduce.value,
        "share": list(options.share),
        "workdir": options.workdir.value,
        "timeout": options.timeout,
        "retries": options.retries,
        "fail_fast": options.fail_fast,
        "gpus": list(options.gpus),
        "nice": options.nice,
        "fresh": options.fresh,
        "isolate_network": options.isolate_network,
        "until": None if until is None else until.as_dict(),
        "anytime": experiment.plan.get("options", {}).get("anytime", []),
    }
    store.update_plan(experiment.id, options=options_said)
    experiment = store.experiment(f"{experiment.name}@{experiment.version}")
    worlds.nice = options.nice
    sweep_dead_worlds(worlds.base)
    _say_how(worlds, options, note)
    jobs = _jobs(options, worlds, len(seeds))
    setup = Setup(
        words, mode, reading.plan, reading.script, environment, worlds, asked, options.config_site,
        reading.launch.get("target") if reading.launch.get("kind") == "command" else None,
        entered=reading.entered,
        python=str(reading.python.get("executable", "")),
        launch_kind=str(reading.launch.get("kind", "")),
        arguments=len(reading.launch.get("arguments", ())),
        script_behind_launcher=not _runs_itself(reading),
        is_function=call is not None,
    )  # fmt: skip
    if mode is Mode.AS_IS and any(run.status is Status.FINISHED for run in store.runs(experiment.id)):
        seeds = []
    if mode is not Mode.AS_IS:
        store.want(experiment.id, seeds)
    off = "--fresh" if options.fresh else why_not_forked(setup, str(reading.python.get("version", "")))
    record = Record.from_dict(experiment.plan.get("forking", {})).here()
    forking = Forking(setup, off=off, record=record, tell=note)
    rule = None
    if until is not None:
        if mode is Mode.AS_IS:
            raise UsageError(
                "--until-margin adds seeds one by one; with --as-is the script has them all in one process"
            )
        rule = MarginRule(until, Watch(seeds, asked), len(seeds), note)
        rule.watch.begin(results_of(store, experiment, asked, reduce))
    supervisor = Supervisor(
        store, experiment, setup, LocalExecutor(forking), jobs=jobs, threads=options.threads,
        packages=dict(reading.packages), tell=tell, retry_failed=retry_failed, forking=forking,
        timeout=options.timeout, retries=options.retries, fail_fast=options.fail_fast,
        gpus=options.gpus, enough=rule,
    )  # fmt: skip
    return Sweep(supervisor, seeds, asked, reduce, notes, tell, rule=rule)


def find_experiment(
    store: Store,
    name: str,
    command: Sequence[str],
    mode: Mode,
    options: Options,
    reading: Reading,
    environment: dict[str, str],
    note: Callable[[str], None],
    only: Experiment | None = None,
    call: Call | None = None,
) -> Experiment:
    """The experiment to which these runs belong; a new one where command, code or packages are not those of an old one."""
    manifest = identity.make_manifest(command, mode, options, reading, environment)
    if call is not None:
        manifest["function"] = dict(call.fingerprint)
    key = identity.key_of(manifest)
    plan = plan_to_dict(reading.plan)
    alike = [e for e in store.experiments(name) if identity.same_intent(e.manifest, manifest)]
    latest: tuple[Experiment, list[str]] | None = None
    if only is not None:
        alike = [e for e in alike if e.id == only.id]
    for experiment in reversed(alike):
        changed = identity.changes(experiment.manifest, manifest, store.inputs(experiment.id), reading.packages)
        if not changed:
            return experiment
        latest = latest or (experiment, changed)
    if latest is not None:
        experiment, changed = latest
        what = ", ".join(changed[:6]) + (" …" if len(changed) > 6 else "")
        if options.accept_change:
            note(f"accepted: {what} changed since {experiment.label} began; its seeds stay one experiment")
            fresh = {k: v for k, v in _rehash(store, experiment, reading).items() if v}
            store.set_inputs(experiment.id, fresh, replace=True)
            store.set_manifest(experiment, key, manifest, {**experiment.plan, **plan, "forking": {}})
            return store.experiment(f"{experiment.name}@{experiment.version}")
        if only is not None:
            raise UsageError(
                f"{what} changed since {only.label}: to resume would mix two experiments; run the command again"
            )
        new = store.add_experiment(name, key, command, manifest, plan)
        note(
            f"{what} changed since {experiment.label}: this is {new.label} (--accept-change would have gone on with the old)"
        )
        return new
    others = store.experiments(name)
    new = store.add_experiment(name, key, command, manifest, plan)
    if others and new.id not in {e.id for e in others}:
        old = others[-1]
        parts = [part for part in identity.INTENT if old.manifest.get(part) != manifest.get(part)]
        note(f"another {', '.join(parts) or 'setup'} than {old.name}@{old.version} has: this is {new.label}")
    return new


def _rehash(store: Store, experiment: Experiment, reading: Reading) -> dict[tuple[str, str], str]:
    fresh = {}
    for kind, name in store.inputs(experiment.id):
        if kind in ("code", "config"):
            fresh[kind, name] = identity.digest(name)
        elif kind == "package":
            fresh[kind, name] = reading.packages.get(name, "")
        else:
            fresh[kind, name] = identity.stamp(name)
    return fresh


def _planning_launcher(command: Sequence[str], options: Options) -> Start:
    """How the command is started to read its source: in a world to be thrown away, unless it is sure to do nothing else.

    Python itself leaves before the script begins; a shell script would run up to its first Python. What prepares an
    environment (uv, poetry …) must reach the real one.
    """
    if leaves_at_once(command) or options.workdir in (Workdir.SHARED, Workdir.SEQUENTIAL):
        return in_place
    worlds = find_worlds(options.workdir, None, options.share, command=command)
    return worlds.throw_away if worlds.parallel else in_place


def _runs_itself(reading: Reading) -> bool:
    """Whether the script is what the interpreter was asked to run, with no launcher before it."""
    target = str(reading.launch.get("target", ""))
    if target == str(CALL):
        return True
    return reading.script is not None and os.path.realpath(target) == os.path.realpath(reading.script)


def _say_how(worlds: Worlds, options: Options, note: Callable[[str], None]) -> None:
    """Name what differs from a plain run."""
    plain = plain_threads()
    if options.threads is not None and options.threads != plain:
        note(
            f"{options.threads} thread{'s' if options.threads > 1 else ''} (your plain run: {plain}); --threads changes it"
        )
    if worlds.kind is Workdir.SEQUENTIAL and worlds.reason:
        note(f"cannot isolate here ({worlds.reason}); running one after another")
    if worlds.kind is Workdir.SHARED:
        note("runs share your files (--workdir shared): one may read what another wrote")


def _jobs(options: Options, worlds: Worlds, n: int) -> int:
    if worlds.kind is Workdir.SEQUENTIAL:
        return 1
    if options.jobs is not None:
        return options.jobs
    if options.gpus:
        return min(n, len(options.gpus))
    if worlds.kind is Workdir.SHARED or os.path.exists("/dev/nvidia0") or options.threads is None:
        return 1
    return max(1, min(n, available_cores() // options.threads))
