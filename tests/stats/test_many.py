"""Many comparisons: published examples, laws of adjustment, SciPy's tests, Demšar's table."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise.stats import bonferroni, critical_difference, friedman, holm, wilcoxon

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)
tables = st.tuples(st.integers(2, 9), st.integers(3, 6)).flatmap(
    lambda s: st.lists(
        st.lists(st.integers(0, 5).map(float), min_size=s[1], max_size=s[1]), min_size=s[0], max_size=s[0]
    )
)


def test_holm_of_three_as_published() -> None:
    assert holm([0.03, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.03, 0.04])
    assert bonferroni([0.03, 0.01, 0.02]).tolist() == pytest.approx([0.09, 0.03, 0.06])


@given(p_values)
def test_holm_against_its_definition(p: list[float]) -> None:
    """Adjusted p of the i-th smallest: the largest of min(1, (m - j + 1)·p₍ⱼ₎) over j ≤ i."""
    ranked = sorted(p)
    m = len(p)
    for value, found in zip(p, holm(p), strict=True):
        last = max(j for j in range(m) if ranked[j] == value)
        assert found == pytest.approx(max(min(1.0, (m - j) * ranked[j]) for j in range(last + 1)))


@given(p_values, st.randoms(use_true_random=False))
def test_holm_is_monotone_above_p_below_bonferroni_and_goes_with_the_order(p: list[float], shuffle: object) -> None:
    found = holm(p)
    assert (found >= np.array(p)).all()
    assert (found <= bonferroni(p) + 1e-15).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()
    places = list(range(len(p)))
    shuffle.shuffle(places)  # type: ignore[attr-defined]
    assert holm([p[k] for k in places]).tolist() == found[places].tolist()


@given(p_values, st.floats(0.001, 0.2))
def test_holm_rejects_what_its_steps_reject(p: list[float], alpha: float) -> None:
    rejected, ranked = 0, sorted(p)
    while rejected < len(p) and ranked[rejected] * (len(p) - rejected) <= alpha:
        rejected += 1
    assert int((holm(p) <= alpha).sum()) == rejected


@pytest.mark.parametrize("adjust", [holm, bonferroni])
@pytest.mark.parametrize("bad", [[0.1, 1.1], [-0.1], [float("nan"), 0.2], [[0.1]]])
def test_what_is_no_p_is_a_named_refusal(adjust: object, bad: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust(bad)  # type: ignore[operator]


@given(tables)
@settings(deadline=None)
def test_friedman_against_scipy_with_ties(table: list[list[float]]) -> None:
    x = np.array(table)
    found = friedman(x)
    assert sum(found.ranks) == pytest.approx(x.shape[1] * (x.shape[1] + 1) / 2)
    if (np.ptp(x, axis=1) == 0).all():
        assert (found.statistic, found.p_value, found.f_p_value) == (0.0, 1.0, 1.0)
        return
    expected = scipy_stats.friedmanchisquare(*x.T)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9, abs=1e-12)
    n, k = x.shape
    below = n * (k - 1) - found.statistic
    f_p = scipy_stats.f.sf((n - 1) * found.statistic / below, k - 1, (k - 1) * (n - 1)) if below > 1e-9 else 0.0
    assert found.f_p_value == pytest.approx(f_p, abs=1e-9)


@given(tables)
def test_friedman_knows_only_ranks_within_a_task_and_its_goal(table: list[list[float]]) -> None:
    x = np.array(table)
    one, other = friedman(x), friedman(np.exp(x) * 3 + np.arange(len(x))[:, None])
    assert one == other
    least = friedman(-x, largest=False)
    assert one == least
    k = x.shape[1]
    assert friedman(x, largest=False).ranks == pytest.approx([k + 1 - r for r in one.ranks])


def test_friedman_of_demsars_c45() -> None:
    """Demšar (2006), table 6: C4.5 on 14 data sets, average ranks 3.143, 2.000, 2.893, 1.964; χ² = 9.28, F = 3.69."""
    auc = np.array(
        [
            [0.763, 0.768, 0.771, 0.798],
            [0.599, 0.591, 0.590, 0.569],
            [0.954, 0.971, 0.968, 0.967],
            [0.628, 0.661, 0.654, 0.657],
            [0.882, 0.888, 0.886, 0.898],
            [0.936, 0.931, 0.916, 0.931],
            [0.661, 0.668, 0.609, 0.685],
            [0.583, 0.583, 0.563, 0.625],
            [0.775, 0.838, 0.866, 0.875],
            [1.000, 1.000, 1.000, 1.000],
            [0.940, 0.962, 0.965, 0.962],
            [0.619, 0.666, 0.614, 0.669],
            [0.972, 0.981, 0.9751, 0.975],
            [0.957, 0.978, 0.946, 0.970],
        ]
    )
    found = friedman(auc)
    assert found.ranks == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=5e-4)
    # the paper's 9.28 and 3.69 are without the correction for ties; correcting can only raise them
    plain = 12 * 14 / 20 * (sum(r**2 for r in found.ranks) - 4 * 25 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)
    assert 13 * plain / (14 * 3 - plain) == pytest.approx(3.69, abs=0.005)
    assert found.statistic >= plain
    assert found.p_value < 0.05


def test_critical_differences_against_demsar() -> None:
    """Demšar (2006), table 5a, q.05 and q.10 for 2 to 10 classifiers; CD = q·√(k(k+1)/6N); his example: 4 on 14 is 1.25."""
    table = {
        0.05: [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164],
        0.10: [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920],
    }
    for alpha, row in table.items():
        for k, q in enumerate(row, start=2):
            found = critical_difference(k, 30, alpha) / math.sqrt(k * (k + 1) / 180)
            assert found == pytest.approx(q, abs=1.1e-3)
            assert found == pytest.approx(scipy_stats.studentized_range.isf(alpha, k, np.inf) / math.sqrt(2))
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=0.005)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=20, unique=True), st.data())
@settings(deadline=None)
def test_wilcoxon_without_ties_against_scipys_exact(sizes: list[int], data: st.DataObject) -> None:
    d = np.array([data.draw(st.sampled_from([-1.0, 1.0])) * s for s in sizes])
    expected = scipy_stats.wilcoxon(d, method="exact").pvalue
    assert wilcoxon(d) == pytest.approx(expected)
    assert wilcoxon(-d) == pytest.approx(expected)
    assert wilcoxon(2.5 * d) == pytest.approx(expected)
    assert wilcoxon(d[::-1]) == pytest.approx(expected)


def test_wilcoxon_of_few_against_every_sign() -> None:
    d = np.array([3.0, -1.0, 4.0, 1.5, 9.0, -2.6])
    ranks = scipy_stats.rankdata(np.abs(d))
    signs = np.array(np.meshgrid(*[[0, 1]] * 6)).reshape(6, -1).T
    sums, seen = signs @ ranks, ranks[d > 0].sum()
    by_hand = min(1.0, 2 * min((sums >= seen).mean(), (sums <= seen).mean()))
    assert wilcoxon(d) == pytest.approx(by_hand)
    assert wilcoxon(np.arange(1, 6)) == pytest.approx(0.0625)


def test_wilcoxon_without_differences_is_1() -> None:
    assert wilcoxon([0.0, 0.0]) == 1.0
    assert wilcoxon([0.0, 0.0, 1.0]) == 1.0


@pytest.mark.parametrize(
    "bad", [[[1.0, 2.0, 3.0]], [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0], [[1.0, 2.0, float("nan")]] * 3]
)
def test_what_is_no_table_of_ranks_is_a_named_refusal(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="Friedman"):
        friedman(bad)
