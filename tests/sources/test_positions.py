"""Positions: two runs are told apart from the first draw at which their generators stood elsewhere."""

from seedwise.experiments.draws import chains_differ
from seedwise_guest.randomness.sources.positions import EVERY_DRAW, THEN_EACH, Positions, is_checked


def chain(states: list[int]) -> dict[str, str]:
    positions = Positions()
    for n, state in enumerate(states, start=1):
        if is_checked(n):
            positions.add(n, state)
    return positions.as_dict()


def test_one_other_state_at_any_draw_is_seen_between_runs_of_one_length() -> None:
    states = [k * k for k in range(300)]
    for at in range(300):
        other = [*states[:at], -1, *states[at + 1 :]]
        assert chains_differ([chain(states)], [chain(other)])
    assert not chains_differ([chain(states)], [chain(list(states))])


def test_a_run_that_ended_earlier_is_the_same_until_its_end_and_a_change_before_is_seen() -> None:
    states = [k * 7 + 1 for k in range(2000)]
    for end in (1, 5, 128, 129, 1000, 1999):
        assert not chains_differ([chain(states)], [chain(states[:end])])
        at = end - 1 - end // 32  # the last links of the shorter run may be its own
        if at >= 0:
            assert chains_differ([chain(states)], [chain([*states[:at], 0, *states[at + 1 : end]])])


def test_a_shift_that_lasts_is_seen_among_many_draws() -> None:
    n = EVERY_DRAW + 50 * THEN_EACH
    states = list(range(n))
    at = EVERY_DRAW + 7 * THEN_EACH + 3
    assert chains_differ([chain(states)], [chain([*states[:at], *(s + 1 for s in states[at:])])])
    assert len(chain(states)) < 400


def test_workers_are_paired_by_where_they_began() -> None:
    one, two, three = chain([1, 2, 3]), chain([4, 5]), chain([6])
    assert not chains_differ([one, two], [two, one])
    assert not chains_differ([one, two], [three, two, one])
    assert chains_differ([one, two], [one, three])
    assert chains_differ([one], [])
