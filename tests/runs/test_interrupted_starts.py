"""Ctrl-C at the worst moment: a process has been started, and nobody has noted it yet. None is left, whoever starts it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from seedwise.experiments.options import Mode, Options
from seedwise.experiments.site_reading import in_place, read_sites
from seedwise.runs.processes import Task
from seedwise.runs.processes.local import LocalProcesses
from seedwise.signals import held_back, session

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Process numbers. Each process is followed by a Ctrl-C before `subprocess` has returned it."""
    pids: list[int] = []
    original = subprocess.Popen.__init__

    def interrupted(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        pids.append(self.pid)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)  # Python handles the signal here, at the latest

    monkeypatch.setattr(subprocess.Popen, "__init__", interrupted)
    return pids


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def in_a_session() -> None:
    with session(SLEEPS):
        time.sleep(60)


def reading_the_source() -> None:
    Path("train.py").write_text("import time\ntime.sleep(60)\n")
    read_sites([sys.executable, "train.py"], dict(os.environ), Options(), Mode.SUBSTITUTE, in_place)


@pytest.mark.parametrize("start", [in_a_session, reading_the_source])
def test_a_process_that_is_interrupted_while_it_starts_is_killed(
    start: Callable[[], None], started: list[int], project: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        start()
    assert len(started) == 1
    assert not is_alive(started[0])


def test_a_run_that_is_interrupted_while_it_starts_is_known_and_stopped(started: list[int], tmp_path: Path) -> None:
    processes = LocalProcesses()
    task = Task(1, 7, SLEEPS, dict(os.environ), tmp_path / "o", tmp_path / "e")
    with pytest.raises(KeyboardInterrupt):
        processes.start(task)
    assert [exit_.number for exit_ in processes.stop(5.0)] == [1]
    assert not is_alive(started[0])


def test_signals_take_effect_at_the_end_and_in_their_order() -> None:
    seen: list[str] = []
    before = [signal.signal(number, lambda n, _: seen.append(signal.Signals(n).name)) for number in NUMBERS]
    try:
        with held_back():
            for number in NUMBERS:
                os.kill(os.getpid(), number)
            time.sleep(0)
            seen.append("end of the block")
        assert seen == ["end of the block", "SIGINT", "SIGTERM"]
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
        assert seen[-1] == "SIGINT"
    finally:
        for number, handler in zip(NUMBERS, before, strict=True):
            signal.signal(number, handler)


NUMBERS: Sequence[int] = (signal.SIGINT, signal.SIGTERM)


def test_other_threads_start_processes_as_ever() -> None:
    ended: list[int] = []

    def start() -> None:
        with session([sys.executable, "-c", "pass"]) as process:
            ended.append(process.wait())

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert ended == [0]
