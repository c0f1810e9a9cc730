"""The first seed alone, which is timed. It is trained to its end where that is soon; else its first steps serve the comparison."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from ..outcome import SeedOutcome
from ..task import Task
from .comparing import Photographs, photographed, steps_to_compare
from .lone import train_alone

_TIMED = 24
"""Steps from which the time of one is taken."""
_LEAST, _LONG = 4, 3.0
"""So many steps are enough where they take so many seconds."""
_PATIENCE = 0.5
"""Seconds in which steps are done that only the comparison needs."""


@dataclass
class Trial:
    """What is known of the first of so many seeds alone.

    `step_seconds` is the time of one step; `outcome` what came out, if it was trained to its end; `photographs` its parameters after the
    steps at which a stack is compared with it.
    """

    task: Task
    seed: int
    seeds: int
    worth_a_look: float
    """Seconds that all seeds must take alone before anything else is tried."""
    processes: int
    step_seconds: float = 0.0
    outcome: SeedOutcome | None = None
    photographs: Photographs = field(default_factory=dict)

    def alone(self) -> float:
        """Seconds of all seeds alone, in several processes where that pays."""
        serial = self.seeds * self.task.steps * self.step_seconds
        return serial / self.processes_for(serial)

    def processes_for(self, serial: float) -> int:
        """How many processes train so many seconds of seeds alone."""
        return min(self.processes, self.seeds) if serial > WORTH_PROCESSES else 1

    @property
    def is_soon_done(self) -> bool:
        """Whether all seeds are trained alone before another way is found."""
        return self.alone() < self.worth_a_look


WORTH_PROCESSES = 1.0
"""Seconds of training from which it pays to start processes."""


def try_alone(trial: Trial) -> Trial:
    """Train the first seed alone, as far as it is of use."""
    task = trial.task
    began, clock = time.perf_counter(), clock_for(task)
    times = [clock()]
    wanted = steps_to_compare(task)
    stopped = False

    def look(step: int, net: "nn.Module") -> bool:
        nonlocal stopped
        if step in wanted:
            trial.photographs[step] = photographed(net)
        if trial.step_seconds == 0:
            times.append(clock())
            if step < min(_TIMED, task.steps) and (step < _LEAST or time.perf_counter() - began < _LONG):
                return True
            trial.step_seconds = _middle(times)
        if trial.is_soon_done:
            return True
        stopped = step >= wanted[-1] or time.perf_counter() - began > _PATIENCE
        return not stopped

    outcome = train_alone(task, trial.seed, look)
    trial.step_seconds = trial.step_seconds or _middle([*times, clock()])  # a seed may fail at its first step
    trial.outcome = None if stopped else outcome
    return trial


def clock_for(task: Task) -> Callable[[], float]:
    """The clock by which steps are compared: the processor's time, so that other work on the machine does not favour short steps.

    On a GPU, which works beside the processor, it is the time on the wall.
    """
    return time.thread_time if task.device == "cpu" else time.perf_counter


def _middle(times: list[float]) -> float:
    """The median time between two steps; the first, which holds the start of everything, counts where there is no other."""
    between = sorted(b - a for a, b in itertools.pairwise(times[1:] if len(times) > 2 else times))
    return max(between[len(between) // 2], 1e-9) if between else 0.0
