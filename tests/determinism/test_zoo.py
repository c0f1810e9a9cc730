"""A zoo of small programs, each with one planted fault or none: cause, line and fix as planted, and no false alarm."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

NEED_BOTH_CORES = ("conv_threads", "index_backward", "thread_race")
"""What differs there depends on two threads that really run side by side."""
ZOO = sorted((Path(__file__).parent / "zoo").glob("*.py"), key=lambda path: (path.stem in NEED_BOTH_CORES, path.stem))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_zoo_is_large_enough() -> None:
    causes = [re.search(r"# cause: (.*)", path.read_text())[1] for path in ZOO]  # type: ignore[index]
    assert sum(cause != "none" for cause in causes) >= 25
    assert causes.count("none") >= 8


def examined(path: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """One program, checked in a folder of its own."""
    folder = folder / path.stem
    folder.mkdir()
    (folder / path.name).write_text(path.read_text())
    return subprocess.run(
        [sys.executable, "-m", "seedwise.cli", "check", "--json", "--timeout", "100", "--", sys.executable, path.name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], subprocess.CompletedProcess[str]]]:
    """Examines two programs at a time, those that need both cores on their own when all others are through."""
    folder = tmp_path_factory.mktemp("zoo")
    with ThreadPoolExecutor(2) as pool:
        waiting = {path: pool.submit(examined, path, folder) for path in ZOO if path.stem not in NEED_BOTH_CORES}

        def answer(path: Path) -> subprocess.CompletedProcess[str]:
            if path in waiting:
                return waiting[path].result()
            wait(waiting.values())
            return examined(path, folder)

        yield answer


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_cause_line_and_fix(path: Path, zoo: Callable[[Path], subprocess.CompletedProcess[str]]) -> None:
    text = path.read_text()
    cause = re.search(r"# cause: (.*)", text)[1]  # type: ignore[index]
    line = next((k for k, row in enumerate(text.splitlines(), start=1) if "# HERE" in row), None)
    done = zoo(path)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    if cause == "none":
        assert (found["verdict"], found["cause"], done.returncode) == ("identical", "", 0), found["sentence"]
        return
    assert found["cause"].startswith(cause), found["sentence"]
    assert found["location"] == f"{path.name}:{line}", found["sentence"]
    assert found["fix_verified"] == ("# fix: not verified" not in text), found["sentence"]
    assert found["fix"]
    assert done.returncode == 1
