"""Metrics in the files that runs write, and the question where two are equally likely."""

import json
import math
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script
from seedwise.cli.start import start
from seedwise.errors import MetricError
from seedwise.metrics.files import offers, read_file

Write = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("m.json", '{"acc": 0.5, "val": {"loss": 0.25}, "ok": true}', {"acc": (0.5,), "val/loss": (0.25,)}),
        ("h.json", '{"acc": [0.1, 0.5], "loss": [2, 1]}', {"acc": (0.1, 0.5), "loss": (2.0, 1.0)}),
        ("l.json", '[{"acc": 0.1}, {"acc": 0.5}]', {"acc": (0.1, 0.5)}),
        ("m.jsonl", '{"acc": 0.1}\n{"acc": 0.5}\n', {"acc": (0.1, 0.5)}),
        ("r.csv", "epoch,test acc\n1,0.1\n2,0.5\n", {"epoch": (1.0, 2.0), "test acc": (0.1, 0.5)}),
        ("r.csv", "a;acc\nx;0.5\n", {"acc": (0.5,)}),
        ("progress.txt", "Epoch\tAverageEpRet\n1\t20.5\n", {"Epoch": (1.0,), "AverageEpRet": (20.5,)}),
        ("r.csv", "epoch;acc\n1;0,81\n2;0,85\n", {"epoch": (1.0, 2.0), "acc": (0.81, 0.85)}),
        ("m.csv", "metric,value\nacc,0.9\nloss,0.1\n", {"acc": (0.9,), "loss": (0.1,)}),
        ("f.json", '{"acc": 0.9, "folds": [{"acc": 0.1}, {"acc": 0.2}]}', {"acc": (0.9,), "folds/acc": (0.1, 0.2)}),
        ("s.jsonl", '{"acc": 0.1}\n{"acc": 0.5}\n{"ac', {"acc": (0.1, 0.5)}),
        ("t.csv", "acc\ntensor(0.5)\n", {"acc": (0.5,)}),
    ],
)
def test_formats(name: str, text: str, expected: dict[str, tuple[float, ...]], tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert {n: s.values for n, s in read_file(tmp_path / name).items()} == expected


@pytest.mark.slow
@pytest.mark.frameworks
def test_tensorboard_against_its_own_writer(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for step in range(3):
            writer.add_scalar("val/acc", step / 4, step)
        writer.add_histogram("weights", __import__("numpy").arange(9), 0)
    (path,) = tmp_path.glob("events*")
    assert read_file(path)["val/acc"].values == (0.0, 0.25, 0.5)
    path.write_bytes(path.read_bytes()[:-5])  # still being written
    assert read_file(path)["val/acc"].values == (0.0, 0.25, 0.5)


@pytest.mark.parametrize(
    ("name", "text"),
    [("m.json", "{"), ("m.json", "7"), ("m.csv", "1,2\n3,4\n"), ("events.out.tfevents.1", "\x07" * 40)],
)
def test_a_file_that_is_something_else_is_refused_in_words(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MetricError, match="^" + name):
        read_file(tmp_path / name)


def _event(step: int, tag: str, value: float) -> bytes:
    """A record of TensorBoard with one simple value; its checksums are zeros."""
    name = tag.encode()
    scalar = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", value)
    summary = b"\x0a" + bytes([len(scalar)]) + scalar
    event = b"\x10" + bytes([step]) + b"\x2a" + bytes([len(summary)]) + summary
    return struct.pack("<Q", len(event)) + bytes(4) + event + bytes(4)


def test_a_run_of_tensorboard_that_diverged_ends_with_nan(tmp_path: Path) -> None:
    file = tmp_path / "events.out.tfevents.1"
    file.write_bytes(_event(1, "loss", 0.5) + _event(2, "loss", math.nan) + _event(3, "loss", 0.25)[:20])
    assert str(read_file(file)["loss"].values) == "(0.5, nan)"


def test_a_metric_that_was_only_written_is_offered_and_read(
    script: Write, capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    command = script(
        "import json, os, random\nrandom.seed(3)\nos.makedirs('out', exist_ok=True)\n"
        "json.dump({'accuracy': random.random(), 'n': 3}, open('out/metrics.json', 'w'))\nprint('done')\n"
    )
    assert start(["run", "-n", "2", "--", *command]) == 0
    assert "accuracy is in out/metrics.json: --metric-file out/metrics.json" in capsys.readouterr().out
    assert start(["show", "train", "--metric-file", "out/metrics.json", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["metrics"]
    assert list(shown) == ["accuracy"]
    results = run_script(command, seeds=[1, 2, 3], metric_file=["out/metrics.json"])
    assert results.scores("accuracy")[3] == __import__("random").Random(3).random()


def test_offers_name_what_changes_from_run_to_run_by_a_star(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "2026-11-27_10-00-00"
    folder.mkdir(parents=True)
    (folder / "results.csv").write_text("step,loss,val_acc\n1,2,0.5\n")
    assert offers(tmp_path) == [("logs/*/results.csv", "val_acc")]


@pytest.mark.parametrize("path", ["/tmp/x.json", "../x.json", "~/x.json"])
def test_a_path_that_is_no_runs_own_is_refused(path: str, script: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["run", "-n", "2", "--metric-file", path, "--", *script("print('acc', 1)\n")]) == 2
    assert "below this folder" in capsys.readouterr().err


TWO = (
    "import random\nrandom.seed(3)\nx = random.random()\nprint(f'Test recall@10: {x:.4f}  test ndcg@10: {1 - x:.4f}')\n"
)


def test_two_results_that_are_equally_likely_are_a_question(script: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["run", "-n", "3", "--", *script(TWO)]) == 0
    assert capsys.readouterr().out.startswith(
        "Which is the result: test_recall@10 or test_ndcg@10? --metric test_recall@10"
    )
    assert start(["show", "train", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["question"] == ["test_recall@10", "test_ndcg@10"]
    assert start(["show", "train", "--metric", "test_ndcg@10"]) == 0
    assert capsys.readouterr().out.startswith("test_ndcg@10 is ")


def test_a_comparison_asks_which_metric_decides(script: Write, capsys: pytest.CaptureFixture[str]) -> None:
    command = script(TWO)
    assert start(["run", "-n", "3", "--name", "a", "--", *command]) == 0
    assert start(["run", "-n", "3", "--name", "b", "--", *command]) == 0
    assert start(["compare", "a", "b"]) == 2
    assert "which metric decides: test_recall@10 or test_ndcg@10?" in capsys.readouterr().err
    assert start(["compare", "a", "b", "--metric", "test_ndcg@10"]) == 0


def test_a_margin_is_not_waited_for_in_a_metric_that_nobody_named(
    script: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["run", "--until-margin", "0.001", "--max-seeds", "50", "--", *script(TWO)]) == 0
    told = capsys.readouterr()
    assert "stopped after 3 seeds, to ask" in told.err
    assert re.search(r"train: [3-6] of [3-6] runs finished", told.out)


def test_a_run_without_the_file_lacks_the_metric_and_one_that_cannot_be_read_is_named(
    script: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    command = script(
        "import json, random\nseed = 3\nrandom.seed(seed)\na = random.random()\nprint('acc =', 100 + a)\n"
        "if seed != 2: open('m.json', 'w').write(json.dumps({'acc': a})[: -1 if seed == 3 else None])\n"
    )
    results = run_script(command, seeds=[1, 2, 3, 4], metric_file=["m.json"])
    assert not results.metrics
    assert "2 of 4 finished runs do not have it: seed 2, 3" in results.left_out["acc"]
    assert any("seed 2: it wrote no m.json; seed 3: m.json: " in text for text in results.warnings)


def test_a_link_that_leads_nowhere_is_no_file(script: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["run", "-n", "2", "--", *script("import os\nos.symlink('/nonexistent/x', 'latest.json')\n")]) == 0
    assert "no metric in 2 finished runs" in capsys.readouterr().out
