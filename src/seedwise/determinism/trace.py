"""What one checked process left."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..runs.file_contents import Content

Op = tuple[str, tuple[int, ...], tuple[int, ...], int, str, str]
"""Name; digests of outputs; digests of inputs from outside; digest of the generator's state (0 if it needs none);
the user's line; the module.
"""


@dataclass(frozen=True)
class Trace:
    """One process: how it ended, what it printed and logged, its parameters after each step, its generators.

    Attributes
    ----------
    status
        Exit status as `subprocess` gives it; None after a timeout.
    logged
        Metrics that were given to `seedwise.log` or that a function returned: name → values.
    files
        Digest of each small file that the process wrote, by path without dates and identifiers; also of arrays that a
        function returned.
    contents
        Text or numbers of the smallest of these files.
    steps
        A crc32 of all parameters after each optimizer step, or after each epoch of Keras (`unit`); uint32, shape
        (steps,).
    parameters
        All parameters at the end as float32, shape (n,). None if there was no optimizer.
    ops
        The operations of the recorded step.
    facts
        What the program did that could make two runs differ, each with the first line that did it.
    workers
        What DataLoader workers reported about generators that their data set holds.
    aside
        What other threads and other processes of a pool printed: it has no order.
    numbers, words
        The numbers of processes and threads, and the names that the system drew, by which they are known in a text.
    checksums
        Those of the files that it wrote, in hexadecimal and sorted: a program may print one of a file with a date in it.
    measured
        The lines that a profile of the program says, as they are and with masks.
    warned
        The texts of Python's warnings.
    readings
        What was read from clocks and from the rest of the machine: process → kind and thread → readings.
    looked
        Files that were looked for, not found, and then written: path → the line that looked.
    renamed
        Names of files that stand under those that they have in another run: see `with_paired_names`.
    called
        Names of folders and files of this run → those that they have in another run: see `with_paired_names`.
    settings
        What was set from outside, and a program may print: its number of threads, PYTHONHASHSEED.
    resuming
        What a training that `check --resume` follows has seen: see `Following.as_dict`.
    """

    status: int | None
    stdout: str
    stderr: str
    logged: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    contents: Mapping[str, Content] = field(default_factory=dict)
    steps: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    parameters: NDArray[np.float32] | None = None
    ops: tuple[Op, ...] = ()
    ledger: tuple[Mapping[str, Any], ...] = ()
    generators: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    workers: tuple[Mapping[str, Any], ...] = ()
    loaded: tuple[str, ...] = ()
    seconds: float = 0.0
    unit: str = "step"
    aside: str = ""
    numbers: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    readings: Mapping[str, Any] = field(default_factory=dict)
    looked: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    processor_seconds: float = 0.0
    renamed: frozenset[str] = frozenset()
    measured: frozenset[str] = frozenset()
    checksums: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    resuming: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> str:
        """How it failed; "" if it ended well."""
        if self.status is None:
            return "did not end in time"
        if self.status < 0:
            return f"was killed by signal {-self.status}"
        if self.status:
            last = self.stderr[-4000:].strip().splitlines()
            return f"ended with exit code {self.status}" + (f": {last[-1][:200]}" if last else "")
        return ""

    def save(self, path: Path) -> None:
        """Write the trace to one file that another machine can read. It holds numbers and text only."""
        data = {
            "status": self.status,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "logged": {k: list(v) for k, v in self.logged.items()},
            "files": dict(self.files),
            "ledger": [dict(e) for e in self.ledger],
            "facts": dict(self.facts),
            "generators": dict(self.generators),
            "unit": self.unit,
            "aside": self.aside,
            "numbers": sorted(self.numbers),
            "words": list(self.words),
            "checksums": list(self.checksums),
            "command": list(self.command),
        }
        empty = np.zeros(0, np.float32)
        with open(path, "wb") as file:
            np.savez_compressed(
                file,
                text=np.frombuffer(json.dumps(data).encode(), np.uint8),
                steps=self.steps,
                parameters=empty if self.parameters is None else self.parameters,
            )

    @classmethod
    def load(cls, path: Path) -> "Trace":
        """Read a trace that `save` wrote. Raises ValueError for a file that is not a trace."""
        try:
            with np.load(path, allow_pickle=False) as found:
                data = json.loads(bytes(found["text"]).decode())
                steps, parameters = found["steps"], found["parameters"]
            return cls(
                data["status"],
                data["stdout"],
                data["stderr"],
                {k: tuple(v) for k, v in data["logged"].items()},
                data["files"],
                {},
                steps,
                parameters if parameters.size else None,
                (),
                tuple(data["ledger"]),
                data["generators"],
                data["facts"],
                unit=data.get("unit", "step"),
                aside=data.get("aside", ""),
                numbers=frozenset(data.get("numbers", ())),
                words=tuple(data.get("words", ())),
                checksums=tuple(data.get("checksums", ())),
                command=tuple(data.get("command", ())),
            )
        except (OSError, EOFError, BadZipFile, zlib.error, LookupError, AttributeError, ValueError, TypeError) as error:
            raise ValueError(f"{path} is no trace that `seedwise check --save-trace` wrote") from error
