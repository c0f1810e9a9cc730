"""Early stopping of stacked seeds, each on its own: a seed that has stopped is trained on, but what it had is kept."""

from collections.abc import Mapping, Sequence

import torch

from ...results import Goal
from ..task import EarlyStopping, Task
from .patience import goal_of
from .stacked import Tensors


class StackedPatience:
    """Watches every seed of a chunk."""

    def __init__(self, stopping: EarlyStopping, width: int) -> None:
        self.stopping = stopping
        self.sign = 1.0 if goal_of(stopping) is Goal.MIN else -1.0
        self.best, self.waited = [float("inf")] * width, [0] * width
        self.stopped: list[int | None] = [None] * width
        self.kept: dict[str, torch.Tensor] = {}
        self.has_kept = [False] * width

    @classmethod
    def of(cls, task: Task, width: int) -> "StackedPatience | None":
        """The watcher that a task asks for."""
        return None if task.early_stopping is None else cls(task.early_stopping, width)

    def look(self, epoch: int, values: Mapping[str, Sequence[float]], state: Tensors) -> None:
        """Note who improved, and who stops after this epoch. Copies that fill up the chunk follow their seed."""
        measured = values[self.stopping.monitor]
        keep = [False] * len(self.best)
        for k in range(len(self.best)):
            if self.stopped[k] is not None:
                continue
            value = self.sign * measured[k % len(measured)]
            if value < self.best[k] - self.stopping.min_delta:
                self.best[k], self.waited[k] = value, 0
                keep[k] = self.stopping.restore_best
                continue
            self.waited[k] += 1
            if self.waited[k] >= self.stopping.patience:
                self.stopped[k] = epoch
                keep[k] = not self.stopping.restore_best
        if any(keep):
            self._keep(keep, state)

    def _keep(self, keep: Sequence[bool], state: Tensors) -> None:
        for name, now in state.items():
            chosen = torch.tensor(keep, device=now.device).view(-1, *[1] * (now.dim() - 1))
            self.kept[name] = torch.where(chosen, now.detach(), self.kept.get(name, now.detach()))
        self.has_kept = [had or new for had, new in zip(self.has_kept, keep, strict=True)]

    def final(self, state: Tensors) -> Tensors:
        """Parameters and buffers with which the seeds end."""
        if not self.kept:
            return state
        result = {}
        for name, now in state.items():
            chosen = torch.tensor(self.has_kept, device=now.device).view(-1, *[1] * (now.dim() - 1))
            result[name] = torch.where(chosen, self.kept[name], now.detach())
        return result

    def is_restored(self, k: int) -> bool:
        """Whether a seed ends with parameters from before its last epoch."""
        return self.stopping.restore_best and self.has_kept[k] and self.waited[k] > 0
