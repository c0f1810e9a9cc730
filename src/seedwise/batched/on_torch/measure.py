"""Metrics and predictions of trained models, of one or of many at once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from ..task import Data, Part, Task

Values = dict[str, float]


def accuracy(outputs: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    """The share of rows whose largest output, along axis 1, is that of the target class."""
    return (outputs.argmax(1) == targets).to(torch.float64).mean()


def mse(outputs: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    """The mean of the squared differences of outputs and targets of the same number of values."""
    return (outputs.reshape(targets.shape) - targets).square().mean()


def mae(outputs: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    """The mean of the absolute differences of outputs and targets of the same number of values."""
    return (outputs.reshape(targets.shape) - targets).abs().mean()


BUILT_IN: "Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]" = {
    "accuracy": accuracy,
    "mse": mse,
    "mae": mae,
}


def functions_for(
    task: Task, part: Part
) -> "Iterator[tuple[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]]":
    """The names and functions of what is measured on a part. The loss of the training rows is that of training itself."""
    if part is not Part.TRAIN:
        yield f"{part}_loss", task.loss
    for name, function in task.metrics.items():
        yield f"{part}_{name}", function


@contextmanager
def evaluating(net: "nn.Module") -> Iterator[None]:
    """The model in its evaluation mode, without gradients; then as it was."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def measure(task: Task, net: "nn.Module") -> "tuple[Values, torch.Tensor]":
    """The metrics of one model, and its outputs for the rows of the last part."""
    values: Values = {}
    outputs = torch.empty(0)
    with evaluating(net):
        for part, data in task.parts:
            outputs = net(data.inputs)
            for name, function in functions_for(task, part):
                values[name] = float(function(outputs, data.targets))
    return values, outputs


def measure_stacked(
    task: Task, outputs_for: "Callable[[Data], torch.Tensor]"
) -> "tuple[dict[str, list[float]], torch.Tensor]":
    """The metrics of many models, one list entry for each, and their outputs for the rows of the last part.

    `outputs_for` gives the outputs for some rows, shape (seeds, rows, …).
    """
    values: dict[str, list[float]] = {}
    outputs = torch.empty(0)
    with torch.no_grad():
        for part, data in task.parts:
            outputs = outputs_for(data)
            for name, function in functions_for(task, part):
                values[name] = _as_floats([function(one, data.targets) for one in outputs])
    return values, outputs


def _as_floats(values: "list[torch.Tensor]") -> list[float]:
    """The same as numbers; from a GPU all at once, because each look at one waits for it."""
    if all(isinstance(value, torch.Tensor) and value.is_cuda for value in values):
        return [float(value) for value in torch.stack([value.detach().reshape(()) for value in values]).cpu()]
    return [float(value) for value in values]
