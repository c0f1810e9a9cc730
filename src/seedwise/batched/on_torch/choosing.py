"""Which engine is taken: a few steps of each are measured."""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from ...errors import UsageError
from ...words import duration
from ..task import Engine, Task
from .chunk import Chunk, MakeStepper, number_of_chunks
from .compiled import CompiledStepper, NotCompiled, Programs
from .lone import train_alone
from .refusals import reason_against
from .stacked import StackedModel
from .vmap import Programs as TracedPrograms
from .vmap import VmapStepper

WORTH_COMPILING = 15.0
"""Seconds that the quickest other engine must be expected to take for each program that has to be compiled."""
NOT_WORTH_A_LOOK = 3.0
"""Seconds that all seeds may take alone before other engines are tried: the first stacked step takes a second."""
_STEPS = 6


class CannotStack(Exception):
    """Why stacked seeds would not be trained as if each were alone."""


@dataclass
class Makers:
    """Makes the steppers of a fit. What is compiled once serves every chunk."""

    traced: TracedPrograms = field(default_factory=dict)
    programs: Programs = field(default_factory=dict)
    compiled: list[CompiledStepper] = field(default_factory=list)

    def of(self, engine: Engine) -> MakeStepper:
        """What makes the stepper of an engine."""
        return self._vmap if engine is Engine.VMAP else self._compiled

    def _vmap(self, task: Task, model: StackedModel) -> VmapStepper:
        return VmapStepper(task, model, self.traced)

    def _compiled(self, task: Task, model: StackedModel) -> CompiledStepper:
        stepper = CompiledStepper(task, model, programs=self.programs)
        self.compiled.append(stepper)
        return stepper

    @property
    def seconds(self) -> float:
        """Seconds spent with compiling."""
        return sum(stepper.compile_seconds for stepper in self.compiled)


@dataclass(frozen=True)
class Choice:
    """The engine that is taken, why, and how many seconds each was expected to take for all seeds."""

    engine: Engine
    why: str
    expected: tuple[tuple[Engine, float], ...] = ()


def choose_engine(
    task: Task, seeds: Sequence[int], net: "nn.Module", widths: Mapping[Engine, int], makers: Makers, processes: int
) -> Choice:
    """Measure a few steps, and take what is quickest for all seeds."""
    if len(seeds) == 1:
        return Choice(Engine.LOOP, "there is one seed")
    alone = len(seeds) * task.steps * _alone(task, seeds[0]) / min(processes, len(seeds))
    if alone < NOT_WORTH_A_LOOK:
        return Choice(Engine.LOOP, f"all seeds take about {duration(alone)} alone", ((Engine.LOOP, alone),))
    reason = reason_against(task, net) or _fails(task, seeds) or _differ(task, seeds[: widths[Engine.VMAP]])
    if reason:
        return Choice(Engine.LOOP, f"stacked seeds would not be as if alone: {reason}", ((Engine.LOOP, alone),))
    expected = {Engine.LOOP: alone, Engine.VMAP: _stacked(task, seeds, widths[Engine.VMAP], makers.of(Engine.VMAP))}
    shapes = 1 if len(task.train) % task.batch_size == 0 or task.drop_last else 2
    left_out = ""
    if min(expected.values()) > WORTH_COMPILING * shapes:
        try:
            expected[Engine.COMPILED] = _stacked(task, seeds, widths[Engine.COMPILED], makers.of(Engine.COMPILED))
        except NotCompiled as error:
            left_out = f"; compiled is left out: {error}"
    else:
        left_out = f"; compiling pays above {WORTH_COMPILING * shapes:.0f} s"
    best = min(expected, key=lambda engine: expected[engine])
    found = ", ".join(f"{engine} {duration(seconds)}" for engine, seconds in expected.items())
    nothing = "nothing is gained by stacking; " if best is Engine.LOOP else ""
    return Choice(best, f"{nothing}expected for all seeds: {found}{left_out}", tuple(expected.items()))


def _fails(task: Task, seeds: Sequence[int]) -> str:
    """Why a first stacked step fails; "" if it does not."""
    try:
        try_step(task, seeds)
    except (CannotStack, UsageError) as error:
        return str(error)
    return ""


def _differ(task: Task, seeds: Sequence[int]) -> str:
    """What models of some seeds do not have in common; "" if they differ in values only."""
    try:
        Chunk(task, seeds, len(seeds), VmapStepper).begin()
    except UsageError as error:
        return str(error)
    return ""


def try_step(task: Task, seeds: Sequence[int]) -> None:
    """Do one step with two seeds, untraced. Raises CannotStack, which says what torch.vmap refuses."""
    chunk = Chunk(task, seeds[:2], 2, lambda task, model: VmapStepper(task, model, traced=False))
    try:
        chunk.begin()
        _some_steps(chunk, 1)
    except (NotCompiled, UsageError):
        raise
    except (RuntimeError, NotImplementedError, ValueError, TypeError) as error:
        raise CannotStack(_in_words(error)) from error


def _in_words(error: Exception) -> str:
    text = str(error).strip()
    for sign, words in (
        (
            "random operation",
            "the model draws random numbers that are not those of a dropout function of torch.nn.functional",
        ),
        (".item()", "what it does depends on values (.item(), or `if` on a tensor), which differ from seed to seed"),
        ("data-dependent", "what it does depends on values (`if` on a tensor), which differ from seed to seed"),
        ("dynamic shape", "the shape of a result depends on values, which differ from seed to seed"),
        ("inplace arithmetic", "it changes a tensor in place that all seeds share"),
        ("packed sequences", "packed sequences have lengths that are data"),
    ):
        if sign in text:
            return words
    return f"torch.vmap fails: {text.splitlines()[0][:200] if text else type(error).__name__}"


def _some_steps(chunk: Chunk, most: int) -> float:
    """Do up to so many steps of the first epoch; the quickest time of one."""
    chunk.stepper.begin_epoch(chunk.orders.next().to(chunk.task.device))
    best = float("inf")
    for k in range(min(most, chunk.task.batches)):
        began = time.perf_counter()
        chunk.stepper.step(k, chunk.masks(chunk.task.rows_in(k)))
        if chunk.task.device.startswith("cuda"):
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return best


def _stacked(task: Task, seeds: Sequence[int], width: int, make: MakeStepper) -> float:
    """Seconds of all steps of all seeds in chunks of this width, from a few steps of the first."""
    chunk = Chunk(task, seeds[:width], width, make)
    chunk.begin()
    _some_steps(chunk, 1)
    return _some_steps(chunk, _STEPS) * task.steps * number_of_chunks(len(seeds), width)


def _alone(task: Task, seed: int) -> float:
    """Seconds of one step of one seed."""
    times: list[float] = []

    def look(step: int, _net: "nn.Module") -> bool:
        times.append(time.perf_counter())
        return step < 4 * _STEPS

    train_alone(task, seed, look)
    between = sorted(b - a for a, b in itertools.pairwise(times))
    return between[len(between) // 2] if between else 0.0
