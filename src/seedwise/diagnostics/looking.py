"""Looks into a network at one moment of its training: gradients, copies of units, saturation. Needs torch."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

Loss = Callable[["Tensor", "Tensor"], "Tensor"]
_DERIVATIVE = 0.01
"""An output of tanh or sigmoid is saturated where the derivative is below this share of its largest."""


@dataclass(frozen=True)
class LayerLook:
    """One layer at one moment.

    Attributes
    ----------
    gradient
        Root mean square, over examples and units, of the gradient with respect to the unit's output (of images and
        sequences: its norm over places).
    dead
        For each unit, whether the gradient is exactly 0 on every example.
    rows
        What each unit is made of: incoming weights and bias, shape (units, …); None where units are not rows (recurrent).
    saturated
        Share of saturated outputs of the tanh or sigmoid behind the layer; None without one.
    """

    name: str
    gradient: float
    dead: NDArray[np.bool_]
    rows: NDArray[np.float64] | None
    saturated: float | None


def look(model: "nn.Module", loss: Loss, x: "Tensor", y: "Tensor") -> list[LayerLook]:
    """The layers of a network in the order in which they compute, on these examples.

    A copy is looked at, with its batch norm as in training and without dropout, and no generator moves on. Layers are
    modules without submodules that have a weight matrix or more.
    """
    import torch
    from torch import nn

    seen = copy.deepcopy(model)
    seen.train()
    for module in seen.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        with _watched(seen) as (order, gradients, saturated):
            value = loss(seen(x), y)
            if value.requires_grad:
                value.backward()
    layers = dict(seen.named_modules())
    return [
        _layer(name, layers[name], gradients[name], saturated.get(name))
        for name in dict.fromkeys(order)
        if name in gradients
    ]


Grads = dict[str, list["Tensor"]]


@contextmanager
def _watched(model: "nn.Module") -> Iterator[tuple[list[str], Grads, dict[str, list[float]]]]:
    """While this is open, the order of layers, the gradients of their outputs, and saturation behind each are noted."""
    from torch.overrides import TorchFunctionMode

    order: list[str] = []
    gradients: Grads = {}
    saturated: dict[str, list[float]] = {}

    class Watch(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            result = func(*args, **(kwargs or {}))
            kind = getattr(func, "__name__", "").rstrip("_")
            if kind in ("tanh", "sigmoid") and order:
                saturated.setdefault(order[-1], []).append(_saturated(kind, result))
            return result

    def note(name: str) -> Callable[..., None]:
        def hook(module: "nn.Module", given: object, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            order.append(name)
            if getattr(first, "requires_grad", False):
                first.register_hook(lambda grad: gradients.setdefault(name, []).append(grad.detach()))

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in model.named_modules() if _is_layer(module)]
    try:
        with Watch():
            yield order, gradients, saturated
    finally:
        for hook in hooks:
            hook.remove()


def _is_layer(module: "nn.Module") -> bool:
    own = list(module.parameters(recurse=False))
    return not any(True for _ in module.children()) and any(p.ndim >= 2 for p in own)


def _saturated(kind: str, output: "Tensor") -> float:
    """Share of outputs where the derivative, 1 - t² or 4·s(1 - s), is below `_DERIVATIVE`."""
    out = output.detach()
    slope = 1 - out**2 if kind == "tanh" else 4 * out * (1 - out)
    return float((slope < _DERIVATIVE).double().mean())


def _layer(name: str, module: "nn.Module", gradients: list["Tensor"], saturated: list[float] | None) -> LayerLook:
    from torch import nn

    convolution = isinstance(module, nn.modules.conv._ConvNd)
    squares, alive = [], None
    for grad in gradients:
        g = grad.double()
        g = g.movedim(1 if convolution and g.ndim > 2 else -1, -1)  # units last
        found = (g != 0).reshape(-1, g.shape[-1]).any(dim=0)
        alive = found if alive is None else alive | found
        squares.append((g**2).reshape(g.shape[0], -1, g.shape[-1]).sum(dim=1) if g.ndim > 1 else (g**2)[None])
    assert alive is not None
    gradient = float(np.sqrt(np.mean([float(s.mean()) for s in squares])))
    behind = None if saturated is None else float(np.mean(saturated))
    kind = type(module).__name__
    shown = (
        f"{name} ({kind})" if name.rpartition(".")[2].isdigit() else name or kind
    )  # places in a Sequential say little
    return LayerLook(shown, gradient, (~alive).cpu().numpy(), _rows(module), behind)


def _rows(module: "nn.Module") -> NDArray[np.float64] | None:
    """Incoming weights and bias of each unit."""
    from torch import nn

    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if weight is None or isinstance(module, nn.RNNBase | nn.Embedding):
        return None
    w = weight.detach().double().cpu()
    transposed = isinstance(module, nn.modules.conv._ConvTransposeNd)
    rows = (w.transpose(0, 1) if transposed else w).reshape(w.shape[1] if transposed else w.shape[0], -1).numpy()
    if bias is not None and bias.numel() == len(rows):
        rows = np.hstack([rows, bias.detach().double().cpu().numpy()[:, None]])
    found: NDArray[np.float64] = rows
    return found
