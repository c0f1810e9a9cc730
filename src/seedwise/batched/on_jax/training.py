"""JAX functions under many seeds: one step of one seed, jit for the plain loop, jit(vmap) for many seeds."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ...errors import UsageError
from ...events import Began, Ended, Event, Note
from ...metrics.choose import choose
from ...results import Metric, Reduce, Results, Run
from ..jax_model import JaxModel
from ..outcome import Array, Curves, SeedOutcome
from ..results import BatchedResults, Closeness
from ..task import Engine, Keep, Part

State: TypeAlias = Any
"""Parameters, the optimizer's state and the keys of one seed, or of many with the seeds along the first axis."""
_WIDTH = 256


@dataclass(frozen=True)
class JaxTask:
    """One training, apart from its seed."""

    model: JaxModel
    train: "tuple[jax.Array, jax.Array]"
    test: "tuple[jax.Array, jax.Array] | None"
    loss: "Callable[[jax.Array, jax.Array], jax.Array]"
    optimizer: optax.GradientTransformation
    epochs: int
    batch_size: int
    every: int
    metrics: "Mapping[str, Callable[[jax.Array, jax.Array], jax.Array]]" = field(default_factory=dict)
    keep: frozenset[Keep] = frozenset()

    @property
    def part(self) -> Part:
        """The rows on which metrics are computed."""
        return Part.TRAIN if self.test is None else Part.TEST

    @property
    def batches(self) -> int:
        """Steps in one epoch; the rows that are left over wait for the next epoch's order."""
        return len(self.train[0]) // self.batch_size

    def begin(self, seed: "jax.Array") -> State:
        """The state of a seed before its first epoch."""
        init, order, dropout = jax.random.split(jax.random.key(seed), 3)
        parameters = self.model.init(init)
        return parameters, self.optimizer.init(parameters), order, dropout

    def epoch(self, state: State) -> "tuple[State, jax.Array]":
        """Train one seed for one epoch: the new state, and the loss of each step."""
        parameters, kept, order, dropout = state
        order, now = jax.random.split(order)
        rows = jax.random.permutation(now, len(self.train[0]))[: self.batches * self.batch_size]
        dropout, *keys = jax.random.split(dropout, self.batches + 1)

        def step(carried: State, given: "tuple[jax.Array, jax.Array]") -> "tuple[State, jax.Array]":
            parameters, kept = carried
            batch, key = given
            x, y = self.train[0][batch], self.train[1][batch]
            more = (key,) if self.model.uses_dropout else ()
            loss, gradient = jax.value_and_grad(lambda p: self.loss(self.model.apply(p, x, *more), y))(parameters)
            change, kept = self.optimizer.update(gradient, kept, parameters)
            return (optax.apply_updates(parameters, change), kept), loss

        given = rows.reshape(self.batches, self.batch_size), jnp.stack(keys)
        (parameters, kept), losses = jax.lax.scan(step, (parameters, kept), given)
        return (parameters, kept, order, dropout), losses

    def measure(self, state: State) -> "tuple[dict[str, jax.Array], jax.Array]":
        """The metrics of one seed, and its outputs."""
        x, y = self.train if self.test is None else self.test
        outputs = self.model.apply(state[0], x)
        values = {f"{self.part}_{name}": function(outputs, y) for name, function in self.metrics.items()}
        if self.test is not None:
            values["test_loss"] = self.loss(outputs, y)
        return values, outputs


def train_in_memory(
    task: JaxTask,
    seeds: Sequence[int],
    engine: Engine,
    width: int | None,
    asked: Sequence[Metric],
    reduce: Reduce,
    tell: Callable[[Event], None],
) -> BatchedResults:
    """Train a task under all seeds."""
    loop = engine is Engine.LOOP or len(seeds) == 1
    width = 1 if loop else width or _WIDTH
    tell(Began(len(seeds), 0, len(seeds), width))
    runs: list[Run] = []
    program = _Program(task, width)
    for first in range(0, len(seeds), width):
        for outcome in program.train(seeds[first : first + width]):
            runs.append(outcome.as_run(task.part, task.batches))
            tell(Ended(runs[-1]))
    closeness = None if loop else _closeness(task, program, seeds[0])
    how = "loop, each seed alone" if loop else f"jit(vmap), {width} seeds together"
    notes = [f"trained by {how}", *([] if closeness is None else [closeness.sentence])]
    for text in notes:
        tell(Note(text))
    runs.sort(key=lambda run: run.seed)
    found = choose(runs, asked, reduce)
    plain = Results(
        "jax", "", (), tuple(runs), found.metrics, found.left_out, notes=tuple(notes), question=found.question
    )
    return BatchedResults(
        **{name: getattr(plain, name) for name in plain.__dataclass_fields__},
        engine=Engine.LOOP if loop else Engine.JAX,
        why="there is one seed" if len(seeds) == 1 and engine is not Engine.LOOP else "",
        width=width,
        closeness=closeness,
        compile_seconds=program.compile_seconds,
    )


class _Program:
    """The compiled parts of a training for a width; a width of 1 is the plain loop, without vmap."""

    def __init__(self, task: JaxTask, width: int) -> None:
        self.task, self.width, self.compile_seconds = task, width, 0.0
        parts = task.begin, task.epoch, task.measure
        self.begin, self.epoch, self.measure = (jax.jit(p if width == 1 else jax.vmap(p)) for p in parts)

    def numbers(self, seeds: Sequence[int]) -> "jax.Array":
        """The seeds, filled up to the width with copies."""
        if self.width == 1:
            return jnp.uint32(seeds[0])
        return jnp.asarray([seeds[k % len(seeds)] for k in range(self.width)], dtype=jnp.uint32)

    def train(self, seeds: Sequence[int]) -> list[SeedOutcome]:
        """Train a chunk to its end."""
        task, began = self.task, time.perf_counter()
        state = self.begin(self.numbers(seeds))
        curves, failed = [Curves() for _ in seeds], [0] * len(seeds)
        for epoch in range(1, task.epochs + 1):
            state, losses = self.epoch(state)
            if epoch == 1 and not self.compile_seconds:
                jax.block_until_ready(losses)
                self.compile_seconds = time.perf_counter() - began
            by_seed = np.asarray(losses).reshape(-1, task.batches)[: len(seeds)].astype(np.float64)
            for k in np.flatnonzero(~np.isfinite(by_seed).all(1)).tolist():
                failed[k] = failed[k] or (epoch - 1) * task.batches + 1 + int(np.argmin(np.isfinite(by_seed[k])))
            if epoch % task.every and epoch != task.epochs:
                continue
            values, outputs = self.measure(state)
            shown = {name: np.asarray(value).reshape(-1) for name, value in values.items()}
            for k, curve in enumerate(curves):
                if not failed[k]:
                    curve.add(epoch, {"train_loss": by_seed[k].mean(), **{n: float(v[k]) for n, v in shown.items()}})
        predictions = np.asarray(outputs) if self.width > 1 else np.asarray(outputs)[None]
        arrays = self._arrays(state)
        self._check_copies(arrays, len(seeds))
        seconds = (time.perf_counter() - began) / len(seeds)
        return [
            SeedOutcome(
                seed,
                curves[k],
                failed[k] or None,
                parameters={n: a[k] for n, a in arrays.items()}
                if Keep.PARAMETERS in task.keep and not failed[k]
                else None,
                predictions=predictions[k] if Keep.PREDICTIONS in task.keep and not failed[k] else None,
                seconds=seconds,
            )
            for k, seed in enumerate(seeds)
        ]

    def _arrays(self, state: State) -> dict[str, Array]:
        """The parameters by their place in the tree, seeds first."""
        leaves = jax.tree_util.tree_leaves_with_path(state[0])
        arrays = {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}
        return arrays if self.width > 1 else {name: array[None] for name, array in arrays.items()}

    def _check_copies(self, arrays: Mapping[str, Array], real: int) -> None:
        places = np.arange(self.width) % real
        if not all(array.tobytes() == array[places].tobytes() for array in arrays.values()):
            raise UsageError(
                "copies of a seed in other places of the stack ended with other bits here, so a seed would depend on its company; "
                "engine='loop' trains each alone"
            )


def _closeness(task: JaxTask, program: _Program, seed: int) -> Closeness:
    """The first seed alone and among others, after its first epoch. Raises UsageError if they differ by more than rounding."""
    alone = _Program(task, 1)
    one, many = alone.begin(alone.numbers([seed])), program.begin(program.numbers([seed]))
    start, stacked = alone._arrays(one), program._arrays(many)
    same = all(start[name][0].tobytes() == stacked[name][0].tobytes() for name in start)
    orders = np.array_equal(jax.random.key_data(one[2]), jax.random.key_data(many[2])[0])
    ends = alone._arrays(alone.epoch(one)[0]), program._arrays(program.epoch(many)[0])
    difference = max(_apart(ends[0][name][0], ends[1][name][0]) for name in start)
    moved = max(_apart(ends[0][name][0], start[name][0]) for name in start)
    found = Closeness(seed, same, orders, task.batches, difference, moved)
    if not (same and orders and found.difference <= 1e-2 * found.moved + 1e-12):
        raise UsageError(f"stacked seeds are not trained as if alone here: {found.sentence}; engine='loop' is")
    return found


def _apart(one: Array, other: Array) -> float:
    """The largest difference. What is no number in both is equal there."""
    apart = np.nan_to_num(np.abs(np.subtract(one, other)), nan=np.inf)
    return float(np.where(np.isnan(one) & np.isnan(other), 0, apart).max(initial=0))
