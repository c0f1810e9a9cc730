"""One attempt at one seed: what is put into its spool, and what is read out of it."""

import errno
import json
import os
import re
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seedwise_guest import PROTOCOL
from seedwise_guest.sandbox.world import FAILED as WORLD_FAILED
from seedwise_guest.sites.edits import apply_edits
from seedwise_guest.sites.placement import Plan

from ..experiments.command import PLACEHOLDER, Mode, Workdir, placeholders
from ..experiments.config_site import edit_config
from ..metrics import choose as metrics
from ..results import Cause, Metric, Run, Series, Status
from ..sandbox.worlds import World, Worlds
from .executors import Exit, Task, signal_name
from .ledgers import Ledger, merged

_TAIL = 64 * 2**20
"""Of a longer output the end is read for metrics."""


@dataclass
class Setup:
    """What all attempts of an experiment share."""

    command: tuple[str, ...]
    mode: Mode
    plan: Plan
    script: str | None
    environment: Mapping[str, str]
    worlds: Worlds
    metrics: Sequence[Metric] = ()
    config_site: str | None = None
    command_text: str | None = None
    """The text after -c, in which seeds are placed by editing the command."""
    entered: bool = True
    """Whether a guest is expected to report in."""
    python: str = ""
    """The interpreter that the command starts."""
    launch_kind: str = ""
    """What that interpreter is asked to run: `script`, `module`, `command`, `input`."""
    arguments: int = 0
    """How many words follow the script in the command."""
    script_behind_launcher: bool = False
    is_function: bool = False
    """The function is called after its global generators were started at the seed itself."""

    @property
    def config_path(self) -> str | None:
        """The configuration file in which seeds are placed."""
        return None if self.config_site is None else os.path.abspath(self.config_site.rpartition(":")[0])


@dataclass
class Told:
    """What the processes of a run said in their spool."""

    hellos: int = 0
    logged: dict[str, Series] = field(default_factory=dict)
    refused: str = ""
    loaded: dict[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    read_more: int = 0
    """How many data files more were read than are named."""
    written: list[str] = field(default_factory=list)
    libraries: list[str] = field(default_factory=list)
    late_sites: list[dict[str, Any]] = field(default_factory=list)
    ledgers: list[tuple[list[str | int], Ledger]] = field(default_factory=list)
    """Of each process that came to its end, with what sets it apart from the others of the run: [] for the first."""
    arrays: dict[str, str] = field(default_factory=dict)
    """File in the spool of each array."""
    array_notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    no_result: str = ""
    ends: dict[str, str] = field(default_factory=dict)
    """A digest of where each global generator of the first process stood at its end, by library."""
    not_forked: str = ""
    """Why a forked run could not go on."""
    ended: bool = False
    """Whether a process lived to tell what it loaded and read."""

    def ledger(self) -> tuple[Mapping[str, Any], ...]:
        """That of the first process, and what others add to it."""
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
    """How many processes the system had killed for want of memory when the attempt began."""

    def prepare(
        self,
        number: int,
        cores: Sequence[int],
        announce: bool = False,
        card: str | None = None,
        thrown_away: bool = False,
    ) -> Task:
        """Write the plan and the launch specification; return the process to be started, under this number.

        With `announce`, the run says what it imports while it goes on. One that is `thrown_away` writes to nothing that is shared.
        """
        setup = self.setup
        self.folder.mkdir(parents=True, exist_ok=True)
        edits = setup.plan.edits(self.seed) if setup.mode is Mode.SUBSTITUTE else {}
        command = list(setup.command)
        if setup.mode is Mode.PLACEHOLDER:
            ours = placeholders(command)
            command = [word.replace(PLACEHOLDER, str(self.seed)) if word in ours else word for word in command]
        if setup.command_text is not None and edits.get("-c"):
            edited = apply_edits(setup.command_text, edits.pop("-c"))
            command = [edited if word == setup.command_text else word for word in command]
        replace: list[tuple[str, str]] = []
        if setup.config_site is not None:
            path, text = edit_config(setup.config_site, self.seed)
            source = self.world.folder / "config"
            source.write_text(text, encoding="utf-8")
            replace.append((str(source), path))
        own_tmp = has_own_tmp(setup)
        plan = {**run_plan(setup, self.seed, edits), "announce": announce}
        (self.world.spool / "plan.json").write_text(json.dumps(plan), encoding="utf-8", errors="surrogateescape")
        specification = setup.worlds.specification(self.world, command, cores, replace, private=thrown_away)
        environment = {**setup.environment, "SEEDWISE_SPOOL": str(self.world.spool)}
        if setup.mode is not Mode.AS_IS:
            environment["SEEDWISE_SEED"] = str(self.seed)
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

    def told(self) -> Told:
        """Read the spool. Lines that are not whole are passed over: their process was killed while it wrote."""
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
        """The run that this attempt was: its status, its cause in words, and its metrics."""
        status, cause, detail = self._outcome(exit_, told)
        series: Mapping[str, Series] = {}
        if status is Status.FINISHED and self.setup.mode is not Mode.AS_IS:
            series = metrics.read_run(told.logged, self.text("stdout"), self.text("stderr"), {})
        return Run(self.seed, status, series, 0, self.number, cause, detail, exit_.seconds, str(self.folder))

    def with_patterns(self, run: Run) -> Run:
        """The run with what the user's regular expressions find, for showing; the store keeps only what holds for all."""
        patterns = {metric.name: metric.pattern for metric in self.setup.metrics if metric.pattern}
        if not patterns or run.status is not Status.FINISHED:
            return run
        found = metrics.read_run({}, self.text("stdout"), self.text("stderr"), patterns)
        return replace(run, series={**run.series, **found})

    def text(self, name: str) -> str:
        """What the run printed on `stdout` or `stderr`; bytes that are no UTF-8 are marked."""
        with open(self.folder / name, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            return file.read().decode("utf-8", errors="replace")

    def _outcome(self, exit_: Exit, told: Told) -> tuple[Status, Cause | None, str]:
        world_error = self.world.spool / "world-error.json"
        if exit_.status == WORLD_FAILED and world_error.exists():
            error = json.loads(world_error.read_text(encoding="utf-8"))
            what = (
                "the command cannot be started" if error["kind"] == "command" else "its private files cannot be set up"
            )
            return Status.FAILED, Cause.ISOLATION, f"{what}: {error['error']}"
        if told.refused:
            cause = Cause.CHANGED if "was changed" in told.refused else Cause.NOT_ENTERED
            return Status.FAILED, cause, told.refused
        if told.no_result:
            return Status.FAILED, Cause.RESULT, told.no_result
        if exit_.status < 0:
            name = signal_name(-exit_.status)
            if exit_.status == -signal.SIGKILL and memory_kills() > self.memory_kills:
                return (
                    Status.FAILED,
                    Cause.MEMORY,
                    f"killed by {name}: the system ran out of memory; fewer --jobs need less",
                )
            return Status.FAILED, Cause.SIGNAL, f"killed by {name}"
        if exit_.status > 0:
            said = self.text("stderr")
            last = _exception(said)
            if "Read-only file system" in (last or _last_line(said)):
                last = last or _last_line(said)
                hint = " (outside the folders that are private to a run: allow it with --share PATH)"
                return Status.FAILED, Cause.ISOLATION, last + hint
            if _ADDRESS in (last or _last_line(said)):
                last = last or _last_line(said)
                hint = " (another run has the port: --isolate-network gives each run a network of its own, --jobs 1 runs one at a time)"
                return Status.FAILED, Cause.EXCEPTION, last + hint
            if last.startswith("ModuleNotFoundError") and self.setup.python:
                last += f" (in {self.setup.python}; another python is named in the command, or put first on PATH)"
            if (
                any(words in said[-5000:] for words in _NO_MEMORY)
                or last.startswith(
                    ("MemoryError", "numpy.exceptions._ArrayMemoryError", "numpy._core._exceptions._ArrayMemoryError")
                )
                or ("OutOfMemoryError" in last.partition(":")[0])
            ):
                return Status.FAILED, Cause.MEMORY, last
            if last:
                return Status.FAILED, Cause.EXCEPTION, last
            last = _last_line(said)
            return Status.FAILED, Cause.EXIT, f"exit code {exit_.status}" + (f" (it last said: {last})" if last else "")
        if self.setup.entered and told.hellos == 0:
            detail = "no Python process let Seedwise in, so nothing says that the seed was placed"
            return Status.FAILED, Cause.NOT_ENTERED, detail
        return Status.FINISHED, None, ""

    def collect(self, told: Told) -> list[str]:
        """Keep what the run wrote beside its logs, with its ledger; returns the paths of the files."""
        (self.folder / "ledger.json").write_text(json.dumps(told.ledger(), indent=1))
        if told.arrays:
            self._keep_arrays(told)
        kept = self.setup.worlds.harvest(self.world, self.folder / "files")
        if self.setup.config_path is not None:
            relative = os.path.relpath(self.setup.config_path, self.setup.worlds.project)
            if relative in kept:  # our own edit, not the run's
                (self.folder / "files" / relative).unlink()
                kept.remove(relative)
        return kept

    def _keep_arrays(self, told: Told) -> None:
        """Move arrays beside the logs, under numbers; `arrays.json` says what each is called."""
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
        """Remove the world; a run that never started leaves no folder behind."""
        self.setup.worlds.remove(self.world)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            shutil.rmtree(self.folder, ignore_errors=True)


def has_own_tmp(setup: Setup) -> bool:
    """Whether each run has a folder for temporary files of its own; elsewhere /tmp itself is private."""
    return setup.worlds.kind is Workdir.SEQUENTIAL


def run_plan(setup: Setup, seed: int, edits: Mapping[str, Any]) -> dict[str, Any]:
    """What a process of a run is told."""
    reads_seed = any(remark.kind == "environment" for remark in setup.plan.remarks)
    return {
        "v": PROTOCOL,
        "mode": "run",
        "seed": seed,
        "number": setup.plan.number,
        "has_sites": not setup.is_function
        and (bool(setup.plan.sites) or setup.mode in (Mode.PLACEHOLDER, Mode.CONFIG) or reads_seed),
        "substitute": setup.mode is Mode.SUBSTITUTE,
        "control": setup.mode is not Mode.AS_IS,
        "edits": edits,
        "digests": {path: digest for path, digest in setup.plan.files.items() if path != "-c"},
        "script": setup.script,
    }


def prefork_plan(setup: Setup) -> dict[str, Any]:
    """What the process is told that executes the first lines; its edits say only where the seeds stand."""
    own = ["SEEDWISE_SEED", "CUDA_VISIBLE_DEVICES", *(["TMPDIR"] if has_own_tmp(setup) else [])]
    return {
        **run_plan(setup, 0, setup.plan.edits(0) if setup.mode is Mode.SUBSTITUTE else {}),
        "mode": "prefork",
        "own_arguments": setup.mode is Mode.PLACEHOLDER,
        "own_variables": own,
        "shared": list(setup.worlds.share),
        "config": setup.config_path,
    }


def _take(message: Mapping[str, Any], told: Told, logged: dict[str, tuple[list[int], list[float]]]) -> None:
    kind = message.get("type")
    if kind == "hello":
        told.hellos += 1
    elif kind == "refused":
        told.refused = str(message.get("reason", ""))
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
    elif kind == "not-forked":
        told.not_forked = str(message["reason"])
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
    """How many processes this system has killed for want of memory."""
    try:
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


_ADDRESS = os.strerror(errno.EADDRINUSE)
_NO_MEMORY = ("CUDA out of memory", "CUDA error: out of memory", "DefaultCPUAllocator: can't allocate memory")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Iteration)(?::|$)")


def _exception(text: str) -> str:
    """The exception that a process ended with, as its traceback names it; "" where there is none."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    heads = [k for k, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    if heads:
        for line in lines[heads[-1] + 1 :]:
            if not line.startswith((" ", "\t")):
                return line[:300]
    for line in reversed(lines[-5:]):  # a SyntaxError has no such head
        if _EXCEPTION.match(line):
            return line[:300]
    return ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
