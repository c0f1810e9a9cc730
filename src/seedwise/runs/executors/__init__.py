"""Where seeds are run: on this machine, or by an engine that gives them to many (Slurm, Dask, Ray).

Every engine has the methods of `Executor`. It gets chunks of seeds and starts one worker for each,
`python -m seedwise.worker`. It schedules; Seedwise does not. What the workers find comes back through a shared folder.
See docs/decisions/0019.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class Engine(StrEnum):
    """What starts the workers."""

    LOCAL = "local"
    SLURM = "slurm"
    DASK = "dask"
    RAY = "ray"


class Fate(StrEnum):
    """What has become of a chunk, as the engine sees it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    """Its worker has come to its end by itself."""
    CANCELLED = "cancelled"
    PREEMPTED = "preempted"
    NODE_FAILED = "node failed"
    OUT_OF_MEMORY = "out of memory"
    TIMED_OUT = "timed out"
    FAILED = "failed"
    """Its worker ended with an error."""
    LOST = "lost"
    """The engine knows nothing of it, or of how it ended."""

    @property
    def is_over(self) -> bool:
        """Whether the engine will do nothing more with the chunk."""
        return self not in (Fate.WAITING, Fate.RUNNING)


@dataclass(frozen=True)
class Standing:
    """How one chunk stands.

    `job` is the engine's own name for it (`17_3`), `node` where it runs, `status` the exit status of its worker (None if the
    engine does not tell), `detail` what the engine says, in words.
    """

    fate: Fate
    job: str = ""
    node: str = ""
    status: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class Round:
    """Chunks that are submitted together.

    `file` is what a worker reads; it lies on the shared folder. `numbers` are those of the chunks in it. `title` is shown
    by the engine to whoever looks at its queue; `logs` is the folder for what the workers themselves print.
    """

    file: Path
    numbers: Sequence[int]
    title: str
    logs: Path
    handle: dict[str, Any] = field(default_factory=dict)
    """What the engine must know to find the chunks again: plain values, which are stored, also for another process."""


class Executor(Protocol):
    """Hands chunks of seeds to an engine. It keeps nothing that a process which takes over would miss."""

    @property
    def engine(self) -> Engine:
        """Which engine this is."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What makes the same executor again, as plain values."""

    @property
    def jobs(self) -> int | None:
        """How many runs one worker does at a time. None: as many as its node allows."""

    @property
    def pause(self) -> float:
        """Seconds between two calls of `poll`."""

    def find_out(self, folder: Path, token: str) -> str:
        """Find out whether the machines that will run the seeds see this folder, which has a file `token` in it.

        Returns what should be said about it; "" for nothing. Raises UsageError if one of them does not see the folder, or
        cannot write to it.
        """

    def shown(self, chunks: Round) -> str:
        """What the engine would be given to queue these chunks, as text."""

    def submit(self, chunks: Round) -> None:
        """Queue all chunks of a round; its `handle` is filled. Raises UsageError if the engine refuses."""

    def poll(self, rounds: Sequence[Round]) -> list[dict[int, Standing]]:
        """How every chunk of these rounds stands, with one question to the engine for all. A handle may change."""

    def collect(self, chunks: Round, number: int, standing: Standing) -> Standing:
        """What the engine knows of a chunk that is over, beyond its standing."""

    def cancel(self, rounds: Sequence[Round]) -> None:
        """End every chunk of these rounds that is not over. It need not have happened when this returns."""

    def forget(self, chunks: Round) -> None:
        """Everything of a round is collected: let the engine forget it."""

    def close(self) -> None:
        """Let go of the engine. What was submitted goes on."""
