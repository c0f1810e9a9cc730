"""What the page says of experiments: how to run a seed again, which are best and worst, what differs; and curves of tables."""

from dataclasses import replace
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.advice import Advice
from seedwise.api.curves import read_groups
from seedwise.api.experiment_page import command_again
from seedwise.api.report import page_of_results
from seedwise.api.tables import read_scores
from seedwise.experiments.command import MASK
from seedwise.experiments.store import Experiment
from seedwise.reports.html.content import SEED

from .test_methods import fill


@pytest.mark.parametrize(
    ("command", "manifest", "typed"),
    [
        (("python", "train.py"), {"threads": 1}, f"seedwise run --seeds {SEED} --name base-again -- python train.py"),
        (
            ("python", "a b.py", "--seed", "{seed}"),
            {"mode": "placeholder", "threads": None},
            f"seedwise run --seeds {SEED} --name base-again --threads script -- python 'a b.py' --seed '{{seed}}'",
        ),
        (
            ("t.py:train", "--set", "lr=0.1"),
            {"keep": ["split"], "threads": 2, "function": {}},
            f"seedwise run --seeds {SEED} --name base-again --threads 2 --keep split t.py:train --set lr=0.1",
        ),
        (
            ("python", "t.py"),
            {"vary": {"sources": ["init"], "at": {}, "corrections": ["t.py:4=init"]}},
            f"seedwise run --seeds {SEED} --name base-again --vary init --source t.py:4=init -- python t.py",
        ),
        (("python", "t.py"), {"vary": {"sources": ["init"], "at": {"order": [3, 4]}, "corrections": []}}, ""),
        (("python", "t.py", f"--key={MASK}"), {}, ""),
        (("python", "t.py"), {"mode": "as-is"}, ""),
        (("__main__.train",), {"function": {}}, ""),
    ],
)
def test_the_command_that_runs_a_seed_again(command: tuple[str, ...], manifest: dict[str, object], typed: str) -> None:
    said = {"mode": "substitute", "threads": 1, **manifest}
    assert command_again(Experiment(1, "base", 1, "0", command, said, {})) == typed


def test_the_command_that_runs_a_seed_again_has_its_files_and_network() -> None:
    said = {"share": ["data"], "metric_files": ["out/m.json"], "workdir": "sequential", "isolate_network": True}
    manifest = {"mode": "substitute", "threads": 1}
    found = command_again(Experiment(1, "a", 1, "0", ("python", "t.py"), manifest, {"options": said}))
    assert "--share data --metric-file out/m.json --workdir sequential --isolate-network -- python" in found


def of_metrics(names: list[str], seeds: int = 3) -> sw.Results:
    runs = [sw.Run(s, sw.Status.FINISHED, {m: sw.Series((1,), (s / 7,)) for m in names}) for s in range(1, seeds + 1)]
    return sw.Results("x", "", (), tuple(runs), tuple(sw.Metric(m, sw.Goal.MAX) for m in names))


def test_metrics_beyond_twenty_are_named_as_left_out() -> None:
    page = page_of_results({"x": of_metrics([f"m{k}" for k in range(22)])})
    assert len(page.metrics) == 20
    assert page.notes == ("Pictures show 20 of 22 metrics. Left out: m20, m21.",)
    assert page_of_results({"x": of_metrics(["acc"])}).notes == ()


def test_a_warning_stands_once_on_the_page() -> None:
    of = replace(of_metrics(["acc"]), warnings=(Advice("look out", "run more"),))
    assert page_of_results({"x": of}, notes=of.warnings).notes == ()


def test_one_seed_is_neither_best_nor_worst(project: Path) -> None:
    fill(project, "base", 0.0)
    of = sw.load("base")
    part = page_of_results({"base": replace(of, runs=of.runs[:1])}).parts[0]
    assert [h.which for h in part.highlights] == ["Only"]


def test_best_median_and_worst_follow_the_goal(project: Path) -> None:
    fill(project, "base", 0.0)
    part = page_of_results({"base": sw.load("base")}).parts[0]
    assert [(h.which, h.seed) for h in part.highlights] == [("Best", 5), ("Median", 3), ("Worst", 1)]
    part = page_of_results({"base": sw.load("base", metric="acc:min")}).parts[0]
    assert [(h.which, h.seed) for h in part.highlights] == [("Best", 1), ("Median", 3), ("Worst", 5)]
    assert [h.seed for h in part.failures] == [6]
    assert dict(part.environment)["machine"] == "host x86_64 Some Processor"


def test_an_experiment_of_which_nothing_finished_has_a_page() -> None:
    runs = (sw.Run(1, sw.Status.FAILED, cause=sw.Cause.EXIT, detail="3"),)
    page = page_of_results({"x": sw.Results("x", "", (), runs)})
    assert page.figures == ()
    assert "0 of 1 runs" in page.sentences[0]


def test_scores_of_a_table_with_curves_are_those_of_summarize(project: Path) -> None:
    rows = [f"{seed},{step},{seed / 7 + step / 3}\n" for seed in range(6) for step in (3, 1, 2)]
    Path("t.csv").write_text("seed,step,acc\n" + "".join(rows))
    groups, _ = read_groups("t.csv", None)
    of = groups["t"]
    assert dict(of.scores("acc").by_seed) == dict(read_scores("t.csv").scores("acc").by_seed)
    assert of.runs[2].series["acc"].steps == (1, 2, 3)
    assert of.runs[2].series["acc"].values[-1] == of.scores("acc").by_seed[2]


def test_lost_runs_of_a_table_fail_and_are_counted(project: Path) -> None:
    Path("t.csv").write_text(
        "model,seed,acc,state\nA,1,0.5,finished\nA,2,0.6,crashed\nB,1,,finished\nB,2,0.7,finished\n"
    )
    groups, _ = read_groups("t.csv", "model", ["acc"])
    assert {name: (len(of.finished), len(of)) for name, of in groups.items()} == {"A": (1, 2), "B": (1, 2)}
