"""Programs written after public reports of trainings that do not resume, by somebody who had not seen the check."""

import re
import sys
from pathlib import Path

import pytest

from seedwise.api.resume import check_resume_script
from seedwise.determinism.resuming import Resumed

PROGRAMS = sorted((Path(__file__).parent / "resume_zoo" / "after_reports").glob("*.py"))
IN_CI = ("lstm_forecast",)
IN_FRAMEWORKS = ("keras_imdb_like", "tf_linear_net")
"""The others take minutes together: they are for `make test-long`."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def marks_of(name: str) -> tuple[pytest.MarkDecorator, ...]:
    if name in IN_CI:
        return ()
    return (pytest.mark.frameworks,) if name in IN_FRAMEWORKS else (pytest.mark.long, pytest.mark.frameworks)


def test_there_are_faults_of_each_kind_and_sound_ones() -> None:
    causes = [re.search(r"# cause: (.*)", path.read_text())[1] for path in PROGRAMS]  # type: ignore[index]
    assert sum(cause != "none" for cause in causes) >= 16
    assert causes.count("none") >= 16


@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem, marks=marks_of(p.stem)) for p in PROGRAMS])
def test_the_cause_and_the_line_that_loads(path: Path, project: Path) -> None:
    text = path.read_text()
    cause, line = re.search(r"# cause: (.*)\n# loaded: (\d+)", text).groups()  # type: ignore[union-attr]
    (project / path.name).write_text(text)
    found = check_resume_script([sys.executable, path.name], timeout=200)
    if cause == "none":
        assert (found.verdict, found.cause) == (Resumed.IDENTICAL, ""), found.sentence
        return
    assert found.verdict in (Resumed.DIFFERENT, Resumed.ROUNDING), found.sentence
    assert found.cause.startswith(cause), found.sentence
    assert found.loaded_at == f"{path.name}:{line}", found.sentence
