"""A zoo of small programs, each with one planted fault or none: cause, line and fix as planted, and no false alarm."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ZOO = sorted((Path(__file__).parent / "zoo").glob("*.py"))
LONG = (
    *("index_backward", "conv_threads", "set_of_objects", "empty_torch", "loky_numpy", "seeded_too_late"),
    *("sklearn_split", "torch_global", "sound_compiled", "sound_empty_filled"),
    *("sound_import_draws", "sound_jit_script", "sound_loader", "sound_dated_checkpoint", "sound_threads_printed"),
    *("sound_run_by_minute", "sound_joblib_dump", "sound_named_run", "sound_optuna_progress", "sound_training"),
    *(
        "sound_pool_prints_pids",
        "drawn_file_names",
        "strftime_seed",
        "datetime_feature",
        "callback_order",
        "spawned_numpy",
    ),
    *("unwritten_parameter", "uuid1_seed", "pandas_now", "sound_many_workers"),
    *("sound_prefetched", "sound_moments_kept", "sound_bar_in_log"),
    "ignite_time_limit",
    "order_and_dates",  # the clock, which decides there who ends first, is sometimes named beside the completion order
)
"""The first three need both cores for themselves: their races are rare on a busy machine, or their addresses move. The others are slow relatives of programs that are here too."""
IN_FRAMEWORKS = ("sound_optuna_progress", "sound_bar_in_log", "ignite_time_limit")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def marks_of(name: str) -> tuple[pytest.MarkDecorator, ...]:
    return (pytest.mark.long,) * (name in LONG) + (pytest.mark.frameworks,) * (name in IN_FRAMEWORKS)


def test_the_zoo_is_large_enough() -> None:
    causes = [re.search(r"# cause: (.*)", path.read_text())[1] for path in ZOO]  # type: ignore[index]
    assert sum(cause != "none" for cause in causes) >= 25
    assert causes.count("none") >= 8


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem, marks=marks_of(path.stem)) for path in ZOO])
def test_cause_line_and_fix(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    cause = re.search(r"# cause: (.*)", text)[1]  # type: ignore[index]
    line = next((k for k, row in enumerate(text.splitlines(), start=1) if "# HERE" in row), None)
    (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "seedwise.cli", "check", "--json", "--timeout", "100", "--", sys.executable, path.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    if cause == "none":
        assert (found["verdict"], found["cause"], done.returncode) == ("identical", "", 0), found["sentence"]
        return
    assert found["cause"].startswith(cause), found["sentence"]
    assert found["location"] == f"{path.name}:{line}", found["sentence"]
    assert found["fix_verified"] == ("# fix: not verified" not in text), found["sentence"]
    assert found["fix"]
    for other in re.findall(r"# and: (.*)", text):
        assert other in found["cause"], found["sentence"]
    assert done.returncode == 1
