"""Workers on this machine: everything of an engine but the engine. What is true here is true of every engine."""

import contextlib
import json
import os
import pty
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
from seedwise.runs.away import snapshot
from seedwise.runs.executors import Executor
from seedwise.runs.executors.choosing import Where, make_executor, where
from seedwise.testing import ExecutorCases

from .conftest import SCRIPT, Shell, check_all, wait_for

pytestmark = pytest.mark.slow
Write = Callable[..., list[str]]


def test_a_run_elsewhere_is_the_run_at_home(project: Path, write: Write) -> None:
    command = write()
    home = sw.run_script(command, range(1, 9), name="home")
    away = sw.run_script(command, range(1, 9), name="away", on=sw.where("local", seeds_per_task=4))
    check_all(away, range(1, 9))
    assert away.scores("acc").by_seed == home.scores("acc").by_seed
    assert away.sites == home.sites
    for run in away.runs:
        assert run.folder is not None
        assert sorted(p.name for p in Path(run.folder).iterdir()) == ["ledger.json", "stderr", "stdout"]
    assert list((project / ".seedwise" / "away").iterdir()) == []
    assert not list(Path("/var/tmp/seedwise-0").glob(f"worker-{os.getpid()}-*"))


def test_the_submitting_command_is_killed_and_another_collects(project: Path, write: Write) -> None:
    command, shell = write(0.2), Shell(project)
    first = shell.start("run", "--on", "local", "--seeds-per-task", "5", "-n", "10", "--", *command)
    store = project / ".seedwise" / "store.sqlite"
    wait_for(lambda: store.exists() and _finished(store) >= 1)
    first.kill()
    first.communicate()
    seen = json.loads(shell.run("show", "train", "--json"))
    assert seen["failed"] == 0
    assert "queued or running on local: seedwise resume train" in shell.run("run", "-n", "10", "--", *command, code=2)
    shell.run("resume", "train")
    check_all(sw.load("train"), range(1, 11))


def _finished(store: Path) -> int:
    with sqlite3.connect(store) as db:
        try:
            return int(db.execute("SELECT count(*) FROM runs WHERE status = 'finished'").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def test_a_worker_that_vanishes_loses_its_unfinished_seeds_only(project: Path, write: Write) -> None:
    command = write(0.3)
    killed: list[int] = []

    def kill(event: object) -> None:
        if type(event).__name__ == "Ended" and not killed:
            handle = json.loads(next((project / ".seedwise" / "away").glob("*/rounds/1.handle")).read_text())
            killed.append(handle["processes"][0][0])
            os.kill(killed[0], signal.SIGKILL)

    results = sw.run_script(command, range(1, 7), on="local", jobs=1, tell=kill)
    check_all(results, range(1, 7))
    attempts = [run.attempt for run in results.runs]
    assert killed
    assert min(attempts) == 1
    assert max(attempts) == 2


def test_left_by_ctrl_c_it_goes_on_and_is_collected_later(project: Path, write: Write) -> None:
    shell = Shell(project)
    first = shell.start("run", "--on", "local", "-n", "4", "--", *write(0.3))
    wait_for(lambda: list((project / ".seedwise" / "away").glob("*/work/1/0/0/*.jsonl")))
    first.send_signal(signal.SIGINT)
    said, _ = first.communicate(timeout=30)
    assert first.returncode == 130
    assert "seedwise resume train collects them" in said
    assert "Queued or running elsewhere: seed" in shell.run("show", "train", code=None)
    time.sleep(2)
    shell.run("resume", "train")
    results = sw.load("train")
    check_all(results, range(1, 5))
    assert {run.attempt for run in results.runs} == {1}


@pytest.mark.parametrize(("answer", "status", "finished"), [("l", 130, False), ("c", 130, False), ("x\ng", 0, True)])
def test_on_a_terminal_ctrl_c_asks_what_becomes_of_the_seeds(
    project: Path, write: Write, answer: str, status: int, finished: bool
) -> None:
    """l leaves them there, c cancels them, g goes on waiting; anything else is asked again."""
    child, terminal = pty.fork()
    if not child:
        words = ["-m", "seedwise.cli", "run", "--on", "local", "-j", "1", "-n", "4", "--", *write(0.5)]
        os.execv(sys.executable, [sys.executable, *words])
    said = _typed_at(terminal, "1 of 4", "\x03")
    said += _typed_at(terminal, "[g]o on waiting? ", f"{answer}\n")
    with contextlib.suppress(OSError):  # the command is over
        while more := os.read(terminal, 65536):
            said += more.decode()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == status, said
    assert (len(sw.load("train").finished) == 4) is finished
    if answer == "l":
        assert "resume train collects them" in said
        assert {run.status for run in sw.load("train").runs} == {Status.FINISHED, Status.RUNNING}
    Shell(project).run("resume", "train")
    check_all(sw.load("train"), range(1, 5))


def _typed_at(terminal: int, awaited: str, typed: str) -> str:
    """Read until something stands there, and type an answer. What was read."""
    read = ""
    while awaited not in read:
        read += os.read(terminal, 65536).decode(errors="replace")
    os.write(terminal, typed.encode())
    return read


def test_an_edit_while_seeds_wait_changes_nothing(project: Path, write: Write) -> None:
    command = write(
        0, SCRIPT + "import helper, yaml_of\nprint('two =', helper.two())\nprint('from conf:', yaml_of.lr())\n"
    )
    (project / "helper.py").write_text("def two(): return 2\n")
    (project / "yaml_of.py").write_text("def lr(): return open('conf.yaml').read().strip()\n")
    (project / "conf.yaml").write_text("0.1\n")
    edited: list[bool] = []

    def edit(event: object) -> None:
        if "submitted" in str(getattr(event, "text", "")) and not edited:
            edited.append(True)
            (project / "helper.py").write_text("def two(): return 3\n")
            (project / "conf.yaml").write_text("0.2\n")

    results = sw.run_script(command, range(1, 4), on="local", tell=edit)
    assert edited
    check_all(results, range(1, 4))
    for run in results.runs:
        assert run.folder is not None
        assert Path(run.folder, "stdout").read_text().splitlines()[1:] == ["two = 2", "from conf: 0.1"]
    again = sw.run_script(command, range(1, 4), on="local")  # the edited code is another experiment
    assert again.name == "train@2"
    assert "two = 3\nfrom conf: 0.2\n" in Path(str(again.runs[0].folder), "stdout").read_text()


def test_an_interpreter_and_data_that_the_command_names_are_not_copied(project: Path, write: Write) -> None:
    (project / "python").symlink_to(sys.executable)
    (project / "script").write_text(f"#!/bin/sh\nexec {sys.executable} train.py\n")
    (project / "images").write_bytes(bytes(range(256)))
    write(0)
    taken = project / "taken"
    snapshot.take(project, ["./python", "train.py", "images", "script", "nothing"], taken)
    copied = {str(path.relative_to(taken / str(project)[1:])) for path in taken.rglob("*") if path.is_file()}
    assert copied == {"train.py", "script", "pyproject.toml"}


def test_functions_run_elsewhere_too(project: Path) -> None:
    import random

    factor = 3

    def train(seed: int, lr: float) -> dict[str, float]:
        return {"acc": random.random(), "scaled": seed * factor * lr}

    results = sw.run(train, range(1, 5), config={"lr": 0.5}, on=sw.where("local", seeds_per_task=2))
    check_all(results, range(1, 5))
    assert dict(results.scores("scaled").by_seed) == {seed: seed * 1.5 for seed in range(1, 5)}


def test_failures_retries_and_timeouts_are_those_of_home(project: Path, write: Write) -> None:
    text = """import os, sys, time
seed = 42
if seed == 2: raise ValueError("two")
if seed == 3: os.kill(os.getpid(), 9)
if seed == 4: time.sleep(60)
print("acc =", seed)
"""
    results = sw.run_script(write(0, text), range(1, 6), on="local", timeout=2.0, retries=1, keep_going=True)
    causes = {run.seed: run.cause for run in results.runs}
    assert causes == {1: None, 2: Cause.EXCEPTION, 3: Cause.SIGNAL, 4: Cause.TIMEOUT, 5: None}
    assert {run.seed: run.attempt for run in results.runs} == {1: 1, 2: 2, 3: 2, 4: 2, 5: 1}


def test_a_grid_goes_elsewhere_as_a_whole(project: Path, write: Write) -> None:
    text = "import sys\nseed = 42\nprint('acc =', seed * float(sys.argv[1]))\n"
    shell = Shell(project)
    said = shell.run("run", "--on", "local", "-n", "3", "--grid", "lr=1,2", "--json", "--", *write(0, text), "{lr}")
    family = json.loads(said[said.index("{") :])
    assert sorted(family["settings"]) == ["train lr=1", "train lr=2"]
    assert dict(sw.load("train lr=2").scores("acc").by_seed) == {1: 2.0, 2: 4.0, 3: 6.0}


def test_a_crossed_design_goes_elsewhere_as_a_whole(project: Path, write: Write) -> None:
    text = """import random
seed = 42
random.seed(seed)
weights = random.gauss(0, 1)
rows = list(range(20))
random.shuffle(rows)
print("acc =", weights + rows[0] / 20)
"""
    command = write(0, text)
    lines = ["train.py:4=init", "train.py:6=order"]
    home = sw.decompose(command, ["init", "order"], n=3, source=lines, name="home")
    away = sw.decompose(command, ["init", "order"], n=3, source=lines, name="away", on=sw.where("local"))
    assert repr(away.components) == repr(home.components)
    assert all(run.place is not None for results in away.members.values() for run in results.runs)
    shell, words = (
        Shell(project),
        ["decompose", "-n", "3", "--vary", "init,order", "--source", lines[0], "--source", lines[1]],
    )
    said = shell.run(*words, "--on", "local", "--name", "away", "--json", "--", *command)
    assert json.loads(said[said.index("{") :])["experiments"] == list(away.members)
    assert "--dry-run and decompose do not go together" in shell.run(*words, "--dry-run", "--", *command, code=2)


def test_a_design_that_is_left_goes_on_with_the_same_command(project: Path, write: Write) -> None:
    command = write(
        0, "import random, time\nseed = 42\nrandom.seed(seed)\ntime.sleep(1)\nprint('acc =', random.random())\n"
    )
    words = ["decompose", "--on", "local", "-n", "2", "--vary", "other", "--", *command]
    first = Shell(project).start(*words)
    wait_for(lambda: list((project / ".seedwise").glob("away/*/rounds/1.handle")))
    first.send_signal(signal.SIGINT)
    said, _ = first.communicate(timeout=60)
    assert (first.returncode, "the same command goes on" in said) == (130, True), said
    assert "SD of one run" in Shell(project).run(*words)


def test_enough_seeds_cancel_the_rest(project: Path, write: Write) -> None:
    results = sw.run_script(write(0.1, "import time\ntime.sleep(.3)\nseed = 42\nprint('acc =', 1 + seed % 2 * 1e-6)\n"),
                            range(1, 201), on=sw.where("local", seeds_per_task=100), until_margin=0.1)  # fmt: skip
    assert 3 <= len(results.finished) < 200  # all, if nothing were cancelled
    assert all(run.status is Status.FINISHED for run in results.runs)


def test_a_checkpoint_is_there_again_when_a_seed_is_given_out_again(project: Path, write: Write) -> None:
    text = """import os, time
seed = 42
start = int(open("ckpt/last").read()) if os.path.exists("ckpt/last") else 0
for step in range(start, 12):
    time.sleep(0.25)
    os.makedirs("ckpt", exist_ok=True)
    with open("ckpt/new", "w") as f: f.write(str(step + 1))
    os.replace("ckpt/new", "ckpt/last")
print("acc =", seed + 0.5)
print("started =", start)
"""
    command, shell = write(0, text), Shell(project)
    first = shell.start("run", "--on", "local", "--checkpoints", "ckpt", "-n", "2", "--", *command)
    wait_for(lambda: list((project / ".seedwise" / "checkpoints").glob("train@1/seed-*/last")))
    time.sleep(1)
    handle = json.loads(next((project / ".seedwise" / "away").glob("*/rounds/1.handle")).read_text())
    os.kill(handle["processes"][0][0], signal.SIGTERM)
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 0, said
    results = sw.load("train", metric=["acc", "started"])  # two seeds that went on from one step are no spread
    started = dict(results.scores("started").by_seed)
    assert dict(results.scores("acc").by_seed) == {1: 1.5, 2: 2.5}
    assert all(start > 0 for start in started.values())
    assert not (project / "ckpt").exists()
    assert not list((project / ".seedwise" / "checkpoints").glob("*/seed-*"))
    for run in results.runs:
        assert run.folder is not None
        assert Path(run.folder, "files", "ckpt", "last").read_text() == "12"


def test_a_full_shared_folder_is_said_and_loses_nothing(project: Path, write: Write, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], check=True)
    try:
        text = SCRIPT + "open('big.bin', 'wb').write(b'x' * 150_000)\n"
        shell = Shell(project, SEEDWISE_STORE=str(small / "store"))
        said = shell.run("run", "--on", "local", "--fresh", "-n", "12", "--", *write(0.05, text), code=None)
        assert "it is full" in said or "disk is full" in said, said
        subprocess.run(["mount", "-o", "remount,size=50m", str(small)], check=True)
        shell.run("resume", "train")
        results = sw.load("train", store=str(small / "store"))
        check_all(results, range(1, 13))
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


class TestContract(ExecutorCases):
    def where(self) -> Where:
        return where("local", seeds_per_task=4)

    def make(self) -> Executor:
        return make_executor(self.where(), None, 1)
