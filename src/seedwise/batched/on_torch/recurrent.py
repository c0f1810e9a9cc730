"""Recurrent layers as plain operations, which torch.vmap and a trace can see into.

torch computes LSTM, GRU and RNN as one operation, for which vmap has no rule. The equations are those of the documentation of
`torch.nn.LSTM`, `GRU` and `RNN`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import _VF, nn
from torch.nn import functional

Weights: TypeAlias = "Sequence[torch.Tensor]"
State: TypeAlias = "tuple[torch.Tensor, ...]"
Cell: TypeAlias = "Callable[[torch.Tensor, State, Direction], State]"


@dataclass(frozen=True)
class Direction:
    """The weights of one layer in one direction. Biases and projection are None where the layer has none."""

    inner: "torch.Tensor"
    outer: "torch.Tensor"
    inner_bias: "torch.Tensor | None"
    outer_bias: "torch.Tensor | None"
    projection: "torch.Tensor | None"

    def of_state(self, h: "torch.Tensor") -> "torch.Tensor":
        """What the last output adds to the gates."""
        return functional.linear(h, self.outer, self.outer_bias)


def _lstm(given: "torch.Tensor", state: State, weights: Direction) -> State:
    i, f, g, o = (given + weights.of_state(state[0])).chunk(4, -1)
    c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    return (h if weights.projection is None else functional.linear(h, weights.projection)), c


def _gru(given: "torch.Tensor", state: State, weights: Direction) -> State:
    (r, z, n), (hr, hz, hn) = given.chunk(3, -1), weights.of_state(state[0]).chunk(3, -1)
    new = (n + (r + hr).sigmoid() * hn).tanh()
    return (new + (z + hz).sigmoid() * (state[0] - new),)


def _tanh(given: "torch.Tensor", state: State, weights: Direction) -> State:
    return ((given + weights.of_state(state[0])).tanh(),)


def _relu(given: "torch.Tensor", state: State, weights: Direction) -> State:
    return ((given + weights.of_state(state[0])).relu(),)


def _directions(flat: Weights, biases: bool, projected: bool) -> list[Direction]:
    each = 2 + 2 * biases + projected
    found = []
    for k in range(0, len(flat), each):
        part = list(flat[k : k + each])
        projection = part.pop() if projected else None
        inner_bias, outer_bias = part[2:] if biases else (None, None)
        found.append(Direction(part[0], part[1], inner_bias, outer_bias, projection))
    return found


def _pass(x: "torch.Tensor", state: State, weights: Direction, cell: Cell, back: bool) -> "tuple[torch.Tensor, State]":
    """One layer in one direction over x, shape (steps, rows, features)."""
    given = functional.linear(x, weights.inner, weights.inner_bias)
    outputs = []
    for step in reversed(given.unbind(0)) if back else given.unbind(0):
        state = cell(step, state, weights)
        outputs.append(state[0])
    return torch.stack(outputs[::-1] if back else outputs), state


def _layers(cell: Cell, states: int) -> "Callable[..., tuple[torch.Tensor, ...]]":
    """A function with the arguments of `_VF.lstm` and its like."""

    def layers(
        x: "torch.Tensor",
        hx: "torch.Tensor | Sequence[torch.Tensor]",
        flat: Weights,
        biases: bool,
        number: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool | None = None,
    ) -> "tuple[torch.Tensor, ...]":
        if batch_first is None:
            raise NotImplementedError("packed sequences, whose lengths are data")
        start = (hx,) if states == 1 else tuple(hx)
        projected = states == 2 and start[0].shape[2] != start[1].shape[2]
        directions, ends = _directions(flat, biases, projected), []
        x, ways = x.transpose(0, 1) if batch_first else x, 1 + bidirectional
        for k in range(number):
            outputs = []
            for way in range(ways):
                place = k * ways + way
                output, end = _pass(x, tuple(s[place] for s in start), directions[place], cell, way == 1)
                outputs.append(output)
                ends.append(end)
            x = torch.cat(outputs, -1)
            if k < number - 1:
                x = functional.dropout(x, dropout, train)
        last = tuple(torch.stack([end[k] for end in ends]) for k in range(states))
        return (x.transpose(0, 1) if batch_first else x), *last

    return layers


_REPLACED = {
    "lstm": _layers(_lstm, 2),
    "gru": _layers(_gru, 1),
    "rnn_tanh": _layers(_tanh, 1),
    "rnn_relu": _layers(_relu, 1),
}


@contextmanager
def written_out() -> Iterator[None]:
    """Let recurrent layers in the block be computed by plain operations.

    On a GPU they would lay their weights out anew for cuDNN, which reads addresses that stacked weights do not have.
    """
    before, laid_out = dict(vars(_VF)), nn.RNNBase.flatten_parameters
    try:
        nn.RNNBase.flatten_parameters = lambda self: None
        for name, function in _REPLACED.items():
            setattr(_VF, name, function)
        yield
    finally:
        nn.RNNBase.flatten_parameters = laid_out
        for name in _REPLACED:
            with suppress(AttributeError):
                delattr(_VF, name)
            if name in before:
                setattr(_VF, name, before[name])
