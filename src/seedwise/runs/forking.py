"""The host's side of forked runs: the process that executes a script's first lines once, and the decision when to fork.

Seedwise never trusts a forked run unchecked. The first seed is run fresh and forked, and both are compared. Of every
hundred seeds, one is run both ways. If they differ, all runs are fresh, and the user is told what differed.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

from seedwise_guest.protocol import INSTRUCTIONS, PIPES, SEED, SPOOL, FromForking, ToForking

from ..experiments.command import PLACEHOLDER, placeholders
from ..experiments.forking_record import Record, Verdict
from ..experiments.options import Mode
from ..sandbox.workdir import Workdir
from ..sandbox.worlds import World
from ..signals import held_back
from .attempt import Setup, prefork_plan

_PATIENCE = 120.0
_MOST_FAILURES = 3
_HOLD = 6.0
"""Seconds for which further runs wait until the first run and its forked twin are compared."""
_QUIET = 2.0
"""Seconds. A long first run is taken to have imported what it needs when it has imported nothing for this time,
and for as long as its imports took before.
"""
_NO_SEED = str(2**32 - 5)
"""What SEEDWISE_SEED and the command line hold in place of the seed while the first lines are executed. Nobody
uses this seed.
"""
_BLOCK = 100
"""Of this many seeds, one is run both ways."""


class Stage(StrEnum):
    """How far the preparation of forking is."""

    OFF = "off"
    STARTING = "starting"
    """The first fresh run is running, and the process executes the script's first lines."""
    READY = "ready"
    """A forked run can now be compared with the fresh one."""
    COMPARING = "comparing"
    FORKING = "forking"


def why_not_forked(setup: Setup, python: str) -> str:
    """Why runs of this command cannot be forked; "" if they can."""
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
    if setup.worlds.kind is Workdir.SHARED or (setup.worlds.kind is Workdir.SEQUENTIAL and setup.worlds.share):
        return "runs share their files, and each must look at them itself"
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
    """A file next to the script that has the name of a module of the standard library; "" if there is none."""
    if script is None:
        return ""
    folder = os.path.dirname(script) or "."
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(folder)):
            stem, dot, rest = name.partition(".")
            if stem not in sys.stdlib_module_names:
                continue
            if rest == "py" or (not dot and os.path.isfile(os.path.join(folder, name, "__init__.py"))):
                return name
    return ""


class ForkingProcess:
    """A process that executes the first lines and then forks.

    Parameters
    ----------
    setup
        What all attempts of the experiment share.
    world
        The folder for its spool and its output. `close` removes it.
    cores
        The cores that it may use.
    """

    def __init__(self, setup: Setup, world: World, cores: list[int]) -> None:
        self._world = world
        self._setup = setup
        self.ready = False
        self.line = 0
        """The line where the runs go on; 0 if it is after the last line."""
        self.why = ""
        """Why the runs go on there."""
        self.seconds = 0.0
        """Seconds that the first lines and the imports took, counted from the start of the interpreter. Each
        forked run saves this time.
        """
        self.failed = ""
        self.asked: dict[str, bool] = {}
        """Libraries that the process was asked to import, and whether it has answered."""
        self._dropping = False
        self._begun = time.monotonic()
        self._data = b""
        reading, to_it = os.pipe()
        from_it, writing = os.pipe()
        self._to_it = to_it
        self.channel = from_it
        os.set_blocking(from_it, False)
        own = setup.worlds.specification(world, (), [], [], private=True, file="world.json") if world.targets else None
        plan = prefork_plan(setup, None if own is None else str(own))
        (world.spool / INSTRUCTIONS).write_text(json.dumps(plan), encoding="utf-8", errors="surrogateescape")
        command = [word.replace(PLACEHOLDER, _NO_SEED) for word in setup.command]
        specification = setup.worlds.specification(World(world.folder, world.spool), command, cores, [])
        environment = {
            **setup.environment,
            SPOOL: str(world.spool),
            SEED: _NO_SEED,
            PIPES: f"{reading},{writing}",
        }
        with open(world.folder / "stdout", "wb") as out, open(world.folder / "stderr", "wb") as err:
            self._process = subprocess.Popen(
                setup.worlds.launcher(specification),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                pass_fds=[reading, writing],
            )
        os.close(reading)
        os.close(writing)

    def receive(self) -> list[FromForking]:
        """Messages that have arrived. If the process has ended, the last one is `{"type": "gone"}`."""
        messages: list[FromForking] = []
        while True:
            try:
                data = os.read(self.channel, 1 << 16)
            except BlockingIOError:
                return messages
            except OSError:
                data = b""
            if not data:
                self.failed = self.failed or "the process that forks was killed or crashed"
                return [*messages, {"type": "gone"}]
            *lines, self._data = (self._data + data).split(b"\n")
            for line in lines:
                message = json.loads(line)
                self._take(message)
                messages.append(message)

    def _take(self, message: FromForking) -> None:
        kind = message["type"]
        if kind == "ready":
            self.ready = message["root"] == self._process.pid
            self.line, self.why = message["line"], message["why"]
            self.seconds = time.monotonic() - self._begun
            if not self.ready:
                self.failed = "a program stands between Seedwise and Python"
        elif kind in ("imported", "left"):
            self.asked[message["name"]] = True
            self.seconds += message.get("seconds", 0.0)
        elif kind == "dropped":
            self._dropping = False

    @property
    def busy(self) -> bool:
        """Whether the process is still importing, or still dropping what it has imported."""
        return self._dropping or not all(self.asked.values())

    @property
    def too_slow(self) -> bool:
        """Whether the first lines have taken too long."""
        return not self.ready and time.monotonic() - self._begun > _PATIENCE

    def import_too(self, name: str) -> None:
        """Ask the process to import what a fresh run imports."""
        if name not in self.asked:
            self.asked[name] = False
            self.ask({"type": "import", "name": name})

    def forget_imports(self) -> bool:
        """Ask the process to drop what it was asked to import. Returns False if the process has ended."""
        self.asked, self._dropping = {}, True
        return self.ask({"type": "drop"})

    def ask(self, request: ToForking) -> bool:
        """Send a request. Returns False if the process has ended."""
        data = json.dumps(request).encode("utf-8", "surrogateescape") + b"\n"
        try:
            while data:
                data = data[os.write(self._to_it, data) :]
        except OSError:
            return False
        return True

    def close(self) -> None:
        """End the process. Its children end with it."""
        os.close(self._to_it)
        os.close(self.channel)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._setup.worlds.end_users(self._world, thorough=True)
        self._setup.worlds.remove(self._world)


def to_compare(key: str, seeds: Sequence[int]) -> list[int]:
    """The seeds that are run both ways: one of each hundred seeds, in their order.

    A digest of experiment and seed chooses it.
    """

    def digest(seed: int) -> str:
        return hashlib.sha256(f"{key}:{seed}".encode()).hexdigest()

    return [min(seeds[k : k + _BLOCK], key=digest) for k in range(0, len(seeds), _BLOCK)]


class Forking:
    """Decides which runs are forked: none before a forked run was compared with a fresh one, none after they differed.

    Parameters
    ----------
    off
        Why runs are not forked at all; "" if they may be.
    record
        What earlier commands have found. It is kept up to date.
    tell
        Called with a line of text for the user.
    """

    def __init__(self, setup: Setup, *, off: str, record: Record, tell: Callable[[str], None]) -> None:
        self.record = record
        self.reason = off
        self.stage = Stage.OFF if off else Stage.STARTING
        if not off and record.verdict in (Verdict.DIFFERS, Verdict.UNSTEADY):
            self.reason, self.stage = self.record.sentence_of_difference(), Stage.OFF
        self.process: ForkingProcess | None = None
        self.forked: list[int] = []
        """Seeds of the runs that this command has forked and that have ended."""
        self._setup = setup
        self._tell = tell
        self._failures = 0
        self._followed: Path | None = None
        self._cores: list[int] = []
        self._read: dict[str, int] = {}
        self._since = time.monotonic()
        self._last_import = 0.0
        self.first_seconds: float | None = None
        """Seconds that the first fresh run took; None while it is running."""
        self._started_fresh = 0.0

    # --- the process -----------------------------------------------------------------------------------------------

    @property
    def known(self) -> bool:
        """Whether an earlier comparison, for the same code on this machine, found no difference."""
        return self.record.verdict is Verdict.SAME

    @property
    def begun(self) -> bool:
        """Whether the process was started, or forking is off."""
        return self.process is not None or self.stage is Stage.OFF

    def begin(self, cores: list[int], spool: Path | None = None) -> None:
        """Start the process. `spool` is that of the fresh run that runs at the same time."""
        if self.stage is not Stage.STARTING or self.process is not None:
            return
        self._followed, self._cores = spool, cores
        self._since = self._last_import = self._started_fresh = time.monotonic()
        self._start()

    def _start(self) -> None:
        try:
            world = self._setup.worlds.make()
            with held_back():
                self.process = ForkingProcess(self._setup, world, self._cores)
        except OSError as error:
            self.turn_off(f"the process that forks could not be started: {error}")
            return
        if not self.record.first_lines_only:
            for name in self.record.imports:
                self.process.import_too(name)

    def look(self) -> None:
        """Have the process import what the first fresh run imports, and check whether it is ready or too slow."""
        if self.process is None:
            return
        if self.stage is Stage.STARTING and self._followed is not None and not self.record.first_lines_only:
            for name in self._announced():
                self.process.import_too(name)
                self._last_import = time.monotonic()
        if self.process.too_slow:
            self.turn_off("the first lines of the script take too long")
        elif self.stage is Stage.STARTING and self.process.ready and not self.process.busy:
            quiet = time.monotonic() - self._last_import > max(_QUIET, self._last_import - self._since)
            if self.known:
                self.stage = Stage.FORKING
            elif self.first_seconds is not None or quiet:
                self.stage = Stage.READY

    def _announced(self) -> list[str]:
        """The imports that the first fresh run has announced since the last call."""
        assert self._followed is not None
        found: list[str] = []
        files = sorted(self._followed.glob("*.jsonl"), key=lambda path: path.stem.partition("-")[2])
        for file in files[:1]:  # only the first process of the run; other processes import for themselves
            with open(file, "rb") as lines:
                lines.seek(self._read.get(file.name, 0))
                data = lines.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._read[file.name] = self._read.get(file.name, 0) + len(whole)
            found += [json.loads(line)["name"] for line in whole.splitlines() if b'"importing"' in line]
        return found

    def first_ended(self, seconds: float) -> None:
        """Call this when the followed fresh run has ended, after `seconds`."""
        self.look()
        self.first_seconds = seconds

    @property
    def holding(self) -> bool:
        """Whether another run should wait because it may be forked soon."""
        self.look()
        if self.stage in (Stage.OFF, Stage.FORKING) or self.process is None:
            return False
        whole = self.first_seconds
        patience = _HOLD if whole is None else whole + max(_HOLD, whole / 2)
        return time.monotonic() - self._since < patience or self.known

    def is_worth_it(self, left: int) -> bool:
        """Whether forking saves more time for the seeds that are left than the comparison costs."""
        if self.process is None:
            return False
        whole = self.first_seconds
        if whole is None:
            whole = time.monotonic() - self._started_fresh
        return left * self.process.seconds > max(0.0, whole - self.process.seconds)

    def heard(self, message: FromForking) -> None:
        """Handle a message of the process about itself."""
        assert self.process is not None
        kind = message["type"]
        if kind == "gone" or (kind == "ready" and not self.process.ready):
            reason, stands_between = self.process.failed, kind == "ready"
            self._drop()
            self._failures += 1
            if self._failures >= _MOST_FAILURES or stands_between:
                self.turn_off(reason)
            else:
                self.stage = Stage.STARTING
                self._start()

    # --- comparisons -----------------------------------------------------------------------------------------------

    def compared(self, seed: int, different: str, unsteady: bool) -> bool:
        """Call this when a seed was run fresh and forked.

        `different` says what differed, "" for nothing. `unsteady` says that two fresh runs differ as well.

        Returns whether forked runs may go on, or may be tried once more with only the first lines.
        """
        record = self.record
        if seed not in record.seeds:
            record.seeds.append(seed)
        if not different:
            record.verdict = Verdict.SAME
            if self.process is not None and not record.first_lines_only:
                record.imports = list(self.process.asked)
            self.stage = Stage.FORKING
            return True
        if not unsteady and record.verdict is None and self._imports_more() and not record.first_lines_only:
            record.first_lines_only, record.imports = True, []
            if self.process is not None and self.process.forget_imports():
                self.stage = Stage.STARTING
                return True
        record.verdict = Verdict.UNSTEADY if unsteady else Verdict.DIFFERS
        record.different = different
        self.turn_off(self.record.sentence_of_difference())
        return False

    def _imports_more(self) -> bool:
        return self.process is not None and bool(self.process.asked)

    def turn_off(self, reason: str) -> None:
        """Stop forking, and say why."""
        self._drop()
        if self.stage is not Stage.OFF:
            self.stage, self.reason = Stage.OFF, reason
            if reason:
                self._tell(f"each run starts fresh: {reason}")

    def _drop(self) -> None:
        if self.process is not None:
            self.process.close()
            self.process = None

    def close(self) -> None:
        """End the process, and fork no more."""
        self._drop()
        self.stage = Stage.OFF
