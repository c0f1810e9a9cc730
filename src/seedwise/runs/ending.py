"""Why a run ended as it did: its cause, and the words for it."""

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path

from seedwise_guest.protocol import WORLD_ERROR, Refused

from ..results import Cause, Status
from ..signals import signal_name
from .tracebacks import Raised, raised_in


@dataclass(frozen=True)
class Ending:
    """How one attempt ended."""

    status: Status
    cause: Cause | None = None
    detail: str = ""
    alike: str = ""
    """What it shares with failures of other seeds though their messages differ; "" where only the detail tells them apart."""
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
        detail = f"killed by {name}: the system ran out of memory; fewer runs at a time need less (the option jobs)"
        return Ending(Status.FAILED, Cause.MEMORY, detail)
    return Ending(Status.FAILED, Cause.SIGNAL, f"killed by {name}")


# A detail is stored, and read at the command line and in Python: it names options in neither's words.


def failed(code: int, stderr: str, python: str) -> Ending:
    """The ending of a run with an exit code above 0.

    Parameters
    ----------
    stderr
        What the run printed on standard error.
    python
        The interpreter. It is named if a module is missing; "" if it is not known.
    """
    raised, last = raised_in(stderr), _last_line(stderr)
    said = raised.text or last
    if "Read-only file system" in said:
        hint = " (outside the folders that are private to a run: the option share allows it)"
        return Ending(Status.FAILED, Cause.ISOLATION, (raised.sentence or last) + hint)
    if _ADDRESS in said:
        hint = " (another run has the port: the option isolate-network gives each run a network of its own, the option jobs runs one at a time)"
        return Ending(Status.FAILED, Cause.EXCEPTION, (raised.sentence or last) + hint, alike=_alike(raised))
    if raised.kind == "ModuleNotFoundError":
        hint = f" (in {python}; another python is named in the command, or put first on PATH)" if python else ""
        return Ending(Status.FAILED, Cause.MISSING, raised.sentence + hint, alike=_alike(raised))
    if raised.kind == "NameError" and "'get_ipython'" in raised.text:
        hint = " (a magic command of a notebook: take the line out, or run the file with ipython)"
        return Ending(Status.FAILED, Cause.EXCEPTION, raised.sentence + hint, alike=_alike(raised))
    if _wants_memory(stderr, raised.text):
        return Ending(Status.FAILED, Cause.MEMORY, raised.sentence, alike=_alike(raised))
    if raised.text:
        return Ending(Status.FAILED, Cause.EXCEPTION, raised.sentence, alike=_alike(raised))
    detail = f"exit code {code}" + (f" (it last said: {last})" if last else "")
    return Ending(Status.FAILED, Cause.EXIT, detail)


def _alike(raised: Raised) -> str:
    """What two failures have in common that differ in their messages only."""
    return f"{raised.kind} at {raised.place}" if raised.place else ""


_ADDRESS = os.strerror(errno.EADDRINUSE)
_NO_MEMORY = ("CUDA out of memory", "CUDA error: out of memory", "DefaultCPUAllocator: can't allocate memory")
_MEMORY_ERRORS = ("MemoryError", "numpy.exceptions._ArrayMemoryError", "numpy._core._exceptions._ArrayMemoryError")


def _wants_memory(stderr: str, exception: str) -> bool:
    if any(words in stderr[-5000:] for words in _NO_MEMORY):
        return True
    return exception.startswith(_MEMORY_ERRORS) or "OutOfMemoryError" in exception.partition(":")[0]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
