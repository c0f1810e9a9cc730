"""What the tests of engines share: a project, the command line, and what every engine must have done."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from seedwise.results import Results, Status

from .slurm_here import SlurmHere, missing

SCRIPT = """import random, time
seed = 42
random.seed(seed)
time.sleep({seconds})
print("acc =", random.random())
"""


class Shell:
    """Starts `seedwise` as somebody at a terminal would, in the project's folder."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = {**os.environ, **environment}

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "seedwise.cli", *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def run(self, *words: str, code: int | None = 0) -> str:
        process = self.start(*words)
        said, _ = process.communicate(timeout=200)
        assert code is None or process.returncode == code, said
        return said


def expected(seeds: Sequence[int]) -> dict[int, float]:
    """What the script prints: the first number of Python's generator under each seed."""
    return {seed: random.Random(seed).random() for seed in seeds}


def check_all(results: Results, seeds: Sequence[int]) -> None:
    """One record a seed, each finished, with exactly the number of a plain run; and where it was made."""
    assert [run.seed for run in results.runs] == list(seeds)
    assert {run.status for run in results.runs} == {Status.FINISHED}, [run.detail for run in results.failed]
    assert dict(results.scores("acc").by_seed) == expected(seeds)
    assert all(run.place is not None and run.place.node and run.place.processor for run in results.runs)


def wait_for(there: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.1)


@pytest.fixture
def write(project: Path) -> Callable[..., list[str]]:
    """Write the script that sleeps for some seconds; returns the command."""

    def script(seconds: float = 0.02, text: str = SCRIPT) -> list[str]:
        (project / "train.py").write_text(text.replace("{seconds}", str(seconds)))
        (project / "pyproject.toml").write_text("")  # the root of the project
        return [sys.executable, "train.py"]

    return script


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmHere]:
    assert not missing(), f"these tests take a real Slurm: apt-get install slurm-wlm (missing: {missing()})"
    assert os.geteuid() == 0, "Slurm's daemons are started by root"
    here = SlurmHere(tmp_path_factory.mktemp("slurm"), cgroups=os.path.isdir("/sys/fs/cgroup/memory"))
    try:
        yield here
    finally:
        here.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these start workers, and wait for them: they have a target of their own."""
    for item in items:
        if "tests/elsewhere/" in item.path.as_posix():
            item.add_marker(pytest.mark.elsewhere)
