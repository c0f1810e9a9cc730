"""A script that printed nothing: its user is told which of its functions to name, or to call."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script
from seedwise.experiments.silent_script import functions_instead, script_of
from seedwise.wording import at_command_line

RUN = "seedwise run -n 3 "


def said(command: list[str], folder: Path) -> str:
    with at_command_line():
        return functions_instead(command, str(folder), [str(p) for p in folder.rglob("*.py")], 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def train(seed):\n    return 1\n", [f"{RUN}train.py:train"]),
        ("def go(lr=0.1, *, seed=0):\n    return lr\n", [f"{RUN}train.py:go"]),
        ("def go(seed, lr):\n    return lr\n", [f"{RUN}train.py:go --set 'lr=…'"]),
        (
            "def load(seed):\n    return 1\ndef seed_all(seed):\n    return seed\ndef fit(seed):\n    return load(seed)\n",
            [f"{RUN}train.py:fit."],
        ),
        (
            "def second(seed):\n    return 1\ndef train(seed):\n    return 2\n",
            ["train() of train.py or second() of train.py", f"{RUN}train.py:train, or {RUN}train.py:second"],
        ),
        ("def main():\n    return 1\n", ["train.py defines main and does not call it", "def main(seed, …)"]),
        (
            "def a(x):\n    pass\ndef main():\n    return 1\n",
            ["defines a, main and does not call them", "def main(seed"],
        ),
    ],
)
def test_the_function_that_was_meant_is_named(text: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(text)
    answer = said(["python", "train.py"], tmp_path) + "."
    for part in expected:
        assert part in answer


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        "def main():\n    return 1\nmain()\n",
        "def main():\n    return 1\nif __name__ == '__main__':\n    main()\n",
        "class Net:\n    def fit(self, seed):\n        return 1\n",
        "def set_seed(seed):\n    pass\n",
        "def broken(:\n",
    ],
)
def test_where_nobody_knows_nothing_is_proposed(text: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(text)
    assert said(["python", "train.py"], tmp_path) == ""


def test_a_module_and_a_package_are_looked_through_too(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("from .train import fit\n")
    (package / "train.py").write_text("from . import data\ndef fit(lr, seed=0):\n    return data.load(seed)\n")
    (package / "data.py").write_text("def load(seed):\n    return seed\n")
    for command in (["python", "-m", "pkg"], ["python", "pkg"], ["python", "-m", "pkg.train"]):
        assert said(command, tmp_path).endswith(f"{RUN}pkg/train.py:fit --set 'lr=…'")
    assert script_of(["uv", "run", "pkg/train.py"], str(tmp_path)) == str(package / "train.py")
    assert script_of(["./go", "--fast"], str(tmp_path)) == ""


@pytest.mark.slow
def test_only_a_script_that_printed_nothing_is_taken_for_one(script: Callable[..., list[str]]) -> None:
    silent = script("def train(seed):\n    return seed / 7\n")
    (warning,) = run_script(silent, [1, 2]).warnings
    assert warning.next_step.endswith("run_script(['train.py:train'], seeds=range(1, 3))")
    assert run_script(["train.py:train"], [1, 2]).scores("value")[1] == 1 / 7
    loud = script("def train(seed):\n    return seed / 7\nprint('hello', 'there')\n", "loud.py")
    (warning,) = run_script(loud, [1, 2]).warnings
    assert "loud.py:train" not in warning
    assert sys.executable in loud
