"""The updates of torch's optimizers as functions, for a program that is traced.

Each is the `_single_tensor_…` function of torch/optim/sgd.py, adam.py, adamw.py or rmsprop.py, whose numbers come as tensors, so that
a schedule can change them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

Numbers: TypeAlias = "dict[str, torch.Tensor]"
States: TypeAlias = "tuple[torch.Tensor, ...]"


@dataclass(frozen=True)
class Update:
    """How one group of parameters is updated.

    `numbers` gives the numbers of a step, the first of which is 1. `states` is how many tensors are kept for each parameter; they begin as
    zeros. `apply` gives the new parameter and the new states.
    """

    names: tuple[str, ...]
    numbers: Callable[[dict[str, Any], int], tuple[float, ...]]
    states: int
    apply: "Callable[[torch.Tensor, torch.Tensor, States, Numbers], tuple[torch.Tensor, States]]"


def _sgd(group: dict[str, Any]) -> Update:
    decays, moves = group["weight_decay"] != 0, group["momentum"] != 0

    def numbers(now: dict[str, Any], step: int) -> tuple[float, ...]:
        return now["lr"], now["weight_decay"], now["momentum"], 1.0 if step == 1 else 1.0 - now["dampening"]

    def apply(p: "torch.Tensor", g: "torch.Tensor", states: States, n: Numbers) -> "tuple[torch.Tensor, States]":
        g = -g if group["maximize"] else g
        g = g + n["decay"] * p if decays else g
        if not moves:
            return p - n["lr"] * g, ()
        velocity = n["momentum"] * states[0] + n["fresh"] * g
        step = g + n["momentum"] * velocity if group["nesterov"] else velocity
        return p - n["lr"] * step, (velocity,)

    return Update(("lr", "decay", "momentum", "fresh"), numbers, int(moves), apply)


def _adam(group: dict[str, Any], decoupled: bool) -> Update:
    decays, amsgrad = group["weight_decay"] != 0, bool(group["amsgrad"])

    def numbers(now: dict[str, Any], step: int) -> tuple[float, ...]:
        one, two = now["betas"]
        size, root = now["lr"] / (1 - one**step), math.sqrt(1 - two**step)
        decay = 1 - now["lr"] * now["weight_decay"] if decoupled else now["weight_decay"]
        return size, root, decay, 1 - one, two, 1 - two, now["eps"]

    def apply(p: "torch.Tensor", g: "torch.Tensor", states: States, n: Numbers) -> "tuple[torch.Tensor, States]":
        g = -g if group["maximize"] else g
        if decays and decoupled:
            p = p * n["decay"]
        elif decays:
            g = g + n["decay"] * p
        mean = states[0] + n["fresh1"] * (g - states[0])
        square = states[1] * n["beta2"] + n["fresh2"] * g * g
        most = torch.maximum(states[2], square) if amsgrad else square
        root = most.sqrt() / n["root"] + n["eps"]
        return p - n["size"] * (mean / root), (mean, square, most)[: 2 + amsgrad]

    names = ("size", "root", "decay", "fresh1", "beta2", "fresh2", "eps")
    return Update(names, numbers, 2 + amsgrad, apply)


def _rmsprop(group: dict[str, Any]) -> Update:
    decays, moves, centered = group["weight_decay"] != 0, group["momentum"] > 0, bool(group["centered"])

    def numbers(now: dict[str, Any], _: int) -> tuple[float, ...]:
        return now["lr"], now["weight_decay"], now["alpha"], 1 - now["alpha"], now["eps"], now["momentum"]

    def apply(p: "torch.Tensor", g: "torch.Tensor", states: States, n: Numbers) -> "tuple[torch.Tensor, States]":
        g = -g if group["maximize"] else g
        g = g + n["decay"] * p if decays else g
        square, rest = states[0] * n["alpha"] + n["fresh"] * g * g, list(states[1:])
        kept, inner = [square], square
        if centered:
            mean = rest.pop(0)
            mean = mean + n["fresh"] * (g - mean)
            kept.append(mean)
            inner = square - mean * mean
        step = g / (inner.sqrt() + n["eps"])
        if moves:
            step = rest.pop(0) * n["momentum"] + step
            kept.append(step)
        return p - n["lr"] * step, tuple(kept)

    return Update(("lr", "decay", "alpha", "fresh", "eps", "momentum"), numbers, 1 + centered + moves, apply)


def updates_of(optimizer: "torch.optim.Optimizer") -> Sequence[Update] | None:
    """The update of each group of parameters; None for an optimizer that is not one of the four."""
    kind = type(optimizer)
    makers: dict[Any, Callable[[dict[str, Any]], Update]] = {
        torch.optim.SGD: _sgd,
        torch.optim.Adam: lambda group: _adam(group, bool(group.get("decoupled_weight_decay", False))),
        torch.optim.AdamW: lambda group: _adam(group, True),
        torch.optim.RMSprop: _rmsprop,
    }
    if kind not in makers or any(isinstance(g["lr"], torch.Tensor) for g in optimizer.param_groups):
        return None
    return [makers[kind](group) for group in optimizer.param_groups]
