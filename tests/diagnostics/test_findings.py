"""Thresholds, on numbers that were planted."""

import numpy as np
import pytest

from seedwise.diagnostics.findings import (
    barrier_of,
    courses_found,
    epochs_needed,
    flat_stretches,
    gradients_found,
    learned_little,
    paths_found,
    relative,
    still_identical,
    through_time_found,
)
from seedwise.diagnostics.result import Course, PathBetween, Trouble


def test_a_plateau_before_a_fall_is_flat_and_the_end_of_training_is_not() -> None:
    x = np.arange(60)
    saddle = 1 / (1 + np.exp(-(30 - x) / 1.5)) + 0.5
    ((first, last),) = flat_stretches(saddle)
    assert first == 0
    assert 20 <= last <= 26
    assert flat_stretches(np.exp(-x / 8)) == ()
    assert flat_stretches(np.exp(-x / 2)) == ()
    assert flat_stretches(np.ones(60)) == ()


def test_a_loss_that_swings_or_climbs_is_not_flat() -> None:
    x = np.arange(40)
    assert flat_stretches(np.exp(-x / 10) * (1 + 0.3 * (-1.0) ** x)) == ()
    climbing = np.concatenate([np.linspace(1, 0.5, 5), np.linspace(0.55, 0.9, 20), np.linspace(0.8, 0, 15)])
    assert flat_stretches(climbing) == ()


def test_units_are_identical_only_if_they_start_and_stay_so() -> None:
    start = np.array([[1.0, 2], [1, 2], [1, 2], [3, 4], [5, 6]])
    assert still_identical(start, start) == 3
    apart = start + np.array([[0.0], [0], [0.1], [0], [0]])
    assert still_identical(start, apart) == 2
    assert still_identical(start, start + np.arange(5)[:, None] / 10) == 0
    assert still_identical(start + np.arange(5)[:, None] / 7, np.ones((5, 2))) == 0  # they became alike: no symmetry
    assert still_identical(np.zeros((700, 2)), np.zeros((700, 2))) == 700


@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_a_barrier_is_measured_from_the_line_between_both_ends(offset: float) -> None:
    a = np.linspace(0, 1, 11)
    assert barrier_of(offset + 0.3 * a, 2.0) == pytest.approx(0)
    assert barrier_of(offset + 0.3 * a + np.sin(np.pi * a), 2.0) == pytest.approx(0.5)
    assert barrier_of(offset + 0.3 * a - np.sin(np.pi * a), 2.0) == pytest.approx(0)


def test_gradients_are_judged_against_the_last_layer_and_the_layer_is_named() -> None:
    def ratios(*of: float) -> dict[int, dict[int, np.ndarray]]:  # type: ignore[type-arg]
        return {seed: {0: relative([g * seed for g in of])} for seed in (1, 2, 3)}

    (small,) = gradients_found(["a", "b", "c"], ratios(9e-7, 9e-4, 1e-2))
    assert (small.trouble, small.where, small.seeds) == (Trouble.VANISHING, "a", (1, 2, 3))
    (large,) = gradients_found(["a", "b", "c"], ratios(1, 2e3, 1e-2))
    assert (large.trouble, large.where) == (Trouble.EXPLODING, "b")
    assert gradients_found(["a", "b", "c"], ratios(2e-4, 3, 1)) == []
    assert gradients_found(["a", "b"], ratios(0, 0)) == []  # nothing left to learn


def test_gradients_that_vanish_later_are_dated() -> None:
    late = {1: {0: np.array([1, 1.0]), 5: np.array([1e-6, 1.0])}, 2: {0: np.array([1, 1.0]), 5: np.array([1e-7, 1.0])}}
    (found,) = gradients_found(["a", "b"], late)
    assert "after epoch 5" in found.sentence
    one_of_three = late | {k: {0: np.ones(2), 5: np.ones(2)} for k in (3, 4, 5)}
    assert gradients_found(["a", "b"], one_of_three) == []


def test_layers_of_which_some_seeds_have_no_gradient_through_time_are_judged_by_the_others() -> None:
    some = {1: {0: np.array([np.nan, 1e-6])}, 2: {0: np.array([1e-7, np.nan])}}
    (found,) = through_time_found(["a", "b"], some, [5, 5])
    assert (found.trouble, found.where, found.seeds) == (Trouble.VANISHING, "a", (1, 2))
    beyond = {seed: {0: np.array([np.nan, np.inf])} for seed in (1, 2)}
    assert [found.trouble for found in through_time_found(["a", "b"], beyond, [0, 5])] == [Trouble.EXPLODING]


def test_epochs_that_each_seed_needs_and_seeds_that_do_not_arrive() -> None:
    fast, slow, stuck = [1.0, 0.02, 0, 0, 0], [1.0, 0.9, 0.5, 0.03, 0], [1.0, 0.95, 0.9, 0.9, 0.9]
    assert epochs_needed([fast, slow, stuck]) == [1, 3, None]
    assert epochs_needed([fast, [1.0, float("nan")]]) == [1, None]
    courses = [Course(k, tuple(of), None, (), False) for k, of in enumerate([fast, slow, stuck])]
    (found,) = courses_found(courses)
    assert (found.trouble, found.seeds) == (Trouble.STUCK, (2,))
    assert courses_found(courses[:2]) == []


def test_where_little_was_learned_there_are_no_solutions_to_compare() -> None:
    little, much = [[1.0, 0.95], [1.2, 1.15]], [[1.0, 0.8], [1.2, 0.9]]
    assert learned_little(little)
    assert not learned_little(much)
    assert not learned_little([[-1.0, -1.01]])  # no share of a loss below 0
    assert epochs_needed(little) == [None, None]
    courses = [Course(k, (1.0, end), None, (), False) for k, end in enumerate([0.95, 0.99])]
    assert courses_found(courses, True) == []
    assert courses_found(courses, False)[0].trouble is Trouble.STUCK
    barrier = PathBetween((1, 2), (1.0, 2.0, 1.0), 3.5)
    assert paths_found([barrier], True) == []
    assert paths_found([barrier], False)[0].trouble is Trouble.BASINS
