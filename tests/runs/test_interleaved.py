"""`run --against`: two experiments, seed by seed."""

import sqlite3
from pathlib import Path

import pytest

from seedwise.cli.start import start
from seedwise.events import Ended, Event
from seedwise.experiments.options import Options
from seedwise.runs.request import Request
from seedwise.runs.sweep import execute_against

A = "import random, time\nrandom.seed(1)\ntime.sleep(0.02)\nprint('acc =', random.random())\n"


@pytest.fixture(autouse=True)
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(A)
    Path("b.py").write_text(A + "# another\n")


def finished() -> list[tuple[int, int]]:
    with sqlite3.connect(".seedwise/store.sqlite") as db:
        return sorted(db.execute("SELECT experiment, seed FROM runs WHERE status = 'finished'"))


def run(*options: str) -> int:
    return start(["run", *options, "--against", "python b.py", "--", "python", "a.py"])


@pytest.mark.slow
def test_two_experiments_alternate_so_that_a_steady_drift_cancels() -> None:
    told: list[tuple[str, int]] = []

    def tell(event: Event) -> None:
        if isinstance(event, Ended):
            told.append((event.experiment, event.run.seed))

    first, second = (Request(["python", f"{name}.py"], [1, 2, 3, 4], Options(jobs=1)) for name in "ab")
    execute_against((first, second), None, tell)
    assert told == [("a", 1), ("b", 1), ("b", 2), ("a", 2), ("a", 3), ("b", 3), ("b", 4), ("a", 4)]
    assert run("-n", "6", "--jobs", "2") == 0
    assert finished() == [(e, s) for e in (1, 2) for s in range(1, 7)]


def test_a_failure_of_one_leaves_the_other_whole() -> None:
    Path("b.py").write_text(A + "import os\nif random.random() < 2: os._exit(9)\n")
    assert run("-n", "3") == 3
    assert [seed for experiment, seed in finished() if experiment == 1] == [1, 2, 3]


@pytest.mark.parametrize(
    ("against", "options", "message"),
    [
        ("python a.py", (), "nothing to compare"),
        ("python 'b.py", (), "cannot be split"),
        ("python b.py", ("--workdir", "sequential"), "private files"),
    ],
)
def test_what_cannot_be_interleaved_is_refused(
    against: str, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["run", "-n", "2", *options, "--against", against, "--", "python", "a.py"]) == 2
    assert message in capsys.readouterr().err
