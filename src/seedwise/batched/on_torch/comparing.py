"""The first seed by the plain loop and by a stacked engine: how close they are."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import nn
from torch.utils.data import DataLoader

from ..results import Closeness
from ..task import Data, Task
from .chunk import Chunk, MakeStepper
from .lone import train_alone
from .streams import begin, epoch_order, global_generators_kept

STEPS = 100
_EARLY = 10
_SMALL = 1e-3
"""Differences below this part of the way that the weights moved are taken as rounding."""
_SMALL_IN_DOUBLE = 1e-6


def steps_to_compare(task: Task) -> tuple[int, ...]:
    """After which steps both are compared: 10 and 100, or the last one."""
    return tuple(sorted({min(_EARLY, task.steps), min(STEPS, task.steps)}))


Photographs: TypeAlias = dict[int, dict[str, torch.Tensor]]
"""A seed's parameters after some steps."""


def photographed(net: "nn.Module") -> "dict[str, torch.Tensor]":
    """The parameters as they are now."""
    return {name: p.detach().clone() for name, p in net.named_parameters()}


def compare_first(
    task: Task, chunk: Chunk, make: MakeStepper, lone: Photographs | None = None
) -> tuple[Closeness, bool]:
    """How close the first seed of a trained chunk is to the plain loop, and whether that is rounding.

    Where single precision leaves a doubt, both are done again in double precision. `lone` are photographs of the plain loop, if there
    are some already.
    """
    seed = chunk.seeds[0]
    with global_generators_kept():
        net, streams = begin(task, seed)
        start = {name: p.detach().clone().to(task.device) for name, p in net.named_parameters()}
        order = epoch_order(streams.order, len(task.train))
        again = begin(task, seed)[1]
        torch.set_rng_state(again.order.get_state())
        loader = DataLoader(torch.arange(len(task.train)), len(task.train), shuffle=True)
        same_order = torch.equal(next(iter(loader)), order)
    same_start = all(torch.equal(chunk.photographs[0][name], value) for name, value in start.items())
    differences, moved = _differences(task, seed, chunk.photographs, start, lone)
    early, last = steps_to_compare(task)[0], steps_to_compare(task)[-1]
    found = Closeness(seed, same_start, same_order, last, differences[last], moved[last])
    rounding = same_start and same_order and differences[early] <= _SMALL * moved[early] + 1e-12
    if same_start and same_order and not rounding:
        difference, way = _in_double(task, seed, make)
        return replace(found, in_double=difference), difference <= _SMALL_IN_DOUBLE * way + 1e-12
    return found, rounding


def _differences(
    task: Task,
    seed: int,
    photographs: Photographs,
    start: "dict[str, torch.Tensor]",
    lone: Photographs | None = None,
) -> tuple[dict[int, float], dict[int, float]]:
    """After each step: the largest difference to the plain loop, and how far the weights had moved."""
    wanted = steps_to_compare(task)
    if lone is None or not set(wanted) <= lone.keys():
        lone = _photographs_of_the_loop(task, seed)
    differences, moved = dict.fromkeys(wanted, 0.0), dict.fromkeys(wanted, 0.0)
    for step in lone.keys() & photographs.keys() & set(wanted):  # a seed that ended before has nothing to compare there
        differences[step] = _largest((lone[step][n], t) for n, t in photographs[step].items())
        moved[step] = _largest((lone[step][n], t) for n, t in start.items())
    return differences, moved


def _photographs_of_the_loop(task: Task, seed: int) -> Photographs:
    found: Photographs = {}
    wanted = steps_to_compare(task)

    def look(step: int, net: "nn.Module") -> bool:
        if step in wanted:
            found[step] = photographed(net)
        return step < wanted[-1]

    train_alone(task, seed, look)
    return found


def _largest(pairs: "Iterable[tuple[torch.Tensor, torch.Tensor]]") -> float:
    """The largest difference in pairs of tensors. What is no number in both is equal there."""
    largest = 0.0
    for one, other in pairs:
        if one.numel():
            apart = (one - other).abs().nan_to_num(nan=float("inf"))
            largest = max(largest, float(apart.masked_fill(one.isnan() & other.isnan(), 0).max()))
    return largest


def _in_double(task: Task, seed: int, make: MakeStepper) -> tuple[float, float]:
    """The difference in double precision over the first steps, and how far the weights moved."""
    double = in_double(task)
    double = replace(
        double, epochs=min(task.epochs, -(-_EARLY // task.batches)), every=task.epochs, early_stopping=None
    )
    chunk = Chunk(double, [seed], 2, make, frozenset({0, *steps_to_compare(double)}))
    chunk.begin()
    for epoch in range(double.epochs):
        chunk.epoch(epoch * double.batches + 1)
    start = chunk.photographs[0]
    differences, moved = _differences(double, seed, chunk.photographs, start)
    last = steps_to_compare(double)[-1]
    return differences[last], moved[last]


def in_double(task: Task) -> Task:
    """The same task in double precision. Models are built as usual, and then converted."""

    def model() -> "nn.Module":
        return task.model().double()

    def convert(data: Data | None) -> Data | None:
        return (
            None if data is None else Data(*(t.double() if t.is_floating_point() else t for t in vars(data).values()))
        )

    train = convert(task.train)
    assert train is not None
    return replace(task, model=model, train=train, test=convert(task.test), validation=convert(task.validation))
