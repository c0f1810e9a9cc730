"""The host's side of the warm parent: learning from a fresh run what to import, starting the parent, asking it for children."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from seedwise_guest import PROTOCOL
from seedwise_guest.warm.parent import SOCKET

from .attempt import Imports, Setup
from .command import PLACEHOLDER, Mode, placeholders
from .worlds import World

_PATIENCE = 120.0
_MOST_FAILURES = 3
_HOLD = 6.0
"""Seconds for which further runs wait while the first one may still be importing."""


class Stage(StrEnum):
    """How far the warm parent is."""

    OFF = "off"
    LEARNING = "learning"
    STARTING = "starting"
    READY = "ready"


def why_not_warm(setup: Setup, python: str) -> str:
    """Why runs of this command cannot be forked from a warm parent; "" if they can."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return "only Linux can fork safely here"
    if setup.mode is Mode.AS_IS:
        return "the script runs once"
    version = tuple(int(part) for part in python.split(".")[:2] if part.isdigit())
    if version and version < (3, 10):
        return "needs Python 3.10 or later in the runs"
    if setup.launch_kind != "script":
        return "only a script can be forked, not -m, -c or another program"
    if setup.script_behind_launcher:
        return "a launcher starts the script"
    hidden = _hides_standard(setup.script)
    if hidden:
        return f"{hidden} hides a module of the standard library that a forked process has loaded already"
    if setup.mode is Mode.PLACEHOLDER:
        ours = placeholders(setup.command)
        tail = setup.command[len(setup.command) - setup.arguments :]
        if sum(PLACEHOLDER in word for word in ours) != sum(PLACEHOLDER in word for word in tail):
            return "{seed} is in the name of the script"
    return ""


def _hides_standard(script: str | None) -> str:
    """A file beside the script that is named like a module of the standard library; "" if there is none."""
    if script is None:
        return ""
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(os.path.dirname(script) or ".")):
            stem, dot, rest = name.partition(".")
            if stem in sys.stdlib_module_names and (
                rest == "py" or (not dot and os.path.isdir(os.path.join(os.path.dirname(script), name, "")))
            ):
                if rest == "py" or os.path.isfile(os.path.join(os.path.dirname(script), name, "__init__.py")):
                    return name
    return ""


class WarmParent:
    """A process that imports and forks. `readable` is its socket, for a selector.

    Parameters
    ----------
    world
        Folder for its spool and its output; removed by `close`.
    """

    def __init__(
        self, setup: Setup, world: World, imports: Imports | None, without: set[str], cores: list[int]
    ) -> None:
        self._world = world
        self._setup = setup
        self.ready = False
        self.failed: tuple[str, str] | None = None
        self.units: list[str] = []
        self._begun = time.monotonic()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = ours
        self.pid = 0
        self._without = without
        plan = {"v": PROTOCOL, "mode": "warm", "live": imports is None, **self._plan(imports or Imports())}
        (world.spool / "plan.json").write_text(json.dumps(plan), encoding="utf-8", errors="surrogateescape")
        command = [word.replace(PLACEHOLDER, "0") for word in setup.command]
        specification = setup.worlds.specification(World(world.folder, world.spool), command, cores, [])
        environment = {**setup.environment, "SEEDWISE_SPOOL": str(world.spool), SOCKET: str(theirs.fileno())}
        with open(world.folder / "stdout", "wb") as out, open(world.folder / "stderr", "wb") as err:
            self._process = subprocess.Popen(
                setup.worlds.launcher(specification), env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True, pass_fds=[theirs.fileno()],
            )  # fmt: skip
        theirs.close()

    def _plan(self, imports: Imports) -> dict[str, Any]:
        left = {name.partition(".")[0] for name in imports.left}
        units = [
            unit
            for unit in imports.units
            if not self._without & set(unit["names"])
            and unit["name"].partition(".")[0] not in left  # a module beside one that is left may well import it
        ]
        return {"states": imports.states, "units": units}

    def follow(self, name: str, state: Mapping[str, Any]) -> None:
        """The first run begins to import this: so does the parent."""
        self.ask({"type": "import", "name": name, "state": state})

    def recorded(self, imports: Imports) -> None:
        """The first run has ended: this is what it imported."""
        path = self._world.folder / "recorded.json"
        path.write_text(json.dumps(self._plan(imports)), encoding="utf-8", errors="surrogateescape")
        self._begun = time.monotonic()
        self.ask({"type": "recorded", "path": str(path)})

    def receive(self) -> list[dict[str, Any]]:
        """Messages that have come; `[{"type": "gone"}]` when the process is no more."""
        messages: list[dict[str, Any]] = []
        while True:
            try:
                data = self.channel.recv(1 << 20, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return messages
            except OSError:
                data = b""
            if not data:
                return [*messages, {"type": "gone"}]
            message = json.loads(data)
            if message["type"] == "ready":
                self.units = message["units"]
                self.ready = message["pid"] == self._process.pid
                if not self.ready:
                    self.failed = ("", "a program stands between Seedwise and Python")
            elif message["type"] == "failed":
                self.failed = (message["name"], message["reason"])
            messages.append(message)

    @property
    def too_slow(self) -> bool:
        """Whether it has been importing for longer than anybody would wait."""
        return not self.ready and time.monotonic() - self._begun > _PATIENCE

    def ask(self, request: Mapping[str, Any]) -> bool:
        """Have a child forked; False when the parent is gone."""
        try:
            self.channel.send(json.dumps(request).encode("utf-8", "surrogateescape"))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """End the process; its children end with it."""
        self.channel.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._setup.worlds.remove(self._world)


class Warmth:
    """Decides which runs are forked: none before a fresh one has told what to import, none after repeated failures."""

    def __init__(self, setup: Setup, *, off: str, tell: Any) -> None:
        self.stage = Stage.OFF if off else Stage.LEARNING
        self.reason = off
        self.parent: WarmParent | None = None
        self._setup = setup
        self._tell = tell
        self._imports = Imports()
        self._without: set[str] = set()
        self._failures = 0
        self._given_up = 0
        self._followed: Path | None = None
        self._read = 0
        self._since = 0.0

    def begin(self, spool: Path, cores: list[int]) -> None:
        """The first fresh run begins: start a parent that imports what it imports, at the same time."""
        if self.stage is Stage.LEARNING and self._followed is None:
            self._followed, self._read, self._since = spool, 0, time.monotonic()
            self._start(None, cores)

    @property
    def holding(self) -> bool:
        """Whether a second run had better wait: the first may soon have shown what to import."""
        if self.stage is Stage.STARTING:
            self.check()
        young = self._followed is not None and time.monotonic() - self._since < _HOLD
        return self.stage is Stage.STARTING or (self.stage is Stage.LEARNING and young and self.parent is not None)

    def look(self) -> None:
        """Pass on what the first run announces."""
        if self.stage is not Stage.LEARNING or self.parent is None or self._followed is None:
            return
        for file in self._followed.glob("*.jsonl"):
            with open(file, "rb") as lines:
                lines.seek(self._read)
                data = lines.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._read += len(whole)
            for line in whole.splitlines():
                if b'"importing"' in line:
                    message = json.loads(line)
                    self.parent.follow(message["name"], message["state"])
            break  # the first process of the run; others import for themselves

    def learn(self, spool: Path, imports: Imports | None, cores: list[int], *, worth: bool) -> None:
        """A fresh run has ended: have the parent import the rest of what it imported."""
        if self.stage is not Stage.LEARNING:
            return
        if imports is None or not worth:
            if spool == self._followed:
                self._drop()
            return
        self._imports = imports
        if self.parent is not None and spool == self._followed:
            self.parent.recorded(imports)
            self.stage = Stage.STARTING
        else:
            self._drop()
            self._start(imports, cores)

    def _drop(self) -> None:
        if self.parent is not None:
            self.parent.close()
            self.parent = None

    def _start(self, imports: Imports | None, cores: list[int]) -> None:
        self._cores = cores
        try:
            self.parent = WarmParent(self._setup, self._setup.worlds.make(), imports, self._without, cores)
        except OSError as error:
            self._off(f"it could not be started: {error}")
            return
        if imports is not None:
            self.stage = Stage.STARTING

    def heard(self, message: Mapping[str, Any]) -> None:
        """A message of the parent about itself."""
        assert self.parent is not None
        kind = message["type"]
        if kind == "ready" and self.parent.ready:
            self.stage = Stage.READY
            why = self._why_each_run_imports(message["skipped"])
            if why:
                self._tell(why)
        elif kind in ("failed", "gone", "ready"):
            name, reason = self.parent.failed or ("", "the parent that imports for all was killed or crashed")
            self._drop()
            if self.stage is Stage.LEARNING:
                return  # what was imported at once was not to be imported: the record will tell
            self._failures += 1
            if self._failures >= _MOST_FAILURES or "stands between" in reason:
                self._off(f"{name} {reason}".strip())
                return
            if name:
                self._without.add(name)
            self._start(self._imports, self._cores)

    def _why_each_run_imports(self, skipped: Mapping[str, str]) -> str:
        """What of weight is left to the runs, and why; "" if nothing is."""
        assert self.parent is not None
        for name, why in self._imports.left.items():
            if "thread" in why or "GPU" in why:
                return f"each run imports {name} itself, because it {why}"
        units = {unit["name"]: unit["names"] for unit in self._imports.units}
        there = {name.partition(".")[0] for unit in self.parent.units for name in units.get(unit, ())}
        for name, changed in skipped.items():
            if name.partition(".")[0] not in there:
                return f"each run imports {name} itself (slower, with the same numbers), because something before it changed {changed}"
        return ""

    def could_not(self, reason: str) -> None:
        """A forked run found that it could not go on as a fresh one would."""
        self._given_up += 1
        if self._given_up >= _MOST_FAILURES:
            self._off(reason)

    def check(self) -> None:
        """Give up on a parent that imports for ever."""
        if self.parent is not None and self.parent.too_slow:
            self._off("its imports take too long")

    def _off(self, reason: str) -> None:
        self.stage, self.reason = Stage.OFF, reason
        self._tell(f"each run starts fresh: {reason}")

    def close(self) -> None:
        """End the parent."""
        self._drop()
        self.stage = Stage.OFF
