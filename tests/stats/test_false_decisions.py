"""How often each decision word is false, with the procedures of benchmarks/decisions.py; its tables are in docs/coverage.md."""

import math
from itertools import combinations
from types import ModuleType

import numpy as np
import pytest

import seedwise as sw
from seedwise.decisions import Decision

from .benchmarks import benchmark

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def simulate() -> ModuleType:
    return benchmark("decisions")


def most(repeats: int, promised: float = 0.05) -> float:
    """The promise and four standard errors."""
    return promised + 4 * math.sqrt(promised * (1 - promised) / repeats)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("n", [3, 5])
def test_what_is_simulated_is_what_is_said(paired: bool, n: int, simulate: ModuleType) -> None:
    """For two and four methods, with every kind of scores; half of them are truly apart, or alike within the margin."""
    said, expected, rng = [], [], np.random.default_rng(n)
    for kind, sd in simulate.KINDS.items():
        margin = 3.0 * sd
        for methods in (2, 4):
            scores = simulate.draw(rng, kind, (8, methods, n), paired)
            scores[4:, 0] += 6 * sd
            named, equal = simulate.words(scores, paired, margin)
            expected += [
                (bool(a), bool(b)) for row in zip(named, equal, strict=True) for a, b in zip(*row, strict=True)
            ]
            for of in scores:
                said += [
                    (d in (Decision.BETTER, Decision.WORSE), d is Decision.EQUIVALENT)
                    for d in _words(of, paired, margin)
                ]
    assert said == expected
    winners, alike = sum(a for a, _ in said), sum(b for _, b in said)
    decidable = n >= (6 if paired else 4)  # fewer pairs or seeds cannot reach .05, alone or among several
    assert (winners > 20) == decidable
    assert alike > 20


def _words(scores: np.ndarray, paired: bool, margin: float) -> list[Decision]:
    groups = {str(k): list(x) for k, x in enumerate(scores)}
    options = {"paired": paired, "equivalence": margin, "goal": "max", "resamples": 100}
    if len(groups) == 2:
        return [sw.compare(groups["0"], groups["1"], **options).decision]
    by_names = {frozenset((p.new.name, p.base.name)): p.decision for p in sw.compare_many(groups, **options).pairs}
    return [by_names[frozenset(pair)] for pair in combinations(groups, 2)]


@pytest.mark.parametrize("methods", [2, 3, 5, 10])
@pytest.mark.parametrize("kind", ["normal", "accuracy on 50 examples", "rounded to a step of one SD"])
def test_false_words_are_as_rare_as_promised(kind: str, methods: int, simulate: ModuleType) -> None:
    sets = 100 if methods == 10 else 300
    for n in simulate.SIZES if methods < 5 else (3, 5, 10):
        for paired in (False, True):
            rng = np.random.default_rng([n, methods])
            assert simulate.false_winner(rng, kind, methods, n, paired, sets) <= most(sets), (n, paired)
            assert simulate.false_equivalent(rng, kind, methods, n, paired, sets) <= most(sets), (n, paired)


@pytest.mark.parametrize("paired", [False, True])
def test_methods_that_are_far_apart_do_not_make_the_others_differ(paired: bool, simulate: ModuleType) -> None:
    """Three pairs of methods that are alike, far from each other: after what is shown, Holm asks less of the rest."""
    alike = [i // 2 == j // 2 for i, j in combinations(range(6), 2)]
    for n in (6, 10) if paired else (5, 10):
        scores = simulate.draw(np.random.default_rng(n), "normal", (400, 6, n), paired)
        named = simulate.words(scores + 20 * (np.arange(6) // 2)[:, None], paired)[0]
        assert named[:, ~np.array(alike)].all()
        assert named[:, alike].any(axis=1).mean() <= most(400)


@pytest.mark.parametrize("kind", ["skewed (lognormal, σ = 0.8)", "one seed in five fails to learn"])
def test_false_words_of_unusual_scores_are_as_rare_as_promised_for_two_to_five(kind: str, simulate: ModuleType) -> None:
    for n in simulate.SIZES[:4]:
        for methods in (2, 5):
            rng = np.random.default_rng([n, methods])
            assert simulate.false_winner(rng, kind, methods, n, False, 400) <= most(400), (n, methods)
            assert simulate.false_equivalent(rng, kind, methods, n, False, 400) <= most(400), (n, methods)


@pytest.mark.parametrize(("n", "measured"), [(4, 0.2), (5, 0.21), (10, 0.11), (30, 0.05)])
def test_failures_that_only_one_side_has_deceive_few_seeds_as_measured(
    n: int, measured: float, simulate: ModuleType
) -> None:
    kind = simulate.UNLIKE[2]
    found = simulate.unlike_winner(np.random.default_rng(n), kind, 2, n, 1500)
    assert found == pytest.approx(measured, abs=4 * math.sqrt(measured / 1500))


def test_of_several_metrics_the_first_and_the_others_are_each_held(simulate: ModuleType) -> None:
    for metrics, correlation, n in ((2, 0.0, 10), (5, 0.0, 5), (5, 0.5, 30), (10, 0.9, 10), (3, 0.0, 3)):
        rng = np.random.default_rng([n, metrics])
        first, others, any_ = simulate.several_metrics(rng, metrics, correlation, n, 1000)
        assert max(first, others) <= most(1000), (metrics, correlation, n)
        assert any_ <= most(1000, 0.0975), (metrics, correlation, n)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_adding_seeds_until_it_is_shown_claims_no_more_often_than_promised(alpha: float, simulate: ModuleType) -> None:
    def claimed(rule: str, kind: str, last: int) -> float:
        return float((simulate.stopped(np.random.default_rng(last), rule, alpha, kind, last, 0.0, 6000) > 0).mean())

    p, so_far, planned, at_any_time = simulate.RULES
    for kind in ("normal", "accuracy on 50 examples", "rounded to a step of one SD"):
        assert claimed(planned, kind, 30) <= most(6000, alpha)
        assert claimed(at_any_time, kind, 100) <= alpha
    assert claimed(planned, "normal", 30) > 0.8 * alpha, "the promise is used"
    assert claimed(at_any_time, "normal", 100) > 0.5 * alpha
    assert claimed(so_far, "normal", 30) > 1.5 * alpha, "why the number of looks so far is not enough"
    assert claimed(p, "normal", 30) > 3.5 * alpha


def test_the_rule_is_that_of_the_call(simulate: ModuleType) -> None:
    rule, x = simulate.RULES[3], simulate.draw(np.random.default_rng(4), "normal", (40, 1, 12), False)[:, 0]
    stopped = simulate.stopped(np.random.default_rng(4), rule, 0.05, "normal", 12, 1.0, 40)
    for of, at in zip(x, stopped, strict=True):
        looks = (sw.against_threshold(of[:n], 1.0, below=True, alpha=0.05, looked_from=3) for n in range(3, 13))
        assert next((look.n for look in looks if look.settled), 0) == at


def test_what_is_simulated_over_tasks_is_what_is_said(simulate: ModuleType) -> None:
    rng = np.random.default_rng(8)
    for kind in simulate.OVER_TASKS[4:]:
        for means in simulate.draw_tasks(rng, kind, (6, 12, 4)):
            means[:, 0] += 0.5 * means.std()
            groups = {str(k): {str(t): [v] for t, v in enumerate(column)} for k, column in enumerate(means.T)}
            pairs = sw.compare_tasks(groups, goal="max", resamples=100).pairs
            said = {frozenset((p.new, p.base)): p.decision is not Decision.UNDECIDED for p in pairs}
            named = simulate.words_over_tasks(means)
            assert [said[frozenset(pair)] for pair in combinations(groups, 2)] == named.tolist()


@pytest.mark.parametrize("tasks", [5, 12, 26])
def test_false_words_over_tasks_are_as_rare_as_promised(tasks: int, simulate: ModuleType) -> None:
    for kind in simulate.OVER_TASKS:
        for methods, sets in ((2, 800), (3, 400), (5, 100), (10, 30)):
            if (tasks == 5 and methods > 2) or "2 runs of the first" in kind:
                continue
            found = simulate.false_over_tasks(np.random.default_rng([tasks, methods]), kind, tasks, methods, sets)
            assert found <= (most(sets) if tasks > 5 else 0), (kind, methods)


def test_uneven_numbers_of_skewed_runs_deceive_over_many_tasks_as_measured(simulate: ModuleType) -> None:
    found = simulate.false_over_tasks(np.random.default_rng(1), simulate.OVER_TASKS[3], 26, 2, 1500)
    assert found == pytest.approx(0.1, abs=0.03)


def test_a_plan_promises_the_power_that_is_reached(simulate: ModuleType) -> None:
    for design in simulate.DESIGNS:
        for n in simulate.SIZES:
            for effect in (0.5, 1.0, 2.0) if n < 30 else (0.5,):
                sets = 400 if design == "one" else 1500
                rng = np.random.default_rng([n, round(10 * effect)])
                promised, reached = simulate.promised_and_reached(rng, design, effect, n, sets)
                assert reached == pytest.approx(
                    promised, abs=0.015 + 4 * math.sqrt(promised * (1 - promised) / sets)
                ), (
                    design,
                    n,
                    effect,
                )
