"""Runs two experiments in turn, seed by seed.

So a machine that drifts, heats up or is shared affects both in the same way.
"""

import contextlib
from collections.abc import Callable, Sequence

from .cores import reserving
from .interrupts import Interrupts
from .supervisor import Supervisor

_TICK = 0.02


def run_interleaved(
    pair: tuple[Supervisor, Supervisor], seeds: Sequence[int], jobs: int, enough: Callable[[], str] | None = None
) -> bool:
    """Run both experiments under the same seeds, with `jobs` runs at a time in total. Returns False if interrupted.

    `enough` is called again and again. It returns why no further seed is needed; "" as long as seeds are needed.

    The order is A B, B A, A B … Of every two seeds, each experiment is first once, so that a steady drift cancels
    out.
    """
    started = {id(one): 0 for one in pair}
    with (
        Interrupts().caught() as interrupts,
        reserving(pair[0].setup.worlds.base, pair[0].options.threads) as cores,
        contextlib.ExitStack() as stack,
    ):
        for one in pair:
            stack.enter_context(one.working(seeds, cores, in_order=True))
        if enough is not None:
            pair[0].satisfied = pair[1].satisfied = enough()
        while any(one.busy for one in pair) and not interrupts.count:
            _fill(pair, jobs, started)
            for one in pair:
                one.step(_TICK if one.running else 0)
            _stop_both(pair, enough() if enough is not None else "")
        for one in pair:
            if not interrupts.count and not one.stopped and not one.satisfied:
                one.wait_for_others(seeds, interrupts)
    for one in pair:
        one.interrupted = bool(interrupts.count)
    return not interrupts.count


def _fill(pair: tuple[Supervisor, Supervisor], jobs: int, started: dict[int, int]) -> None:
    """Start runs until `jobs` of them are running, or none may be started."""
    while sum(one.running for one in pair) < jobs:
        compares = next((one for one in pair if one.compares_next), None)
        if compares is not None:  # this is no seed of its own, so it takes nobody's turn
            compares.start_next()
            continue
        turn = _next(pair, started)
        if turn is None or not turn.can_start:
            return
        started[id(turn)] += turn.start_next()


def _stop_both(pair: tuple[Supervisor, Supervisor], reason: str) -> None:
    """End both if one of the two has ended.

    `reason` says why no further seed is needed; or the other one was stopped.
    """
    for one in pair:
        one.satisfied = reason or one.satisfied
    if any(one.stopped for one in pair):
        for one in pair:
            one.stopped = one.stopped or "the other experiment was stopped"


def _next(pair: tuple[Supervisor, Supervisor], started: dict[int, int]) -> Supervisor | None:
    """The experiment whose turn it is; None if both have started everything."""
    first, second = pair
    done = started[id(first)], started[id(second)]
    if done[0] == done[1]:
        turn, other = (first, second) if done[0] % 2 == 0 else (second, first)
    else:
        turn, other = (first, second) if done[0] < done[1] else (second, first)
    return turn if turn.has_more else other if other.has_more else None
