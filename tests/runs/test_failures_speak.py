"""What a user is told where runs fail: the line, the message, and how many seeds share it."""

import os
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.cli.start import start
from seedwise.results import Cause, Status

Script = Callable[..., list[str]]
FAILS = "import random\nrandom.seed(42)\n\ndef fit():\n    raise ValueError(f'loss is {random.random()}')\n\nfit()\n"


def test_where_every_run_failed_python_raises_with_the_traceback(script: Script) -> None:
    with pytest.raises(sw.RunsFailedError) as raised:
        sw.run_script(script(FAILS), range(1, 9), jobs=1)
    said = str(raised.value)
    assert "train.py:5 in fit: ValueError: loss is 0.13" in said
    assert "Traceback (most recent call last):" in said
    assert "raise ValueError(f'loss is" in said
    assert "keep_going=True" in said
    assert len(raised.value.results.failed) == 3
    assert len(raised.value.results.having(Status.INTERRUPTED)) == 5


def test_to_keep_going_returns_the_failed_runs(script: Script) -> None:
    results = sw.run_script(script(FAILS), range(1, 6), keep_going=True)
    assert len(results.failed) == 5


def test_a_failure_that_seeds_share_is_told_once_with_their_number(
    script: Script, capfd: pytest.CaptureFixture[str]
) -> None:
    assert start(["run", "-n", "20", "-j", "1", *script(FAILS)]) == 3
    out, err = capfd.readouterr()
    assert "(3 seeds): exception: train.py:5 in fit: ValueError: loss is 0.13" in out
    assert out.count("ValueError") == 1
    assert "stopped: all 3 failed alike; --keep-going runs the rest" in err


def test_a_function_that_returns_nothing_is_told_to_return_a_number(script: Script) -> None:
    script("def train(seed):\n    score = seed / 3\n")
    with pytest.raises(sw.RunsFailedError, match=r"train\(\) returned None, and printed no metric: return a number"):
        sw.run_script("train.py:train", [1, 2])


def test_a_function_that_prints_or_logs_its_result_may_return_nothing(script: Script) -> None:
    script(
        "import seedwise\ndef train(seed):\n    seedwise.log(acc=seed / 4)\ndef other(seed):\n    print('acc =', seed / 4)\n"
    )
    for name in ("train", "other"):
        assert sw.run_script(f"train.py:{name}", [1, 2]).scores("acc").by_seed == {1: 0.25, 2: 0.5}


def test_after_a_missing_package_is_there_the_same_command_runs_again(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(installed))
    command = script("import random\nrandom.seed(42)\nimport absent\nprint('acc =', random.random())\n")
    with pytest.raises(sw.RunsFailedError, match=r"train\.py:3: ModuleNotFoundError") as raised:
        sw.run_script(command, [1, 2])
    assert {run.cause for run in raised.value.results.failed} == {Cause.MISSING}
    (installed / "absent.py").write_text("")
    results = sw.run_script(command, [1, 2])
    assert len(results.finished) == 2
    assert results.name == "train"


@pytest.mark.slow
def test_under_another_interpreter_that_has_the_package_what_failed_for_want_of_it_runs(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, full = (_environment(tmp_path / name) for name in ("bare", "full"))
    next((full.parent / "lib").glob("python*/site-packages")).joinpath("absent.py").write_text("")
    script("import random\nrandom.seed(42)\nimport absent\nprint('acc =', random.random())\n")
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{bare}{os.pathsep}{path}")
    with pytest.raises(
        sw.RunsFailedError, match=rf"in {bare}/python\S*; another python is named in the command"
    ) as raised:
        sw.run_script(["python", "train.py"], [1, 2])
    assert {run.cause for run in raised.value.results.failed} == {Cause.MISSING}
    # named in the command: another command, and so an experiment of its own
    named = sw.run_script([str(full / "python"), "train.py"], [1, 2])
    assert (named.name, len(named.finished)) == ("train@2", 2)
    # put first on PATH: the same command, and the same experiment
    monkeypatch.setenv("PATH", f"{full}{os.pathsep}{path}")
    results = sw.run_script(["python", "train.py"], [1, 2])
    assert (results.name, len(results.finished), len(results)) == ("train@1", 2, 2)
    assert results.scores("acc").by_seed == named.scores("acc").by_seed


def _environment(folder: Path) -> Path:
    """The folder with the interpreter of a new environment, which has no packages."""
    venv.create(folder, symlinks=True, with_pip=False)
    return folder / "bin"


def test_options_behind_a_command_that_fails_are_named(script: Script, capfd: pytest.CaptureFixture[str]) -> None:
    command = script("import argparse\nargparse.ArgumentParser().parse_args()\nseed = 42\n")
    assert start(["run", "-n", "1", *command, "--json"]) == 3
    err = capfd.readouterr().err
    assert "--json stood behind the command, so the command received it" in err
