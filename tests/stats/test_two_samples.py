"""Two samples: R's printed output, SciPy, every regrouping by hand, the score equation, laws of symmetry."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise.stats import compare_spreads, difference, equivalence, permutation_test, superiority

SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
# of eighths: no rounding in sums, so exact ties stay ties
eighths = st.integers(-400, 400).map(lambda v: v / 8)
samples = st.lists(eighths, min_size=2, max_size=12)
varied = samples.filter(lambda v: len(set(v)) > 1)
small = st.lists(st.integers(-6, 6).map(float), min_size=2, max_size=5)
pairs = st.lists(st.tuples(eighths, eighths), min_size=2, max_size=12).filter(lambda v: len({a - b for a, b in v}) > 1)


def test_sleep_against_r() -> None:
    """R: t.test(extra ~ group, paired = TRUE): t = -4.0621, df = 9, p = 0.002833; Welch: t = -1.8608, df = 17.776, p = 0.07939."""
    paired = difference(SLEEP_1, SLEEP_2, paired=True)
    assert paired.difference / paired.sem == pytest.approx(-4.0621, abs=5e-5)
    assert (paired.df, paired.p_value) == (9, pytest.approx(0.002833, abs=5e-7))
    welch = difference(SLEEP_1, SLEEP_2)
    assert welch.difference / welch.sem == pytest.approx(-1.8608, abs=5e-5)
    assert welch.df == pytest.approx(17.776, abs=5e-4)
    assert welch.p_value == pytest.approx(0.07939, abs=5e-6)


@given(varied, varied, st.floats(0.5, 0.999))
def test_welch_against_scipy(x: list[float], y: list[float], level: float) -> None:
    found = difference(x, y, level=level)
    expected = scipy_stats.ttest_ind(x, y, equal_var=False)
    assert (found.p_value, found.df) == pytest.approx((expected.pvalue, expected.df), rel=1e-8, abs=1e-12)
    ends = expected.confidence_interval(level)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), rel=1e-8, abs=1e-8)


@given(pairs)
def test_paired_t_against_scipy(both: list[tuple[float, float]]) -> None:
    x, y = zip(*both, strict=True)
    found, expected = difference(x, y, paired=True), scipy_stats.ttest_rel(x, y)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-8, abs=1e-12)
    ends = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), rel=1e-8, abs=1e-8)


@given(varied, varied, st.randoms(use_true_random=False))
def test_sides_exchanged_mirror_and_order_does_not_count(x: list[float], y: list[float], shuffle: object) -> None:
    mixed = x[:]
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = difference(x, y), difference(y, mixed)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), rel=1e-9, abs=1e-9)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-8, abs=1e-12)


@given(varied, varied, st.integers(-30, 30), st.sampled_from([0.125, 0.5, 3.0, 1000.0]))
def test_shift_leaves_and_scale_multiplies(x: list[float], y: list[float], shift: int, scale: float) -> None:
    one = difference(x, y)
    other = difference([scale * (v + shift) for v in x], [scale * (v + shift) for v in y])
    expected = (scale * one.difference, scale * one.low, scale * one.high)
    assert (other.difference, other.low, other.high) == pytest.approx(expected, rel=1e-7, abs=1e-7 * scale)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-6, abs=1e-10)


def test_no_spread_and_no_second_value_have_named_answers() -> None:
    same, apart = difference([2, 2], [2, 2, 2]), difference([3, 3], [2, 2, 2])
    assert (same.low, same.high, same.p_value) == (0.0, 0.0, 1.0)
    assert (apart.low, apart.high, apart.p_value) == (1.0, 1.0, 0.0)
    assert same.warning
    alone = difference([1.0], [2.0, 3.0])
    assert (alone.difference, alone.low, alone.high, alone.p_value) == (-1.5, None, None, None)
    assert "one value" in alone.warning
    assert difference([1.0], [2.0], paired=True).low is None
    tenths = difference([0.1] * 7, [0.3] * 3)
    assert tenths.sem == 0.0


@given(small, small)
@settings(deadline=None)
def test_exact_permutation_against_scipy_with_a_welch_statistic(x: list[float], y: list[float]) -> None:
    if len(set(x + y)) == 1:
        assert permutation_test(x, y).p_value == 1.0
        return

    def statistic(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        d = a.mean(axis=axis) - b.mean(axis=axis)
        scale = np.sqrt(a.var(axis=axis, ddof=1) / a.shape[axis] + b.var(axis=axis, ddof=1) / b.shape[axis])
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(d) / scale
        return np.where(
            np.abs(d) < 1e-12, 0.0, np.where(scale < 1e-12, 1e9, t)
        )  # no spread on either side: the furthest

    expected = scipy_stats.permutation_test(
        (np.array(x), np.array(y)), statistic, vectorized=True, n_resamples=np.inf, alternative="greater"
    )
    found = permutation_test(x, y)
    assert found.exact
    assert found.regroupings == math.comb(len(x) + len(y), len(x))
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.p_value >= found.smallest - 1e-12


@given(pairs.filter(lambda v: len(v) <= 9))
@settings(deadline=None)
def test_exact_paired_permutation_against_scipy(both: list[tuple[float, float]]) -> None:
    x, y = (np.array(v) for v in zip(*both, strict=True))
    expected = scipy_stats.permutation_test(
        (x, y),
        lambda a, b, axis: np.abs((a - b).sum(axis=axis)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    )
    assert permutation_test(x, y, paired=True).p_value == pytest.approx(expected.pvalue, abs=1e-12)


@given(small, small, st.sampled_from([0.125, 1.0, 8.0]), st.integers(-20, 20))
@settings(deadline=None)
def test_permutation_p_is_invariant_to_sides_shift_and_scale(
    x: list[float], y: list[float], scale: float, shift: int
) -> None:
    one = permutation_test(x, y).p_value
    assert permutation_test(y, x).p_value == pytest.approx(one)
    moved = permutation_test([scale * (v + shift) for v in x], [scale * (v + shift) for v in y]).p_value
    assert moved == pytest.approx(one)


@pytest.mark.parametrize(("n", "smallest"), [(2, 0.5), (5, 0.0625), (6, 0.03125), (10, 2 / 1024)])
def test_smallest_p_of_pairs(n: int, smallest: float) -> None:
    found = permutation_test(np.arange(n) + 1.0, np.zeros(n), paired=True)
    assert (found.p_value, found.smallest) == (pytest.approx(smallest), pytest.approx(smallest))


@pytest.mark.parametrize(("n", "m", "smallest"), [(3, 3, 0.10), (4, 4, 2 / 70), (3, 4, 1 / 35), (1, 5, 1 / 6)])
def test_smallest_p_of_groups_is_never_undercut(n: int, m: int, smallest: float) -> None:
    found = permutation_test(np.arange(n) + 100.0, np.arange(m) + 0.0)
    assert found.smallest == pytest.approx(smallest)
    assert found.p_value >= found.smallest - 1e-12


def test_drawn_permutations_count_the_data_and_near_the_exact_p() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.7, 1, 8), rng.normal(0, 2, 9)
    exact = permutation_test(x, y)
    assert exact.exact
    assert exact.regroupings == math.comb(17, 8)
    rng = np.random.default_rng(4)
    x, y = rng.normal(0.5, 1, 16), rng.normal(0, 1, 16)
    drawn = permutation_test(x, y, paired=True, resamples=20_000)
    signs = np.sign(np.random.default_rng(0).random((20_000, 16)) - 0.5)
    by_hand = (np.abs(signs @ (x - y)) >= abs((x - y).sum())).mean()
    assert not drawn.exact
    assert drawn.p_value == pytest.approx(by_hand, abs=4 * math.sqrt(by_hand / 10_000) + 1e-3)
    apart = permutation_test(np.arange(30.0) + 99, np.arange(30.0), resamples=499)
    assert apart.p_value == 1 / 500


@given(samples, samples)
def test_superiority_against_mann_whitney_and_its_mirror(x: list[float], y: list[float]) -> None:
    one, other = superiority(x, y), superiority(y, x)
    u = sum((a > b) + (a == b) / 2 for a in x for b in y)
    assert one.probability == pytest.approx(u / (len(x) * len(y)))
    if len(set(x + y)) > 1:
        assert scipy_stats.mannwhitneyu(x, y, method="asymptotic").statistic == pytest.approx(u)
    assert one.probability + other.probability == pytest.approx(1)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-8)
    assert one.delta == pytest.approx(2 * u / (len(x) * len(y)) - 1)


@given(samples, samples)
def test_superiority_knows_only_ranks(x: list[float], y: list[float]) -> None:
    one = superiority(x, y)
    other = superiority([math.atan(v) for v in x], [math.atan(v) for v in y])
    assert (one.probability, one.low, one.high) == (other.probability, other.low, other.high)


@given(varied, varied)
def test_superiority_against_scipys_brunner_munzel(x: list[float], y: list[float]) -> None:
    """Their statistic is (P(y > x) - ½) over a standard error: the same sign as ours."""
    found = superiority(y, x)
    if found.probability in (0, 1):
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        theirs = scipy_stats.brunnermunzel(x, y).statistic
    assert np.sign(round(found.probability - 0.5, 12)) == np.sign(0.0 if abs(theirs) < 1e-9 else theirs)


@given(samples, samples, st.floats(0.6, 0.995))
def test_newcombes_ends_solve_his_score_equation(x: list[float], y: list[float], level: float) -> None:
    """|P - θ| = z·√(θ(1-θ)(1 + N*(1-θ)/(2-θ) + N*θ/(1+θ))/(nm)), N* = (n + m)/2 - 1 (2006, method 5)."""
    found = superiority(x, y, level=level)
    z = scipy_stats.norm.ppf((1 + level) / 2)
    n, m = len(x), len(y)
    star = (n + m) / 2 - 1
    for theta in (found.low, found.high):
        if 1e-9 < theta < 1 - 1e-9:
            spread = theta * (1 - theta) * (1 + star * (1 - theta) / (2 - theta) + star * theta / (1 + theta)) / (n * m)
            assert abs(found.probability - theta) == pytest.approx(z * math.sqrt(spread), rel=1e-5, abs=1e-9)
    assert 0 <= found.low <= found.probability <= found.high <= 1


def test_wholly_above_is_still_uncertain() -> None:
    found = superiority([4, 5, 6], [1, 2, 3])
    assert (found.probability, found.high, found.delta) == (1.0, 1.0, 1.0)
    assert 0.3 < found.low < 0.9
    ends = [superiority(np.arange(n) + 100.0, np.arange(n)).low for n in (2, 3, 5, 10, 50)]
    assert ends == sorted(ends)


@given(st.integers(0, 30), st.integers(1, 30), st.floats(0.5, 0.999))
def test_pairs_won_against_clopper_and_pearson_of_scipy(won: int, lost: int, level: float) -> None:
    x = np.concatenate([np.ones(won), -np.ones(lost)])
    found = superiority(x, np.zeros(won + lost), paired=True, level=level)
    expected = scipy_stats.binomtest(won, won + lost).proportion_ci(level, "exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("n", range(1, 9))
def test_all_pairs_won_is_no_better_below_six(n: int) -> None:
    assert (superiority(np.ones(n), np.zeros(n), paired=True).low > 0.5) == (n >= 6)


@given(varied.filter(lambda v: len(v) > 2), varied.filter(lambda v: len(v) > 2))
@settings(deadline=None, max_examples=40)
def test_spreads_against_levenes_test_about_medians(x: list[float], y: list[float]) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        found = compare_spreads(x, y, resamples=200)
        a, b = (np.abs(v - np.median(v)) for v in (np.array(x), np.array(y)))
        if len(set(a)) == len(set(b)) == 1:
            return
        expected = scipy_stats.levene(x, y, center="median").pvalue
    assert found.p_value == pytest.approx(expected, rel=1e-9)
    assert found.ratio == pytest.approx(np.std(x, ddof=1) / np.std(y, ddof=1))


def test_spreads_interval_by_hand_and_its_scale() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.normal(0, 2, 15), rng.normal(0, 1, 12)
    found = compare_spreads(x, y, resamples=500, rng=9)
    draw = np.random.default_rng(9)
    a = x[(draw.random((500, 15)) * 15).astype(int)].std(axis=1, ddof=1)
    b = y[(draw.random((500, 12)) * 12).astype(int)].std(axis=1, ddof=1)
    low, high = np.quantile(np.log(a / b), [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((found.ratio**2 / np.exp(high), found.ratio**2 / np.exp(low)))
    tripled = compare_spreads(3 * x + 1, y, resamples=500, rng=9)
    assert (tripled.low, tripled.high) == pytest.approx((3 * found.low, 3 * found.high))
    assert tripled.p_value != found.p_value


def test_spreads_without_an_answer_say_why() -> None:
    for x, says in (([1.0, 2.0], "three values"), ([1.0, 1.0, 1.0], "no ratio")):
        found = compare_spreads(x, [1.0, 2.0, 3.0])
        assert (found.ratio, found.low, found.p_value) == (None, None, None)
        assert says in found.warning
    assert "narrow" in compare_spreads(range(9), range(9)).warning


@given(varied, varied, st.floats(0.01, 50))
def test_equivalence_against_two_one_sided_tests_of_scipy(x: list[float], y: list[float], margin: float) -> None:
    lower = scipy_stats.ttest_ind(np.array(x) + margin, y, equal_var=False, alternative="greater").pvalue
    upper = scipy_stats.ttest_ind(np.array(x) - margin, y, equal_var=False, alternative="less").pvalue
    assert equivalence(difference(x, y), margin) == pytest.approx(max(lower, upper), rel=1e-6, abs=1e-9)


@given(varied, varied, st.floats(0.01, 50))
def test_equivalent_exactly_where_the_90_percent_interval_lies_within(
    x: list[float], y: list[float], margin: float
) -> None:
    found = difference(x, y, level=0.9)
    inside = -margin < found.low and found.high < margin
    p = equivalence(found, margin)
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == inside


def test_equivalence_without_spread() -> None:
    assert equivalence(difference([1, 1], [1, 1]), 0.1) == 0.0
    assert equivalence(difference([1, 1], [0, 0]), 0.1) == 1.0
    assert equivalence(difference([1], [0, 0]), 0.1) is None


def test_the_global_state_stays() -> None:
    before = np.random.get_state()[1].copy()
    permutation_test(np.arange(20.0), np.arange(20.0) ** 1.1, resamples=50)
    compare_spreads(np.arange(9.0), np.arange(9.0) ** 1.1, resamples=50)
    assert (np.random.get_state()[1] == before).all()


@pytest.mark.parametrize("call", [difference, permutation_test, superiority])
def test_what_is_no_comparison_is_a_named_refusal(call: object) -> None:
    for x, y, paired, says in (
        ([], [1.0], False, "new is a list"),
        ([1.0], [], False, "base is a list"),
        ([1.0, float("nan")], [1.0, 2.0], False, "NaN"),
        ([1.0, 2.0], [1.0, float("inf")], True, "infinite"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], True, "pairs need as many"),
    ):
        with pytest.raises(ValueError, match=says):
            call(x, y, paired=paired)  # type: ignore[operator]
    with pytest.raises(ValueError, match="margin"):
        equivalence(difference([1, 2], [3, 4]), 0.0)
    for bad in (0.0, 1.0, 95):
        with pytest.raises(ValueError, match="level"):
            difference([1, 2], [3, 4], level=bad)


@pytest.mark.slow
def test_a_great_many_values_give_the_p_of_the_t_test_and_the_spread_of_theory() -> None:
    rng = np.random.default_rng(3)
    for n, m in ((9000, 9000), (20_000, 500), (5000, 30)):
        x, y = rng.normal(size=n), rng.normal(0, 2, size=m)
        x += 2 * np.sqrt(1 / n + 4 / m) + y.mean() - x.mean()
        found = permutation_test(x, y, rng=1)
        assert found.p_value == pytest.approx(difference(x, y).p_value, abs=0.012)
        assert found.p_value == permutation_test(np.sort(y), x[::-1], rng=1).p_value, "whatever their order"
        spreads = compare_spreads(x, y, rng=1)
        half = 1.96 * math.sqrt(sum((scipy_stats.kurtosis(v) + 2) / (4 * v.size) for v in (x, y)))
        assert math.log(spreads.high / spreads.low) == pytest.approx(2 * half, rel=0.2)
        assert spreads.low < spreads.ratio < spreads.high
        assert permutation_test(x * 2.0**9, y * 2.0**9, rng=1) == found
        for scale in (1e-140, 1e140):
            small = compare_spreads(x * scale, y, rng=1)
            assert small.low == pytest.approx(spreads.low * scale)
    d = rng.normal(0.03, 1, 5000)
    assert permutation_test(d, np.zeros(5000), paired=True).p_value == pytest.approx(
        difference(d, np.zeros(5000), paired=True).p_value, abs=0.012
    )


def test_more_than_a_thousand_pairs_have_a_p() -> None:
    d = np.random.default_rng(1).normal(0.3, 1, 1500)
    found = permutation_test(d, np.zeros(1500), paired=True, resamples=200)
    assert (found.p_value, found.smallest) == (1 / 201, 1 / 201)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "m"), [(4500, 4500), (4000, 300)])
def test_blocks_of_values_keep_the_level_of_the_permutation_test(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    hits = [
        permutation_test(rng.lognormal(size=n), rng.lognormal(size=m), resamples=99, rng=rng).p_value <= 0.05
        for _ in range(400)
    ]
    assert np.mean(hits) == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 400))
