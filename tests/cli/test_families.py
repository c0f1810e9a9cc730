"""A grid from the first command to the last: run, list, show, compare, export, rm."""

import json
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.cli.start import start

TRAIN = """import random
def train(seed, lr=0.1, wd=0.0):
    return {"acc": 0.8 + lr + random.Random(seed).gauss(0, 0.01) if lr < 9 else float("nan")}
"""
SCRIPT = """import sys, random
random.seed(42)
lr = float(sys.argv[1])
print(f"acc = {0.8 + (lr == 0.5) * 0.1 + random.gauss(0, 0.01):.5f}")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    (folder / "fn.py").write_text(TRAIN)
    (folder / "train.py").write_text(SCRIPT)
    return folder


@pytest.fixture(autouse=True)
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


@pytest.mark.slow
def test_a_grid_of_a_script_is_a_family(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--grid", "lr=0.1,0.5", "--confirm", "3", "--json", "--", "python", "train.py", "{lr}"]
    assert start(["run", "-n", "4", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["settings"]) == ["train lr=0.1", "train lr=0.5"]
    assert found["ranking"]["places"][0]["group"]["name"] == "train lr=0.5"
    assert found["confirmed"]["name"] == "train lr=0.5"
    assert found["confirmed"]["seeds"] == [5, 6, 7]  # none of those that chose it
    assert found["ranking"]["places"][0]["group"]["n"] == 4

    assert start(["show", "train"]) == 0
    text = capsys.readouterr().out
    assert "Confirmed: train lr=0.5" in text  # and its fresh seeds have no part in the table
    assert text.count("4 of 4") == 2
    assert text.count("train lr=0.5 is the best") + text.count("train lr=0.5 has the best") == 1

    assert start(["compare", "train", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"]["name"] == "train lr=0.1"
    assert start(["compare", "train lr=*5", "train lr=0.1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"]["name"] == "train lr=0.5"
    assert start(["list", "train lr=*", "--json"]) == 0
    names = ["train lr=0.1", "train lr=0.5", "train confirmed=fresh lr=0.5"]
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == names[:2]

    assert start(["export", "train"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "lr,seed,status,acc"
    assert len(rows) == 1 + 4 + 4  # the fresh seeds are an experiment of their own
    assert start(["export", "train", "--seeds", "2-3"]) == 0
    assert [row.split(",")[:2] for row in capsys.readouterr().out.splitlines()[1:]] == [
        [lr, seed] for lr in ("0.1", "0.5") for seed in ("2", "3")
    ]
    assert start(["export", "train", "--format", "json"]) == 0
    assert [e["settings"] for e in json.loads(capsys.readouterr().out)["experiments"]] == [{"lr": "0.1"}, {"lr": "0.5"}]
    # the same command runs nothing again, and names the same fresh seeds
    assert start(["run", "-n", "4", *words]) == 0
    assert json.loads(capsys.readouterr().out)["confirmed"]["seeds"] == [5, 6, 7]
    # more seeds for the choice are never fresh ones
    assert start(["run", "-n", "9", *words]) == 0
    capsys.readouterr()
    assert start(["run", "-n", "4", *words]) == 0
    assert json.loads(capsys.readouterr().out)["confirmed"]["seeds"] == [10, 11, 12]

    assert start(["rm", "train"]) == 0
    assert capsys.readouterr().out.count("would remove") == 3
    assert start(["rm", "train lr=0.1", "--yes"]) == 0
    capsys.readouterr()
    assert start(["list", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == names[1:]


def test_several_values_of_a_setting_are_a_grid(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["run", "-n", "3", "fn.py:train", "--set", "lr=0.1,10", "--set", "wd=0.5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["settings"]) == ["fn lr=0.1", "fn lr=10"]
    assert found["ranking"] is None
    assert "NaN" in found["unranked"]["fn lr=10"]
    assert start(["show", "fn"]) == 0
    assert "fn lr=10 is not ranked" in capsys.readouterr().out


@pytest.mark.slow
def test_a_grid_in_python(tmp_path: Path) -> None:
    def train(seed: int, lr: float, act: str | None = None) -> float:
        return 0.1 * seed + lr + (act is None)

    family = sw.run_grid(train, range(4), {"lr": [1, 2], "act": ["relu", None]}, confirm=2, store=str(tmp_path / "s"))
    assert list(family.members) == [
        "train lr=1 act=relu",
        "train lr=1 act=None",
        "train lr=2 act=relu",
        "train lr=2 act=None",
    ]
    assert family.ranking is not None
    assert family.ranking.places[0].group.name == "train lr=2 act=None"
    assert family.confirmed is not None
    assert family.confirmed.seeds == (4, 5)
    assert family.confirmed.summary.mean == pytest.approx(3.45)
    assert family.confirmed.before == pytest.approx(3.15)
    again = sw.load_family("train lr=1*", store=str(tmp_path / "s"))
    assert list(again.members) == ["train lr=1 act=relu", "train lr=1 act=None"]
    assert "train lr=1 act=None" in str(again)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "-n", "3", "--grid", "lr=1,2", "--", "python", "train.py"], "the command has no {lr}"),
        (["run", "-n", "3", "--confirm", "3", "--", "python", "train.py"], "it goes with --grid"),
        (["run", "-n", "3", "--grid", "lr=1,2", "--confirm", "1", "--", "python", "train.py", "{lr}"], "2 or more"),
        (
            ["run", "-n", "3", "--grid", "lr=1,2", "--against", "x", "--", "python", "train.py", "{lr}"],
            "--against would",
        ),
        (["run", "-n", "3", "--grid", "lr=1,2", "--grid", "lr=3", "--", "python", "train.py", "{lr}"], "stands twice"),
    ],
)
def test_what_makes_no_grid_is_a_line_and_exit_2(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("grid", "said"),
    [({}, "name → values"), ({"lr": 0.1}, "a list"), ({"lr": []}, "at least one"), ({"seed": [1]}, "seeds=")],
)
def test_what_makes_no_grid_in_python(grid: dict[str, object], said: str) -> None:
    with pytest.raises(sw.UsageError, match=said):
        sw.run_grid(lambda seed: 1.0, range(2), grid)  # type: ignore[arg-type]


def test_one_setting_has_its_row_and_a_plain_name_does_not_hide_the_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT)
    assert start(["run", "-n", "3", "--grid", "lr=0.1", "--", "python", "train.py", "{lr}"]) == 0
    assert "3 of 3" in capsys.readouterr().out
    assert start(["run", "-n", "3", "python", "train.py", "0.1"]) == 0
    capsys.readouterr()
    assert start(["show", "train"]) == 0
    assert "seedwise show 'train *'" in capsys.readouterr().out
    assert list(sw.load_family("train").members) == ["train lr=0.1"]


def test_what_fails_alike_in_two_settings_is_not_tried_in_the_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text("import random\nrandom.seed(42)\nraise ValueError('no such file')\n")
    assert start(["run", "-n", "3", "--grid", "k=1,2,3", "--", "python", "broken.py", "{k}"]) == 3
    text = capsys.readouterr().out
    assert "no such file" in text
    assert "not run: broken k=3" in text


def test_progress_of_a_grid_counts_all_its_settings() -> None:
    from seedwise.events import Began, Planned
    from seedwise.reports.progress import Progress

    progress = Progress()
    progress.take(Planned(18))
    progress.take(Began(6, 0, 6, 2, experiment="train lr=0.1"))
    assert progress.counted() == "0 of 18"
