"""What the store knows of one experiment, for its page: logs, failures, seed sites, ledger, environment."""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..errors import SeedwiseError
from ..experiments.command import MASK
from ..experiments.differences import differences
from ..experiments.functions import is_call
from ..experiments.options import Mode
from ..experiments.store import Experiment, Store, open_store
from ..places import short_place
from ..reports.html.content import SEED, Highlight, Part
from ..reports.html.logs import end_of
from ..reports.page import Block
from ..reports.pictures.kinds import Columns
from ..reports.report import report_of, sites_table
from ..reports.table import Table
from ..results import Results, Run, Status, Summary
from ..sandbox.workdir import Workdir
from ..words import duration, failing_alike, failure, number, places_for, printable

_MOST_LOGS, _MOST_FAILURES = 200, 10
_LONG, _SHORT = 40, 15


def part_of(
    name: str,
    results: Results,
    summaries: Mapping[str, Summary],
    metrics: Sequence[str],
    store: str | None,
    several: bool,
    live: bool = False,
) -> Part:
    """Everything but pictures that is known of one experiment.

    Parameters
    ----------
    metrics
        The first of them decides which seed is best.
    several
        Whether the page has other experiments, so that this one's own table stands with it.
    live
        Whether the page can ask for logs, so that they need not be in it.
    """
    blocks: list[Block] = report_of(results, summaries) if several else []
    alike = failing_alike(results.failed)
    shown = [runs[0] for runs in alike[:_MOST_FAILURES]]
    part = Part(name, tuple(blocks), runs=_runs(results, not live), more_failures=len(results.failed) - len(shown))
    if not results.key:
        return part
    try:
        with open_store(store, reading=True) as opened:
            experiment = opened.experiment(results.name)
            again = command_again(experiment)
            environment, before, changed = _environment(opened, experiment, results)
    except SeedwiseError:  # results of a store that is elsewhere
        again, environment, before, changed = "", [], "", []
    failures = []
    for runs, run in zip(alike, shown, strict=False):
        more = f" ({len(runs)} seeds fail so)" if len(runs) > 1 else ""
        said = f"{failure(run)}{more}"
        failures.append(Highlight("Failed", run.seed, said, end_of(run.folder, _LONG), _for(again, run), opened=True))
    return replace(
        part,
        highlights=tuple(_highlights(results, summaries, metrics, again)),
        failures=tuple(failures),
        sites=sites_table(results.sites) if results.sites else None,
        ledger=_ledger(results),
        environment=tuple(environment),
        changed=tuple(changed),
        differs_from=before,
        again=again,
        folder=_folder(results),
    )


def _for(again: str, run: Run) -> str:
    return again.replace(SEED, str(run.seed))


def command_again(experiment: Experiment) -> str:
    """The command that runs one seed again, as an experiment of another name; `SEED` stands for the seed."""
    manifest, words = experiment.manifest, list(experiment.command)
    mode = Mode(manifest["mode"])
    if not words or mode is Mode.AS_IS:
        return ""
    if "function" in manifest and not is_call(words):
        return ""  # a function of a session that is over
    if manifest.get("vary", {}).get("at") or any(MASK in word for word in words):
        return ""  # a design gave sources their seeds, which no option does; a secret was not kept
    options = ["--name", f"{experiment.name}-again", *_options_again(experiment)]
    return f"seedwise run --seeds {SEED} {shlex.join([*options, *([] if is_call(words) else ['--']), *words])}"


def _options_again(experiment: Experiment) -> list[str]:
    """The options that decide what a run computes, as they are typed."""
    manifest, said = experiment.manifest, experiment.plan.get("options", {})
    vary, threads, workdir = manifest.get("vary", {}), manifest.get("threads", 1), said.get("workdir", Workdir.AUTO)
    given = {
        "--threads": [] if threads == 1 else [str(threads or "script")],
        "--keep": manifest.get("keep", ()),
        "--seed-site": [str(manifest["seed site"])] if manifest.get("seed site") else [],
        "--vary": [",".join(sources)] if (sources := vary.get("sources") or manifest.get("batched vary")) else [],
        "--source": vary.get("corrections", ()),
        "--share": said.get("share", ()),
        "--metric-file": said.get("metric_files", ()),
        "--workdir": [] if workdir == Workdir.AUTO else [workdir],
    }
    options = ["--batched"] if Mode(manifest["mode"]) is Mode.BATCHED else []
    options += [word for name, values in given.items() for value in values for word in (name, value)]
    return options + (["--isolate-network"] if said.get("isolate_network") else [])


def _runs(results: Results, logs: bool) -> Columns:
    """A row for each run, with the end of its log where there are not too many."""
    runs = list(results.runs)
    columns: dict[str, list[object]] = {
        "seed": [run.seed for run in runs],
        "status": [run.status.value for run in runs],
    }
    if any(run.seconds is not None for run in runs):
        columns["seconds"] = [run.seconds for run in runs]
    if results.failed:
        columns["why"] = [printable(failure(run)) if run.status is Status.FAILED else "" for run in runs]
    if any(run.attempt > 1 for run in runs):
        columns["attempt"] = [run.attempt for run in runs]
    if logs and len(runs) <= _MOST_LOGS and any(run.folder for run in runs):
        columns["log"] = [
            "\n".join(printable(line) for log in end_of(run.folder, _SHORT) for line in log.text.split("\n"))
            for run in runs
        ]
    return columns


def _highlights(
    results: Results, summaries: Mapping[str, Summary], metrics: Sequence[str], again: str
) -> list[Highlight]:
    """The best, the median and the worst seed, by the metric that leads; the lowest and the highest without a goal."""
    summary = summaries.get(metrics[0]) if metrics else None
    if summary is None or summary.mean is None:
        return []
    by_seed = results.scores(metrics[0]).by_seed
    order = sorted(by_seed, key=lambda seed: (by_seed[seed], seed))
    low, high = ("worst", "best") if summary.best == summary.max else ("best", "worst")
    low, high = (low, high) if summary.goal is not None else ("lowest", "highest")
    chosen = {order[-1]: high, order[0]: low} if len(order) > 1 else {order[0]: "only"}
    if len(order) > 2:
        chosen[order[(len(order) - 1) // 2]] = "median"
    words = ["only", "best", "highest", "median", "worst", "lowest"]
    k = places_for(summary)
    runs = {run.seed: run for run in results.finished}
    return [
        Highlight(
            word.capitalize(),
            seed,
            f"{printable(summary.label)} {number(by_seed[seed], k)}",
            end_of(runs[seed].folder, _LONG),
            _for(again, runs[seed]),
        )
        for seed, word in sorted(chosen.items(), key=lambda of: words.index(of[1]))
    ]


def _ledger(results: Results) -> Table | None:
    """The random generators of the first run that finished."""
    for run in results.finished[:1]:
        try:
            entries = json.loads(Path(str(run.folder), "ledger.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        rows = [
            (
                printable(str(e["generator"])),
                printable(str(e["state"])),
                "–" if e.get("seed") is None else str(e["seed"]),
                printable(", ".join(short_place(place) for place in e.get("seeded_at") or ()) or "–"),
                printable(short_place(e["made_at"]) if e.get("made_at") else "–"),
            )
            for e in entries
        ]
        columns = ("generator", "state", f"seed (run {run.seed})", "seeded at", "made at")
        return Table(columns, tuple(rows), frozenset({2})) if rows else None
    return None


def _environment(
    store: Store, experiment: Experiment, results: Results
) -> tuple[list[tuple[str, str]], str, list[str]]:
    """What the experiment ran with; the version before it; and what differs from that."""
    manifest, inputs = experiment.manifest, store.inputs(experiment.id)
    kinds: dict[str, list[str]] = {}
    for (kind, name), value in sorted(inputs.items()):
        kinds.setdefault(kind, []).append(f"{name} {value}" if kind == "package" else _within(name, manifest))
    code = sorted({*kinds.get("code", ()), *(_within(path, manifest) for path in manifest.get("code", {}))})
    threads = manifest.get("threads")
    seconds = [run.seconds for run in results.runs if run.seconds is not None]
    found = [
        ("command", shlex.join(experiment.command)),
        ("folder", str(manifest.get("folder", ""))),
        ("Python", str(manifest.get("python", ""))),
        ("threads", "as the script has them" if threads is None else str(threads)),
        ("PYTHONHASHSEED", str(manifest.get("PYTHONHASHSEED", ""))),
        ("files of each run", str(manifest.get("files", ""))),
        ("machine", machine_of(experiment)),
        ("made", datetime.fromtimestamp(experiment.created).isoformat(" ", "minutes")),
        ("all runs took", duration(sum(seconds)) if seconds else ""),
        ("packages", ", ".join(kinds.get("package", ()))),
        ("code", ", ".join(code)),
        ("configuration", ", ".join(kinds.get("config", ()))),
        ("data read", ", ".join(kinds.get("data", ())[:20])),
        ("key", experiment.key),
    ]
    before = [e for e in store.experiments(experiment.name) if e.version < experiment.version]
    changed = differences(before[-1], experiment, store.inputs(before[-1].id), inputs) if before else []
    return [(key, value) for key, value in found if value], before[-1].label if before else "", changed


def machine_of(experiment: Experiment) -> str:
    """The machine of the runs, as far as it was noted; "" if it was not."""
    return str(experiment.plan.get("machine") or experiment.plan.get("forking", {}).get("machine") or "")


def _within(path: str, manifest: Mapping[str, object]) -> str:
    folder = str(manifest.get("folder", ""))
    return os.path.relpath(path, folder) if folder and path.startswith(folder + os.sep) else path


def _folder(results: Results) -> str:
    """Where a run's folder is; `SEED` stands for its seed."""
    for run in results.runs:
        if run.folder:
            place = os.path.dirname(run.folder)
            shown = os.path.relpath(place) if place.startswith(os.getcwd() + os.sep) else place
            return os.path.join(shown, f"seed-{SEED}")
    return ""


__all__ = ["command_again", "machine_of", "part_of"]
