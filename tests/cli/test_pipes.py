"""What is printed where there is no terminal, where the terminal can do little, and where nobody reads to the end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TRAIN = "import random\nseed = 42\nrandom.seed(seed)\nprint('acc =', random.random())\n"
RUN = ("-n", "3", "--fresh", "--name")
COMMANDS = {
    "run": ("run", *RUN, "again", "--", "PYTHON", "train.py"),
    "show": ("show", "base"),
    "show --json": ("show", "base", "--json"),
    "list": ("list",),
    "compare": ("compare", "new", "base"),
    "log": ("log", "base", "--seed", "2"),
    "check": ("check", "--", "PYTHON", "train.py"),
    "decompose": ("decompose", "-n", "2", "--vary", "other", "--name", "parts", "--", "PYTHON", "train.py"),
    "run --help": ("run", "--help"),
}


def typed(name: str) -> list[str]:
    words = [sys.executable if word == "PYTHON" else word for word in COMMANDS[name]]
    return [sys.executable, "-m", "seedwise.cli", *words]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipes")
    (folder / "train.py").write_text(TRAIN)
    (folder / ".seedwise").mkdir()
    for name in ("base", "new"):
        words = ["-m", "seedwise.cli", "run", *RUN, name, "--", sys.executable, "train.py"]
        subprocess.run([sys.executable, *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_who_leaves_ends_nothing_with_an_error_or_another_answer(name: str, here: Path) -> None:
    """As in `seedwise … 2>&1 | true`: the exit code is that of the work."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        found = subprocess.run(typed(name), cwd=here, stdout=writing, stderr=writing, timeout=100, check=False)
    finally:
        os.close(writing)
    assert found.returncode == 0


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"LC_ALL": "C"}, {"COLUMNS": "160"}])
def test_a_pipe_gets_text_without_codes_of_a_terminal(setting: dict[str, str], here: Path) -> None:
    for name in ("show", "compare", "show --json"):
        found = subprocess.run(
            typed(name), cwd=here, env={**os.environ, **setting}, capture_output=True, timeout=100, check=False
        )
        assert (found.returncode, found.stderr) == (0, b"")
        assert b"\x1b" not in found.stdout
        text = found.stdout.decode()
        assert "acc" in text
        if name.endswith("--json"):
            assert json.loads(text)["metrics"]["acc"]["n"] == 3


def on_a_terminal(words: list[str], folder: Path, **environment: str) -> bytes:
    """What a command writes to a terminal."""
    import pty

    ours, theirs = pty.openpty()
    unset = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LC_CTYPE", "PYTHONUTF8")}
    with subprocess.Popen(words, cwd=folder, stdout=theirs, stderr=theirs, env={**unset, **environment}) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so where the other end is closed
                break
            if not part:
                break
            written += part
        assert process.wait() == 0
    os.close(ours)
    return written


def test_a_terminal_whose_locale_is_c_gets_plain_characters_and_without_colour_no_codes(here: Path) -> None:
    plain = on_a_terminal(typed("show"), here, LC_ALL="C", NO_COLOR="1", TERM="xterm", COLUMNS="80")
    assert plain.isascii()
    assert b"+/-" in plain
    assert b"\x1b" not in plain
    assert "±".encode() in on_a_terminal(typed("show"), here, LC_ALL="C.UTF-8", TERM="xterm", COLUMNS="80")
