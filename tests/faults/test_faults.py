"""Every fault that the runner must survive, on real processes: scripts and functions, forked and fresh.

After each: no process is left, no record says running, no finished seed is lost, and the failure is named as what it was.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.api.experiments import resume
from seedwise.api.script import run_script
from seedwise.errors import SeedwiseError
from seedwise.experiments.loading import open_store
from seedwise.results import Cause, Results, Status

pytestmark = pytest.mark.slow

Way = Callable[..., Results]
HEAD = "import json, os, sys, time, signal, subprocess\nSEED = 42\n"
GOOD = "print('acc =', SEED / 100)\n"


def leftovers() -> list[str]:
    """Processes that belong to a run of this test: others may go on beside it."""
    found = []
    ours = f"{MARK}={os.environ[MARK]}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environment = (place / "environ").read_bytes().split(b"\0")
            if ours in environment and any(entry.startswith(b"SEEDWISE_SPOOL=") for entry in environment):
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


MARK = "OF_THIS_TEST"
"""In the environment of all that a test starts."""


@pytest.fixture(autouse=True)
def nothing_is_left(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(MARK, str(project))
    yield
    deadline = time.monotonic() + 5
    while leftovers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert leftovers() == []
    if (project / ".seedwise" / "store.sqlite").exists() and not (project / "torn").exists():
        with open_store() as store:
            for experiment in store.experiments():
                assert all(run.status is not Status.RUNNING for run in store.runs(experiment.id))


@pytest.fixture(params=["script forked", "script fresh", "function forked", "function fresh"])
def way(request: pytest.FixtureRequest, project: Path) -> Way:
    """Run a body of code that knows SEED, as a script or as a function, forked or fresh."""
    kind, _, start = request.param.partition(" ")

    def go(body: str, seeds: object = range(1, 7), **options: object) -> Results:
        options.setdefault("jobs", 2)
        if kind == "script":
            Path("train.py").write_text(HEAD + body)
            command = [sys.executable, "train.py"]
        else:
            lines = "".join(f"    {line}\n" for line in body.splitlines())
            Path("train.py").write_text(HEAD + f"def train(seed):\n    SEED = seed\n{lines}")
            command = ["train.py:train"]
        return run_script(command, seeds, fresh=start == "fresh", **options)  # type: ignore[arg-type]

    return go


def acc(results: Results) -> dict[int, float]:
    return dict(results.scores("acc").by_seed) if results.metrics else {}


ENDS = {
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", Cause.SIGNAL, "killed by SIGKILL"),
    "segfault": ("import ctypes; ctypes.string_at(0)", Cause.SIGNAL, "killed by SIGSEGV"),
    "abort": ("os.abort()", Cause.SIGNAL, "killed by SIGABRT"),
    "os._exit": ("os._exit(3)", Cause.EXIT, "exit code 3"),
    "sys.exit": ("sys.exit(4)", Cause.EXIT, "exit code 4"),
    "progress": (
        "sys.stderr.write('epoch 3: 100%'); sys.stderr.flush(); os._exit(3)",
        Cause.EXIT,
        "it last said: epoch 3",
    ),
    "warning": ("import warnings; warnings.warn('careful'); sys.exit(5)", Cause.EXIT, "exit code 5"),
    "MemoryError": ("raise MemoryError", Cause.MEMORY, "MemoryError"),
    "exception": ("raise ValueError('bad luck')", Cause.EXCEPTION, "ValueError: bad luck"),
    "recursion": ("f = lambda: f()\n    f()", Cause.EXCEPTION, "RecursionError"),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", Cause.SIGNAL, "killed by SIGTERM"),
}


@pytest.mark.parametrize("how", ENDS)
def test_1_and_2_one_seed_dies_and_only_it_is_lost(how: str, way: Way) -> None:
    code, cause, said = ENDS[how]
    results = way(f"if SEED == 4:\n    {code}\n{GOOD}")
    assert acc(results) == {s: s / 100 for s in (1, 2, 3, 5, 6)}
    (failed,) = results.failed
    assert (failed.seed, failed.cause) == (4, cause)
    assert said in failed.detail


def test_2_an_end_without_a_metric_is_no_failure_but_said(way: Way) -> None:
    results = way("if SEED == 4:\n    sys.exit(0)\n" + GOOD)
    assert not results.failed
    assert "4" in results.left_out["acc"]
    assert any("acc is left out" in w and "seed 4" in w for w in results.warnings)


@pytest.mark.parametrize("fresh", [False, True])
def test_3_a_result_that_cannot_be_carried_back(fresh: bool, project: Path) -> None:
    def train(seed: int) -> object:
        return threading.Lock() if seed == 2 else seed / 100

    results = sw.run(train, [1, 2, 3], fresh=fresh, timeout=60)
    assert results.failed[0].cause is Cause.RESULT
    assert "returned lock" in results.failed[0].detail
    assert set(results.scores("value").by_seed) == {1, 3}


def start(words: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "seedwise.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def finished() -> int:
    try:
        return len(sw.load("train").finished)
    except SeedwiseError:
        return 0


SLOW = "import subprocess\nsubprocess.Popen(['sleep', '300'], start_new_session=True)\ntime.sleep(0.3 if SEED < 4 else 1)\n"


@pytest.mark.parametrize("fresh", [[], ["--fresh"]])
@pytest.mark.parametrize("what", ["script", "function"])
def test_4_and_6_the_supervisor_is_killed(fresh: list[str], what: str, project: Path) -> None:
    body = SLOW + GOOD
    if what == "function":
        body = "def train(seed):\n    SEED = seed\n" + "".join(f"    {line}\n" for line in body.splitlines())
    Path("train.py").write_text(HEAD + body)
    command = ["--", sys.executable, "train.py"] if what == "script" else ["train.py:train"]
    process = start(["run", "-n", "8", "-j", "2", *fresh, *command])
    until(lambda: finished() >= 3)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    until(lambda: not leftovers(), 5)
    before = sw.load("train")
    kept = acc(before)
    assert len(kept) >= 3
    assert all(run.status is not Status.RUNNING for run in before.runs)
    outcome = resume("train", 2, None, lambda event: None)
    assert acc(outcome.results) == {s: s / 100 for s in range(1, 9)}
    assert kept.items() <= acc(outcome.results).items()


def test_what_a_run_started_would_be_seen_if_it_were_left(project: Path) -> None:
    Path("train.py").write_text(HEAD + "time.sleep(60)\n" + GOOD)
    process = start(["run", "-n", "2", "-j", "1", "--", sys.executable, "train.py"])
    until(lambda: bool(leftovers()))
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    until(lambda: not leftovers(), 5)


@pytest.mark.parametrize("times", [1, 2])
def test_5_interrupted(times: int, project: Path) -> None:
    Path("train.py").write_text(HEAD + "time.sleep(0.2 if SEED < 5 else 60)\n" + GOOD)
    process = start(["run", "-n", "8", "-j", "2", "--", sys.executable, "train.py"])
    until(lambda: finished() >= 4)
    os.kill(process.pid, signal.SIGINT)
    if times == 2:
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    if times == 1:
        assert b"4 of 8" in out
    assert set(acc(sw.load("train"))) == {1, 2, 3, 4}


def test_6_and_7_several_supervisors_share_the_seeds(project: Path) -> None:
    Path("train.py").write_text(HEAD + "open(os.environ['MARKS'], 'a').write(f'{SEED}\\n')\ntime.sleep(0.02)\n" + GOOD)
    marks = project.parent / "shared-marks"
    marks.write_text("")
    os.environ["MARKS"] = str(marks)
    try:
        words = ["run", "-n", "20", "-j", "2", "--share", str(marks), "--", sys.executable, "train.py"]
        processes = [start(words) for _ in range(5)]
        outs = [process.communicate(timeout=100)[0] for process in processes]
    finally:
        del os.environ["MARKS"]
    assert [process.returncode for process in processes] == [0] * 5, outs
    assert sorted(map(int, marks.read_text().split())) == list(range(1, 21))
    assert len(sw.load("train").finished) == 20


def test_8_retries_pass_a_transient_fault_and_keep_attempts_apart(way: Way, project: Path) -> None:
    shared = project / "tries"
    shared.mkdir()
    body = (
        "n = len(os.listdir('tries'))\nopen(f'tries/{SEED}-{time.time_ns()}', 'w').close()\n"
        "mine = [f for f in os.listdir('tries') if f.startswith(f'{SEED}-')]\n"
        "print('try', len(mine))\nif SEED == 3 and len(mine) < 3: raise OSError('flaky')\n"
        "if SEED == 5: raise OSError('always')\n"
    )
    results = way(body + GOOD, retries=2, share=["tries"])
    assert acc(results) == {s: s / 100 for s in (1, 2, 3, 4, 6)}
    tries = {run.seed: run.attempt for run in results.runs}
    assert (tries[3], tries[5], tries[1]) == (3, 3, 1)
    folder = Path(str(results.runs[2].folder)).parent
    assert (folder / "seed-3" / "stdout").read_text().startswith("try 1")
    assert (folder / "seed-3-attempt-3" / "stdout").read_text().startswith("try 3")
    assert results.failed[0].detail.endswith("OSError: always")
    again = way(body + GOOD, share=["tries"])
    assert {run.seed: run.attempt for run in again.runs} == tries


def test_8_fail_fast_stops(way: Way) -> None:
    results = way("if SEED == 2: raise ValueError('no')\ntime.sleep(.3)\n" + GOOD, range(1, 30), fail_fast=True)
    assert len(results.failed) == 1
    assert len(results.finished) < 10


def test_9_a_timeout_takes_children_and_grandchildren_with_it(way: Way) -> None:
    body = (
        "if SEED == 3:\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    subprocess.Popen(['sleep', '300'], start_new_session=True, env={})\n"
        "    subprocess.Popen(['sleep', '300'])\n    time.sleep(300)\n"
    )
    began = time.monotonic()
    results = way(body + GOOD, timeout=1.5)
    assert time.monotonic() - began < 30
    assert acc(results) == {s: s / 100 for s in (1, 2, 4, 5, 6)}
    assert results.failed[0].cause is Cause.TIMEOUT
    assert "1.5 s" in results.failed[0].detail
    assert not subprocess.run(["pgrep", "-f", "^sleep 300"], capture_output=True, check=False).stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_10_a_full_disk_loses_nothing(project: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(small)], check=True)
    try:
        Path("train.py").write_text(HEAD + "print('x' * 60_000)\n" + GOOD)
        command = [sys.executable, "train.py"]
        said = ""
        try:
            said = " ".join(run_script(command, range(1, 100), store=str(small / "store")).notes)
        except SeedwiseError as error:
            said = str(error)
        assert re.search("full|No space|cannot", said)
        kept = sw.load("train", store=str(small / "store"))
        assert len(kept.finished) >= 3
        assert all(acc(kept)[s] == s / 100 for s in acc(kept))
        subprocess.run(["mount", "-o", "remount,size=50m", str(small)], check=True)
        again = run_script(command, range(1, 41), store=str(small / "store"))
        assert {*range(1, 41)} <= set(acc(again))  # one of the hundred that is run both ways came early
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_10_a_torn_store_is_said_and_its_files_are_left(project: Path) -> None:
    Path("train.py").write_text(HEAD + GOOD)
    run_script([sys.executable, "train.py"], [1, 2])
    store = project / ".seedwise" / "store.sqlite"
    data = store.read_bytes()
    (project / "torn").touch()
    store.write_bytes(b"torn" * 10 + data[40:2000])
    with pytest.raises(SeedwiseError, match="damaged"):
        run_script([sys.executable, "train.py"], [3])
    assert (project / ".seedwise" / "runs" / "train@1" / "seed-1" / "stdout").read_text() == "acc = 0.01\n"


def test_11_no_run_reads_what_another_wrote(way: Way, project: Path) -> None:
    Path("log.csv").write_text("begin\n")
    body = (
        "assert not os.path.exists('last.ckpt'), 'resumed from another seed'\n"
        "open('last.ckpt', 'w').write(str(SEED))\nsubprocess.run(['sh', '-c', f'echo {SEED} > best.pt'])\n"
        "open('log.csv', 'a').write(f'{SEED}\\n')\ntime.sleep(.1)\n"
        "assert open('best.pt').read() == f'{SEED}\\n' and open('log.csv').read() == f'begin\\n{SEED}\\n'\n"
    )
    results = way(body + GOOD)
    assert acc(results) == {s: s / 100 for s in range(1, 7)}
    assert Path("log.csv").read_text() == "begin\n"
    assert not Path("last.ckpt").exists()
    for run in results.runs:
        assert Path(str(run.folder), "files", "best.pt").read_text() == f"{run.seed}\n"


ODD = {
    "NaN": "print('acc =', float('nan') if SEED == 2 else SEED / 100)\n",
    "odd names": "print(json.dumps({'a[b]{c}; DROP TABLE runs; \\x1b[31m': SEED, 'acc': SEED / 100}))\n",
    "undecodable": "sys.stdout.buffer.write(b'\\xff\\xfe\\x80\\n'); sys.stdout.flush(); print('acc =', SEED / 100)\n",
    "no newline": "sys.stdout.write(f'acc = {SEED / 100}')\n",
    "much output": "sys.stdout.write('y' * 100_000_000 + '\\n') if SEED == 2 else None\nprint('acc =', SEED / 100)\n",
}


@pytest.mark.parametrize("what", ODD)
def test_12_odd_output(what: str, way: Way) -> None:
    results = way(ODD[what], [1, 2, 3])
    assert len(results.finished) == 3
    assert acc(results)[3] == 0.03
    if what == "NaN":
        assert "seed 2" in sw.summarize(results.scores("acc")).reason


def test_the_process_that_forks_is_killed(project: Path) -> None:
    Path("train.py").write_text(HEAD + "time.sleep(.3)\n" + GOOD)
    killed: list[int] = []

    def kill_parents() -> None:
        while len(killed) < 2:
            time.sleep(0.25)
            for place in Path("/proc").glob("[0-9]*"):
                try:
                    if b"SEEDWISE_PREFORK=" in (place / "environ").read_bytes():
                        children = (place / "task" / place.name / "children").read_text().split()
                        if children:
                            os.kill(int(place.name), signal.SIGKILL)
                            killed.append(int(place.name))
                            break
                except OSError:
                    continue

    thread = threading.Thread(target=kill_parents, daemon=True)
    thread.start()
    results = run_script([sys.executable, "train.py"], range(1, 21), jobs=2)
    thread.join(5)
    assert len(killed) == 2
    assert acc(results) == {s: s / 100 for s in range(1, 21)}
    assert not results.failed
