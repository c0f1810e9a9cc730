"""Processes on this machine, each in a session of its own."""

import contextlib
import os
import selectors
import signal
import subprocess
import time

from ...errors import ScriptError
from . import Executor, Exit, Task


class LocalExecutor:
    """Starts every task as a process; waits on all of them at once."""

    def __init__(self) -> None:
        self._running: dict[int, tuple[subprocess.Popen[bytes], Task, float]] = {}
        self._selector = selectors.DefaultSelector()
        self._handles: dict[int, int] = {}

    def start(self, task: Task) -> None:
        with open(task.stdout, "wb") as out, open(task.stderr, "wb") as err:
            try:
                process = subprocess.Popen(
                    list(task.argv), env=dict(task.environment), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                    start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise ScriptError(f"cannot start a process for seed {task.seed}: {error.strerror or error}") from None
        self._running[process.pid] = (process, task, time.perf_counter())
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                handle = os.pidfd_open(process.pid)
                self._handles[process.pid] = handle
                self._selector.register(handle, selectors.EVENT_READ)

    def wait(self, seconds: float) -> list[Exit]:
        deadline = time.perf_counter() + seconds
        while True:
            ended = [
                self._end(pid) for pid, (process, _, _) in list(self._running.items()) if process.poll() is not None
            ]
            left = deadline - time.perf_counter()
            if ended or left <= 0:
                return ended
            if len(self._handles) == len(self._running) > 0:
                self._selector.select(left)
            else:
                time.sleep(min(left, 0.01))

    def _end(self, pid: int) -> Exit:
        process, task, began = self._running.pop(pid)
        seconds = time.perf_counter() - began
        handle = self._handles.pop(pid, None)
        if handle is not None:
            self._selector.unregister(handle)
            os.close(handle)
        _signal_session(pid, signal.SIGKILL)  # what the script left behind
        return Exit(task.seed, process.returncode, seconds)

    def stop(self, grace: float) -> list[Exit]:
        for pid in self._running:
            _signal_session(pid, signal.SIGTERM)
        deadline = time.perf_counter() + grace
        try:
            while self._running_still() and time.perf_counter() < deadline:
                time.sleep(0.02)
        finally:  # also after a second Ctrl-C
            for pid, (process, _, _) in self._running.items():
                _signal_session(pid, signal.SIGKILL)
                process.wait()
        return [self._end(pid) for pid in list(self._running)]

    def _running_still(self) -> bool:
        return any(process.poll() is None for process, _, _ in self._running.values())


def _signal_session(leader: int, number: signal.Signals) -> None:
    """Signal a session's process group; gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


_check: type[Executor] = LocalExecutor
