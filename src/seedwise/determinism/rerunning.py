"""Runs a command many times for `check`, in fresh processes with private files. One thing is changed at a time."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedwise_guest.protocol import ENTRY, INSTRUCTIONS, PROTOCOL, SPOOL, WORLD_ERROR, CheckInstructions

from ..errors import ScriptError
from ..runs.ledgers import merged
from ..runs.written_files import digest_of, written
from ..sandbox.worlds import World, Worlds
from ..wording import option
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

    @property
    def fixed_addresses(self) -> bool:
        """Whether memory must have the same addresses as before."""
        return bool(self.interventions.get("addresses"))


NOTHING = Change({}, {})


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
        self.runs = 0
        """How many processes have been started."""

    def run(self, change: Change = NOTHING) -> Trace:
        """Run one fresh process. Raises ScriptError if it cannot be started, or if no guest reports."""
        world = self.worlds.make()
        try:
            return self._run(world, change)
        finally:
            self.worlds.end_users(world, thorough=True)
            self.worlds.remove(world)

    def fails_alone(self) -> bool:
        """Whether the command also fails without the guest."""
        world = self.worlds.make()
        try:
            specification = self.worlds.specification(world, self.words, [], [])
            environment = {k: v for k, v in self.environment.items() if k != SPOOL}
            with contextlib.suppress(OSError):
                process = subprocess.Popen(
                    self.worlds.launcher(specification),
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                return _wait(process, self.timeout) != 0
            return True
        finally:
            self.worlds.end_users(world, thorough=True)
            self.worlds.remove(world)

    def _run(self, world: World, change: Change) -> Trace:
        self.runs += 1
        plan: CheckInstructions = {
            "v": PROTOCOL,
            "mode": "check",
            "interventions": dict(change.interventions),
            "trace": {"steps": True, "ops": change.record_step},
        }
        (world.spool / INSTRUCTIONS).write_text(json.dumps(plan), encoding="utf-8")
        specification = self.worlds.specification(world, self.words, [], [], fixed_addresses=change.fixed_addresses)
        environment = {**self.environment, **change.environment, SPOOL: str(world.spool)}
        out, err = world.folder / "stdout", world.folder / "stderr"
        began = time.perf_counter()
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            try:
                process = subprocess.Popen(
                    self.worlds.launcher(specification),
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                )
            except OSError as error:
                raise ScriptError(f"cannot start {self.words[0]}: {error.strerror or error}") from None
            status = _wait(process, self.timeout)
        seconds = time.perf_counter() - began
        error_file = world.spool / WORLD_ERROR
        if error_file.exists():
            raise ScriptError(f"the command cannot be started: {json.loads(error_file.read_text())['error']}")
        return self._read(world, status, out, err, seconds)

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
        if (
            "pool" in facts
        ):  # its tasks end in any order; this line counts if no line is known that takes results as they end
            facts.setdefault("completion", facts.pop("pool"))
        ledgers = [*(m["ledger"] for m in checked), made_by_workers(messages)]
        files, contents = written(world, self.worlds.project, "clock-read" in facts)
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
        )


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
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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
    """The user's own environment with the guest's entry. The hash seed is the same in every process."""

    environment = dict(os.environ if base is None else base)
    hash_seed = environment.get("PYTHONHASHSEED", "")
    environment["PYTHONHASHSEED"] = hash_seed if hash_seed.isdigit() else "0"
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = f"{ENTRY}{os.pathsep}{path}" if path else ENTRY
    return environment


def can_fix_addresses() -> bool:
    """Whether this system can switch off the randomisation of addresses."""
    return sys.platform == "linux"
