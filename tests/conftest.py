"""What the tests share: a project folder of its own, and scripts in it."""

import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from seedwise.runs.both_ways import Purpose
from seedwise.runs.forking import Forking, ForkingProcess
from seedwise.runs.supervisor import Supervisor

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background by a shell: Ctrl-C is tested here
    signal.signal(signal.SIGINT, signal.default_int_handler)


settings.register_profile("seedwise", deadline=None)  # how long an example takes depends on what else the machine does
settings.load_profile("seedwise")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working directory; its store is inside."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SEEDWISE_STORE", raising=False)
    return folder


@pytest.fixture
def script(project: Path) -> Callable[..., list[str]]:
    """Write a script into the project; returns the command that runs it with this interpreter."""

    def write(text: str, name: str = "train.py") -> list[str]:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return [sys.executable, name]

    return write


@pytest.fixture
def executed_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], bool]:
    """Whether a line of the script was executed once for all forked runs."""
    lines: list[int] = []
    take = ForkingProcess._take

    def listening(self: ForkingProcess, message: Mapping[str, Any]) -> None:
        if message["type"] == "ready":
            lines.append(message["line"])
        take(self, message)

    monkeypatch.setattr(ForkingProcess, "_take", listening)
    return lambda line: bool(lines) and all(last == 0 or line < last for last in lines)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds whose runs were forked. The first alone is run both ways, however short the script is."""
    seeds: list[int] = []
    begin = Supervisor._begin

    def counted(self: Supervisor, work: Any) -> bool:
        if work.forked and work.purpose is Purpose.RUN:
            seeds.append(work.attempt.seed)
        return begin(self, work)

    monkeypatch.setattr(Supervisor, "_begin", counted)
    monkeypatch.setattr("seedwise.runs.supervisor.to_compare", lambda key, seeds: [])
    monkeypatch.setattr(Forking, "is_worth_it", lambda self, left: True)
    return seeds
