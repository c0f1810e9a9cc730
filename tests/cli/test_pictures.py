"""`seedwise plot`: a file for a paper, and its caption."""

import json
from pathlib import Path

import pytest

from seedwise.cli.start import start

TABLE = "model,seed,step,loss\n" + "".join(
    f"{model},{seed},{step},{1 / (step + 1) + seed / 100 + (model == 'B') / 10:.4f}\n"
    for model in "AB"
    for seed in range(5)
    for step in range(6)
)


@pytest.fixture
def table(project: Path) -> str:
    (project / "curves.csv").write_text(TABLE)
    return "curves.csv"


@pytest.mark.slow
def test_numbers_of_plot_are_those_of_compare(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["compare", table, "--by", "model", "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert start(["plot", table, "--by", "model", "-o", "fig.json", "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)
    assert drawn["data"]["difference"]["difference"] == [compared["difference"]]
    assert [drawn["data"]["difference"][end][0] for end in ("low", "high")] == compared["interval"]
    spec = json.loads(Path("fig.json").read_text())
    assert spec["datasets"]["difference"][0]["difference"] == compared["difference"]


def test_curves_of_a_table_are_drawn_for_each_method(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["plot", table, "--by", "model", "--kind", "curves", "-o", "fig.json", "--json"]) == 0
    mean = json.loads(capsys.readouterr().out)["data"]["mean"]
    assert mean["step"] == [0, 1, 2, 3, 4, 5] * 2
    assert mean["mean"][0] == pytest.approx(1.02)
    assert mean["n"] == [5] * 12


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "fig.gif"], ".gif is none of them"),
        (["-o", "fig.pdf", "--width", "3"], "a number with its unit"),
        (["-o", "fig.pdf", "--kind", "ranks"], "several tasks"),
        (["-o", "fig.pdf", "--metric", "a", "--metric", "b"], "one metric"),
        (["-o", "nowhere/fig.json"], "cannot write nowhere/fig.json"),
        ([], "--output"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    table: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["plot", table, "--by", "model", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


OVER_TASKS = "agent,game,seed,step,score\n" + "".join(
    f"{agent},{game},{seed},{step},{(step / 5 + seed / 10 + (agent == 'B') / 4) * scale}\n"
    for agent in "AB"
    for game, scale in (("pong", 10), ("alien", 300))
    for seed in range(3)
    for step in range(6)
)
HOW = ("--by", "agent", "--task", "game", "--metric", "score:max", "--normalise", "ends.csv")


def test_curves_over_tasks_end_at_the_scores_that_are_compared(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "tasks.csv").write_text(OVER_TASKS)
    (project / "ends.csv").write_text("game,random,human\npong,0,10\nalien,0,300\n")
    assert start(["plot", "tasks.csv", *HOW, "--kind", "curves", "-o", "c.json", "--json"]) == 0
    curves = json.loads(capsys.readouterr().out)
    assert start(["plot", "tasks.csv", *HOW, "-o", "t.json", "--json"]) == 0
    places = json.loads(capsys.readouterr().out)["data"]["places"]
    drawn = curves["data"]["iqm"]
    assert drawn["step"] == [0, 1, 2, 3, 4, 5] * 2
    ends = {name: drawn["iqm"][k] for k, name in enumerate(drawn["method"]) if drawn["step"][k] == 5}
    iqm = {
        m: v for m, a, v in zip(places["method"], places["aggregate"], places["estimate"], strict=True) if a == "IQM"
    }
    assert ends == pytest.approx(iqm)
    assert ends["A"] == pytest.approx(1.1)
    assert "the interquartile mean of all runs" in curves["caption"]


@pytest.mark.slow
def test_the_page_over_tasks_has_curves_where_the_table_has_them(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "tasks.csv").write_text(OVER_TASKS)
    (project / "ends.csv").write_text("game,random,human\npong,0,10\nalien,0,300\n")
    last = [line for line in OVER_TASKS.splitlines() if ",step," in line or ",5," in line]
    (project / "last.csv").write_text("\n".join(last) + "\n")
    for name, there in (("tasks.csv", True), ("last.csv", False)):
        assert start(["report", name, *HOW, "--json"]) == 0
        assert ("by-step" in json.loads(capsys.readouterr().out)["figures"]) is there
    assert start(["plot", "last.csv", *HOW, "--kind", "curves", "-o", "c.json"]) == 2
    assert "a row for each step" in capsys.readouterr().err
