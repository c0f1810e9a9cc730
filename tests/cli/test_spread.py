"""variance, cross-validate, noise and select from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise.cli.start import start

RNG = np.random.default_rng(4)
SCORES = RNG.normal(0.9, 0.01, (4, 3, 2)) + RNG.normal(0, 0.05, (4, 1, 1))
FOLDS = RNG.normal(0.8, 0.01, (2, 3, 5))
CORRECT = (RNG.random((4, 50)) < RNG.random(50)).astype(int)
CHOICES = [(s, 0.8 + 0.01 * (s * 7 % 5), 0.7 + 0.01 * (s * 3 % 5)) for s in range(6)]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = [(i, j, k, float(SCORES[i, j, k])) for i in range(4) for j in range(3) for k in range(2)]
    Path("crossed.csv").write_text("init,order,rep,acc\n" + "".join(f"{i},{j},{k},{v!r}\n" for i, j, k, v in cells))
    folds = [("ab"[m], s, f, float(FOLDS[m, s, f])) for m in range(2) for s in range(3) for f in range(5)]
    Path("folds.csv").write_text("model,seed,fold,acc\n" + "".join(f"{m},{s},{f},{v!r}\n" for m, s, f, v in folds))
    Path("one.csv").write_text("fold,acc\n" + "".join(f"{f},{v!r}\n" for m, s, f, v in folds if (m, s) == ("a", 0)))
    right = "".join(f"{s},{e},{CORRECT[s, e]}\n" for s in range(4) for e in range(50))
    Path("correct.csv").write_text("seed,example,correct\n" + right)
    np.save("correct.npy", CORRECT)
    np.savez("several.npz", correct=CORRECT, other=CORRECT[:, :10])
    Path("choose.csv").write_text("seed,val_acc,test_acc\n" + "".join(f"{s},{v},{t}\n" for s, v, t in CHOICES))
    Path("epochs.csv").write_text(
        "init,epoch,acc\n" + "".join(f"{i},{e},0.{i}{e}\n" for i in range(3) for e in range(3))
    )


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert start([*words, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_components_of_a_file_are_those_of_the_array(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "variance", "crossed.csv", "--source", "init,order")
    wanted = sw.variance_components(SCORES, ["init", "order"], replicates=True)
    assert {n: c["variance"] for n, c in found["components"].items()} == pytest.approx(  # type: ignore[attr-defined]
        {part.name: part.variance for part in wanted.parts}
    )
    assert found["runs"] == 24
    assert start(["variance", "crossed.csv", "--source", "init", "--source", "order", "--explain"]) == 0
    assert "is init" in capsys.readouterr().out


@pytest.mark.parametrize("folds", ["same", "reshuffled"])
def test_folds_of_a_file_are_those_of_the_array(folds: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "cross-validate", "folds.csv", "--by", "model", "--folds", folds)
    wanted = sw.cross_validated(FOLDS[0], FOLDS[1], folds=folds)
    assert (found["mean"], found["p_value"]) == (pytest.approx(wanted.mean), pytest.approx(wanted.p_value))
    assert found["methods"] == ["a", "b"]


def test_one_division_into_folds(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "cross-validate", "one.csv", "--test-share", "0.5")
    assert found["low"] == pytest.approx(sw.cross_validated(FOLDS[0, 0], test_share=0.5).low)


@pytest.mark.parametrize("words", [("correct.csv",), ("correct.npy",), ("several.npz",)])
def test_noise_of_a_file_is_that_of_the_array(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "noise", *words)
    assert found["distribution"] == pytest.approx(sw.noise_of_test_set(CORRECT).distribution)
    assert ask(capsys, "noise", "correct.npy", "--classes", "10")["predicted"] != found["predicted"]


def test_noise_of_runs_that_return_predictions(capsys: pytest.CaptureFixture[str]) -> None:
    Path("train.py").write_text(
        "import numpy as np, seedwise as sw\n"
        "def train(seed):\n"
        "    r = np.random.default_rng(seed)\n"
        "    y = np.arange(40) % 3\n"
        "    p = np.where(r.random(40) < 0.7, y, r.integers(0, 3, 40))\n"
        "    order = r.permutation(40)\n"
        "    return {'acc': float((p == y).mean()), 'test': sw.Predictions(p[order], targets=y[order], ids=order, kind='label')}\n"
    )
    assert start(["run", "-n", "4", "--name", "p", "train.py:train"]) == 0
    capsys.readouterr()
    found = ask(capsys, "noise", "p")
    rows = []
    for seed in range(1, 5):
        r = np.random.default_rng(seed)
        y = np.arange(40) % 3
        rows.append(np.where(r.random(40) < 0.7, y, r.integers(0, 3, 40)) == y)
    assert found["classes"] == 3
    assert found["distribution"] == pytest.approx(sw.noise_of_test_set(np.array(rows, dtype=int), 3).distribution)


def test_the_choice_is_reported_by_the_other_metric(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "select", "choose.csv", "--by", "val_acc", "--report", "test_acc")
    best = max(CHOICES, key=lambda row: row[1])
    assert (found["seed"], found["report_value"]) == (best[0], pytest.approx(best[2]))
    assert found["expected"][0] == pytest.approx(np.mean([row[2] for row in CHOICES]))  # type: ignore[index]
    worst = ask(capsys, "select", "choose.csv", "--by", "val_acc:min", "--report", "test_acc")
    assert worst["seed"] == min(CHOICES, key=lambda row: row[1])[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("variance", "crossed.csv", "--source", "init,colour"), "no column 'colour'"),
        (("variance", "crossed.csv", "--source", "init,init"), "each column once"),
        (("variance", "epochs.csv", "--source", "init"), "rows that differ in epoch"),
        (("variance", "nothing.csv", "--source", "init"), "no such file"),
        (("variance", "choose.csv", "--source", "seed"), "which column is measured? --metric one of"),
        (("cross-validate", "folds.csv", "--by", "model"), "--folds same"),
        (("cross-validate", "folds.csv", "--folds", "same"), "--by"),
        (("cross-validate", "one.csv", "--folds", "same"), "would be ignored"),
        (("cross-validate", "choose.csv"), "no column 'fold'"),
        (("noise", "choose.csv"), "columns seed, example"),
        (("noise", "several.npz", "--array", "x"), "correct, other"),
        (("noise", "correct.npy", "--array", "x"), "would be ignored"),
        (("noise", "nothing"), "no experiments here"),
        (("select", "choose.csv", "--by", "val_acc", "--report", "val_acc"), "flatters"),
        (("select", "choose.csv", "--by", "val", "--report", "test_acc"), "no column 'val'"),
    ],
)
def test_what_cannot_be_answered_is_a_line_and_exit_2(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(list(words)) == 2
    assert said in capsys.readouterr().err


def test_the_best_value_over_steps_of_what_is_reported_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{s},{e},{0.5 + e / 10},{0.4 + e / 20}\n" for s in range(3) for e in range(4))
    Path("curves.csv").write_text("seed,epoch,val_acc,test_acc\n" + rows)
    assert start(["select", "curves.csv", "--by", "val_acc", "--report", "test_acc", "--reduce", "best"]) == 2
    assert "flatters" in capsys.readouterr().err


def test_settings_within_a_method_are_not_pooled_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(m, s, 0.01 if s < 4 else 0.1, 0.8 + s / 50) for m in "ab" for s in range(8)]
    Path("lrs.csv").write_text("model,seed,lr,acc\n" + "".join(f"{m},{s},{lr},{v}\n" for m, s, lr, v in rows))
    assert start(["compare", "lrs.csv", "--by", "model"]) == 0
    assert "runs of different lr" in capsys.readouterr().out


def test_a_repeat_is_a_seed_of_the_folds(capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{r},{f},{0.8 + r / 100 + f / 50}\n" for r in range(3) for f in range(5))
    Path("repeats.csv").write_text("repeat,fold,score\n" + rows)
    found = ask(capsys, "cross-validate", "repeats.csv", "--folds", "same", "--metric", "score:max")
    assert found["seeds"] == 3
