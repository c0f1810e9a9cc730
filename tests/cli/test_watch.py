"""`seedwise watch --web`: what is refused, and what it takes."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from seedwise.cli.start import start

from ..web.stored import Sweep


def test_what_would_be_ignored_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Sweep(project).ran(1, 0.5)
    for words in (["--port", "8000"], ["--metric", "acc"], ["new"]):
        assert start(["watch", "base", *words]) == 2
        said = capsys.readouterr().err
        assert words[0] in said
        assert "--web" in said


@pytest.mark.parametrize("lacking", ["starlette", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    Sweep(project).ran(1, 0.5)
    monkeypatch.setitem(sys.modules, lacking, None)
    for name in [name for name in sys.modules if name.startswith((f"{lacking}.", "seedwise.web.app"))]:
        monkeypatch.delitem(sys.modules, name)
    assert start(["watch", "base", "--web"]) == 2
    assert f"{lacking} is not installed: pip install 'seedwise[web]'" in capsys.readouterr().err


def test_a_port_that_is_taken_or_is_none_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Sweep(project).ran(1, 0.5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port in (str(taken.getsockname()[1]), "70000", "-1"):
            assert start(["watch", "base", "--web", "--port", port]) == 2
            assert f"cannot listen on port {port}" in capsys.readouterr().err


def test_an_experiment_that_is_not_there_is_said_before_anything_is_served(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["watch", "base", "--web"]) == 2
    assert "no experiments here" in capsys.readouterr().err
    Sweep(project).ran(1, 0.5)
    for names in (["bse"], ["base", "base"], ["base", "nothing"], ["base@2"]):
        assert start(["watch", *names, "--web"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "no experiment" in said.err or "once" in said.err


def test_nothing_of_a_server_is_loaded_by_other_commands(project: Path) -> None:
    Sweep(project).ran(1, 0.5)
    code = (
        "import sys; from seedwise.cli.start import start; start(['watch', 'base']); start(['show', 'base']);"
        "print({'starlette', 'uvicorn', 'anyio', 'seedwise.web'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")


def test_ctrl_c_says_that_the_runs_go_on(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    sweep = Sweep(project)
    sweep.ran(1, 0.5)
    sweep.claim(2)
    monkeypatch.setattr("time.sleep", interrupted)
    assert start(["watch", "base"]) == 130
    said = capsys.readouterr()
    assert "1 finished, 1 running" in said.out
    assert "the runs go on" in said.err
    assert "nothing is left running" not in said.err
