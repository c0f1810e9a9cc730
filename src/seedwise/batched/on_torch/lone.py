"""One seed, trained by a plain loop over a DataLoader: the reference for every other engine."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ..outcome import Array, Curves, SeedOutcome
from ..task import Keep, Task
from .dropout import drawn_from, masks_from
from .measure import measure
from .patience import Patience
from .streams import SeedStreams, begin, global_generator_of, global_generators_kept

AfterStep = Callable[[int, "nn.Module"], bool]
"""Called with the step, from 1, and the model. It says whether to go on."""


class _Order:
    """The batches of a DataLoader, whose draws come from the stream of the data order."""

    def __init__(self, task: Task, streams: SeedStreams) -> None:
        data = TensorDataset(task.train.inputs.cpu(), task.train.targets.cpu())
        self.loader = DataLoader(data, task.batch_size, shuffle=True, drop_last=task.drop_last)
        self.device, self.order = task.device, streams.order
        self.apart = task.vary is not None

    def epoch(self) -> "Iterator[tuple[torch.Tensor, torch.Tensor]]":
        """The batches of the next epoch."""
        if self.apart:
            torch.set_rng_state(self.order.get_state())
        for k, (x, y) in enumerate(self.loader):
            if self.apart and k == 0:  # base seed and order are drawn by now
                self.order.set_state(torch.get_rng_state())
            yield x.to(self.device), y.to(self.device)


def train_alone(task: Task, seed: int, after_step: AfterStep | None = None) -> SeedOutcome:
    """Train one seed as a plain script would.

    The global generators are those of the seed meanwhile, and are put back.
    """
    began = time.perf_counter()
    with global_generators_kept():
        net, streams = begin(task, seed)
        net = net.to(task.device)
        torch.set_rng_state(streams.order.get_state())
        of_device = global_generator_of(task.device)
        if of_device is not None:  # it draws dropout and nothing else
            of_device.set_state(streams.dropout.get_state())
        usual = task.vary is None or of_device is not None
        with nullcontext() if usual else masks_from(drawn_from(streams.dropout)):
            outcome = _train(task, seed, net, _Order(task, streams), after_step)
    return SeedOutcome(**{**vars(outcome), "seconds": time.perf_counter() - began})


def _train(task: Task, seed: int, net: "nn.Module", order: _Order, after_step: AfterStep | None) -> SeedOutcome:
    optimizer = task.optimizer(net.parameters())
    schedule = task.schedule(optimizer) if task.schedule is not None else None
    curves, step = Curves(), 0
    patience = Patience.of(task)
    for epoch in range(1, task.epochs + 1):
        total, rows = 0.0, 0
        for x, y in order.epoch():
            step += 1
            optimizer.zero_grad()
            loss = task.loss(net(x), y)
            loss.backward()
            if task.clip_norm is not None:
                nn.utils.clip_grad_norm_(net.parameters(), task.clip_norm)
            optimizer.step()
            if schedule is not None and task.schedule_each_step:
                schedule.step()
            value = loss.item()
            if not math.isfinite(value):
                return SeedOutcome(seed, curves, failed_step=step)
            total, rows = total + value * len(x), rows + len(x)
            if after_step is not None and not after_step(step, net):
                return SeedOutcome(seed, curves)
        if schedule is not None and not task.schedule_each_step:
            schedule.step()
        if task.is_measured_after(epoch):
            values, outputs = measure(task, net)
            curves.add(epoch, {"train_loss": total / rows, **values})
            if patience is not None and patience.look(epoch, values, net.state_dict()):
                break
    stopped = patience.stopped if patience is not None else None
    if patience is not None and patience.restores(net):
        values, outputs = measure(task, net)
        curves.add_restored(values)
    if not all(torch.isfinite(p).all() for p in net.parameters()):
        return SeedOutcome(seed, curves, failed_step=step)
    predictions = outputs.cpu().numpy().copy() if Keep.PREDICTIONS in task.keep else None
    return SeedOutcome(seed, curves, None, stopped, _kept(task, net), predictions)


def _kept(task: Task, net: "nn.Module") -> Mapping[str, Array] | None:
    if Keep.PARAMETERS not in task.keep:
        return None
    return {name: np.array(tensor.detach().cpu().numpy()) for name, tensor in net.state_dict().items()}
