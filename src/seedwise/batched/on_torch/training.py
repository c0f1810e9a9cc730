"""Trains a task under all its seeds by one engine, and makes results of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ...errors import UsageError
from ...events import Began, Ended, Event, Note
from ...experiments.command import available_cores
from ...metrics.choose import choose
from ...results import Metric, Reduce, Results, Run
from ..outcome import SeedOutcome
from ..results import BatchedResults, Closeness
from ..task import Engine, Task
from .choosing import CannotStack, Choice, Makers, choose_engine, try_step
from .chunk import Chunk, chunks_of, train_chunk
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
    threads: int
    governed: str = ""
    """What the seed governs, in words, where that is not all."""

    @property
    def sentence(self) -> str:
        """The same in words."""
        engine = self.choice.engine
        how = f"{engine}, each seed alone" if engine is Engine.LOOP else f"{engine}, {self.choice.width} seeds together"
        return f"trained by {how} ({self.choice.why}){self.governed}"


MANY = 64
"""So many seeds may be worth another engine than the plain loop with which fewer were trained."""
Save = Callable[[Sequence[Run]], None]
"""Called with runs as soon as they have ended."""


@contextmanager
def settings_of_torch(threads: int, device: str) -> Iterator[None]:
    """Let torch use this many threads in the block, and a GPU compute in one way for all engines.

    That is: convolutions in full precision, by algorithms that give the same bits again; attention by its formula, because fused
    attention draws its dropout in an order of its own.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with ExitStack() as steady:
            if torch.device(device).type == "cuda":
                cudnn = torch.backends.cudnn
                same = {"enabled": cudnn.enabled, "deterministic": True, "allow_tf32": False, "fp32_precision": None}
                steady.enter_context(cudnn.flags(**same))
                steady.enter_context(sdpa_kernel(SDPBackend.MATH))
            yield
    finally:
        torch.set_num_threads(before)


def decide(task: Task, seeds: Sequence[int], wish: Wish, makers: Makers) -> Decision:
    """How these seeds are trained. Raises UsageError where the engine that is asked for cannot train them as if each were alone."""
    with settings_of_torch(wish.threads, task.device):
        if wish.engine is Engine.AUTO and len(seeds) == 1:
            return Decision(Choice(Engine.LOOP, "there is one seed"), wish.threads, governed_in(task))
        net, widths = _usual_widths(task, seeds[0])
        if wish.width is not None:
            widths = dict.fromkeys(widths, wish.width)
        processes = processes_for(task, wish)
        if wish.engine is Engine.AUTO and wish.threads > 1 and task.device == "cpu":
            choice = Choice(Engine.LOOP, f"threads={wish.threads}: stacked seeds take one thread", processes=processes)
        elif wish.engine is Engine.AUTO:
            choice = choose_engine(task, seeds, net, widths, makers, processes)
        else:
            _refuse(task, seeds, net, wish.engine, wish.threads)
            choice = Choice(wish.engine, "asked for", width=widths.get(wish.engine, 1))
    return Decision(choice, wish.threads, governed_in(task))


def governed_in(task: Task) -> str:
    """What the seed governs, in words to follow others; "" for everything."""
    if task.vary is None:
        return ""
    return f"; the seed governs {', '.join(sorted(task.vary))}, and all else is under seed {task.held}"


def _usual_widths(task: Task, seed: int) -> "tuple[nn.Module, Mapping[Engine, int]]":
    """A model, and how many of it are trained together where there are many seeds."""
    with global_generators_kept():
        net, _ = build(task.model, seed, task.device)
    return net, widths_for(task, net)


def could_be_wider(task: Task, seeds: Sequence[int], choice: Choice) -> bool:
    """Whether so many seeds might be trained otherwise than the fewer ones for which this was chosen."""
    if choice.engine is Engine.LOOP:
        return len(seeds) > MANY
    return len(seeds) > choice.width and choice.width < _usual_widths(task, seeds[0])[1][choice.engine]


def train(task: Task, seeds: Sequence[int], decision: Decision, makers: Makers, save: Save) -> Closeness | None:
    """Train a task under all seeds, as decided. Returns how close the first one is to the plain loop; None if it is that."""
    with settings_of_torch(decision.threads, task.device):
        if decision.choice.engine is Engine.LOOP:
            _by_loop(task, seeds, decision.choice, save)
            return None
        try:
            return _by_chunks(task, seeds, decision.choice, makers, save)
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
    makers, runs = Makers(task), list[Run]()
    decision = decide(task, seeds, wish, makers)
    tell(Began(len(seeds), 0, len(seeds), max(decision.choice.width, decision.choice.processes)))

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
        width=decision.choice.width,
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


def _by_loop(task: Task, seeds: Sequence[int], choice: Choice, save: Save) -> None:
    done = None if choice.trial is None else choice.trial.outcome
    if done is not None and done.seed in seeds:
        save(_runs(task, [done]))
        seeds = [seed for seed in seeds if seed != done.seed]
    processes = min(choice.processes, len(seeds))
    alone = (train_alone(task, seed) for seed in seeds)
    for outcome in alone if processes <= 1 else train_in_processes(task, seeds, processes):
        save(_runs(task, [outcome]))


def _by_chunks(task: Task, seeds: Sequence[int], choice: Choice, makers: Makers, save: Save) -> Closeness | None:
    closeness, like, make, width = None, None, makers.of(choice.engine), choice.width
    for k, part in enumerate(chunks_of(seeds, width)):
        photograph = frozenset({0, *steps_to_compare(task)} if k == 0 else ())
        chunk = Chunk(task, part, width, make, photograph, like=like, starts=makers.starts)
        outcomes = train_chunk(chunk)
        makers.starts.forget()
        like = chunk.like
        if chunk.copies_agree is False:
            raise UsageError(
                "copies of a seed in other places of the stack ended with other bits here, so a seed would depend on its company; "
                "engine='loop' trains each alone"
            )
        if k == 0:
            lone = choice.trial.photographs if choice.trial is not None and part[0] == choice.trial.seed else None
            closeness, is_rounding = compare_first(task, chunk, make, lone)
            if not is_rounding:
                raise UsageError(
                    f"stacked seeds are not trained as if alone here: {closeness.sentence}; engine='loop' is"
                )
        save(_runs(task, outcomes))
    return closeness
