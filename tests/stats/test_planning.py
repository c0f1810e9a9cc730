"""Power and seeds: the noncentral t, published sample sizes, inverses, and brute force over every n."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy import stats as scipy_stats

from seedwise.stats import detectable, power, seeds_for, seeds_for_margin, seeds_for_superiority

DESIGNS = st.sampled_from(["two", "paired", "one"])


def noncentral(shift: float, df: float, cut: float, two_sided: bool) -> float:
    """The definition, integrated over χ²: P(Z + shift > cut·√(V/df)), and the other tail."""

    def tails(v: float) -> float:
        edge = cut * math.sqrt(v / df)
        both = scipy_stats.norm.sf(edge - shift) + (scipy_stats.norm.cdf(-edge - shift) if two_sided else 0.0)
        return float(scipy_stats.chi2.pdf(v, df) * both)

    return integrate.quad(tails, 0, scipy_stats.chi2.isf(1e-14, df), limit=300)[0]


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 0.8), st.integers(3, 40), DESIGNS, st.booleans(), st.sampled_from([0.01, 0.05, 0.1]))
def test_power_against_the_integral_that_defines_it(
    effect: float, n: int, design: str, two_sided: bool, alpha: float
) -> None:
    df, shift = (2 * n - 2, effect * math.sqrt(n / 2)) if design == "two" else (n - 1, effect * math.sqrt(n))
    cut = scipy_stats.t.isf(alpha / 2 if two_sided else alpha, df)
    found = power(effect, 1.0, n, alpha=alpha, design=design, two_sided=two_sided)
    assert found == pytest.approx(noncentral(shift, df, cut, two_sided), abs=1e-6)


@given(st.floats(0.05, 5), st.floats(0.1, 5), st.floats(0.1, 5), st.integers(2, 60))
def test_power_of_unequal_spreads_against_welchs_degrees(effect: float, sd: float, other: float, n: int) -> None:
    a, b = sd**2 / n, other**2 / n
    df = (a + b) ** 2 / ((a**2 + b**2) / (n - 1))
    shift = effect / math.sqrt(a + b)
    if shift > 6:
        return
    cut = scipy_stats.t.isf(0.025, df)
    expected = scipy_stats.nct.sf(cut, df, shift) + scipy_stats.nct.cdf(-cut, df, shift)
    assert power(effect, sd, n, sd_base=other) == pytest.approx(expected, abs=1e-10)
    assert power(effect, other, n, sd_base=sd) == pytest.approx(expected, abs=1e-10)
    assert power(effect, sd, n) == power(-effect, sd, n)


@pytest.mark.parametrize(
    ("effect", "wanted", "n"), [(0.2, 0.8, 394), (0.5, 0.8, 64), (0.8, 0.8, 26), (0.5, 0.9, 86), (1.0, 0.8, 17)]
)
def test_seeds_against_published_sizes_of_two_groups(effect: float, wanted: float, n: int) -> None:
    """G*Power and R's power.t.test, two-sided α = .05: e.g. d = .5 needs 64 each for power .80 (63.77)."""
    assert seeds_for(effect, 1.0, power=wanted) == n


@pytest.mark.parametrize(("effect", "n"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_seeds_against_published_sizes_of_pairs(effect: float, n: int) -> None:
    """G*Power, matched pairs, two-sided α = .05, power .80."""
    assert seeds_for(effect, 1.0, design="paired") == n
    assert seeds_for(effect, 1.0, design="one") == n


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_without_an_effect_power_is_alpha(n: int) -> None:
    for alpha in (0.01, 0.05):
        assert power(0.0, 1.0, n, alpha=alpha) == pytest.approx(alpha)
        assert power(0.0, 1.0, n, alpha=alpha, design="one", two_sided=False) == pytest.approx(alpha)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.3, 2.5), st.floats(0.5, 0.99), DESIGNS, st.booleans())
def test_seeds_for_is_the_first_n_that_is_enough(effect: float, wanted: float, design: str, two_sided: bool) -> None:
    n = seeds_for(effect, 1.0, power=wanted, design=design, two_sided=two_sided)
    every = [power(effect, 1.0, k, design=design, two_sided=two_sided) for k in range(2, n + 1)]
    assert every[-1] >= wanted
    assert all(p < wanted for p in every[:-1])


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 100), st.integers(6, 200), st.floats(0.2, 0.95), DESIGNS)
def test_detectable_is_the_inverse_of_power_and_scales(sd: float, n: int, wanted: float, design: str) -> None:
    effect = detectable(sd, n, power=wanted, design=design)
    assert power(effect, sd, n, design=design) == pytest.approx(wanted, abs=1e-7)
    assert detectable(7 * sd, n, power=wanted, design=design) == pytest.approx(7 * effect, rel=1e-6)


@given(st.floats(0.1, 10), st.floats(0.02, 5), st.floats(0.5, 0.99))
def test_seeds_for_margin_against_the_t_interval_of_every_n(sd: float, margin: float, level: float) -> None:
    if sd / margin > 30:
        return
    n = seeds_for_margin(sd, margin, level)
    k = np.arange(2, n + 1)
    half = scipy_stats.t.ppf((1 + level) / 2, k - 1) * sd / np.sqrt(k)
    assert half[-1] <= margin * (1 + 1e-12)
    assert (half[:-1] > margin * (1 - 1e-12)).all()


def test_noether_29_and_44_pairs_of_the_sign_test() -> None:
    assert seeds_for_superiority(0.75) == 29
    assert seeds_for_superiority(0.75, paired=True) == 44
    z = 2 * scipy_stats.norm.ppf(0.95)
    assert z**2 / (6 * 0.25**2) == pytest.approx(28.86, abs=0.005)


@pytest.mark.parametrize("probability", [0.7, 0.75, 0.8, 0.9])
def test_pairs_of_the_sign_test_have_their_power_by_adding_up(probability: float) -> None:
    n = seeds_for_superiority(probability, paired=True)
    worst = next(c for c in range(n + 1) if sum(math.comb(n, k) for k in range(c, n + 1)) / 2**n <= 0.05)
    chance = sum(math.comb(n, k) * probability**k * (1 - probability) ** (n - k) for k in range(worst, n + 1))
    assert chance >= 0.95


def test_a_surer_win_needs_fewer_and_two_sides_need_more() -> None:
    for paired in (False, True):
        wanted = [seeds_for_superiority(p, paired=paired) for p in (0.6, 0.7, 0.8, 0.9)]
        assert wanted == sorted(wanted, reverse=True)
        assert seeds_for_superiority(0.7, paired=paired, two_sided=True) > seeds_for_superiority(0.7, paired=paired)


def test_one_seed_has_no_power() -> None:
    assert power(5.0, 1.0, 1) == power(5.0, 1.0, 0) == 0.0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: seeds_for(0.0, 1.0), "effect of 0"),
        (lambda: seeds_for(1.0, 0.0), "sd"),
        (lambda: seeds_for(1.0, -1.0), "sd"),
        (lambda: seeds_for(1.0, float("nan")), "sd"),
        (lambda: seeds_for(1.0, float("inf")), "sd"),
        (lambda: seeds_for(1.0, 1.0, power=1.0), "between 0 and 1"),
        (lambda: seeds_for(1.0, 1.0, alpha=0.0), "between 0 and 1"),
        (lambda: seeds_for(1e-5, 1.0), "ten million"),
        (lambda: seeds_for(1.0, 1.0, design="three"), "three"),
        (lambda: detectable(1.0, 1), "two seeds"),
        (lambda: seeds_for_margin(1.0, 0.0), "margin"),
        (lambda: seeds_for_margin(1.0, -1.0), "margin"),
        (lambda: seeds_for_superiority(0.5), "between 0.5 and 1"),
        (lambda: seeds_for_superiority(1.0, paired=True), "between 0.5 and 1"),
    ],
)
def test_what_no_seeds_can_answer_is_a_named_refusal(call: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()  # type: ignore[operator]
