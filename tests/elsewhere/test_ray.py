"""A real Ray cluster of one node."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.runs.executors import Executor
from seedwise.runs.executors.choosing import Where, make_executor, where
from seedwise.testing import ExecutorCases

from .conftest import Shell, check_all, wait_for

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(300)]
Write = Callable[..., list[str]]


@dataclass
class RayHere:
    """`address` is the cluster's, `client` that of its server for clients on other machines."""

    address: str
    client: str


@pytest.fixture(scope="module")
def ray_here() -> Iterator[RayHere]:
    """Start a cluster."""
    from .slurm_here import free_port

    folder = Path("/var/tmp") / f"ray-{os.getpid()}"  # a socket's path may not be long
    port, client = free_port(), free_port()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", f"--port={port}", "--num-cpus=2",
            f"--ray-client-server-port={client}",
            "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}", "--resources={\"seat\": 4}",
            "--object-store-memory=100000000", "--min-worker-port=0", "--max-worker-port=0",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        here = RayHere(f"127.0.0.1:{port}", f"127.0.0.1:{client}")
        wait_for(lambda: _answers(here.address) and _answers(here.client), 90)
        yield here
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
        subprocess.run(["rm", "-rf", str(folder)], check=False)


def _answers(address: str) -> bool:
    import socket

    host, _, port = address.partition(":")
    try:
        with socket.create_connection((host, int(port)), 1):
            return True
    except OSError:
        return False


def _finished(folder: Path) -> int:
    text = Shell(folder).run("show", "train", "--json", code=None)
    return int(json.loads(text)["finished"]) if text.startswith("{") else 0


@pytest.mark.parametrize(("by_client", "seeds"), [(False, 200), (True, 30)])
def test_a_killed_command_is_taken_over_on_the_cluster_and_from_outside_it(
    project: Path, write: Write, ray_here: RayHere, by_client: bool, seeds: int
) -> None:
    on = f"ray://{ray_here.client}" if by_client else "ray"
    shell = Shell(project, **({} if by_client else {"RAY_ADDRESS": ray_here.address}))
    words = ["--on", on, "--resources", "seat=1", "--seeds-per-task", str(seeds // 4), "-n", str(seeds)]
    first = shell.start("run", *words, "--", *write(0.02 if seeds > 100 else 0.3))
    wait_for(lambda: _finished(project) >= 5, 120)  # Ray starts a server for each client, for which it takes up to 30 s
    first.kill()
    first.communicate()
    shell.run("resume", "train")
    results = sw.load("train")
    check_all(results, range(1, seeds + 1))
    assert list((project / ".seedwise" / "away").iterdir()) == []


def test_a_killed_worker_costs_its_unfinished_seeds_only(
    project: Path, write: Write, ray_here: RayHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", ray_here.address)
    killed: list[int] = []

    def kill(event: object) -> None:
        if type(event).__name__ == "Ended" and not killed:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                words = path.read_bytes().split(b"\0") if path.exists() else []
                if b"seedwise.worker" in words and str(project).encode() in b" ".join(words):
                    killed.append(int(path.parent.name))
                    os.kill(killed[-1], 9)

    results = sw.run_script(write(0.2), range(1, 7), on=sw.where("ray", seeds_per_task=6), tell=kill)
    assert killed
    check_all(results, range(1, 7))


def test_no_cluster_is_said(project: Path, write: Write) -> None:
    shell = Shell(project, RAY_ADDRESS="127.0.0.1:9")
    said = shell.run("run", "--on", "ray", "-n", "2", "--", *write(), code=2)
    assert "no Ray cluster answers on this machine (`ray start --head` starts one)" in said


class TestContract(ExecutorCases):
    @pytest.fixture(autouse=True)
    def _ray(self, ray_here: RayHere, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAY_ADDRESS", ray_here.address)

    def where(self) -> Where:
        return where("ray", seeds_per_task=4)

    def make(self) -> Executor:
        return make_executor(self.where(), None, 1)
