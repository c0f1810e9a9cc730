"""cross-validate on runs in the store: a fold in each setting, or a number for each fold in each run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import seedwise as sw
from seedwise.cli.start import start


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    capsys.readouterr()
    assert start(["cross-validate", *words, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def score(seed: int, fold: int) -> float:
    return 0.8 + 0.02 * fold + float(np.random.default_rng([seed, fold]).normal(0, 0.005))


TABLE = np.array([[score(seed, fold) for fold in range(3)] for seed in (1, 2, 3)])


def all_folds(seed: int) -> dict[str, object]:
    values = [score(seed, fold) for fold in range(3)]
    return {"acc": sum(values) / 3, "fold_acc": values, "curve": [0.1, 0.2, seed], "cv_array": np.array(values)}


def test_folds_that_each_run_gives_are_those_of_the_array(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = sw.run(all_folds, (1, 2, 3), name="each", progress=False)
    wanted = sw.cross_validated(TABLE, folds="same")
    found = ask(capsys, "each", "--folds", "same")
    assert (found["metric"], found["folds"]) == ("fold_acc", ["1", "2", "3"])
    assert (found["low"], found["high"]) == pytest.approx((wanted.low, wanted.high))
    assert ask(capsys, "each", "--folds", "same", "--metric", "cv_array")["mean"] == pytest.approx(wanted.mean)
    assert sw.cross_validated(results, folds="same").low == pytest.approx(wanted.low)
    assert start(["cross-validate", "each"]) == 2
    assert "--folds same if the k-th fold" in capsys.readouterr().err
    assert start(["cross-validate", "each", "--metric", "acc"]) == 2
    assert "these lists of numbers: fold_acc, curve, cv_array" in " ".join(capsys.readouterr().err.split())
    assert start(["cross-validate", "each", "--seed-column", "s"]) == 2
    assert "would be ignored" in capsys.readouterr().err


def one_fold(seed: int, fold: int, better: bool) -> dict[str, float]:
    if seed == 3 and fold == 2 and better and Path("broken").exists():
        raise ValueError("no such fold")
    return {"acc": score(seed, fold) + (0.01 + 0.001 * fold) * better}


@pytest.mark.slow
def test_folds_of_a_grid_are_put_together(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    family = sw.run_grid(one_fold, (1, 2, 3), {"fold": range(3), "better": [True, False]}, name="cv", progress=False)
    assert "`seedwise cross-validate cv` puts them together" in " ".join(str(family).split())
    better = TABLE + 0.01 + 0.001 * np.arange(3)
    found = ask(capsys, "cv", "--by", "better", "--folds", "same")
    assert found["methods"] == ["True", "False"]
    assert found["mean"] == pytest.approx(0.011)
    assert found["sentence"].startswith("True is better than False in acc")  # type: ignore[attr-defined]
    assert ask(capsys, "cv *better=True", "--folds", "same")["low"] == pytest.approx(
        sw.cross_validated(better, folds="same").low
    )
    one = {name: of for name, of in family.members.items() if name.endswith("better=True")}
    alone = sw.cross_validated(sw.Family("cv", one, "acc", None, None, {}), folds="same")
    assert alone.low == pytest.approx(sw.cross_validated(better, folds="same").low)
    assert start(["cross-validate", "cv", "--folds", "same"]) == 2
    assert "--by better compares two of them, and 'cv *better=True*' is one" in " ".join(
        capsys.readouterr().err.split()
    )
    for words, said in ((("--by", "fold"), "folds are no methods"), (("--by", "depth"), "it has fold, better")):
        assert start(["cross-validate", "cv", *words]) == 2
        assert said in " ".join(capsys.readouterr().err.split())
    (project / "broken").touch()
    family = sw.run_grid(one_fold, (1, 2, 3), {"fold": [1, 2], "better": [True]}, name="some", progress=False)
    assert start(["cross-validate", "some", "--folds", "same"]) == 2
    assert "some fold=2 better=True: no acc under seed 3" in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_folds_of_a_script_on_real_data(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trees on the iris data: the split makes some of the spread."""
    (project / "train.py").write_text(
        "import sys\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "from sklearn.model_selection import StratifiedKFold\n"
        "x, y = load_iris(return_X_y=True)\n"
        "learn, test = list(StratifiedKFold(3, shuffle=True, random_state=0).split(x, y))[int(sys.argv[1])]\n"
        "forest = RandomForestClassifier(5, max_depth=3, random_state=1).fit(x[learn], y[learn])\n"
        "print('acc =', forest.score(x[test], y[test]))\n"
    )
    words = ["run", "-n", "3", "--name", "iris", "--keep", "split", "--grid", "fold=0,1,2", "--"]
    assert start([*words, sys.executable, "train.py", "{fold}"]) == 0
    found = ask(capsys, "iris", "--folds", "same")
    assert (found["splits"], found["seeds"]) == (3, 3)
    assert 0.9 < found["mean"] < 1  # type: ignore[operator]
    assert found["split"]["within_sd"] > 0  # type: ignore[index]
    plain = subprocess.run([sys.executable, "train.py", "2"], capture_output=True, text=True, check=True).stdout
    assert float(plain.split()[2]) == found["scores"][0][2]  # type: ignore[index]
