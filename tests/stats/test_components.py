"""Sources of variance: Brennan's published tables, mean squares by loops, Jordan's split, seeds with examples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise import stats
from seedwise.stats import crossed_components, multi_bootstrap, noise_of_test_set

BRENNAN_1 = np.array(
    [
        [int(c) for c in row]
        for row in (
            "101000000000",
            "111001000000",
            "111110000000",
            "110110010000",
            "111110100000",
            "111011100000",
            "111111100000",
            "111101111100",
            "111111111110",
            "111111111111",
        )
    ],
    dtype=float,
)
"""Brennan (2001), synthetic data set 1: 10 persons × 12 items; sums of squares 7.3417, 9.6917, 12.5583."""
BRENNAN_3 = np.array(
    [
        [[2, 6, 7, 5], [2, 5, 5, 5]],
        [[4, 5, 6, 7], [6, 7, 5, 7]],
        [[5, 5, 4, 6], [5, 4, 5, 5]],
        [[5, 9, 8, 6], [5, 7, 7, 6]],
        [[4, 3, 5, 6], [4, 5, 6, 4]],
        [[4, 4, 4, 7], [6, 4, 7, 8]],
        [[2, 6, 6, 5], [2, 7, 7, 5]],
        [[3, 4, 4, 5], [6, 6, 6, 4]],
        [[0, 5, 4, 5], [5, 5, 5, 3]],
        [[6, 8, 7, 6], [6, 8, 8, 6]],
    ],
    dtype=float,
)
"""Brennan (2001), synthetic data set 3: 10 persons × 2 occasions × 4 items."""


def test_brennans_first_table_against_his_published_components() -> None:
    found = crossed_components(BRENNAN_1, ("p", "i"))
    assert found["p"].variance == pytest.approx(0.0574, abs=5e-5)
    assert found["i"].variance == pytest.approx(0.0754, abs=5e-5)
    assert found["rest"].variance == pytest.approx(0.1269, abs=5e-5)
    assert found["rest"].df == pytest.approx(99)
    assert (found.shape, found.replicates) == ((10, 12), 1)


def test_brennans_third_table_against_his_published_components() -> None:
    found = crossed_components(BRENNAN_3, ("p", "o", "i"))
    published = {
        "p": 0.5528,
        "i": 0.4417,
        "o": 0.0074,
        "p × i": 0.5750,
        "p × o": 0.1009,
        "o × i": 0.1565,
        "rest": 0.9352,
    }
    assert {part.name for part in found.parts} == set(published)
    for name, value in published.items():
        assert found[name].variance == pytest.approx(value, abs=6e-5), name


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(2, 4), st.integers(0, 99))
def test_two_sources_with_replicates_against_loops(a: int, b: int, r: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-9, 9, (a, b, r)).astype(float)
    m = x.mean()
    ss_a = sum(b * r * (x[i].mean() - m) ** 2 for i in range(a))
    ss_b = sum(a * r * (x[:, j].mean() - m) ** 2 for j in range(b))
    ss_ab = sum(r * (x[i, j].mean() - x[i].mean() - x[:, j].mean() + m) ** 2 for i in range(a) for j in range(b))
    ss_e = sum((x[i, j, k] - x[i, j].mean()) ** 2 for i in range(a) for j in range(b) for k in range(r))
    ms_a, ms_b, ms_ab, ms_e = ss_a / (a - 1), ss_b / (b - 1), ss_ab / ((a - 1) * (b - 1)), ss_e / (a * b * (r - 1))
    found = crossed_components(x, ("init", "order"), replicates=True)
    assert found["init"].variance == pytest.approx((ms_a - ms_ab) / (b * r), abs=1e-9)
    assert found["order"].variance == pytest.approx((ms_b - ms_ab) / (a * r), abs=1e-9)
    assert found["init × order"].variance == pytest.approx((ms_ab - ms_e) / r, abs=1e-9)
    assert found["rest"].variance == pytest.approx(ms_e, abs=1e-9)


def test_one_source_with_replicates_is_the_one_way_analysis() -> None:
    x = np.random.default_rng(4).normal(size=(6, 5)) + np.arange(6.0)[:, None]
    found = crossed_components(x, ("init",), replicates=True)
    f = scipy_stats.f_oneway(*x).statistic
    within = x.var(axis=1, ddof=1).mean()
    assert found["rest"].variance == pytest.approx(within)
    assert found["init"].variance == pytest.approx((f - 1) * within / 5)


def test_one_source_alone_is_the_sample_variance_with_its_chi_square_interval() -> None:
    x = np.random.default_rng(5).normal(size=12)
    found = crossed_components(x, ("init",), level=0.9)["rest"]
    variance = x.var(ddof=1)
    assert found.variance == pytest.approx(variance)
    ends = 11 * variance / scipy_stats.chi2.ppf([0.95, 0.05], 11)
    assert found.interval == pytest.approx(tuple(ends))


def test_the_interval_of_a_difference_of_mean_squares_by_its_formula() -> None:
    found = crossed_components(BRENNAN_1, ("p", "i"))["p"]
    ms_p, ms_pi = 7.341666666667 / 9, 12.558333333333 / 99
    assert found.df == pytest.approx((ms_p - ms_pi) ** 2 / (ms_p**2 / 9 + ms_pi**2 / 99), rel=1e-9)
    chi, f = scipy_stats.chi2, scipy_stats.f
    g1, h1 = 1 - 9 / chi.ppf(0.975, 9), 9 / chi.ppf(0.025, 9) - 1
    g2, h2 = 1 - 99 / chi.ppf(0.975, 99), 99 / chi.ppf(0.025, 99) - 1
    upper, lower = f.ppf(0.975, 9, 99), f.ppf(0.025, 9, 99)
    g12 = ((upper - 1) ** 2 - g1**2 * upper**2 - h2**2) / upper
    h12 = ((1 - lower) ** 2 - h1**2 * lower**2 - g2**2) / lower
    low = ms_p - ms_pi - math.sqrt(g1**2 * ms_p**2 + h2**2 * ms_pi**2 + g12 * ms_p * ms_pi)
    high = ms_p - ms_pi + math.sqrt(h1**2 * ms_p**2 + g2**2 * ms_pi**2 + h12 * ms_p * ms_pi)
    assert found.interval == pytest.approx((low / 12, high / 12))


@pytest.mark.parametrize("n", [5, 9, 40])
def test_an_interval_begins_above_0_where_the_f_test_is_significant(n: int) -> None:
    rng, seen = np.random.default_rng(7), set()
    for _ in range(40):
        x = rng.normal(size=(n, n)) + rng.normal(0, 0.4, (n, 1))
        rows = n * x.mean(axis=1).var(ddof=1)
        left = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()
        p = scipy_stats.f.sf(rows / ((left**2).sum() / (n - 1) ** 2), n - 1, (n - 1) ** 2)
        seen.add(p < 0.025)
        assert (crossed_components(x, ("a", "b"))["a"].interval[0] > 1e-9) == (p < 0.025)
    assert n == 40 or seen == {True, False}


SMALL = {"a": 0.3, "b": 1.0, "rest": 1.0}
WITH_PAIR = {"a": 0.3, "b": 1.0, "c": 0.0, "a × b": 0.5, "rest": 0.5}


@pytest.mark.slow
@pytest.mark.parametrize(("n", "sds"), [(3, SMALL), (8, SMALL), (4, WITH_PAIR), (8, WITH_PAIR)])
def test_intervals_cover_as_stated_or_more_also_for_small_components(n: int, sds: dict[str, float]) -> None:
    rng, repeats, inside = np.random.default_rng(3), 1200, dict[str, int]()
    names = [name for name in ("a", "b", "c") if name in sds]
    k = len(names)
    for _ in range(repeats):
        x = rng.normal(0, sds["rest"], (n,) * k)
        for axis, name in enumerate(names):
            x = x + rng.normal(0, sds[name], [n if i == axis else 1 for i in range(k)])
        if "a × b" in sds:
            x = x + rng.normal(0, sds["a × b"], (n, n, 1))
        for part in crossed_components(x, names).parts:
            low, high = part.interval
            inside[part.name] = inside.get(part.name, 0) + (low <= sds.get(part.name, 0.0) ** 2 <= high)
    error = math.sqrt(0.95 * 0.05 / repeats)
    assert all(count / repeats > 0.95 - 4 * error for count in inside.values()), inside
    assert abs(inside["rest"] / repeats - 0.95) < 4 * error


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99), st.sampled_from([0.25, 3.0]), st.integers(-20, 20))
def test_components_scale_by_the_square_and_do_not_shift(seed: int, scale: float, shift: int) -> None:
    x = np.random.default_rng(seed).normal(size=(3, 4, 2))
    one = crossed_components(x, ("a", "b", "c"))
    other = crossed_components(scale * x + shift, ("a", "b", "c"))
    swapped = crossed_components(np.moveaxis(x, 0, 1)[::-1], ("b", "a", "c"))
    assert [p.variance for p in other.parts] == pytest.approx([scale**2 * p.variance for p in one.parts], abs=1e-9)
    for name, same in (("a", "a"), ("b", "b"), ("c", "c"), ("a × b", "b × a"), ("a × c", "a × c"), ("rest", "rest")):
        assert swapped[same].variance == pytest.approx(one[name].variance, abs=1e-9)


def test_shares_are_of_truncated_components() -> None:
    found = crossed_components(np.array([[0.0, 1.0], [1.0, 0.0]]), ("a", "b"))
    assert found["a"].variance == pytest.approx(-0.5)
    assert (found["a"].truncated, found["a"].share, found["a"].interval[0]) == (0.0, 0.0, 0.0)
    assert found["rest"].share == 1.0
    assert sum(p.share for p in crossed_components(BRENNAN_3, ("p", "o", "i")).parts) == pytest.approx(1)
    flat = crossed_components(np.full((3, 3), 0.5), ("a", "b"))
    assert [p.share for p in flat.parts] == [None] * 3
    with pytest.raises(KeyError, match="no component 'c'"):
        flat["c"]


@pytest.mark.parametrize(
    ("table", "sources", "says"),
    [
        (np.zeros((1, 3)), ("a", "b"), "two values or more"),
        (np.zeros(3), ("a", "b"), "1 axes"),
        (np.zeros((3, 3, 3)), ("a", "b"), "3 axes"),
        (np.zeros(()), (), "axes"),
        (np.array([[0.0, np.nan], [1.0, 2.0]]), ("a", "b"), "every cell"),
    ],
)
def test_what_is_not_crossed_is_a_named_refusal(table: np.ndarray, sources: tuple[str, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        crossed_components(table, sources)


@settings(deadline=None)
@given(st.integers(2, 6), st.integers(2, 9), st.integers(0, 999))
def test_jordans_split_by_his_formula(runs: int, n: int, seed: int) -> None:
    correct = np.random.default_rng(seed).integers(0, 2, (runs, n))
    found = noise_of_test_set(correct)
    errors = [1 - np.mean(row) for row in correct]
    within = sum(np.var(1 - correct[:, i], ddof=1) for i in range(n)) / n**2
    expected = n / (n - 1) * (np.var(errors, ddof=1) - within)
    assert found.distribution == pytest.approx(expected, abs=1e-12)
    assert found.observed == pytest.approx(np.var(errors, ddof=1), abs=1e-12)
    assert found.noise == pytest.approx(found.observed - expected, abs=1e-12)
    assert found.predicted == pytest.approx(np.mean(errors) / (2 * n) + (1 - 1 / n) * expected, abs=1e-12)
    assert noise_of_test_set(correct, classes=10).predicted == pytest.approx(np.mean(errors) / (10 * n))


def test_jordans_split_finds_no_true_differences_in_coin_flips() -> None:
    rng = np.random.default_rng(7)
    truth = [noise_of_test_set(rng.random((10, 100)) < 0.9).distribution for _ in range(400)]
    assert abs(np.mean(truth)) < 4 * np.std(truth) / 20


@pytest.mark.parametrize("bad", [[[1, 0]], [[1], [0]], [1, 0], [[0.5, 1], [1, 1]], [[float("nan"), 1], [1, 1]]])
def test_what_is_not_correctness_is_a_named_refusal(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="correctness"):
        noise_of_test_set(bad)


def test_multi_bootstrap_against_its_definition_with_indices() -> None:
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(4, 7)), rng.normal(size=(3, 7))
    found = multi_bootstrap(x, y, resamples=60, rng=2)
    draw, values = np.random.default_rng(2), []
    for _ in range(60):
        s, e, t = ((draw.random(k) * k).astype(int) for k in (4, 7, 3))
        values.append(x[s][:, e].mean() - y[t][:, e].mean())
    assert found.estimate == pytest.approx(x.mean() - y.mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))
    side = min(sum(v <= 0 for v in values), sum(v >= 0 for v in values))
    assert found.p_value == pytest.approx(min(1.0, 2 * (side + 1) / 61))


def test_multi_bootstrap_is_equivariant_and_pairs_cancel_what_seeds_share() -> None:
    rng = np.random.default_rng(10)
    x = rng.normal(size=(6, 20)) + 3 * rng.normal(size=(6, 1))
    one, other = multi_bootstrap(x, resamples=200), multi_bootstrap(2 * x + 1, resamples=200)
    assert (other.low, other.high) == pytest.approx((2 * one.low + 1, 2 * one.high + 1))
    assert one.p_value is None
    y = x + 0.1 * rng.normal(size=x.shape)
    paired, apart = (multi_bootstrap(x, y, paired=p, resamples=300) for p in (True, False))
    assert paired.high - paired.low < (apart.high - apart.low) / 5


def test_multi_bootstrap_spread_against_theory() -> None:
    """Of the mean of a table a_s + b_e: Var* = var(a)/S + var(b)/E (ddof = 0)."""
    rng = np.random.default_rng(11)
    a, b = rng.normal(size=15), rng.normal(size=40)
    found = multi_bootstrap(a[:, None] + b[None], resamples=3000)
    sd = math.sqrt(a.var() / 15 + b.var() / 40)
    assert (found.high - found.low) / (2 * 1.96 * sd) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize(
    ("x", "y", "paired", "says"),
    [
        (np.zeros((1, 3)), None, False, "new has shape"),
        (np.zeros((3, 3)), np.zeros((3, 1)), False, "base has shape"),
        (np.zeros((3, 3)), np.zeros((3, 4)), False, "same examples"),
        (np.zeros((3, 3)), np.zeros((4, 3)), True, "same seeds"),
        (np.zeros((3, 3)), None, True, "two sides"),
        (np.full((3, 3), np.nan), None, False, "finite"),
    ],
)
def test_what_is_no_matrix_of_scores_is_a_named_refusal(
    x: np.ndarray, y: np.ndarray | None, paired: bool, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        multi_bootstrap(x, y, paired=paired)


def test_the_global_state_stays() -> None:
    before = np.random.get_state()[1].copy()
    assert stats.multi_bootstrap(np.eye(4), resamples=50, rng=1) == stats.multi_bootstrap(
        np.eye(4), resamples=50, rng=1
    )
    assert (np.random.get_state()[1] == before).all()


def half_square_of_pairs(values: np.ndarray, levels: np.ndarray) -> float:
    """Half of the mean squared difference of two runs that share no seed, by loops."""
    found = [
        (values[a] - values[b]) ** 2 / 2 for a in range(len(values)) for b in range(a) if (levels[a] != levels[b]).all()
    ]
    return float(np.mean(found))


@pytest.mark.parametrize(("shape", "repeats"), [((3, 4), 1), ((2, 2), 1), ((2, 3, 3), 1), ((3, 3), 2), ((5,), 2)])
def test_the_total_is_the_variance_between_runs_that_share_no_seed(shape: tuple[int, ...], repeats: int) -> None:
    x = np.random.default_rng(3).normal(size=(*shape, repeats))
    levels = np.indices(x.shape).reshape(len(shape) + 1, -1).T[:, : len(shape)]
    names = [f"source {k}" for k in range(len(shape))]
    found = crossed_components(x if repeats > 1 else x[..., 0], names, replicates=repeats > 1)
    assert found.total == pytest.approx(half_square_of_pairs(x.ravel(), levels))
    assert found.total == pytest.approx(sum(part.variance for part in found.parts))
    assert found.total_interval[0] < found.total < found.total_interval[1]
    square = stats.latin_cells(5, 4)
    values = x.ravel()[:1] + np.random.default_rng(4).normal(size=25)
    of_square = stats.latin_components(values, square, "abcd")
    assert of_square.total == pytest.approx(half_square_of_pairs(values, np.array(square)))


def test_one_source_varied_alone_shows_its_component_and_all_that_it_does_together_with_others() -> None:
    x = np.random.default_rng(8).normal(size=(4, 5, 3))
    found = crossed_components(x, ("init", "order", "augment"))
    assert found.varying("init") == pytest.approx(x.var(axis=0, ddof=1).mean())
    assert found.varying("order") == pytest.approx(x.var(axis=1, ddof=1).mean())
    assert found.varying("init", "order", "augment") == pytest.approx(found.total)
    for name in ("dropout", "rest", "init × order"):
        with pytest.raises(KeyError, match="of augment, init, order; got"):
            found.varying(name)


def test_what_rounding_leaves_is_no_component() -> None:
    a, b = np.random.default_rng(6).normal(size=(2, 4))
    found = crossed_components(1e3 * a[:, None] + 0.1 * b, ("a", "b"), repeats=[[a[0], a[0]]])
    assert (found["a × b"].variance, found["a × b"].interval) == (0.0, (0.0, 0.0))
    assert found["b"].variance > 0
    cells = np.array(stats.latin_cells(4, 3))
    of_square = stats.latin_components(a[cells[:, 0]] + b[cells[:, 1]], cells.tolist(), "abc")
    assert [part.variance > 0 for part in of_square.parts] == [True, True, False, False]


def test_the_total_is_unbiased_where_the_sum_of_truncated_parts_is_not_and_its_interval_holds() -> None:
    rng = np.random.default_rng(5)
    found = [crossed_components(rng.normal(size=(3, 3)), ("a", "b")) for _ in range(2000)]
    totals = np.array([f.total for f in found])
    truncated = np.array([sum(part.truncated for part in f.parts) for f in found])
    assert abs(totals.mean() - 1) < 4 * totals.std() / math.sqrt(2000)
    assert truncated.mean() > 1.2
    assert np.mean([f.total_interval[0] <= 1 <= f.total_interval[1] for f in found]) > 0.94
