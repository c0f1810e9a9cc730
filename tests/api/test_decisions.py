"""Decisions follow from the data: their direction, what so few seeds can decide, and what is said where nothing varies."""

import math
from dataclasses import replace

import numpy as np
import pytest

import seedwise as sw
from seedwise import stats
from seedwise.api.compare import _by_probability
from seedwise.api.rankings import with_holm
from seedwise.decisions import Decision

RNG = np.random.default_rng(5)


def test_over_tasks_the_direction_is_that_of_the_rank_sum() -> None:
    new = {f"t{k}": [1.0 + k, 1.0 + k + 0.01] for k in range(26)}
    base = {name: ([v - 0.1 * (k + 1) for v in of] if k < 12 else of) for k, (name, of) in enumerate(new.items())}
    (pair,) = sw.compare_tasks({"new": new, "base": base}, goal="max", rng=0).pairs
    assert pair.tasks_won == 12, "and 14 ties, no loss"
    assert (pair.adjusted_p < 0.001, pair.decision) == (True, Decision.BETTER)


@pytest.mark.parametrize("d", [[1.0, 2.0, -3.0, 4.0], [-1.0, 0.0, 0.0, 0.5], [1.0, -1.0]])
def test_signed_rank_sum_against_scipys_statistic(d: list[float]) -> None:
    from scipy.stats import rankdata

    x = np.array([v for v in d if v])
    plus = rankdata(np.abs(x))[x > 0].sum()
    assert stats.signed_rank_sum(d) == pytest.approx(2 * plus - x.size * (x.size + 1) / 2)


def test_five_methods_with_five_seeds_can_be_decided() -> None:
    groups = {f"m{k}": list(10.0 * k + RNG.normal(size=5)) for k in range(5)}
    found = sw.compare_many(groups, goal="max", rng=0)
    assert {pair.decision for pair in found.pairs} == {Decision.BETTER}
    assert all(pair.adjusted == "t" for pair in found.pairs)
    assert any("below 0.079 after Holm over 10 comparisons" in text for text in found.warnings)
    assert "(t test) after Holm" in found.pairs[0].sentence


def test_where_the_permutation_test_can_decide_it_does() -> None:
    groups = {f"m{k}": list(10.0 * k + RNG.normal(size=10)) for k in range(3)}
    found = sw.compare_many(groups, goal="max", rng=0)
    assert all(pair.adjusted == "permutation" for pair in found.pairs)
    assert not any("t test's p is adjusted" in text for text in found.warnings)


def test_equivalence_is_inside_holms_family() -> None:
    first, second = stats.holm_of_exclusive([0.5, 0.6, 0.7], [0.02, 0.02, 0.02])
    assert second.tolist() == pytest.approx([0.06, 0.06, 0.06])
    assert first.min() >= 0.5
    alone = stats.holm_of_exclusive([0.03, 0.01, 0.02], [math.nan] * 3)[0]
    assert alone.tolist() == pytest.approx(stats.holm([0.03, 0.01, 0.02]).tolist())


def test_a_margin_that_only_holds_without_the_adjustment_decides_nothing() -> None:
    x = list(np.linspace(-1, 1, 12))
    pairs = [sw.compare(x, [v + 0.001 for v in x], goal="max", equivalence=m, rng=0) for m in (0.48, 0.9, 0.9)]
    assert {p.decision for p in pairs} == {Decision.EQUIVALENT}
    assert with_holm(pairs)[0].decision is Decision.UNDECIDED


def test_both_tests_are_named_with_t_and_degrees_of_freedom() -> None:
    from scipy.stats import ttest_ind

    from seedwise.reports.decisions import tests_line

    a, b = list(RNG.normal(size=6)), list(RNG.normal(size=7))
    found = sw.compare(a, b, goal="max", rng=0)
    theirs = ttest_ind(a, b, equal_var=False)
    assert (found.t, found.df, found.t_p_value) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))
    assert tests_line(found).startswith(f"Welch's t = {theirs.statistic:.2f}, df = {theirs.df:.3g}")
    assert "studentised permutation test" in tests_line(found)


def test_one_run_of_each_task_has_no_interval_of_width_zero() -> None:
    groups = {name: {f"t{k}": [float(RNG.normal())] for k in range(8)} for name in ("a", "b", "c")}
    found = sw.compare_tasks(groups, goal="max", rng=0)
    assert {place.iqm_interval for place in found.places} == {None}
    assert {pair.probability_interval for pair in found.pairs} == {None}
    assert any("one run of each task" in text for text in found.warnings)


def test_tasks_of_different_scale_are_not_averaged_without_a_word() -> None:
    groups = {
        name: {"Pong": [1.0 + j, 2.0 + j], "Atlantis": [1e5 + j, 3e5], "Tennis": [0.1, 0.2 + j]}
        for j, name in enumerate(("a", "b"))
    }
    assert any("follow Atlantis" in text for text in sw.compare_tasks(groups, goal="max", rng=0).warnings)


def test_hopeless_numbers_of_seeds_are_not_offered_and_others_name_the_valid_way() -> None:
    near = sw.compare([0.0, 1.0, 2.0, 3.0], [0.5, 1.5, 2.5, 4.5], goal="max", rng=0)
    assert "compare --until-decided" in near.sentence
    hopeless = sw.compare([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0001], goal="max", rng=0)
    assert "takes about" not in hopeless.sentence


@pytest.mark.slow
@pytest.mark.parametrize(("n", "paired"), [(4, False), (6, True)])
def test_a_plan_promises_what_compare_reaches(n: int, paired: bool) -> None:
    effect, runs, rng = 2.6, 300, np.random.default_rng(3)
    won = 0
    for _ in range(runs):
        d = rng.normal(size=(2, n)) / (math.sqrt(2) if paired else 1)
        found = sw.compare(list(effect + d[0]), list(d[1]), goal="max", paired=paired, resamples=100, rng=0)
        won += found.decision is Decision.BETTER
    promised = sw.plan(effect, sd=1, n=n, design="paired" if paired else "two").power
    assert promised is not None
    assert abs(won / runs - promised) < 3 * math.sqrt(0.25 / runs)


def test_too_few_seeds_for_any_answer_are_told_beforehand() -> None:
    found = sw.plan(3.0, sd=1, n=5, design="paired")
    assert found.power == 0
    assert "6 are the fewest" in found.sentence
    assert sw.plan(50.0, sd=1, design="paired").seeds == 6
    assert sw.plan(50.0, sd=1).seeds == 4


@pytest.mark.parametrize(("won", "n"), [(1, 3), (2, 5), (7, 8)])
def test_scores_of_zero_and_one_get_an_interval_that_holds_against_scipy(won: int, n: int) -> None:
    from scipy.stats import binomtest

    found = sw.summarize([1.0] * won + [0.0] * (n - won), metric="solved")
    theirs = binomtest(won, n).proportion_ci(0.95, method="exact")
    assert found.interval == pytest.approx((theirs.low, theirs.high))
    assert found.method == "Clopper-Pearson interval"


@pytest.mark.parametrize(
    ("name", "values", "edge"),
    [
        ("test_acc", [0.97, 1.0, 0.99], "1"),
        ("test_acc", [97.0, 100.0, 99.0], "100"),
        ("rmse", [0.01, 0.5, 0.02], "0"),
        ("loss", [0.01, 0.5, 0.02], ""),
        ("reward", [0.97, 1.0, 0.99], ""),
        ("test_acc", [0.5, 0.52, 0.51], ""),
        ("neg_mae", [0.01, 0.5, 0.02], ""),
    ],
)
def test_an_interval_beyond_what_a_score_can_be_is_said(name: str, values: list[float], edge: str) -> None:
    from seedwise.results import Scores

    note = sw.summarize(Scores(name, dict(enumerate(values)))).note
    assert (f"beyond {edge}, where no score can be" in note) if edge else not note


@pytest.mark.parametrize(("d", "p"), [([1.0, 1, 2, 3, 4], 2 / 32), ([1.0, 1, 1, 1], 2 / 16), ([1.0, -1, 2], 6 / 8)])
def test_wilcoxon_with_ties_is_exact_for_few_tasks(d: list[float], p: float) -> None:
    assert stats.wilcoxon(d) == pytest.approx(p)


def test_rounding_is_no_spread() -> None:
    found = sw.compare([0.8, 0.7999999999999999] * 3, [0.7] * 6, goal="max")
    assert found.decision is Decision.UNDECIDED
    assert found.sentence.startswith("No spread was seen")


def test_a_level_of_ninety_percent_is_reached_by_an_exact_tenth() -> None:
    found = sw.compare([0.93, 0.94, 0.95], [0.83, 0.84, 0.86], goal="max", level=0.9)
    assert (found.p_value, found.decision) == (pytest.approx(0.1), Decision.BETTER)


def test_a_margin_does_not_take_away_a_shown_difference() -> None:
    rng = np.random.default_rng(4)
    groups = {str(k): list(0.5 - 0.015 * k + 0.01 * rng.normal(size=12)) for k in range(3)}
    plain = sw.compare_many(groups, goal="max", rng=0)
    with_margin = sw.compare_many(groups, goal="max", equivalence=0.0225, rng=0)
    for one, other in zip(plain.pairs, with_margin.pairs, strict=True):
        if one.decision is Decision.BETTER:
            assert other.decision in (Decision.BETTER, Decision.EQUIVALENT)


def test_identical_scores_within_a_margin_are_equivalent_in_word_and_sentence() -> None:
    x = list(np.linspace(0.5, 0.6, 10))
    found = sw.compare(x, list(x), goal="max", equivalence=0.1)
    assert found.decision is Decision.EQUIVALENT
    assert "equivalent" in found.sentence


def test_pairs_that_differ_by_the_same_amount_have_their_own_sentence() -> None:
    x = [0.5, 0.75, 1.0, 1.25]
    found = sw.compare([v + 0.5 for v in x], x, goal="max", paired=True)
    assert found.sentence.startswith("Every pair differs by the same +0.5")


def test_a_ranking_takes_the_goal_that_any_side_knows() -> None:
    from seedwise.results import Goal, Scores

    found = sw.compare_many(
        {
            "a": [0.30, 0.31, 0.32, 0.33],
            "b": Scores("loss", {1: 0.5, 2: 0.51, 3: 0.52, 4: 0.53}, Goal.MIN),
            "c": Scores("loss", {1: 0.7, 2: 0.71, 3: 0.72, 4: 0.73}, Goal.MIN),
        },
        rng=0,
    )
    assert [place.group.name for place in found.places] == ["a", "b", "c"]
    assert found.goal is Goal.MIN


def test_a_decision_from_few_seeds_says_what_may_not_have_shown() -> None:
    few = sw.compare([5.0, 5.1, 5.2, 5.3, 5.4], [1.0, 1.1, 1.2, 1.3, 1.4], goal="max")
    assert any("fewer than 45 % of seeds" in text for text in few.notes), "1 - .05^(1/5)"
    many = sw.compare(list(np.linspace(5, 5.4, 20)), list(np.linspace(1, 1.4, 20)), goal="max")
    undecided = sw.compare([1.0, 1.1, 1.2, 1.35, 1.4], [1.0, 1.1, 1.2, 1.3, 1.4], goal="max")
    for other in (many, undecided):
        assert not any("may not have shown" in text for text in other.notes)


def test_what_holm_takes_back_takes_its_warning_along() -> None:
    x = [1.0, 1.1, 1.2, 1.3, 1.4]
    pair = sw.compare([v + 0.28 for v in x], x, goal="max")
    assert pair.decision is Decision.BETTER
    held = with_holm([pair] * 3)[0]
    assert held.decision is Decision.UNDECIDED
    assert any("may not have shown" in text for text in pair.notes)
    assert not any("may not have shown" in text for text in held.notes)


@pytest.mark.parametrize(
    "d", [[1, 1, -1, 2, 2, 2, -3, 3, 4, 5, 5, -5, 6, 6, 7, -7, 8, 8], [0, 0, 1, -1, 2, 2, 0, 3] * 2]
)
def test_wilcoxon_with_ties_is_exact_for_many_tasks_against_every_sign(d: list[int]) -> None:
    from scipy.stats import rankdata

    x = np.array([v for v in d if v], dtype=float)
    ranks = rankdata(np.abs(x))
    signs = 1 - 2 * ((np.arange(2**x.size)[:, None] >> np.arange(x.size)) & 1)
    by_hand = (np.abs(signs @ ranks) >= abs((np.sign(x) * ranks).sum()) - 1e-9).mean()
    assert stats.wilcoxon(d) == by_hand


def test_uneven_numbers_of_runs_are_said() -> None:
    even = {name: {f"t{k}": [float(k + j), k + 1.0] for k in range(6)} for j, name in enumerate(("a", "b"))}
    more = {**even, "b": {task: of * 3 for task, of in even["b"].items()}}
    assert any("3 times as many runs" in text for text in sw.compare_tasks(more, goal="max", rng=0).warnings)
    assert not any("times as many runs" in text for text in sw.compare_tasks(even, goal="max", rng=0).warnings)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (3, 4), (4, 4), (5, 5), (2, 9)])
def test_the_word_of_the_probability_is_false_at_most_as_often_as_promised(n: int, m: int) -> None:
    """Over every way in which the ranks of two that are alike can fall."""
    from itertools import combinations

    ranks = range(1, n + m + 1)
    words = []
    for chosen in combinations(ranks, n):
        x, y = np.array(chosen, dtype=float), np.array([r for r in ranks if r not in chosen], dtype=float)
        wins = stats.superiority(x, y)
        words.append(_by_probability(wins, x, y, False))
    assert 0 <= np.mean([word in ("better", "worse") for word in words]) <= 0.05
    assert ("better" in words) == (2 / math.comb(n + m, n) <= 0.05)


def test_a_goal_in_words_is_a_goal() -> None:
    new, base = (sw.Scores("zeta", {k: v + k / 100 for k in range(6)}, "max") for v in (0.9, 0.1))  # type: ignore[arg-type]
    assert sw.compare(new, base).decision is Decision.BETTER
    with pytest.raises(sw.UsageError, match="min or max"):
        sw.Scores("zeta", {0: 1.0}, "up")  # type: ignore[arg-type]


def test_equal_scores_and_shares_have_no_t_interval() -> None:
    found = sw.compare([0.8] * 5, [0.7, 0.71, 0.72, 0.7, 0.73], goal="max")
    assert found.new.interval is None
    solved = sw.compare(
        sw.Scores("solved", {k: float(k > 0) for k in range(6)}),
        sw.Scores("solved", {k: float(k > 3) for k in range(6)}),
    )
    assert solved.new.interval is not None
    assert solved.new.interval[1] <= 1
    assert solved.new.method == "Clopper-Pearson interval"


def test_runs_that_differ_by_chance_alone_are_not_called_truly_different() -> None:
    # Cochran's Q by its textbook formula, in another order of the sums
    rng = np.random.default_rng(3)
    correct = (rng.random((4, 300)) < rng.random(300)).astype(int)
    found = sw.noise_of_test_set(correct)
    k, c, r = 4, correct.sum(axis=1), correct.sum(axis=0)
    q = (k - 1) * (k * (c**2).sum() - c.sum() ** 2) / (k * r.sum() - (r**2).sum())
    from scipy.stats import chi2

    from seedwise.reports.spread import noise_sentence

    assert found.p_value == pytest.approx(chi2.sf(q, k - 1))
    assert "not shown" in noise_sentence(found)
    apart = correct.copy()
    apart[0] = rng.random(300) < 0.99
    assert "is a true difference" in noise_sentence(sw.noise_of_test_set(apart))


def test_what_two_leave_open_stays_open_among_three() -> None:
    a, b = [0.8129, 0.8234], [0.7129, 0.7234]
    assert sw.compare(a, b, goal="max").decision is Decision.UNDECIDED
    many = sw.compare_many({"a": a, "b": b, "c": list(np.linspace(0.1, 0.2, 30))}, goal="max")
    pair = next(p for p in many.pairs if {p.new.name, p.base.name} == {"a", "b"})
    assert pair.decision is Decision.UNDECIDED


def test_what_the_permutation_test_leaves_open_is_not_decided_by_the_t_of_several() -> None:
    # five seeds against five, ten comparisons: t takes the place of the permutation test in Holm
    pair = sw.compare([5.0, 5.1, 5.2, 5.3, 5.4], [1.0, 1.1, 1.2, 1.3, 1.4], goal="max")
    held = with_holm([replace(pair, p_value=0.06, decision=Decision.UNDECIDED), *[pair] * 9])
    assert held[1].adjusted == "t"
    assert held[1].decision is Decision.BETTER
    assert held[0].adjusted_p is not None
    assert held[0].adjusted_p < 0.05
    assert held[0].decision is Decision.UNDECIDED
