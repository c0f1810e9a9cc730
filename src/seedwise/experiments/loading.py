"""Reads results from the store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import place_of

from ..advice import Advice
from ..errors import UsageError
from ..metrics import choose as metrics
from ..results import Metric, Reduce, Results, Run, Status, check_seeds, reduce_named, several
from ..wording import either_goal, option
from ..words import seed_list
from .command import fixed_seed_on_command_line
from .draws import about_sources, sources_of
from .forking_record import Record
from .ledger_warnings import about_generators
from .options import Mode
from .score_warnings import about_scores
from .site_reading import placement_from_dict
from .site_warnings import about_remarks, about_split, shown_below
from .store import Experiment, Store, open_store
from .where_made import about_nodes


def load(
    name: str,
    *,
    metric: str | Sequence[str] = (),
    reduce: Reduce | str | None = None,
    metric_file: str | Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    store: str | None = None,
    brief: bool = False,
) -> Results:
    """The results of an experiment. `NAME` is the newest one of that name, `NAME@2` an older one.

    Parameters
    ----------
    name
        The experiment's name, `train`, or `train@1` for the first of that name.
    metric
        Metrics to choose, as on the command line: `acc`, `val_loss:min`, `err=final error ([0-9.]+)`. By default those
        that were remembered (`remember=True` of `run`), else those that are found.
    reduce
        Which value of a series counts: `last`, `best`, `mean` or `area`. By default the last, or what was remembered.
    metric_file
        Files that the runs wrote, from which metrics are read: `out/metrics.json`. By default as when it was run.
    seeds
        Only the runs under these seeds. By default all.
    store
        The store's folder. By default the one of this project.
    brief
        For a report: where there are very many series, read only their last values.

    Raises
    ------
    UsageError
        There is no such experiment, or it has none of a seed's runs. The message names the existing ones.
    StoreError
        There is no store, or it is damaged.
    """
    with open_store(store) as opened:
        experiment = opened.experiment(name)
        how = reduce_named(reduce or experiment.plan.get("options", {}).get("reduce", "last"))
        return results_of(
            opened,
            experiment,
            [metrics.parse_metric(m, how) for m in several(metric, "metric")],
            how,
            seeds=None if seeds is None else _seeds_there(opened, experiment, seeds),
            brief=brief,
            metric_files=several(metric_file, "metric_file"),
        )


def _seeds_there(store: Store, experiment: Experiment, seeds: Iterable[int]) -> list[int]:
    """The seeds that were asked for. Raises UsageError if the experiment lacks one of them."""
    wanted = check_seeds(seeds)
    there = {run.seed for run in store.runs(experiment.id, last_only=True)}
    lacking = [seed for seed in wanted if seed not in there]
    if lacking:
        raise UsageError(
            f"{experiment.label} has no seed {seed_list(lacking)}; it has seeds {seed_list(sorted(there)) or 'none'}"
        )
    return wanted


def results_of(
    store: Store,
    experiment: Experiment,
    asked: Sequence[Metric] = (),
    reduce: Reduce = Reduce.LAST,
    notes: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    brief: bool = False,
    metric_files: Sequence[str] = (),
) -> Results:
    """The runs of an experiment with their metrics.

    These are the ones asked for now, else those that were remembered, else those that are found.
    """
    asked = asked_of(experiment, asked, reduce)
    problems: list[str] = []
    runs = runs_of(store, experiment, asked, reduce, seeds, brief, metric_files, problems)
    there = len(runs) if seeds is None else sum(store.counts().get(experiment.id, {}).values())
    return results_from(store, experiment, runs, asked, reduce, notes, there, problems)


def asked_of(experiment: Experiment, asked: Sequence[Metric], reduce: Reduce) -> list[Metric]:
    """The metrics asked for now, else those that were remembered."""
    return [replace(metric, reduce=reduce) for metric in asked or experiment.metrics]


def results_from(
    store: Store,
    experiment: Experiment,
    runs: Sequence[Run],
    asked: Sequence[Metric],
    reduce: Reduce,
    notes: Sequence[str] = (),
    there: int = 0,
    problems: Sequence[str] = (),
) -> Results:
    """Results of runs that were read already, with their metrics, sites and warnings."""
    choice = metrics.choose(runs, asked, reduce)
    aimless = [m for m in choice.metrics if m.reduce is Reduce.BEST and m.goal is None]
    chosen = tuple(m for m in choice.metrics if m not in aimless)
    left_out = {
        **choice.left_out,
        **{m.name: f"its best value needs a goal: {either_goal(m.name)}" for m in aimless},
    }
    sites = tuple(_sites(experiment))
    results = Results(
        experiment.label,
        experiment.key,
        experiment.command,
        tuple(runs),
        chosen,
        left_out,
        sites,
        notes=tuple(notes),
        forking=_forking(experiment, runs),
        anytime=tuple(experiment.plan.get("options", {}).get("anytime", ())),
        question=choice.question,
        draws=sources_of(runs, [*varied["sources"], *varied["at"]])
        if (varied := experiment.manifest.get("vary"))
        else (),
        there=there if there > len(runs) else None,
    )
    return replace(results, warnings=(*_shortened(problems), *_warnings(store, results, experiment)))


def runs_of(
    store: Store,
    experiment: Experiment,
    asked: Sequence[Metric] = (),
    reduce: Reduce = Reduce.LAST,
    seeds: Sequence[int] | None = None,
    brief: bool = False,
    metric_files: Sequence[str] = (),
    problems: list[str] | None = None,
) -> list[Run]:
    """The runs of an experiment, with what patterns and files that were asked for give. `problems` takes what cannot be read."""
    last_only = brief and reduce is Reduce.LAST and store.is_large(experiment.id)
    runs = store.runs(experiment.id, last_only=last_only)
    if seeds is not None:
        wanted = set(seeds)
        runs = [run for run in runs if run.seed in wanted]
    metric_files = metric_files or tuple(experiment.plan.get("options", {}).get("metric_files", ()))
    problems = [] if problems is None else problems
    return [read_again(run, asked, metric_files, problems) for run in runs]


def read_again(run: Run, asked: Sequence[Metric], metric_files: Sequence[str], problems: list[str]) -> Run:
    """A run with what patterns and files that were asked for give; `problems` takes what cannot be read."""
    return with_patterns(_with_files(run, metric_files, problems), asked)


def _forking(experiment: Experiment, runs: Sequence[Run]) -> str:
    """How many of the finished runs were forked, and how they were compared; or how seeds were trained together."""
    if "batched" in experiment.plan:
        return str(experiment.plan["batched"])
    finished = [run for run in runs if run.status is Status.FINISHED]
    record = Record.from_dict(experiment.plan.get("forking", {}))
    return record.sentence(len(finished), sum(run.forked for run in finished))


def with_patterns(run: Run, asked: Sequence[Metric]) -> Run:
    """A run with what the user's regular expressions find in its output. Its other series stay."""
    missing = [m for m in asked if m.pattern]
    if not missing or run.folder is None or run.status is not Status.FINISHED:
        return run
    from ..metrics import stdout

    found: dict[str, list[float]] = {}
    for metric in missing:
        assert metric.pattern is not None
        for name in ("stdout", "stderr"):
            path = Path(run.folder, name)
            if path.exists() and not found.get(metric.name):
                text = path.read_text(encoding="utf-8", errors="replace")
                found[metric.name] = stdout.by_pattern(stdout.lines_of(text), metric.pattern)
    return replace(run, series={**run.series, **metrics.series_of(found)})


def _with_files(run: Run, patterns: Sequence[str], problems: list[str]) -> Run:
    """A run with the metrics of the files that it wrote, and no others: what it printed is another source."""
    if not patterns or run.folder is None or run.status is not Status.FINISHED:
        return run
    from ..metrics import files

    found = files.read_matching(Path(run.folder, "files"), patterns)
    problems.extend(f"seed {run.seed}: {problem}" for problem in found.problems)
    return replace(run, series=found.series)


def _shortened(problems: Sequence[str]) -> list[Advice]:
    """What could not be read of files, in one line."""
    if not problems:
        return []
    more = f", and {len(problems) - 5} more" if len(problems) > 5 else ""
    what = f"{option('--metric-file')}: {'; '.join(problems[:5])}{more}"
    return [Advice(what, "name a file that every run writes")]


def _sites(experiment: Experiment) -> list[Mapping[str, Any]]:
    """What each seed site received, in words. Seed 1 serves as the example."""
    plan = placement_from_dict(experiment.plan)
    folder = str(experiment.manifest.get("folder", ""))
    sites: list[Mapping[str, Any]] = []
    late = list(experiment.plan.get("late_sites", []))
    for site in plan.own:
        example = plan.value(site, 1)
        received = "as typed" if example is None else "s" if example == 1 else "its own number, from s"
        sites.append(_site(site.path, site.line, site.old, site.where, site.source, received, folder))
    for use in plan.kept_uses:
        sites.append(_site(use.path, use.line, use.old, "the split", "split", f"{use.numbers[0]}, as typed", folder))
    if experiment.manifest["mode"] == Mode.CONFIG:
        place = str(experiment.manifest["seed site"])
        sites.append(
            {"location": place, "typed": "", "where": "configuration file", "source": "other", "receives": "s"}
        )
    for data in late:
        received = "s" if data["number"] == plan.number or plan.number is None else "its own number, from s"
        sites.append(_site(data["path"], data["line"], data["old"], data["where"], data["source"], received, folder))
    return sites


def _site(path: str, line: int, typed: str, where: str, source: str, received: str, folder: str) -> dict[str, Any]:
    return {
        "location": place_of(shown_below(path, folder), line),
        "typed": typed,
        "where": where,
        "source": source,
        "receives": received,
    }


def _warnings(store: Store, results: Results, experiment: Experiment) -> list[Advice]:
    """Warnings that a careful colleague would give."""
    plan, mode = placement_from_dict(experiment.plan), Mode(experiment.manifest["mode"])
    folder, varied = str(experiment.manifest.get("folder", "")), experiment.manifest.get("vary")
    inputs = store.inputs(experiment.id)
    found = about_nodes(results.runs)
    found += about_remarks(plan, mode, results.runs, folder)
    found += about_split(plan, mode, results.sites, folder, bool(varied))
    if varied:
        corrected = [text.rpartition("=")[0] for text in varied["corrections"]]
        found += about_sources(results.runs, [*varied["sources"], *varied["at"]], corrected, results.sites)
    elif mode is Mode.SUBSTITUTE:
        found += about_generators(results.runs, plan)
    fixed = fixed_seed_on_command_line(experiment.command) if mode in (Mode.SUBSTITUTE, Mode.CONFIG) else None
    configs = (
        [name for kind, name in inputs if kind == "config"] if mode is Mode.SUBSTITUTE else []
    )  # else it has its place
    code = [*experiment.manifest.get("code", {}), *(name for kind, name in inputs if kind == "code")]
    return [*found, *about_scores(results, mode, configs, fixed, folder, code)]
