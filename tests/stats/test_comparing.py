"""Two samples and many: against SciPy, R's printed output, formulas and brute force."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise import stats

SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
RNG = np.random.default_rng(4)
values = st.lists(st.floats(-100, 100).map(lambda v: round(v, 2)), min_size=2, max_size=8)


def test_student_sleep_data_against_r() -> None:
    """R: t.test(extra ~ group) and t.test(…, paired = TRUE) of the data set `sleep`."""
    welch, paired = stats.difference(SLEEP_1, SLEEP_2), stats.difference(SLEEP_1, SLEEP_2, paired=True)
    assert welch.df == pytest.approx(17.776, abs=5e-4)
    assert welch.p_value == pytest.approx(0.07939, abs=5e-6)
    assert (welch.low, welch.high) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)
    assert paired.p_value == pytest.approx(0.002833, abs=5e-7)
    assert (paired.low, paired.high) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)


@given(values, values)
def test_welch_against_scipy(x: list[float], y: list[float]) -> None:
    found = stats.difference(x, y)
    if found.sem == 0 or np.ptp(x) < 1e-9 * 100 or np.ptp(y) < 1e-9 * 100:
        return
    expected = scipy_stats.ttest_ind(x, y, equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-10)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-8, abs=1e-8)


@given(values, values, st.floats(-50, 50), st.floats(0.1, 20))
def test_a_difference_moves_with_shift_and_scale(x: list[float], y: list[float], shift: float, scale: float) -> None:
    found = stats.difference(x, y)
    moved = stats.difference([scale * v + shift for v in x], [scale * v + shift for v in y])
    assert moved.low is not None
    assert found.low is not None
    assert moved.low == pytest.approx(scale * found.low, rel=1e-6, abs=1e-6 * scale)


def welch_t(x: np.ndarray, y: np.ndarray) -> float:
    return abs(x.mean() - y.mean()) / math.sqrt(x.var(ddof=1) / x.size + y.var(ddof=1) / y.size)


@pytest.mark.parametrize("sizes", [(3, 3), (4, 6), (5, 5), (2, 7)])
def test_exact_permutation_p_against_every_regrouping(sizes: tuple[int, int]) -> None:
    x, y = RNG.normal(0.5, 1, sizes[0]), RNG.normal(0, 2, sizes[1])
    pooled, seen = np.concatenate([x, y]), welch_t(x, y)
    hits = []
    for group in combinations(range(pooled.size), x.size):
        rest = [k for k in range(pooled.size) if k not in group]
        hits.append(welch_t(pooled[list(group)], pooled[rest]) >= seen * (1 - 1e-10))
    found = stats.permutation_test(x, y)
    assert found.exact
    assert found.p_value == pytest.approx(np.mean(hits))
    assert found.p_value >= found.smallest


@given(values)
def test_paired_permutation_against_every_sign(d: list[float]) -> None:
    x = np.array(d)
    signs = np.array(np.meshgrid(*[[-1, 1]] * x.size)).reshape(x.size, -1).T
    seen = abs(x.sum())
    expected = (np.abs(signs @ x) >= seen * (1 - 1e-10) - 1e-300).mean()
    assert stats.permutation_test(x, np.zeros(x.size), paired=True).p_value == pytest.approx(expected)


def test_drawn_permutations_come_near_the_exact_p_and_count_the_data_themselves() -> None:
    x, y = RNG.normal(0.8, 1, 9), RNG.normal(0, 1, 9)
    exact = stats.permutation_test(x, y)  # 48,620 regroupings: drawn
    assert not exact.exact
    again = stats.permutation_test(x, y, resamples=40_000, rng=5)
    assert again.p_value == pytest.approx(exact.p_value, abs=0.01)
    apart = stats.permutation_test(np.arange(50.0), np.arange(50.0) + 1000, resamples=999)
    assert apart.p_value == 1 / 1000 == apart.smallest


def test_the_smallest_p_of_few_seeds() -> None:
    assert stats.permutation_test([1, 2, 3], [7, 8, 9]).p_value == pytest.approx(0.10)
    assert stats.permutation_test(range(1, 6), [0] * 5, paired=True).p_value == pytest.approx(0.0625)


@given(values, values)
def test_superiority_is_mann_whitney_and_its_sides_add_to_one(x: list[float], y: list[float]) -> None:
    one, other = stats.superiority(x, y), stats.superiority(y, x)
    u = scipy_stats.mannwhitneyu(x, y, method="asymptotic").statistic if np.ptp([*x, *y]) > 0 else len(x) * len(y) / 2
    assert one.probability == pytest.approx(u / (len(x) * len(y)))
    assert one.probability + other.probability == pytest.approx(1)
    assert one.low == pytest.approx(1 - other.high, abs=1e-9)
    assert 0 <= one.low <= one.probability <= one.high <= 1
    assert one.delta == pytest.approx(-other.delta)


def test_pairs_won_against_scipy_and_never_shown_below_six() -> None:
    for n in range(1, 9):
        found = stats.superiority(np.arange(n) + 1.0, np.zeros(n), paired=True)
        expected = scipy_stats.binomtest(n, n).proportion_ci(0.95, "exact")
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
        assert (found.low > 0.5) == (n >= 6)


def test_spreads_against_scipy() -> None:
    x, y = RNG.normal(0, 2, 20), RNG.normal(0, 1, 25)
    found = stats.compare_spreads(x, y)
    assert found.p_value == pytest.approx(scipy_stats.levene(x, y, center="median").pvalue)
    assert found.ratio == pytest.approx(x.std(ddof=1) / y.std(ddof=1))
    assert found.low < found.ratio < found.high
    assert stats.compare_spreads([1, 1, 1], y).ratio is None


def test_equivalence_is_two_one_sided_tests() -> None:
    x, y = RNG.normal(0, 1, 15), RNG.normal(0.1, 1, 12)
    lower = scipy_stats.ttest_ind(x + 0.9, y, equal_var=False, alternative="greater").pvalue
    upper = scipy_stats.ttest_ind(x - 0.9, y, equal_var=False, alternative="less").pvalue
    assert stats.equivalence(stats.difference(x, y), 0.9) == pytest.approx(max(lower, upper))


def test_holm_and_bonferroni_keep_the_order_given() -> None:
    assert stats.holm([0.03, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert stats.bonferroni([0.03, 0.01, 0.02]).tolist() == pytest.approx([0.09, 0.03, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_monotone_and_between_p_and_bonferroni(p: list[float]) -> None:
    adjusted = stats.holm(p)
    assert (adjusted >= np.array(p) - 1e-15).all()
    assert (adjusted <= stats.bonferroni(p) + 1e-15).all()
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()


def test_friedman_against_scipy_with_ties() -> None:
    table = RNG.integers(0, 6, (12, 4)).astype(float)
    found = stats.friedman(table)
    expected = scipy_stats.friedmanchisquare(*table.T)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert sum(found.ranks) == pytest.approx(10)
    n, k = table.shape
    f = (n - 1) * found.statistic / (n * (k - 1) - found.statistic)
    assert found.f_p_value == pytest.approx(scipy_stats.f.sf(f, k - 1, (k - 1) * (n - 1)))


def test_critical_difference_against_demsar() -> None:
    """Demšar (2006), table 5a: q.05 = 1.960, 2.343, 2.569, 2.728 for 2 to 5 classifiers."""
    for k, q in ((2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728)):
        assert stats.critical_difference(k, 14) == pytest.approx(q * math.sqrt(k * (k + 1) / (6 * 14)), abs=1e-3)


def test_violation_of_dominance_against_integration_on_a_grid() -> None:
    x, y = RNG.normal(0.4, 1, 7), RNG.normal(0, 1.5, 11)
    t = (np.arange(770_000) + 0.5) / 770_000
    f = np.sort(x)[(t * 7).astype(int)]
    g = np.sort(y)[(t * 11).astype(int)]
    expected = ((f - g)[f < g] ** 2).sum() / ((f - g) ** 2).sum()
    found = stats.almost_dominates(x, y)
    assert found.violation == pytest.approx(expected, abs=1e-6)
    assert found.upper >= found.violation
    assert stats.almost_dominates(y, x).violation == pytest.approx(1 - expected, abs=1e-6)


def test_more_comparisons_make_dominance_harder() -> None:
    x, y = RNG.normal(0.7, 1, 10), RNG.normal(0, 1, 10)
    uppers = [stats.almost_dominates(x, y, comparisons=k).upper for k in (1, 5, 50)]
    assert uppers == sorted(uppers)
    assert stats.almost_dominates(x, x).violation is None
    assert stats.almost_dominates(x + 100, y).upper == 0.0
