"""A mean against a number: SciPy's one-sided t, mirror images, the cost of looking, degenerate samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from seedwise.stats import against_threshold, error_when_looking, power

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
    assert looked.p_looked == pytest.approx(error_when_looking(plain.p_value, (2, 6)))
    assert looked.looked_from == 2


def test_one_value_and_no_spread() -> None:
    one = against_threshold([3.0], 3.28, below=True)
    assert (one.sd, one.p_value, one.settled, one.needed) == (None, None, False, None)
    flat = against_threshold([0.1] * 3, 0.2, below=True)
    assert (flat.sd, flat.p_value) == (0.0, 0.0)
    assert against_threshold([0.1] * 3, 0.1, below=True).p_value == 1.0
    assert against_threshold([0.1] * 3, 0.0, below=True).p_value == 1.0


@pytest.mark.parametrize(
    ("values", "options", "says"),
    [
        ([], {}, "at least one"),
        ([1.0, float("nan")], {}, "NaN"),
        ([1.0, 2.0], {"alpha": 0.0}, "alpha"),
        ([1.0, 2.0], {"alpha": 0.5}, "alpha"),
        ([1.0, 2.0], {"looked_from": 1}, "at least 2"),
        ([1.0, 2.0], {"looked_from": 3}, "later"),
    ],
)
def test_what_is_no_question_is_a_named_refusal(values: list[float], options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        against_threshold(values, 0.0, below=True, **options)  # type: ignore[arg-type]
