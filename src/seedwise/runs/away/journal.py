"""What a worker tells home: lines of JSON, appended to a file of its own.

Each line is written, and its file closed, before the next seed begins; a network folder shows another machine only what
was written before a file was closed. A line that is not complete yet is read later.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ...nodes import Place
from ...results import Cause, Run, Series, Status

FULL = 95
UNFIT = 94
NOT_SEEN = 93
"""Exit statuses of a worker. `FULL`: the shared folder cannot be written. `UNFIT`: this node cannot run the seeds.
`NOT_SEEN`: this node does not see the shared folder.
"""


class Line(StrEnum):
    """What a line of a journal is about."""

    BEGAN = "began"
    """A worker has started: its `place`."""
    STARTED = "started"
    RUN = "run"
    ASIDE = "aside"
    """A run that was told before does not count."""
    INPUTS = "inputs"
    """What the runs loaded and read."""
    PLAN = "plan"
    """Parts for the experiment's plan."""
    NOTE = "note"
    FORKING = "forking"
    """How forked runs were compared with fresh ones on this node."""
    ENDED = "ended"
    """The worker has come to its end: see `End`."""


class End(StrEnum):
    """Why a worker has come to its end."""

    DONE = "done"
    """Every seed of its chunk has a record."""
    ASKED = "asked"
    """It got SIGTERM: seeds in flight are given back."""
    STOPPED = "stopped"
    """No further seed would do better: `why`."""
    FULL = "full"
    """The shared folder cannot be written: `why`."""
    UNFIT = "unfit"
    """This node cannot run these seeds: `why`."""


class Journal:
    """Writes the journal of one worker.

    Parameters
    ----------
    folder
        That of the chunk. Every start of a worker makes a journal of its own in it.
    name
        A name that no other start has.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.jsonl"
        self._waiting: list[str] = []
        self._written = time.monotonic()

    def add(self, line: Line, **values: Any) -> None:
        """Note something that can wait until the next `write`."""
        self._waiting.append(json.dumps({"type": line.value, **values}) + "\n")

    def write(self, line: Line, **values: Any) -> None:
        """Write something, and what has waited. Raises OSError, after which nothing has been written."""
        self.add(line, **values)
        self.flush()

    def flush(self) -> None:
        """Write what has waited."""
        if not self._waiting:
            return
        data = "".join(self._waiting).encode("utf-8", "surrogatepass")
        handle = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        size = os.fstat(handle).st_size
        try:
            try:
                while data:
                    data = data[os.write(handle, data) :]
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)  # an error of a full network folder comes here
        self._waiting.clear()
        self._written = time.monotonic()

    def beat(self) -> None:
        """Write what has waited for a second."""
        if time.monotonic() - self._written > 1:
            self.flush()


@dataclass
class JournalReader:
    """Reads a journal as it grows. `offset` is where to go on."""

    path: Path
    offset: int = 0
    _size: int = -1

    def read(self) -> list[dict[str, Any]]:
        """The lines that are new since the last call."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return []
        if size in (self._size, self.offset):
            return []
        self._size = size
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        found = []
        for line in whole.splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found


def run_as_values(run: Run, folder: str | None, place: Place) -> dict[str, Any]:
    """A run as plain values. `folder` is where its logs and files are, below the chunk's."""
    series = {name: [_steps(one), list(one.values)] for name, one in run.series.items()}
    return {
        "seed": run.seed,
        "status": run.status.value,
        "cause": None if run.cause is None else run.cause.value,
        "detail": run.detail,
        "seconds": run.seconds,
        "forked": run.forked,
        "attempt": run.attempt,
        "folder": folder,
        "series": series,
        "place": place.as_dict(),
    }


def _steps(series: Series) -> Sequence[int] | None:
    counted = series.steps == tuple(range(1, len(series.steps) + 1))
    return None if counted else list(series.steps)


def run_from_values(values: Mapping[str, Any], attempt: int, folder: str | None) -> Run:
    """The run of which `run_as_values` gave these values, as an attempt of home's with its own folder."""
    series = {
        str(name): Series(
            tuple(range(1, len(numbers) + 1)) if steps is None else tuple(steps), tuple(map(float, numbers))
        )
        for name, (steps, numbers) in values["series"].items()
    }
    cause = values["cause"]
    return Run(
        int(values["seed"]),
        Status(values["status"]),
        series,
        0,
        attempt,
        None if cause is None else Cause(cause),
        str(values["detail"]),
        values["seconds"],
        folder,
        bool(values["forked"]),
        Place.from_dict(values["place"]),
    )
