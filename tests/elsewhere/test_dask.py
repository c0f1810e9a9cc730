"""A real Dask scheduler with two workers, each in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.errors import UsageError
from seedwise.results import Status
from seedwise.runs.executors import Executor
from seedwise.runs.executors.choosing import Where, make_executor, where
from seedwise.testing import ExecutorCases

from .conftest import Shell, check_all, wait_for

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(200), pytest.mark.filterwarnings("ignore")]
Write = Callable[..., list[str]]


class DaskHere:
    """A scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start(
            "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(self._file)
        )
        wait_for(lambda: self._file.exists() and self._file.read_text())
        self.address = str(json.loads(self._file.read_text())["address"])
        self.workers = [self.start_worker(), self.start_worker()]

    def _start(self, module: str, *words: str, before: tuple[str, ...] = ()) -> "subprocess.Popen[bytes]":
        with open(self.folder / f"{module}-{len(self._processes)}.log", "wb") as log:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", module, *words], stdout=log, stderr=log, cwd=self.folder
            )
        self._processes.append(process)
        return process

    def start_worker(self, *before: str) -> "subprocess.Popen[bytes]":
        words = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60"]
        return self._start("distributed.cli.dask_worker", self.address, *words, before=before)

    def close(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskHere]:
    here = DaskHere(tmp_path_factory.mktemp("dask"))
    try:
        yield here
    finally:
        here.close()


def _finished(folder: Path) -> int:
    text = Shell(folder).run("show", "train", "--json", code=None)
    return int(json.loads(text)["finished"]) if text.startswith("{") else 0


def test_two_hundred_seeds_a_killed_worker_and_a_killed_command(project: Path, write: Write, dask: DaskHere) -> None:
    shell = Shell(project)
    words = ["--on", dask.address.replace("tcp", "dask"), "--seeds-per-task", "40", "-n", "200"]
    first = shell.start("run", *words, "--", *write(0.02))
    wait_for(lambda: _finished(project) >= 10)
    first.kill()
    first.communicate()
    dask.workers[0].kill()
    dask.workers[0] = dask.start_worker()
    shell.run("resume", "train")
    results = sw.load("train")
    check_all(results, range(1, 201))
    assert list((project / ".seedwise" / "away").iterdir()) == []


def test_a_client_of_the_callers_runs_functions(project: Path, dask: DaskHere) -> None:
    import random

    from distributed import Client

    with Client(dask.address) as client:
        results = sw.run(lambda seed, lr: {"acc": random.random(), "lr": lr * seed}, range(1, 9), config={"lr": 2},
                         on=sw.where(client, seeds_per_task=4), name="train")  # fmt: skip
        check_all(results, range(1, 9))
        assert dict(results.scores("lr").by_seed) == {seed: 2.0 * seed for seed in range(1, 9)}
        assert client.list_datasets() == ()
        family = sw.run_grid(
            lambda seed, lr: seed * lr, range(1, 4), {"lr": [1, 2]}, on=sw.where(client, seeds_per_task=3), name="grid"
        )
        assert sorted(family.members) == ["grid lr=1", "grid lr=2"]


def test_cancelled_with_ctrl_c_nothing_is_left_running(project: Path, write: Write, dask: DaskHere) -> None:
    from seedwise.runs.asking import Leave
    from seedwise.runs.executors.choosing import where_asked
    from seedwise.runs.request import Request
    from seedwise.runs.sweep import execute

    asked: list[str] = []
    ended: list[object] = []

    def cancel(what: str) -> Leave:
        asked.append(what)
        return Leave.CANCEL

    def interrupt(event: object) -> None:
        if type(event).__name__ == "Ended":
            ended.append(event)
            if len(ended) == 1:  # several end at once, and a second Ctrl-C would stop everything without a question
                os.kill(os.getpid(), signal.SIGINT)

    request = Request(write(0.5), range(1, 41), on=where_asked(dask.address, seeds_per_task=10), ask=cancel)
    outcome = execute(request, None, interrupt)
    assert outcome.interrupted
    assert re.search(r"\d+ seeds are queued or running: Dask", asked[0])
    statuses = {run.status for run in outcome.results.runs}
    assert statuses == {Status.FINISHED, Status.INTERRUPTED}
    time.sleep(2)
    marked = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"seedwise.worker" in _read(path)]
    assert not [path for path in marked if str(project).encode() in _read(path)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_worker_that_does_not_see_the_folder_is_found(project: Path, write: Write, dask: DaskHere) -> None:
    hide = f'mount -t tmpfs none {project.parent} && exec "$@"'
    blind = dask.start_worker("unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh")
    from distributed import Client

    with Client(dask.address) as client:
        wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 3)
        try:
            with pytest.raises(UsageError, match=r"does not see .* need a folder that all machines share"):
                sw.run_script(write(), range(1, 4), on=client)
        finally:
            blind.terminate()
            blind.wait()
            wait_for(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == 2)


def test_no_scheduler_is_said(project: Path, write: Write) -> None:
    said = Shell(project).run("run", "--on", "dask://127.0.0.1:9", "-n", "2", "--", *write(), code=2)
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in said


class TestContract(ExecutorCases):
    @pytest.fixture(autouse=True)
    def _dask(self, dask: DaskHere) -> None:
        self.address = dask.address

    def where(self) -> Where:
        return where(self.address, seeds_per_task=4)

    def make(self) -> Executor:
        return make_executor(self.where(), None, 1)
