"""Runs a command many times for `check`, in fresh processes with private files. One thing is changed at a time."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedwise_guest.protocol import (
    ASIDE,
    ENTRY,
    INSTRUCTIONS,
    PROTOCOL,
    REPLAY,
    RESUMING,
    SPOOL,
    WORLD_ERROR,
    CheckInstructions,
)

from ..errors import ScriptError
from ..experiments.command import available_cores
from ..runs.file_contents import digest_of
from ..runs.ledgers import merged
from ..runs.written_files import written
from ..sandbox.workdir import Workdir
from ..sandbox.worlds import World, Worlds
from ..signals import kill_session, session
from ..wording import option
from .parts import lines_of_profile
from .trace import Op, Trace

_MOST_OUTPUT = 32 * 2**20
_LARGE, _SMALL = 64 * 2**20, 2**20


@dataclass(frozen=True)
class Change:
    """What differs from the first run.

    It can be interventions in the process, environment variables, and the step of which operations are recorded.
    """

    interventions: Mapping[str, Any]
    environment: Mapping[str, str]
    record_step: int = -1
    resuming: Mapping[str, Any] | None = None
    """What is asked of a training that is interrupted or goes on."""

    def __or__(self, other: "Change") -> "Change":
        """Both changes together."""
        return Change(
            _together(self.interventions, other.interventions),
            {**self.environment, **other.environment},
            max(self.record_step, other.record_step),
            other.resuming or self.resuming,
        )

    @property
    def fixed_addresses(self) -> bool:
        """Whether memory must have the same addresses as before."""
        return bool(self.interventions.get("addresses"))


def threads_of(environment: Mapping[str, str]) -> int:
    """How many threads a program's libraries use in this environment."""
    named = environment.get("OMP_NUM_THREADS", "")
    return int(named) if named.isdigit() and int(named) > 0 else available_cores()


def _together(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Both interventions. Where both have settings or names under one key, these are joined."""
    found: dict[str, Any] = {**a}
    for key, value in b.items():
        old = found.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            found[key] = {**old, **value}
        elif isinstance(old, list) and isinstance(value, list):
            found[key] = [*old, *(v for v in value if v not in old)]
        else:
            found[key] = value
    return found


NOTHING = Change({}, {})
HASH_SEEDS = ("0", "4242", "1", "2", "3", "5", "7", "11")
"""Where the user sets no hash seed, plain runs have another one each, as the user's own runs have."""
FIRST_HASH_SEED = Change({}, {"PYTHONHASHSEED": HASH_SEEDS[0]})
"""The hash seed of the first run."""


class Checker:
    """Runs one command under changes, and reads what each process left.

    Parameters
    ----------
    words
        The command.
    worlds
        Make the private files of each process.
    environment
        Environment variables of each process.
    timeout
        Seconds for each process.
    """

    def __init__(self, words: Sequence[str], worlds: Worlds, environment: Mapping[str, str], timeout: float) -> None:
        self.words, self.worlds, self.environment, self.timeout = list(words), worlds, dict(environment), timeout
        self._counting = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False
        self.runs = 0
        """How many processes have been started."""
        self.given: Mapping[str, Any] = {}
        """The readings that processes are given again, where a change asks for it."""
        self.shares_files = worlds.kind not in (Workdir.OVERLAY, Workdir.FARM)
        """Whether runs at the same time would see each other's files: in the project, or in the folder for temporary ones."""
        self.at_once = 1
        """How many processes may run at the same time."""
        self.varies_hash_seed = not self.environment.get("PYTHONHASHSEED", "").isdigit()
        """Whether the user's own runs each have another hash seed."""

    def run(self, change: Change = NOTHING) -> Trace:
        """Run one fresh process. Raises ScriptError if it cannot be started, or if no guest reports."""
        world = self.worlds.make()
        try:
            return self.run_in(world, change)
        finally:
            self.worlds.end_users(world, thorough=True)
            self.worlds.remove(world)

    def run_all(self, changes: Sequence[Change]) -> list[Trace]:
        """Run a fresh process for each of these, several at the same time where `at_once` allows it."""
        if len(changes) < 2 or self.at_once < 2:
            return [self.run(change) for change in changes]
        with ThreadPoolExecutor(self.at_once) as pool:
            try:
                return list(pool.map(self.run, changes))
            except BaseException:  # Ctrl-C: the pool would wait for what is running
                pool.shutdown(wait=False, cancel_futures=True)
                with self._counting:
                    self._stopping = True
                    for process in self._running:
                        kill_session(process)
                raise

    def repeat(self, change: Change, n: int) -> Iterator[Trace]:
        """Run `n` fresh processes under one change, several at the same time where `at_once` allows it."""
        for done in range(0, n, self.at_once):
            yield from self.run_all([change] * min(self.at_once, n - done))

    def run_twice(self, change: Change = NOTHING) -> tuple[Trace, Trace]:
        """Run the command once, and then again in the folder that the first run left."""
        world = self.worlds.make()
        try:
            first = self.run_in(world, change)
            self.worlds.end_users(world, thorough=True)
            shutil.rmtree(world.spool)
            world.spool.mkdir()
            return first, self.run_in(world, change)
        finally:
            self.worlds.end_users(world, thorough=True)
            self.worlds.remove(world)

    def fails_alone(self) -> bool:
        """Whether the command also fails without the guest."""
        world = self.worlds.make()
        try:
            specification = self.worlds.specification(world, self.words, [], [])
            environment = {k: v for k, v in self.environment.items() if k != SPOOL}
            nothing = subprocess.DEVNULL
            with (
                contextlib.suppress(OSError),
                session(
                    self.worlds.launcher(specification), env=environment, stdin=nothing, stdout=nothing, stderr=nothing
                ) as process,
            ):
                return _wait(process, self.timeout) != 0
            return True
        finally:
            self.worlds.end_users(world, thorough=True)
            self.worlds.remove(world)

    def run_in(self, world: World, change: Change) -> Trace:
        """Run one process in this world, which may hold what an earlier one left."""
        with self._counting:
            self.runs += 1
            hash_seed = HASH_SEEDS[(self.runs - 1) % len(HASH_SEEDS)]
        plan: CheckInstructions = {
            "v": PROTOCOL,
            "mode": "check",
            "interventions": dict(change.interventions),
            "trace": {"steps": True, "ops": change.record_step},
        }
        if change.resuming is not None:
            plan["trace"]["resuming"] = dict(change.resuming)
        (world.spool / INSTRUCTIONS).write_text(json.dumps(plan), encoding="utf-8")
        specification = self.worlds.specification(world, self.words, [], [], fixed_addresses=change.fixed_addresses)
        environment = {**self.environment, SPOOL: str(world.spool)}
        if self.varies_hash_seed:
            environment["PYTHONHASHSEED"] = hash_seed
        environment.update(
            {k: v for k, v in change.environment.items() if self.varies_hash_seed or k != "PYTHONHASHSEED"}
        )
        if "readings" in change.interventions:
            (world.spool / REPLAY).write_text(json.dumps(self.given), encoding="utf-8")
        out, err = world.folder / "stdout", world.folder / "stderr"
        began, used = time.perf_counter(), sum(os.times()[2:4])
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            try:
                with session(
                    self.worlds.launcher(specification),
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                ) as process:
                    status = self._wait_for(process)
            except OSError as error:
                raise ScriptError(f"cannot start {self.words[0]}: {error.strerror or error}") from None
        seconds = time.perf_counter() - began
        used = sum(os.times()[2:4]) - used
        error_file = world.spool / WORLD_ERROR
        if error_file.exists():
            raise ScriptError(f"the command cannot be started: {json.loads(error_file.read_text())['error']}")
        threads = change.interventions.get("threads") or threads_of(environment)
        settings = {"PYTHONHASHSEED": environment.get("PYTHONHASHSEED", ""), "threads": str(threads)}
        return replace(self._read(world, status, out, err, seconds), processor_seconds=used, settings=settings)

    def _wait_for(self, process: "subprocess.Popen[bytes]") -> int | None:
        with self._counting:
            self._running.add(process)
            if self._stopping:
                kill_session(process)
        try:
            return _wait(process, self.timeout)
        finally:
            with self._counting:
                self._running.discard(process)

    def _read(self, world: World, status: int | None, out: Path, err: Path, seconds: float) -> Trace:
        messages = list(_messages(world.spool))
        if not any(m["type"] == "hello" for m in messages):
            if status is None:
                raise ScriptError(
                    f"the program did not end within {self.timeout:g} s: {option('--timeout')} gives it more"
                )
            said = _tail(err, 400).strip().splitlines()
            raise ScriptError(
                f"no Python process of `{' '.join(self.words)}` let Seedwise in" + (f": {said[-1]}" if said else "")
            )
        checked = [m for m in messages if m["type"] == "checked"]
        first = next((m for m in checked if m["first"]), checked[0] if checked else {})
        logged: dict[str, list[float]] = {}
        for message in messages:
            if message["type"] == "log":
                for name, value in message["values"].items():
                    logged.setdefault(str(name), []).append(float(value))
        trace = first.get("trace", {})
        facts = {k: v for m in reversed(checked) for k, v in m["facts"].items()}
        for message in messages:
            if message["type"] == "fact":
                facts.setdefault(str(message["what"]), str(message["where"]))
        if "pool" in facts:
            # its tasks end in any order; this line counts if no line is known that takes results as they end
            facts.setdefault("completion", facts.pop("pool"))
        ledgers = [*(m["ledger"] for m in checked), made_by_workers(messages)]
        known = {str(path): str(digest) for m in checked for path, digest in m["contents"].items()}
        files, contents, checksums = written(world, self.worlds.project, "clock-read" in facts, known)
        names = [(str(m["kind"]), str(m["name"])) for m in messages if m["type"] == "identity"]
        for name, array in _arrays(messages, world.spool):
            files[name], contents[name] = digest_of(array), array
        return Trace(
            status,
            whole(out),
            whole(err),
            {k: tuple(v) for k, v in logged.items()},
            files,
            contents,
            _digests(world.spool, trace),
            _parameters(world.spool, trace),
            _ops(world.spool, trace),
            merged([first.get("ledger", ()), *ledgers]),
            first.get("generators", {}),
            facts,
            tuple(m for m in messages if m["type"] == "worker"),
            tuple(f for m in checked for f in m["files"]),
            seconds,
            trace.get("unit", "step"),
            _aside(world.spool),
            frozenset(name for kind, name in names if kind == "number"),
            tuple(name for kind, name in names if kind == "word"),
            tuple(str(m["text"]) for m in messages if m["type"] == "warned"),
            _readings(world.spool),
            {str(m["path"]): str(m["where"]) for m in reversed(messages) if m["type"] == "looked"},
            tuple(self.words),
            resuming=_resuming(world.spool, trace),
            measured=_measured(messages),
            checksums=checksums,
        )


def _measured(messages: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The lines of profiles that the program printed."""
    texts = [str(m["text"]) for m in messages if m["type"] == "measured"]
    return frozenset(line for text in texts for line in lines_of_profile(text))


def _aside(spool: Path) -> str:
    """What other threads and processes than the main ones printed. Each has a file of its own."""
    found = [whole(path) for path in sorted(spool.glob(f"{ASIDE}*")) if path.is_file()]
    return "".join(text if text.endswith("\n") else text + "\n" for text in found if text)


def _resuming(spool: Path, trace: Mapping[str, Any]) -> dict[str, Any]:
    path = spool / RESUMING
    if "resuming" not in trace or not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _readings(spool: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(spool.glob("readings-*.json")):
        if path.name != REPLAY:
            with contextlib.suppress(ValueError, OSError):
                for process, kinds in json.loads(path.read_text(encoding="utf-8")).items():
                    found.setdefault(process, kinds)
    return found


def _arrays(messages: Sequence[Mapping[str, Any]], spool: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    for message in messages:
        if message["type"] == "array":
            with contextlib.suppress(OSError, ValueError):
                yield (
                    f"array {message['name']}",
                    np.load(spool / os.path.basename(str(message["file"])), allow_pickle=False),
                )


def made_by_workers(messages: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """The generators without a seed that workers made and used."""
    made: dict[tuple[Any, str], Mapping[str, object]] = {}
    for message in map(dict[str, Any], messages):
        if message["type"] == "made":
            made[message["pid"], message["entry"]["generator"]] = message["entry"]
        elif message["type"] == "unmade":
            made.pop((message["pid"], message["generator"]), None)
    return list(made.values())


def _wait(process: "subprocess.Popen[bytes]", timeout: float) -> int | None:
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None


def _messages(spool: Path) -> list[dict[str, Any]]:
    found = []
    for file in sorted(spool.glob("*.jsonl"), key=lambda path: path.stem.partition("-")[2]):
        if file.name.startswith("trace-"):
            continue
        for line in file.read_bytes().splitlines():
            with contextlib.suppress(ValueError, RecursionError):
                message = json.loads(line)
                if isinstance(message, dict) and message.get("v") == PROTOCOL and "type" in message:
                    found.append(message)
    return found


def _digests(spool: Path, trace: Mapping[str, Any]) -> "np.ndarray[Any, np.dtype[np.uint32]]":
    path = spool / "trace-steps.bin"
    if "digests" not in trace or not path.is_file():
        return np.zeros(0, np.uint32)
    return np.frombuffer(path.read_bytes(), np.uint32)


def _parameters(spool: Path, trace: Mapping[str, Any]) -> "np.ndarray[Any, np.dtype[np.float32]] | None":
    path = spool / "trace-parameters.npy"
    if "parameters" not in trace or not path.is_file():
        return None
    loaded: np.ndarray[Any, np.dtype[np.float32]] = np.load(path, allow_pickle=False)
    return loaded


def _ops(spool: Path, trace: Mapping[str, Any]) -> tuple[Op, ...]:
    path = spool / "trace-ops.jsonl"
    if "ops" not in trace or not path.is_file():
        return ()
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple((str(r[0]), tuple(r[1]), tuple(r[2]), int(r[3]), str(r[4]), str(r[5])) for r in rows)


def whole(path: Path) -> str:
    """What was printed. Of a very long output: the beginning, and a digest of the rest."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        data = file.read(_MOST_OUTPUT)
        if size > _MOST_OUTPUT:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
            data += f"\n… {size} bytes in all, the rest {digest.hexdigest()[:16]}\n".encode()
    return data.decode("utf-8", "replace")


def _tail(path: Path, size: int) -> str:
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read().decode("utf-8", "replace")


def check_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The user's own environment with the guest's entry."""
    environment = dict(os.environ if base is None else base)
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{ENTRY}{os.pathsep}{path}" if path else ENTRY
    return environment


def can_fix_addresses() -> bool:
    """Whether this system can switch off the randomisation of addresses."""
    return sys.platform == "linux"
