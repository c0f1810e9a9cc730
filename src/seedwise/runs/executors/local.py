"""Starts workers on this machine. They go on when the command that started them is left."""

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...experiments.owners import started
from ...wording import option
from . import Engine, Executor, Fate, Round, Standing
from .starting import worker_words

_A_CORE = 4
"""So many workers for each core are started at most: each holds an interpreter with what the script imports."""


def check_number_of_workers(count: int) -> None:
    """Raises UsageError where so many workers would be too many for this machine, which starts all at once."""
    most = _A_CORE * len(os.sched_getaffinity(0))
    if count > most:
        raise UsageError(
            f"{option('--seeds-per-task')}: {count} tasks would all start at once, since this machine has no queue; at most {most} may "
            f"({_A_CORE} for each core). Give each more seeds, or leave {option('--seeds-per-task')} out: one worker then runs as many "
            "at a time as there are cores for."
        )


class LocalExecutor:
    """Starts a process for each chunk, in a session of its own.

    Parameters
    ----------
    jobs
        How many runs one worker does at a time. None: as many as there are cores for.
    """

    engine = Engine.LOCAL
    pause = 0.2

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs
        self._ours: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        return {}

    def find_out(self, folder: Path, token: str) -> str:
        return ""  # it is this machine

    def shown(self, chunks: Round) -> str:
        return "\n".join(shlex.join(worker_words(chunks.file, number)) for number in chunks.numbers) + "\n"

    def submit(self, chunks: Round) -> None:
        found = []
        check_number_of_workers(len(chunks.numbers))
        for number in chunks.numbers:
            with open(chunks.logs / f"{chunks.file.stem}-{number}.out", "wb") as log:
                process = subprocess.Popen(
                    worker_words(chunks.file, number),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._ours[process.pid] = process
            found.append([process.pid, started(process.pid)])
        chunks.handle.update({"processes": found, "log": f"{chunks.file.stem}-{{number}}.out"})

    def poll(self, rounds: Sequence[Round]) -> list[dict[int, Standing]]:
        return [
            dict(zip(one.numbers, [self._standing(*of) for of in one.handle.get("processes", [])], strict=False))
            for one in rounds
        ]

    def _standing(self, pid: int, began: str) -> Standing:
        job, here = str(pid), os.uname().nodename
        ours = self._ours.get(pid)
        if ours is not None:
            status = ours.poll()
            if status is None:
                return Standing(Fate.RUNNING, job, here)
            return Standing(Fate.DONE if status == 0 else Fate.FAILED, job, here, status)
        if _is_alive(pid) and started(pid) == began:
            return Standing(Fate.RUNNING, job, here)
        return Standing(Fate.LOST, job, here)

    def collect(self, chunks: Round, number: int, standing: Standing) -> Standing:
        return standing

    def cancel(self, rounds: Sequence[Round]) -> None:
        for one, standing in zip(rounds, self.poll(rounds), strict=True):
            for number, how in standing.items():
                if how.fate is Fate.RUNNING:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(one.handle["processes"][number][0], signal.SIGTERM)

    def forget(self, chunks: Round) -> None:
        pass

    def close(self) -> None:
        for process in self._ours.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0)
            process.returncode = process.returncode or 0  # left running: Python must not warn of it


def _is_alive(pid: int) -> bool:
    """Whether a process runs. One that has ended, and of which its parent has not asked yet, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


_check: type[Executor] = LocalExecutor
