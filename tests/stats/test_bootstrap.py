"""The bootstrap of one sample: its definitions by brute force, SciPy, equivariance, continuation, degenerate samples."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise.stats import Bootstrap, bootstrap, interquartile_mean

METHODS = ["studentised", "bca", "percentile"]
STATISTICS = ["mean", "median", "iqm", "sd", "min", "max"]
SKEWED = np.random.default_rng(1601).gamma(2.0, 1.0, 24)
# of eighths, so that sums are exact and a resample of equal values has a spread of exactly 0
samples = st.lists(st.integers(-800, 800).map(lambda v: v / 8), min_size=10, max_size=14).filter(
    lambda v: len(set(v)) > 3
)


def drawn_values(x: np.ndarray, resamples: int, rng: int) -> np.ndarray:
    return x[(np.random.default_rng(rng).random((resamples, x.size)) * x.size).astype(int)]


@pytest.mark.parametrize("statistic", STATISTICS)
def test_distribution_against_resampling_by_hand(statistic: str) -> None:
    by_hand = {
        "mean": np.mean,
        "median": np.median,
        "iqm": interquartile_mean,
        "sd": lambda v: np.std(v, ddof=1),
        "min": np.min,
        "max": np.max,
    }[statistic]
    found = bootstrap(SKEWED, statistic, method="percentile", resamples=300, rng=7)
    values = [by_hand(row) for row in drawn_values(SKEWED, 300, 7)]
    np.testing.assert_allclose(found.distribution, values, rtol=1e-12)
    assert found.interval == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))
    assert found.estimate == pytest.approx(by_hand(SKEWED))


@pytest.mark.parametrize("statistic", ["mean", "median", "sd", "iqm"])
def test_bca_against_efron_and_tibshirani_by_hand(statistic: str) -> None:
    """Eq. 14.9 to 14.15, written out with a loop for the jackknife."""
    found = bootstrap(SKEWED, statistic, method="bca", resamples=2000, level=0.9, rng=3)
    values, estimate = found.distribution, found.estimate
    z0 = scipy_stats.norm.ppf(np.mean(values < estimate) + np.mean(values == estimate) / 2)
    left_out = []
    for k in range(SKEWED.size):
        rest = bootstrap(np.delete(SKEWED, k), statistic, method="percentile", resamples=100).estimate
        left_out.append(rest)
    d = np.mean(left_out) - np.array(left_out)
    a = (d**3).sum() / (6 * (d**2).sum() ** 1.5)
    ends = []
    for tail in (0.05, 0.95):
        z = z0 + scipy_stats.norm.ppf(tail)
        ends.append(np.quantile(values, scipy_stats.norm.cdf(z0 + z / (1 - a * z))))
    assert found.interval == pytest.approx(tuple(ends), rel=1e-9)


@pytest.mark.parametrize(("statistic", "by_hand"), [("mean", np.mean), ("median", np.median), ("max", np.max)])
def test_percentile_against_every_resample_of_four(statistic: str, by_hand: object) -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0])
    every = [by_hand(c) for c in itertools.product(x, repeat=4)]  # type: ignore[operator]
    found = bootstrap(x, statistic, method="percentile", resamples=40_000)
    for value in sorted(set(every)):
        share = np.mean(np.array(every) <= value)
        assert np.mean(found.distribution <= value) == pytest.approx(
            share, abs=4 * np.sqrt(share * (1 - share) / 40_000) + 1e-12
        )


def test_bca_against_scipy_loosely_for_a_spread() -> None:
    found = bootstrap(SKEWED, "sd", method="bca", resamples=20_000)
    theirs = scipy_stats.bootstrap(
        (SKEWED,),
        lambda v, axis: np.std(v, axis=axis, ddof=1),
        n_resamples=20_000,
        method="BCa",
        vectorized=True,
        rng=np.random.default_rng(5),
    ).confidence_interval
    assert found.interval == pytest.approx((theirs.low, theirs.high), abs=0.06)


@settings(max_examples=30, deadline=None)
@given(samples, st.sampled_from(METHODS), st.sampled_from([0.25, 0.5, 2.0, 8.0]), st.integers(-50, 50))
def test_interval_moves_with_shift_and_scale(values: list[float], method: str, scale: float, shift: int) -> None:
    one = bootstrap(values, method=method, resamples=300, rng=1)
    other = bootstrap([scale * v + shift for v in values], method=method, resamples=300, rng=1)
    if one.interval is None:
        assert other.interval is None
        return
    expected = (scale * one.low + shift, scale * one.high + shift)  # type: ignore[operator]
    assert other.interval == pytest.approx(expected, rel=1e-9, abs=1e-6 * scale)


@settings(max_examples=30, deadline=None)
@given(samples, st.sampled_from(["bca", "percentile"]))
def test_the_mirror_image_has_the_mirrored_interval(values: list[float], method: str) -> None:
    one = bootstrap(values, method=method, resamples=400, rng=2)
    other = bootstrap([-v for v in values], method=method, resamples=400, rng=2)
    assert one.interval is not None
    assert other.interval == pytest.approx((-one.high, -one.low), rel=1e-6, abs=1e-6)  # type: ignore[operator]


@pytest.mark.parametrize("method", METHODS)
def test_a_higher_level_holds_the_lower_one(method: str) -> None:
    inner, outer = (bootstrap(SKEWED, method=method, level=level, rng=4).interval for level in (0.8, 0.99))
    assert inner is not None
    assert outer is not None
    assert outer[0] < inner[0] < inner[1] < outer[1]


@settings(max_examples=25, deadline=None)
@given(st.integers(100, 300), st.lists(st.integers(0, 150), max_size=4), st.sampled_from(METHODS), st.integers(0, 9))
def test_many_continuations_are_bit_for_bit_all_at_once(first: int, more: list[int], method: str, rng: int) -> None:
    parts: Bootstrap = bootstrap(SKEWED, method=method, resamples=first, rng=rng)
    for k in more:
        parts = parts.more(k)
    whole = bootstrap(SKEWED, method=method, resamples=first + sum(more), rng=rng)
    assert (parts.interval, parts.resamples) == (whole.interval, whole.resamples)
    assert parts.distribution.tobytes() == whole.distribution.tobytes()


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_continuation_with_every_bit_generator(bits: type[np.random.BitGenerator]) -> None:
    one = bootstrap(SKEWED, resamples=150, rng=np.random.Generator(bits(8)))
    whole = bootstrap(SKEWED, resamples=400, rng=np.random.Generator(bits(8)))
    assert one.more(250).interval == whole.interval
    assert one.more(250).interval == whole.interval, "the first is left as it was"
    assert one.resamples == 150


def test_the_global_state_stays_and_the_same_number_gives_the_same() -> None:
    before = np.random.get_state()
    one, other = (bootstrap(SKEWED, resamples=200, rng=11) for _ in range(2))
    one.more(100)
    after = np.random.get_state()
    assert one.interval == other.interval != bootstrap(SKEWED, resamples=200, rng=12).interval
    assert before[0] == after[0]
    assert (before[1] == after[1]).all()
    assert before[2:] == after[2:]


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("statistic", ["mean", "median", "iqm", "min", "max"])
def test_equal_scores_have_an_interval_of_no_width_and_say_so(method: str, statistic: str) -> None:
    found = bootstrap([0.5] * 12, statistic, method=method)
    assert (found.estimate, found.low, found.high) == (0.5, 0.5, 0.5)
    assert "equal" in found.warning


@pytest.mark.parametrize("method", METHODS)
def test_one_score_has_no_interval_and_says_why(method: str) -> None:
    found = bootstrap([3.0], method=method)
    assert found.interval is None
    assert "one value" in found.warning
    assert found.more(100).interval is None


def test_no_studentised_interval_of_three_whole_numbers() -> None:
    found = bootstrap([1, 2, 7])  # a ninth of the resamples repeat one value
    assert found.interval is None
    assert "no studentised interval" in found.warning


def test_bca_of_the_largest_value_has_no_answer_rather_than_nan() -> None:
    x = np.concatenate([np.zeros(14), [1.0]])
    found = bootstrap(x, "min", method="bca")
    assert found.interval is None or np.isfinite(found.interval).all()
    for few in ([1.0, 2.0, 9.0], [0.0, 0.0, 0.0, 5.0]):
        interval = bootstrap(few, method="bca").interval
        assert interval is None or (np.isfinite(interval).all() and interval[0] <= interval[1])


@pytest.mark.parametrize("n", [3, 5, 9])
def test_few_scores_are_warned_of(n: int) -> None:
    for method in METHODS:
        assert bootstrap(np.arange(n) + 0.0, method=method).warning
    assert bootstrap(np.arange(10.0)).warning == ""


@pytest.mark.parametrize(
    ("values", "options", "says"),
    [
        ([], {}, "at least one"),
        ([1.0, float("nan")], {}, "NaN"),
        ([1.0, float("inf")], {}, "infinite"),
        ([[1.0, 2.0]], {}, "shape"),
        ([1.0, 2.0], {"level": 1.0}, "level"),
        ([1.0, 2.0], {"resamples": 99}, "at least 100"),
        ([1.0, 2.0], {"statistic": "median"}, "for the mean"),
        ([1.0, 2.0], {"rng": 1.5}, "rng"),
        ([1.0, 2.0], {"rng": True}, "rng"),
        ([1.0, 2.0], {"method": "basic"}, "basic"),
    ],
)
def test_what_has_no_answer_is_a_named_refusal(values: list[float], options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        bootstrap(values, **options)  # type: ignore[arg-type]


def test_means_of_a_great_many_values_spread_as_the_standard_error_says() -> None:
    from seedwise.stats import resampled_means

    x = 100 + np.sort(np.random.default_rng(2).lognormal(size=30_500))
    found = resampled_means(x, 4000, np.random.default_rng(1))
    assert found.std() == pytest.approx(x.std() / np.sqrt(x.size), rel=0.12)
    assert found.mean() == pytest.approx(x.mean(), abs=0.5 * found.std())
