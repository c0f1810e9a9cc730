"""Several tasks: a plain loop for each estimator on explicit resamples, all pairs, the profile's definition, laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise.stats import aggregate, improvement, interquartile_mean, performance_profile
from seedwise.stats.tasks import draw_counts

RNG = np.random.default_rng(26)
eighths = st.integers(-80, 80).map(lambda v: v / 8)
tasks_of = st.lists(st.lists(eighths, min_size=1, max_size=5), min_size=1, max_size=4)
OVERS = ["iqm", "mean", "median"]


def resampled(tasks: list[list[float]], rows: int, rng: int) -> list[list[np.ndarray]]:
    """The runs themselves, drawn within each task, by the same stream of uniform numbers."""
    uniform = np.random.default_rng(rng).random((rows, sum(len(t) for t in tasks)))
    found = []
    for row in uniform:
        at, one = 0, []
        for task in tasks:
            one.append(np.array(task)[[int(u * len(task)) for u in row[at : at + len(task)]]])
            at += len(task)
        found.append(one)
    return found


def by_loop(tasks: list[np.ndarray], over: str) -> float:
    """Each task weighs the same: repeat its runs until all tasks have as many, then the plain definition."""
    if over != "iqm":
        return float({"mean": np.mean, "median": np.median}[over]([np.mean(t) for t in tasks]))
    common = math.lcm(*(len(t) for t in tasks))
    pooled = sorted(v for t in tasks for v in np.repeat(t, common // len(t)))
    total, weight = 0.0, 0.0
    for k, value in enumerate(pooled):
        share = max(0.0, min((k + 1) / len(pooled), 0.75) - max(k / len(pooled), 0.25))
        total, weight = total + share * value, weight + share
    return total / weight


@settings(deadline=None, max_examples=60)
@given(tasks_of, st.sampled_from(OVERS))
def test_estimate_and_resamples_against_a_loop(tasks: list[list[float]], over: str) -> None:
    found = aggregate(tasks, over, resamples=12, rng=5)
    assert found.estimate == pytest.approx(by_loop([np.array(t) for t in tasks], over), abs=1e-9)
    by_hand = [by_loop(one, over) for one in resampled(tasks, 12, 5)]
    np.testing.assert_allclose(found.distribution, by_hand, atol=1e-9)
    low, high = np.quantile(by_hand, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_iqm_against_scipys_trimmed_mean_of_the_pool() -> None:
    x = RNG.normal(size=(6, 10))
    assert aggregate(list(x)).estimate == pytest.approx(scipy_stats.trim_mean(x.ravel(), 0.25))
    uneven = RNG.normal(size=(3, 3))
    assert aggregate(list(uneven)).estimate == pytest.approx(interquartile_mean(uneven.ravel()))
    assert aggregate([[0, 1, 5, 6, 7, 8]]).estimate == pytest.approx(5.0)


@settings(deadline=None, max_examples=40)
@given(tasks_of, st.sampled_from(OVERS), st.sampled_from([0.25, 3.0]), st.integers(-9, 9))
def test_aggregate_moves_with_shift_and_scale(tasks: list[list[float]], over: str, scale: float, shift: int) -> None:
    one = aggregate(tasks, over, resamples=150)
    other = aggregate([[scale * v + shift for v in t] for t in tasks], over, resamples=150)
    expected = [scale * v + shift for v in (one.estimate, one.low, one.high)]
    assert [other.estimate, other.low, other.high] == pytest.approx(expected, abs=1e-8)


@given(tasks_of, st.sampled_from(OVERS), st.randoms(use_true_random=False))
def test_estimate_is_invariant_to_the_order_of_tasks_and_runs(
    tasks: list[list[float]], over: str, shuffle: object
) -> None:
    mixed = [t[:] for t in tasks]
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    for task in mixed:
        shuffle.shuffle(task)  # type: ignore[attr-defined]
    one, other = (aggregate(t, over, resamples=5).estimate for t in (tasks, mixed))
    assert other == pytest.approx(one, abs=1e-9)


def test_a_task_with_more_runs_weighs_no_more() -> None:
    for over in OVERS:
        assert aggregate([[1.0] * 8, [3.0], [7.0] * 2], over).estimate == pytest.approx(
            aggregate([[1.0], [3.0], [7.0]], over).estimate
        )


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(OVERS), st.integers(2, 200), st.lists(st.integers(2, 120), max_size=3), st.integers(0, 9))
def test_continued_is_bit_for_bit_all_at_once(over: str, first: int, more: list[int], rng: int) -> None:
    tasks = [[0.1, 0.7, 0.4], [0.9, 0.3, 0.2, 0.35], [0.5]]
    parts = aggregate(tasks, over, resamples=first, rng=rng)
    for k in more:
        parts = parts.more(k)
    whole = aggregate(tasks, over, resamples=first + sum(more), rng=rng)
    assert parts.distribution.tobytes() == whole.distribution.tobytes()
    assert (parts.low, parts.high, parts.resamples) == (whole.low, whole.high, whole.resamples)


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [RNG.normal(size=4), RNG.normal(size=3)]
    whole = aggregate(tasks, resamples=333, rng=3), performance_profile(tasks, [0.0], resamples=333, rng=3)
    monkeypatch.setattr("seedwise.stats.resampling._CELLS", 50)
    assert aggregate(tasks, resamples=333, rng=3).low == whole[0].low
    assert performance_profile(tasks, [0.0], resamples=333, rng=3).low.tolist() == whole[1].low.tolist()


def test_every_run_is_drawn_equally_often_within_its_task() -> None:
    counts = draw_counts([2, 5, 1], 8000, np.random.default_rng(1))
    assert counts.shape == (8000, 8)
    for at, size in ((0, 2), (2, 5), (7, 1)):
        part = counts[:, at : at + size]
        assert (part.sum(axis=1) == size).all()
        error = 4 * math.sqrt(size * (1 / size) * (1 - 1 / size) / 8000) + 1e-12
        assert np.abs(part.mean(axis=0) - 1).max() < error
    first = np.array([2, 0, 1, 7, 3, 6, 4, 5])
    moved = draw_counts([2, 5, 1], 50, np.random.default_rng(2), first)
    assert (moved[:, first] == draw_counts([2, 5, 1], 50, np.random.default_rng(2))).all()


def test_few_runs_are_warned_of() -> None:
    assert "3 runs" in aggregate([[1, 2, 3]] * 4).warning
    assert "1 run in" in aggregate([[1], [2]]).warning
    assert aggregate([list(range(10))] * 2).warning == ""


@settings(deadline=None, max_examples=50)
@given(tasks_of, st.data())
def test_improvement_against_all_pairs(new: list[list[float]], data: st.DataObject) -> None:
    base = [data.draw(st.lists(eighths, min_size=1, max_size=5)) for _ in new]
    found, mirror = improvement(new, base, resamples=50), improvement(base, new, resamples=50)
    by_task = [np.mean([(a > b) + (a == b) / 2 for a in x for b in y]) for x, y in zip(new, base, strict=True)]
    assert found.by_task == pytest.approx(by_task)
    assert found.probability == pytest.approx(np.mean(by_task))
    assert found.probability + mirror.probability == pytest.approx(1)
    assert -1e-12 <= found.low <= found.high <= 1 + 1e-12


def test_improvements_interval_against_explicit_resamples() -> None:
    """The runs themselves are redrawn by the same stream, and every pair of them is compared."""
    new, base = [[0.5, 0.2, 0.9], [0.4, 0.8]], [[0.3, 0.6], [0.1, 0.7, 0.45]]
    found = improvement(new, base, resamples=80, rng=6)
    uniform = np.random.default_rng(6)
    a, b = uniform.random((80, 5)), uniform.random((80, 5))
    values = []
    for row in range(80):
        at = [0, 0]
        wins = []
        for x, y in zip(new, base, strict=True):
            xs = [x[int(u * len(x))] for u in a[row, at[0] : at[0] + len(x)]]
            ys = [y[int(u * len(y))] for u in b[row, at[1] : at[1] + len(y)]]
            at = [at[0] + len(x), at[1] + len(y)]
            wins.append(np.mean([(p > q) + (p == q) / 2 for p in xs for q in ys]))
        values.append(np.mean(wins))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))


@settings(deadline=None, max_examples=40)
@given(tasks_of, st.lists(eighths, min_size=1, max_size=7))
def test_profile_against_its_definition(tasks: list[list[float]], thresholds: list[float]) -> None:
    found = performance_profile(tasks, thresholds, resamples=60, rng=1)
    tau = sorted(thresholds)
    assert found.thresholds.tolist() == tau
    by_hand = [np.mean([np.mean([v > t for v in task]) for task in tasks]) for t in tau]
    assert found.share.tolist() == pytest.approx(by_hand)
    assert (np.diff(found.share) <= 1e-12).all()
    worst = []
    for one in resampled(tasks, 60, 1):
        curve = [np.mean([np.mean(task > t) for task in one]) for t in tau]
        worst.append(max(abs(c - s) for c, s in zip(curve, by_hand, strict=True)))
    half = np.quantile(worst, 0.95)
    np.testing.assert_allclose(found.low, np.clip(np.array(by_hand) - half, 0, 1), atol=1e-9)
    np.testing.assert_allclose(found.high, np.clip(np.array(by_hand) + half, 0, 1), atol=1e-9)


def test_the_global_state_stays() -> None:
    before = np.random.get_state()[1].copy()
    aggregate([[1, 2, 3]], resamples=50)
    improvement([[1, 2]], [[2, 3]], resamples=50)
    performance_profile([[1, 2]], [1.5], resamples=50)
    assert (np.random.get_state()[1] == before).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: aggregate([]), "no tasks"),
        (lambda: aggregate([[1.0], []]), "task 2"),
        (lambda: aggregate([[1.0, float("nan")]]), "NaN"),
        (lambda: aggregate([[1.0]], "mode"), "mode"),
        (lambda: aggregate([[1.0]], level=0.0), "level"),
        (lambda: improvement([], []), "at least one"),
        (lambda: improvement([[1.0]], [[1.0], [2.0]]), "same tasks"),
        (lambda: improvement([[1.0]], [[]]), "task 1 of base"),
        (lambda: performance_profile([[1.0], []], [0.5]), "task 2"),
        (lambda: performance_profile([[1.0]], []), "thresholds"),
    ],
)
def test_what_is_no_table_is_a_named_refusal(call: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()  # type: ignore[operator]
