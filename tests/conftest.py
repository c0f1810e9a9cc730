"""What the tests share: a project folder of its own, and scripts in it."""

import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from seedwise.runs.executors import Task
from seedwise.runs.executors.local import LocalExecutor
from seedwise.runs.warm import Warmth

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background by a shell: Ctrl-C is tested here
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
def imported_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What warm parents have imported for all runs."""
    names: list[str] = []
    heard = Warmth.heard

    def listening(self: Warmth, message: Mapping[str, Any]) -> None:
        names.extend(message.get("units", ()))
        heard(self, message)

    monkeypatch.setattr(Warmth, "heard", listening)
    return names


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds whose runs were forked."""
    seeds: list[int] = []
    start = LocalExecutor.start

    def counted(self: LocalExecutor, task: Task, warm: bool = False) -> None:
        if warm:
            seeds.append(task.seed)
        start(self, task, warm)

    monkeypatch.setattr(LocalExecutor, "start", counted)
    return seeds
