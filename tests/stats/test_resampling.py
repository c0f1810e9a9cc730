"""Bootstrap of one sample and over tasks: against SciPy, brute force, and its own continuation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise import stats
from seedwise.stats.tasks import _Iqm, _Means, draw_counts

RNG = np.random.default_rng(9)
X = RNG.gamma(2.0, 1.0, 30)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_intervals_against_scipy_up_to_resampling(method: str) -> None:
    found = stats.bootstrap(X, method=method, resamples=20_000)
    expected = scipy_stats.bootstrap(
        (X,), np.mean, n_resamples=20_000, method="BCa" if method == "bca" else method, vectorized=True, rng=1
    ).confidence_interval
    assert found.interval == pytest.approx((expected.low, expected.high), abs=0.03)


def test_studentised_against_its_definition() -> None:
    rng = np.random.default_rng(0)
    drawn = X[(rng.random((20_000, X.size)) * X.size).astype(int)]
    t = (drawn.mean(axis=1) - X.mean()) / drawn.std(axis=1, ddof=1)
    low, high = np.quantile(t, [0.025, 0.975])
    found = stats.bootstrap(X, resamples=20_000, rng=0)
    sd = X.std(ddof=1)
    assert found.interval == pytest.approx((X.mean() - high * sd, X.mean() - low * sd))


@settings(max_examples=20)
@given(st.integers(100, 400), st.integers(1, 400), st.sampled_from(["studentised", "bca", "percentile"]))
def test_some_and_some_more_are_bit_for_bit_all_at_once(first: int, more: int, method: str) -> None:
    parts = stats.bootstrap(X, method=method, resamples=first, rng=3).more(more)
    whole = stats.bootstrap(X, method=method, resamples=first + more, rng=3)
    assert parts.interval == whole.interval
    assert (parts.distribution == whole.distribution).all()


def test_memory_bounded_chunks_do_not_show_in_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = stats.bootstrap(X, resamples=500, rng=3)
    monkeypatch.setattr("seedwise.stats.resampling._CELLS", 1000)
    assert stats.bootstrap(X, resamples=500, rng=3).interval == whole.interval


def test_no_global_generator_moves_and_one_given_moves_on() -> None:
    before = np.random.get_state()[1].tolist()
    rng = np.random.default_rng(1)
    one, two = stats.bootstrap(X, rng=rng), stats.bootstrap(X, rng=rng)
    assert one.interval != two.interval
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("method", ["studentised", "bca", "percentile"])
def test_degenerate_samples_have_named_answers(method: str) -> None:
    flat = stats.bootstrap([2.0] * 8, method=method)
    assert flat.interval == (2.0, 2.0)
    assert "equal" in flat.warning
    one = stats.bootstrap([2.0], method=method)
    assert one.interval is None
    assert "one value" in one.warning
    few = stats.bootstrap([1.0, 2.0, 4.0], method=method)
    assert few.warning
    with pytest.raises(ValueError, match="NaN or infinite"):
        stats.bootstrap([1.0, float("nan")], method=method)
    with pytest.raises(ValueError, match="at least one"):
        stats.bootstrap([], method=method)


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="for the mean"):
        stats.bootstrap(X, "median")
    with pytest.raises(ValueError, match="at least 100"):
        stats.bootstrap(X, resamples=9)
    for statistic in ("median", "iqm", "sd", "min", "max"):
        found = stats.bootstrap(X, statistic, method="percentile")
        assert found.low <= found.estimate <= found.high


ragged = st.lists(st.lists(st.floats(-9, 9).map(lambda v: round(v, 2)), min_size=1, max_size=6), min_size=1, max_size=5)


@given(ragged)
def test_iqm_out_of_counts_is_the_weighted_iqm_of_the_resample(tasks: list[list[float]]) -> None:
    """Every task has the same weight; the middle half of the weight is averaged."""
    arrays = [np.array(t) for t in tasks]
    estimator = _Iqm(arrays)
    sizes = [len(t) for t in tasks]
    counts = draw_counts(sizes, 5, np.random.default_rng(0), estimator.places)
    pooled = np.sort(np.concatenate(arrays), kind="stable")
    order = np.argsort(np.concatenate(arrays), kind="stable")
    weights = np.concatenate([np.full(n, 1 / n) for n in sizes])[order]
    for row, value in zip(counts, estimator(counts), strict=True):
        edges = np.concatenate([[0], np.cumsum(row * weights)]) / len(tasks)
        share = np.clip(np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25), 0, None)
        assert value == pytest.approx(float(share @ pooled) / share.sum(), abs=1e-9)


def test_iqm_over_equal_tasks_is_that_of_the_pool() -> None:
    x = RNG.normal(size=(10, 26))
    assert stats.aggregate(list(x.T)).estimate == pytest.approx(stats.interquartile_mean(x.ravel()))
    assert stats.aggregate([[0, 1, 5, 6, 7, 8]]).estimate == pytest.approx(5.0)
    assert stats.aggregate(x.T, "mean").estimate == pytest.approx(x.mean())
    assert stats.aggregate(x.T, "median").estimate == pytest.approx(np.median(x.mean(axis=0)))


def test_runs_are_resampled_within_their_tasks() -> None:
    counts = draw_counts([3, 1, 5], 2000, RNG)
    assert (counts[:, :3].sum(axis=1) == 3).all()
    assert (counts[:, 3] == 1).all()
    assert (counts[:, 4:].sum(axis=1) == 5).all()
    assert counts[:, 4:].mean(axis=0) == pytest.approx(np.ones(5), abs=0.1)
    ordered = _Means([np.array([1.0, 2.0, 3.0]), np.array([10.0])], stats.Over.MEAN)
    assert ordered(np.array([[3, 0, 0, 1]]))[0] == pytest.approx(5.5)


@pytest.mark.parametrize("over", ["iqm", "mean", "median"])
def test_an_aggregate_continued_is_the_whole(over: str) -> None:
    tasks = [RNG.normal(size=4), RNG.normal(size=7)]
    parts = stats.aggregate(tasks, over, resamples=150, rng=2).more(350)
    whole = stats.aggregate(tasks, over, resamples=500, rng=2)
    assert (parts.low, parts.high) == (whole.low, whole.high)


def test_improvement_against_all_pairs_and_its_interval_against_brute_force() -> None:
    new, base = [RNG.normal(0.5, 1, 5), RNG.normal(0, 1, 4)], [RNG.normal(0, 1, 6), RNG.normal(0, 1, 3)]
    wins = [np.mean([(a > b) + (a == b) / 2 for a in x for b in y]) for x, y in zip(new, base, strict=True)]
    found = stats.improvement(new, base, resamples=4000)
    assert found.by_task == pytest.approx(wins)
    assert found.probability == pytest.approx(np.mean(wins))
    drawn = []
    for _ in range(2000):
        of = [
            np.mean(np.sign(RNG.choice(x, x.size)[:, None] - RNG.choice(y, y.size)) / 2 + 0.5)
            for x, y in zip(new, base, strict=True)
        ]
        drawn.append(np.mean(of))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.04)


def test_a_profile_is_the_share_above_and_its_band_is_simultaneous() -> None:
    tasks = [RNG.random(5), RNG.random(8)]
    found = stats.performance_profile(tasks, [0.25, 0.5, 0.75])
    expected = [np.mean([np.mean(t > tau) for t in tasks]) for tau in (0.25, 0.5, 0.75)]
    assert found.share.tolist() == pytest.approx(expected)
    half = np.maximum(found.high - found.share, found.share - found.low)
    assert np.ptp(half[(found.low > 0) & (found.high < 1)]) < 1e-12
    one = stats.performance_profile(tasks, [0.5])
    assert half.max() >= (one.high - one.low).max() / 2 - 1e-12


def test_a_table_of_nothing_is_refused() -> None:
    for wrong in ([], [[]], [[1.0, float("inf")]]):
        with pytest.raises(ValueError):
            stats.aggregate(wrong)
    with pytest.raises(ValueError, match="same tasks"):
        stats.improvement([[1.0]], [[1.0], [2.0]])
