"""Why a run ended as it did, told from its status and what it printed."""

import errno
import json
import os
import signal
from pathlib import Path

import pytest

from seedwise.results import Cause, Status
from seedwise.runs.ending import Ending, failed, killed, refused, world_failed
from seedwise.runs.tracebacks import raised_in, traceback_in
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
        (
            TRACEBACK + "NameError: name 'get_ipython' is not defined\n",
            Cause.EXCEPTION,
            "a magic command of a notebook",
        ),
        (TRACEBACK + "ModuleNotFoundError: No module named 'x'\n", Cause.MISSING, "named 'x' (in /usr/bin/python3;"),
        (TRACEBACK + "OSError: [Errno 30] Read-only file system: '/a'\n", Cause.ISOLATION, "the option share"),
        (
            TRACEBACK + f"OSError: [Errno 98] {os.strerror(errno.EADDRINUSE)}\n",
            Cause.EXCEPTION,
            "the option isolate-network",
        ),
    ],
)
def test_the_cause_of_an_exit_code(stderr: str, cause: Cause, detail: str) -> None:
    found = failed(3, stderr, "/usr/bin/python3")
    assert (found.status, found.cause, found.for_all) == (Status.FAILED, cause, False)
    assert detail in found.detail


LIBRARY = '  File "/usr/lib/python3.10/json/decoder.py", line 355, in raw_decode\n    raise E\n'


@pytest.mark.parametrize(
    ("frames", "place"),
    [
        (
            '  File "train.py", line 9, in <module>\n    fit()\n  File "model.py", line 3, in fit\n    x\n',
            "model.py:3 in fit",
        ),
        ('  File "train.py", line 9, in <module>\n    fit()\n' + LIBRARY, "train.py:9"),
        ('  File "/opt/env/lib/python3.11/site-packages/torch/nn.py", line 9, in forward\n    x\n', ""),
        ('  File "<string>", line 1, in <module>\n', ""),
    ],
)
def test_the_last_frame_in_the_users_code_is_named(frames: str, place: str) -> None:
    text = f"Traceback (most recent call last):\n{frames}ValueError: of seed 3\n"
    raised = raised_in(text)
    assert (raised.place, raised.kind) == (place, "ValueError")
    found = failed(1, text, "")
    assert found.detail == (f"{place}: ValueError: of seed 3" if place else "ValueError: of seed 3")
    assert found.alike == failed(1, text.replace("seed 3", "seed 4"), "").alike


def test_the_traceback_that_is_shown_is_the_last_one_and_fits_on_a_screen() -> None:
    assert traceback_in("noise\n" + TRACEBACK + "A: 1\n" + TRACEBACK + "B: 2\n") == (TRACEBACK + "B: 2")
    assert traceback_in("\n".join(map(str, range(30)))).splitlines() == [str(k) for k in range(20, 30)]
    deep = "Traceback (most recent call last):\n" + "  frame\n" * 500 + "RecursionError: too deep\n"
    shown = traceback_in(deep).splitlines()
    assert len(shown) < 70
    assert (shown[0], shown[-1]) == ("Traceback (most recent call last):", "RecursionError: too deep")


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
