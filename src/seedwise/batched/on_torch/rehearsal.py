"""One step of one model, done once before training: which masks it needs, and how much memory."""

import copy
from dataclasses import dataclass

import torch
from torch import nn

from ...errors import UsageError
from ..task import Task
from .dropout import Drop, masks_from, recorded_in
from .stacked import quick_paths_off


@dataclass(frozen=True)
class Rehearsal:
    """What one step of one seed needs.

    `drops` are the masks in the order in which they are drawn. `unused` are parameters without a gradient. `bytes` is an estimate of
    its memory.
    """

    drops: tuple[Drop, ...]
    unused: frozenset[str]
    bytes: int


def rehearse(task: Task, net: "nn.Module", rows: int) -> Rehearsal:
    """Do one step with the first `rows` rows on a copy of a model."""
    drops: list[Drop] = []
    saved = 0

    def count(tensor: "torch.Tensor") -> "torch.Tensor":
        nonlocal saved
        saved += tensor.numel() * tensor.element_size()
        return tensor

    own = copy.deepcopy(net)
    x, y = task.train.inputs[:rows], task.train.targets[:rows]
    with masks_from(recorded_in(drops)), quick_paths_off():
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            loss = task.loss(own(x), y)
    if loss.dim() != 0:
        raise UsageError(
            f"the loss is one number for a batch; this one has shape {tuple(loss.shape)}: reduce it to its mean"
        )
    loss.backward()
    unused = frozenset(name for name, p in own.named_parameters() if p.grad is None)
    values = sum(p.numel() * p.element_size() for p in own.parameters())
    batch = sum(t.numel() * t.element_size() for t in (x, y))
    return Rehearsal(tuple(drops), unused, 6 * values + 3 * saved + 2 * batch)
