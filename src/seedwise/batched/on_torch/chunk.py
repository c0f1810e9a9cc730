"""Trains one chunk of seeds together, whatever does the steps, and takes each seed's results out of it."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import nn

from ...errors import UsageError
from ..outcome import Array, Curves, SeedOutcome
from ..task import Data, Keep, Task
from .dropout import Drop
from .measure import measure_stacked
from .parts import difference, parts_of
from .rehearsal import rehearse
from .stacked import StackedModel, Tensors, evaluate
from .stacked_patience import StackedPatience
from .streams import Orders, Starts


class Stepper(Protocol):
    """Trains stacked seeds, one batch at a time."""

    @property
    def parameters(self) -> Tensors:
        """The stacked parameters, seeds first."""

    @property
    def buffers(self) -> Tensors:
        """The stacked buffers, seeds first."""

    def begin_epoch(self, orders: "torch.Tensor") -> None:
        """Take the orders of the rows in the next epoch, shape (seeds, rows)."""

    def step(self, k: int, masks: "Sequence[torch.Tensor]") -> "torch.Tensor":
        """Train on the k-th batch of each seed, from 0; returns the losses, shape (seeds,)."""

    def end_epoch(self) -> None:
        """Do what follows each epoch."""


MakeStepper = Callable[[Task, StackedModel], Stepper]


@dataclass
class Chunk:
    """Seeds that are trained together, filled up to a fixed width with copies of themselves."""

    task: Task
    seeds: Sequence[int]
    width: int
    make: MakeStepper
    photograph: frozenset[int] = frozenset()
    """Steps after which the first seed's parameters are kept."""
    photographs: dict[int, dict[str, "torch.Tensor"]] = field(default_factory=dict)
    like: Mapping[str, object] | None = None
    """The parts of a model of an earlier chunk, which these must have too, because its program is used again."""
    copies_agree: bool | None = None
    """Whether copies of a seed in other places of the chunk ended with the same bits; None where there were no copies."""
    starts: Starts | None = None
    """Where the starting models are taken from; else they are built here."""

    def begin(self) -> None:
        """Build every seed's model, and stack them."""
        task = self.task
        begun = (self.starts or Starts(task)).of(self.seeds)
        nets = [net for net, _ in begun]
        self._check_parts(nets)
        places = [k % len(nets) for k in range(self.width)]
        self.streams = [streams for _, streams in begun]
        self.places = torch.tensor(places, device=task.device)
        shared = task.vary is None and task.device == "cpu"
        generators = [s.order for s in self.streams]
        self.model = StackedModel.of([nets[k] for k in places], [*self.seeds], generators, task.device)
        sizes = {task.batch_size, *([] if task.drop_last else [len(task.train) % task.batch_size])} - {0}
        self.drops: dict[int, Sequence[Drop]] = {
            min(size, len(task.train)): rehearse(task, self.model.base, size).drops for size in sizes
        }
        ahead = 1 if shared and any(self.drops.values()) else min(task.epochs, 64)
        self.orders = Orders(generators, len(task.train), ahead)
        self.stepper = self.make(task, self.model)
        if 0 in self.photograph:
            self.photographs[0] = {n: t.detach()[0].clone() for n, t in self.stepper.parameters.items()}

    def _check_parts(self, nets: "Sequence[nn.Module]") -> None:
        """Raises UsageError where models differ in more than the values of parameters and buffers."""
        parts = [parts_of(net) for net in nets]
        self.like = parts[0] if self.like is None else self.like
        name = difference([self.like, *parts])
        if name:
            raise UsageError(
                f"{name} of the model is not the same under every seed, and stacked seeds share all but the values of parameters and "
                "buffers; engine='loop' trains each alone"
            )

    def masks(self, rows: int) -> "list[torch.Tensor]":
        """The masks of the next step."""
        dtype = next(iter(self.model.stacked.values())).dtype
        generators = [s.dropout for s in self.streams]
        return [self._filled_up(drop.masks(generators, dtype)) for drop in self.drops[rows]]

    def next_orders(self) -> "torch.Tensor":
        """The orders of the rows in the next epoch, shape (seeds, rows)."""
        return self._filled_up(self.orders.next().to(self.task.device))

    def _filled_up(self, of_seeds: "torch.Tensor") -> "torch.Tensor":
        """The same for the copies that fill up the chunk."""
        return of_seeds if len(of_seeds) == self.width else of_seeds[self.places]

    def epoch(self, first_step: int) -> "torch.Tensor":
        """Train one epoch. Returns the losses, shape (steps, seeds)."""
        losses = []
        self.stepper.begin_epoch(self.next_orders())
        for k in range(self.task.batches):
            losses.append(self.stepper.step(k, self.masks(self.task.rows_in(k))))
            step = first_step + k
            if step in self.photograph:
                self.photographs[step] = {n: t.detach()[0].clone() for n, t in self.stepper.parameters.items()}
        self.stepper.end_epoch()
        return torch.stack(losses)


class Records:
    """The curves of the seeds of a chunk, and which of them have failed."""

    def __init__(self, task: Task, seeds: Sequence[int], width: int) -> None:
        self.task = task
        self.curves = [Curves() for _ in seeds]
        self.failed: list[int | None] = [None] * len(seeds)
        self.weights = torch.tensor([task.rows_in(k) for k in range(task.batches)], dtype=torch.float64)
        self.width = width

    def take(self, losses: "torch.Tensor", first_step: int) -> list[float]:
        """Note the first step of each seed whose loss is no finite number. Returns the mean losses of the epoch."""
        losses = losses.cpu().double()
        mean = (losses * self.weights[:, None]).sum(0) / self.weights.sum()
        if not torch.isfinite(mean).all():
            bad = ~torch.isfinite(losses)
            for k in torch.nonzero(bad.any(0)).flatten().tolist():
                if k < len(self.failed) and self.failed[k] is None:
                    self.failed[k] = first_step + int(bad[:, k].int().argmax())
        return mean.tolist()  # type: ignore[no-any-return]

    def add(self, epoch: int, values: Mapping[str, Sequence[float]], stopped: Sequence[int | None]) -> None:
        """Add a point to the curves of the seeds that go on, or stop just here."""
        for k, curve in enumerate(self.curves):
            if self.failed[k] is None and stopped[k] in (None, epoch):
                curve.add(epoch, {name: of_all[k] for name, of_all in values.items()})


def train_chunk(chunk: Chunk) -> list[SeedOutcome]:
    """Train a chunk to its end."""
    began = time.perf_counter()
    chunk.begin()
    task, n = chunk.task, len(chunk.seeds)
    records = Records(task, chunk.seeds, chunk.width)
    patience = StackedPatience.of(task, chunk.width)
    outputs = torch.empty(0)
    for epoch in range(1, task.epochs + 1):
        first = (epoch - 1) * task.batches + 1
        mean = records.take(chunk.epoch(first), first)
        if not task.is_measured_after(epoch):
            if None not in records.failed:
                break
            continue
        state = chunk.stepper.parameters, chunk.stepper.buffers
        values, outputs = measure_stacked(task, _outputs(chunk, *state))
        if patience is not None:
            patience.look(epoch, values, {**state[0], **state[1]})
        stopped = patience.stopped if patience is not None else [None] * chunk.width
        records.add(epoch, {"train_loss": mean, **values}, stopped)
        if all(records.failed[k] is not None or stopped[k] is not None for k in range(n)):
            break
    final: Tensors = {**chunk.stepper.parameters, **chunk.stepper.buffers}
    if patience is not None:
        final = patience.final(final)
        values, outputs = measure_stacked(task, _outputs(chunk, *_parted(chunk, final)))
        for k in range(n):
            if records.failed[k] is None and patience.is_restored(k):
                records.curves[k].add_restored({name: of_all[k] for name, of_all in values.items()})
    stopped = patience.stopped if patience is not None else [None] * chunk.width
    return _outcomes(chunk, records, final, outputs, stopped, (time.perf_counter() - began) / n)


def _parted(chunk: Chunk, state: Tensors) -> tuple[Tensors, Tensors]:
    buffers = chunk.stepper.buffers
    return {n: t for n, t in state.items() if n not in buffers}, {n: state[n] for n in buffers}


def _outputs(chunk: Chunk, parameters: Tensors, buffers: Tensors) -> "Callable[[Data], torch.Tensor]":
    """The outputs of the real seeds of a chunk; in parts, so that many seeds fit into memory."""
    rows = max(64, 4 * chunk.task.batch_size)
    real = len(chunk.seeds)
    return lambda data: evaluate(chunk.model.base, parameters, buffers, data.inputs, rows)[:real]


def _outcomes(
    chunk: Chunk,
    records: Records,
    final: Tensors,
    outputs: "torch.Tensor",
    stopped: Sequence[int | None],
    seconds: float,
) -> list[SeedOutcome]:
    task, n = chunk.task, len(chunk.seeds)
    arrays: dict[str, Array] = {name: t.detach().cpu().numpy() for name, t in final.items()}
    chunk.copies_agree = _copies_agree(arrays, n, chunk.width)
    finite = np.ones(n, dtype=bool)
    for name in chunk.model.stacked:
        finite &= np.isfinite(arrays[name][:n].reshape(n, -1)).all(1)
    predicted = outputs.cpu().numpy() if Keep.PREDICTIONS in task.keep else None
    outcomes = []
    for k, seed in enumerate(chunk.seeds):
        failed = records.failed[k]
        if failed is None and not finite[k]:
            failed = task.steps
        kept = {name: a[k] for name, a in arrays.items()} if Keep.PARAMETERS in task.keep and failed is None else None
        shown = predicted[k] if predicted is not None and failed is None else None
        outcomes.append(SeedOutcome(seed, records.curves[k], failed, stopped[k], kept, shown, seconds))
    return outcomes


def _copies_agree(arrays: Mapping[str, Array], real: int, width: int) -> bool | None:
    if width == real:
        return None
    places = np.arange(width) % real
    return all(a.tobytes() == a[places].tobytes() for a in arrays.values())


def chunks_of(seeds: Sequence[int], width: int) -> list[Sequence[int]]:
    """The seeds in chunks of at most this width."""
    return [seeds[k : k + width] for k in range(0, len(seeds), width)]


def number_of_chunks(seeds: int, width: int) -> int:
    """How many chunks of this width hold so many seeds."""
    return math.ceil(seeds / width)
