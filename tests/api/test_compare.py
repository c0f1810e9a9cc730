"""Comparisons from whatever a user holds, and what is refused by name."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import seedwise as sw
from seedwise.api.compare import compare_at_any_time
from seedwise.decisions import Decision
from seedwise.errors import MetricError, UsageError
from seedwise.results import Scores

RNG = np.random.default_rng(11)
GOOD, BAD = RNG.normal(0.85, 0.02, 10), RNG.normal(0.80, 0.03, 12)


def test_difference_interval_and_p_against_scipy() -> None:
    found = sw.compare(GOOD, BAD)
    welch = stats.ttest_ind(GOOD, BAD, equal_var=False)
    assert found.difference == pytest.approx(GOOD.mean() - BAD.mean())
    assert found.interval == pytest.approx(tuple(welch.confidence_interval(0.95)))
    assert found.t_p_value == pytest.approx(welch.pvalue)
    assert found.effect_size == pytest.approx(2 * stats.mannwhitneyu(GOOD, BAD).statistic / 120 - 1)


def test_the_goal_turns_the_decision_and_not_the_difference() -> None:
    more, less = sw.compare(GOOD, BAD, goal="max"), sw.compare(GOOD, BAD, goal="min")
    assert more.difference == less.difference
    assert (more.decision, less.decision) == (Decision.BETTER, Decision.WORSE)
    assert more.probability_of_improvement == pytest.approx(1 - less.probability_of_improvement)
    assert " better than " in more.sentence
    assert " worse than " in less.sentence


scores = st.lists(st.floats(-100, 100).map(lambda v: round(v, 3)), min_size=2, max_size=9)


@given(scores, scores, st.booleans(), st.sampled_from([None, 0.5]))
def test_decision_interval_p_and_sentence_never_contradict(
    new: list[float], base: list[float], less: bool, margin: float | None
) -> None:
    c = sw.compare(new, base, goal="min" if less else "max", equivalence=margin, resamples=200)
    assert c.decision.value in c.sentence
    assert c.p_value is not None
    assert (c.interval is None) == (c.new.sd == 0 == c.base.sd), "there is an interval if anything varies"
    if c.decision in (Decision.BETTER, Decision.WORSE):
        assert c.p_value <= 0.05
        assert c.interval is not None
        assert not c.interval[0] <= 0 <= c.interval[1]
        assert (c.difference > 0) == ((c.decision is Decision.BETTER) != less)
    for value in (
        c.difference,
        *(c.interval or ()),
        c.p_value,
        c.probability_of_improvement,
        c.effect_size,
        c.wrong_winner,
    ):
        assert math.isfinite(value)


@given(scores, scores)
def test_swapping_the_sides_swaps_the_answer(new: list[float], base: list[float]) -> None:
    one, other = (sw.compare(*pair, goal="max", resamples=200) for pair in ((new, base), (base, new)))
    turned = {Decision.BETTER: Decision.WORSE, Decision.WORSE: Decision.BETTER}
    assert other.p_value == one.p_value, "the drawn regroupings too"
    assert other.decision is turned.get(one.decision, one.decision)
    assert other.difference == pytest.approx(-one.difference)
    assert other.effect_size == pytest.approx(-one.effect_size)


def test_three_against_three_cannot_be_decided_and_it_says_why_and_what_would() -> None:
    found = sw.compare([0.9, 0.901, 0.902], [0.1, 0.101, 0.102], goal="max")
    assert found.decision is Decision.UNDECIDED
    assert found.smallest_p == pytest.approx(0.1)
    assert found.needed == 4
    assert any("no p below 0.1" in w for w in found.warnings)
    five = sw.compare([1, 2, 3, 4, 5.5], [0, 0.5, 1, 2, 3], paired=True, goal="max")
    assert five.smallest_p == pytest.approx(1 / 16)
    assert five.decision is Decision.UNDECIDED


def test_pairs_are_made_by_seed_and_unmatched_ones_named() -> None:
    new = {3: 0.9, 1: 0.7, 2: 0.8, 9: 0.1}
    base = {1: 0.6, 2: 0.71, 3: 0.79, 8: 0.5}
    found = sw.compare(new, base, paired=True, goal="max")
    assert found.pairs == 3
    assert found.unmatched == (8, 9)
    assert found.difference == pytest.approx((0.1 + 0.09 + 0.11) / 3)
    assert found.correlation == pytest.approx(np.corrcoef([0.7, 0.8, 0.9], [0.6, 0.71, 0.79])[0, 1])
    assert any("seed 8, 9" in w for w in found.warnings)
    with pytest.raises(MetricError, match="share none"):
        sw.compare({1: 1.0, 2: 2.0}, {3: 1.0, 4: 2.0}, paired=True)


def test_equivalent_only_within_a_margin_that_was_stated() -> None:
    x = RNG.normal(0, 1, 200)
    y = RNG.normal(0, 1, 200)
    assert sw.compare(x, y, goal="max").decision is Decision.UNDECIDED
    assert sw.compare(x, y, goal="max", equivalence=1.0).decision is Decision.EQUIVALENT
    assert sw.compare(x, y, goal="max", equivalence=0.01).decision is Decision.UNDECIDED


def test_the_same_rng_gives_the_same_bits_and_no_global_generator_moves() -> None:
    before = np.random.get_state()[1].tolist()
    one, two, other = (sw.compare(GOOD, BAD, rng=r, resamples=500) for r in (7, 7, 8))
    assert one == two
    assert one.p_value != other.p_value or one.spread_interval != other.spread_interval
    assert np.random.get_state()[1].tolist() == before


def test_frames_series_files_and_mappings_are_the_same_scores(tmp_path: Path) -> None:
    seeds = range(1, 11)
    frame = pd.DataFrame({"seed": seeds, "acc": GOOD, "epoch": 3, "note": "x"})
    series = pd.Series(GOOD, index=seeds)
    path = tmp_path / "good.csv"
    frame[["seed", "acc"]].to_csv(path, index=False)
    base = dict(zip(range(1, 13), BAD.tolist(), strict=True))
    wanted = sw.compare(dict(zip(seeds, GOOD.tolist(), strict=True)), base, goal="max").difference
    assert sw.compare(frame, base, metric="acc").difference == pytest.approx(wanted)
    assert sw.compare(series, base, goal="max").difference == pytest.approx(wanted)
    assert sw.compare(str(path), base).difference == pytest.approx(wanted)
    assert sw.compare(Scores("acc", dict(zip(seeds, GOOD, strict=True))), base).metric == "acc"


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ([1.0, float("nan")], "NaN or infinite under seed 1"),
        ([1.0, float("inf")], "NaN or infinite under seed 1"),
        ([], "no scores"),
        ({1: 2.0, "x": 3.0}, "'x' is not an integer"),
        ({1: "high"}, "is no number"),
        ([[1.0, 2.0]], "one number for each seed"),
        (3.0, "one number for each seed"),
        (pd.DataFrame({"seed": [1, 1], "acc": [0.1, 0.2]}), "seed 1 stands twice"),
        (pd.DataFrame({"acc": [0.1, 0.2]}), "no column `seed`"),
        (pd.DataFrame({"seed": [1, 2], "a": [0.1, 0.2], "b": [1, 2]}), "which metric"),
        (object(), "scores are numbers"),
    ],
)
def test_what_is_no_score_is_refused_by_name(new: object, said: str) -> None:
    with pytest.raises(MetricError, match=said):
        sw.compare(new, BAD)


def test_degenerate_samples_have_named_answers() -> None:
    one = sw.compare([0.5], [0.4, 0.5, 0.6], goal="max")
    assert (one.interval, one.p_value, one.decision) == (None, None, Decision.UNDECIDED)
    assert "one seed on a side" in one.sentence
    flat = sw.compare([1.0] * 8, [2.0] * 8, goal="max")
    assert flat.interval is None
    assert flat.p_value == pytest.approx(2 / math.comb(16, 8))
    assert flat.decision is Decision.UNDECIDED
    assert flat.sentence.startswith("No spread was seen")
    assert "does the seed reach the result?" in flat.sentence
    same = sw.compare([1.0] * 8, [1.0] * 8, goal="max")
    assert same.decision is Decision.UNDECIDED
    assert same.identical
    assert "identical in value under every seed" in same.sentence
    assert same.almost_dominance is None


@pytest.mark.parametrize(
    "options", [{"level": 0.2}, {"equivalence": 0.0}, {"goal": "up"}, {"rng": 1.5}, {"resamples": 3}]
)
def test_options_without_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        sw.compare(GOOD, BAD, **options)  # type: ignore[arg-type]


def test_two_metrics_are_not_compared_with_each_other() -> None:
    with pytest.raises(MetricError, match="compare the same metric"):
        sw.compare(Scores("acc", {1: 1.0}), Scores("loss", {1: 1.0}))


def test_all_pairs_are_held_together_by_holm() -> None:
    groups = {name: RNG.normal(k * 0.02, 0.03, 10) for k, name in enumerate("abcd")}
    ranking = sw.compare_many(groups, goal="max")
    assert len(ranking.pairs) == 6
    from seedwise.stats import holm

    assert [p.adjusted_p for p in ranking.pairs] == pytest.approx(holm([p.p_value for p in ranking.pairs]).tolist())
    for pair in ranking.pairs:
        assert pair.decision is Decision.UNDECIDED or (pair.adjusted_p or 1) <= 0.05
        assert pair.decision.value in pair.sentence
    assert [p.group.mean for p in ranking.places] == sorted((p.group.mean for p in ranking.places), reverse=True)


def test_over_tasks_the_best_is_found_and_missing_tasks_are_refused() -> None:
    tasks = [f"task {k}" for k in range(8)]
    groups = {
        m: {t: RNG.normal(10 * k + 0.5 * i, 0.3, 4 + k % 2) for k, t in enumerate(tasks)} for i, m in enumerate("xyz")
    }
    found = sw.compare_tasks(groups, goal="max", nemenyi=True)
    assert [p.name for p in found.places] == ["z", "y", "x"]
    assert found.friedman_p is not None
    assert found.friedman_p < 0.01
    assert found.critical_difference == pytest.approx(
        2.343 * math.sqrt(3 * 4 / (6 * 8)), abs=2e-3
    )  # Demšar 2006, table 5
    turned = sw.compare_tasks(groups, goal="min")
    assert [p.name for p in turned.places] == ["x", "y", "z"]
    del groups["x"]["task 3"]
    with pytest.raises(MetricError, match="x has no scores for task 3"):
        sw.compare_tasks(groups)


def test_at_any_time_takes_seeds_in_order_up_to_the_first_that_is_open() -> None:
    new = {k: 1.0 + 0.01 * (k % 3) for k in range(1, 12)}
    base = {k: 0.01 * (k % 2) for k in range(1, 12) if k != 8}
    found = compare_at_any_time(new, base)
    assert found.pairs == 7
    assert found.decision is Decision.BETTER
    assert found.p_value is None
    few = compare_at_any_time({1: 1.0, 2: 1.1}, {1: 0.0, 2: 0.1})
    assert few.interval is None
    assert "too few" in few.sentence
