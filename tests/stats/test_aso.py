"""Almost stochastic order: integration on a fine grid, mirror images, invariances, and the bound's definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise.stats import almost_dominates

eighths = st.integers(-40, 40).map(lambda v: v / 8)
samples = st.lists(eighths, min_size=2, max_size=9)


def on_a_grid(x: np.ndarray, y: np.ndarray) -> float:
    """Midpoints of cells whose edges hold every step of both quantile functions."""
    cells = 20 * x.size * y.size
    t = (np.arange(cells) + 0.5) / cells
    d = np.sort(x)[(t * x.size).astype(int)] - np.sort(y)[(t * y.size).astype(int)]
    whole = (d**2).sum()
    return float((d[d < 0] ** 2).sum() / whole) if whole else math.nan


@settings(deadline=None)
@given(samples, samples)
def test_violation_against_integration_on_a_grid(x: list[float], y: list[float]) -> None:
    expected = on_a_grid(np.array(x), np.array(y))
    found = almost_dominates(x, y, resamples=20)
    if math.isnan(expected):
        assert found.violation is found.upper is None
        assert "same" in found.warning
        return
    assert found.violation == pytest.approx(expected, abs=1e-9)
    assert found.violation <= found.upper + 1e-12 or found.upper == 1.0
    assert almost_dominates(y, x, resamples=20).violation == pytest.approx(1 - expected, abs=1e-9)


def test_violation_of_two_normals_against_their_quantiles() -> None:
    """F = N(0.5, 1), G = N(0, 2): ∫ over F⁻¹ < G⁻¹ of (½ - z)², z > ½, by quadrature."""
    t = (np.arange(4000) + 0.5) / 4000
    z = scipy_stats.norm.ppf(t)
    x, y = 0.5 + z, 2 * z
    d = 0.5 - z
    expected = (d[d < 0] ** 2).sum() / (d**2).sum()
    assert almost_dominates(x, y, resamples=2).violation == pytest.approx(expected, rel=1e-9)


@settings(deadline=None)
@given(samples, samples, st.sampled_from([0.25, 2.0, 16.0]), st.integers(-9, 9), st.randoms(use_true_random=False))
def test_invariant_to_shift_scale_and_order(
    x: list[float], y: list[float], scale: float, shift: int, shuffle: object
) -> None:
    mixed = [scale * v + shift for v in x]
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    one = almost_dominates(x, y, resamples=30)
    other = almost_dominates(mixed, [scale * v + shift for v in y], resamples=30)
    if one.violation is None:
        assert other.violation is None
        return
    assert (other.violation, other.upper) == pytest.approx((one.violation, one.upper), abs=1e-7)


def test_bound_by_its_formula_from_explicit_resamples() -> None:
    """ε - √((n + m)/(nm))·σ̂·Φ⁻¹(α/comparisons), σ̂² the variance of √(nm/(n + m))·ε* over resamples."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(2.0, 1, 9), rng.normal(0, 1.5, 7)
    found = almost_dominates(x, y, resamples=200, comparisons=4, rng=8)
    draw = np.random.default_rng(8)
    a = np.sort(x)[(draw.random((200, 9)) * 9).astype(int)]
    b = np.sort(y)[(draw.random((200, 7)) * 7).astype(int)]
    values = [on_a_grid(p, q) for p, q in zip(a, b, strict=True)]
    expected = on_a_grid(x, y) - np.std(values, ddof=1) * scipy_stats.norm.ppf(0.05 / 4)
    assert 0 < found.upper < 1
    assert found.upper == pytest.approx(expected, abs=1e-9)


def test_more_comparisons_and_a_smaller_alpha_make_it_harder() -> None:
    rng = np.random.default_rng(12)
    x, y = rng.normal(0.6, 1, 12), rng.normal(0, 1, 12)
    for bounds in (
        [almost_dominates(x, y, comparisons=k).upper for k in (1, 2, 10, 100)],
        [almost_dominates(x, y, alpha=a).upper for a in (0.2, 0.05, 0.01)],
    ):
        assert bounds == sorted(bounds)
        assert len(set(bounds)) == len(bounds)
    assert almost_dominates(x, y, alpha=0.05, comparisons=5).upper == pytest.approx(
        almost_dominates(x, y, alpha=0.01).upper
    )


def test_wholly_above_is_0_and_wholly_below_1() -> None:
    x = np.arange(6.0)
    above, below = almost_dominates(x + 10, x), almost_dominates(x, x + 10)
    assert (above.violation, above.upper) == (0.0, 0.0)
    assert (below.violation, below.upper) == (1.0, 1.0)
    flat = almost_dominates([2.0] * 5, [1.0] * 5)
    assert (flat.violation, flat.upper) == (0.0, 0.0)


def test_one_run_and_equal_runs_have_no_order_and_say_why() -> None:
    one = almost_dominates([1.0], [0.0, 2.0])
    assert (one.violation, one.upper) == (None, None)
    assert "one run" in one.warning
    same = almost_dominates([1.0, 2.0], [2.0, 1.0])
    assert same.violation is None
    assert "same" in same.warning
    assert "few" in almost_dominates([1.0, 2.0], [0.0, 1.0]).warning


def test_the_same_number_gives_the_same_and_the_global_state_stays() -> None:
    before = np.random.get_state()[1].copy()
    x, y = np.arange(8.0), np.arange(8.0) ** 1.2 - 1
    assert almost_dominates(x, y, rng=4) == almost_dominates(x, y, rng=4)
    assert (np.random.get_state()[1] == before).all()


@pytest.mark.parametrize(
    ("x", "options", "says"),
    [
        ([], {}, "new"),
        ([1.0, float("inf")], {}, "infinite"),
        ([1.0, 2.0], {"alpha": 0.0}, "alpha"),
        ([1.0, 2.0], {"alpha": 1.0}, "alpha"),
        ([1.0, 2.0], {"comparisons": 0}, "comparisons"),
    ],
)
def test_what_has_no_order_is_a_named_refusal(x: list[float], options: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        almost_dominates(x, [1.0, 2.0, 3.0], **options)  # type: ignore[arg-type]
