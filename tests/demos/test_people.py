"""Article 1's demo: the data's form, and the script under some of its seeds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seedwise.demos import people


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seedwise.cli", "demo", "people", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def test_the_generated_file_has_the_articles_form(project: Path) -> None:
    (project / "people.txt").write_text(people.generate())
    rows = np.loadtxt(project / "people.txt", delimiter="\t", comments="#")
    assert rows.shape == (200, 7)
    sex, age, states, income, politics = rows[:, 0], rows[:, 1], rows[:, 2:5], rows[:, 5], rows[:, 6]
    assert set(sex) == {-1, 1}
    assert (age > 0.1).all()
    assert (age < 1).all()
    assert (states.sum(axis=1) == 1).all()
    assert (income > 0).all()
    assert (income <= 1).all()
    assert set(politics) == {0, 1, 2}
    assert min(np.bincount(politics.astype(int))) > 30
    assert people.generate() == people.generate()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.slow
def test_the_demo_runs_whole(project: Path) -> None:
    done = demo("-n", "3")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("seed = ")]
    assert [int(line.split()[2]) for line in lines] == [0, 3, 5, 363, 366, 999]
    assert "over 3 seeds" in done.stdout
    assert "report.html: open it in a browser" in done.stdout
    assert "acc" in (project / people.FOLDER / "report.html").read_text()


def test_a_file_that_is_not_there_is_said(project: Path) -> None:
    done = demo("--data", "nix.txt")
    assert done.returncode == 2
    assert "nix.txt: no such file" in done.stderr
