"""Article 2 on Keras 3, and on Theano and TensorFlow as they were."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from seedwise.demos import keras

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]


def test_theano_still_prints_the_articles_ten_values(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seedwise.cli", "demo", "keras", "--backend", "theano"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [
        [float(cell.rstrip("%")) for cell in row] for row in re.findall(r"(?m)^  (\S+) +(\S+) +(\S+)%$", done.stdout)
    ]
    assert [row[1] for row in rows] == list(keras.THEANO)
    assert sum(row[2] < 0.01 for row in rows) >= 8
    assert all(row[2] < 0.2 for row in rows)


@pytest.mark.long
def test_the_articles_lines_and_todays_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(keras, "_many", lambda n: None)
    monkeypatch.setattr(keras, "_still_different", lambda: None)
    assert keras.run("jax", 3) == 0
    said = capfd.readouterr().out
    assert "The two differ. Keras 3 takes its starting weights from Python's `random`" in said
    assert "The two agree in every printed digit." in said


def test_the_articles_values_under_tensorflow_are_replayed(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    keras.FOLDER.mkdir()
    keras._replay()
    apart = [float(cell) for cell in re.findall(r"(?m)([\d.]+)%$", capfd.readouterr().out)]
    assert len(apart) == 10
    assert max(apart) < 2.5
