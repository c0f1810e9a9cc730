"""What was wrong once, found by fresh eyes."""

import math

import numpy as np
import pytest
from scipy import stats as S

from seedwise import stats


def test_power_of_three_pairs():  # nct.cdf of the far tail is NaN; min(1.0, nan) is 1.0
    cut = S.t.isf(0.005, 2)
    assert stats.power(5.0, 1.0, 3, alpha=0.01, design="paired") == pytest.approx(
        S.nct.sf(cut, 2, 5 * math.sqrt(3)), abs=1e-4
    )


def test_seeds_for_eight_sd():
    assert stats.seeds_for(8.0, 1.0, alpha=0.01, design="paired") == 3  # .141 at 2, .8535 at 3


def test_power_beyond_35():
    assert stats.power(26.0, 1.0, 2, alpha=0.01, design="one", two_sided=False) == pytest.approx(0.7519, abs=1e-3)


def test_power_of_nan_effect_is_no_certainty():
    with pytest.raises(ValueError):
        stats.power(math.nan, 1.0, 5)


def test_studentised_invariant_to_units():
    assert stats.bootstrap([0.1, 0.2, 0.7]).interval is None  # as for [1, 2, 7]


def test_spreads_invariant_to_units():
    a, b = stats.compare_spreads([0.1, 0.2, 0.7], [0.3, 0.4, 0.9]), stats.compare_spreads([1, 2, 7.0], [3, 4, 9.0])
    assert (a.low, a.high) == pytest.approx((b.low, b.high))


def test_sd_of_equal_scores():
    assert stats.bootstrap([2.0] * 8, "sd", method="percentile").interval == (0.0, 0.0)


def test_sign_test_keeps_its_power_from_there_on():
    n = stats.seeds_for_superiority(0.6, paired=True, power=0.9, alpha=0.1)
    k = np.arange(n, n + 60)
    assert (S.binom.sf(S.binom.isf(0.1, k, 0.5), k, 0.6) >= 0.9).all()


def test_aggregate_of_equal_scores_to_the_last_bit():
    assert stats.aggregate([[0.1] * 3] * 3).estimate == 0.1


def test_wilcoxon_nan_refused():
    with pytest.raises(ValueError):
        stats.wilcoxon([math.nan, 1, 2])


def test_permutation_p_of_equal_means_invariant_to_units():
    x, y = [0.0, 0.0], [1.0, -1.0, -2.0, 5.0, -3.0]
    assert (
        stats.permutation_test([0.1 * v for v in x], [0.1 * v for v in y]).p_value
        == stats.permutation_test(x, y).p_value
        == 1.0
    )


def test_aggregate_continued_by_one_is_bit_for_bit():  # gemv of one row rounds unlike gemm of many
    t = [[0.1, 0.7, 0.4], [0.9, 0.3, 0.2, 0.35], [0.5]]
    parts, whole = stats.aggregate(t, resamples=1, rng=0).more(1), stats.aggregate(t, resamples=2, rng=0)
    assert parts.distribution.tobytes() == whole.distribution.tobytes()
