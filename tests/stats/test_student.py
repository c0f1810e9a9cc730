"""Student's quantile, which a report needs before SciPy is loaded."""

import pytest
from scipy.stats import t

from seedwise.stats.student import t_quantile


@pytest.mark.parametrize("df", [1, 2, 3, 4, 5, 9, 10, 29, 30, 99, 100, 999, 9999])
@pytest.mark.parametrize("level", [0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
def test_against_scipy(df: int, level: float) -> None:
    assert t_quantile(level, df) == pytest.approx(t.isf((1 - level) / 2, df), rel=1e-11)


@pytest.mark.parametrize(("level", "df"), [(0, 5), (1, 5), (0.95, 0)])
def test_nonsense_is_refused(level: float, df: int) -> None:
    with pytest.raises(ValueError, match="level is between"):
        t_quantile(level, df)
