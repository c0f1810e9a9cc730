"""Why a run ended as it did, told from its status and what it printed."""

import errno
import json
import os
import signal
from pathlib import Path

import pytest

from seedwise.results import Cause, Status
from seedwise.runs.ending import Ending, failed, killed, refused, world_failed
from seedwise_guest.protocol import WORLD_ERROR

TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n    f()\n'


@pytest.mark.parametrize(
    ("stderr", "cause", "detail"),
    [
        (TRACEBACK + "ValueError: bad\n", Cause.EXCEPTION, "ValueError: bad"),
        (
            TRACEBACK + "KeyError: 1\n\nDuring handling …\n\n" + TRACEBACK + "OSError: 2\n",
            Cause.EXCEPTION,
            "OSError: 2",
        ),
        (TRACEBACK + "mylib.errors.Wrong\nwith more lines", Cause.EXCEPTION, "mylib.errors.Wrong"),
        (
            "  File 'a.py', line 1\n    x =\nSyntaxError: invalid syntax\n",
            Cause.EXCEPTION,
            "SyntaxError: invalid syntax",
        ),
        ("some words\nlast words\n", Cause.EXIT, "exit code 3 (it last said: last words)"),
        ("", Cause.EXIT, "exit code 3"),
        (TRACEBACK + "MemoryError\n", Cause.MEMORY, "MemoryError"),
        (
            TRACEBACK + "torch.OutOfMemoryError: CUDA out of memory. Tried …\n",
            Cause.MEMORY,
            "torch.OutOfMemoryError: CUDA",
        ),
        (
            TRACEBACK + "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: 9\n",
            Cause.MEMORY,
            "RuntimeError",
        ),
        (TRACEBACK + "ModuleNotFoundError: No module named 'x'\n", Cause.EXCEPTION, "named 'x' (in /usr/bin/python3;"),
        (TRACEBACK + "OSError: [Errno 30] Read-only file system: '/a'\n", Cause.ISOLATION, "--share PATH"),
        (TRACEBACK + f"OSError: [Errno 98] {os.strerror(errno.EADDRINUSE)}\n", Cause.EXCEPTION, "--isolate-network"),
    ],
)
def test_the_cause_of_an_exit_code(stderr: str, cause: Cause, detail: str) -> None:
    found = failed(3, stderr, "/usr/bin/python3")
    assert (found.status, found.cause, found.for_all) == (Status.FAILED, cause, False)
    assert detail in found.detail


def test_a_kill_for_want_of_memory_is_told_from_another() -> None:
    assert killed(signal.SIGKILL, True).cause is Cause.MEMORY
    assert killed(signal.SIGKILL, False) == Ending(Status.FAILED, Cause.SIGNAL, "killed by SIGKILL")
    assert killed(signal.SIGSEGV, True).cause is Cause.SIGNAL, "memory kills with SIGKILL"


def test_what_holds_for_every_seed_is_told_by_its_kind_and_not_by_its_words(tmp_path: Path) -> None:
    assert world_failed(tmp_path) is None
    for kind, for_all in (("command", False), ("world", True)):
        (tmp_path / WORLD_ERROR).write_text(json.dumps({"kind": kind, "error": "cannot be set up"}))
        found = world_failed(tmp_path)
        assert found is not None
        assert (found.cause, found.for_all) == (Cause.ISOLATION, for_all)
    changed = refused({"kind": "changed", "reason": "…"})
    assert (changed.cause, changed.for_all) == (Cause.CHANGED, True)
    fault = refused({"kind": "fault", "reason": "a.py was changed"})
    assert (fault.cause, fault.for_all) == (Cause.NOT_ENTERED, False)
