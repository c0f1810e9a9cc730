"""The corrected resampled t: by hand, beside the plain t, invariances, spreads of folds and seeds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise.stats import corrected_resampled_t, t_interval
from seedwise.stats.intraclass import share_between_splits

splits = st.lists(st.integers(-40, 40).map(lambda v: v / 8), min_size=2, max_size=12).filter(lambda v: len(set(v)) > 1)
D = np.array([0.02, 0.01, 0.03, -0.01, 0.02])


@given(splits, st.integers(10, 500), st.integers(1, 300), st.floats(0.5, 0.99))
def test_nadeau_and_bengio_by_hand(d: list[float], n_train: int, n_test: int, level: float) -> None:
    """t = d̄/√(s²(1/J + n_test/n_train)), df = J - 1."""
    found = corrected_resampled_t(d, n_train=n_train, n_test=n_test, level=level)
    mean, variance, j = np.mean(d), np.var(d, ddof=1), len(d)
    sem = math.sqrt(variance * (1 / j + n_test / n_train))
    assert found.p_value == pytest.approx(2 * scipy_stats.t.sf(abs(mean) / sem, j - 1), abs=1e-12)
    half = scipy_stats.t.ppf((1 + level) / 2, j - 1) * sem
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half), rel=1e-9, abs=1e-9)
    assert (found.df, found.splits, found.seeds) == (j - 1, j, 1)


def test_five_folds_in_plain_numbers() -> None:
    """mean .014, s² = .00023, 1/5 + 1/4: t = .014/√(.00023·.45) = 1.376."""
    found = corrected_resampled_t(D)
    assert D.var(ddof=1) == pytest.approx(0.00023)
    assert found.p_value == pytest.approx(2 * scipy_stats.t.sf(1.3761, 4), abs=1e-5)
    assert (found.low, found.high) == pytest.approx((-0.01425, 0.04225), abs=1e-4)


@given(splits)
def test_the_correction_widens_by_its_factor(d: list[float]) -> None:
    found = corrected_resampled_t(d)
    low, high = t_interval(d)
    j = len(d)
    assert (found.high - found.low) / (high - low) == pytest.approx(math.sqrt(1 + j / (j - 1)))


@given(splits)
def test_sizes_share_and_folds_say_the_same(d: list[float]) -> None:
    j = len(d)
    by_folds = corrected_resampled_t(d)
    by_share = corrected_resampled_t(d, test_share=1 / (j - 1))
    by_sizes = corrected_resampled_t(d, n_train=10 * (j - 1), n_test=10)
    assert by_folds == by_share
    assert by_sizes.p_value == pytest.approx(by_folds.p_value)


@given(splits, st.sampled_from([0.5, 4.0]), st.integers(-9, 9), st.randoms(use_true_random=False))
def test_interval_moves_with_shift_and_scale_and_not_with_order(
    d: list[float], scale: float, shift: int, shuffle: object
) -> None:
    mixed = [scale * v + shift for v in d]
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = corrected_resampled_t(d), corrected_resampled_t(mixed)
    assert (other.low, other.high) == pytest.approx((scale * one.low + shift, scale * one.high + shift), abs=1e-9)


def test_seeds_are_averaged_within_a_split_first() -> None:
    table = D + np.random.default_rng(3).normal(0, 0.01, (7, 5))
    found, of_means = corrected_resampled_t(table), corrected_resampled_t(table.mean(axis=0))
    assert (found.p_value, found.low) == (pytest.approx(of_means.p_value), pytest.approx(of_means.low))
    assert (found.df, found.splits, found.seeds) == (4, 5, 7)
    repeated = corrected_resampled_t(np.tile(D, (50, 1)))
    assert repeated.p_value == pytest.approx(corrected_resampled_t(D).p_value), "more seeds are no more splits"


def test_spreads_of_folds_and_seeds_by_mean_squares() -> None:
    x = np.random.default_rng(4).normal(size=(6, 5)) + 3 * np.arange(5.0) + 2 * np.arange(6.0)[:, None]
    found = corrected_resampled_t(x)
    rows, columns, m = x.mean(axis=1), x.mean(axis=0), x.mean()
    rest = ((x - rows[:, None] - columns + m) ** 2).sum() / 20
    assert found.seed_sd == pytest.approx(math.sqrt((5 * rows.var(ddof=1) - rest) / 5))
    assert found.fold_sd == pytest.approx(math.sqrt((6 * columns.var(ddof=1) - rest) / 6))
    assert corrected_resampled_t(D).seed_sd is None


def test_splits_without_spread() -> None:
    assert corrected_resampled_t([0.0] * 5).p_value is None  # nothing is known of the spread
    flat = corrected_resampled_t([0.25] * 5)
    assert (flat.low, flat.high, flat.p_value) == (0.25, 0.25, None)


@pytest.mark.parametrize(
    ("scores", "options", "says"),
    [
        ([0.1], {}, "one split"),
        ([[0.1], [0.2], [0.3]], {}, "one split"),
        ([], {}, "one split"),
        ([0.1, float("nan")], {}, "finite"),
        (np.zeros((2, 2, 2)), {}, "shape"),
        ([0.1, 0.2], {"test_share": 0.0}, "above 0"),
        ([0.1, 0.2], {"n_train": 10, "n_test": 0}, "above 0"),
        ([0.1, 0.2], {"level": 1.0}, "level"),
    ],
)
def test_what_is_no_cross_validation_is_a_named_refusal(
    scores: list[float], options: dict[str, float], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        corrected_resampled_t(scores, **options)  # type: ignore[arg-type]


SHROUT_AND_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]).T


def test_the_splits_share_is_the_published_intraclass_correlation() -> None:
    """Shrout & Fleiss (1979, table 4): ICC(2,1) = .29; 95 % interval of McGraw & Wong, .019 to .761."""
    found = share_between_splits(SHROUT_AND_FLEISS)
    assert found is not None
    assert found.share == pytest.approx(0.29, abs=0.001)
    assert found.interval == pytest.approx((0.019, 0.761), abs=0.001)


def test_a_share_where_there_is_little_to_be_seen() -> None:
    assert share_between_splits(np.ones((3, 4))) is None
    apart = share_between_splits(np.tile([1.0, 2, 3], (2, 1)))  # seeds change nothing
    assert apart is not None
    assert (apart.share, apart.interval, apart.within_sd) == (1.0, None, 0.0)
    crossed = share_between_splits([[0.0, 1], [1, 0]])
    assert crossed is not None
    assert (crossed.share, crossed.interval) == (0.0, None)
    with pytest.raises(ValueError, match="seeds ≥ 2"):
        share_between_splits([[1.0, 2]])


@pytest.mark.slow
@pytest.mark.parametrize(("folds", "seeds", "split", "seed"), [(5, 5, 1.0, 0.0), (10, 3, 0.2, 0.0), (5, 8, 4.0, 0.5)])
def test_the_interval_of_the_splits_share_covers(folds: int, seeds: int, split: float, seed: float) -> None:
    rng, true, hit = np.random.default_rng(11), split / (split + seed + 1), 0
    for _ in range(1500):
        x = math.sqrt(split) * rng.normal(size=folds) + math.sqrt(seed) * rng.normal(size=(seeds, 1))
        found = share_between_splits(x + rng.normal(size=(seeds, folds)))
        assert found is not None
        assert found.interval is not None
        hit += found.interval[0] <= true <= found.interval[1]
    assert 0.93 < hit / 1500 < 0.975
