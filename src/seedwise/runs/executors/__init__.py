"""Where runs are executed. Every executor keeps to one protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Task:
    """A process to be started: the command, its environment, and the files that take its output."""

    seed: int
    argv: Sequence[str]
    environment: Mapping[str, str]
    stdout: Path
    stderr: Path


@dataclass(frozen=True)
class Exit:
    """A process that is gone: exit status as `subprocess` tells it (negative: the signal), and seconds it ran."""

    seed: int
    status: int
    seconds: float


class Executor(Protocol):
    """Starts tasks, tells which have ended, and stops them."""

    def start(self, task: Task) -> None:
        """Start one process. Raises ScriptError when the system refuses."""

    def wait(self, seconds: float) -> list[Exit]:
        """The processes that have ended, as soon as there is one; an empty list after `seconds`."""

    def stop(self, grace: float) -> list[Exit]:
        """End every process that runs, and all it started: asked first, killed after `grace` seconds."""
