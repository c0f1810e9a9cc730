"""Many seeds in each operation: torch.vmap over stacked parameters, with a stock optimizer on the stacks.

Loss and gradients are traced once for each batch size, which leaves out the work of vmap and autograd in every later step.
"""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import fx
from torch.fx.experimental.proxy_tensor import make_fx

from ..task import Task
from .stacked import StackedModel, Tensors, call, quick_paths_off
from .steady import steadied

Programs: TypeAlias = dict[tuple[int, ...], fx.GraphModule]
"""The program for each number of seeds and rows."""


class VmapStepper:
    """Trains stacked seeds, one batch at a time."""

    def __init__(self, task: Task, model: StackedModel, programs: Programs | None = None, traced: bool = True) -> None:
        self.task, self.model, self.traced = task, model, traced
        self.programs: Programs = {} if programs is None else programs
        self.optimizer = task.optimizer(list(model.parameters()))
        self.schedule = None if task.schedule is None else task.schedule(self.optimizer)
        self.trained = [name for name, p in model.stacked.items() if p.requires_grad]

    @property
    def parameters(self) -> Tensors:
        """The stacked parameters, seeds first."""
        return self.model.stacked

    @property
    def buffers(self) -> Tensors:
        """The stacked buffers, seeds first."""
        return self.model.buffers

    def begin_epoch(self, orders: "torch.Tensor") -> None:
        """Take the orders of the rows in the next epoch, shape (seeds, rows)."""
        self.batches = orders.split(self.task.batch_size, 1)

    def step(self, k: int, masks: "Sequence[torch.Tensor]") -> "torch.Tensor":
        """Train on the k-th batch of each seed, from 0; returns the losses, shape (seeds,)."""
        task, model, rows = self.task, self.model, self.batches[k]
        x, y = task.train.inputs[rows], task.train.targets[rows]
        inputs = [*(p.detach() for p in model.stacked.values()), *model.buffers.values(), x, y, *masks]
        losses, *rest = self._losses_and_more(tuple(rows.shape), inputs)
        gradients, buffers = rest[: len(self.trained)], rest[len(self.trained) :]
        model.buffers = dict(zip(model.buffers, buffers, strict=True))
        for name, gradient in zip(self.trained, gradients, strict=True):
            model.stacked[name].grad = gradient
        if task.clip_norm is not None:
            clip_each(list(model.parameters()), task.clip_norm)
        self.optimizer.step()
        if self.schedule is not None and task.schedule_each_step:
            self.schedule.step()
        return losses

    def _losses_and_more(self, shape: tuple[int, ...], inputs: "list[torch.Tensor]") -> "list[torch.Tensor]":
        if not self.traced:
            with quick_paths_off():
                return self._losses_and_gradients(inputs)
        if shape not in self.programs:
            with quick_paths_off():
                self.programs[shape] = steadied(make_fx(lambda *flat: self._losses_and_gradients(flat))(*inputs))
        with torch.no_grad():
            return self.programs[shape](*inputs)  # type: ignore[no-any-return]

    def _losses_and_gradients(self, flat: "Sequence[torch.Tensor]") -> "list[torch.Tensor]":
        """The loss of each seed, the gradients of the trained parameters (None where one is not used), the new buffers.

        `flat` are parameters, buffers, inputs, targets, masks.
        """
        task, model, given = self.task, self.model, iter(flat)
        named = {name: next(given).detach().requires_grad_(name in self.trained) for name in model.stacked}
        buffers = {name: next(given) for name in model.buffers}
        x, y, masks = next(given), next(given), tuple(given)

        def one(
            parameters: Tensors, buffers: Tensors, x: "torch.Tensor", y: "torch.Tensor", masks: "Sequence[torch.Tensor]"
        ) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
            outputs, own = call(model.base, parameters, buffers, x, masks)
            return task.loss(outputs, y), own

        with torch.enable_grad():
            losses, own = torch.vmap(one)(named, buffers, x, y, masks)
            gradients = torch.autograd.grad(losses.sum(), [named[name] for name in self.trained], allow_unused=True)
        return [losses.detach(), *gradients, *(own[name].detach() for name in model.buffers)]

    def end_epoch(self) -> None:
        """Step the schedule, where it goes by epochs."""
        if self.schedule is not None and not self.task.schedule_each_step:
            self.schedule.step()


def clip_each(parameters: "Sequence[torch.Tensor]", most: float) -> None:
    """Clip each seed's own gradient to a norm, as `torch.nn.utils.clip_grad_norm_` does for one model."""
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return
    norms = torch.stack([g.flatten(1).norm(2, dim=1) for g in grads])
    factor = (most / (norms.norm(2, dim=0) + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(factor.view(-1, *[1] * (grad.dim() - 1)))
