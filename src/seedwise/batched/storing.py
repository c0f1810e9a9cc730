"""Seeds that are trained together as an experiment in the store: what is missing is trained, and saved after each chunk."""

import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seedwise_guest.protocol import Placement

from ..errors import UsageError
from ..events import Began, Ended, Event, Note
from ..experiments.identity import key_of
from ..experiments.loading import results_of
from ..experiments.options import Mode
from ..experiments.owners import Owner
from ..experiments.site_reading import placement_to_dict
from ..experiments.store import Experiment, Store, open_store
from ..results import Metric, Reduce, Run, Status
from .results import BatchedResults
from .task import Engine, Task

if TYPE_CHECKING:
    from .on_torch.training import Decision, Wish


@dataclass(frozen=True)
class Kept:
    """What is to be kept, and as what."""

    name: str
    command: tuple[str, ...]
    identity: Mapping[str, str]
    """Digests of code, settings and data. Another identity is another experiment."""
    metrics: Sequence[Metric] = ()
    reduce: Reduce = Reduce.LAST
    store: str | None = None
    only: Experiment | None = None
    """The experiment that it must be."""
    retry_failed: bool = False
    brief: bool = False
    vary: Sequence[str] = ()
    """The sources that were named with --vary."""


@dataclass(frozen=True)
class BatchedOutcome:
    """The results, and whether somebody interrupted the training."""

    results: BatchedResults
    complete: bool
    interrupted: bool = False


def train_into_store(
    task: Task, seeds: Sequence[int], wish: "Wish", kept: Kept, tell: Callable[[Event], None]
) -> BatchedOutcome:
    """Train the seeds that are missing in the store, and load the results of all.

    Raises
    ------
    UsageError
        Something changed since `only` was made, or the engine cannot train this as if each seed were alone.
    """
    from .on_torch.choosing import Makers
    from .on_torch.training import train, with_how

    makers, notes = Makers(task), list[str]()

    def note(text: str) -> None:
        notes.append(text)
        tell(Note(text))

    with open_store(kept.store, create=True) as store:
        experiment, decision = _find(store, task, seeds, wish, kept, makers, note)
        store.want(experiment.id, seeds)
        if kept.metrics:
            store.set_metrics(experiment, kept.metrics)
        interrupted, closeness = False, None
        with Owner(store.folder) as owner, _claimed(store, experiment, seeds, owner.name, kept.retry_failed) as claims:
            before = [run for run in store.runs(experiment.id, last_only=True) if run.seed in set(seeds) - set(claims)]
            failed = sum(run.status is Status.FAILED for run in before)
            tell(
                Began(
                    len(seeds), len(seeds) - len(claims), len(claims), decision.choice.width, failed, experiment.label
                )
            )

            def save(runs: Sequence[Run]) -> None:
                owner.beat()
                with store.together():
                    ended = [_saved(store, experiment, run, claims.pop(run.seed)) for run in runs]
                for run in ended:
                    tell(Ended(run, experiment.label))

            try:
                closeness = train(task, list(claims), decision, makers, save) if claims else None
            except KeyboardInterrupt:
                interrupted = True
        if closeness is not None:
            note(closeness.sentence)
            _remember(store, experiment, f"{decision.sentence}; {closeness.sentence}", kept.reduce)
        experiment = store.experiment(f"{experiment.name}@{experiment.version}")
        results = results_of(store, experiment, kept.metrics, kept.reduce, notes, brief=kept.brief)
        open_ = results.having(Status.INTERRUPTED) or results.having(Status.RUNNING)
        whole = with_how(replace(results), decision, closeness, makers)
    return BatchedOutcome(whole, not open_ and not interrupted, interrupted)


@contextmanager
def _claimed(
    store: Store, experiment: Experiment, seeds: Sequence[int], owner: str, retry_failed: bool
) -> Iterator[dict[int, int]]:
    """The seeds that are to be trained, each with the number of its attempt. What was not trained is given back."""
    claims: dict[int, int] = {}
    with store.together():
        for seed in seeds:
            attempt = store.claim(experiment.id, seed, owner, retry_failed=retry_failed)
            if attempt is not None:
                claims[seed] = attempt
    try:
        yield claims
    finally:
        with store.together():
            for seed, attempt in claims.items():
                store.release(experiment.id, seed, attempt)


def _saved(store: Store, experiment: Experiment, run: Run, attempt: int) -> Run:
    """Save a run, its arrays beside it."""
    folder = None
    if run.held:
        folder = store.run_folder(experiment, run.seed, attempt)
        place = Path(folder, "arrays")
        place.mkdir(parents=True, exist_ok=True)
        listed = {}
        for k, (name, array) in enumerate(run.held.items()):
            np.save(place / f"{k}.npy", array)
            listed[name] = {"file": f"{k}.npy", "shape": list(array.shape), "dtype": str(array.dtype)}
        (place / "arrays.json").write_text(json.dumps(listed))
    saved = replace(run, attempt=attempt, folder=None if folder is None else str(folder), held={})
    store.finish(experiment.id, saved)
    return saved


def _remember(store: Store, experiment: Experiment, sentence: str, reduce: Reduce) -> None:
    """Keep how the seeds were trained, for every later report."""
    store.update_plan(experiment.id, batched=sentence, options={"reduce": reduce.value})


def _find(
    store: Store,
    task: Task,
    seeds: Sequence[int],
    wish: "Wish",
    kept: Kept,
    makers: object,
    note: Callable[[str], None],
) -> "tuple[Experiment, Decision]":
    """The experiment to which these runs belong, with the engine and width that it has; a new one if anything differs."""
    from .on_torch.choosing import Choice, Makers
    from .on_torch.training import Decision, could_be_wider, decide, governed_in, processes_for

    assert isinstance(makers, Makers)
    manifest: dict[str, object] = {
        "command": list(kept.command),
        "folder": os.getcwd(),
        "mode": Mode.BATCHED.value,
        "keep": [],
        "seed site": "",
        "threads": wish.threads,
        "python": platform.python_version(),
        "function": dict(kept.identity),
    }
    if kept.vary:
        manifest["batched vary"] = list(kept.vary)
    alike = [e for e in store.experiments(kept.name) if e.manifest.get("command") == manifest["command"]]
    for experiment in reversed(alike if kept.only is None else [kept.only]):
        old = {name: value for name, value in experiment.manifest.items() if name not in ("engine", "width")}
        engine, width = Engine(experiment.manifest["engine"]), int(experiment.manifest["width"])
        asked = wish.engine in (Engine.AUTO, engine) and wish.width in (None, width)
        if old == manifest and asked:
            processes = 1 if wish.engine is Engine.LOOP else processes_for(task, wish)
            choice = Choice(engine, "as this experiment began", width=width, processes=processes)
            if wish.engine is Engine.AUTO and wish.width is None and could_be_wider(task, seeds, choice):
                how = "each seed alone" if engine is Engine.LOOP else f"{engine}, {width} seeds together"
                note(f"{how}, as {experiment.label} began; under another name this is chosen again")
            return experiment, Decision(choice, wish.threads, governed_in(task))
    if kept.only is not None:
        what = ", ".join(_changed(kept.only.manifest, manifest)) or "engine or width"
        raise UsageError(
            f"{what} changed since {kept.only.label}: to resume would mix two experiments; run the command again"
        )
    decision = decide(task, seeds, wish, makers)
    note(decision.sentence)
    manifest |= {"engine": decision.choice.engine.value, "width": decision.choice.width}
    plan = {**placement_to_dict(Placement([], None, [], [], [])), "batched": decision.sentence}
    new = store.add_experiment(kept.name, key_of(manifest), kept.command, manifest, plan)
    if alike:
        what = ", ".join(_changed(alike[-1].manifest, manifest)) or "the engine or width"
        note(f"{what} changed since {alike[-1].label}: this is {new.label}")
    _remember(store, new, decision.sentence, kept.reduce)
    return new, decision


def _changed(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """What differs, in words."""
    found = [name for name in ("folder", "threads", "python") if old.get(name) != new.get(name)]
    before, now = old.get("function"), new.get("function")
    assert isinstance(before, Mapping)
    assert isinstance(now, Mapping)
    parts = [str(name) for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return [*found, *parts[:6], *(["…"] if len(parts) > 6 else [])]
