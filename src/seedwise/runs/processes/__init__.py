"""How the processes of runs are started on one machine. `Processes`, below, says what every way of doing so can do."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Task:
    """A process that will be started: the command, its environment, and the files for its output."""

    number: int
    """The number of this task. No other task of this command has it."""
    seed: int
    argv: Sequence[str]
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path
    specification: Path | None = None
    """The file that a forked child reads; a process that is launched by `argv` does not need it."""
    command: Sequence[str] = ()
    """The command in the user's own words."""


@dataclass(frozen=True)
class Exit:
    """A process that has ended.

    `status` is its exit status as `subprocess` gives it (negative: the signal), `seconds` how long it ran.
    """

    number: int
    status: int
    seconds: float
    lost: bool = False
    """Whether it ended because the process that had forked it ended."""


class Processes(Protocol):
    """Starts tasks, reports which have ended, and stops them."""

    def start(self, task: Task, forked: bool = False) -> None:
        """Start one process.

        With `forked`, it is forked if that is possible. Raises ScriptError if the system refuses.
        """

    def wait(self, seconds: float) -> list[Exit]:
        """Wait until a process has ended, at most `seconds`.

        Returns those that have ended; an empty list if there is none.
        """

    def stop_one(self, number: int, sign: signal.Signals) -> None:
        """Send a signal to the process of one task, and to the processes in its session."""

    def stop(self, grace: float) -> list[Exit]:
        """End every running process and everything it has started.

        They are asked first, and killed after `grace` seconds.
        """
