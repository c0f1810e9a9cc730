"""Signals: their names, and a short wait for those that would come at a bad moment."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

_INTERRUPTS = ("SIGINT", "SIGTERM", "SIGHUP")
_PATIENCE = 5.0


def signal_name(number: int) -> str:
    """The name of a signal: SIGKILL for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Ctrl-C inside this block takes effect at its end.

    A process that is started and noted inside it cannot be forgotten in between. This holds for the main thread, the
    only one that Ctrl-C reaches, and for every signal that Python code handles.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        came.append((number, frame))

    try:
        for name in _INTERRUPTS:
            number = getattr(signal, name, None)
            if number is not None and callable(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, note)
        yield
    finally:
        for number, handler in sorted(before.items(), key=lambda one: one[0] == signal.SIGINT):
            signal.signal(number, handler)  # Ctrl-C last: from then on it may raise
        for number, frame in came:
            before[number](number, frame)


@contextlib.contextmanager
def session(words: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that leads a session of its own. At the end of the block, it and all in its group are killed.

    Parameters
    ----------
    words
        The command.
    options
        What `subprocess.Popen` takes.

    Raises
    ------
    OSError
        The command cannot be started.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with held_back():
            process = subprocess.Popen(words, start_new_session=True, **options)
        yield process
    finally:
        if process is not None:
            kill_session(process)
            with contextlib.suppress(subprocess.TimeoutExpired):  # one of another user cannot be killed
                process.wait(_PATIENCE)


def kill_session(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that leads a session, and all in its group. It does no harm if they have ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
