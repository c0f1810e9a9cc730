"""Sentences, numbers, pictures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.api.summary import summarize
from seedwise.results import Goal, Scores
from seedwise.words import duration, histogram, number, printable, seed_list, sentence


def test_sentence_names_its_interval_and_ends() -> None:
    scores = Scores("acc", {1: 0.80, 2: 0.82, 3: 0.84, 4: 0.86}, Goal.MAX, n=5)
    text = sentence(summarize(scores))
    assert text == (
        "acc is 0.830 ± 0.041 over 4 of 5 seeds (among finished; mean, 95 % t interval), "
        "from 0.800 (seed 1) to 0.860 (seed 4)."
    )


def test_one_seed_says_nothing_about_spread() -> None:
    assert sentence(summarize(Scores("loss", {3: 0.5}, Goal.MIN))).endswith("which says nothing about spread.")


def test_best_is_by_the_goal() -> None:
    values = {1: 0.1, 2: 0.9}
    low, high = summarize(Scores("loss", values, Goal.MIN)), summarize(Scores("acc", values, Goal.MAX))
    assert (low.best_seed, low.worst_seed, high.best_seed, high.worst_seed) == (1, 2, 2, 1)
    unknown = summarize(Scores("x", values))
    assert (unknown.best_seed, unknown.best) == (None, None)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50))
def test_histogram_has_one_line_for_any_sample(values: list[float]) -> None:
    assert len(histogram(values)) in (1, 16)


def test_histogram_shows_two_heaps() -> None:
    assert histogram([0] * 8 + [1] * 4, bins=4) == "█  ▄"


@given(st.text())
def test_printable_holds_no_control_code(text: str) -> None:
    assert all(c.isprintable() or c == "\t" for c in printable(text))


def test_small_words() -> None:
    assert seed_list([1, 2, 3, 5, 9, 10]) == "1–3, 5, 9, 10"
    assert (duration(4.21), duration(200), duration(7500)) == ("4.2 s", "3 min 20 s", "2 h 05 min")
    assert (number(None, 2), number(0.5, 3), number(1e-9, 3)) == ("–", "0.500", "1e-09")


@pytest.mark.parametrize("scores", [{}, []])
def test_no_scores_is_an_error(scores: object) -> None:
    from seedwise.errors import MetricError

    with pytest.raises(MetricError):
        summarize(scores)  # type: ignore[arg-type]
