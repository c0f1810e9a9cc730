"""Exports, imports and removals: what goes out comes in again, and nothing is deleted unasked."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.api.experiments import export, prune, remove
from seedwise.api.script import run_script
from seedwise.api.tables import read_scores
from seedwise.cli.start import start
from seedwise.errors import UsageError
from seedwise.reports.latex import to_latex
from seedwise.reports.table import to_markdown

Script = Callable[..., list[str]]
TEXT = "import os\nSEED = 42\nopen('made.txt', 'w').write('x' * 1000)\nprint('acc =', SEED / 7)\n"


def test_what_is_exported_is_read_again(script: Script, project: Path) -> None:
    results = run_script(script(TEXT), range(1, 5))
    (project / "scores.csv").write_text(export("train", "csv"))
    again = read_scores("scores.csv")
    assert dict(again.scores("acc").by_seed) == dict(results.scores("acc").by_seed)
    frame = results.to_pandas()
    assert frame["acc"].tolist() == [s / 7 for s in range(1, 5)]
    assert list(frame.columns) == ["seed", "status", "seconds", "acc"]
    rows = [line.split("|")[1:4] for line in export("train", "md").splitlines()[2:]]
    assert [int(row[0]) for row in rows] == [1, 2, 3, 4]
    assert export("train", "latex").count(r"\\") == 5


def test_cells_are_text_in_every_format() -> None:
    assert to_markdown(["a|b"], [["x|y\nz"]]).splitlines() == ["| a\\|b |", "| --- |", "| x\\|y z |"]
    assert r"50\% \& \_ \textbackslash{}input\{x\}" in to_latex(["m"], [["50% & _ \\input{x}"]])


def test_a_log_is_read_by_its_seeds(project: Path) -> None:
    Path("run.log").write_text("start\nseed = 3 | acc = 0.80\nseed = 5 | acc = 0.70\nmean acc = 0.75\n")
    assert dict(read_scores("run.log").scores("acc").by_seed) == {3: 0.8, 5: 0.7}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acc,loss\n1,2\n", "no column `seed`"),
        ("seed,acc\n1,2\n1,3\n", ":3: seed 1 stands twice"),
        ("seed,acc\n1.5,2\n", ":2: the seed '1.5' is not an integer"),
        ("seed,acc\n1\n", ":2 has 1 cells"),
        ("", "is empty"),
    ],
)
def test_a_table_that_cannot_be_read_is_said_with_its_line(text: str, said: str, project: Path) -> None:
    Path("x.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_scores("x.csv")


def test_summarize_prints_json_of_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open("x.csv", "w", newline="") as file:
        csv.writer(file).writerows([["seed", "val_loss", "model"], [1, 2.0, "a"], [2, 3.0, "a"]])
    assert start(["summarize", "x.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["val_loss"]["mean"] == 2.5


def test_rm_says_first_and_removes_only_when_told(script: Script, project: Path) -> None:
    run_script(script(TEXT), [1, 2])
    run_script(script(TEXT), [1], name="other")
    folder = project / ".seedwise" / "runs" / "train@1"
    said = remove("train")
    assert said.bytes > 2000
    assert folder.is_dir()
    remove("train", really=True)
    assert not folder.exists()
    with pytest.raises(UsageError, match="there are: other"):
        sw.load("train")
    assert len(sw.load("other").finished) == 1


def test_prune_keeps_the_newest_attempt_of_every_seed(script: Script, project: Path) -> None:
    flaky = (
        "import os\nSEED = 42\nn = len(os.listdir('tries'))\nopen(f'tries/{n}', 'w').close()\nprint('acc =', SEED)\n"
    )
    (project / "tries").mkdir()
    results = run_script(
        script(flaky + "if SEED == 2 and n < 3: raise SystemExit(1)\n"), [1, 2, 3], share=["tries"], retries=2, jobs=1
    )
    assert len(results.finished) == 3
    stray = project / ".seedwise" / "runs" / "gone@7" / "seed-1"
    stray.mkdir(parents=True)
    place = project / ".seedwise" / "runs" / "train@1"
    before = sorted(p.name for p in place.iterdir())
    assert len(prune().what) == 2
    assert sorted(p.name for p in place.iterdir()) == before
    prune(really=True)
    kept = {Path(str(run.folder)).name for run in sw.load("train").runs}
    assert {p.name for p in place.iterdir()} == kept
    assert not stray.exists()
    assert prune().what == ()


def test_watch_ends_when_nothing_runs(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    run_script(script(TEXT), [1, 2])
    assert start(["watch", "train"]) == 0
    assert "2 finished; mean acc" in capsys.readouterr().out


def test_a_report_that_reads_last_values_only_says_the_same(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from seedwise.experiments.store import Store

    text = "SEED = 42\nfor k in range(5):\n    print('loss:', SEED / (k + 1))\nprint('acc:', 'nan' if SEED == 2 else SEED)\n"
    run_script(script(text), [1, 2, 3])
    start(["show", "train", "--json"])
    full = json.loads(capsys.readouterr().out)
    monkeypatch.setattr(Store, "is_large", lambda self, experiment: True)
    start(["show", "train", "--json"])
    assert json.loads(capsys.readouterr().out) == full
