"""Do runs agree? Counted by hand."""

from itertools import combinations

import numpy as np
import pytest

from seedwise.stats import agreement_of_labels, agreement_of_values

RNG = np.random.default_rng(2)


def test_disagreement_is_the_mean_over_pairs_of_runs() -> None:
    labels, targets = RNG.integers(0, 3, (5, 40)), RNG.integers(0, 3, 40)
    found = agreement_of_labels(labels, targets)
    by_hand = np.mean([(labels[a] != labels[b]).mean() for a, b in combinations(range(5), 2)])
    assert found.disagreement == pytest.approx(by_hand)
    assert found.error == pytest.approx((labels != targets).mean())
    assert found.share == pytest.approx(by_hand / found.error)


def test_the_examples_that_flip_are_named_the_most_divided_first() -> None:
    labels = np.array([[0, 1, 2, 0], [0, 1, 2, 1], [0, 1, 0, 2], [0, 0, 0, 0]])
    found = agreement_of_labels(labels, np.zeros(4))
    assert found.examples == (2, 3, 1)
    assert found.agreeing == (0.5, 0.5, 0.75)


def test_equal_runs_agree() -> None:
    found = agreement_of_labels(np.ones((3, 4)), np.ones(4))
    assert (found.disagreement, found.share, found.examples) == (0, None, ())


def test_the_average_is_better_by_the_variance_between_runs() -> None:
    values, targets = RNG.normal(0, 1, (6, 30)), RNG.normal(0, 1, 30)
    found = agreement_of_values(values, targets)
    of_average = ((values.mean(axis=0) - targets) ** 2).mean()
    assert of_average == pytest.approx(found.error - found.disagreement * 5 / 6)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="runs ≥ 2"):
        agreement_of_labels(np.ones((1, 3)), np.ones(3))
    with pytest.raises(ValueError, match="runs ≥ 2"):
        agreement_of_values(np.ones((2, 3)), np.ones(4))
