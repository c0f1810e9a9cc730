"""Why a run ended as it did: its cause, and the words for it."""

import errno
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from seedwise_guest.protocol import WORLD_ERROR, Refused

from ..results import Cause, Status
from ..signals import signal_name


@dataclass(frozen=True)
class Ending:
    """How one attempt ended."""

    status: Status
    cause: Cause | None = None
    detail: str = ""
    for_all: bool = False
    """Whether every other seed would end in the same way. If so, no other is started."""


def world_failed(spool: Path) -> Ending | None:
    """The ending of a run whose private files could not be set up, or whose command could not be started.

    None if the launcher reported neither.
    """
    path = spool / WORLD_ERROR
    if not path.exists():
        return None
    error = json.loads(path.read_text(encoding="utf-8"))
    if error["kind"] == "command":
        return Ending(Status.FAILED, Cause.ISOLATION, f"the command cannot be started: {error['error']}")
    detail = f"its private files cannot be set up: {error['error']}"
    return Ending(Status.FAILED, Cause.ISOLATION, detail, for_all=True)


def refused(message: Refused) -> Ending:
    """The ending of a run in which a process refused to run and said why."""
    changed = message["kind"] == "changed"
    return Ending(Status.FAILED, Cause.CHANGED if changed else Cause.NOT_ENTERED, message["reason"], for_all=changed)


def killed(signal: int, out_of_memory: bool) -> Ending:
    """The ending of a run that a signal ended.

    `out_of_memory` says that the system killed a process in the meantime because memory ran out.
    """
    name = signal_name(signal)
    if name == "SIGKILL" and out_of_memory:
        detail = f"killed by {name}: the system ran out of memory; fewer --jobs need less"
        return Ending(Status.FAILED, Cause.MEMORY, detail)
    return Ending(Status.FAILED, Cause.SIGNAL, f"killed by {name}")


def failed(code: int, stderr: str, python: str) -> Ending:
    """The ending of a run with an exit code above 0.

    Parameters
    ----------
    stderr
        What the run printed on standard error.
    python
        The interpreter. It is named if a module is missing; "" if it is not known.
    """
    exception, last = _exception(stderr), _last_line(stderr)
    said = exception or last
    if "Read-only file system" in said:
        hint = " (outside the folders that are private to a run: allow it with --share PATH)"
        return Ending(Status.FAILED, Cause.ISOLATION, said + hint)
    if _ADDRESS in said:
        hint = " (another run has the port: --isolate-network gives each run a network of its own, --jobs 1 runs one at a time)"
        return Ending(Status.FAILED, Cause.EXCEPTION, said + hint)
    if exception.startswith("ModuleNotFoundError") and python:
        exception += f" (in {python}; another python is named in the command, or put first on PATH)"
    if _wants_memory(stderr, exception):
        return Ending(Status.FAILED, Cause.MEMORY, exception)
    if exception:
        return Ending(Status.FAILED, Cause.EXCEPTION, exception)
    return Ending(Status.FAILED, Cause.EXIT, f"exit code {code}" + (f" (it last said: {last})" if last else ""))


_ADDRESS = os.strerror(errno.EADDRINUSE)
_NO_MEMORY = ("CUDA out of memory", "CUDA error: out of memory", "DefaultCPUAllocator: can't allocate memory")
_MEMORY_ERRORS = ("MemoryError", "numpy.exceptions._ArrayMemoryError", "numpy._core._exceptions._ArrayMemoryError")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Iteration)(?::|$)")


def _wants_memory(stderr: str, exception: str) -> bool:
    if any(words in stderr[-5000:] for words in _NO_MEMORY):
        return True
    return exception.startswith(_MEMORY_ERRORS) or "OutOfMemoryError" in exception.partition(":")[0]


def _exception(text: str) -> str:
    """The exception with which a process ended, as its traceback names it; "" if there is none."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    heads = [k for k, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    if heads:
        for line in lines[heads[-1] + 1 :]:
            if not line.startswith((" ", "\t")):
                return line[:300]
    for line in reversed(lines[-5:]):  # a SyntaxError has no such first line
        if _EXCEPTION.match(line):
            return line[:300]
    return ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
