"""Commands that are killed, stopped or in each other's way while they submit and collect: no seed is lost or run for nothing."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.experiments.store import Store
from seedwise.results import Cause
from seedwise.runs.away import home
from seedwise.runs.executors import Fate, Round, Standing
from seedwise.runs.executors.local import LocalExecutor
from seedwise.runs.executors.slurm import SlurmExecutor

from .conftest import Shell, check_all, wait_for

pytestmark = pytest.mark.slow
Write = Callable[..., list[str]]


@pytest.mark.parametrize("moment", ["add_round", "save_handle"])
def test_a_command_killed_while_it_submits_leaves_no_seed_that_nobody_gives_out(
    project: Path, write: Write, moment: str
) -> None:
    killed = (
        "import os, sys, seedwise as sw; from seedwise.runs.away.folder import Submission; "
        f"Submission.{moment} = lambda *_: os._exit(9); sw.run_script(sys.argv[1:], range(1, 4), on='local')"
    )
    done = subprocess.run([sys.executable, "-c", killed, *write()], cwd=project, timeout=60, check=False)
    assert done.returncode == 9
    Shell(project).run("resume", "train")
    check_all(sw.load("train"), range(1, 4))


def test_this_machine_is_not_asked_to_start_hundreds_of_workers_at_once(project: Path, write: Write) -> None:
    with pytest.raises(sw.UsageError, match=r"seeds_per_task: 5000 tasks would all start at once"):
        sw.run_script(write(), range(1, 10_001), on=sw.where("local", seeds_per_task=2))
    with pytest.raises(sw.UsageError, match="no experiment"):  # a command that was refused leaves none
        sw.load("train")
    check_all(sw.run_script(write(), range(1, 4), on="local"), range(1, 4))


def test_seeds_that_could_not_be_submitted_leave_no_experiment(
    project: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sbatch", "squeue", "srun", "scontrol", "scancel"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'no controller' >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(sw.UsageError, match="no controller"):
        sw.run_script(write(), range(1, 4), on="slurm")
    with pytest.raises(sw.UsageError, match="no experiment"):
        sw.load("train")


def test_a_submission_is_not_taken_over_while_it_is_made(
    project: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, take = write(), home.snapshot.take
    beside: list[str] = []

    def slowly(*of: object) -> int:
        beside.append(Shell(project).run("run", "--on", "local", "--seeds", "11,12", "--", *command))
        return take(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(home.snapshot, "take", slowly)
    sw.run_script(command, range(1, 4), on="local")
    assert beside
    results = sw.load("train")
    check_all(results, [1, 2, 3, 11, 12])
    assert {run.attempt for run in results.runs} == {1}


def test_what_another_command_has_taken_over_is_collected_no_more(project: Path, write: Write) -> None:
    notes: list[str] = []

    def take(event: object) -> None:
        notes.append(str(getattr(event, "text", "")))
        if "submitted" in notes[-1]:
            next((project / ".seedwise" / "away").glob("*/lease")).write_text("another:1:?:1")

    results = sw.run_script(write(2), range(1, 3), on="local", tell=take)
    assert "another command has taken over what this one collected" in notes
    check_all(results, range(1, 3))  # the other one is gone, so it was taken back
    assert {run.attempt for run in results.runs} == {1}


def test_a_retry_that_goes_on_when_the_command_is_killed_is_waited_for(project: Path, write: Write) -> None:
    text = "import time\nseed = 42\ntime.sleep(3)\nraise ValueError(seed)\n"
    shell = Shell(project)
    first = shell.start("run", "--on", "local", "--retries", "1", "-n", "1", "--", *write(0, text))

    def failed() -> bool:
        folder = project / ".seedwise"
        if not (folder / "store.sqlite").exists():
            return False
        with Store(folder) as store:
            return any(run.cause is Cause.EXCEPTION for run in store.runs(1))

    wait_for(failed)
    first.kill()
    first.communicate()
    shell.run("resume", "train", code=None)
    assert [run.attempt for run in sw.load("train").runs] == [2]


def test_a_job_that_was_preempted_and_is_queued_again_keeps_its_seeds(
    project: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = LocalExecutor._standing
    asked: list[float] = []

    def at_first_preempted(self: LocalExecutor, pid: int, started: str) -> Standing:
        if list((project / ".seedwise" / "away").glob("*/work/1/0/0/*.jsonl")):
            asked.append(time.monotonic())
        if asked and asked[-1] - asked[0] < 1:
            return Standing(Fate.PREEMPTED, str(pid))
        return standing(self, pid, started)

    monkeypatch.setattr(LocalExecutor, "_standing", at_first_preempted)
    results = sw.run_script(write(4), [1], on="local")
    check_all(results, [1])
    assert results.runs[0].attempt == 1


def test_resume_collects_though_a_command_at_home_came_in_between(project: Path, write: Write) -> None:
    command, shell = write(8), Shell(project)
    first = shell.start("run", "--on", "local", "-n", "2", "--", *command)
    wait_for(lambda: list((project / ".seedwise" / "away").glob("*/rounds/1.handle")))
    second = shell.start("run", "-n", "2", "--", *command)
    time.sleep(4)
    for process in (first, second):
        process.kill()
        process.communicate()
    shell.run("resume", "train")
    check_all(sw.load("train"), [1, 2])


def test_when_one_node_finds_that_forked_runs_differ_those_of_other_nodes_do_not_count(
    project: Path, write: Write
) -> None:
    differs = {
        "verdict": "differs", "seeds": [1], "different": "acc", "imports": [], "first_lines_only": False, "machine": "x",
    }  # fmt: skip

    def elsewhere(event: object) -> None:
        if "submitted" in str(getattr(event, "text", "")):
            place = next((project / ".seedwise" / "away").glob("*/work")) / "1" / "0" / "0"
            place.mkdir(parents=True, exist_ok=True)
            (place / "0-another.jsonl").write_text(json.dumps({"type": "forking", "record": differs}) + "\n")

    before = sw.run_script(write(0.05), range(1, 21), on="local", name="trusted")
    assert any(run.forked for run in before.runs)
    results = sw.run_script(write(0.05), range(1, 21), on="local", tell=elsewhere)
    check_all(results, range(1, 21))
    assert not any(run.forked for run in results.runs)


def test_a_slurm_that_does_not_answer_has_lost_no_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sbatch", "squeue"):
        (tmp_path / name).write_text(
            "#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2\nexit 1\n"
        )
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    executor = SlurmExecutor({})
    one = Round(tmp_path / "1.json", range(2), "t", tmp_path, {"jobs": [{"job": 7, "first": 0, "count": 2}], "left": [2, 2], "size": 5})  # fmt: skip
    for _ in range(6):
        assert {how.fate for how in executor.poll([one])[0].values()} == {Fate.RUNNING}
    (tmp_path / "squeue").write_text("#!/bin/sh\necho 'slurm_load_jobs error: Invalid job id specified' >&2\nexit 1\n")
    for _ in range(3):
        fates = {how.fate for how in executor.poll([one])[0].values()}
    assert fates == {Fate.LOST}
