"""Plans, choices and thresholds against formulas."""

import math

import numpy as np
import pytest
from scipy import stats

import seedwise as sw
from seedwise.api.plan import plan
from seedwise.errors import MetricError, UsageError
from seedwise.results import Metric, Results, Run, Series, Status


def test_power_of_a_plan_against_the_noncentral_t() -> None:
    found = plan(0.01, sd=0.02)
    assert found.seeds == 64  # Cohen (1988), d = 0.5, power .8: 64 each
    df, shift = 126, 0.5 / math.sqrt(2 / 64)
    cut = stats.t.isf(0.025, df)
    assert found.power == pytest.approx(stats.nct.sf(cut, df, shift) + stats.nct.cdf(-cut, df, shift), rel=1e-9)
    assert plan(0.01, sd=0.02, n=63).power < 0.8 <= found.power


def test_what_is_detectable_is_detected_with_that_power() -> None:
    found = plan(sd=0.02, n=10)
    assert plan(found.effect, sd=0.02, n=10).power == pytest.approx(0.8, abs=1e-6)


def test_a_pilot_says_how_little_it_knows() -> None:
    x = np.random.default_rng(1).normal(0, 1, 6)
    found = plan(0.5, pilot=x)
    low, high = found.details["sd_interval"]
    assert low < x.std(ddof=1) < high
    fewest, most = found.details["seeds_interval"]
    assert fewest < found.seeds < most
    assert str(most) in found.sentence


def test_a_margin_is_planned_for_both_ways_of_looking() -> None:
    found = plan(sd=0.02, margin=0.005)
    half = stats.t.ppf(0.975, found.seeds - 1) * 0.02 / math.sqrt(found.seeds)
    assert half <= 0.005 < stats.t.ppf(0.975, found.seeds - 2) * 0.02 / math.sqrt(found.seeds - 1)
    assert found.details["seeds_when_looking"] > found.seeds


def test_noether() -> None:
    assert plan(probability=0.75, power=0.95).seeds == 29
    assert plan(probability=0.75, power=0.95, design="paired").seeds == 44


@pytest.mark.parametrize(
    "options",
    [
        {"effect": 0.1},
        {"sd": 0.1},
        {"effect": 0.0, "sd": 1.0},
        {"effect": 0.1, "sd": -1.0},
        {"effect": 0.1, "sd": 1.0, "power": 1.5},
        {"effect": 0.1, "pilot": [1.0]},
        {"effect": 0.1, "pilot": [1.0, 1.0]},
        {"effect": 0.1, "sd": 1.0, "design": "three"},
        {"probability": 0.4},
        {"sd": 1.0, "margin": 0.0},
    ],
)
def test_what_is_no_question_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        plan(**options)  # type: ignore[arg-type]


def results() -> Results:
    rows = [(0.90, 0.70), (0.95, 0.60), (0.80, 0.90), (0.95, 0.80)]
    runs = [
        Run(s, Status.FINISHED, {"val_acc": Series((1,), (v,)), "test_acc": Series((1,), (t,))})
        for s, (v, t) in enumerate(rows, 1)
    ]
    named = tuple(Metric(n, sw.Goal.MAX) for n in ("val_acc", "test_acc"))
    return Results("train", "", (), tuple(runs), named)


def test_a_choice_reports_the_expectation_of_such_choices() -> None:
    found = sw.select(results(), by="val_acc", report="test_acc")
    assert (found.seed, found.ties, found.by_value) == (2, 2, 0.95)
    assert found.expected[0] == pytest.approx(0.75)  # one run: the mean
    assert found.expected[-1] == pytest.approx(0.70)  # of four: the mean of the two that tie
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    rows = [(0.90, 0.70), (0.95, 0.60), (0.80, 0.90), (0.95, 0.80)]
    of_two = []
    for a, b in pairs:
        (va, ta), (vb, tb) = rows[a], rows[b]
        of_two.append((ta + tb) / 2 if va == vb else ta if va > vb else tb)
    assert found.expected[1] == pytest.approx(np.mean(of_two))


def test_choosing_and_reporting_by_one_metric_is_refused() -> None:
    with pytest.raises(UsageError, match="flatters"):
        sw.select(results(), by="val_acc", report="val_acc")
    with pytest.raises(MetricError, match="no metric"):
        sw.select(results(), by="val_acc", report="loss")


def test_expected_best_follows_the_goal() -> None:
    x = [1.0, 2.0, 4.0]
    assert sw.expected_best(x, 2, goal="max") == pytest.approx((2 + 4 + 4) / 3)
    assert sw.expected_best(x, 2, goal="min") == pytest.approx((1 + 1 + 2) / 3)
    for n in (0, 4, 2.0):
        with pytest.raises(UsageError):
            sw.expected_best(x, n)  # type: ignore[arg-type]


def test_a_threshold_as_a_leaderboard_computes_it() -> None:
    losses = dict(enumerate([3.2779, 3.2791, 3.2783, 3.2770, 3.2788, 3.2785], 1))
    found = sw.against_threshold(losses, 3.28, goal="min")
    expected = stats.ttest_1samp(list(losses.values()), 3.28, alternative="less").pvalue
    assert found.p_value == pytest.approx(expected)
    assert found.settled == (expected < 0.01)
    looked = sw.against_threshold(losses, 3.28, goal="min", looked_from=3)
    assert looked.p_looked is not None
    assert looked.p_looked > found.p_value
    assert "from 3 on, whenever one stops" in looked.sentence
    planned = sw.against_threshold(losses, 3.28, goal="min", looked_from=3, looked_to=8)
    assert planned.p_looked is not None
    assert found.p_value < planned.p_looked < looked.p_looked
    assert "from 3 on, to 8 at most" in planned.sentence
    with pytest.raises(UsageError, match="more than the largest number"):
        sw.against_threshold(losses, 3.28, goal="min", looked_from=3, looked_to=5)
    equal = sw.against_threshold([3.1, 3.1, 3.1], 3.28, goal="min")
    assert (equal.settled, "No spread seen" in equal.sentence) == (False, True)
    wrong = sw.against_threshold(losses, 3.2, goal="min")
    assert wrong.needed is None
    assert "wrong side" in wrong.sentence
    with pytest.raises(UsageError, match="below or above"):
        sw.against_threshold([1.0, 2.0], 3.0)
