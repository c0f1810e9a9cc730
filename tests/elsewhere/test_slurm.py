"""A real Slurm: slurmctld, slurmd and munged, started for these tests."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.results import Cause, Status
from seedwise.runs.executors import Executor
from seedwise.runs.executors.choosing import Where, make_executor, where
from seedwise.testing import ExecutorCases

from .conftest import SCRIPT, Shell, check_all, wait_for
from .slurm_here import SlurmHere

pytestmark = [pytest.mark.slow, pytest.mark.slurm, pytest.mark.timeout(240)]
Write = Callable[..., list[str]]
QUICK = ["--slurm", "poll=1,lag=3"]


@pytest.fixture
def shell(project: Path, slurm: SlurmHere, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("SLURM_CONF", str(slurm.conf))
    return Shell(project)


def _states(slurm: SlurmHere, *fields: str) -> list[str]:
    return slurm.ask("squeue", "-h", "-r", "-t", "all", "-o", "|".join(fields or ("%T",))).split("\n")[:-1]


def _finished(project: Path) -> int:
    try:
        with sqlite3.connect(project / ".seedwise" / "store.sqlite") as db:
            return int(db.execute("SELECT count(*) FROM runs WHERE status = 'finished'").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _hurried(slurm: SlurmHere, process: "subprocess.Popen[str]") -> str:
    """Wait for a command. Slurm holds a job that it queues again for two minutes; here it may begin at once."""
    while process.poll() is None:
        for line in slurm.ask("squeue", "-h", "-r", "-t", "pending", "-o", "%F_%K|%r").split("\n"):
            if line.endswith("|BeginTime"):
                slurm.ask("scontrol", "update", f"jobid={line.partition('|')[0]}", "starttime=now")
        time.sleep(1)
    assert process.stdout is not None
    said = process.stdout.read()
    process.stdout.close()
    return said


def _running(slurm: SlurmHere) -> list[str]:
    lines = slurm.ask("squeue", "-h", "-r", "-t", "running", "-o", "%F_%K|%j").split("\n")
    return [line.partition("|")[0] for line in lines if "|seedwise-" in line and "|seedwise-probe" not in line]


def test_two_hundred_seeds_survive_what_happens_on_a_cluster(
    project: Path, write: Write, slurm: SlurmHere, shell: Shell
) -> None:
    """One job is requeued, one worker killed, the submitting command killed; another collects. One record a seed."""
    words = ["run", "--on", "slurm", *QUICK, "--seeds-per-task", "20", "-n", "200", "--", *write(0.1)]
    first = shell.start(*words)
    wait_for(lambda: _finished(project) >= 5)
    arrays = {line.partition("_")[0] for line in _running(slurm)}
    one, other = _running(slurm)[:2]
    slurm.ask("scontrol", "requeue", one)
    pid = next(
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and f"--job\0{other}\0".encode() in _command(path) and b"bash" not in _command(path)[:10]
    )
    os.kill(pid, signal.SIGKILL)
    first.kill()
    first.communicate()
    time.sleep(3)
    second = shell.start("resume", "train")
    said = _hurried(slurm, second)
    assert second.returncode == 0, said
    results = sw.load("train")
    check_all(results, range(1, 201))
    assert {run.place.job.partition("_")[0] for run in results.runs if run.place is not None} >= arrays
    assert len({run.place.job for run in results.runs if run.place is not None}) >= 10  # two arrays: MaxArraySize is 8
    assert list((project / ".seedwise" / "away").iterdir()) == []


def _command(path: Path) -> bytes:
    try:
        return (path / "cmdline").read_bytes()
    except OSError:
        return b""


def test_scancel_is_named_and_resume_gives_the_seeds_out_again(
    project: Path, write: Write, slurm: SlurmHere, shell: Shell
) -> None:
    process = shell.start("run", "--on", "slurm", *QUICK, "--seeds-per-task", "8", "-n", "16", "--", *write(1.0))
    wait_for(lambda: _finished(project) >= 1)
    name = _running(slurm)[0]
    slurm.ask("scancel", name)
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 3, said
    assert f"job {name} was cancelled (with scancel, or by an administrator)" in said
    left = [run for run in sw.load("train").runs if run.status is not Status.FINISHED]
    assert 1 <= len(left) <= 8
    assert all(run.status is Status.INTERRUPTED and "cancelled" in run.detail for run in left)
    shell.run("resume", "train")
    check_all(sw.load("train"), range(1, 17))


STEPS = """import os, time
seed = 42
start = int(open("ckpt/last").read()) if os.path.exists("ckpt/last") else 0
for step in range(start, {steps}):
    time.sleep(0.2)
    os.makedirs("ckpt", exist_ok=True)
    with open("ckpt/new", "w") as f: f.write(str(step + 1))
    os.replace("ckpt/new", "ckpt/last")
print("acc =", seed + 0.5)
print("started =", start)
"""


def test_at_the_time_limit_a_run_goes_on_from_its_checkpoint_and_has_failed_without_one(
    project: Path, write: Write, slurm: SlurmHere, shell: Shell
) -> None:
    limit = ["--slurm", "poll=1,lag=3,time=1", "--seeds-per-task", "1"]
    (project / "steps.py").write_text(STEPS.replace("{steps}", "400"))  # 80 seconds
    words = ["run", "--on", "slurm", *limit, "--checkpoints", "ckpt", "-n", "1", "--name", "steps"]
    process = shell.start(*words, "--", sys.executable, "steps.py")
    wait_for((project / ".seedwise" / "store.sqlite").exists)
    text = SCRIPT.replace("time.sleep({seconds})", "time.sleep(200 if seed == 3 else 0)")
    words = [*limit, "--seeds", "1,2,3", "--keep-going"]
    shell.run("run", "--on", "slurm", *words, "--", *write(0, text), code=3)
    runs = {run.seed: run for run in sw.load("train").runs}
    assert {seed: run.cause for seed, run in runs.items()} == {1: None, 2: None, 3: Cause.TIMEOUT}
    assert "time limit of its job, 60 s" in runs[3].detail
    said = _hurried(slurm, process)
    assert process.returncode == 0, said
    results = sw.load("steps")  # by the same job; by another if Slurm asked it to end long before its limit, as it may
    assert dict(results.scores("acc").by_seed) == {1: 1.5}
    assert results.scores("started").by_seed[1] > 100


def test_a_preempted_run_goes_on_from_its_checkpoint(
    project: Path, write: Write, slurm: SlurmHere, shell: Shell
) -> None:
    words = ["run", "--on", "slurm", *QUICK, "--slurm", "cpus-per-task=4", "--checkpoints", "ckpt", "-n", "2"]
    process = shell.start(*words, "--", *write(0, STEPS.replace("{steps}", "40")))
    kept = project / ".seedwise" / "checkpoints"
    wait_for(lambda: any(int(p.read_text() or 0) > 5 for p in kept.glob("*/seed-*/last")))
    slurm.ask("sbatch", "--partition=urgent", "--cpus-per-task=4", "--output=/dev/null", "--wrap=sleep 2")
    said = _hurried(slurm, process)
    assert process.returncode == 0, said
    results = sw.load("train")
    assert dict(results.scores("acc").by_seed) == {1: 1.5, 2: 2.5}
    assert max(results.scores("started").values) > 5
    assert "given out again" not in said  # Slurm has queued the same job again


def test_a_node_that_fails_costs_no_seed(project: Path, write: Write, slurm: SlurmHere, shell: Shell) -> None:
    process = shell.start("run", "--on", "slurm", *QUICK, "--seeds-per-task", "3", "-n", "6", "--", *write(1.5))
    wait_for(lambda: _running(slurm))
    slurm.end("slurmd")
    slurm.ask("scontrol", "update", f"nodename={slurm.node}", "state=down", "reason=test")
    wait_for(lambda: not _running(slurm))
    slurm.start_node()
    slurm.ask("scontrol", "update", f"nodename={slurm.node}", "state=resume")
    said = _hurried(slurm, process)
    assert process.returncode == 0, said
    check_all(sw.load("train"), range(1, 7))


def test_memory_that_was_not_asked_for_is_named(project: Path, write: Write, slurm: SlurmHere, shell: Shell) -> None:
    text = SCRIPT + "if seed == 2:\n    held = [bytes([1]) * 2**20 for _ in range(400)]\n"
    words = ["--slurm", "poll=1,lag=3,mem=200M", "--keep-going", "-n", "3", "--seeds-per-task", "3"]
    shell.run("run", "--on", "slurm", *words, "--", *write(0, text), code=3)
    assert {run.seed: run.cause for run in sw.load("train").runs} == {1: None, 2: Cause.MEMORY, 3: None}


def test_a_node_that_does_not_see_the_folder_is_found_before_anything_is_queued(
    project: Path, write: Write, slurm: SlurmHere, shell: Shell
) -> None:
    slurm.end("slurmd")
    hide = f'mount -t tmpfs none {project.parent} && exec "$@"'
    slurm.start_node("unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh")
    try:
        before = len(_states(slurm))
        said = shell.run("run", "--on", "slurm", *QUICK, "-n", "3", "--", *write(), code=2)
        assert "does not see" in said
        assert "need a folder that all machines share" in said
        assert len(_states(slurm)) <= before + 1  # the probe alone
        assert "no experiment" in shell.run("show", "train", code=2)  # neither of the two has left one
    finally:
        slurm.end("slurmd")
        slurm.start_node()


def test_versions_that_differ_on_a_node_are_named_and_kept(
    project: Path, write: Write, slurm: SlurmHere, shell: Shell
) -> None:
    for place, version in (("here", "1.0"), ("there", "2.0")):
        folder = project.parent / place / "site-packages"
        (folder / f"seedpkg-{version}.dist-info").mkdir(parents=True)
        (folder / f"seedpkg-{version}.dist-info" / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: seedpkg\nVersion: {version}\n"
        )
        (folder / f"seedpkg-{version}.dist-info" / "top_level.txt").write_text("seedpkg\n")
        (folder / "seedpkg").mkdir()
        (folder / "seedpkg" / "__init__.py").write_text("")
    shell.environment["PYTHONPATH"] = str(project.parent / "here" / "site-packages")
    (project / "seedwise-setup.sh").write_text("")
    command = write(0, "import seedpkg\n" + SCRIPT)
    (project / "pyproject.toml").write_text(
        f"[tool.seedwise.slurm]\npoll = 1\nlag = 3\nsetup = \"export PYTHONPATH='{project.parent}/there/site-packages'\"\n"
    )
    said = shell.run("run", "--on", "slurm", "-n", "3", "--", *command)
    assert "seedpkg is 2.0 on" in said
    exported = json.loads(shell.run("export", "train", "--format", "json"))
    assert [run["place"]["versions"] for run in exported["runs"]] == [{"seedpkg": "2.0"}] * 3
    check_all(sw.load("train"), range(1, 4))


def test_what_is_submitted_can_be_looked_at(project: Path, write: Write, slurm: SlurmHere, shell: Shell) -> None:
    (project / "x").mkdir()
    words = ["run", "--on", "slurm", "--slurm", "partition=main,time=6:00:00,gres=gpu:1", "--seeds-per-task", "10"]
    before = _states(slurm)
    said = shell.run(*words, "-n", "25", "--dry-run", "--", *write())
    for line in ("#SBATCH --array=0-2", "#SBATCH --partition=main", "#SBATCH --gres=gpu:1", "#SBATCH --requeue"):
        assert line in said
    assert f"{sys.executable} -m seedwise.worker" in said
    assert _states(slurm) == before
    refused = shell.run("run", "--on", "slurm", "--slurm", "partition=no-such", "-n", "2", "--", *write(), code=2)
    assert "invalid partition" in refused
    assert "no experiment" in shell.run("show", "train", code=2)  # neither of the two has left one


def test_a_shell_that_waits_asks_slurm_seldom_and_about_all_jobs_at_once(
    project: Path, write: Write, slurm: SlurmHere, shell: Shell, tmp_path: Path
) -> None:
    counted = tmp_path / "bin"
    counted.mkdir()
    real = subprocess.run(["which", "squeue"], capture_output=True, text=True, check=True).stdout.strip()
    (counted / "squeue").write_text(f'#!/bin/sh\necho x >> {tmp_path}/asked\nexec {real} "$@"\n')
    (counted / "squeue").chmod(0o755)
    shell.environment["PATH"] = f"{counted}:{shell.environment['PATH']}"
    began = time.monotonic()
    shell.run("run", "--on", "slurm", "--slurm", "poll=4,lag=3", "--seeds-per-task", "1", "-n", "12", "--", *write(0.2))
    asked = len((tmp_path / "asked").read_text().split())
    assert asked <= (time.monotonic() - began) / 4 + 1


class TestContract(ExecutorCases):
    @pytest.fixture(autouse=True)
    def _slurm(self, slurm: SlurmHere, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SLURM_CONF", str(slurm.conf))

    def where(self) -> Where:
        return where("slurm", slurm="poll=1,lag=3", seeds_per_task=4)

    def make(self) -> Executor:
        return make_executor(self.where(), None, 1)
