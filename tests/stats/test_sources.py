"""Lottery, variance components, test-set noise, cross-validation: against brute force, published numbers, simulation."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise import stats

RNG = np.random.default_rng(12)
values = st.lists(st.floats(-50, 50).map(lambda v: round(v, 2)), min_size=1, max_size=8)


@given(values, st.data())
def test_expected_best_against_every_choice(x: list[float], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(x)))
    choices = list(combinations(x, n))
    assert stats.expected_best(x, n) == pytest.approx(np.mean([max(c) for c in choices]), abs=1e-9)
    assert stats.expected_best(x, n, largest=False) == pytest.approx(np.mean([min(c) for c in choices]), abs=1e-9)


def test_dodges_estimator_is_the_best_of_n_with_replacement_and_biased() -> None:
    x = [1.0, 2.0, 5.0]
    pairs = [max(a, b) for a in x for b in x]
    assert stats.expected_best(x, 2, estimator="dodge") == pytest.approx(np.mean(pairs))
    assert stats.expected_best(x, 2, estimator="dodge") < stats.expected_best(x, 2)


def test_weights_of_ten_thousand_seeds_do_not_overflow() -> None:
    weights = stats.best_of_weights(10_000, 5000)
    assert weights.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="n is 1 … 3"):
        stats.expected_best([1, 2, 3], 4)


def test_the_wrong_winner_against_all_pairs() -> None:
    x, y = RNG.normal(0.3, 1, 6), RNG.normal(0, 1, 9)
    up, down = (x, y) if x.mean() > y.mean() else (y, x)
    assert stats.wrong_winner(x, y) == pytest.approx(np.mean(down[:, None] > up[None, :]))
    assert stats.wrong_winner([1.0, 2.0], [1.0, 2.0]) == 0.5


def test_two_way_components_by_hand() -> None:
    """σ²_init = (MS_init - MS_init×order)/(n_order·r), with mean squares computed here from their definition."""
    x = RNG.normal(size=(4, 3, 2)) + RNG.normal(size=(4, 1, 1)) * 2
    a, b, r = x.shape
    mean = x.mean()
    rows, columns, cells = x.mean(axis=(1, 2)), x.mean(axis=(0, 2)), x.mean(axis=2)
    ms_a = b * r * ((rows - mean) ** 2).sum() / (a - 1)
    ms_b = a * r * ((columns - mean) ** 2).sum() / (b - 1)
    ms_ab = r * ((cells - rows[:, None] - columns[None] + mean) ** 2).sum() / ((a - 1) * (b - 1))
    ms_e = ((x - cells[..., None]) ** 2).sum() / (a * b * (r - 1))
    found = stats.crossed_components(x, ["init", "order"], replicates=True)
    assert found["init"].variance == pytest.approx((ms_a - ms_ab) / (b * r))
    assert found["order"].variance == pytest.approx((ms_b - ms_ab) / (a * r))
    assert found["init × order"].variance == pytest.approx((ms_ab - ms_e) / r)
    assert found["rest"].variance == pytest.approx(ms_e)
    nu = (ms_a - ms_ab) ** 2 / (ms_a**2 / (a - 1) + ms_ab**2 / ((a - 1) * (b - 1)))
    assert found["init"].df == pytest.approx(nu)


def test_brennans_components_from_his_mean_squares() -> None:
    """Brennan (2001), synthetic data set 1, 10 persons × 12 items: .0574, .0754, .1269. A table with his mean squares
    (MS_p = 12·.0574 + .1269, MS_i = 10·.0754 + .1269, MS_pi = .1269) gives them back."""

    def spread(n: int) -> np.ndarray:
        z = np.linspace(-1, 1, n)
        return z / z.std(ddof=1)

    p, i = spread(10), spread(12)
    rest = np.outer(p**2 - (p**2).mean(), i**3 - i * (i**4).sum() / (i**2).sum())
    rest -= rest.mean(axis=0) + rest.mean(axis=1)[:, None] - rest.mean()
    rest *= math.sqrt(0.1269 * 99 / (rest**2).sum())
    table = p[:, None] * math.sqrt(0.0574 + 0.1269 / 12) + i[None] * math.sqrt(0.0754 + 0.1269 / 10) + rest
    found = stats.crossed_components(table, ["person", "item"])
    assert [found[n].variance for n in ("person", "item", "rest")] == pytest.approx([0.0574, 0.0754, 0.1269], abs=1e-9)


def test_three_sources_are_unbiased() -> None:
    """The mean of the estimates over 400 designs, within 4 standard errors of the truth."""
    estimates = []
    for _ in range(400):
        x = RNG.normal(0, 2, (4, 1, 1, 1)) + RNG.normal(0, 1, (1, 4, 1, 1)) + RNG.normal(0, 0.5, (4, 4, 1, 1))
        x = x + RNG.normal(0, 1, (1, 1, 3, 1)) + RNG.normal(0, 0.3, (4, 4, 3, 2))
        found = stats.crossed_components(x, ["a", "b", "c"], replicates=True)
        estimates.append([p.variance for p in found.parts])
    names = [p.name for p in found.parts]
    truth = dict.fromkeys(names, 0.0) | {"a": 4.0, "b": 1.0, "c": 1.0, "a × b": 0.25, "rest": 0.09}
    mean, error = np.mean(estimates, axis=0), np.std(estimates, axis=0) / 20
    for name, value, se in zip(names, mean, error, strict=True):
        assert abs(value - truth[name]) < 4 * se + 1e-12, name


def test_negative_components_stay_and_are_truncated_beside() -> None:
    x = np.array([[0.0, 1.0], [1.0, 0.0]])
    found = stats.crossed_components(x, ["a", "b"])
    assert found["a"].variance < 0 == found["a"].truncated
    assert found["a"].interval[0] == 0
    for wrong in (np.zeros((1, 3)), np.zeros(3), np.array([[0.0, np.nan], [1.0, 2.0]])):
        with pytest.raises(ValueError):
            stats.crossed_components(wrong, ["a", "b"])


def test_jordans_split_is_unbiased_for_the_variance_of_true_accuracies() -> None:
    truth, splits = 0.0004, []
    for _ in range(300):
        accuracy = 0.8 + RNG.normal(0, math.sqrt(truth), 30)
        hard = RNG.normal(0, 0.1, 400)
        chance = np.clip(accuracy[:, None] + hard[None], 0, 1)
        splits.append(stats.noise_of_test_set((RNG.random((30, 400)) < chance).astype(int)))
    estimates = np.array([s.distribution for s in splits])
    expected = truth  # the same hard examples for all: what differs between runs is their accuracy
    assert abs(estimates.mean() - expected) < 4 * estimates.std() / math.sqrt(300) + 0.1 * truth
    assert np.mean([s.observed for s in splits]) > 1.8 * truth
    with pytest.raises(ValueError, match="0 or 1"):
        stats.noise_of_test_set(np.full((3, 3), 0.5))


def test_multi_bootstrap_counts_seeds_and_examples() -> None:
    x = RNG.normal(0, 1, (8, 1)) + RNG.normal(0, 1, (1, 40)) + RNG.normal(0, 0.1, (8, 40))
    both = stats.multi_bootstrap(x)
    assert both.estimate == pytest.approx(x.mean())
    width = both.high - both.low
    of_seeds = stats.bootstrap(x.mean(axis=1), method="percentile")
    assert width > of_seeds.high - of_seeds.low
    shifted = stats.multi_bootstrap(x + 1.0, x, paired=True, resamples=500)
    assert (shifted.low, shifted.high) == pytest.approx((1.0, 1.0))
    assert shifted.p_value == pytest.approx(2 / 501)
    assert stats.multi_bootstrap(x, x, resamples=300).p_value > 0.3


def test_corrected_resampled_t_by_its_formula() -> None:
    d = np.array([0.02, 0.01, 0.03, -0.01, 0.02])
    found = stats.corrected_resampled_t(d, n_train=80, n_test=20)
    t = d.mean() / math.sqrt(d.var(ddof=1) * (1 / 5 + 0.25))
    assert found.p_value == pytest.approx(2 * scipy_stats.t.sf(t, 4))
    assert stats.corrected_resampled_t(d).p_value == pytest.approx(found.p_value)  # five folds: 1/4
    table = d + RNG.normal(0, 0.01, (6, 5))
    over_seeds = stats.corrected_resampled_t(table)
    again = stats.corrected_resampled_t(table.mean(axis=0))
    assert over_seeds.p_value == pytest.approx(again.p_value)
    assert over_seeds.df == 4
    assert over_seeds.seed_sd is not None
    with pytest.raises(ValueError, match="one split"):
        stats.corrected_resampled_t([0.1])
