"""`seedwise ensemble`: from runs that return predictions to the table."""

import json
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.cli.start import start

pytestmark = pytest.mark.slow

TRAIN = """
import numpy as np, seedwise as sw
TRUE = np.arange(120) % 3
def scores(seed):
    return np.random.default_rng(seed).normal(0, 1, (120, 3)) + 1.2 * np.eye(3)[TRUE]
def classes(seed):
    z = np.exp(scores(seed))
    return {"acc": 0.5, "test": sw.Predictions(z / z.sum(1, keepdims=True), targets=TRUE, kind="probability")}
def labels(seed):
    order = np.random.default_rng(seed).permutation(120)
    named = np.array(["a", "b", "c"])
    return {"acc": 0.5, "test": sw.Predictions(named[scores(seed).argmax(1)][order], targets=named[TRUE][order], ids=order, kind="label")}
def values(seed):
    return sw.Predictions(scores(seed)[:, 0], targets=TRUE == 0)
def split(seed):
    return sw.Predictions(scores(seed).argmax(1), targets=np.random.default_rng(seed).permutation(TRUE), kind="label")
def logits(seed):
    return sw.Predictions(scores(seed), targets=TRUE, kind="probability")
def nothing(seed):
    return 0.5
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ensemble")
    (folder / "fn.py").write_text(TRAIN)
    for name in ("classes", "labels", "values", "split", "logits", "nothing"):
        with pytest.MonkeyPatch.context() as at:
            at.chdir(folder)
            start(["run", "-n", "8", "--name", name, f"fn.py:{name}"])
    return folder


@pytest.fixture(autouse=True)
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def ask(capsys: pytest.CaptureFixture[str], name: str) -> dict[str, object]:
    assert start(["ensemble", name, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_probabilities_are_averaged_and_vote(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "classes")
    average, vote = found["curves"]  # type: ignore[misc]
    assert (average["combination"], vote["combination"]) == ("average", "vote")
    assert average["sizes"][-1]["mean"] > vote["sizes"][-1]["mean"] > average["sizes"][0]["mean"]
    assert "is better than a single run" in str(found["sentence"])
    assert start(["ensemble", "classes", "--explain"]) == 0
    text = capsys.readouterr().out
    assert "By vote:" in text
    assert "as if it were broken by lot" in text


def test_names_vote_whatever_the_order_of_examples(capsys: pytest.CaptureFixture[str]) -> None:
    (vote,) = ask(capsys, "labels")["curves"]  # type: ignore[misc]
    other = ask(capsys, "classes")["curves"][1]  # type: ignore[index]
    assert [s["mean"] for s in vote["sizes"]] == pytest.approx([s["mean"] for s in other["sizes"]])


def test_values_are_averaged_and_less_is_better(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "values")
    assert (found["metric"], found["goal"]) == ("mean squared error", "min")
    (curve,) = found["curves"]  # type: ignore[misc]
    assert curve["sizes"][-1]["gain"] < 0
    assert "is better than a single run" in str(found["sentence"])


def test_the_same_in_python() -> None:
    found = sw.ensemble(sw.load("values"))
    assert found.sentence in " ".join(str(found).split())
    assert found.curves[0].sizes[0].size == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("split", "are not those of seed 1"),
        ("logits", "after the softmax"),
        ("nothing", "return sw.Predictions"),
        ("absent", "no experiment"),
    ],
)
def test_what_cannot_be_combined_is_a_line_and_exit_2(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["ensemble", name]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_runs_that_did_not_see_the_same_examples_have_no_noise_of_the_test_set(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start(["noise", "split"]) == 2
    assert "are not those of seed 1" in " ".join(capsys.readouterr().err.split())
