"""Chooses the seeds that are run both ways, fresh and forked, and follows each of them until it is compared.

`fresh_and_forked` makes the comparison.
"""

import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ..sandbox.worlds import Worlds
from .attempt import Attempt, Told
from .forking import Forking, Stage
from .fresh_and_forked import Observed, difference, timed_differently
from .processes import Exit

_LONGER = 3.0
"""A forked twin may take this many times as long as the fresh run, plus ten seconds."""
_MOST_KILLED = 3


class Purpose(Enum):
    """Why a process is started."""

    RUN = "run"
    """The process is the run of its seed."""
    TWIN = "twin"
    """The process is forked, is compared with the fresh run of its seed, and is then thrown away."""
    AGAIN = "again"
    """The process is fresh. It shows whether fresh runs differ from each other, and is then thrown away."""


@dataclass
class Work:
    """A process that is running. With `announce`, it reports what it imports."""

    number: int
    attempt: Attempt
    cores: list[int]
    purpose: Purpose = Purpose.RUN
    forked: bool = False
    announce: bool = False
    began: float = field(default_factory=time.monotonic)


@dataclass
class Pair:
    """The state of a seed that is run both ways."""

    seed: int
    fresh: Observed | None = None
    twin: Observed | None = None
    twin_due: bool = False
    again_due: bool = False
    different: str = ""
    timed: frozenset[str] = frozenset()
    """Metrics that differ and may be durations. Another fresh run shows whether they are."""
    thrown_away: list[Attempt] = field(default_factory=list)
    killed: int = 0
    """How often one of its processes was killed from outside. This says nothing about the comparison."""
    too_long: bool = False
    """Whether the forked twin was ended because it took much longer than the fresh run."""

    def take_due(self) -> Purpose:
        """The process that must be started next. It is then no longer due."""
        purpose = Purpose.TWIN if self.twin_due else Purpose.AGAIN
        self.twin_due = self.again_due = False
        return purpose


class BothWays:
    """Decides which runs are forked, and has some seeds run both ways. It starts no process itself.

    Parameters
    ----------
    forking
        None if nothing is ever forked.
    worlds
        The private files of the runs.
    """

    def __init__(self, forking: Forking | None, worlds: Worlds) -> None:
        self.forking = forking
        self._worlds = worlds
        self._pairs: dict[int, Pair] = {}
        """Seeds that are run both ways and are not compared yet."""
        self._chosen: set[int] = set()
        """Seeds that will be run both ways when runs are forked."""
        self.through: list[Attempt] = []
        """Attempts that were compared and are no longer needed."""

    # --- which seeds, and when -------------------------------------------------------------------------------------

    def choose(self, seeds: Sequence[int], pending: Sequence[int], in_order: bool) -> list[int]:
        """Choose those of `seeds` that are `pending`; they are run both ways.

        Returns the pending seeds with these first, unless `in_order`.
        """
        if self.forking is None or self.forking.stage is Stage.OFF:
            return list(pending)
        done = set(self.forking.record.seeds)
        self._chosen = {seed for seed in seeds if seed not in done and seed in pending}
        if in_order:
            return list(pending)
        first = [] if self.forking.known else list(pending)[:1]
        early = [*first, *(seed for seed in self._chosen if seed not in first)]
        return [*early, *(seed for seed in pending if seed not in early)]

    @property
    def is_waiting(self) -> bool:
        """Whether runs may be forked soon."""
        return self.forking is not None and self.forking.stage in (Stage.STARTING, Stage.READY, Stage.COMPARING)

    def had_better_wait(self, left: int, next_seed: int | None) -> bool:
        """Whether runs will be forked in a moment, so that it is worth waiting."""
        if self.forking is None or not self.forking.begun or not (self._pairs or self.forking.known):
            return False
        if self.forking.known and next_seed in self._chosen:
            return False  # this seed is run fresh in any case
        return left > (0 if self.forking.known else 1) and self.forking.holding

    def start(self, work: Work, left: int) -> None:
        """Decide for a run that will be started now whether it is forked, and whether it announces its imports."""
        forking, seed = self.forking, work.attempt.seed
        if forking is None:
            return
        chosen = seed in self._chosen
        if forking.stage is Stage.FORKING:
            work.forked = not chosen
        elif forking.stage in (Stage.STARTING, Stage.READY) and not self._pairs and left:
            work.announce = not forking.begun
            chosen = True
        if chosen and forking.stage is not Stage.OFF:  # its twin is forked when runs are forked
            self._chosen.discard(seed)
            self._pairs[seed] = Pair(seed)

    def due(self) -> Pair | None:
        """A pair for which another process must be started; None if there is none."""
        return next((pair for pair in self._pairs.values() if pair.twin_due or pair.again_due), None)

    def look(self, left: int, running: Sequence[Work]) -> list[Work]:
        """Have the first seed run both ways when the process that forks is ready.

        This is done only if it saves more time than it costs.

        Returns the processes that must be ended.
        """
        forking = self.forking
        if forking is None:
            return []
        forking.look()
        worth, ended = forking.is_worth_it(left), []
        if forking.stage is Stage.READY:
            pair = next(iter(self._pairs.values()), None)
            if not left or (pair is not None and not worth):
                forking.turn_off("")
                self._pairs.clear()
            elif pair is not None:
                pair.twin_due = True
                forking.stage = Stage.COMPARING
        elif forking.stage is Stage.COMPARING and forking.first_seconds is None and not worth:
            ended = [work for work in running if work.purpose is not Purpose.RUN]
            for pair in self._pairs.values():
                pair.twin_due = pair.again_due = False
            forking.turn_off("")
        if forking.first_seconds is not None:
            ended += self._slow_twins(running, forking.first_seconds)
        if forking.stage is Stage.FORKING:
            busy = {work.attempt.seed for work in running if work.purpose is not Purpose.RUN}
            for pair in self._pairs.values():
                if pair.fresh is not None and pair.twin is None and not pair.again_due and pair.seed not in busy:
                    pair.twin_due = True
        return ended

    def _slow_twins(self, running: Iterable[Work], fresh_seconds: float) -> list[Work]:
        """Forked twins that take much longer than the fresh run. They are taken to hang."""
        found = []
        for work in running:
            pair = self._pairs.get(work.attempt.seed)
            limit = work.began + _LONGER * fresh_seconds + 10
            if work.purpose is Purpose.TWIN and pair is not None and time.monotonic() > limit:
                pair.too_long = True
                found.append(work)
        return found

    # --- what came of it -------------------------------------------------------------------------------------------

    def ended(self, work: Work, exit_: Exit, told: Told) -> bool:
        """Call this when a process has ended that was only compared. Returns whether a comparison is finished."""
        pair = self._pairs.get(work.attempt.seed)
        if self.forking is None or self.forking.stage is Stage.OFF:
            if pair is not None:
                self._forget(pair)
            return False
        if exit_.lost:  # the process that forked it has ended; another one is started
            if pair is not None and self.forking.record.verdict is None:
                pair.twin_due = False
            return False
        return self.observe(work, exit_, told)

    def observe(self, work: Work, exit_: Exit, told: Told) -> bool:
        """Call this when a process of a seed that is run both ways has ended.

        It compares as soon as both sides are there.

        Returns whether a comparison is finished, so that the record has changed.
        """
        pair = self._pairs.get(work.attempt.seed)
        if pair is None or self.forking is None:
            return False
        observed = Observed(work.attempt.folder, exit_.status, told)
        if exit_.status == -signal.SIGKILL and not pair.too_long and pair.killed < _MOST_KILLED:
            self._killed(pair, work.purpose)
            return False
        if work.purpose is Purpose.AGAIN and pair.fresh is not None:
            unsteady = bool(difference(pair.fresh, observed, self._worlds))
            if not pair.different:
                # only numbers that look like durations differ; they are durations if fresh runs differ there as well
                left = pair.timed - timed_differently(pair.fresh, observed)
                pair.different = f"the metric {sorted(left)[0]}" if left else ""
                unsteady = unsteady and bool(left)
            return self._compared(pair, unsteady)
        if work.purpose is Purpose.TWIN:
            pair.twin = observed
        elif not work.forked:
            pair.fresh = observed
            if self.forking.first_seconds is None:
                self.forking.first_ended(exit_.seconds)
        if pair.fresh is None or pair.twin is None:
            return False
        pair.different = difference(pair.fresh, pair.twin, self._worlds)
        pair.timed = timed_differently(pair.fresh, pair.twin)
        if pair.different or pair.timed:
            pair.twin, pair.again_due = None, True
            return False
        return self._compared(pair, False)

    def _killed(self, pair: Pair, purpose: Purpose) -> None:
        """One of the pair's processes was killed from outside: have it started once more."""
        assert self.forking is not None
        pair.killed += 1
        if purpose is Purpose.RUN:
            self._forget(pair)
            if self.forking.stage is Stage.COMPARING and not self._pairs:
                self.forking.stage = Stage.READY  # the next seed takes its place
        pair.twin_due, pair.again_due = purpose is Purpose.TWIN, purpose is Purpose.AGAIN

    def _compared(self, pair: Pair, unsteady: bool) -> bool:
        """A comparison is finished: note what it showed."""
        assert self.forking is not None
        goes_on = self.forking.compared(pair.seed, pair.different, unsteady)
        if goes_on and self.forking.stage is not Stage.FORKING:
            pair.different = ""  # once more, with only the first lines
        else:
            self._forget(pair)
        return True

    def _forget(self, pair: Pair) -> None:
        self._pairs.pop(pair.seed, None)
        self.through += pair.thrown_away
        pair.thrown_away = []

    def close(self) -> None:
        """Stop comparing."""
        for pair in list(self._pairs.values()):
            self._forget(pair)
