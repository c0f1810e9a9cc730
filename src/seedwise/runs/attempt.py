"""One attempt at one seed: what the host writes into its spool, and what it reads from it.

The spool is the folder through which host and run talk.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import (
    INSTRUCTIONS,
    PROTOCOL,
    SEED,
    SPOOL,
    WORLD_FAILED,
    Placement,
    PreforkInstructions,
    Refused,
    RunInstructions,
    Vary,
    apply_edits,
)

from ..experiments.command import PLACEHOLDER, placeholders
from ..experiments.config_site import edit_config
from ..experiments.draws import DRAWN, merged_draws
from ..experiments.options import Mode, Options
from ..metrics import choose as metrics
from ..metrics import files
from ..results import Cause, Metric, Reduce, Run, Series, Status
from ..sandbox.workdir import Workdir
from ..sandbox.worlds import World, Worlds, move_file
from .ending import Ending, failed, killed, refused, world_failed
from .ledgers import Ledger, merged
from .processes import Exit, Task

_TAIL = 64 * 2**20
"""Bytes. Of a longer output only this much of the end is searched for metrics."""


@dataclass
class Setup:
    """What all attempts of an experiment share."""

    command: tuple[str, ...]
    mode: Mode
    placement: Placement
    script: str | None
    environment: Mapping[str, str]
    worlds: Worlds
    options: Options = field(default_factory=Options)
    metrics: Sequence[Metric] = ()
    command_text: str | None = None
    """The text after -c. Seeds are placed in it by editing the command."""
    entered: bool = True
    """Whether a guest is expected to report."""
    python: str = ""
    """The interpreter that the command starts."""
    launch_kind: str = ""
    """What that interpreter is asked to run: `script`, `module`, `command` or `input`."""
    arguments: int = 0
    """How many words come after the script in the command."""
    script_behind_launcher: bool = False
    is_function: bool = False
    """Whether a function is run. Its global generators start at the seed itself."""
    reduce: Reduce = Reduce.LAST
    """Which value of a series the report will count."""
    checkpoints: Path | None = None
    """The folder with what unfinished runs have kept, each below its seed; if the user named a folder for that."""

    @property
    def config_path(self) -> str | None:
        """The configuration file in which seeds are placed."""
        site = self.options.config_site
        return None if site is None else os.path.abspath(site.rpartition(":")[0])


@dataclass
class Told:
    """What the processes of a run reported in their spool."""

    hellos: int = 0
    logged: dict[str, Series] = field(default_factory=dict)
    refused: Refused | None = None
    for_all: bool = False
    """Whether the run ended for a reason that would end every other seed too."""
    alike: str = ""
    """What its failure shares with those of other seeds."""
    loaded: dict[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    read_more: int = 0
    """How many more data files were read, beyond those in `read`."""
    written: list[str] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    late_sites: list[dict[str, Any]] = field(default_factory=list)
    ledgers: list[tuple[list[str | int], Ledger]] = field(default_factory=list)
    """The ledger of each process that reached its end, with what distinguishes this process from the others of the
    run: [] for the first.
    """
    arrays: dict[str, str] = field(default_factory=dict)
    """For each array: its file in the spool."""
    array_notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    no_result: str = ""
    returned_none: str = ""
    """What to say if the function returned None, and nothing else told a result."""
    ends: dict[str, str] = field(default_factory=dict)
    """For each library: a digest of the global generator of the first process at its end."""
    drawn: list[dict[str, Any]] = field(default_factory=list)
    """What each process drew for each source, if sources are kept apart."""
    not_forked: str = ""
    """Why a forked run could not continue."""
    ended: bool = False
    """Whether a process lived long enough to report what it loaded and read."""

    def ledger(self) -> tuple[Mapping[str, object], ...]:
        """The ledger of the first process, with what the other processes add to it."""
        return merged(ledger for _, ledger in sorted(self.ledgers, key=lambda told: (len(told[0]), str(told[0]))))


@dataclass
class Attempt:
    """One attempt, from the preparation of its spool to its run."""

    setup: Setup
    seed: int
    number: int
    folder: Path
    world: World
    memory_kills: int = field(default_factory=lambda: memory_kills())  # noqa: PLW0108 (defined below)
    """How many processes the system had killed because memory ran out, when the attempt began."""
    thrown_away: bool = False
    """Whether it is only compared, and then thrown away."""

    def prepare(
        self,
        number: int,
        cores: Sequence[int],
        announce: bool = False,
        card: str | None = None,
        thrown_away: bool = False,
    ) -> Task:
        """Write the plan and the launch specification. Returns the process to be started, under this number.

        With `announce`, the run reports what it imports while it runs. A run that is `thrown_away` does not write to
        anything that is shared.
        """
        setup = self.setup
        self.thrown_away = thrown_away
        self.folder.mkdir(parents=True, exist_ok=True)
        typed = self._typed_seed()
        edits = setup.placement.edits(typed) if setup.mode is Mode.SUBSTITUTE and typed is not None else {}
        command = list(setup.command)
        if setup.mode is Mode.PLACEHOLDER:
            ours = placeholders(command)
            given = own_number(setup) if setup.options.vary else self.seed
            command = [word.replace(PLACEHOLDER, str(given)) if word in ours else word for word in command]
        if setup.command_text is not None and edits.get("-c"):
            edited = apply_edits(setup.command_text, edits.pop("-c"))
            command = [edited if word == setup.command_text else word for word in command]
        replace: list[tuple[str, str]] = []
        if setup.options.config_site is not None:
            path, text = edit_config(setup.options.config_site, self.seed)
            source = self.world.folder / "config"
            source.write_text(text, encoding="utf-8")
            replace.append((str(source), path))
        own_tmp = has_own_tmp(setup)
        plan = run_plan(setup, self.seed, edits, announce)
        (self.world.spool / INSTRUCTIONS).write_text(json.dumps(plan), encoding="utf-8", errors="surrogateescape")
        bound = self._bound(thrown_away)
        specification = setup.worlds.specification(
            self.world, command, cores, replace, private=thrown_away, bound=bound
        )
        environment = {**setup.environment, SPOOL: str(self.world.spool)}
        if setup.mode is not Mode.AS_IS:
            environment[SEED] = str(own_number(setup) if setup.options.vary else self.seed)
        if card is not None:
            environment["CUDA_VISIBLE_DEVICES"] = card
        if own_tmp:
            (self.world.folder / "tmp").mkdir()
            environment["TMPDIR"] = str(self.world.folder / "tmp")
        return Task(
            number,
            self.seed,
            setup.worlds.launcher(specification),
            environment,
            self.folder / "stdout",
            self.folder / "stderr",
            specification,
            command,
        )

    def _bound(self, thrown_away: bool) -> list[tuple[str, str]]:
        """The folder in which the run keeps what it resumes from, with the path where it finds it."""
        if self.setup.checkpoints is None or self.setup.options.checkpoints is None:
            return []
        kept = self.world.folder / "checkpoints" if thrown_away else self.setup.checkpoints / f"seed-{self.seed}"
        kept.mkdir(parents=True, exist_ok=True)
        return [(str(kept), os.path.abspath(self.setup.options.checkpoints))]

    def _keep_checkpoints(self, kept: list[str]) -> None:
        """The run has ended: what it would have resumed from becomes one of its files."""
        for source, path in self._bound(False):
            place = os.path.relpath(path, self.setup.worlds.project)
            for file in sorted(file for file in Path(source).rglob("*") if not file.is_dir() or file.is_symlink()):
                relative = os.path.join(place, file.relative_to(source))
                (self.folder / "files" / relative).parent.mkdir(parents=True, exist_ok=True)
                move_file(file, self.folder / "files" / relative)
                kept.append(relative)
            shutil.rmtree(source)

    def _typed_seed(self) -> int | None:
        """The seed that takes the place of what is typed; None if everything stays as typed.

        Where sources vary, that is the seed of the split: a split is often made by a generator of its own.
        """
        if not self.setup.options.vary:
            return self.seed
        return self.setup.options.seeds_of_sources(self.seed).get("split")

    def told(self) -> Told:
        """Read the spool. Incomplete lines are skipped: their process was killed while it wrote."""
        told = Told()
        logged: dict[str, tuple[list[int], list[float]]] = {}
        for file in sorted(self.world.spool.glob("*.jsonl"), key=lambda path: path.stem.partition("-")[2]):
            for line in file.read_bytes().splitlines():
                try:
                    message = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(message, dict) and message.get("v") == PROTOCOL:
                    _take(message, told, logged)
        told.logged = {name: Series(tuple(steps), tuple(values)) for name, (steps, values) in logged.items()}
        return told

    def finish(self, exit_: Exit, told: Told) -> Run:
        """The run of this attempt: its status, the cause of a failure in words, and its metrics."""
        ending = world_failed(self.world.spool) if exit_.status == WORLD_FAILED else None
        ending = ending or self._ending(exit_, told)
        told.for_all, told.alike = ending.for_all, ending.alike
        series: Mapping[str, Series] = {}
        if ending.status is Status.FINISHED and self.setup.mode is not Mode.AS_IS:
            series = self._series(told)
            if told.returned_none and not series and not told.arrays and not any(m.pattern for m in self.setup.metrics):
                ending = Ending(Status.FAILED, Cause.RESULT, told.returned_none)
        return Run(
            self.seed,
            ending.status,
            series,
            0,
            self.number,
            ending.cause,
            ending.detail,
            exit_.seconds,
            str(self.folder),
        )

    def _series(self, told: Told) -> Mapping[str, Series]:
        """The run's metrics: from the files that the user named, else from what it logged or printed."""
        if self.setup.options.metric_files:
            return files.read_matching(self.folder / "files", self.setup.options.metric_files).series
        return metrics.read_run(told.logged, self.text("stdout"), self.text("stderr"), {})

    def with_patterns(self, run: Run) -> Run:
        """The run with what the user's regular expressions find, for showing.

        The store keeps only what does not depend on them.
        """
        patterns = {metric.name: metric.pattern for metric in self.setup.metrics if metric.pattern}
        if not patterns or run.status is not Status.FINISHED:
            return run
        found = metrics.read_run({}, self.text("stdout"), self.text("stderr"), patterns)
        return replace(run, series={**run.series, **found})

    def text(self, name: str) -> str:
        """What the run printed on `stdout` or `stderr`. Bytes that are not UTF-8 are marked."""
        with open(self.folder / name, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            return file.read().decode("utf-8", errors="replace")

    def _ending(self, exit_: Exit, told: Told) -> Ending:
        """How the attempt ended, and why."""
        if told.refused is not None:
            return refused(told.refused)
        if told.no_result:
            return Ending(Status.FAILED, Cause.RESULT, told.no_result)
        if exit_.status < 0:
            return killed(-exit_.status, memory_kills() > self.memory_kills)
        if exit_.status > 0:
            return failed(exit_.status, self.text("stderr"), self.setup.python)
        if self.setup.entered and told.hellos == 0:
            detail = "no Python process let Seedwise in, so nothing says that the seed was placed"
            return Ending(Status.FAILED, Cause.NOT_ENTERED, detail)
        return Ending(Status.FINISHED)

    def collect(self, told: Told) -> list[str]:
        """Keep what the run wrote, and its ledger, beside its logs. Returns the paths of the files."""
        (self.folder / "ledger.json").write_text(json.dumps(told.ledger(), indent=1))
        if self.setup.options.vary:
            (self.folder / DRAWN).write_text(json.dumps(merged_draws(told.drawn), indent=1))
        if told.arrays:
            self._keep_arrays(told)
        kept = self.setup.worlds.harvest(self.world, self.folder / "files")
        if self.setup.config_path is not None:
            relative = os.path.relpath(self.setup.config_path, self.setup.worlds.project)
            if relative in kept:  # this file was edited by Seedwise, not by the run
                (self.folder / "files" / relative).unlink()
                kept.remove(relative)
        if not self.thrown_away:
            self._keep_checkpoints(kept)
        return kept

    def _keep_arrays(self, told: Told) -> None:
        """Move arrays beside the logs, under numbers. `arrays.json` gives the name of each."""
        place = self.folder / "arrays"
        place.mkdir(exist_ok=True)
        listed = {}
        for k, (name, file) in enumerate(told.arrays.items()):
            source = self.world.spool / file
            if source.is_file() and not source.is_symlink():
                shutil.move(source, place / f"{k}.npy")
                listed[name] = {"file": f"{k}.npy", **told.array_notes.get(name, {})}
        (place / "arrays.json").write_text(json.dumps(listed))

    def discard(self) -> None:
        """Remove the world. If the run never started, remove its empty folder too."""
        self.setup.worlds.remove(self.world)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            shutil.rmtree(self.folder, ignore_errors=True)


def has_own_tmp(setup: Setup) -> bool:
    """Whether each run has its own folder for temporary files. Otherwise /tmp itself is private."""
    return setup.worlds.kind is Workdir.SEQUENTIAL


def own_number(setup: Setup) -> int:
    """The number at which everything starts that does not vary, where sources vary: the typed one; 0 if none is typed."""
    return setup.placement.number or 0


def run_plan(setup: Setup, seed: int, edits: dict[str, list[list[Any]]], announce: bool = False) -> RunInstructions:
    """What a process of a run is told."""
    options = setup.options
    vary: Vary = {"seeds": options.seeds_of_sources(seed), "corrections": options.corrected()}
    reads_seed = any(remark.kind == "environment" for remark in setup.placement.remarks)
    return {
        "v": PROTOCOL,
        "mode": "run",
        "seed": own_number(setup) if setup.options.vary else seed,
        "number": setup.placement.number,
        "has_sites": not setup.is_function
        and (bool(setup.placement.own) or setup.mode in (Mode.PLACEHOLDER, Mode.CONFIG) or reads_seed),
        "substitute": setup.mode is Mode.SUBSTITUTE,
        "control": setup.mode is not Mode.AS_IS,
        "edits": edits,
        "digests": {path: digest for path, digest in setup.placement.files.items() if path != "-c"},
        "script": setup.script,
        "announce": announce,
        "vary": vary if setup.options.vary else None,
    }


def prefork_plan(setup: Setup, world: str | None) -> PreforkInstructions:
    """What the process is told that executes the first lines in `world`. Its edits say only where the seeds stand."""
    own = [SEED, "CUDA_VISIBLE_DEVICES", *(["TMPDIR"] if has_own_tmp(setup) else [])]
    typed = setup.mode is Mode.SUBSTITUTE and (not setup.options.vary or "split" in setup.options.sources)
    return {
        **run_plan(setup, 0, setup.placement.edits(0) if typed else {}),
        "mode": "prefork",
        "own_arguments": setup.mode is Mode.PLACEHOLDER,
        "own_variables": own,
        "shared": list(setup.worlds.share),
        "config": setup.config_path,
        "world": world,
    }


def _take(message: Mapping[str, Any], told: Told, logged: dict[str, tuple[list[int], list[float]]]) -> None:
    kind = message.get("type")
    if kind == "hello":
        told.hellos += 1
    elif kind == "refused":
        told.refused = {"kind": message["kind"], "reason": str(message["reason"])}
    elif kind == "log":
        for name, value in message["values"].items():
            steps, values = logged.setdefault(str(name), ([], []))
            step = message["step"]
            steps.append(step if isinstance(step, int) and abs(step) < 2**62 else len(values) + 1)
            values.append(float(value))
    elif kind == "array":
        told.arrays[str(message["name"])] = os.path.basename(str(message["file"]))
        told.array_notes[str(message["name"])] = {
            k: message[k] for k in ("shape", "dtype", "split", "kind") if k in message
        }
    elif kind == "no-result":
        told.no_result = str(message["reason"])
    elif kind == "returned-none":
        told.returned_none = str(message["reason"])
    elif kind == "not-forked":
        told.not_forked = str(message["reason"])
    elif kind == "drawn":
        told.drawn.append({k: message[k] for k in ("sources", "not_apart", "unseen", "seedings", "corrected")})
    elif kind == "end":
        told.ended = True
        told.loaded.update(message["loaded"])
        told.read.extend(message["read"])
        told.read_more += message["read_more"]
        told.written.extend(message["written"])
        told.libraries.extend(name for name in message["libraries"] if name not in told.libraries)
        told.late_sites.extend(message["late_sites"])
        told.ledgers.append((message["path"], message["ledger"]))
        if not message["path"]:
            told.ends.update(message["ends"])


def memory_kills() -> int:
    """How many processes this system has killed because memory ran out."""
    try:
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
