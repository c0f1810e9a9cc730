"""Which rows are a run: curves, exports of W&B, and what is no seed and no task."""

import json
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise.api.files import read_columns, read_methods
from seedwise.api.tables import read_scores
from seedwise.cli.start import start
from seedwise.errors import UsageError
from seedwise.results import Reduce, Series
from seedwise.tables.runs import Layout
from seedwise.wording import at_command_line

CURVES = (
    "seed,epoch,acc,val_loss\n1,0,0.0,4\n1,10,0.6,1\n1,20,0.5,2\n2,0,0.1,3\n2,20,0.9,2\n2,10,0.2,1\n"  # not in order
)
WANDB = (
    '"Step","resnet-seed1 - val/acc","resnet-seed1 - val/acc__MIN","resnet-seed1 - val/acc__MAX","resnet-seed2 - val/acc",'
    '"resnet-seed2 - val/acc__MIN","resnet-seed2 - val/acc__MAX","vit_seed=1 - val/acc","vit_seed=2 - val/acc"\n'
    '"1","0.5","0.4","0.6","0.6","0.1","0.9","0.1","0.3"\n"2","0.7","0.4","0.9","","","","0.2","0.4"\n'
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("layout", "metric", "wanted"),
    [
        (Layout(), "acc", {1: 0.5, 2: 0.9}),
        (Layout(reduce=Reduce.LAST), "acc", {1: 0.5, 2: 0.9}),
        (Layout(reduce=Reduce.BEST), "acc", {1: 0.6, 2: 0.9}),
        (Layout(reduce=Reduce.BEST), "val_loss", {1: 1.0, 2: 1.0}),
        (Layout(reduce=Reduce.MEAN), "acc", {1: 1.1 / 3, 2: 0.4}),
        (Layout(reduce=Reduce.AREA), "acc", {1: 8.5, 2: 7.0}),
        (Layout(steps_to=0.55), "acc", {1: 10, 2: 20}),
        (Layout(steps_to=0.8), "acc", {2: 20}),
        (Layout(steps_to=1), "val_loss", {1: 10, 2: 10}),
    ],
)
def test_a_curve_gives_the_number_that_was_asked_for(layout: Layout, metric: str, wanted: dict[int, float]) -> None:
    Path("x.csv").write_text(CURVES)
    results = read_scores("x.csv", [metric], layout)
    found = results.scores(results.metrics[0].name)
    assert found.by_seed == pytest.approx(wanted)
    assert found.n == 2


def test_the_area_of_a_logged_series_is_that_of_a_table() -> None:
    assert Series((0, 10, 20), (0.0, 0.6, 0.5)).reduce(Reduce.AREA, None) == pytest.approx(8.5)
    with pytest.raises(UsageError, match="two values"):
        Series((1,), (0.5,)).reduce(Reduce.AREA, None)


def test_which_row_counts_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.csv").write_text(CURVES)
    assert start(["summarize", "x.csv", "--metric", "acc"]) == 0
    assert "a run counts with its last row by epoch" in capsys.readouterr().out
    assert start(["summarize", "x.csv", "--metric", "acc", "--steps-to", "0.8", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)["metrics"]["steps to acc ≥ 0.8"]
    assert (summary["finished"], summary["n"], summary["goal"]) == (1, 2, "min")


def test_runs_of_different_lengths_are_said_and_their_areas_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.csv").write_text("seed,step,acc\n1,1,0.5\n1,2,0.6\n2,1,0.7\n")
    assert start(["summarize", "x.csv"]) == 0
    assert "different lengths of training: seed 2 ends at 1, seed 1 at 2" in capsys.readouterr().out
    with pytest.raises(UsageError, match="areas are compared over the same steps"):
        read_scores("x.csv", (), Layout(reduce=Reduce.AREA))


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("epoch,acc\n1,0.5\n2,0.6\n", ["summarize"], "no column `seed`; its columns are epoch, acc: --seed-column"),
        ("model,acc\nA,0.5\nB,0.6\n", ["compare", "--by", "model"], "--rows-are-runs"),
        ("seed,episode,reward\n1,1,5\n1,2,6\n", ["summarize"], "such as episode, are no further runs: --reduce mean"),
        ("seed,episode,reward\n1,1,5\n1,2,6\n", ["summarize", "--reduce", "last"], "seed 1 stands twice"),
        ("seed,fold,acc\n1,1,5\n1,2,6\n", ["compare", "--by", "fold"], "fold counts rows within a run"),
        ("m,seed,epoch,acc\nA,1,1,5\nB,1,2,6\n", ["compare", "--by", "m", "--task", "epoch"], "no method and no task"),
        ("m,seed,acc\nA,1,5\nB,1,6\n", ["compare", "--by", "seed"], "seed tells runs apart"),
        ("m,seed,acc\nA,1,5\nB,1,6\n", ["compare", "--by", "m", "--task", "env"], "its columns are m, seed, acc"),
        ("m,seed,acc\nA,1,5\nB,1,6\n", ["compare", "--by", "m", "--metric", "f1"], "its columns are m, seed, acc"),
        ("m,seed,acc\nA,1,5\nB,1,6\n", ["compare", "--task", "m"], "--by one of m, seed, acc"),
        ("seed,acc\n1,5\n2,6\n", ["summarize", "--metric", "f1"], "its columns are seed, acc"),
        ("seed,acc\n1,5\n2,6\n", ["summarize", "--metric", "acc=(.*)"], "is a table"),
        ("seed,acc\n1,5\n2,6\n", ["summarize", "--reduce", "best"], "--reduce would be ignored"),
        ("seed,acc\n1,5\n2,6\n", ["summarize", "--steps-to", "5"], "--steps-to takes several rows"),
        ("seed,acc\n1,5\n2,6\n", ["summarize", "--rows-are-runs"], "has a column 'seed'"),
        ("seed,epoch,acc\n1,1,5\n1,2,6\n", ["summarize", "--seed-column", "epoch"], "is no seed"),
        ("seed,epoch,acc\n1,1,5\n1,1,6\n", ["summarize"], "seed 1 stands twice at epoch 1"),
        ("seed,epoch,x\n1,1,5\n1,2,6\n", ["summarize", "--reduce", "best", "--metric", "x"], "x:min or :max"),
        (
            "seed,epoch,split,acc\n1,1,train,5\n1,2,val,6\n1,3,train,7\n",
            ["summarize"],
            "split differs between the rows",
        ),
        ("m,seed,acc\nA,1,5\n,1,6\n", ["compare", "--by", "m"], "x.csv:3: m is blank"),
        ("epoch,A,B\n1,5,6\n2,6,7\n", ["compare", "--wide"], "epoch counts rows within a run"),
        ("A,B\n1,5\nx,6\n3,7\n", ["compare", "--wide"], "x.csv:3: A is 'x'"),
    ],
)
def test_rows_of_one_run_are_no_seeds_and_no_tasks(
    text: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.csv").write_text(text)
    assert start([words[0], "x.csv", *words[1:]]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_what_tells_runs_apart_can_be_named() -> None:
    Path("x.csv").write_text("m,rng,fold,acc\nA,1,1,0.5\nA,1,2,0.7\nB,1,1,0.6\nB,1,2,0.6\n")
    found = read_methods("x.csv", "m", None, "acc", Layout(seed="rng", reduce=Reduce.MEAN))
    assert {name: dict(of[""].by_seed) for name, of in found.methods.items()} == {
        "A": {1: pytest.approx(0.6)},
        "B": {1: pytest.approx(0.6)},
    }
    Path("x.csv").write_text("m,acc\nA,0.5\nA,0.7\nB,0.6\n")
    rows = read_methods("x.csv", "m", None, "acc", Layout(rows_are_runs=True)).methods
    assert {name: dict(of[""].by_seed) for name, of in rows.items()} == {"A": {0: 0.5, 1: 0.7}, "B": {0: 0.6}}


def test_a_chart_of_wandb_is_a_run_for_each_column() -> None:
    Path("w.csv").write_text(WANDB)
    found = read_methods("w.csv", "group", None, None)
    assert {name: dict(of[""].by_seed) for name, of in found.methods.items()} == {
        "resnet": {1: 0.7, 2: 0.6},
        "vit": {1: 0.2, 2: 0.4},
    }
    assert any("different lengths" in note for note in found.notes)
    best = read_methods("w.csv", "group", None, None, Layout(reduce=Reduce.BEST)).methods
    assert best["resnet"][""].metric == "val/acc"
    assert dict(best["resnet"][""].by_seed) == {1: 0.7, 2: 0.6}


def test_runs_of_wandb_without_a_seed_in_their_names_are_runs() -> None:
    Path("w.csv").write_text("Step,swift-river-12 - acc,calm-sea-7 - acc\n1,0.5,0.6\n2,0.7,0.8\n")
    found = read_scores("w.csv")
    assert sorted(found.scores("acc").values) == [0.7, 0.8]
    assert any("run holds names and no seeds" in text for text in found.warnings)


def test_names_of_runs_pair_with_the_same_names_only() -> None:
    Path("a.csv").write_text("run,acc\nfoo,0.5\nbar,0.6\nbaz,0.7\n")
    Path("b.csv").write_text("run,acc\nbar,0.7\nbaz,0.8\nqux,0.1\n")
    found = sw.compare("a.csv", "b.csv", paired=True)
    assert found.pairs == 2
    assert found.difference == pytest.approx(-0.1)


def test_wide_tables_count_blanks_as_unfinished() -> None:
    Path("x.csv").write_text("A,B\n0.5,0.6\n0.7,\n")
    found = read_columns("x.csv")
    assert {name: (len(s), s.n) for name, s in {n: of[""] for n, of in found.methods.items()}.items()} == {
        "A": (2, 2),
        "B": (1, 2),
    }


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    rows = [f"{m},{s},{t},{rng.random()}" for m in "AB" for s in range(5) for t in range(7)]
    seen = []
    for _ in range(3):
        Path("x.csv").write_text("model,seed,step,acc\n" + "\n".join(rows) + "\n")
        found = read_methods("x.csv", "model", None).methods
        seen.append({name: dict(of[""].by_seed) for name, of in found.items()})
        rng.shuffle(rows)
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.slow
def test_pieces_of_a_large_table_are_one_table() -> None:
    n = 70_000  # several blocks; the last ones have quotes, and a column turns from numbers into words
    rows = [f"{k},{k / 7!r},{k if k < 65_000 else 'x'}" for k in range(n)]
    rows[66_000] = f'"66000","{66_000 / 7!r}","a, b"'
    Path("x.csv").write_text("seed,acc,tag\n" + "\n".join(rows) + "\n")
    found = read_scores("x.csv")
    assert [m.name for m in found.metrics] == ["acc"]
    assert dict(found.scores("acc").by_seed) == {k: k / 7 for k in range(n)}
    assert (len(found), found.runs[66_000].series["acc"].values) == (n, (66_000 / 7,))


def test_a_chart_over_time_and_the_columns_of_wandb_itself() -> None:
    Path("w.csv").write_text("Relative Time (Process),a - acc,b - acc\n1.5,0.5,0.6\n2.5,0.7,0.8\n")
    assert sorted(read_scores("w.csv").scores("acc").values) == [0.7, 0.8]
    Path("h.csv").write_text(
        "seed,_step,_runtime,_timestamp,val/acc\n1,0,3,1e9,0.5\n1,1,4,1e9,0.6\n2,0,3,2e9,0.5\n2,1,5,2e9,0.7\n"
    )
    found = read_scores("h.csv")
    assert [m.name for m in found.metrics] == ["val/acc"]
    assert dict(found.scores().by_seed) == {1: 0.6, 2: 0.7}


def test_the_runs_of_a_table_are_equal_if_they_are() -> None:
    Path("x.csv").write_text("seed,acc\n1,0.5\n2,\n")
    one, two = read_scores("x.csv"), read_scores("x.csv")
    assert one == two
    assert [run.status for run in one] == ["finished", "failed"]
    assert one.runs[0:1] == [one.runs[0]]
    assert one.to_pandas()["acc"].isna().tolist() == [False, True]


def test_the_column_of_seeds_that_was_named_leaves_the_others_free() -> None:
    Path("x.csv").write_text("trial,rng,acc\nA,1,0.5\nB,1,0.6\n")
    assert list(read_methods("x.csv", "trial", None, "acc", Layout(seed="rng")).methods) == ["A", "B"]


def test_lines_of_space_are_no_runs() -> None:
    Path("x.csv").write_text("acc\n0.5\n  \n0.6\n\n")
    assert len(read_scores("x.csv")) == 2


def test_methods_are_not_pooled_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [
        (m, s, lr, a)
        for m, lr, at in (("A", 0.1, 0), ("B", 0.01, 3))
        for s, a in ((at, 0.8), (at + 1, 0.81), (at + 2, 0.79))
    ]
    path.write_text("model,seed,lr,host,acc\n" + "".join(f"{m},{s},{lr},h{s},{a}\n" for m, s, lr, a in rows))
    found = read_scores(str(path))
    assert [m.name for m in found.metrics] == ["acc"]  # lr is a setting
    assert [w for w in found.warnings if "taken together" in w] == [
        "runs of different model (A, B) and lr (0.1, 0.01) are taken together: `seedwise compare FILE --by model` keeps them apart"
    ]
    with at_command_line():
        assert "--by model keeps them apart" in read_scores(str(path)).warnings[0].next_step


def test_a_score_that_repeats_is_no_setting(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("seed,acc,lr\n" + "".join(f"{s},{0.8 if s % 2 else 0.82},0.1\n" for s in range(8)))
    found = read_scores(str(path))
    assert not found.warnings
    assert found.scores("acc").values.mean() == pytest.approx(0.81)


def test_a_wide_table_says_what_its_runs_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.csv").write_text("run,A,B\n" + "".join(f"r{s},{0.8 + s / 100},{0.7 + s / 90}\n" for s in range(6)))
    assert start(["compare", "w.csv", "--wide"]) == 0
    assert "run holds names and no seeds" in capsys.readouterr().out
