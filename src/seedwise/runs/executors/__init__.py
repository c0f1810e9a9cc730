"""Where runs are executed. Every executor has the methods of `Executor`, below; `runs/sweep.py` chooses one."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Task:
    """A process to be started: the command, its environment, and the files that take its output."""

    number: int
    """No other task of this command has it."""
    seed: int
    argv: Sequence[str]
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path
    specification: Path | None = None
    """What a forked child reads instead of being launched by `argv`."""
    command: Sequence[str] = ()
    """The user's own words."""


@dataclass(frozen=True)
class Exit:
    """A process that is gone: exit status as `subprocess` tells it (negative: the signal), and seconds it ran."""

    number: int
    status: int
    seconds: float
    lost: bool = False
    """It ended because the process that it was forked from did."""


class Executor(Protocol):
    """Starts tasks, tells which have ended, and stops them."""

    def start(self, task: Task, forked: bool = False) -> None:
        """Start one process; with `forked`, have it forked if that is possible. Raises ScriptError when the system refuses."""

    def wait(self, seconds: float) -> list[Exit]:
        """The processes that have ended, as soon as there is one; an empty list after `seconds`."""

    def stop_one(self, number: int, sign: signal.Signals) -> None:
        """Send a signal to one task's process and what it started in its session."""

    def stop(self, grace: float) -> list[Exit]:
        """End every process that runs, and all it started: asked first, killed after `grace` seconds."""
