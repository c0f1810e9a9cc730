"""Reads results from the store."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..metrics import choose as metrics
from ..results import Metric, Reduce, Results, Run, Status, check_seeds, reduce_named, several
from ..wording import is_at_command_line, option
from ..words import seed_list
from .command import fixed_seed_on_command_line
from .config_site import find_seeds
from .draws import about_sources, sources_of
from .forking_record import Record
from .ledger_warnings import about_generators
from .options import Mode
from .site_reading import placement_from_dict
from .store import Experiment, Store, open_store


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
            [metrics.parse_metric(m, how) for m in several(metric)],
            how,
            seeds=None if seeds is None else _seeds_there(opened, experiment, seeds),
            brief=brief,
            metric_files=several(metric_file),
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
    asked = [replace(metric, reduce=reduce) for metric in asked or experiment.metrics]
    problems: list[str] = []
    runs = runs_of(store, experiment, asked, reduce, seeds, brief, metric_files, problems)
    there = len(runs) if seeds is None else sum(store.counts().get(experiment.id, {}).values())
    choice = metrics.choose(runs, asked, reduce)
    aimless = [m for m in choice.metrics if m.reduce is Reduce.BEST and m.goal is None]
    chosen = tuple(m for m in choice.metrics if m not in aimless)
    left_out = {
        **choice.left_out,
        **{m.name: f"its best value needs a goal: {option(f'--metric {m.name}:min')} or :max" for m in aimless},
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
    read = [name for kind, name in store.inputs(experiment.id) if kind == "config"]
    elsewhere = read if Mode(experiment.manifest["mode"]) is Mode.SUBSTITUTE else []  # else the seed has its place
    return replace(results, warnings=(*_shortened(problems), *_warnings(results, experiment, elsewhere)))


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
    return [_with_patterns(_with_files(run, metric_files, problems), asked) for run in runs]


def _forking(experiment: Experiment, runs: Sequence[Run]) -> str:
    """How many of the finished runs were forked, and how they were compared; or how seeds were trained together."""
    if "batched" in experiment.plan:
        return str(experiment.plan["batched"])
    finished = [run for run in runs if run.status is Status.FINISHED]
    record = Record.from_dict(experiment.plan.get("forking", {}))
    return record.sentence(len(finished), sum(run.forked for run in finished))


def _with_patterns(run: Run, asked: Sequence[Metric]) -> Run:
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


def _shortened(problems: Sequence[str]) -> list[str]:
    """What could not be read of files, in one line."""
    if not problems:
        return []
    more = f", and {len(problems) - 5} more" if len(problems) > 5 else ""
    return [f"{option('--metric-file')}: {'; '.join(problems[:5])}{more}"]


def _offered(runs: Sequence[Run]) -> str:
    """Where a metric stands that was not printed, with the option that reads it."""
    from ..metrics import files

    for run in runs[:1]:
        found = files.offers(Path(run.folder, "files")) if run.folder else []
        if found:
            return "; ".join(
                f"{name} is in {path}: {option(f'--metric-file {shlex.quote(path) if is_at_command_line() else path}')}"
                for path, name in found[:3]
            )
    return ""


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
    shown = path[len(folder) + 1 :] if folder and path.startswith(folder + "/") else path
    return {
        "location": f"{shown}:{line}",
        "typed": typed,
        "where": where,
        "source": source,
        "receives": received,
    }


def _warnings(results: Results, experiment: Experiment, configs: Sequence[str]) -> list[str]:
    """Warnings that a careful colleague would give. Each names the next step."""
    found: list[str] = []
    plan = placement_from_dict(experiment.plan)
    mode = Mode(experiment.manifest["mode"])
    by_kind: dict[str, list[str]] = {}
    folder = str(experiment.manifest.get("folder", ""))
    for remark in plan.remarks:
        shown = remark.path[len(folder) + 1 :] if folder and remark.path.startswith(folder + "/") else remark.path
        by_kind.setdefault(remark.kind, []).append(f"{shown}:{remark.line} {remark.text}")
    if mode is Mode.SUBSTITUTE:
        for text in by_kind.get("list", []):
            found.append(
                f"{text}; it is left as typed. Run the script once with {option('--as-is')}: each printed seed becomes a run"
            )
        if not plan.own and "environment" not in by_kind:
            for text in by_kind.get("elsewhere", []):
                found.append(
                    f"{text}: pass it as {{seed}}, read SEEDWISE_SEED, or name {option('--seed-site FILE:KEY')}"
                )
        found.extend(f"{text}; nothing was replaced there" for text in by_kind.get("as text", []))
        for text in by_kind.get("random", []):
            found.append(f"{text}: governed by the generator it is drawn from")
        texts = by_kind.get("text", [])
        if texts:
            more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
            found.append(f"{texts[0]}{more}: names and logs do not follow the seed; do not read the seed from them")
    if any(run.seed == 0 for run in results.runs):
        found.extend(f"{text}: seed 0 may mean no seed there; use seeds from 1" for text in by_kind.get("zero", []))
    varied_split = [s["location"] for s in results.sites if s["source"] == "split" and s["receives"] != "as typed"]
    uses = [f"{_site(u.path, u.line, '', '', '', '', folder)['location']}" for u in plan.split_uses]
    varied = experiment.manifest.get("vary")
    if mode is Mode.SUBSTITUTE and not varied and (varied_split or uses) and "split" not in plan.kept:
        where = ", ".join(dict.fromkeys([*varied_split, *uses]))
        found.append(
            f"also varied: split ({where}), so the spread holds other data too; {option('--keep split')} leaves it as typed"
        )
    if varied:
        corrected = [text.rpartition("=")[0] for text in varied["corrections"]]
        found.extend(about_sources(results.runs, [*varied["sources"], *varied["at"]], corrected))
    elif mode is Mode.SUBSTITUTE:
        found.extend(about_generators(results.runs, plan))
    fixed = fixed_seed_on_command_line(experiment.command) if mode in (Mode.SUBSTITUTE, Mode.CONFIG) else None
    found.extend(_about_scores(results, mode, configs, fixed))
    return found


def _about_scores(results: Results, mode: Mode, configs: Sequence[str], fixed: str | None) -> list[str]:
    found: list[str] = []
    finished = results.finished
    if not results.metrics and finished:
        offered = _offered(finished)
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(results.left_out.items())[:5])
        found.append(
            f"no metric in {len(finished)} finished runs{f' ({reasons})' if reasons else ''}: print `name = number`, call "
            f"seedwise.log(name=number), or say {option('--metric NAME=REGEX')}; the output is kept, so `seedwise show` can read it again"
            if not offered
            else f"no metric was printed in {len(finished)} finished runs; {offered} (with `run` or `show`)"
        )
    for name, reason in results.left_out.items():
        if "do not have it" in reason:
            found.append(f"{name} is left out: {reason}; print it in every run")
    several = 0
    for metric in results.metrics:
        values = [run.series[metric.name].values for run in finished if metric.name in run.series]
        if metric.goal is None and len(values) > 1 and metric is results.metrics[0] and not results.question:
            found.append(
                f"whether less or more {metric.name} is better is not known: {option(f'--metric {metric.name}:min')} or :max"
            )
        if metric.name == "value" and any(len(v) > 1 for v in values) and metric.reduce is Reduce.LAST:
            found.append(
                f"each run printed up to {max(map(len, values))} values; the last counts: {option('--reduce mean')} or best"
            )
        scores = results.scores(metric.name)
        if len(scores) > 1 and len(set(scores.values.tolist())) == 1:
            several += 1
    if results.metrics and several == len(results.metrics) and len(finished) > 1 and mode is not Mode.AS_IS:
        found.append(
            f"all {len(finished)} runs gave the same numbers: what varies does not reach the result, or has no effect on it"
            if results.draws
            else f"all {len(finished)} seeds gave the same numbers: the command fixes the seed ({fixed}); write {{seed}} in place of its number"
            if fixed
            else f"all {len(finished)} seeds gave the same numbers: the seed does not reach the result, or has no effect on it; "
            "`seedwise sites` shows where it goes in"
            + "".join(
                f"; a seed stands in a file that the runs read: {option(f'--seed-site {site}')}"
                for site in find_seeds(configs)[:1]
            )
        )
    return found
