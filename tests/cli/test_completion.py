"""Completion in a shell, and help."""

import subprocess
import sys
from pathlib import Path

import pytest

from seedwise.cli.start import start


def words(capsys: pytest.CaptureFixture[str], *typed: str) -> list[str]:
    assert start(["completion", "words", "--", *typed]) == 0
    return capsys.readouterr().out.split("\n")[:-1]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (("comp",), ["compare", "completion"]),
        (("help", "su"), ["summarize"]),
        (("run", "--until-r"), ["--until-rule"]),
        (("run", "--until-rule", ""), ["sequence", "stein", "betting"]),
        (("run", "--workdir", "s"), ["sequential", "shared"]),
        (("run", "-n", "3", "--gr"), ["--grid"]),
        (("run", "-n", "3", "python", "train.py", "--l"), [""]),  # the user's own words
        (("run", "-n", "3", "--", "--l"), [""]),
        (("nothing", "x"), [""]),
        (("show", "base"), [""]),  # there is no store
        (("completion", "z"), ["zsh"]),
    ],
)
def test_what_a_word_can_become(
    typed: tuple[str, ...],
    wanted: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words(capsys, *typed) == wanted


def test_names_of_experiments_and_families(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from seedwise.experiments.store import open_store

    monkeypatch.chdir(tmp_path)
    with open_store(create=True) as store:
        for name in ("train lr=1", "train lr=2", "base"):
            store.add_experiment(name, name, ["python"], {}, {})
    assert words(capsys, "show", "") == ["train", "base", "train lr=1", "train lr=2"]
    assert words(capsys, "compare", "base", "train l") == ["train lr=1", "train lr=2"]


def test_bash_completes(tmp_path: Path) -> None:
    script = (
        'eval "$(seedwise completion bash)"; COMP_WORDS=(seedwise run --until-rule s); COMP_CWORD=3; _seedwise; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", script], check=False, capture_output=True, text=True, env={"PATH": path}, cwd=tmp_path
    )
    assert done.stdout.split() == ["sequence", "stein"], done.stderr


def test_help_is_grouped_and_both_ways_of_asking_are_one(capsys: pytest.CaptureFixture[str]) -> None:
    start(["run", "--help"])
    text = capsys.readouterr().out
    start(["help", "run"])
    assert capsys.readouterr().out == text
    assert "Which seeds, and when to stop" in text
    assert "'logs/*/events*'" in text  # nothing is taken for Markdown
    assert "default: False" not in text
    start(["help"])
    assert "Say what the numbers mean" in capsys.readouterr().out
