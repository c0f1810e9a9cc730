"""Turns the traced program of one seed into one of many, with the seeds along the innermost axis.

Every operation then works on whole vectors of seeds: element-wise operations as they are, a matrix product as multiplication and
sum. Reductions, views and permutations name the same axes as before, because the new axis is the last.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import fx
from torch.utils import _pytree as pytree

aten = torch.ops.aten


class NoRule(Exception):
    """An operation that cannot be done with the seeds last. The message is its name."""


@dataclass(frozen=True)
class Lanes:
    """A tensor of one seed's shape with the seeds behind it, shape (…, seeds)."""

    tensor: "torch.Tensor"

    @property
    def rank(self) -> int:
        """How many axes one seed's tensor has."""
        return int(self.tensor.dim()) - 1

    @property
    def shape(self) -> "torch.Size":
        """The shape of one seed's tensor."""
        return self.tensor.shape[:-1]


Rule: TypeAlias = "Callable[..., Any]"
RULES: dict[Any, Rule] = {}


def rule(*operations: Any) -> Callable[[Rule], Rule]:
    """Register the function for these operations. Its tensors have the seeds last; other arguments are as they were."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(operations, function))
        return function

    return register


def _lanes(x: Any) -> "torch.Tensor":
    """A tensor with an axis for the seeds, of size 1 where it is the same for all."""
    return x.tensor if isinstance(x, Lanes) else x.unsqueeze(-1)


def _axis(axis: int, rank: int) -> int:
    return axis + rank if axis < 0 else axis


def _seeds(*values: Any) -> int:
    return next(int(v.tensor.shape[-1]) for v in pytree.tree_leaves(values) if isinstance(v, Lanes))


def pointwise(operation: Any, *args: Any, **kwargs: Any) -> Lanes:
    """An element-wise operation. Axes are matched from the last one, and all have the seeds there."""
    args, kwargs = pytree.tree_map(
        lambda v: _lanes(v) if isinstance(v, Lanes) or (isinstance(v, torch.Tensor) and v.dim() > 0) else v,
        (args, kwargs),
    )
    return Lanes(operation(*args, **kwargs))


@rule(aten.mm.default)
def _mm(_: Any, a: Any, b: Any) -> Lanes:
    return Lanes((_lanes(a).unsqueeze(2) * _lanes(b).unsqueeze(0)).sum(1))


@rule(aten.bmm.default)
def _bmm(_: Any, a: Any, b: Any) -> Lanes:
    return Lanes((_lanes(a).unsqueeze(3) * _lanes(b).unsqueeze(1)).sum(2))


@rule(aten.addmm.default)
def _addmm(_: Any, bias: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Lanes:
    product = _mm(None, a, b).tensor
    product = product if alpha == 1 else product * alpha
    return Lanes((_lanes(bias) if beta == 1 else _lanes(bias) * beta) + product)


def _axes(axes: Any, rank: int) -> list[int]:
    if axes is None or (isinstance(axes, list | tuple) and not axes):
        return list(range(rank))
    return [_axis(axis, rank) for axis in ([axes] if isinstance(axes, int) else axes)]


@rule(aten.sum.dim_IntList, aten.mean.dim, aten.amax.default, aten.amin.default, aten.logsumexp.default)
def _reduce(operation: Any, x: Lanes, axes: Any = None, keepdim: bool = False, **kwargs: Any) -> Lanes:
    if x.rank == 0:
        return x
    return Lanes(operation(x.tensor, _axes(axes, x.rank), keepdim, **kwargs))


@rule(aten.sum.default, aten.mean.default)
def _reduce_all(operation: Any, x: Lanes, **kwargs: Any) -> Lanes:
    if x.rank == 0:
        return x
    by_axis = aten.sum.dim_IntList if operation is aten.sum.default else aten.mean.dim
    return Lanes(by_axis(x.tensor, list(range(x.rank)), False, **kwargs))


@rule(aten.var.correction, aten.var_mean.correction)
def _variance(operation: Any, x: Lanes, axes: Any = None, *, correction: Any = None, keepdim: bool = False) -> Any:
    found = operation(x.tensor, _axes(axes, x.rank), correction=correction, keepdim=keepdim)
    return tuple(map(Lanes, found)) if isinstance(found, tuple) else Lanes(found)


@rule(aten.view.default, aten.reshape.default, aten._unsafe_view.default)
def _view(_: Any, x: Lanes, shape: Sequence[int]) -> Lanes:
    return Lanes(x.tensor.reshape(*shape, x.tensor.shape[-1]))


@rule(aten.expand.default)
def _expand(_: Any, x: Lanes, shape: Sequence[int], **__: Any) -> Lanes:
    return Lanes(x.tensor.expand(*shape, x.tensor.shape[-1]))


@rule(aten.permute.default)
def _permute(_: Any, x: Lanes, axes: Sequence[int]) -> Lanes:
    return Lanes(x.tensor.permute(*[_axis(axis, x.rank) for axis in axes], x.rank))


@rule(aten.t.default)
def _t(_: Any, x: Lanes) -> Lanes:
    return Lanes(x.tensor.transpose(0, 1)) if x.rank == 2 else x


@rule(aten.transpose.int)
def _transpose(_: Any, x: Lanes, a: int, b: int) -> Lanes:
    return Lanes(x.tensor.transpose(_axis(a, x.rank), _axis(b, x.rank)))


@rule(aten.unsqueeze.default)
def _unsqueeze(_: Any, x: Lanes, axis: int) -> Lanes:
    return Lanes(x.tensor.unsqueeze(_axis(axis, x.rank + 1)))


@rule(aten.squeeze.dim, aten.squeeze.dims)
def _squeeze(_: Any, x: Lanes, axes: Any) -> Lanes:
    return Lanes(x.tensor.squeeze(tuple(_axes(axes, x.rank))))


@rule(aten.squeeze.default)
def _squeeze_all(_: Any, x: Lanes) -> Lanes:
    return Lanes(x.tensor.squeeze(tuple(range(x.rank))))


@rule(aten.slice.Tensor, aten.select.int, aten.split.Tensor, aten.split_with_sizes.default)
def _part(operation: Any, x: Lanes, *args: Any) -> Any:
    if operation in (aten.slice.Tensor, aten.select.int):
        axis, *rest = args or (0,)
        return Lanes(operation(x.tensor, _axis(axis, x.rank), *rest))
    size, axis = (*args, 0)[:2]
    return [Lanes(part) for part in operation(x.tensor, size, _axis(axis, x.rank))]


@rule(aten.unbind.int)
def _unbind(_: Any, x: Lanes, axis: int = 0) -> list[Lanes]:
    return [Lanes(part) for part in x.tensor.unbind(_axis(axis, x.rank))]


@rule(aten.slice_scatter.default, aten.select_scatter.default)
def _scatter_part(operation: Any, x: Any, source: Any, axis: int = 0, *args: Any) -> Lanes:
    seeds = _seeds(x, source)
    rank = x.rank if isinstance(x, Lanes) else x.dim()
    wide = [_wide(v, seeds) for v in (x, source)]
    return Lanes(operation(*wide, _axis(axis, rank), *args))


@rule(aten.cat.default, aten.stack.default)
def _join(operation: Any, parts: Sequence[Any], axis: int = 0) -> Lanes:
    seeds = _seeds(parts)
    wide = [_wide(part, seeds) for part in parts]
    rank = wide[0].dim() - 1 + (operation is aten.stack.default)
    return Lanes(operation(wide, _axis(axis, rank)))


@rule(aten.unfold.default)
def _windows(_: Any, x: Lanes, axis: int, size: int, step: int) -> Lanes:
    return Lanes(x.tensor.unfold(_axis(axis, x.rank), size, step).movedim(-1, -2))


@rule(aten.flip.default)
def _flip(_: Any, x: Lanes, axes: Sequence[int]) -> Lanes:
    return Lanes(x.tensor.flip(_axes(axes, x.rank)))


@rule(aten.constant_pad_nd.default)
def _pad(operation: Any, x: Lanes, pad: Sequence[int], value: float = 0) -> Lanes:
    return Lanes(operation(x.tensor, [0, 0, *pad], value))


@rule(aten.gather.default)
def _gather(_: Any, x: Any, axis: int, index: Any, **__: Any) -> Lanes:
    """A value for each row: where the numbers along the axis equal the index, summed; so there is no indirect access."""
    rank = x.rank if isinstance(x, Lanes) else x.dim()
    axis, picked, wide = _axis(axis, rank), _lanes(index), _lanes(x)
    if picked.shape[axis] != 1:
        seeds = _seeds(x, index)
        return Lanes(torch.gather(_wide(x, seeds), axis, _wide(index, seeds)))
    return Lanes(torch.where(_numbers(wide, axis) == picked, wide, 0).sum(axis, keepdim=True))


@rule(aten.scatter.value)
def _scatter(_: Any, x: Any, axis: int, index: Any, value: float) -> Lanes:
    rank = x.rank if isinstance(x, Lanes) else x.dim()
    axis, picked, wide = _axis(axis, rank), _lanes(index), _lanes(x)
    if picked.shape[axis] != 1:
        seeds = _seeds(x, index)
        return Lanes(torch.scatter(_wide(x, seeds), axis, _wide(index, seeds), value))
    return Lanes(torch.where(_numbers(wide, axis) == picked, value, wide))


@rule(aten.embedding.default)
def _embedding(_: Any, weight: Any, index: Any, *__: Any, **___: Any) -> Lanes:
    """The row whose number is the index: the sum of the rows, each times whether it is the one."""
    rows, picked = _lanes(weight), _lanes(index)[..., None, None, :]
    if len(rows) > _MOST_ROWS:
        raise NoRule(f"an embedding of more than {_MOST_ROWS} rows")
    numbers = torch.arange(len(rows), device=rows.device).view(-1, 1, 1)
    return Lanes(torch.where(numbers == picked, rows, 0).sum(-3))


@rule(aten.embedding_dense_backward.default)
def _embedding_backward(_: Any, gradient: Lanes, index: Any, rows: int, padding: int, by_frequency: bool) -> Lanes:
    if by_frequency:
        raise NoRule("an embedding that scales gradients by frequency")
    wide, picked = gradient.tensor.flatten(0, gradient.rank - 2), _lanes(index)
    picked = picked.reshape(-1, picked.shape[-1])[:, None, None]
    numbers = torch.arange(rows, device=wide.device).view(-1, 1, 1)
    kept = (numbers == picked) & (numbers != padding)
    return Lanes(torch.where(kept, wide.unsqueeze(1), 0).sum(0))


_MOST_ROWS = 64
"""An embedding is summed over all its rows, which for many takes longer than picking one."""


def _wide(x: Any, seeds: int) -> "torch.Tensor":
    """A tensor with an axis for the seeds, of full size."""
    lanes = _lanes(x)
    return lanes.expand(*lanes.shape[:-1], seeds)


def _numbers(x: "torch.Tensor", axis: int) -> "torch.Tensor":
    """0, 1, 2 … along an axis."""
    return torch.arange(x.shape[axis], device=x.device).view(-1, *[1] * (x.dim() - 1 - axis))


@rule(aten.full_like.default, aten.zeros_like.default, aten.ones_like.default, aten.empty_like.default)
def _like(operation: Any, x: Lanes, *args: Any, **kwargs: Any) -> Lanes:
    return Lanes(operation(x.tensor, *args, **kwargs))


@rule(aten.new_zeros.default, aten.new_ones.default, aten.new_full.default)
def _new(operation: Any, x: Lanes, shape: Sequence[int], *args: Any, **kwargs: Any) -> "torch.Tensor":
    return operation(x.tensor, shape, *args, **kwargs)


@rule(aten.clone.default)
def _clone(_: Any, x: Lanes, **__: Any) -> Lanes:
    return Lanes(x.tensor.clone())


@rule(aten.copy_.default)
def _copy_into(_: Any, x: Lanes, source: Any, *__: Any) -> Lanes:
    x.tensor.copy_(_lanes(source))
    return x


@rule(aten.detach.default, aten.alias.default, aten.lift_fresh_copy.default)
def _same(_: Any, x: Lanes, **__: Any) -> Lanes:
    return x


class SeedsLast(fx.Interpreter):  # type: ignore[misc]
    """Runs a traced program with `Lanes` in place of its inputs."""

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Do one operation, with the seeds last where an argument has seeds."""
        if not any(isinstance(v, Lanes) for v in pytree.tree_leaves((args, kwargs), lambda v: isinstance(v, Lanes))):
            return super().call_function(target, args, kwargs)
        if not isinstance(target, torch._ops.OpOverload):  # operator.getitem of several results
            return super().call_function(target, args, kwargs)
        if target in RULES:
            return RULES[target](target, *args, **kwargs)
        if torch.Tag.pointwise in target.tags or target in (aten._to_copy.default, aten.copy.default):
            return pointwise(target, *args, **kwargs)
        raise NoRule(str(target))


def run_with_seeds_last(program: "fx.GraphModule", inputs: Sequence[Any]) -> Any:
    """The outputs of a program whose inputs are `Lanes`, or tensors that are the same for all seeds.

    An output that does not depend on a seed stays a tensor.
    """
    return SeedsLast(program).run(*inputs)
