"""The generators of each seed: what a plain script would draw under that seed, and where."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..task import Source, Task


@contextmanager
def global_generators_kept() -> Iterator[None]:
    """Put the global generators of Python, NumPy and torch (CPU) back afterwards."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def seed_globals(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch (CPU), as a script's first lines do."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)


def build(model: "Callable[[], nn.Module]", seed: int) -> "tuple[nn.Module, torch.Generator]":
    """A model built under a seed, and a generator that goes on where building it ended.

    The caller keeps the global generators (`global_generators_kept`).
    """
    seed_globals(seed)
    net = model()
    generator = torch.Generator()
    generator.set_state(torch.default_generator.get_state())
    return net, generator


@dataclass(frozen=True)
class SeedStreams:
    """The generators of one seed. Where all sources follow the seed, both are one, as in a plain script."""

    order: "torch.Generator"
    dropout: "torch.Generator"


def begin(task: Task, seed: int) -> "tuple[nn.Module, SeedStreams]":
    """The starting model of a seed and the generators that its training draws from.

    A source that is not varied has a generator of its own, which is where building the model under the held seed ended.
    """
    net, generator = build(task.model, task.seed_of(Source.INIT, seed))
    if task.vary is None:
        return net, SeedStreams(generator, generator)
    order, dropout = (build(task.model, task.seed_of(source, seed))[1] for source in (Source.ORDER, Source.DROPOUT))
    return net, SeedStreams(order, dropout)


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
