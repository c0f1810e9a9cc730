"""Coverage and error rates by simulation, with the procedures of benchmarks/coverage.py; its table is docs/coverage.md."""

import math
from types import ModuleType

import numpy as np
import pytest

from .benchmarks import benchmark

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def simulate() -> ModuleType:
    return benchmark("coverage")


def bound(p: float, repeats: int) -> float:
    """Four standard errors."""
    return 4 * math.sqrt(p * (1 - p) / repeats)


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_nominal_where_theory_promises_it(n: int, simulate: ModuleType) -> None:
    rng = np.random.default_rng(n)
    assert simulate.of_mean("t")(rng, "normal", n, 3000) == pytest.approx(0.95, abs=bound(0.95, 3000))
    assert simulate.of_difference(rng, "normal", n, 3000) > 0.95 - bound(0.95, 3000) - 0.01
    assert simulate.threshold_error(rng, "normal", n, 3000) == pytest.approx(0.01, abs=bound(0.01, 3000))
    assert simulate.equivalence_error(rng, "normal", n, 2000) <= 0.05 + bound(0.05, 2000)


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("kind", ["normal", "bounded (beta 8, 2)"])
def test_no_false_winner_more_often_than_promised(n: int, kind: str, simulate: ModuleType) -> None:
    rng = np.random.default_rng(n)
    assert simulate.decision_error(rng, kind, n, 1600) <= 0.05 + bound(0.05, 800)
    assert simulate.permutation_error(True)(rng, kind, n, 1600) <= 0.05 + bound(0.05, 1600)


def test_sequences_keep_their_promise_at_every_look(simulate: ModuleType) -> None:
    rng = np.random.default_rng(1)
    assert simulate.sequence_error(rng, "normal", 300, 4000) <= 0.05
    assert simulate.looking_error(rng, "normal", 300, 4000) > 0.25  # what the sequence is for
    for first in (5, 10):
        assert simulate.stein_error(rng, "normal", first, 2000) <= 0.05 + bound(0.05, 2000)
    for kind in simulate.KINDS:
        assert simulate.betting_error(rng, kind, 80, 1500) <= 0.05


@pytest.mark.parametrize(
    ("what", "kind", "n", "measured"),
    [
        ("mean, studentised bootstrap", "normal", 10, 0.948),
        ("mean, studentised bootstrap", "skewed (lognormal, σ = 0.8)", 10, 0.928),
        ("mean, BCa bootstrap", "normal", 10, 0.896),
        ("mean, percentile bootstrap", "normal", 3, 0.753),
        ("P(A > B), Newcombe", "normal", 10, 0.950),
        ("IQM over 10 tasks, stratified", "normal", 3, 0.90),
        ("IQM over 10 tasks, stratified", "normal", 10, 0.93),
        ("ratio of SDs, bootstrap", "normal", 10, 0.93),
    ],
)
def test_as_measured_elsewhere(what: str, kind: str, n: int, measured: float, simulate: ModuleType) -> None:
    found = simulate.COVERAGE[what](np.random.default_rng(7), kind, n, 1200)
    assert found == pytest.approx(measured, abs=bound(measured, 400) if n == 3 or "IQM" in what else 0.03)
