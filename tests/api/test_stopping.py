"""Stopping rules: what is counted, what is promised, what is said."""

from pathlib import Path

import pytest

from seedwise.api.summary import summarize_all
from seedwise.cli.start import start
from seedwise.errors import UsageError
from seedwise.experiments.loading import load
from seedwise.experiments.store import Store
from seedwise.results import Metric, Run, Series, Status
from seedwise.runs.stopping import MarginRule, Rule, Until, Watch

GAUSS = "import random\nrandom.seed(1)\nprint('acc =', random.gauss(0.8, {sd}))\n"


def finished(seed: int, value: float) -> Run:
    return Run(seed, Status.FINISHED, {"acc": Series((1,), (value,))})


def test_only_seeds_up_to_the_first_open_one_count() -> None:
    watch = Watch([1, 2, 3, 4, 5], [Metric("acc")])
    for seed in (1, 2, 4, 5):
        watch.add(finished(seed, seed / 10))
    assert watch.scores() == [0.1, 0.2]
    watch.add(Run(3, Status.FAILED))
    assert watch.scores() == [0.1, 0.2, None, 0.4, 0.5]


def test_stein_needs_what_the_first_seeds_tell() -> None:
    notes: list[str] = []
    rule = MarginRule(Until(0.01, Rule.STEIN), Watch(range(1, 100), [Metric("acc")]), 99, notes.append)
    said = [rule(finished(s, 0.8 + 0.01 * (-1) ** s)) for s in range(1, 60)]
    n = next(k for k, text in enumerate(said, 1) if text)
    assert f"about {n} seeds" in notes[0]
    assert f"n = {n}" in said[n - 1]


def test_betting_says_before_anything_is_run_that_it_will_not_reach() -> None:
    notes: list[str] = []
    MarginRule(Until(0.01, Rule.BETTING, (0.0, 1.0)), Watch([1], []), 200, notes.append)
    assert "± 0.018" in notes[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(GAUSS.format(sd=0.01))
    return tmp_path


def run(*options: str) -> int:
    return start(["run", *options, "--", "python", "a.py"])


def test_a_margin_is_reached_kept_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--until-margin", "0.01", "--max-seeds", "60") == 0
    said = capsys.readouterr()
    assert "forecast: about" in said.err
    assert "is reached" in said.err
    results = load("a")
    assert 5 <= len(results) < 60
    assert results.anytime == ("acc",)
    found = summarize_all(results)["acc"]
    assert found.method == "t confidence sequence"
    assert (found.interval[1] - found.interval[0]) / 2 <= 0.0105  # the seeds that ran when it was reached count too
    n = len(results)
    assert run("--until-margin", "0.01", "--max-seeds", "60") == 0  # enough already: nothing is run
    assert len(load("a")) == n
    assert run("-n", "30") == 0  # the t interval stays out of use: the first stop depended on the scores
    assert load("a").anytime == ("acc",)


def test_what_was_interrupted_is_resumed_with_its_rule(folder: Path) -> None:
    assert run("--until-margin", "0.001", "--max-seeds", "20") == 0
    with Store(Path(".seedwise").absolute()) as store:
        store._db.execute("UPDATE experiments SET plan = replace(plan, '0.001', '0.02')")
        store._db.execute("DELETE FROM runs WHERE seed > 5")
        store._seal("experiments", "true", ())
    assert start(["resume", "a"]) == 0
    assert len(load("a")) < 20


@pytest.mark.parametrize(
    "options",
    [
        ("--until-margin", "0.01"),
        ("--until-margin", "0", "--max-seeds", "9"),
        ("--until-margin", "0.1", "-n", "9"),
        ("--max-seeds", "9"),
        ("-n", "9", "--until-rule", "stein"),
        ("--until-margin", "0.1", "--max-seeds", "9", "--bounds", "0,1"),
        ("--until-margin", "0.1", "--max-seeds", "9", "--until-rule", "betting"),
        ("--until-margin", "0.1", "--max-seeds", "9", "--until-rule", "betting", "--bounds", "1"),
        ("--until-margin", "0.1", "--max-seeds", "9", "--as-is"),
        ("--until-margin", "0.1", "--max-seeds", "9", "--against", "python b.py"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(options: tuple[str, ...], folder: Path) -> None:
    assert run(*options) == 2
    assert not list(folder.glob(".seedwise/runs/*/*"))


@pytest.mark.slow
def test_two_are_run_on_until_decided(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.py").write_text(
        "import random\n" + GAUSS.format(sd=0.01).replace("0.8", "0.7").replace("seed(1)", "seed(11)")
    )
    for name in ("a.py", "b.py"):
        assert start(["run", "-n", "2", "--", "python", name]) == 0
    assert start(["compare", "a", "b", "--until-decided", "--max-seeds", "40"]) == 0
    assert "a is better than b" in capsys.readouterr().out
    counts = [len(load(name)) for name in ("a", "b")]
    assert all(5 <= n < 40 for n in counts)
    assert start(["compare", "a", "b", "--until-decided", "--max-seeds", "40"]) == 0
    assert [len(load(name)) for name in ("a", "b")] == counts
    assert start(["compare", "a", "--until-decided"]) == 2


def test_a_margin_is_a_finite_number() -> None:
    for margin in (float("nan"), float("inf"), -1.0):
        with pytest.raises(UsageError):
            Until(margin)
