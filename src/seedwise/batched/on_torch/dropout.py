"""Dropout whose masks are drawn outside the model: for each seed from its own generator, in the order in which it would draw.

While masks are given, the dropout functions of `torch.nn.functional` are replaced. They are what modules call. A model that
took one of them into its own namespace before draws by itself, which `torch.vmap` refuses.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch.nn import functional

_ALPHA = 1.7580993408473766
_PLAIN = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
_BY_FEATURE = frozenset({"dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"})
_ATTENTION = "scaled_dot_product_attention"


@dataclass(frozen=True)
class Drop:
    """One call of a dropout function: the chance to drop, and the mask's shape, with its axes as they lie in memory.

    `fused` says whether a GPU draws it while it drops, which gives other masks than drawing alone.
    """

    p: float
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    fused: bool = False

    def mask(self, generator: "torch.Generator", like: "torch.Tensor") -> "torch.Tensor":
        """The mask that the next call with this generator draws: 1 where a value is kept, else 0."""
        return self.masks([generator], like.dtype)[0]

    def masks(self, generators: "Sequence[torch.Generator]", dtype: "torch.dtype") -> "torch.Tensor":
        """The masks of many seeds, with the seeds along the first axis, on the device of their generators."""
        lying = [self.shape[axis] for axis in self.axes]
        flat = torch.empty([len(generators), *lying], dtype=dtype, device=generators[0].device)
        if self.fused:
            ones = torch.ones(lying, dtype=dtype, device=flat.device)
            for row, generator in zip(flat.unbind(), generators, strict=True):
                row.copy_(torch.ops.aten._fused_dropout(ones, 1 - self.p, generator)[1])
        else:
            for row, generator in zip(flat.unbind(), generators, strict=True):
                row.bernoulli_(1 - self.p, generator=generator)
        return self._as_seen(flat, 1)

    def _as_seen(self, flat: "torch.Tensor", leading: int = 0) -> "torch.Tensor":
        places = [self.axes.index(axis) + leading for axis in range(len(self.axes))]
        return flat.permute(*range(leading), *places)


Give: TypeAlias = "Callable[[Drop, torch.Tensor], torch.Tensor]"


def _drop(name: str, p: float, x: "torch.Tensor") -> Drop:
    """The mask's description. A mask of single values lies in memory as its input does, a mask of features is dense."""
    if name in _BY_FEATURE:
        shape = (*x.shape[:2], *[1] * (x.dim() - 2))
        return Drop(p, shape, tuple(range(len(shape))))
    steps = torch.empty_like(x).stride()
    axes = tuple(sorted(range(x.dim()), key=lambda axis: -steps[axis]))
    return Drop(p, tuple(x.shape), axes, fused=name == "dropout" and x.is_cuda)


def _applied(name: str, x: "torch.Tensor", p: float, give: Give) -> "torch.Tensor":
    """Dropout with a given mask. Source: aten/src/ATen/native/Dropout.cpp, `_dropout_impl`."""
    if p == 0 or x.numel() == 0:
        return x
    if p == 1:
        return x * torch.zeros((), dtype=x.dtype, device=x.device)
    mask = give(_drop(name, p, x), x)
    if "alpha" not in name:
        return x * (mask / (1 - p))
    a = 1 / math.sqrt((_ALPHA * _ALPHA * p + 1) * (1 - p))
    return x * (mask * a) + ((mask - 1) * (_ALPHA * a) + _ALPHA * a * p)


def _function(name: str, give: Give) -> "Callable[..., torch.Tensor]":
    def replaced(
        input: "torch.Tensor", p: float = 0.5, training: bool | None = None, inplace: bool = False
    ) -> "torch.Tensor":
        usual = name not in ("alpha_dropout", "feature_alpha_dropout")
        if not (usual if training is None else training):
            return input
        if name in _BY_FEATURE and input.dim() == {"dropout1d": 2, "dropout2d": 3, "dropout3d": 4}.get(name, 0):
            result = _applied(name, input.unsqueeze(0), p, give).squeeze(0)
        else:
            result = _applied(name, input, p, give)
        return input.copy_(result) if inplace else result

    return replaced


def _attention(give: Give) -> "Callable[..., torch.Tensor]":
    usual = functional.scaled_dot_product_attention

    def replaced(
        query: "torch.Tensor",
        key: "torch.Tensor",
        value: "torch.Tensor",
        attn_mask: "torch.Tensor | None" = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> "torch.Tensor":
        if dropout_p == 0 or enable_gqa:  # a draw in there is refused by vmap
            return usual(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)
        factor = math.sqrt(1 / math.sqrt(query.shape[-1]) if scale is None else scale)
        scores = (query * factor) @ (key * factor).transpose(-2, -1)
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        if attn_mask is not None:
            is_bool = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -math.inf) if is_bool else scores + attn_mask
        return _applied("dropout", scores.softmax(-1), dropout_p, give) @ value

    return replaced


@contextmanager
def masks_from(give: Give) -> "Iterator[None]":
    """Let every dropout in the block take its mask from `give`. The functions are put back at the end."""
    usual = {name: getattr(functional, name) for name in (*_PLAIN, _ATTENTION)}
    try:
        for name in _PLAIN:
            setattr(functional, name, _function(name, give))
        functional.scaled_dot_product_attention = _attention(give)
        yield
    finally:
        for name, function in usual.items():
            setattr(functional, name, function)


def drawn_from(generator: "torch.Generator") -> Give:
    """Masks that are drawn when they are needed."""
    return lambda drop, x: drop.mask(generator, x)


def in_order(masks: "Sequence[torch.Tensor]") -> Give:
    """Masks that were drawn before, in the order in which they are needed."""
    waiting = iter(masks)
    return lambda drop, x: next(waiting)


def recorded_in(drops: list[Drop]) -> Give:
    """Masks that drop nothing, and a record of every call."""

    def give(drop: Drop, x: "torch.Tensor") -> "torch.Tensor":
        drops.append(drop)
        return torch.ones(drop.shape, dtype=x.dtype, device=x.device)

    return give
