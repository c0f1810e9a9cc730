"""The lucky seed: every subset by itertools, unbiasedness, mirror images, ties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedwise.stats import best_of_weights, expected_best, select, wrong_winner

samples = st.lists(st.integers(-40, 40).map(lambda v: v / 4), min_size=1, max_size=8)
TEN = np.random.default_rng(5).normal(size=10)


@given(samples, st.data())
def test_expected_best_against_every_subset(x: list[float], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(x)))
    subsets = list(itertools.combinations(x, n))
    assert expected_best(x, n) == pytest.approx(np.mean([max(s) for s in subsets]), abs=1e-9)
    assert expected_best(x, n, largest=False) == pytest.approx(np.mean([min(s) for s in subsets]), abs=1e-9)


@given(samples.filter(lambda v: len(v) <= 5), st.integers(1, 4))
@settings(deadline=None)
def test_dodge_against_every_draw_with_replacement(x: list[float], n: int) -> None:
    draws = list(itertools.product(x, repeat=n))
    assert expected_best(x, n, estimator="dodge") == pytest.approx(np.mean([max(d) for d in draws]), abs=1e-9)
    lowest = expected_best(x, n, largest=False, estimator="dodge")
    assert lowest == pytest.approx(np.mean([min(d) for d in draws]), abs=1e-9)


@pytest.mark.parametrize(("total", "n"), [(1, 1), (5, 2), (10, 10), (12, 7), (40, 3)])
def test_weights_against_binomial_coefficients(total: int, n: int) -> None:
    expected = [math.comb(i - 1, n - 1) / math.comb(total, n) for i in range(1, total + 1)]
    np.testing.assert_allclose(best_of_weights(total, n), expected, rtol=1e-11)


@given(samples)
def test_ends_are_mean_and_best_and_the_curve_never_falls(x: list[float]) -> None:
    curve = [expected_best(x, n) for n in range(1, len(x) + 1)]
    assert (curve[0], curve[-1]) == (pytest.approx(np.mean(x)), pytest.approx(max(x)))
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(curve))


@given(samples, st.data(), st.sampled_from([0.5, 3.0]), st.randoms(use_true_random=False))
def test_best_is_equivariant_and_invariant_to_order(
    x: list[float], data: st.DataObject, scale: float, shuffle: object
) -> None:
    n = data.draw(st.integers(1, len(x)))
    mixed = [scale * v + 2 for v in x]
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert expected_best(mixed, n) == pytest.approx(scale * expected_best(x, n) + 2, abs=1e-9)
    assert expected_best(x, n, largest=False) == pytest.approx(-expected_best([-v for v in x], n), abs=1e-9)


def test_unbiased_for_uniform_scores_where_dodge_is_low() -> None:
    """E max of n uniform is n/(n + 1)."""
    x = np.sort(np.random.default_rng(2).random((20_000, 8)), axis=1)
    unbiased = x @ best_of_weights(8, 5)
    assert abs(unbiased.mean() - 5 / 6) < 4 * unbiased.std() / math.sqrt(20_000)
    dodge = np.array([expected_best(row, 5, estimator="dodge") for row in x[:2000]])
    assert dodge.mean() < 5 / 6 - 4 * dodge.std() / math.sqrt(2000)


def test_weights_of_very_many_seeds_stay_finite() -> None:
    for n in (1, 2, 999, 5000, 10_000):
        weights = best_of_weights(10_000, n)
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1, abs=1e-9)


@given(samples, samples)
def test_wrong_winner_against_all_pairs(x: list[float], y: list[float]) -> None:
    found = wrong_winner(x, y)
    if np.mean(x) == np.mean(y):
        assert found == 0.5
        return
    high, low = (x, y) if np.mean(x) > np.mean(y) else (y, x)
    by_hand = np.mean([(b > a) + (a == b) / 2 for a in high for b in low])
    assert found == pytest.approx(by_hand, abs=1e-12)
    assert wrong_winner(y, x) == pytest.approx(found, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-20, 20)), min_size=1, max_size=7), st.booleans())
def test_selection_against_every_subset_with_ties_shared(runs: list[tuple[int, int]], largest: bool) -> None:
    by, report = (np.array(v, dtype=float) for v in zip(*runs, strict=True))
    found = select(by, report, largest=largest)
    best = by.max() if largest else by.min()
    assert found.by == best == by[found.index]
    assert found.index == int(np.flatnonzero(by == best)[0])
    assert (found.report, found.ties) == (report[found.index], int((by == best).sum()))
    for n in range(1, by.size + 1):
        chosen = []
        for subset in itertools.combinations(range(by.size), n):
            keys = by[list(subset)]
            top = keys.max() if largest else keys.min()
            chosen.append(report[list(subset)][keys == top].mean())
        assert found.expected[n - 1] == pytest.approx(np.mean(chosen), abs=1e-9)
    assert found.mean == pytest.approx(found.expected[0])


def test_choosing_by_the_reported_metric_is_the_expected_best() -> None:
    found = select(TEN, TEN)
    assert found.expected == pytest.approx([expected_best(TEN, n) for n in range(1, 11)])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: expected_best([1.0, 2.0], 3), "n is 1 … 2"),
        (lambda: expected_best([1.0, 2.0], 0), "n is 1 … 2"),
        (lambda: expected_best([1.0, 2.0], 0, estimator="dodge"), "at least 1"),
        (lambda: expected_best([], 1), "at least one"),
        (lambda: expected_best([float("nan")], 1), "NaN"),
        (lambda: expected_best([1.0], 1, estimator="best"), "best"),
        (lambda: wrong_winner([], [1.0]), "new"),
        (lambda: select([1.0, 2.0], [1.0]), "both metrics"),
    ],
)
def test_what_cannot_be_drawn_is_a_named_refusal(call: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()  # type: ignore[operator]
