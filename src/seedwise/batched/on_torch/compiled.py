"""Many seeds in one fused program: gradient and update of one seed are traced, turned to seeds last, and compiled."""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import fx
from torch.fx.experimental.proxy_tensor import make_fx

from ..task import Task
from .convolving import pools_written_out
from .rehearsal import rehearse
from .seeds_last import Lanes, NoRule, run_with_seeds_last
from .stacked import StackedModel, Tensors, call, quick_paths_off
from .updates import Update, updates_of

aten = torch.ops.aten
Flat: TypeAlias = "list[torch.Tensor]"
Programs: TypeAlias = dict[tuple[int, ...], Callable[..., list[torch.Tensor]]]


_PICKED, _PICKED_ON_A_GPU = 2**23, 2**29
"""Bytes of rows that are picked at a time; on the CPU they should stay near the processor."""


class NotCompiled(Exception):
    """Why a task cannot be compiled."""


@dataclass(frozen=True)
class Layout:
    """What goes into the program and comes out, in order: parameters, buffers, states of the optimizer."""

    parameters: tuple[str, ...]
    buffers: tuple[str, ...]
    group_of: tuple[int, ...]
    """For each parameter: its group in the optimizer; -1 where it is not trained."""
    updates: Sequence[Update]

    @property
    def numbers(self) -> int:
        """How many numbers of the optimizer there are."""
        return sum(len(update.names) for update in self.updates)

    def states_of(self, k: int) -> int:
        """How many tensors the optimizer keeps for a parameter."""
        return self.updates[self.group_of[k]].states if self.group_of[k] >= 0 else 0

    def named(self, numbers: "torch.Tensor") -> "list[dict[str, torch.Tensor]]":
        """The numbers of each group by name."""
        found, at = [], 0
        for update in self.updates:
            found.append({name: numbers[at + k] for k, name in enumerate(update.names)})
            at += len(update.names)
        return found


def layout_of(task: Task, model: StackedModel, unused: frozenset[str]) -> "tuple[Layout, torch.optim.Optimizer]":
    """The layout, and an optimizer of empty parameters, whose numbers a schedule changes. Raises NotCompiled."""
    stand_ins = [torch.nn.Parameter(torch.zeros((), dtype=p.dtype), p.requires_grad) for p in model.stacked.values()]
    optimizer = task.optimizer(stand_ins)
    updates = updates_of(optimizer)
    if updates is None:
        raise NotCompiled(f"it knows SGD, Adam, AdamW and RMSprop, and not {type(optimizer).__name__}")
    of = {id(p): k for k, group in enumerate(optimizer.param_groups) for p in group["params"]}
    used = [p.requires_grad and name not in unused for name, p in zip(model.stacked, stand_ins, strict=True)]
    if task.clip_norm is not None and any(use and id(p) not in of for use, p in zip(used, stand_ins, strict=True)):
        raise NotCompiled("clip_norm counts gradients of parameters that the optimizer does not have")
    groups = tuple(of.get(id(p), -1) if use else -1 for use, p in zip(used, stand_ins, strict=True))
    return Layout(tuple(model.stacked), tuple(model.buffers), groups, updates), optimizer


def step_of_one(
    task: Task, model: StackedModel, layout: Layout
) -> "Callable[..., tuple[torch.Tensor, Flat, Flat, Flat]]":
    """One step of one seed as a function of tensors: the loss, new parameters, buffers and states."""

    def step(
        parameters: Flat,
        buffers: Flat,
        states: Flat,
        x: "torch.Tensor",
        y: "torch.Tensor",
        masks: Flat,
        numbers: "torch.Tensor",
    ) -> "tuple[torch.Tensor, Flat, Flat, Flat]":
        fixed = {n: p for n, p, g in zip(layout.parameters, parameters, layout.group_of, strict=True) if g < 0}

        def loss_of(trained: Tensors) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
            named = {n: trained[n] if n in trained else fixed[n] for n in layout.parameters}
            outputs, own = call(model.base, named, dict(zip(layout.buffers, buffers, strict=True)), x, masks)
            return task.loss(outputs, y), own

        trained = {n: p for n, p in zip(layout.parameters, parameters, strict=True) if n not in fixed}
        gradients, (loss, own) = _gradients(loss_of, trained)
        if task.clip_norm is not None:
            gradients = _clipped(gradients, task.clip_norm)
        by_group, left = layout.named(numbers), list(states)
        new: list[torch.Tensor] = []
        new_states: list[torch.Tensor] = []
        for k, (name, p) in enumerate(zip(layout.parameters, parameters, strict=True)):
            if name in fixed:
                new.append(p)
                continue
            kept, left = left[: layout.states_of(k)], left[layout.states_of(k) :]
            group = layout.group_of[k]
            p, after = layout.updates[group].apply(p, gradients[name], tuple(kept), by_group[group])
            new.append(p)
            new_states.extend(after)
        return loss, new, [own[n] for n in layout.buffers], new_states

    return step


def _gradients(
    loss_of: "Callable[[Tensors], tuple[torch.Tensor, dict[str, torch.Tensor]]]", trained: Tensors
) -> "tuple[Tensors, tuple[torch.Tensor, dict[str, torch.Tensor]]]":
    def with_loss(trained: Tensors) -> "tuple[torch.Tensor, tuple[torch.Tensor, dict[str, torch.Tensor]]]":
        loss, own = loss_of(trained)
        return loss, (loss, own)

    return torch.func.grad(with_loss, has_aux=True)(trained)  # type: ignore[no-any-return]


def _clipped(gradients: Tensors, most: float) -> Tensors:
    """Gradients of one seed, whose common norm is at most this. Source: torch/nn/utils/clip_grad.py, `clip_grad_norm_`."""
    squares = [(g * g).sum() for g in gradients.values()]
    factor = (most / (torch.stack(squares).sum().sqrt() + 1e-6)).clamp(max=1.0)
    return {name: g * factor for name, g in gradients.items()}


def trace_one(step: Callable[..., Any], inputs: Sequence[Any]) -> "fx.GraphModule":
    """The step of one seed as a program of basic operations."""
    with quick_paths_off(), pools_written_out():
        traced = make_fx(step)(*inputs)
        pure = torch.func.functionalize(traced, remove="mutations")
        return make_fx(pure, decomposition_table=_decompositions())(*inputs)


def _decompositions() -> dict[Any, Any]:
    from torch._decomp import core_aten_decompositions, get_decompositions

    more = (
        "_log_softmax _log_softmax_backward_data _softmax _softmax_backward_data native_layer_norm native_layer_norm_backward "
        "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_functional native_batch_norm_backward "
        "native_group_norm native_group_norm_backward nll_loss_forward nll_loss_backward addcmul addcdiv linear "
        "split unbind stack"
    ).split()
    chosen = [getattr(aten, name) for name in more if hasattr(aten, name)]
    table = {**core_aten_decompositions(), **get_decompositions(chosen)}
    kept = (aten.embedding_dense_backward.default, aten.sum.default, aten.var_mean.correction, aten.var.correction)
    return {operation: how for operation, how in table.items() if operation not in kept}


def widened(program: "fx.GraphModule", batched: Sequence[bool]) -> "Callable[..., list[torch.Tensor]]":
    """A function of tensors with the seeds last, from the program of one seed. `batched` says which inputs have seeds."""

    def wide(*inputs: "torch.Tensor") -> "list[torch.Tensor]":
        given = [Lanes(t) if has else t for t, has in zip(inputs, batched, strict=True)]
        seeds = next(t.shape[-1] for t, has in zip(inputs, batched, strict=True) if has)
        found = run_with_seeds_last(program, given)
        leaves = torch.utils._pytree.tree_leaves(found, lambda v: isinstance(v, Lanes))
        return [
            v.tensor.expand(*v.shape, seeds).clone()
            if isinstance(v, Lanes)
            else v.unsqueeze(-1).expand(*v.shape, seeds).clone()
            for v in leaves
        ]

    return wide


def as_lanes(x: "torch.Tensor") -> "torch.Tensor":
    """From seeds first to seeds last."""
    return x.detach().movedim(0, -1).contiguous()


@dataclass
class CompiledStepper:
    """Trains stacked seeds, whose tensors lie with the seeds last."""

    task: Task
    model: StackedModel
    compile: bool = True
    """Whether the program is compiled. Without, it is interpreted, which gives the same up to rounding."""
    programs: Programs = field(default_factory=dict)
    """The program for each shape of a batch with its seeds. Other steppers of the same task can use them."""
    compile_seconds: float = 0.0
    steps: int = 0

    def __post_init__(self) -> None:
        rehearsal = rehearse(self.task, self.model.base, min(self.task.batch_size, len(self.task.train)))
        self.layout, self.optimizer = layout_of(self.task, self.model, rehearsal.unused)
        self.schedule = None if self.task.schedule is None else self.task.schedule(self.optimizer)
        if self.schedule is not None:
            self.optimizer.step()  # else the schedule warns that there was none
        self.values = [as_lanes(p) for p in self.model.stacked.values()]
        self.kept_buffers = [as_lanes(b) for b in self.model.buffers.values()]
        self.states = [torch.zeros_like(p) for k, p in enumerate(self.values) for _ in range(self.layout.states_of(k))]
        self.inputs = _by_value(self.task.train.inputs)
        self.targets = _by_value(self.task.train.targets)
        self.dtype = self.values[0].dtype
        self.numbers: tuple[list[float], torch.Tensor] = [], torch.empty(0)
        each = (len(self.inputs) * self.inputs.element_size() + 8 * len(self.targets)) * self.values[0].shape[-1]
        at_once = _PICKED if self.inputs.device.type == "cpu" else _PICKED_ON_A_GPU
        self.rows_at_once = self.task.batch_size * max(1, at_once // (each * self.task.batch_size))
        self.picked_from = self.picked_to = 0

    @property
    def parameters(self) -> Tensors:
        """The stacked parameters, seeds first."""
        return {n: v.movedim(-1, 0).contiguous() for n, v in zip(self.layout.parameters, self.values, strict=True)}

    @property
    def buffers(self) -> Tensors:
        """The stacked buffers, seeds first."""
        return {n: v.movedim(-1, 0).contiguous() for n, v in zip(self.layout.buffers, self.kept_buffers, strict=True)}

    def begin_epoch(self, orders: "torch.Tensor") -> None:
        """Take the orders of the rows in the next epoch, shape (seeds, rows)."""
        self.orders = orders.t().contiguous()
        self.picked_to = 0

    def step(self, k: int, masks: "Sequence[torch.Tensor]") -> "torch.Tensor":
        """Train on the k-th batch of each seed, from 0; returns the losses, shape (seeds,)."""
        first = k * self.task.batch_size
        if first >= self.picked_to:
            self.picked_from, self.picked_to = first, first + self.rows_at_once
            rows = self.orders[self.picked_from : self.picked_to]
            self.picked = _picked(self.inputs, rows), _picked(self.targets, rows)
        at = slice(first - self.picked_from, first - self.picked_from + self.task.rows_in(k))
        x, y = (
            values[at].view(-1, *rows.shape[1:], values.shape[-1])
            for values, rows in zip(self.picked, vars(self.task.train).values(), strict=True)
        )
        return self.step_on(x, y, masks)

    def step_on(self, x: "torch.Tensor", y: "torch.Tensor", masks: "Sequence[torch.Tensor]") -> "torch.Tensor":
        """The same for a batch with the seeds last."""
        self.steps += 1
        self._renew_numbers()
        lanes = [as_lanes(mask) for mask in masks]
        inputs = [*self.values, *self.kept_buffers, *self.states, x, y, *lanes, self.numbers[1]]
        key = tuple(x.shape)
        if key not in self.programs:
            self._make(key, x, y, lanes, inputs)
        with torch.no_grad():
            loss, *rest = self.programs[key](*inputs)
        a, b = len(self.values), len(self.values) + len(self.kept_buffers)
        self.values, self.kept_buffers, self.states = rest[:a], rest[a:b], rest[b:]
        if self.schedule is not None and self.task.schedule_each_step:
            self.schedule.step()
        return loss

    def _renew_numbers(self) -> None:
        """Have the optimizer's numbers of this step as a tensor."""
        now = [
            n
            for group, update in zip(self.optimizer.param_groups, self.layout.updates, strict=True)
            for n in update.numbers(group, self.steps)
        ]
        if now != self.numbers[0]:
            self.numbers = now, torch.tensor(now, dtype=self.dtype, device=self.task.device)

    def end_epoch(self) -> None:
        """Step the schedule, where it goes by epochs."""
        if self.schedule is not None and not self.task.schedule_each_step:
            self.schedule.step()

    def _make(self, key: tuple[int, ...], x: "torch.Tensor", y: "torch.Tensor", masks: "Flat", inputs: "Flat") -> None:
        began = time.perf_counter()
        one = [v[..., 0].contiguous() for v in inputs[:-1]]
        at, parts = 0, []
        for size in (len(self.values), len(self.kept_buffers), len(self.states)):
            parts.append(one[at : at + size])
            at += size
        arguments = (*parts, one[at], one[at + 1], one[at + 2 :], inputs[-1])
        batched = [*[True] * (len(inputs) - 1), False]
        try:
            program = trace_one(step_of_one(self.task, self.model, self.layout), arguments)
            wide = widened(program, batched)
            self.programs[key] = compiled(wide, inputs) if self.compile else wide
            if not self.compile:
                wide(*inputs)
        except NoRule as error:
            raise NotCompiled(f"it has no rule for {str(error).splitlines()[0]}") from None
        self.compile_seconds += time.perf_counter() - began


def _by_value(rows: "torch.Tensor") -> "torch.Tensor":
    """Rows as columns: shape (values of a row, rows)."""
    return rows.reshape(len(rows), -1).t().contiguous()


def _picked(values: "torch.Tensor", rows: "torch.Tensor") -> "torch.Tensor":
    """The values of picked rows, shape (batch, values of a row, seeds), from row numbers of shape (batch, seeds)."""
    batch, seeds = rows.shape
    index = rows.unsqueeze(1).expand(batch, len(values), seeds)
    return torch.gather(values.unsqueeze(0).expand(batch, *values.shape), 2, index)


def compiled(wide: "Callable[..., list[torch.Tensor]]", inputs: "Flat") -> "Callable[..., list[torch.Tensor]]":
    """One fused program. Raises NotCompiled where there is no compiler."""
    with quiet():
        traced = make_fx(wide)(*inputs)
        traced.graph.eliminate_dead_code()
        traced.recompile()
        try:
            with torch.no_grad():
                program = torch._inductor.compile(traced, inputs)  # without the checks of torch.compile at each call
                program(*inputs)
        except Exception as error:
            raise NotCompiled(f"torch.compile failed: {str(error).strip().splitlines()[0][:200]}") from error
    return program  # type: ignore[no-any-return]


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out the warnings that torch has for its own developers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def why_not_compiled(task: Task, seed: int) -> None:
    """Raises NotCompiled if an operation has no rule, before anything is compiled."""
    from .chunk import Chunk

    chunk = Chunk(task, [seed], 2, lambda task, model: CompiledStepper(task, model, compile=False))
    chunk.begin()
    chunk.stepper.begin_epoch(chunk.next_orders())
    try:
        chunk.stepper.step(0, chunk.masks(task.rows_in(0)))
    except NotCompiled:
        raise
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        raise NotCompiled(f"its trace fails: {str(error).strip().splitlines()[0][:200]}") from error
