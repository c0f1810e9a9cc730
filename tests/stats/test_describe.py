"""Descriptions against SciPy, against theory by simulation, and for degenerate samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seedwise.stats import describe, interquartile_mean, t_interval

samples = st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 6)), min_size=2, max_size=40)


@given(samples, st.floats(0.5, 0.999))
def test_t_interval_against_scipy(values: list[float], level: float) -> None:
    x = np.array(values)
    low, high = t_interval(x, level)
    if x.std(ddof=1) == 0 or (x == x[0]).all():
        assert low == high == x[0]
        return
    expected = stats.t.interval(level, x.size - 1, loc=x.mean(), scale=stats.sem(x))
    np.testing.assert_allclose([low, high], expected, rtol=1e-9, atol=1e-9 * float(np.abs(x).max()))


@given(samples)
def test_iqm_against_scipy_where_the_cut_is_whole(values: list[float]) -> None:
    x = np.array((values * 4)[: len(values) // 4 * 4 or 4])
    np.testing.assert_allclose(interquartile_mean(x), stats.trim_mean(x, 0.25), rtol=1e-9, atol=1e-6)


def test_iqm_weights_the_cut() -> None:
    assert interquartile_mean([0, 1, 5, 6, 7, 8]) == 5.0  # rliable's truncation gives 4.75


@given(samples, st.randoms(use_true_random=False))
def test_invariant_to_order(values: list[float], shuffle: object) -> None:
    mixed = values[:]
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = describe(values), describe(mixed)
    assert (one.min, one.max, one.median) == (other.min, other.max, other.median)
    np.testing.assert_allclose([one.mean, one.iqm], [other.mean, other.iqm], rtol=1e-9, atol=1e-6)


def test_a_single_score_has_no_spread() -> None:
    d = describe([0.7])
    assert (d.mean, d.sd, d.sem, d.interval) == (0.7, None, None, None)


def test_equal_scores_have_none_to_the_last_bit() -> None:
    d = describe([0.1] * 7)
    assert (d.mean, d.sd, d.interval, d.iqm) == (0.1, 0.0, (0.1, 0.1), 0.1)


@pytest.mark.parametrize("bad", [[], [1.0, float("nan")], [1.0, float("inf")], [[1.0, 2.0]]])
def test_what_is_no_sample_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError):
        describe(bad)


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_coverage_of_the_t_interval_is_nominal_for_normal_scores(n: int) -> None:
    rng = np.random.default_rng(1908 + n)
    repeats = 4000
    hits = sum(low <= 0 <= high for low, high in (t_interval(rng.normal(size=n)) for _ in range(repeats)))
    assert abs(hits / repeats - 0.95) < 4 * np.sqrt(0.95 * 0.05 / repeats)
