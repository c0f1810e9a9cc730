"""Sequences and stopping rules: their equations solved independently, published figures, martingales, scale."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy import stats as scipy_stats

from seedwise.stats import (
    betting_sequence,
    error_when_looking,
    forecast,
    stein,
    t_interval,
    t_sequence,
    t_sequence_half,
)

scores = st.lists(st.integers(0, 64).map(lambda v: v / 64), min_size=1, max_size=60)


@pytest.mark.parametrize("start", [2, 5, 10])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_t_sequence_against_lais_equation_solved_here(start: int, level: float) -> None:
    """Wang & Ramdas (2023), Theorem 2.1: half² = s²·((b·n)^(1/n) - 1), s² with n in the denominator."""
    t = scipy_stats.t(start - 1)
    a = optimize.brentq(lambda a: 2 * (t.sf(a) + a * t.pdf(a)) - (1 - level), 1.0, 1e5)
    b = (1 + a**2 / (start - 1)) ** start / start
    for n in (start, start + 1, 3 * start, 60):
        expected = 2.5 * math.sqrt((n - 1) / n) * math.sqrt((b * n) ** (1 / n) - 1)
        assert t_sequence_half(n, 2.5, level, start) == pytest.approx(expected, rel=1e-8)
    assert math.isinf(t_sequence_half(start - 1, 1.0, level, start))


def test_at_its_start_the_sequence_is_the_t_statistic_at_a() -> None:
    """At n = m the bound is |√m·x̄/s| = a of m - 1 degrees: half = a·s/√m, s² with m - 1 in the denominator."""
    for start in (3, 5, 8):
        t = scipy_stats.t(start - 1)
        a = optimize.brentq(lambda a, t=t: 2 * (t.sf(a) + a * t.pdf(a)) - 0.05, 1.0, 1e4)
        assert t_sequence_half(start, 1.0, start=start) == pytest.approx(a / math.sqrt(start), rel=1e-8)


@given(
    st.lists(st.integers(-300, 300).map(lambda v: v / 4), min_size=6, max_size=40), st.sampled_from([0.5, 2.0, 16.0])
)
def test_t_sequence_moves_with_shift_and_scale_and_holds_the_t_interval(values: list[float], scale: float) -> None:
    one, other = t_sequence(values), t_sequence([scale * v + 3 for v in values])
    assert (other.low, other.high) == pytest.approx((scale * one.low + 3, scale * one.high + 3), rel=1e-7, abs=1e-7)
    low, high = t_interval(values)
    assert one.low <= low <= high <= one.high
    assert one.half == pytest.approx(t_sequence_half(len(values), float(np.std(values, ddof=1))), rel=1e-9, abs=1e-9)


def test_before_its_start_nothing_is_known() -> None:
    for x in ([1.0], [1.0, 2.0, 4.0, 3.0]):
        found = t_sequence(x)
        assert (found.low, found.high) == (-math.inf, math.inf)


@settings(max_examples=60)
@given(st.floats(0.01, 10), st.floats(0.02, 10), st.sampled_from([0.8, 0.95, 0.99]))
def test_forecast_is_the_first_n_within_the_margin(sd: float, margin: float, level: float) -> None:
    if sd / margin > 100:
        return
    n = forecast(sd, margin, level)
    assert t_sequence_half(n, sd, level) <= margin
    assert n == 5 or t_sequence_half(n - 1, sd, level) > margin


def test_forecast_of_no_spread_is_the_start() -> None:
    assert forecast(0.0, 0.1) == 5
    assert forecast(0.0, 0.1, start=9) == 9


@given(st.lists(st.integers(-99, 99).map(float), min_size=2, max_size=20), st.floats(0.5, 60))
def test_stein_by_its_formula_and_scale(first: list[float], margin: float) -> None:
    found = stein(first, margin)
    needed = (scipy_stats.t.ppf(0.975, len(first) - 1) * np.std(first, ddof=1) / margin) ** 2
    assert found.n == max(len(first), math.ceil(needed - 1e-6)) or abs(needed - round(needed)) < 1e-5
    assert stein([4 * v for v in first], 4 * margin).n == found.n


def test_betting_200_constant_scores_is_018_wide() -> None:
    found = betting_sequence([0.5] * 200, (0, 1))
    assert found.half == pytest.approx(0.018, abs=1e-3)
    assert found.low < 0.5 < found.high


def hedged_capital(y: np.ndarray, mean: float, alpha: float) -> float:
    """max(K⁺, K⁻)/2 of Waudby-Smith & Ramdas, score by score."""
    up = down = 1.0
    for t in range(1, y.size + 1):
        before = y[: t - 1]
        means = [(0.5 + before[: k + 1].sum()) / (k + 2) for k in range(t - 1)]
        variance = (0.25 + sum((before[k] - means[k]) ** 2 for k in range(t - 1))) / t
        stake = math.sqrt(2 * math.log(2 / alpha) / (variance * t * math.log(1 + t)))
        up *= 1 + min(stake, 0.5 / mean) * (y[t - 1] - mean)
        down *= 1 - min(stake, 0.5 / (1 - mean)) * (y[t - 1] - mean)
    return max(up, down) / 2


@pytest.mark.parametrize("n", [3, 12, 40])
def test_betting_ends_against_the_capital_score_by_score(n: int) -> None:
    y = np.random.default_rng(n).beta(6, 2, n)
    found = betting_sequence(y, (0, 1))
    for mean in np.linspace(0.01, 0.99, 197):
        stays = hedged_capital(y, float(mean), 0.05) < 1 / 0.05
        if found.low + 1e-3 < mean < found.high - 1e-3:
            assert stays, mean
        elif mean < found.low or mean > found.high:
            assert not stays, mean


@given(scores)
def test_betting_stays_in_bounds_around_the_mean_and_mirrors(values: list[float]) -> None:
    one, other = betting_sequence(values, (0, 1)), betting_sequence([1 - v for v in values], (0, 1))
    assert 0 <= one.low <= one.high <= 1
    assert one.low <= one.mean + 1e-12
    assert one.mean <= one.high + 1e-12
    assert (other.low, other.high) == pytest.approx((1 - one.high, 1 - one.low), abs=1.1 / 2000)


@given(scores)
def test_betting_scales_with_its_bounds(values: list[float]) -> None:
    one, other = betting_sequence(values, (0, 1)), betting_sequence([16 * v - 8 for v in values], (-8, 8))
    assert (other.low, other.high) == pytest.approx((16 * one.low - 8, 16 * one.high - 8), abs=1e-9)


def test_betting_at_the_very_bounds() -> None:
    low, high = betting_sequence([0.0] * 300, (0, 1)), betting_sequence([1.0] * 300, (0, 1))
    assert (low.low, high.high) == (0.0, 1.0)
    assert 0 < low.high < 0.05
    assert 0.95 < high.low < 1


def test_wider_bounds_make_betting_slower() -> None:
    x = np.random.default_rng(2).uniform(0.4, 0.6, 100)
    halves = [betting_sequence(x, (0.5 - w, 0.5 + w)).half for w in (0.1, 0.5, 2.0)]
    assert halves == sorted(halves)


def test_p_01_looked_at_from_3_to_40_is_07() -> None:
    assert error_when_looking(0.01, (3, 40)) == pytest.approx(0.07, abs=0.006)


@pytest.mark.parametrize("two_sided", [False, True])
def test_a_single_look_keeps_its_p_and_more_looks_inflate_it(two_sided: bool) -> None:
    once = error_when_looking(0.05, (12, 12), two_sided=two_sided)
    assert once == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 20_000))
    errors = [error_when_looking(0.05, (5, last), two_sided=two_sided) for last in (5, 10, 20, 40)]
    assert errors == sorted(errors)


def test_error_when_looking_against_a_loop() -> None:
    rng, hits = np.random.default_rng(8), 0
    for _ in range(1500):
        x = rng.normal(size=10)
        hits += any(
            scipy_stats.t.sf(x[:n].mean() / (x[:n].std(ddof=1) / math.sqrt(n)), n - 1) <= 0.1 for n in range(3, 11)
        )
    found = error_when_looking(0.1, (3, 10))
    assert found == pytest.approx(hits / 1500, abs=4 * math.sqrt(found * (1 - found) / 1500))


def test_the_same_number_gives_the_same_and_the_global_state_stays() -> None:
    before = np.random.get_state()[1].copy()
    assert error_when_looking(0.05, (3, 9), rng=4) == error_when_looking(0.05, (3, 9), rng=4)
    assert (np.random.get_state()[1] == before).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: t_sequence([]), "at least one"),
        (lambda: t_sequence([1.0, float("nan")]), "NaN"),
        (lambda: t_sequence([1.0, 2.0], level=1.0), "level"),
        (lambda: t_sequence_half(10, 1.0, start=1), "starts at 2"),
        (lambda: forecast(1.0, 0.0), "margin"),
        (lambda: forecast(1.0, 1e-9), "ten million"),
        (lambda: stein([1.0], 0.1), "at least 2"),
        (lambda: stein([1.0, 2.0], 0.0), "margin"),
        (lambda: betting_sequence([0.5, 1.5], (0, 1)), "bounds"),
        (lambda: betting_sequence([0.5], (1, 0)), "bounds"),
        (lambda: betting_sequence([0.5], (0, float("nan"))), "bounds"),
        (lambda: error_when_looking(0.05, (1, 5)), "at least 2"),
        (lambda: error_when_looking(0.05, (6, 5)), "later"),
    ],
)
def test_what_is_no_rule_is_a_named_refusal(call: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()  # type: ignore[operator]
