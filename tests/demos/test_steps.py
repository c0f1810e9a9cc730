"""Demos that are played as commands: every command of theirs is one that Seedwise has, and they run whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from seedwise.demos import DEMOS, forecast, sources, starting_values, steps
from seedwise.demos.steps import Step, play
from seedwise.experiments.grids import read_grid

PREDICTED = Path(steps.__file__).with_name("scripts")


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seedwise.cli", "demo", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stdout.split())


def test_the_sunspots_are_those_of_1700_to_2008() -> None:
    lines = (PREDICTED / "sunspots.csv").read_text().splitlines()
    assert "public domain" in lines[0]
    rows = [line.split(",") for line in lines[2:]]
    assert [int(year) for year, _ in rows] == list(range(1700, 2009))
    assert max(rows, key=lambda row: float(row[1])) == ["1957", "190.2"]  # the highest peak that was ever seen


def test_the_folds_of_the_forecast_are_five_and_share_no_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PREDICTED))
    script = __import__("forecast")
    try:
        x, y, test_x, test_y = script.data()
        assert (len(x), len(y), len(test_x), len(test_y)) == (239, 239, 59, 59)
        spots = [float(row.split(",")[1]) for row in (PREDICTED / "sunspots.csv").read_text().splitlines()[2:252]]
        assert float(y[0]) == pytest.approx(
            (spots[11] - np.mean(spots)) / np.std(spots)
        )  # nothing of 1950 and later is known
        sizes = [(len(script.data(fold)[0]), len(script.data(fold)[2])) for fold in range(5)]
        assert sum(test for _, test in sizes) == 298
        assert all(learn + test == 298 for learn, test in sizes)
        assert (test_x[1, :-1] == test_x[0, 1:]).all()
        assert test_y[0] == test_x[1, -1]
    finally:
        sys.modules.pop("forecast", None)


def test_fewer_seeds_are_fewer_everywhere() -> None:
    for words in [words for step in forecast.steps(3) for words in step.commands if "-n" in words]:
        assert words[words.index("-n") + 1] == "3"
    assert "20" in forecast.steps(20)[0].commands[0]
    assert starting_values.steps(4)[1].commands[0][2] == "4"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("forecast", "-n", "1"), "-n is at least 2"),
        (("streams", "-n", "3"), "would be ignored"),
        (("forecast", "--data", "x"), "--data belongs to `seedwise demo lottery` and `seedwise demo people`"),
        (("sources", "--data", "nix.txt"), "nix.txt: no such file"),
        (("forecats",), "did you mean forecast?"),
    ],
)
def test_what_a_demo_does_not_take_is_said(words: tuple[str, ...], message: str, project: Path) -> None:
    done = demo(*words)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())


def test_every_demo_is_listed() -> None:
    listed = demo().stdout
    assert all(f"seedwise demo {name} " in listed for name in DEMOS)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_forecast_answers_under_two_seeds(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Several seeds, cross-validation and ensembles; check and decompose are run by tests of their own."""
    several, _, folds, ensembles, _ = forecast.steps(2)
    assert play(Path("here"), ("forecast.py", "sunspots.csv"), [several, folds, ensembles], "The end.") == 0
    text = " ".join(capfd.readouterr().out.split())
    for answer in ("net k of n", "in fold_rmse", "is the split", "The average of all 2 runs", "The end."):
        assert answer in text, answer


@pytest.mark.slow
def test_the_first_look_of_the_starting_values_names_their_troubles(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    look = starting_values.steps(2)[0]
    assert play(Path("looks"), ("forecast.py", "sunspots.csv"), [Step("x", look.commands[:1])], "y") == 0
    assert "Identical units in 0 (Linear): 32 of 32" in " ".join(capfd.readouterr().out.split())


def test_the_whole_table_of_starting_values_is_one_command_with_thirty_settings() -> None:
    def settings(words: tuple[str, ...]) -> int:
        return len(read_grid([words[k + 1] for k, word in enumerate(words) if word == "--set"]).settings())

    assert settings(starting_values.whole()) == 30
    assert [settings(words) for step in starting_values.steps(6)[1:] for words in step.commands] == [10, 6]


def test_every_command_of_a_demo_is_understood() -> None:
    from seedwise.cli import check, compare, decompose, diagnose, run, spread  # noqa: F401
    from seedwise.cli.app import app
    from seedwise.cli.users_words import marked

    every = [*forecast.steps(3), *starting_values.steps(3), *sources.steps(3)]
    for words in [words for step in every for words in step.commands]:
        app.parse_args(marked(list(words)), exit_on_error=False, print_error=False)


@pytest.mark.slow
def test_an_interruption_ends_the_demo_after_the_command_has_said_what_it_kept(project: Path) -> None:
    command = [sys.executable, "-m", "seedwise.cli", "demo", "forecast"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    store = project / "seedwise-demo-forecast" / ".seedwise"
    while not store.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "2 of 5" not in out
    assert "Traceback" not in err
