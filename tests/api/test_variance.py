"""Variance by source, and across seeds as training goes on."""

import numpy as np
import pandas as pd
import pytest

import seedwise as sw
from seedwise.errors import MetricError, UsageError
from seedwise.results import Metric, Results, Run, Series, Status

RNG = np.random.default_rng(5)
INIT, ORDER, REST = RNG.normal(0, 3, 6), RNG.normal(0, 1, 5), RNG.normal(0, 0.1, (6, 5, 2))
TABLE = INIT[:, None, None] + ORDER[None, :, None] + REST


def test_array_mapping_and_frame_are_one_design() -> None:
    array = sw.variance_components(TABLE, ["init", "order"])
    cells = {(i, j): TABLE[i, j].tolist() for i in range(6) for j in range(5)}
    mapping = sw.variance_components(cells, ["init", "order"])
    rows = [(i, j, TABLE[i, j, r]) for i in range(6) for j in range(5) for r in range(2)]
    frame = sw.variance_components(pd.DataFrame(rows, columns=["init", "order", "loss"]), ["init", "order"])
    for found in (mapping, frame):
        assert [p.variance for p in found.parts] == pytest.approx([p.variance for p in array.parts])
    assert [p.name for p in array.parts] == ["init", "order", "init × order", "rest"]
    assert array["init"].share > array["order"].share > array["rest"].share
    low, high = array["init"].interval
    assert low < array["init"].variance < high


def test_what_is_not_crossed_is_refused_by_cell() -> None:
    with pytest.raises(MetricError, match="missing, such as"):
        sw.variance_components({(0, 0): 1.0, (0, 1): 2.0, (1, 0): 3.0}, ["init", "order"])
    with pytest.raises(UsageError, match="same number of replicates"):
        sw.variance_components({(0, 0): [1.0, 2], (0, 1): 2.0, (1, 0): 3.0, (1, 1): 2.0}, ["init", "order"])
    with pytest.raises(UsageError, match="which columns"):
        sw.variance_components(pd.DataFrame({"a": [1]}))


def course() -> Results:
    runs = tuple(
        Run(s, Status.FINISHED, {"loss": Series((1, 2, 3), (1.0 + s / 10, 0.5 + s / 20, 0.4 + s / 100))})
        for s in range(1, 6)
    )
    late = Run(6, Status.FINISHED, {"loss": Series((1, 2), (1.6, 0.8))})
    return Results("train", "", (), (*runs, late), (Metric("loss", sw.Goal.MIN),))


def test_spread_across_seeds_as_training_goes_on() -> None:
    steps = sw.by_step(course())
    assert [step for step, _ in steps] == [1, 2]  # one run never reached the third
    assert steps[0][1].mean == pytest.approx(1.35)
    more = sw.compare(sw.step_scores(course(), 2), sw.step_scores(course(), 1), paired=True)
    assert more.decision.value == "better"
    with pytest.raises(MetricError, match="at step 3"):
        sw.step_scores(course(), 3)


def test_cross_validation_is_wider_than_a_t_interval_over_folds() -> None:
    x = RNG.normal(0.8, 0.02, (3, 5))
    found = sw.cross_validated(x, folds="same")
    plain = sw.summarize(x.mean(axis=0)).interval
    assert found.low < plain[0] < plain[1] < found.high
    assert found.splits == 5
    with pytest.raises(UsageError, match="one split"):
        sw.cross_validated([[0.8]])
    with pytest.raises(UsageError, match="same seeds and splits"):
        sw.cross_validated(x, x[:, :4])
