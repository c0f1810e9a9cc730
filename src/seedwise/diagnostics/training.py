"""Trains a network under one seed, looks into it on the way, and walks from one solution to another. Needs torch."""

import copy
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .looking import LayerLook, Loss, look

if TYPE_CHECKING:
    from torch import Tensor, nn, optim

_LOOKED_AT = 1024
"""So many examples, the first of the data, are looked at for gradients."""
_AT_ONCE = 4096


@dataclass(frozen=True)
class Setup:
    """What is trained, and how: the same under every seed."""

    model: "Callable[[], nn.Module]"
    x: "Tensor"
    y: "Tensor"
    loss: Loss
    optimizer: "Callable[[Iterable[nn.Parameter]], optim.Optimizer]"
    epochs: int
    batch_size: int
    test_x: "Tensor"


@dataclass(frozen=True)
class Trained:
    """One seed's training: losses (epochs + 1,), looks at (epoch, layers), the network, and its outputs on the test data."""

    seed: int
    losses: NDArray[np.float64]
    looks: tuple[tuple[int, list[LayerLook]], ...]
    network: "nn.Module"
    outputs: NDArray[np.float64]

    @property
    def diverged(self) -> bool:
        """Whether the loss became NaN or infinite."""
        return not bool(np.isfinite(self.losses[-1]))


def train(setup: Setup, seed: int) -> Trained:
    """Build and train one network. The global generators have to be at the seed already.

    Training ends where the loss is no longer finite.
    """
    import torch

    model = setup.model()
    if not isinstance(model, torch.nn.Module):
        raise UsageError(f"model() builds a torch network; it gave {type(model).__name__}")
    if isinstance(model, torch.jit.ScriptModule):
        raise UsageError("a scripted network cannot be looked into: give the one that was scripted")
    steps = setup.optimizer(model.parameters())
    looked = {0, setup.epochs, *(math.ceil(setup.epochs * k / 4) for k in range(1, 4))}
    _check_shapes(model, setup)
    losses = [loss_of(model, setup)]
    looks = [(0, _look(model, setup))]
    for epoch in range(1, setup.epochs + 1):
        model.train()
        for batch in torch.randperm(len(setup.x)).split(setup.batch_size):
            steps.zero_grad()
            setup.loss(model(setup.x[batch]), setup.y[batch]).backward()
            steps.step()
        losses.append(loss_of(model, setup))
        if not math.isfinite(losses[-1]):
            break
        if epoch in looked:
            looks.append((epoch, _look(model, setup)))
    model.eval()
    with torch.no_grad():
        outputs = torch.cat([model(part) for part in setup.test_x.split(_AT_ONCE)])
    return Trained(seed, np.array(losses), tuple(looks), model, outputs.double().cpu().numpy())


def _check_shapes(model: "nn.Module", setup: Setup) -> None:
    """Raises UsageError where torch would compare each output with every target: outputs (n, 1), targets (n,)."""
    import torch

    x, y = setup.x[:2], setup.y[:2]
    model.eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.filterwarnings("error", "Using a target size")
        output = _output(model, x)
        try:
            value = setup.loss(output, y)
        except UserWarning:
            raise UsageError(
                f"the network gives shape {tuple(output.shape)} for two examples, and their targets have {tuple(y.shape)}: torch would compare each "
                "with all; give them one shape"
            ) from None
    if not isinstance(value, torch.Tensor) or value.numel() != 1:
        shape = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
        raise UsageError(f"loss(outputs, targets) gives one number, a mean over examples; got {shape}")


def _look(model: "nn.Module", setup: Setup) -> list[LayerLook]:
    return look(model, setup.loss, setup.x[:_LOOKED_AT], setup.y[:_LOOKED_AT])


def loss_of(model: "nn.Module", setup: Setup) -> float:
    """The loss on all training data, without dropout."""
    import torch

    model.eval()
    total = 0.0
    with torch.no_grad():
        for x, y in zip(setup.x.split(_AT_ONCE), setup.y.split(_AT_ONCE), strict=True):
            total += float(setup.loss(_output(model, x), y)) * len(x)
    return total / len(setup.x)


def along_the_line(a: "nn.Module", b: "nn.Module", setup: Setup, points: int = 11) -> NDArray[np.float64]:
    """Loss at evenly spaced points of the straight line between two networks' weights, shape (points,).

    The statistics of batch norm are estimated anew at every point between (Jordan et al. 2023, arXiv 2211.08403): the mean of
    both networks' would be wrong for the network between.
    """
    walker = copy.deepcopy(a)
    first, last = a.state_dict(), b.state_dict()
    found = []
    for share in np.linspace(0, 1, points).tolist():
        between = {
            name: (1 - share) * value + share * last[name] if value.is_floating_point() else value
            for name, value in first.items()
        }
        walker.load_state_dict(between)
        if 0 < share < 1:
            _normalise_anew(walker, setup.x)
        found.append(loss_of(walker, setup))
    return np.array(found)


def _output(model: "nn.Module", x: "Tensor") -> "Tensor":
    import torch

    found = model(x)
    if not isinstance(found, torch.Tensor):
        raise UsageError(
            f"the network gives {type(found).__name__}; wrap it in a network that gives the one tensor that is predicted"
        )
    return found


def _normalise_anew(model: "nn.Module", x: "Tensor") -> None:
    import torch
    from torch import nn

    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    if not norms:
        return
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over batches
        norm.train()
    with torch.no_grad():
        for part in x.split(_AT_ONCE):
            model(part)


def pairs(trained: Sequence[Trained], most: int) -> Iterator[tuple[Trained, Trained]]:
    """Pairs of the first `most` seeds that did not diverge."""
    sound = [t for t in trained if not t.diverged][:most]
    yield from ((a, b) for k, a in enumerate(sound) for b in sound[k + 1 :])
