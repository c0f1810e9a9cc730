"""Every script of docs/frameworks, unmodified: its sites, its numbers against the edited copy, its ledger, forking, and `check`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.experiments import output_of
from seedwise.api.script import run_script
from seedwise.determinism.rerunning import Checker, check_environment
from seedwise.experiments.command import run_environment
from seedwise.runs.masks import masked
from seedwise.sandbox.workdir import Workdir
from seedwise.sandbox.worlds import find_worlds
from seedwise_guest.sites.finder import find_sites
from seedwise_guest.sites.modules import Source, read_module

from .scripts import CASES, Case

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]
LONG = ("keras-torch", "keras-jax", "ignite")
"""These take minutes, and relatives of them are here too."""
every = pytest.mark.parametrize(
    "case", [pytest.param(c, id=c.name, marks=pytest.mark.long if c.name in LONG else ()) for c in CASES]
)
SEEDS = (7, 8, 9)


@pytest.fixture
def placed(case: Case, project: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The script in a project of its own; the command that runs it."""
    for name, value in case.environment:
        monkeypatch.setenv(name, value)
    (project / case.script).write_text(case.text, encoding="utf-8")
    return [sys.executable, case.script]


def plain(case: Case, seed: int, folder: Path) -> bytes:
    """What plain Python prints on the copy with another number."""
    (folder / case.script).write_text(case.edited(seed), encoding="utf-8")
    environment = {k: v for k, v in run_environment(1).items() if k != "PYTHONPATH"}
    core = {min(os.sched_getaffinity(0))}
    done = subprocess.run(
        [sys.executable, case.script],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    return done.stdout


@pytest.mark.parametrize("case", {case.script: case for case in CASES}.values(), ids=lambda case: case.script)
def test_sites(case: Case, placed: list[str], project: Path) -> None:
    source = Source(read_module(str(project / case.script), "__main__", ""), [str(project)])
    assert [(site.line, site.old) for site in find_sites(source).sites] == case.sites()


@every
def test_seeded(
    case: Case, placed: list[str], tmp_path: Path, forked: list[int], executed_once: Callable[[int], bool]
) -> None:
    """Each seed gives what the edited copy prints, in fresh and in forked processes; seeds differ."""
    results = run_script(placed, SEEDS, name="case", jobs=1)
    assert [run.status for run in results.runs] == ["finished"] * len(SEEDS), [run.detail for run in results.runs]
    printed = [Path(output_of("case", seed, "stdout")).read_bytes() for seed in SEEDS]
    assert len({masked(text.decode()) for text in printed}) == len(SEEDS)
    (tmp_path / "copy").mkdir()
    for seed, text in ((SEEDS[0], printed[0]), (SEEDS[-1], printed[-1])):  # run in a fresh process, and forked
        expected = plain(case, seed, tmp_path / "copy")
        if case.name == "transformers":  # its Trainer prints durations
            text, expected = (masked(part.decode()).encode() for part in (text, expected))
        assert text == expected
    assert forked
    assert all(executed_once(case.line_that_imports(name)) for name in case.once.split(", "))
    ledger = {
        os.path.basename(entry["generator"]) if "/" in entry["generator"] else entry["generator"]: entry
        for entry in json.loads(Path(str(results.runs[0].folder), "ledger.json").read_text())
    }
    short = {name.replace(str(Path.cwd()) + os.sep, ""): entry["state"] for name, entry in ledger.items()}
    for name, state in case.ledger.items():
        found = short.get(name, short.get(name.rpartition(" ")[2]))
        assert found == state, (name, short)


@every
def test_checked(case: Case, placed: list[str]) -> None:
    """What `check` sees of one process: parameters after each step where there are hooks, output and ledger elsewhere."""
    checker = Checker(placed, find_worlds(Workdir.AUTO, None, (), [], placed), check_environment(), 300)
    trace = checker.run()
    assert not trace.failed, trace.failed
    assert bool(trace.steps.size) == case.steps
    states = {entry["generator"]: entry["state"] for entry in trace.ledger}
    assert not [name for name, state in states.items() if state == "unseeded" and case.ledger.get(name) == "seeded"]
