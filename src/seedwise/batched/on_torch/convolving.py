"""Convolution and pooling as plain operations, which a stack of seeds does quickly.

torch.vmap makes one grouped convolution of many, for which neither the CPU nor a GPU has a quick algorithm. Here a convolution is one
product of matrices: the weights of shape (outputs, inputs · kernel), and the windows of the input, (inputs · kernel, places · rows).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch.nn import functional

Sizes: TypeAlias = "int | Sequence[int]"


def _each(value: Sizes, axes: int) -> tuple[int, ...]:
    """One number for each axis."""
    return (value,) * axes if isinstance(value, int) else tuple(value) * (axes if len(value) == 1 else 1)


@dataclass(frozen=True)
class _How:
    """How the kernel moves. `pads` are the zeros before and after each axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int

    @property
    def axes(self) -> int:
        """How many axes the kernel has."""
        return len(self.kernel)

    @property
    def reach(self) -> tuple[int, ...]:
        """How far the kernel goes beyond its first place, along each axis."""
        return tuple(d * (k - 1) for k, d in zip(self.kernel, self.dilation, strict=True))


def _rows_last(x: "torch.Tensor") -> "torch.Tensor":
    """From (rows, channels, …) to (channels, …, rows), so that what lies side by side is picked together."""
    return x.permute(*range(1, x.dim()), 0)


def _rows_first(x: "torch.Tensor") -> "torch.Tensor":
    """From (channels, …, rows) to (rows, channels, …), lying in memory as the result of a convolution does."""
    return x.permute(-1, *range(x.dim() - 1)).contiguous()


def _padded(x: "torch.Tensor", pads: Sequence[tuple[int, int]]) -> "torch.Tensor":
    """x, shape (channels, …, rows), with zeros around; or less of it, where a number is negative."""
    flat = [number for pair in reversed(pads) for number in pair]
    return functional.pad(x, [0, 0, *flat]) if any(flat) else x.contiguous()


def _columns(x: "torch.Tensor", how: _How, stride: Sequence[int]) -> "torch.Tensor":
    """The windows of x, shape (groups, channels of a group · kernel, places · rows). x has shape (channels, …, rows)."""
    for k in range(how.axes):
        x = x.unfold(1 + k, how.reach[k] + 1, stride[k])[..., :: how.dilation[k]]
    rows = 1 + how.axes
    x = x.permute(0, *range(rows + 1, x.dim()), *range(1, rows + 1))
    return x.reshape(how.groups, x.shape[: 1 + how.axes].numel() // how.groups, -1)


def _product(a: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    """The product for each group; of two matrices where there is one."""
    return (a[0] @ b[0]).unsqueeze(0) if len(a) == 1 else torch.bmm(a, b)


def _spread(g: "torch.Tensor", axis: int, stride: int) -> "torch.Tensor":
    """The values along an axis with zeros between them."""
    if stride == 1:
        return g
    size, after = g.shape[axis], [0, 0] * (g.dim() - 1 - axis)
    wide = functional.pad(g.unsqueeze(axis + 1), [*after, 0, stride - 1]).flatten(axis, axis + 1)
    return wide.narrow(axis, 0, (size - 1) * stride + 1)


class _Convolution(torch.autograd.Function):  # type: ignore[misc]
    """A convolution whose gradients are products of matrices too. It also gives the windows, which the gradient needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: "torch.Tensor", weight: "torch.Tensor", how: _How) -> "tuple[torch.Tensor, torch.Tensor]":
        wide = _padded(_rows_last(x), how.pads)
        sizes = zip(wide.shape[1:-1], how.reach, how.stride, strict=True)
        places = [(size - reach - 1) // stride + 1 for size, reach, stride in sizes]
        columns = _columns(wide, how, how.stride)
        product = _product(weight.reshape(how.groups, len(weight) // how.groups, -1), columns)
        return _rows_first(product.reshape(-1, *places, len(x))), columns

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: "tuple[torch.Tensor, torch.Tensor]") -> None:
        x, weight, ctx.how = inputs
        ctx.sizes = x.shape[2:]
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(weight, output[1])

    @staticmethod
    def backward(
        ctx: Any, g: "torch.Tensor", _: "torch.Tensor"
    ) -> "tuple[torch.Tensor | None, torch.Tensor | None, None]":
        weight, columns = ctx.saved_tensors
        how: _How = ctx.how
        g, of_x, of_weight = _rows_last(g).contiguous(), None, None
        if ctx.needs_input_grad[0]:
            of_x = _gradient_of_input(g, ctx.sizes, weight, how)
        if ctx.needs_input_grad[1]:
            flat = g.reshape(how.groups, len(weight) // how.groups, -1)
            of_weight = _product(flat, columns.transpose(1, 2)).reshape(weight.shape)
        return of_x, of_weight, None


def _gradient_of_input(g: "torch.Tensor", sizes: Sequence[int], weight: "torch.Tensor", how: _How) -> "torch.Tensor":
    """A convolution of the output's gradient, shape (channels, …, rows), with the kernel turned round."""
    pads = []
    for k, size in enumerate(sizes):
        before, after = how.pads[k]
        g = _spread(g, 1 + k, how.stride[k])
        left_over = size + before + after - (g.shape[1 + k] + how.reach[k])
        pads.append((how.reach[k] - before, how.reach[k] + left_over - after))
    columns = _columns(_padded(g, pads), how, (1,) * how.axes)
    turned = weight.flip(tuple(range(2, 2 + how.axes))).reshape(how.groups, -1, *weight.shape[1:])
    turned = turned.transpose(1, 2).reshape(how.groups, weight.shape[1], -1)
    return _rows_first(_product(turned, columns).reshape(-1, *sizes, g.shape[-1]))


def _convolve(axes: int, name: str) -> "Callable[..., torch.Tensor]":
    def replaced(
        input: "torch.Tensor",
        weight: "torch.Tensor",
        bias: "torch.Tensor | None" = None,
        stride: Sizes = 1,
        padding: "Sizes | str" = 0,
        dilation: Sizes = 1,
        groups: int = 1,
    ) -> "torch.Tensor":
        if input.dim() == axes + 1:
            return replaced(input.unsqueeze(0), weight, bias, stride, padding, dilation, groups).squeeze(0)
        kernel, apart = tuple(weight.shape[2:]), _each(dilation, axes)
        how = _How(kernel, _each(stride, axes), tuple(_pads(padding, kernel, apart)), apart, groups)
        found, _columns = _Convolution.apply(input, weight, how)
        shifted: torch.Tensor = found if bias is None else found + bias.view(-1, *[1] * axes)
        return shifted

    replaced.__name__ = name
    return replaced


def _pads(padding: "Sizes | str", kernel: Sequence[int], dilation: Sequence[int]) -> list[tuple[int, int]]:
    """How many zeros there are before and after each axis."""
    axes = len(kernel)
    if isinstance(padding, str):
        around = [d * (k - 1) if padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
        before = [total // 2 for total in around]
        after = [total - half for total, half in zip(around, before, strict=True)]
    else:
        before = after = list(_each(padding, axes))
    return list(zip(before, after, strict=True))


def _around(x: "torch.Tensor", pads: Sequence[tuple[int, int]], value: float = 0.0) -> "torch.Tensor":
    """x, shape (…, places), with a value around the last axes."""
    flat = [number for pair in reversed(pads) for number in pair]
    return functional.pad(x, flat, value=value) if any(flat) else x


_CONVOLUTIONS = {f"conv{axes}d": _convolve(axes, f"conv{axes}d") for axes in (1, 2, 3)}


@contextmanager
def convolutions_written_out() -> Iterator[None]:
    """Let the convolutions of `torch.nn.functional` in the block be products of matrices."""
    with _replaced(_CONVOLUTIONS):
        yield


@contextmanager
def pools_written_out() -> Iterator[None]:
    """Let the pools of `torch.nn.functional` in the block be plain operations, where they are of the usual kinds."""
    made = {}
    for axes in (1, 2, 3):
        for kind, how in (("max", _max_pool), ("avg", _average_pool)):
            name = f"{kind}_pool{axes}d"
            made[name] = how(axes, getattr(functional, name))
    with _replaced(made):
        yield


@contextmanager
def _replaced(functions: "dict[str, Callable[..., torch.Tensor]]") -> Iterator[None]:
    usual = {name: getattr(functional, name) for name in functions}
    try:
        for name, function in functions.items():
            setattr(functional, name, function)
        yield
    finally:
        for name, function in usual.items():
            setattr(functional, name, function)


def _shifted(x: "torch.Tensor", kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Iterator[Any]:
    """x at each place of the kernel, in the order in which torch looks at them."""
    axes = len(kernel)
    sizes = x.shape[-axes:]
    outs = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True)]
    for place in _places(kernel):
        at = [
            slice(k * d, k * d + (out - 1) * s + 1, s)
            for k, d, out, s in zip(place, dilation, outs, stride, strict=True)
        ]
        yield x[(..., *at)]


def _places(kernel: Sequence[int]) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [()]
    for size in kernel:
        found = [(*place, k) for place in found for k in range(size)]
    return found


def _max_pool(axes: int, usual: "Callable[..., torch.Tensor]") -> "Callable[..., torch.Tensor]":
    def replaced(
        input: "torch.Tensor",
        kernel_size: Sizes,
        stride: "Sizes | None" = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> "torch.Tensor":
        if ceil_mode or return_indices:
            return usual(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
        kernel, dilation = _each(kernel_size, axes), _each(dilation, axes)
        pads = _pads(padding, kernel, dilation)
        x = _around(input, pads, -torch.inf)
        most, *others = _shifted(x, kernel, _each(stride or kernel, axes), dilation)
        for other in others:  # the first of equals gets the gradient, as in torch
            most = torch.where((other > most) | other.isnan(), other, most)
        return most

    return replaced


def _average_pool(axes: int, usual: "Callable[..., torch.Tensor]") -> "Callable[..., torch.Tensor]":
    def replaced(
        input: "torch.Tensor",
        kernel_size: Sizes,
        stride: "Sizes | None" = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> "torch.Tensor":
        kernel = _each(kernel_size, axes)
        pads = _pads(padding, kernel, (1,) * axes)
        if ceil_mode or divisor_override is not None or (padding and not count_include_pad):
            more = (ceil_mode, count_include_pad, *([] if divisor_override is None else [divisor_override]))
            return usual(input, kernel_size, stride, padding, *more)
        x = _around(input, pads)
        parts = list(_shifted(x, kernel, _each(stride or kernel, axes), (1,) * axes))
        return torch.stack(parts).sum(0) / len(parts)

    return replaced
