"""The lottery: what picking the best of many seeds claims, and what it is worth."""

import subprocess
import sys
from pathlib import Path

import pytest

from seedwise.demos import lottery
from seedwise.results import Goal, Metric, Results, Run, Series, Status


def results(values: dict[str, list[float]]) -> Results:
    n = len(next(iter(values.values())))
    runs = [
        Run(seed, Status.FINISHED, {name: Series((1,), (of_all[seed],)) for name, of_all in values.items()})
        for seed in range(n)
    ]
    return Results("x", "", (), runs, tuple(Metric(name, Goal.MAX) for name in values))


def test_the_best_of_many_claims_more_than_it_is_worth() -> None:
    lines = lottery.what_picking_claims(results({lottery.TEST: [0.5] * 19 + [0.9], lottery.NEW: [0.7] * 20}))
    assert "best seed is 19 with 0.9000" in lines[0]
    assert "claims 0.7000, +0.1800" in lines[1]  # the best of ten of twenty holds the lucky one every second time
    assert "right with 0.7000, where the mean of all seeds is 0.7000" in lines[2]


def test_a_single_seed_shows_nothing() -> None:
    assert "no spread" in lottery.what_picking_claims(results({lottery.TEST: [0.5]}))[0]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.slow
def test_the_demo_runs_whole(project: Path) -> None:
    command = [sys.executable, "-m", "seedwise.cli", "demo", "lottery", "-n", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "2 seeds" in done.stdout
    assert "For 2,000 new people" in done.stdout
