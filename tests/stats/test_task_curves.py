"""The interquartile mean by step is that of the tasks at each step, and is not given where too few runs are left."""

import numpy as np
import pytest
from scipy import stats as theirs

from seedwise.stats import aggregate
from seedwise.stats.task_curves import iqm_curve

RNG = np.random.default_rng(3)
STEPS = np.arange(1.0, 9.0)
TASKS = [[(STEPS, np.cumsum(RNG.normal(1, 0.3, 8)) + k) for _ in range(4)] for k in range(3)]


def test_at_each_step_it_is_what_scipy_and_aggregate_give() -> None:
    found = iqm_curve(TASKS, resamples=400, rng=7)
    assert found.steps.tolist() == STEPS.tolist()
    for j in range(8):
        at = [np.array([values[j] for _, values in task]) for task in TASKS]
        assert found.iqm[j] == pytest.approx(theirs.trim_mean(np.concatenate(at), 0.25))
        same = aggregate(at, resamples=400, rng=7)
        assert (found.low[j], found.high[j]) == (same.low, same.high)
    assert found.n.tolist() == [12] * 8


def test_it_ends_where_a_task_has_no_run_or_half_of_the_runs_are_gone_and_not_before() -> None:
    short = [[(steps[:5], values[:5]) for steps, values in TASKS[0]], *TASKS[1:]]
    assert np.isfinite(iqm_curve(short, resamples=50).iqm).tolist() == [True] * 5 + [False] * 3
    few = [[(s[:end], v[:end]) for (s, v), end in zip(task, (3, 3, 5, 8), strict=True)] for task in TASKS]
    found = iqm_curve(few, resamples=50)
    assert found.n.tolist() == [12, 12, 12, 6, 6, 3, 3, 3]
    assert np.isfinite(found.iqm).tolist() == [True] * 5 + [False] * 3


def test_a_run_that_is_no_number_at_a_step_leaves_no_mean_there() -> None:
    values = TASKS[0][0][1].copy()
    values[2] = np.nan
    found = iqm_curve([[(STEPS, values), *TASKS[0][1:]], *TASKS[1:]], resamples=50)
    assert np.isfinite(found.iqm).tolist() == [True, True, False, True, True, True, True, True]


def test_of_one_run_for_each_task_no_interval_is_given() -> None:
    found = iqm_curve([task[:1] for task in TASKS], resamples=50)
    assert np.isfinite(found.iqm).all()
    assert np.isnan(found.low).all()
