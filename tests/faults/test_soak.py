"""Fifteen hundred seeds while runs, the process that forks and the supervisor are killed at random, with resume after each."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.errors import SeedwiseError
from seedwise.results import Cause, Status

from .test_faults import MARK, leftovers, start, until

N, FILES = 1500, 20
TEXT = f"""
import random
random.seed(42)
for k in range({FILES}):
    with open(f"out-{{k}}.txt", "w") as file:
        file.write(str(random.random()))
print("acc =", random.random())
"""
MOST = {"supervisor": 25, "forking process": 30, "run": 80}
"""Signals of each kind: 135 in all."""


def processes() -> tuple[list[int], list[int]]:
    """The processes that fork, and the runs, that are there now."""
    parents, runs = [], []
    here = os.getcwd()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(place / "cwd") != here:
                continue  # another test's
            environment = (place / "environ").read_bytes()
            if b"SEEDWISE_PREFORK=" in environment:
                parents.append(int(place.name))
            elif b"SEEDWISE_SPOOL=" in environment:
                runs.append(int(place.name))
        except OSError:
            continue
    # a forked run still shows its parent's environment: it is the one that has a session of its own, and such a parent
    forked = []
    for process in parents:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        if int(fields[1]) in parents and int(fields[3]) == process:
            forked.append(process)
    return [p for p in parents if p not in forked], runs + forked


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_soak(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARK, str(project))
    Path("train.py").write_text(TEXT)
    dice = random.Random(20261121)
    counts = {"supervisor": 0, "forking process": 0, "run": 0}
    words = ["run", "-n", str(N), "--", sys.executable, "train.py"]
    process: subprocess.Popen[bytes] | None = None
    while True:
        if process is None:
            with open("../said", "w") as said:
                process = subprocess.Popen(
                    [sys.executable, "-m", "seedwise.cli", *words], stdout=subprocess.DEVNULL, stderr=said
                )
        time.sleep(dice.uniform(0.05, 0.4))
        if process.poll() is not None:
            process.communicate()
            if (
                "killed by SIGKILL before it could report" in Path("../said").read_text()
            ):  # the process that reads the source
                process = None
                continue
            break
        target = dice.choice(["supervisor", "forking process", "run", "run"])
        try:
            if counts[target] >= MOST[target]:
                continue
            if target == "supervisor":
                os.kill(process.pid, signal.SIGKILL)
                process.communicate()
                process = None
                until(lambda: not leftovers(), 10)
            else:
                parents, runs = processes()
                victims = parents if target == "forking process" else runs
                if not victims:
                    continue
                os.kill(dice.choice(victims), signal.SIGKILL)
            counts[target] += 1
        except (OSError, SeedwiseError):
            continue
    results = sw.load("train")
    failed = {run.seed for run in results.failed}
    assert all(run.cause is Cause.SIGNAL and "SIGKILL" in run.detail for run in results.failed)
    assert len(failed) <= counts["run"]
    while sw.load("train").failed:
        done = start(["resume", "train", "--failed", "--json"])
        done.communicate()
    results = sw.load("train")
    assert [run.seed for run in results.runs] == list(range(1, N + 1))
    assert {run.status for run in results.runs} == {Status.FINISHED}
    expected, whole = {}, {}
    for seed in range(1, N + 1):
        draw = random.Random(seed).random
        whole[seed] = [str(draw()) for _ in range(FILES)]
        expected[seed] = draw()
    assert dict(results.scores("acc").by_seed) == expected
    kept = {
        r.seed: [Path(str(r.folder), "files", f"out-{k}.txt").read_text() for k in range(FILES)] for r in results.runs
    }
    assert kept == whole
    assert leftovers() == []
    with capsys.disabled():
        print(f"\nsoak: {N} seeds, killed: {counts}; {len(failed)} seeds failed by it and were rerun")
