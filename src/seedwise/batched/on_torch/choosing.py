"""Which engine is taken: a few steps of each are measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn

from ...errors import UsageError
from ...words import duration
from ..task import Engine, Task
from .chunk import Chunk, MakeStepper, number_of_chunks
from .compiled import CompiledStepper, NotCompiled, Programs
from .refusals import reason_against
from .stacked import StackedModel
from .streams import Starts
from .trial import Trial, clock_for, try_alone
from .vmap import Programs as TracedPrograms
from .vmap import VmapStepper
from .width import narrowed

COMPILING, COMPILING_EACH = 1.0, 0.015
"""Seconds to compile a program, and each operation of it, as measured for networks of 60 to 700 operations on an idle machine."""
WORTH_COMPILING = 5.0
"""How many times longer than compiling the quickest other engine must be expected to take."""
NOT_WORTH_A_LOOK = 1.0
"""Seconds that all seeds may take alone before other engines are tried: the first stacked step takes a second."""
FEW, NOT_WORTH_A_LOOK_FOR_FEW = 32, 20.0
"""The same for few seeds, for whom most of a chunk is copies."""
_STEPS = 6


class CannotStack(Exception):
    """Why stacked seeds would not be trained as if each were alone."""


@dataclass
class Makers:
    """Makes the steppers of a fit. What is built, traced or compiled once serves every chunk."""

    task: Task
    traced: TracedPrograms = field(default_factory=dict)
    programs: Programs = field(default_factory=dict)
    compiled: list[CompiledStepper] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.starts = Starts(self.task)

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
    """The engine that is taken, why, and how many seconds each was expected to take for all seeds.

    `width` is how many seeds are trained together, `processes` how many train seeds alone. `trial` is the first seed alone, as far as it
    was trained to be timed.
    """

    engine: Engine
    why: str
    expected: tuple[tuple[Engine, float], ...] = ()
    width: int = 1
    processes: int = 1
    trial: Trial | None = None


def choose_engine(
    task: Task, seeds: Sequence[int], net: "nn.Module", widths: Mapping[Engine, int], makers: Makers, processes: int
) -> Choice:
    """Measure a few steps, and take what is quickest for all seeds."""
    least = NOT_WORTH_A_LOOK if len(seeds) > FEW else NOT_WORTH_A_LOOK_FOR_FEW
    trial = try_alone(Trial(task, seeds[0], len(seeds), least, processes))
    alone = trial.alone()
    by_loop = partial(
        Choice,
        Engine.LOOP,
        processes=trial.processes_for(len(seeds) * task.steps * trial.step_seconds),
        trial=trial,
    )
    expected = {Engine.LOOP: alone}
    if trial.is_soon_done:
        return by_loop(f"all seeds take about {duration(alone)} alone", tuple(expected.items()))
    widths = {engine: narrowed(width, len(seeds)) for engine, width in widths.items()}
    reason = reason_against(task, net) or _fails(task, seeds) or _differ(makers, seeds[: widths[Engine.VMAP]])
    if reason:
        return by_loop(f"stacked seeds would not be as if alone: {reason}", tuple(expected.items()))
    expected[Engine.VMAP] = _stacked(makers, seeds, widths[Engine.VMAP], Engine.VMAP)
    left_out = ""
    worth = WORTH_COMPILING * _seconds_to_compile(makers)
    if min(expected.values()) > worth:
        try:
            expected[Engine.COMPILED] = _stacked(makers, seeds, widths[Engine.COMPILED], Engine.COMPILED)
        except NotCompiled as error:
            left_out = f"; compiled is left out: {error}"
    else:
        left_out = f"; compiling pays above {worth:.0f} s"
    best = min(expected, key=lambda engine: expected[engine])
    found = ", ".join(f"{engine} {duration(seconds)}" for engine, seconds in expected.items())
    if best is Engine.LOOP:
        return by_loop(
            f"nothing is gained by stacking; expected for all seeds: {found}{left_out}", tuple(expected.items())
        )
    return Choice(best, f"expected for all seeds: {found}{left_out}", tuple(expected.items()), widths[best], 1, trial)


def _seconds_to_compile(makers: Makers) -> float:
    """About how long it would take to compile what `vmap` has traced; each size of a batch is a program."""
    task = makers.task
    shapes = 1 if len(task.train) % task.batch_size == 0 or task.drop_last else 2
    operations = max((len(program.graph.nodes) for program in makers.traced.values()), default=0)
    return shapes * (COMPILING + COMPILING_EACH * operations)


def _fails(task: Task, seeds: Sequence[int]) -> str:
    """Why a first stacked step fails; "" if it does not."""
    try:
        try_step(task, seeds)
    except (CannotStack, UsageError) as error:
        return str(error)
    return ""


def _differ(makers: Makers, seeds: Sequence[int]) -> str:
    """What models of some seeds do not have in common; "" if they differ in values only."""
    try:
        Chunk(makers.task, seeds, len(seeds), makers.of(Engine.VMAP), starts=makers.starts).begin()
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
    chunk.stepper.begin_epoch(chunk.next_orders())
    best, clock = float("inf"), clock_for(chunk.task)
    for k in range(min(most, chunk.task.batches)):
        began = clock()
        chunk.stepper.step(k, chunk.masks(chunk.task.rows_in(k)))
        if chunk.task.device.startswith("cuda"):
            torch.cuda.synchronize()
        best = min(best, clock() - began)
    return best


def _stacked(makers: Makers, seeds: Sequence[int], width: int, engine: Engine) -> float:
    """Seconds of all steps of all seeds in chunks of this width, from a few steps of the first.

    Models and programs that are made for it serve the training too.
    """
    task = makers.task
    chunk = Chunk(task, seeds[:width], width, makers.of(engine), starts=makers.starts)
    chunk.begin()
    _some_steps(chunk, 1)
    clock = clock_for(task)
    began = clock()
    chunk.next_orders()
    ordering = clock() - began
    each = _some_steps(chunk, _STEPS) * task.batches + ordering
    return each * task.epochs * number_of_chunks(len(seeds), width)
