"""Trains a task under all its seeds by one engine, and makes results of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from ...errors import UsageError
from ...events import Began, Ended, Event, Note
from ...experiments.command import available_cores
from ...metrics.choose import choose
from ...results import Metric, Reduce, Results, Run
from ..outcome import SeedOutcome
from ..results import BatchedResults, Closeness
from ..task import Engine, Task
from .choosing import CannotStack, Choice, Makers, choose_engine, try_step
from .chunk import Chunk, MakeStepper, chunks_of, train_chunk
from .comparing import compare_first, steps_to_compare
from .compiled import NotCompiled
from .lone import train_alone
from .processes import train_in_processes
from .refusals import reason_against
from .streams import build, global_generators_kept
from .width import widths_for


@dataclass(frozen=True)
class Wish:
    """How the user wants the seeds to be trained."""

    engine: Engine = Engine.AUTO
    width: int | None = None
    threads: int = 1


@dataclass(frozen=True)
class Decision:
    """How the seeds are trained."""

    choice: Choice
    width: int
    processes: int
    threads: int

    @property
    def sentence(self) -> str:
        """The same in words."""
        engine = self.choice.engine
        how = f"{engine}, each seed alone" if engine is Engine.LOOP else f"{engine}, {self.width} seeds together"
        return f"trained by {how} ({self.choice.why})"


Save = Callable[[Sequence[Run]], None]
"""Called with runs as soon as they have ended."""


@contextmanager
def threads_of_torch(number: int) -> Iterator[None]:
    """Let torch use this many threads in the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def decide(task: Task, seeds: Sequence[int], wish: Wish, makers: Makers) -> Decision:
    """How these seeds are trained. Raises UsageError where the engine that is asked for cannot train them as if each were alone."""
    with threads_of_torch(wish.threads):
        with global_generators_kept():
            net, _ = build(task.model, seeds[0])
        widths = widths_for(task, net)
        if wish.width is not None:
            widths = dict.fromkeys(widths, wish.width)
        processes = processes_for(task, wish)
        if wish.engine is Engine.AUTO and wish.threads > 1 and task.device == "cpu":
            choice = Choice(Engine.LOOP, f"threads={wish.threads}: stacked seeds take one thread")
        elif wish.engine is Engine.AUTO:
            choice = choose_engine(task, seeds, net, widths, makers, processes)
        else:
            _refuse(task, seeds, net, wish.engine, wish.threads)
            choice, processes = Choice(wish.engine, "asked for"), 1
    return Decision(choice, widths.get(choice.engine, 1), processes, wish.threads)


def train(task: Task, seeds: Sequence[int], decision: Decision, makers: Makers, save: Save) -> Closeness | None:
    """Train a task under all seeds, as decided. Returns how close the first one is to the plain loop; None if it is that."""
    with threads_of_torch(decision.threads):
        if decision.choice.engine is Engine.LOOP:
            _by_loop(task, seeds, decision.processes, save)
            return None
        try:
            return _by_chunks(task, seeds, decision.width, makers.of(decision.choice.engine), save)
        except NotCompiled as error:
            raise UsageError(f"compiled cannot train this: {error}; engine='vmap' can") from error


def train_in_memory(
    task: Task,
    seeds: Sequence[int],
    wish: Wish,
    asked: Sequence[Metric],
    reduce: Reduce,
    tell: Callable[[Event], None],
) -> BatchedResults:
    """Train a task under all seeds. Nothing is stored."""
    makers, runs = Makers(), list[Run]()
    decision = decide(task, seeds, wish, makers)
    tell(Began(len(seeds), 0, len(seeds), max(decision.width, decision.processes)))

    def save(ended: Sequence[Run]) -> None:
        for run in ended:
            runs.append(run)
            tell(Ended(run))

    closeness = train(task, seeds, decision, makers, save)
    notes = [decision.sentence, *([] if closeness is None else [closeness.sentence])]
    for text in notes:
        tell(Note(text))
    runs.sort(key=lambda run: run.seed)
    found = choose(runs, asked, reduce)
    plain = Results(
        name=getattr(task.model, "__name__", "model"),
        key="",
        command=(),
        runs=tuple(runs),
        metrics=found.metrics,
        left_out=found.left_out,
        notes=tuple(notes),
        question=found.question,
    )
    return with_how(plain, decision, closeness, makers)


def with_how(results: Results, decision: Decision, closeness: Closeness | None, makers: Makers) -> BatchedResults:
    """Results with how the seeds were trained."""
    return BatchedResults(
        **{name: getattr(results, name) for name in results.__dataclass_fields__},
        engine=decision.choice.engine,
        why=decision.choice.why,
        width=decision.width,
        closeness=closeness,
        measured=decision.choice.expected,
        compile_seconds=makers.seconds,
    )


def processes_for(task: Task, wish: Wish) -> int:
    """How many processes train seeds alone, where nobody asked for the plain loop."""
    if task.device != "cpu":
        return 1
    return max(1, available_cores() // wish.threads)


def _refuse(task: Task, seeds: Sequence[int], net: "nn.Module", engine: Engine, threads: int) -> None:
    """Raises UsageError where an engine would not train seeds as if each were alone."""
    if engine is Engine.LOOP:
        return
    if threads > 1 and task.device == "cpu":
        raise UsageError(
            f"threads={threads}: several threads cut a stack at places that depend on the number of seeds, so {engine} takes one"
        )
    reason = reason_against(task, net)
    try:
        if not reason:
            try_step(task, seeds)
    except CannotStack as error:
        reason = str(error)
    except NotCompiled as error:
        raise UsageError(f"compiled cannot train this: {error}; engine='vmap' can") from None
    if reason:
        raise UsageError(f"{engine} cannot train this as if each seed were alone: {reason}; engine='loop' can")


def _runs(task: Task, outcomes: Sequence[SeedOutcome]) -> list[Run]:
    return [outcome.as_run(task.measured, task.batches) for outcome in outcomes]


def _by_loop(task: Task, seeds: Sequence[int], processes: int, save: Save) -> None:
    alone = (train_alone(task, seed) for seed in seeds)
    for outcome in alone if processes == 1 else train_in_processes(task, seeds, min(processes, len(seeds))):
        save(_runs(task, [outcome]))


def _by_chunks(task: Task, seeds: Sequence[int], width: int, make: MakeStepper, save: Save) -> Closeness | None:
    closeness, like = None, None
    for k, part in enumerate(chunks_of(seeds, width)):
        chunk = Chunk(task, part, width, make, frozenset({0, *steps_to_compare(task)} if k == 0 else ()))
        chunk.like = like
        outcomes = train_chunk(chunk)
        like = chunk.like
        if chunk.copies_agree is False:
            raise UsageError(
                "copies of a seed in other places of the stack ended with other bits here, so a seed would depend on its company; "
                "engine='loop' trains each alone"
            )
        if k == 0:
            closeness, is_rounding = compare_first(task, chunk, make)
            if not is_rounding:
                raise UsageError(
                    f"stacked seeds are not trained as if alone here: {closeness.sentence}; engine='loop' is"
                )
        save(_runs(task, outcomes))
    return closeness
