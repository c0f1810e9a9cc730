"""What is in the store: logs, exports, removals; and running an experiment further."""

import json
import os
import shlex
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..events import Event
from ..experiments.store import Experiment, metrics_as_values, metrics_from, open_store
from ..results import Reduce, Run, Status
from ..words import seed_list

if TYPE_CHECKING:
    from ..experiments.options import Options
    from ..runs.asking import Ask
    from ..runs.request import Outcome


def output_of(name: str, seed: int | None, which: str, store: str | None = None) -> str:
    """The path of the file with what a run printed.

    Parameters
    ----------
    seed
        Which run. None for the only one.
    which
        `stdout` or `stderr`.

    Raises
    ------
    UsageError
        There is no such run or file, or no seed was named and there are several. The message has the command to type.
    """
    with open_store(store) as opened:
        experiment = opened.experiment(name)
        runs = opened.runs(experiment.id, last_only=True)
    if seed is None and len(runs) == 1:
        seed = runs[0].seed
    run = next((run for run in runs if run.seed == seed), None)
    if run is None or not run.folder:
        raise UsageError(_which_run(experiment.label, runs, seed))
    path = os.path.join(run.folder, which)
    if not os.path.exists(path):
        raise UsageError(f"the {which} of seed {seed} is no longer there: {path}")
    return path


def _which_run(label: str, runs: Sequence[Run], seed: int | None) -> str:
    """What to say to somebody who named no run, or one that is not there: the command to type, a failed run first."""
    begun = [run for run in runs if run.folder]
    if not begun:
        return f"no run of {label} has begun yet" if seed is None else f"{label} has no run under seed {seed}"
    one = next((run for run in begun if run.status is Status.FAILED), begun[0])
    failed = ", which failed" if one.status is Status.FAILED else ""
    there = f"it has seeds {seed_list([run.seed for run in begun])}: seedwise log {shlex.quote(label)} --seed {one.seed}{failed}"
    return f"which run of {label}? {there}" if seed is None else f"{label} has no run under seed {seed}; {there}"


def resume(
    name: str,
    jobs: int | None,
    store: str | None,
    tell: Callable[[Event], None],
    failed: bool = False,
    ask: "Ask | None" = None,
) -> "Outcome":
    """Run the seeds that an experiment has not finished, with the options with which it was started.

    Parameters
    ----------
    failed
        Run the failed seeds again too.
    ask
        Asks, after Ctrl-C, what becomes of seeds that are run elsewhere. None: they are left.

    Raises
    ------
    UsageError
        Code or packages have changed since then (a resumed run would be another experiment); the experiment was run
        in another folder; or its command had a secret, which is not kept.
    """
    from ..experiments.loading import results_of
    from ..runs.away.folder import submissions_of
    from ..runs.executors.choosing import Where
    from ..runs.request import Outcome, Request
    from ..runs.stopping import until_asked
    from ..runs.sweep import execute

    with open_store(store) as opened:
        experiment = opened.experiment(name)
        runs = opened.runs(experiment.id)
        again = (Status.INTERRUPTED, Status.RUNNING, Status.FAILED) if failed else (Status.INTERRUPTED, Status.RUNNING)
        open_seeds = [run.seed for run in runs if run.status in again]
        if not open_seeds and not submissions_of(opened, experiment):
            return Outcome(results_of(opened, experiment), True)
    from ..experiments.options import Mode

    if experiment.manifest["mode"] == Mode.BATCHED:
        return _resume_batched(experiment, [run.seed for run in runs], store, tell, failed)
    options, said = _options(experiment, jobs), experiment.plan.get("options", {})
    asked = said.get("asked", {"metrics": metrics_as_values(experiment.metrics), "reduce": said.get("reduce", "last")})
    until = said.get("until")
    kept = None
    if until is not None:
        kept = until_asked(until["margin"], until["rule"], until["bounds"] and tuple(until["bounds"]), until["level"])
    request = Request(
        experiment.command,
        [run.seed for run in runs],
        options,
        experiment.name,
        metrics_from(asked["metrics"]),
        Reduce(asked["reduce"]),
        until=kept,
        only=experiment,
        retry_failed=failed,
        on=Where.from_dict(said["on"]) if said.get("on") else None,
        ask=ask,
    )
    return execute(request, store, tell)


def _resume_batched(
    experiment: Experiment, seeds: Sequence[int], store: str | None, tell: Callable[[Event], None], failed: bool
) -> "Outcome":
    from ..batched.command import BatchedRequest, execute_batched
    from ..runs.request import Outcome

    if experiment.command[0] == "sw.batched.fit":
        raise UsageError(f"{experiment.label} was trained by sw.batched.fit: the same call trains what is missing")
    request = BatchedRequest(
        experiment.command,
        seeds,
        experiment.name,
        experiment.metrics,
        Reduce(experiment.plan.get("options", {}).get("reduce", "last")),
        int(experiment.manifest["threads"]),
        tuple(experiment.manifest.get("batched vary", ())),
        only=experiment,
        retry_failed=failed,
    )
    outcome = execute_batched(request, store, tell)
    return Outcome(outcome.results, outcome.complete, outcome.interrupted)


def _options(experiment: Experiment, jobs: int | None) -> "Options":
    """The options with which the experiment was started.

    Raises UsageError in another folder than its own, and for a command whose secret was not kept.
    """
    from ..experiments.command import MASK
    from ..experiments.options import Options

    manifest, said = experiment.manifest, experiment.plan.get("options", {})
    if os.getcwd() != manifest["folder"]:
        raise UsageError(f"{experiment.label} was run in {manifest['folder']}: go there to run it on")
    if any(MASK in word for word in experiment.command):
        raise UsageError(
            f"{experiment.label} had a secret on its command line, which is not kept: give the command again"
        )
    return Options.of_experiment(manifest, said, jobs)


def run_until_decided(
    new: str,
    base: str,
    *,
    most: int,
    level: float = 0.95,
    metric: Sequence[str] = (),
    jobs: int | None = None,
    store: str | None = None,
    tell: Callable[[Event], None],
) -> "tuple[Outcome, Outcome]":
    """Run two experiments further, in turn, seed by seed, until their difference is decided or both have `most` seeds.

    The seeds are all those that one of the two has, in order, and then the next numbers. A seed that one side lacks
    is run for that side.

    Raises
    ------
    UsageError
        Their options differ (threads, kept sites …), so that they cannot take turns; or code has changed since.
    """
    from ..metrics.choose import parse_metric
    from ..runs.request import Request
    from ..runs.sweep import execute_against

    with open_store(store) as opened:
        sides = opened.experiment(new), opened.experiment(base)
        seeds = sorted({run.seed for side in sides for run in opened.runs(side.id, last_only=True)})
    options = [_options(side, jobs) for side in sides]
    if options[0] != options[1]:
        raise UsageError(f"{new} and {base} were run with different options: run both with the same to alternate them")
    following = max(seeds, default=0) + 1
    seeds = (seeds + list(range(following, following + most)))[: max(most, 1)]
    reduce = Reduce(sides[0].plan.get("options", {}).get("reduce", "last"))
    asked = [parse_metric(text, reduce) for text in metric] or list(sides[0].metrics)
    first, second = (Request(side.command, seeds, options[0], side.name, asked, reduce, only=side) for side in sides)
    return execute_against((first, second), store, tell, until_decided=level)


@dataclass(frozen=True)
class Removal:
    """What was removed, or would be: runs or whole experiments, with the size of their files in bytes."""

    what: tuple[str, ...]
    bytes: int


def remove(name: str, store: str | None = None, *, really: bool = False) -> Removal:
    """Remove an experiment: its runs, logs and files. Without `really`, only say what would be removed.

    Raises
    ------
    UsageError
        There is no such experiment, or one of its runs is still running.
    """
    with open_store(store) as opened:
        experiment = opened.experiment(name)
        runs = opened.runs(experiment.id)
        if any(run.status is Status.RUNNING for run in runs):
            raise UsageError(f"{experiment.label} is running: stop it first")
        folder = opened.run_folder(experiment, 0, 1).parent
        what = (f"{experiment.label}: {sum(run.attempt > 0 for run in runs)} runs and their logs and files",)
        gone = Removal(what, _size(folder))
        if really:
            opened.drop_experiment(experiment.id)
            shutil.rmtree(folder, ignore_errors=True)
        return gone


def prune(store: str | None = None, *, really: bool = False) -> Removal:
    """Remove attempts that a later attempt replaced, and files of experiments that the store does not know.

    The newest attempt of every seed is kept, however it ended. Without `really`, only say what would be removed.
    """
    with open_store(store) as opened:
        known = {f"{e.name}@{e.version}": e for e in opened.experiments()}
        gone: list[Path] = []
        what: list[str] = []
        for name, experiment in known.items():
            kept = {Path(run.folder).name for run in opened.runs(experiment.id) if run.folder}
            running = any(run.status is Status.RUNNING for run in opened.runs(experiment.id))
            place = opened.folder / "runs" / name
            old = [p for p in sorted(place.glob("seed-*")) if p.name not in kept] if not running else []
            if old:
                what.append(f"{name}: {len(old)} earlier or unfinished attempts")
            gone += old
        for place in sorted((opened.folder / "runs").glob("*")):
            if place.name not in known:
                what.append(f"{place.name}: files of an experiment that is not in the store")
                gone.append(place)
        size = sum(map(_size, gone))
        if really:
            for path in gone:
                shutil.rmtree(path, ignore_errors=True)
        return Removal(tuple(what), size)


def _size(folder: Path) -> int:
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def export(
    name: str,
    format: str,
    metric: Sequence[str] = (),
    reduce: str | None = None,
    store: str | None = None,
    seeds: Iterable[int] | None = None,
) -> str:
    """The runs of an experiment as text.

    Parameters
    ----------
    format
        `csv`, `md`, `latex` and `text` have a row for each run: seed, status, and a column for each metric. `json` has
        the series too.
    metric, reduce, store, seeds
        As for `load`.

    Raises
    ------
    UsageError, StoreError
        As for `load`.
    """
    from ..experiments.loading import load
    from ..reports.latex import to_latex
    from ..reports.table import Table, plain_cell, to_csv, to_markdown

    results = load(name, metric=metric, reduce=reduce, seeds=seeds, store=store)
    names = [m.name for m in results.metrics]
    by_metric = {m: results.scores(m).by_seed for m in names}
    if format != "json":
        rows = [[run.seed, run.status.value, *[by_metric[m].get(run.seed) for m in names]] for run in results.runs]
        columns = ["seed", "status", *names]
        if format == "text":
            cells = tuple(tuple(map(plain_cell, row)) for row in rows)
            return Table(tuple(columns), cells, frozenset({0, *range(2, len(columns))})).text() + "\n"
        if format == "latex":
            said = [f"Caption: {results.name}, the metrics of each run."]
            return to_latex(columns, rows, frozenset({0, *range(2, len(columns))}), said)
        render = {"csv": to_csv, "md": to_markdown}[format]
        return render(columns, rows)
    runs = [
        {
            "seed": run.seed,
            "status": run.status,
            "cause": run.cause,
            "detail": run.detail,
            "seconds": run.seconds,
            "place": None if run.place is None else run.place.as_dict(),
            "metrics": {m: by_metric[m].get(run.seed) for m in names},
            "series": {n: {"steps": list(s.steps), "values": list(s.values)} for n, s in run.series.items()},
        }
        for run in results.runs
    ]
    data = {"name": results.name, "key": results.key, "command": list(results.command), "runs": runs}
    return json.dumps(data, indent=2) + "\n"
