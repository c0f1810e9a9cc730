"""Ensembles: against what can be counted by hand, against theory, and how often the intervals hold."""

from itertools import combinations

import numpy as np
import pytest

from seedwise.stats import Combination, curve_of_classes, curve_of_values

RNG = np.random.default_rng(1)
PROBABILITIES = RNG.dirichlet(np.ones(3), (6, 40))
TARGETS = RNG.integers(0, 3, 40)


def test_every_ensemble_counts_once_where_few_can_be_formed() -> None:
    found = curve_of_classes(PROBABILITIES, TARGETS, Combination.AVERAGE)
    for size in found.sizes:
        by_hand = [
            (PROBABILITIES[list(members)].mean(axis=0).argmax(axis=1) == TARGETS).mean()
            for members in combinations(range(6), size.size)
        ]
        assert size.mean == pytest.approx(np.mean(by_hand))
    assert [size.size for size in found.sizes] == [1, 2, 3, 5, 6]


def test_single_runs_have_their_own_mean_and_t_interval() -> None:
    found = curve_of_classes(PROBABILITIES, TARGETS, Combination.AVERAGE).sizes[0]
    each = (PROBABILITIES.argmax(axis=2) == TARGETS).mean(axis=1)
    half = 2.5705818 * each.std(ddof=1) / np.sqrt(6)
    assert found.sd == pytest.approx(each.std(ddof=1))
    assert found.interval == pytest.approx((each.mean() - half, each.mean() + half))
    assert found.gain == 0


def test_two_votes_are_as_good_as_one() -> None:
    votes = np.eye(3)[PROBABILITIES.argmax(axis=2)]
    one, two = curve_of_classes(votes, TARGETS, Combination.VOTE).sizes[:2]
    assert two.mean == pytest.approx(one.mean)  # where they differ, the lot decides
    assert two.gain == 0


def test_averages_against_theory() -> None:
    """Bias² + noise + variance/m, and an SD that shrinks."""
    truth = RNG.normal(0, 1, 4000)
    values = truth + 0.5 + RNG.normal(0, 2, (12, 4000))
    found = curve_of_values(values, truth)
    for size in found.sizes:
        assert size.mean == pytest.approx(0.25 + 4 / size.size, rel=0.05)
    two = found.sizes[1]
    assert two.gain_interval is not None
    assert two.gain_interval[0] < two.gain < two.gain_interval[1] < 0


def test_spread_between_ensembles_is_that_of_ensembles_without_common_members() -> None:
    """Runs that differ by a constant: the error of an average is its squared mean, of known SD."""
    offset = np.random.default_rng(2).normal(3, 1, (400, 1))
    found = curve_of_values(offset + np.zeros((1, 2)), np.zeros(2))
    for size in found.sizes:
        if size.size <= 20:
            v = 1 / size.size
            assert size.sd == pytest.approx(np.sqrt(4 * 9 * v + 2 * v**2), rel=0.15)


def test_nothing_is_said_of_ensembles_with_more_than_half_of_the_runs() -> None:
    sizes = {size.size: size for size in curve_of_classes(PROBABILITIES, TARGETS, Combination.AVERAGE).sizes}
    assert sizes[3].interval is not None
    assert sizes[3].sd is not None
    assert sizes[5].interval is sizes[5].sd is sizes[5].gain_interval is None


def test_same_numbers_for_the_same_rng_and_any_order_of_classes() -> None:
    many = RNG.dirichlet(np.ones(3), (20, 30))
    targets = RNG.integers(0, 3, 30)
    once = curve_of_classes(many, targets, Combination.AVERAGE, rng=3)
    assert once == curve_of_classes(many, targets, Combination.AVERAGE, rng=3)
    turned = curve_of_classes(many[..., ::-1], 2 - targets, Combination.AVERAGE, rng=3)
    assert [s.mean for s in turned.sizes] == pytest.approx([s.mean for s in once.sizes])


def test_equal_runs_gain_nothing_and_have_no_spread() -> None:
    for size in curve_of_classes(PROBABILITIES[[0] * 6], TARGETS, Combination.AVERAGE).sizes:
        assert size.gain == pytest.approx(0)
        assert size.sd in (None, 0)


@pytest.mark.parametrize(("shape", "targets"), [((1, 4, 2), [0] * 4), ((3, 4, 2), [0] * 3), ((3, 4, 2), [0, 1, 2, 0])])
def test_what_makes_no_ensemble_is_refused(shape: tuple[int, ...], targets: list[int]) -> None:
    with pytest.raises(ValueError, match=r"an ensemble takes|targets are"):
        curve_of_classes(np.ones(shape), targets, Combination.VOTE)


@pytest.mark.slow
@pytest.mark.parametrize("runs", [4, 10, 20])
def test_intervals_hold_as_often_as_they_say(runs: int) -> None:
    """Of the expected error of ensembles of fresh runs, on the same examples."""
    truth = np.random.default_rng(0).normal(0, 1, 60)
    bias = np.random.default_rng(1).normal(0, 0.5, 60)
    held: dict[int, list[bool]] = {}
    for k in range(300):
        r = np.random.default_rng(k + 10)
        values = truth + bias + r.normal(0, 0.5, (runs, 1)) + r.normal(0, 1, (runs, 60))
        for size in curve_of_values(values, truth).sizes:
            if size.interval is not None:
                true = (bias**2).mean() + 1.25 / size.size
                held.setdefault(size.size, []).append(size.interval[0] <= true <= size.interval[1])
    for size_, hits in held.items():
        assert 0.88 <= np.mean(hits) <= 0.999, (size_, np.mean(hits))
