"""Runs processes on this machine, each in its own session."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from seedwise_guest.protocol import ToForking

from ...errors import ScriptError
from ...signals import held_back
from ..forking import Forking, ForkingProcess
from . import Exit, Processes, Task


@dataclass
class _Forked:
    """A run that was forked, or will be. `pid` is 0 until the process that forks has reported it."""

    task: Task
    began: float
    pid: int = 0


class LocalProcesses:
    """Starts every task as a process, or has it forked by a process that is ready. It waits for all of them at once."""

    def __init__(self, forking: Forking | None = None) -> None:
        self._running: dict[int, tuple[subprocess.Popen[bytes], Task, float]] = {}
        self._selector = selectors.DefaultSelector()
        self._handles: dict[int, int] = {}
        self._forking = forking
        self._forked: dict[int, _Forked] = {}  # by the task's number
        self._forked_by: ForkingProcess | None = None
        self._listening: Any = None

    def start(self, task: Task, forked: bool = False) -> None:
        parent = self._follow_parent()
        if forked and parent is not None:
            request: ToForking = {
                "type": "fork",
                "id": task.number,
                "specification": str(task.specification),
                "stdout": str(task.stdout),
                "stderr": str(task.stderr),
                "arguments": list(task.command),
                "environment": {
                    k: v
                    for k, v in task.environment.items()
                    if k.startswith("SEEDWISE_") or k in ("TMPDIR", "CUDA_VISIBLE_DEVICES")
                },
            }
            self._forked[task.number] = _Forked(task, time.perf_counter())
            self._forked_by = parent
            parent.ask(request)  # if that process has ended, its channel shows it, and the task is lost
            return
        with open(task.stdout, "wb") as out, open(task.stderr, "wb") as err, held_back():
            try:
                process = subprocess.Popen(
                    list(task.argv),
                    env=dict(task.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            except OSError as error:
                raise ScriptError(f"cannot start a process for seed {task.seed}: {error.strerror or error}") from None
            self._running[process.pid] = (process, task, time.perf_counter())
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                handle = os.pidfd_open(process.pid)
                self._handles[process.pid] = handle
                self._selector.register(handle, selectors.EVENT_READ, process.pid)

    def wait(self, seconds: float) -> list[Exit]:
        deadline = time.perf_counter() + seconds
        while True:
            changed, ended = self._hear()
            ended += [self._end(pid) for pid in self._gone()]
            left = deadline - time.perf_counter()
            if ended or changed or left <= 0:
                return ended
            if len(self._handles) == len(self._running) and (self._handles or self._listening):
                self._selector.select(left)
            else:
                time.sleep(min(left, 0.01))

    def _gone(self) -> list[int]:
        """Process numbers of our processes that have ended."""
        if len(self._handles) < len(self._running):
            return [pid for pid, (process, _, _) in self._running.items() if process.poll() is not None]
        ready = [key.data for key, _ in self._selector.select(0) if key.data]
        return [pid for pid in ready if self._running[pid][0].poll() is not None]

    def _hear(self) -> tuple[bool, list[Exit]]:
        """What the process that forks reports.

        Returns whether its own state has changed, and which of its children have ended.
        """
        parent = self._follow_parent()
        changed, ended = False, []
        if self._forked and parent is not self._forked_by:  # it has ended, and its children with it
            ended = [self._end_forked(number, -signal.SIGKILL, lost=True) for number in list(self._forked)]
        if parent is None or self._forking is None:
            return changed, ended
        for message in parent.receive():
            if message["type"] == "started":
                self._forked[message["id"]].pid = message["pid"]
            elif message["type"] == "ended":
                number = next(number for number, run in self._forked.items() if run.pid == message["pid"])
                ended.append(self._end_forked(number, message["status"]))
            else:
                changed = True
                if message["type"] == "gone":
                    ended += [self._end_forked(number, -signal.SIGKILL, lost=True) for number in list(self._forked)]
                    self._listen(None)
                self._forking.heard(message)
                if self._forking.process is not parent:
                    break
        return changed, ended

    def _follow_parent(self) -> ForkingProcess | None:
        """Listen to the process that forks now.

        This is needed because the descriptor of a closed one may get another owner at once.
        """
        parent = self._forking.process if self._forking is not None else None
        channel = parent.channel if parent is not None else None
        if channel is not self._listening:
            self._listen(channel)
        return parent

    def _listen(self, channel: Any) -> None:
        if self._listening is not None:
            self._selector.unregister(self._listening)
        if channel is not None:
            self._selector.register(channel, selectors.EVENT_READ)
        self._listening = channel

    def _end_forked(self, number: int, status: int, lost: bool = False) -> Exit:
        run = self._forked.pop(number)
        if run.pid:
            _signal_session(run.pid, signal.SIGKILL)
        return Exit(number, status, time.perf_counter() - run.began, lost)

    def _end(self, pid: int) -> Exit:
        process, task, began = self._running.pop(pid)
        seconds = time.perf_counter() - began
        handle = self._handles.pop(pid, None)
        if handle is not None:
            self._selector.unregister(handle)
            os.close(handle)
        _signal_session(pid, signal.SIGKILL)  # processes that the script has left
        return Exit(task.number, process.returncode, seconds)

    def stop(self, grace: float) -> list[Exit]:
        for pid in self._pids():
            _signal_session(pid, signal.SIGTERM)
        deadline = time.perf_counter() + grace
        ended: list[Exit] = []
        try:
            while (self._running or self._forked) and time.perf_counter() < deadline:
                ended += self.wait(0.02)
        finally:  # also after a second Ctrl-C
            for pid in self._pids():
                _signal_session(pid, signal.SIGKILL)
            for process, _, _ in self._running.values():
                process.wait()
        deadline = time.perf_counter() + grace
        while self._forked and time.perf_counter() < deadline:
            ended += self.wait(0.02)
        return ended + [self._end(pid) for pid in list(self._running)]

    def stop_one(self, number: int, sign: signal.Signals) -> None:
        for pid, (_, task, _) in self._running.items():
            if task.number == number:
                _signal_session(pid, sign)
        if number in self._forked and self._forked[number].pid:
            _signal_session(self._forked[number].pid, sign)

    def _pids(self) -> list[int]:
        return [*self._running, *[run.pid for run in self._forked.values() if run.pid]]


def _signal_session(leader: int, number: signal.Signals) -> None:
    """Send a signal to a session's process group. It does no harm if the group has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


_check: type[Processes] = LocalProcesses
