"""Whether runs belong to one experiment, and what is named when they do not."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.experiments import identity


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def manifest(**changed: Any) -> dict[str, Any]:
    return {
        "command": ["python", "train.py"],
        "folder": "/p",
        "mode": "substitute",
        "keep": [],
        "seed site": "",
        "threads": 1,
        "PYTHONHASHSEED": "0",
        "python": "3.11.7",
        "files": "private",
        "code": {"train.py": "1"},
        **changed,
    }


def test_the_same_is_the_same() -> None:
    assert identity.changes(manifest(), manifest(), {}, {}) == []
    assert identity.key_of(manifest()) == identity.key_of(dict(reversed(manifest().items())))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"threads": 2}, ["threads 1 → 2"]),
        ({"threads": None}, ["threads 1 → the script's own"]),
        ({"PYTHONHASHSEED": "7"}, ["PYTHONHASHSEED 0 → 7"]),
        ({"python": "3.12.1"}, ["python 3.11.7 → 3.12.1"]),
        ({"code": {"train.py": "2"}}, ["train.py"]),
        ({"files": "shared"}, ["files private → shared"]),
    ],
)
def test_each_change_is_named(changed: dict[str, Any], words: list[str]) -> None:
    assert identity.changes(manifest(), manifest(**changed), {}, {}) == words
    assert identity.key_of(manifest()) != identity.key_of(manifest(**changed))


def test_files_and_packages_that_runs_read_are_part_of_it(here: Path) -> None:
    (here / "conf.yaml").write_text("lr: 1\n")
    read = identity.read_inputs({}, [str(here / "conf.yaml")], ["sklearn"], {"scikit-learn": "1.5"}, [])
    assert identity.changes(manifest(), manifest(), read, {"scikit-learn": "1.5"}) == []
    (here / "conf.yaml").write_text("lr: 2\n")
    assert identity.changes(manifest(), manifest(), read, {"scikit-learn": "1.6"}) == [
        "conf.yaml",
        "scikit-learn 1.5 → 1.6",
    ]
    assert identity.changes(manifest(), manifest(), read, {})[-1] == "scikit-learn 1.5 → not installed"


def test_data_are_a_warning_and_no_other_experiment(here: Path) -> None:
    data = here / "rows.csv"
    data.write_text("1\n")
    read = identity.read_inputs({}, [str(data)], [], {}, [])
    data.write_text("1\n2\n")
    assert identity.changes(manifest(), manifest(), read, {}) == []
    assert identity.changed_data(read) == ["rows.csv"]


def test_a_file_that_is_executed_is_code_whatever_read_it(here: Path) -> None:
    (here / "model.py").write_text("x = 1\n")
    read = identity.read_inputs({}, [str(here / "model.py"), str(here / "gone.csv")], [], {}, [])
    assert list(read) == [("code", str(here / "model.py"))]


@given(st.sampled_from(identity.INTENT), st.text(min_size=1))
def test_what_a_user_sets_up_makes_another_experiment_and_not_a_change(part: str, value: str) -> None:
    assert not identity.same_intent(manifest(), manifest(**{part: value}))
