"""Test cases for what starts the processes of runs."""

import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

from ..runs.processes import Exit, Processes, Task

_PATIENCE = 30.0


class ProcessCases(ABC):
    """Cases for `Processes`, on a system where Python can be started."""

    @abstractmethod
    def make(self) -> Processes:
        """Return one with nothing running."""

    def _task(self, folder: Path, number: int, text: str, seed: int = 1) -> Task:
        environment = {**os.environ, "SEEDWISE_CASE": str(number)}
        out, err = folder / f"stdout-{number}", folder / f"stderr-{number}"
        return Task(number, seed, [sys.executable, "-c", text], environment, out, err)

    def _ended(self, processes: Processes, count: int) -> dict[int, Exit]:
        found: dict[int, Exit] = {}
        until = time.monotonic() + _PATIENCE
        while len(found) < count and time.monotonic() < until:
            found.update({end.number: end for end in processes.wait(0.2)})
        return found

    def test_each_task_has_its_own_output_and_environment(self, tmp_path: Path) -> None:
        processes = self.make()
        text = "import os, sys\nprint(os.environ['SEEDWISE_CASE'])\nprint('e', file=sys.stderr)"
        for number in (1, 2, 3):
            processes.start(self._task(tmp_path, number, text))
        ended = self._ended(processes, 3)
        assert {number: end.status for number, end in ended.items()} == {1: 0, 2: 0, 3: 0}
        assert [(tmp_path / f"stdout-{n}").read_bytes() for n in (1, 2, 3)] == [b"1\n", b"2\n", b"3\n"]
        assert (tmp_path / "stderr-2").read_bytes() == b"e\n"
        assert all(end.seconds > 0 for end in ended.values())

    def test_exit_codes_and_signals_are_told_apart(self, tmp_path: Path) -> None:
        processes = self.make()
        processes.start(self._task(tmp_path, 1, "import sys; sys.exit(3)"))
        processes.start(self._task(tmp_path, 2, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
        ended = self._ended(processes, 2)
        assert (ended[1].status, ended[2].status) == (3, -signal.SIGKILL)

    def test_two_tasks_under_one_seed_are_not_confused(self, tmp_path: Path) -> None:
        processes = self.make()
        processes.start(self._task(tmp_path, 1, "import sys; sys.exit(4)", seed=7))
        processes.start(self._task(tmp_path, 2, "", seed=7))
        ended = self._ended(processes, 2)
        assert (ended[1].status, ended[2].status) == (4, 0)

    def test_one_can_be_ended_and_the_others_go_on(self, tmp_path: Path) -> None:
        processes = self.make()
        processes.start(self._task(tmp_path, 1, "import time; time.sleep(60)"))
        processes.start(self._task(tmp_path, 2, "import time; time.sleep(0.5); print('whole')"))
        processes.stop_one(1, signal.SIGKILL)
        ended = self._ended(processes, 2)
        assert (ended[1].status, ended[2].status) == (-signal.SIGKILL, 0)
        assert (tmp_path / "stdout-2").read_bytes() == b"whole\n"

    def test_stopping_leaves_no_process_behind(self, tmp_path: Path) -> None:
        processes = self.make()
        text = (
            "import signal, subprocess, sys, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
            "print(child.pid, flush=True)\ntime.sleep(60)"
        )
        processes.start(self._task(tmp_path, 1, text))
        out = tmp_path / "stdout-1"
        until = time.monotonic() + _PATIENCE
        while not out.read_bytes().endswith(b"\n") and time.monotonic() < until:
            processes.wait(0.1)
        began = time.monotonic()
        assert [end.number for end in processes.stop(0.5)] == [1]
        assert time.monotonic() - began < _PATIENCE / 2
        child, until = int(out.read_bytes()), time.monotonic() + _PATIENCE
        while _is_alive(child) and time.monotonic() < until:  # the kill takes effect a moment later
            time.sleep(0.05)
        assert not _is_alive(child)

    def test_waiting_for_nothing_returns(self) -> None:
        began = time.monotonic()
        assert self.make().wait(0.2) == []
        assert time.monotonic() - began < _PATIENCE / 2


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
