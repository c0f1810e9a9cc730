"""Looks into a network at one moment of its training: gradients, copies of units, saturation. Needs torch."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import sequences
from .result import Saturates

if TYPE_CHECKING:
    from torch import Tensor, nn

Loss = Callable[["Tensor", "Tensor"], "Tensor"]


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
        What each unit is made of: incoming weights and bias, shape (units, …); None for an embedding.
    saturated
        Share of saturated outputs of the tanh or sigmoid behind the layer, of the gates inside it, or of rows of attention
        (`what` says which); None without one.
    through_time
        A recurrent layer: the gradient of the first step over that of the last one.
    """

    name: str
    gradient: float
    dead: NDArray[np.bool_]
    rows: NDArray[np.float64] | None
    saturated: float | None
    what: Saturates = Saturates.UNITS
    through_time: float | None = None
    steps: int = 0


def look(model: "nn.Module", loss: Loss, x: "Tensor", y: "Tensor") -> list[LayerLook]:
    """The layers of a network in the order in which they compute, on these examples.

    A copy is looked at, with its batch norm as in training and without dropout, and no generator moves on. Layers are
    modules without submodules that have a weight matrix or more, and attention.
    """
    import torch
    from torch import nn

    seen = copy.deepcopy(model)
    seen.train()
    for module in seen.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
        elif isinstance(module, nn.RNNBase | nn.MultiheadAttention):
            module.dropout = 0.0
    with torch.random.fork_rng(devices=[]), torch.enable_grad(), _watched(seen) as notes:
        value = loss(seen(x), y)
        if value.requires_grad:
            value.backward()
    layers = dict(seen.named_modules())
    return [_layer(name, layers[name], notes) for name in dict.fromkeys(notes.order) if notes.gradients.get(name)]


@dataclass
class _Notes:
    """What was seen while a network computed: by the name of the layer."""

    order: list[str] = field(default_factory=list)
    gradients: dict[str, list["Tensor"]] = field(default_factory=dict)
    saturated: dict[str, list[float]] = field(default_factory=dict)
    what: dict[str, Saturates] = field(default_factory=dict)
    read: dict[str, list["Tensor"]] = field(default_factory=dict)
    """Gradients with respect to what a recurrent layer reads, shape (examples, steps, features)."""
    calls: dict[str, dict[int, "Tensor"]] = field(default_factory=dict)
    """Gradients with respect to what a cell gives, by its call."""

    busy: bool = False
    """Whether what is computed now is ours, and not the network's."""

    @contextmanager
    def ours(self) -> Iterator[None]:
        """What is computed inside is not the network's."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    def full(self, name: str, share: float | None, what: Saturates) -> None:
        """A share that is saturated, of or behind a layer."""
        if share is not None and self.what.setdefault(name, what) is what:
            self.saturated.setdefault(name, []).append(share)


@contextmanager
def _watched(model: "nn.Module") -> Iterator[_Notes]:
    """While this is open, the order of layers, the gradients of their outputs, and saturation behind each are noted."""
    from torch import nn
    from torch.overrides import TorchFunctionMode

    notes = _Notes()

    class Watch(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            given = kwargs or {}
            result = func(*args, **given)
            kind = getattr(func, "__name__", "").rstrip("_")
            behind = notes.order[-1] if notes.order else None
            if behind is None or notes.busy:
                return result
            if kind in ("tanh", "sigmoid"):
                notes.full(behind, sequences.tanh_or_sigmoid(kind, result), Saturates.UNITS)
            elif kind == "softmax":
                notes.full(
                    behind, sequences.of_softmax(args[0] if args else given.get("input"), result), Saturates.ATTENTION
                )
            elif kind == "scaled_dot_product_attention":
                notes.full(behind, sequences.of_product(args, given), Saturates.ATTENTION)
            return result

    hooks = []
    for name, module in model.named_modules():
        if not _is_layer(module):
            continue
        if isinstance(module, nn.RNNBase):
            hooks.append(module.register_forward_pre_hook(_note_read(name, notes), with_kwargs=True))
        hooks.append(module.register_forward_hook(_note_given(name, notes), with_kwargs=True))
    try:
        with Watch():
            yield notes
    finally:
        for hook in hooks:
            hook.remove()


def _note_read(name: str, notes: _Notes) -> Callable[..., object]:
    """What a recurrent layer reads is made to have a gradient, which is noted."""
    import torch

    def hook(module: "nn.Module", args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        read = args[0] if args else kwargs.get("input")
        if not isinstance(read, torch.Tensor) or not read.is_floating_point() or read.ndim != 3:
            return None
        # a view, so that what else reads the same tensor, such as a sum around the layer, does not count
        known = read.view_as(read) if read.requires_grad else read.detach().requires_grad_()
        known.register_hook(
            lambda grad: notes.read.setdefault(name, []).append(sequences.batch_first(module, grad.detach()))
        )
        return ((known, *args[1:]), kwargs) if args else (args, {**kwargs, "input": known})

    return hook


def _note_given(name: str, notes: _Notes) -> Callable[..., None]:
    """What a layer gives: its gradient, and saturation inside it."""
    import torch
    from torch import nn

    def keep(module: "nn.Module", tensor: object, call: int) -> None:
        if isinstance(tensor, torch.Tensor) and tensor.requires_grad:

            def note(grad: "Tensor | None") -> None:
                if grad is None:  # the network did not go on from here
                    return
                g = sequences.batch_first(module, grad.detach())
                notes.gradients.setdefault(name, []).append(g)
                if isinstance(module, nn.RNNCellBase):
                    of = notes.calls.setdefault(name, {})
                    of[call] = torch.cat([of[call], g], dim=-1) if call in of else g

            tensor.register_hook(note)

    def hook(module: "nn.Module", args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        call = notes.order.count(name)
        notes.order.append(name)
        first = output[0] if isinstance(output, tuple) else output
        keep(module, first.data if isinstance(first, nn.utils.rnn.PackedSequence) else first, call)
        if isinstance(module, nn.LSTMCell):
            keep(module, output[1], call)
        if isinstance(module, nn.RNNBase):
            state = output[1][0] if isinstance(output[1], tuple) else output[1]
            _keep_last_state(module, state, notes, name)
            read = args[0] if args else kwargs.get("input")
            if isinstance(read, torch.Tensor) and isinstance(first, torch.Tensor):
                start = args[1] if len(args) > 1 else kwargs.get("hx")
                x, out = (sequences.batch_first(module, of) for of in (read, first))
                with notes.ours():
                    notes.full(name, sequences.saturated_gates(module, x, start, out), Saturates.GATES)
        elif isinstance(module, nn.MultiheadAttention):
            with notes.ours():
                notes.full(name, sequences.of_attention(module, args, kwargs), Saturates.ATTENTION)

    return hook


def _keep_last_state(module: "nn.RNNBase", state: object, notes: _Notes, name: str) -> None:
    """The gradient of the last state, where the network goes on from that: (directions, examples, units) of the last layer."""
    import torch

    if not isinstance(state, torch.Tensor) or not state.requires_grad or state.ndim != 3:
        return
    directions = 2 if module.bidirectional else 1

    def note(grad: "Tensor | None") -> None:
        if grad is None:
            return
        last = grad.detach()[-directions:].transpose(0, 1).flatten(1)
        notes.gradients.setdefault(name, []).append(last)

    state.register_hook(note)


def _is_layer(module: "nn.Module") -> bool:
    from torch import nn
    from torch.nn.utils.parametrize import is_parametrized

    if isinstance(module, nn.MultiheadAttention):
        return True
    if is_parametrized(module, "weight"):  # weight norm, spectral norm: a layer with a child that makes its weight
        return list(module._modules) == ["parametrizations"] and module.weight.ndim >= 2
    own = list(module.parameters(recurse=False))
    return not any(True for _ in module.children()) and any(p.ndim >= 2 for p in own)


def _layer(name: str, module: "nn.Module", notes: _Notes) -> LayerLook:
    from torch import nn

    convolution = isinstance(module, nn.modules.conv._ConvNd)
    squares, alive = [], None
    for grad in notes.gradients[name]:
        g = grad.double()
        g = g.movedim(1 if convolution and g.ndim > 2 else -1, -1)  # units last
        found = (g != 0).reshape(-1, g.shape[-1]).any(dim=0)
        alive = found if alive is None else alive | found
        squares.append((g**2).reshape(g.shape[0], -1, g.shape[-1]).sum(dim=1) if g.ndim > 1 else (g**2)[None])
    assert alive is not None
    gradient = float(np.sqrt(np.mean([float(s.mean()) for s in squares])))
    shares = notes.saturated.get(name)
    behind = None if shares is None else float(np.mean(shares))
    kind = type(module).__name__.removeprefix("Parametrized")
    shown = (
        f"{name} ({kind})" if name.rpartition(".")[2].isdigit() else name or kind
    )  # places in a Sequential say little
    what = notes.what.get(name, Saturates.UNITS)
    ratio, steps = _through_time(name, notes)
    return LayerLook(shown, gradient, (~alive).cpu().numpy(), _rows(module), behind, what, ratio, steps)


def _through_time(name: str, notes: _Notes) -> tuple[float | None, int]:
    """Gradient of the first step over that of the last, and how many steps there are."""
    if name in notes.calls:
        calls = notes.calls[name]
        of_steps = [calls[call] for call in sorted(calls)]
    elif notes.read.get(name):
        of_steps = list(notes.read[name][0].unbind(dim=1))
    else:
        return None, 0
    return sequences.first_over_last(of_steps), len(of_steps)


def _rows(module: "nn.Module") -> NDArray[np.float64] | None:
    """Incoming weights and bias of each unit."""
    from torch import nn

    inside = sequences.units_of(module)
    if inside is not None:
        known: NDArray[np.float64] = inside.double().cpu().numpy()
        return known
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if weight is None or isinstance(module, nn.Embedding):
        return None
    w = weight.detach().double().cpu()
    transposed = isinstance(module, nn.modules.conv._ConvTransposeNd)
    rows = (w.transpose(0, 1) if transposed else w).reshape(w.shape[1] if transposed else w.shape[0], -1).numpy()
    if bias is not None and bias.numel() == len(rows):
        rows = np.hstack([rows, bias.detach().double().cpu().numpy()[:, None]])
    found: NDArray[np.float64] = rows
    return found
