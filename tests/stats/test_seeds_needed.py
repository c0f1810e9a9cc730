"""Power, sequences and thresholds: against the noncentral t, published numbers and definitions."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats as scipy_stats

from seedwise import stats


@pytest.mark.parametrize(("d", "n"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_seeds_for_cohens_effects(d: float, n: int) -> None:
    """Cohen (1988), table 2.4.1: power .80 at two-sided .05 for small, medium and large effects."""
    assert abs(stats.seeds_for(d, 1.0) - n) <= 1
    assert stats.power(d, 1.0, stats.seeds_for(d, 1.0)) >= 0.8 > stats.power(d, 1.0, stats.seeds_for(d, 1.0) - 1)


def test_power_against_the_noncentral_t_of_every_design() -> None:
    for design, n, df, shift in (
        ("two", 7, 12, 0.9 / math.sqrt(2 / 7)),
        ("paired", 7, 6, 0.9 * math.sqrt(7)),
        ("one", 9, 8, 2.7),
    ):
        cut = scipy_stats.t.isf(0.025, df)
        expected = scipy_stats.nct.sf(cut, df, shift) + scipy_stats.nct.cdf(-cut, df, shift)
        assert stats.power(0.9, 1.0, n, design=design) == pytest.approx(expected, rel=1e-9)
    one_sided = scipy_stats.nct.sf(scipy_stats.t.isf(0.01, 8), 8, 2.7)
    assert stats.power(0.9, 1.0, 9, design="one", alpha=0.01, two_sided=False) == pytest.approx(one_sided)


def test_paired_and_unpaired_power_at_five_seeds() -> None:
    """At independence pairing loses power: .44 against .53 at n = 5 for the same true difference."""
    effect = scipy_stats.norm.ppf(0.5) + 1.5
    unpaired = stats.power(effect, 1.0, 5)
    paired = stats.power(effect, math.sqrt(2), 5, design="paired")
    assert paired < unpaired
    assert unpaired - paired == pytest.approx(0.09, abs=0.02)


def test_detectable_is_the_inverse_of_power() -> None:
    effect = stats.detectable(0.3, 8, power=0.9, sd_base=0.5)
    assert stats.power(effect, 0.3, 8, sd_base=0.5) == pytest.approx(0.9, abs=1e-9)


def test_noether_and_the_sign_test() -> None:
    assert stats.seeds_for_superiority(0.75) == 29
    assert stats.seeds_for_superiority(0.75, paired=True) == 44


@pytest.mark.parametrize(
    "call",
    [
        lambda: stats.seeds_for(0.0, 1.0),
        lambda: stats.seeds_for(1.0, 0.0),
        lambda: stats.seeds_for(1.0, 1.0, power=1.0),
        lambda: stats.seeds_for(1e-9, 1.0),
        lambda: stats.detectable(1.0, 1),
        lambda: stats.seeds_for_margin(1.0, 0.0),
        lambda: stats.seeds_for_superiority(0.5),
        lambda: stats.forecast(1.0, -1.0),
        lambda: stats.stein([1.0], 0.1),
        lambda: stats.betting_sequence([0.5, 2.0], (0, 1)),
        lambda: stats.error_when_looking(0.01, (1, 5)),
        lambda: stats.against_threshold([1.0, 2.0], 0.0, below=True, alpha=0.7),
    ],
)
def test_what_is_no_question_is_refused(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]


def test_lais_constant_solves_its_equation() -> None:
    """2·(1 - F(a) + a·f(a)) = α with m - 1 degrees; the half-width at n is s·√((b·n)^(1/n) - 1)."""
    n, m, alpha = 12, 5, 0.05
    half = stats.t_sequence_half(n, 1.0, 1 - alpha, start=m)
    inner = (half / math.sqrt((n - 1) / n)) ** 2 + 1
    b = inner**n / n
    a = math.sqrt((m - 1) * ((b * m) ** (1 / m) - 1))
    t = scipy_stats.t(m - 1)
    assert 2 * (t.sf(a) + a * t.pdf(a)) == pytest.approx(alpha, rel=1e-9)


def test_the_sequence_is_wider_than_the_t_interval_and_narrows() -> None:
    halves = [stats.t_sequence_half(n, 1.0) for n in range(1, 400)]
    assert all(math.isinf(h) for h in halves[:4])
    assert all(a > b for a, b in pairwise(halves[4:]))
    for n in (5, 20, 100):
        assert halves[n - 1] > scipy_stats.t.ppf(0.975, n - 1) / math.sqrt(n)
    n = stats.forecast(1.0, 0.3)
    assert stats.t_sequence_half(n, 1.0) <= 0.3 < stats.t_sequence_half(n - 1, 1.0)


def test_stein_follows_its_formula() -> None:
    x = [1.0, 2.0, 4.0, 3.0]
    found = stats.stein(x, 0.5)
    assert found.n == math.ceil((scipy_stats.t.ppf(0.975, 3) * np.std(x, ddof=1) / 0.5) ** 2)
    assert stats.stein(x, 100.0).n == 4


def test_betting_on_200_equal_scores_is_still_as_wide_as_known() -> None:
    assert stats.betting_sequence([0.5] * 200, (0, 1)).half == pytest.approx(0.018, abs=5e-4)
    one = stats.betting_sequence(np.linspace(0.4, 0.6, 50), (0, 1))
    other = stats.betting_sequence(np.linspace(40, 60, 50), (0, 100))
    assert (100 * one.low, 100 * one.high) == pytest.approx((other.low, other.high))


def test_looking_after_each_run_from_3_to_40_makes_01_really_07() -> None:
    assert stats.error_when_looking(0.01, (3, 40)) == pytest.approx(0.07, abs=0.006)
    assert stats.error_when_looking(0.05, (20, 20), two_sided=True) == pytest.approx(0.05, abs=0.007)


def test_threshold_against_scipy_and_its_mirror() -> None:
    x = np.array([3.27, 3.29, 3.275, 3.272])
    found = stats.against_threshold(x, 3.28, below=True)
    assert found.p_value == pytest.approx(scipy_stats.ttest_1samp(x, 3.28, alternative="less").pvalue)
    assert stats.against_threshold(-x, -3.28, below=False).p_value == pytest.approx(found.p_value)
    assert found.needed is not None
    assert stats.power(3.28 - x.mean(), x.std(ddof=1), found.needed, alpha=0.01, design="one", two_sided=False) >= 0.8
    assert stats.against_threshold([3.0], 3.28, below=True).p_value is None
    assert not stats.against_threshold([3.0, 3.0], 3.28, below=True).settled, "equal scores are as good as one"
    hardly = stats.against_threshold([1.0, -1.0, 1e-9], 0.0, below=False)
    assert hardly.needed is None or hardly.needed > 10**6
