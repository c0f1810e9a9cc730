"""What a paper has to say of its runs is what the store holds."""

import json
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.api.methods import methods_of
from seedwise.cli.start import start
from seedwise.experiments.store import Store
from seedwise.reports.formats import Format
from seedwise.reports.methods import methods_written
from seedwise.results import Cause, Run, Series, Status

PLAN = {
    "sites": [],
    "number": None,
    "kept": [],
    "remarks": [],
    "split_uses": [],
    "machine": "host x86_64 Some Processor",
}


def fill(folder: Path, name: str, shift: float, commands: int = 1, **options: object) -> None:
    manifest = {
        "command": ["python", "train_50%.py"],
        "folder": str(folder),
        "mode": "placeholder",
        "threads": 2,
        "python": "3.11.7 (main)",
    }
    with Store(folder / ".seedwise", create=True) as store:
        experiment = store.add_experiment(
            name, name.ljust(12, "0"), ["python", "train_50%.py"], manifest, {**PLAN, "options": options}
        )
        store.set_inputs(experiment.id, {("package", "numpy"): "2.4.6"})
        for seed in range(1, 7):
            store.claim(experiment.id, seed, f"host:1:{seed % commands}")
            series = {"acc": Series((1,), (0.8 + shift + seed / 100,))}
            if seed == 6:
                store.finish(
                    experiment.id, Run(seed, Status.FAILED, {}, cause=Cause.MEMORY, detail="killed", seconds=600.0)
                )
            else:
                store.finish(experiment.id, Run(seed, Status.FINISHED, series, seconds=1800.0))


def test_the_paragraph_says_what_the_store_holds(project: Path) -> None:
    fill(project, "base", 0.0)
    fill(project, "other", 0.0)
    found = methods_of(["base"])
    summary = sw.summarize(sw.load("base").scores("acc"))
    assert found.ran[0].summaries[0].mean == summary.mean
    for said in (
        "under 6 seeds (1–6)",
        "5 finished and 1 failed (seed 6: out of memory: killed)",
        "one command",
        "acc is 0.830 ± 0.020 (n = 5, SD 0.016)",
        "95 % t interval of the mean over seeds",
        "2 threads on x86_64 Some Processor",
        "Python 3.11.7 and numpy 2.4.6",
        "2.7 h in all",
        "all runs of the project 5.3 h",
    ):
        assert said in found.paragraph
    assert "host" not in found.paragraph


def test_several_commands_and_a_stopping_rule_are_said(project: Path) -> None:
    fill(project, "grown", 0.0, commands=2)
    until = {"margin": 0.01, "rule": "sequence", "bounds": None, "level": 0.95}
    fill(project, "stopped", 0.0, until=until, anytime=["acc"])
    assert "run by 2 commands, without a stopping rule [say whether all were planned" in methods_of(["grown"]).paragraph
    said = methods_of(["stopped"]).paragraph
    assert "until the margin ± 0.01 was reached at level 0.95 by the t confidence sequence" in said
    assert "t interval" not in said


def test_two_experiments_are_compared_as_compare_does(project: Path) -> None:
    fill(project, "new", 0.1)
    fill(project, "base", 0.0)
    found = methods_of(["new", "base"])
    compared = sw.compare(sw.load("new").scores("acc"), sw.load("base").scores("acc"), rng=0)
    assert isinstance(found.compared, sw.Comparison)
    assert (found.compared.difference, found.compared.p_value) == (compared.difference, compared.p_value)
    assert "new minus base, is +0.100" in found.paragraph
    assert "unpaired" in found.paragraph


def test_latex_is_escaped_and_every_question_has_an_answer(project: Path) -> None:
    fill(project, "base", 0.0)
    text = methods_written(methods_of(["base"]), Format.LATEX)
    assert r"\texttt{python train\_50\%.py}" in text
    assert r"\toprule" in text
    assert text.count(r"\item[") == 12
    assert not [line for line in text.splitlines() if line.startswith(r"\item[") and line.endswith("] ")]


def test_the_command_prints_and_writes_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(project, "base", 0.0)
    assert start(["report", "base", "--methods", "--json", "-o", "methods.md"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["hours"] == pytest.approx(9600 / 3600)
    assert said["paragraph"] in Path("methods.md").read_text()
    assert start(["report", "base", "--methods", "-o", "methods.csv"]) == 2
    assert start(["report", "nobody", "--methods"]) == 2
    assert start(["report", "base", "--methods", "--by", "x"]) == 2
