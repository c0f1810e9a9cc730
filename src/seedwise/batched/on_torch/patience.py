"""Early stopping of one seed in a plain loop. The stacked engines do the same for each seed (`stacked_patience`)."""

import copy
from collections.abc import Mapping

import torch
from torch import nn

from ...errors import UsageError
from ...metrics.goals import guess_goal
from ...results import Goal
from ..task import EarlyStopping, Task


def goal_of(stopping: EarlyStopping) -> Goal:
    """Which way the monitored metric is better. Raises UsageError if nothing says it."""
    goal = Goal(stopping.goal) if stopping.goal is not None else guess_goal(stopping.monitor)
    if goal is None:
        raise UsageError(
            f"early stopping on {stopping.monitor}: say whether less or more is better, goal='min' or 'max'"
        )
    return goal


class Patience:
    """Watches one seed."""

    def __init__(self, stopping: EarlyStopping) -> None:
        self.stopping = stopping
        self.sign = 1.0 if goal_of(stopping) is Goal.MIN else -1.0
        self.best, self.waited = float("inf"), 0
        self.best_state: dict[str, torch.Tensor] | None = None
        self.stopped: int | None = None

    @classmethod
    def of(cls, task: Task) -> "Patience | None":
        """The watcher that a task asks for."""
        return None if task.early_stopping is None else cls(task.early_stopping)

    def look(self, epoch: int, values: Mapping[str, float], state: "Mapping[str, torch.Tensor]") -> bool:
        """Whether the seed stops after this epoch."""
        value = self.sign * values[self.stopping.monitor]
        if value < self.best - self.stopping.min_delta:
            self.best, self.waited = value, 0
            if self.stopping.restore_best:
                self.best_state = copy.deepcopy(dict(state))
            return False
        self.waited += 1
        if self.waited >= self.stopping.patience:
            self.stopped = epoch
        return self.stopped is not None

    def restores(self, net: "nn.Module") -> bool:
        """Put the best parameters back. Returns whether they may differ from the last ones."""
        if self.best_state is None or self.waited == 0:
            return False
        net.load_state_dict(self.best_state)
        return True
