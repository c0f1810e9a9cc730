"""A mean against a number: SciPy's one-sided t, mirror images, the cost of looking, degenerate samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from scipy.integrate import quad
from scipy.optimize import brentq

from seedwise.stats import against_threshold, error_when_looking, p_at_any_time, power, t_sequence_half

samples = st.lists(st.integers(-80, 80).map(lambda v: v / 8), min_size=2, max_size=15).filter(lambda v: len(set(v)) > 1)
LOSSES = [3.2775, 3.2781, 3.2769, 3.2790, 3.2784]


@settings(deadline=None)
@given(samples, st.integers(-80, 80).map(lambda v: v / 8), st.booleans())
def test_p_against_scipy(values: list[float], threshold: float, below: bool) -> None:
    found = against_threshold(values, threshold, below=below, alpha=0.05)
    side = "less" if below else "greater"
    expected = scipy_stats.ttest_1samp(values, threshold, alternative=side).pvalue
    assert found.p_value == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found.settled == (found.p_value < 0.05)


@settings(deadline=None)
@given(samples, st.integers(-80, 80).map(lambda v: v / 8))
def test_the_two_questions_are_mirror_images(values: list[float], threshold: float) -> None:
    below = against_threshold(values, threshold, below=True)
    above = against_threshold(values, threshold, below=False)
    mirrored = against_threshold([-v for v in values], -threshold, below=False)
    assert below.p_value + above.p_value == pytest.approx(1)
    assert (mirrored.p_value, mirrored.needed) == (pytest.approx(below.p_value), below.needed)


def test_a_leaderboards_rule_by_hand() -> None:
    found = against_threshold(LOSSES, 3.28, below=True)
    t = (np.mean(LOSSES) - 3.28) / (np.std(LOSSES, ddof=1) / np.sqrt(5))
    assert found.p_value == pytest.approx(scipy_stats.t.cdf(t, 4))
    assert found.settled
    assert not against_threshold(LOSSES, 3.278, below=True).settled


def test_needed_is_the_first_n_with_power_80() -> None:
    found = against_threshold(LOSSES, 3.2786, below=True)
    effect = 3.2786 - found.mean
    chances = [
        power(effect, found.sd, n, alpha=0.01, design="one", two_sided=False) for n in range(2, found.needed + 1)
    ]
    assert chances[-1] >= 0.8
    assert max(chances[:-1]) < 0.8


def test_on_the_wrong_side_no_number_of_seeds_is_named() -> None:
    found = against_threshold(LOSSES, 3.27, below=True)
    assert found.needed is None
    assert found.p_value > 0.5
    assert not found.settled


def test_looking_raises_p_and_may_unsettle() -> None:
    x = np.array([3.2770, 3.2790, 3.2765, 3.2792, 3.2777, 3.2781])
    plain = against_threshold(x, 3.2792, below=True, alpha=0.05)
    looked = against_threshold(x, 3.2792, below=True, alpha=0.05, looked_from=2)
    assert plain.p_looked is None
    assert looked.p_value == plain.p_value
    assert looked.p_looked >= looked.p_value
    assert looked.p_looked == pytest.approx(p_at_any_time(scipy_stats.t.isf(plain.p_value, 5), 6, 2))
    assert (looked.looked_from, looked.looked_to) == (2, None)
    planned = against_threshold(x, 3.2792, below=True, alpha=0.05, looked_from=2, looked_to=20)
    assert planned.p_looked == pytest.approx(error_when_looking(plain.p_value, (2, 20)), abs=1e-4)
    assert plain.p_value < planned.p_looked < looked.p_looked


def test_a_very_small_p_is_not_said_to_be_untouched_by_looks() -> None:
    x = 3.0 + 1e-4 * np.arange(8)
    found = against_threshold(x, 3.28, below=True, looked_from=3, looked_to=40)
    assert found.p_value < 1e-12, "no simulation of 20,000 meets it"
    assert found.p_looked == pytest.approx(38 * found.p_value)


def mixture(t: float, n: int) -> float:
    """Likelihood ratios of t, noncentral over central, for effects with a flat prior above 0."""
    central = scipy_stats.t.pdf(t, n - 1)
    return float(quad(lambda d: scipy_stats.nct.pdf(t, n - 1, d * np.sqrt(n)) / central, 0, 8)[0])


@pytest.mark.parametrize(("t", "m"), [(0.5, 3), (1.7, 3), (2.5, 5), (2.0, 12), (3.5, 30)])
def test_p_at_the_first_look_against_quadrature(t: float, m: int) -> None:
    """Ville's inequality, extended: P(E ≥ c) + E[E; E < c]/c, where Fubini turns the second into a sum over effects."""
    below = quad(lambda d: scipy_stats.nct.cdf(t, m - 1, d * np.sqrt(m)), 0, 8)[0]
    expected = scipy_stats.t.sf(t, m - 1) + below / mixture(t, m)
    assert p_at_any_time(t, m, m) == pytest.approx(min(1.0, expected), rel=1e-5)


def test_p_at_a_later_look_is_that_of_the_first_look_with_the_same_mixture() -> None:
    for t, n, m in ((2.8, 9, 3), (3.3, 20, 5), (4.0, 40, 10)):
        c = mixture(t, n)
        a = float(brentq(lambda a, c=c, m=m: mixture(a, m) - c, 0.0, 12.0))
        assert p_at_any_time(t, n, m) == pytest.approx(p_at_any_time(a, m, m), rel=1e-5)


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(0, 60), st.floats(-20, 200))
def test_p_at_any_time_falls_as_t_grows(start: int, more: int, t: float) -> None:
    one, other = p_at_any_time(t, start + more, start), p_at_any_time(t + 0.5, start + more, start)
    assert 0 < other <= one <= 1
    assert one >= scipy_stats.t.sf(t, start + more - 1) * (1 - 1e-9)


def test_p_at_any_time_far_out_is_a_number() -> None:
    assert p_at_any_time(-1e6, 40, 2) == 1
    for t, n, m in ((1e12, 50, 2), (1e10, 1000, 2), (1e200, 9, 3), (300.0, 10_000, 40)):
        assert 0 <= p_at_any_time(t, n, m) < 1e-20


def test_p_at_any_time_is_nearly_half_of_lais() -> None:
    """Far out the half-line prior and the whole one agree: the t sequence at level 1 - 2p just touches the number."""
    p = p_at_any_time(4.5, 20, 5)
    assert t_sequence_half(20, 1.0, 1 - 2 * p, 5) == pytest.approx(4.5 / np.sqrt(20), rel=5e-3)


def test_one_value_and_no_spread() -> None:
    one = against_threshold([3.0], 3.28, below=True)
    assert (one.sd, one.p_value, one.settled, one.needed) == (None, None, False, None)
    for number in (0.2, 0.1, 0.0):
        flat = against_threshold([0.1] * 3, number, below=True, looked_from=2)
        assert (flat.sd, flat.p_value, flat.settled, flat.p_looked) == (0.0, None, False, None), "rounding hides spread"


@pytest.mark.parametrize(
    ("values", "options", "says"),
    [
        ([], {}, "at least one"),
        ([1.0, float("nan")], {}, "NaN"),
        ([1.0, 2.0], {"alpha": 0.0}, "alpha"),
        ([1.0, 2.0], {"alpha": 0.5}, "alpha"),
        ([1.0, 2.0], {"looked_from": 1}, "at least 2"),
        ([1.0, 2.0], {"looked_from": 3}, "later"),
        ([1.0, 2.0], {"looked_to": 3}, "the first one"),
        ([1.0, 2.0, 3.0], {"looked_from": 2, "looked_to": 2}, "more than the largest"),
        ([1.0, 2.0], {"looked_from": 2, "looked_to": 10**6}, "at most 10000"),
    ],
)
def test_what_is_no_question_is_a_named_refusal(values: list[float], options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        against_threshold(values, 0.0, below=True, **options)  # type: ignore[arg-type]
