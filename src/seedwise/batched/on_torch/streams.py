"""The generators of each seed: what a plain script would draw under that seed, and where."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..task import Source, Task


def global_generator_of(device: str) -> "torch.Generator | None":
    """The global generator of a GPU, from which dropout on it draws; None for the CPU."""
    place = torch.device(device)
    if place.type != "cuda":
        return None
    torch.cuda.init()
    return torch.cuda.default_generators[torch.cuda.current_device() if place.index is None else place.index]


@contextmanager
def global_generators_kept() -> Iterator[None]:
    """Put the global generators of Python, NumPy and torch (those of GPUs too) back afterwards."""
    gpus = torch.cuda.default_generators if torch.cuda.is_initialized() else ()
    of_torch = [(generator, generator.get_state()) for generator in (torch.default_generator, *gpus)]
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
        for generator, state in of_torch:
            generator.set_state(state)


def seed_globals(seed: int, device: str) -> None:
    """Seed the global generators of Python, NumPy and torch (that of the device too), as a script's first lines do."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    own = global_generator_of(device)
    if own is not None:
        own.manual_seed(seed)


def build(model: "Callable[[], nn.Module]", seed: int, device: str = "cpu") -> "tuple[nn.Module, torch.Generator]":
    """A model built under a seed, and a generator on the CPU that goes on where building it ended.

    The caller keeps the global generators (`global_generators_kept`).
    """
    seed_globals(seed, device)
    net = model()
    return net, copied(torch.default_generator)


def copied(generator: "torch.Generator") -> "torch.Generator":
    """Another generator on the same device, in the same state."""
    copy = torch.Generator(generator.device)
    copy.set_state(generator.get_state())
    return copy


@dataclass(frozen=True)
class SeedStreams:
    """The generators of one seed. On the CPU both are one where all sources follow the seed, as in a plain script.

    On a GPU `order` is on the CPU, as that of a DataLoader is, and `dropout` on the GPU.
    """

    order: "torch.Generator"
    dropout: "torch.Generator"

    def copy(self) -> "SeedStreams":
        """Others in the same state."""
        order = copied(self.order)
        return SeedStreams(order, order if self.dropout is self.order else copied(self.dropout))


def begin(task: Task, seed: int) -> "tuple[nn.Module, SeedStreams]":
    """The starting model of a seed and the generators that its training draws from.

    A source that is not varied has a generator of its own, which is where building the model under the held seed ended.
    """
    net, streams = _begin(task, task.seed_of(Source.INIT, seed))
    if task.vary is None:
        return net, streams
    order, dropout = (_begin(task, task.seed_of(source, seed))[1] for source in (Source.ORDER, Source.DROPOUT))
    return net, SeedStreams(order.order, dropout.dropout)


def _begin(task: Task, seed: int) -> "tuple[nn.Module, SeedStreams]":
    net, generator = build(task.model, seed, task.device)
    own = global_generator_of(task.device)
    return net, SeedStreams(generator, generator if own is None else copied(own))


class Starts:
    """The starting models of seeds, each built once, however often it is tried before it is trained."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._begun: dict[int, tuple[nn.Module, SeedStreams]] = {}

    def of(self, seeds: Sequence[int]) -> "list[tuple[nn.Module, SeedStreams]]":
        """What `begin` gives for each seed, in the order of the seeds. The models are shared: whoever takes one leaves it as it is."""
        with global_generators_kept():
            for seed in seeds:
                if seed not in self._begun:
                    self._begun[seed] = begin(self.task, seed)
        return [(net, streams.copy()) for net, streams in map(self._begun.__getitem__, seeds)]

    def forget(self) -> None:
        """Free the memory."""
        self._begun.clear()


_WORD = torch.int64


def epoch_order(generator: "torch.Generator", rows: int) -> "torch.Tensor":
    """The order of the rows in the next epoch, as a shuffling DataLoader without workers draws it from this generator.

    At each `iter()` a DataLoader draws a base seed for workers, then its RandomSampler draws the seed of a new generator, whose
    first permutation is the order. Source: torch/utils/data/dataloader.py, `_BaseDataLoaderIter`; sampler.py, `RandomSampler`.
    """
    torch.empty((), dtype=_WORD).random_(generator=generator)
    seed = int(torch.empty((), dtype=_WORD).random_(generator=generator))
    inner = torch.Generator()
    inner.manual_seed(seed)
    return torch.randperm(rows, generator=inner)


class Orders:
    """The orders of the rows for many seeds, epoch by epoch.

    Parameters
    ----------
    generators
        One generator for each seed.
    rows
        How many rows there are.
    ahead
        How many epochs' seeds are drawn at a time. It is 1 where something else draws from the same generators.
    """

    def __init__(self, generators: "Sequence[torch.Generator]", rows: int, ahead: int = 1) -> None:
        self.generators, self.rows, self.ahead = generators, rows, ahead
        self._inner = torch.Generator()
        self._seeds: list[list[int]] = []

    def next(self) -> "torch.Tensor":
        """The orders of the next epoch, shape (seeds, rows)."""
        if not self._seeds:
            drawn = torch.empty((len(self.generators), 2 * self.ahead), dtype=_WORD)
            for row, generator in zip(drawn, self.generators, strict=True):
                row.random_(generator=generator)
            self._seeds = drawn[:, 1::2].t().tolist()
        orders = torch.empty((len(self.generators), self.rows), dtype=_WORD)
        inner = self._inner
        for seed, row in zip(self._seeds.pop(0), orders.unbind(), strict=True):
            inner.manual_seed(seed)
            torch.randperm(self.rows, generator=inner, out=row)
        return orders
