"""Matrix products that round every seed in the same way, wherever in the stack it lies.

A BLAS takes other instructions for a matrix that begins elsewhere within a cache line, and so rounds otherwise. Here all matrices of
a stack begin at a cache line, inputs and results alike.
"""

import torch
from torch import fx

_LINE = 64
"""Bytes of a cache line."""
_BY_HAND = 400
"""torch itself multiplies matrices below so many multiplications, one number after another: LinearAlgebra.cpp, `bmm_out_or_baddbmm_`."""


def steady_bmm(a: "torch.Tensor", b: "torch.Tensor") -> "torch.Tensor":
    """`torch.bmm` of shapes (seeds, n, k) and (seeds, k, m)."""
    rows, inner, columns = a.shape[1], a.shape[2], b.shape[2]
    if rows * inner * columns < _BY_HAND or a.device.type != "cpu":
        return torch.bmm(a, b)
    unit = _LINE // a.element_size()
    more = next(extra for extra in range(unit) if rows * (columns + extra) % unit == 0)
    product = torch.bmm(_spaced(a, unit, 0), _spaced(b, unit, more))
    return product[:, :, :columns].contiguous() if more else product


def _spaced(x: "torch.Tensor", unit: int, more: int) -> "torch.Tensor":
    """The matrices with `more` columns of zeros, each beginning at a cache line."""
    seeds, rows, columns = x.shape
    plain, turned = x.stride(2) == 1 and x.stride(1) >= columns, x.stride(1) == 1 and x.stride(2) >= rows
    if not more and (plain or turned) and x.stride(0) % unit == 0 and x.data_ptr() % _LINE == 0:
        return x
    wide = columns + more
    size = -(-rows * wide // unit) * unit
    flat = (x.new_zeros if more else x.new_empty)((seeds, size))
    if turned and not plain:
        room = flat[:, : rows * wide].view(seeds, wide, rows).transpose(1, 2)
    else:
        room = flat[:, : rows * wide].view(seeds, rows, wide)
    room[:, :, :columns].copy_(x)
    return room


def steadied(program: "fx.GraphModule") -> "fx.GraphModule":
    """The program with every stacked matrix product made steady, and without what only gradients need."""
    for node in list(program.graph.nodes):
        if node.op == "call_function" and node.target is torch.ops.aten.bmm.default:
            node.target = steady_bmm
        elif node.op == "call_function" and node.target is torch.ops.aten.detach.default:
            node.replace_all_uses_with(node.args[0])
    program.graph.eliminate_dead_code()
    program.recompile()
    return program
