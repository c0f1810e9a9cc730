"""What was asked for is what is reported: the seeds, the value of a series, and no choice of an earlier command."""

import json
from collections.abc import Callable

import pytest

import seedwise as sw
from seedwise.cli.start import start
from seedwise.errors import MetricError, UsageError

Script = Callable[..., list[str]]
CURVE = "seed = 42\nfor e in (1, 3, 2):\n    print(f'loss = {e + seed / 100}, acc = {seed / 100}')\n"


def said(words: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    start(words)
    return capfd.readouterr().out


def test_fewer_seeds_than_there_are_report_those_alone(script: Script, capfd: pytest.CaptureFixture[str]) -> None:
    command = script(CURVE)
    sw.run_script(command, range(1, 7))
    three = sw.run_script(command, [1, 2, 3])
    assert (three.seeds, three.there) == ((1, 2, 3), 6)
    assert three.scores("acc").by_seed == {1: 0.01, 2: 0.02, 3: 0.03}
    out = said(["run", "-n", "3", *command], capfd)
    assert "over 3 seeds" in out
    assert (
        "train: 3 of 3 runs finished, seeds 1–3.\n6 seeds are there: `seedwise show train` reports all of them." in out
    )
    assert "over 6 seeds" in said(["show", "train"], capfd)


def test_show_takes_seeds(script: Script, capfd: pytest.CaptureFixture[str]) -> None:
    sw.run_script(script(CURVE), range(1, 7))
    shown = json.loads(said(["show", "train", "--seeds", "2-4", "--json"], capfd))
    assert (shown["seeds"], shown["there"], shown["metrics"]["acc"]["n"]) == ([2, 3, 4], 6, 3)
    assert sw.load("train", seeds=[6, 5]).seeds == (5, 6)
    with pytest.raises(UsageError, match="train has no seed 7, 8; it has seeds 1–6"):
        sw.load("train", seeds=[6, 7, 8])


def test_the_reduction_is_part_of_the_label(script: Script, capfd: pytest.CaptureFixture[str]) -> None:
    out = said(["run", "-n", "3", "--metric", "loss:min", "--reduce", "best", *script(CURVE)], capfd)
    assert out.startswith("loss (best) is 1.02")
    assert "\nloss (best) " in out
    results = sw.load("train", metric="loss:min", reduce="best")
    summary = sw.summarize(results)
    assert (summary.metric, summary.label, summary.as_dict()["reduce"]) == ("loss", "loss (best)", "best")
    found = sw.compare(results, results)
    assert "loss (best)" in found.sentence
    with pytest.raises(MetricError, match=r"loss \(best\) and base loss: take the same value"):
        sw.compare(results, sw.load("train", metric="loss:min"), names=("new", "base"))


def test_a_choice_for_one_command_is_not_the_experiments(script: Script, capfd: pytest.CaptureFixture[str]) -> None:
    command = script(CURVE)
    assert said(["run", "-n", "2", "--metric", "loss:max", "--reduce", "mean", *command], capfd).startswith(
        "loss (mean)"
    )
    assert {m.name for m in sw.load("train").metrics} == {"loss", "acc"}
    assert said(["show", "train"], capfd).startswith("acc is")


def test_a_choice_that_is_to_be_remembered_is_the_experiments(
    script: Script, capfd: pytest.CaptureFixture[str]
) -> None:
    command = script(CURVE)
    sw.run_script(command, [1, 2], metric="loss:min", reduce="best", remember=True)
    assert [m.label for m in sw.load("train").metrics] == ["loss (best)"]
    assert [m.label for m in sw.run_script(command, [1, 2, 3]).metrics] == ["loss (best)"]
    assert [m.label for m in sw.load("train", reduce="last").metrics] == ["loss"]
    assert [m.label for m in sw.run_script(command, [1], metric="acc", reduce="last").metrics] == ["acc"]
    assert [m.label for m in sw.load("train").metrics] == ["loss (best)"]
    assert start(["run", "-n", "2", "--remember", *command]) == 2
    assert "--remember keeps --metric and --reduce: name one of them" in capfd.readouterr().err


def test_resume_goes_on_with_the_choice_of_its_command(script: Script) -> None:
    from seedwise.api.experiments import resume
    from seedwise.experiments.loading import open_store

    sw.run_script(script(CURVE), [1, 2], metric="loss:min", reduce="best")
    with open_store() as store:
        store.want(store.experiment("train").id, [3])
    results = resume("train", None, None, lambda event: None).results
    assert [m.label for m in results.metrics] == ["loss (best)"]
    assert len(results.finished) == 3
