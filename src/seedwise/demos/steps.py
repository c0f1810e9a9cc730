"""Plays a demo: sentences, and the commands that a reader could type, each run as it is shown."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

SCRIPTS = Path(__file__).with_name("scripts")
_INTERRUPTED = 130


@dataclass(frozen=True)
class Step:
    """What is asked, and the commands that answer it: the words after `seedwise`."""

    says: str
    commands: tuple[tuple[str, ...], ...]


def python_with_torch() -> str:
    """An interpreter that has torch: this one, else the one that `python` or `python3` starts.

    Raises UsageError if none has.
    """
    question = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    for python in (sys.executable, shutil.which("python"), shutil.which("python3")):
        if python and subprocess.run([python, "-c", question], capture_output=True, check=False).returncode == 0:
            return python
    raise UsageError(
        "this demo trains with torch, which is not installed: pip install torch==2.13.0 (the build for CPU)"
    )


def play(folder: Path, files: Sequence[str], steps: Sequence[Step], last: str) -> int:
    """Copy the files into a folder of their own, and run the steps there.

    Parameters
    ----------
    files
        Names of files in `demos/scripts`.
    last
        The sentence at the end.

    Returns
    -------
    int
        The highest exit code of the commands; 130 as soon as one of them was interrupted.
    """
    python = python_with_torch()
    folder.mkdir(exist_ok=True)
    for name in files:
        shutil.copyfile(SCRIPTS / name, folder / name)
    # `python` in a command, and the one that calls functions, is the one with torch
    path = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path}
    print(f"$ cd {folder}", flush=True)
    worst = 0
    for step in steps:
        print(f"\n{step.says}", flush=True)
        for words in step.commands:
            print(f"\n$ seedwise {shlex.join(words)}", flush=True)
            code = _run(words, folder, environment)
            if code == _INTERRUPTED:
                return code
            worst = max(worst, code)
    print(f"\n{last}", flush=True)
    return worst


def _run(words: Sequence[str], folder: Path, environment: dict[str, str]) -> int:
    """Run one command to its end. It hears Ctrl-C itself, and says what it has kept."""
    process = subprocess.Popen([sys.executable, "-m", "seedwise.cli", *words], cwd=folder, env=environment)
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue
        return _INTERRUPTED if code < 0 else code
