"""Trains one small network under many seeds, as one program."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..events import Event
from ..experiments.command import check_name
from ..metrics.choose import parse_metric
from ..results import Metric, Reduce, check_seeds
from .identity import identity_of
from .jax_model import JaxModel
from .results import BatchedResults
from .task import EarlyStopping, Engine, Task, check_numbers, kept_named, sources_named

if TYPE_CHECKING:
    import torch
    from torch import nn

    from .on_torch.training import Wish


def _silent(_event: Event) -> None:
    """Do nothing with an event."""


def fit(
    model: "Callable[[], nn.Module] | JaxModel",
    train: "tuple[object, object]",
    *,
    loss: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]",
    optimizer: "Callable[[Iterable[torch.Tensor]], torch.optim.Optimizer]",
    epochs: int,
    batch_size: int,
    seeds: Iterable[int],
    test: "tuple[object, object] | None" = None,
    validation: "tuple[object, object] | None" = None,
    metrics: "Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] | Iterable[str]" = (),
    engine: Engine | str = Engine.AUTO,
    device: str = "cpu",
    schedule: "Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler] | None" = None,
    schedule_each: str = "epoch",
    clip_norm: float | None = None,
    early_stopping: EarlyStopping | None = None,
    every: int | None = None,
    drop_last: bool = False,
    keep: Iterable[str] = ("predictions",),
    vary: Iterable[str] | None = None,
    held: int = 0,
    width: int | None = None,
    threads: int = 1,
    metric: Sequence[str] = (),
    reduce: Reduce | str = Reduce.LAST,
    name: str | None = None,
    store: str | None = None,
    tell: Callable[[Event], None] = _silent,
) -> BatchedResults:
    """Train a model under many seeds at once, each as if alone.

    Under each seed the starting weights, the order of the data and the masks of dropout are those of a plain script that seeds the
    global generators, builds the model, and trains over `DataLoader(…, shuffle=True)`.

    Parameters
    ----------
    model
        Makes one `torch.nn.Module`, without arguments: a class, or a function. Or a `JaxModel`, with an optimizer of optax and functions
        of JAX as loss and metrics; its draws come from keys of the seed.
    train, test, validation
        Pairs (inputs, targets) of arrays or tensors, rows first. Numbers with a fraction get the type of the model's parameters.
        Without `test`, metrics are those of the training rows.
    loss
        Takes outputs and targets of a batch, gives one number: `torch.nn.CrossEntropyLoss()`.
    optimizer
        Takes parameters, makes a stock optimizer: `functools.partial(torch.optim.SGD, lr=0.01)`.
    epochs, batch_size
        How long, and how many rows in a step. The last batch of an epoch holds the rest, unless `drop_last`.
    seeds
        The seeds themselves, 0 … 2**32 - 1, each once.
    metrics
        Names (`accuracy`, `mse`, `mae`), or a dict of functions of outputs and targets.
    engine
        `loop`, `vmap`, `compiled`; or `auto`, which measures a few steps and takes the quickest. For a `JaxModel` `loop` or `jax`.
    device
        Where it is trained: `cpu`, `cuda`.
    schedule, schedule_each
        Takes the optimizer, makes a scheduler of `torch.optim.lr_scheduler`; stepped after each `epoch` or `step`.
    clip_norm
        The largest norm of each seed's own gradient.
    early_stopping
        When a seed stops; each on its own.
    every
        Metrics are computed after each so many epochs, and after the last. By default about twenty times; with early stopping after
        each epoch.
    keep
        What is kept of each seed: `predictions`, `parameters`. `run.array(name)` gives it.
    vary, held
        The sources that the seed governs, of `init`, `order` and `dropout`; the others are under the seed `held`. Each source then has
        a stream of its own, which begins where building the model under its seed ended.
    width
        How many seeds are trained together. It is part of the experiment, and by default follows from the model's size.
    threads
        Threads of torch meanwhile.
    metric, reduce
        As for `sw.run`: which metrics lead, and which value of a curve counts.
    name, store
        With a name, the runs are kept in the store of this project, or in the one in this folder, after each chunk; the same call runs
        what is missing, and more seeds add runs. Without, nothing is kept.
    tell
        Called with every event during the work.

    Returns
    -------
    BatchedResults
        Results as `sw.run` gives them, with curves by epochs, and how the seeds were trained.

    Raises
    ------
    UsageError
        Something that was given is wrong, or an engine cannot train this as if each seed were alone; the message says why.
    """
    given: dict[str, object] = dict(locals())
    described = {argument: given[argument] for argument in described_by()}
    chosen = check_seeds(seeds)
    asked = [parse_metric(text, Reduce(reduce)) for text in metric]
    if isinstance(model, JaxModel):
        if name is not None or store is not None or threads != 1:
            raise UsageError("name, store and threads are for torch: what JAX functions give is returned, and not kept")
        return _fit_jax(described, chosen, asked, Reduce(reduce), tell)
    task, wish = prepared(described, threads)
    if name is None:
        if store is not None:
            raise UsageError("store= is where an experiment is kept, and it needs a name: name='net'")
        from .on_torch.training import train_in_memory

        return train_in_memory(task, chosen, wish, asked, Reduce(reduce), tell)
    from .storing import Kept, train_into_store

    label = ("sw.batched.fit", getattr(model, "__name__", type(model).__name__))
    kept = Kept(check_name(name), label, identity_of(described), asked, Reduce(reduce), store)
    return train_into_store(task, chosen, wish, kept, tell).results


def _fit_jax(
    described: Mapping[str, object],
    seeds: Sequence[int],
    asked: Sequence[Metric],
    reduce: Reduce,
    tell: Callable[[Event], None],
) -> BatchedResults:
    known = (Engine.AUTO, Engine.LOOP, Engine.JAX)
    if described["engine"] not in known:
        raise UsageError(f"the engine of a JaxModel is one of {', '.join(known)}; got {described['engine']!r}")
    for library in ("jax", "optax"):
        if find_spec(library) is None:
            raise UsageError(f"a JaxModel trains with {library}, which is not installed: pip install {library}")
    from .on_jax.making import make_jax_task
    from .on_jax.training import train_in_memory

    width = described["width"]
    assert width is None or isinstance(width, int)
    return train_in_memory(
        make_jax_task(described), seeds, Engine(str(described["engine"])), width, asked, reduce, tell
    )


_OF_THE_CALL = ("seeds", "metric", "reduce", "tell", "name", "store", "threads")


def described_by() -> dict[str, inspect.Parameter]:
    """The arguments of `fit` that describe a training; the others say what is done with it."""
    parameters = inspect.signature(fit).parameters
    return {name: parameter for name, parameter in parameters.items() if name not in _OF_THE_CALL}


def prepared(described: Mapping[str, object], threads: int) -> "tuple[Task, Wish]":
    """A described training, checked: every argument of `described_by`. Raises UsageError."""
    rest = dict(described)
    engine, width = rest.pop("engine"), rest.pop("width")
    known = [kind.value for kind in Engine if kind is not Engine.JAX]
    if engine not in known:
        raise UsageError(f"engine is one of {', '.join(known)}; got {engine!r}")
    check_numbers(width=width, threads=threads)  # type: ignore[arg-type]
    check_seeds([rest["held"]])  # type: ignore[list-item]
    if find_spec("torch") is None:
        raise UsageError("this trains with torch, which is not installed: pip install torch")
    from .on_torch.making import make_task
    from .on_torch.training import Wish

    rest["keep"] = kept_named(rest["keep"])  # type: ignore[arg-type]
    rest["vary"] = sources_named(rest["vary"])  # type: ignore[arg-type]
    return make_task(**rest), Wish(Engine(str(engine)), width, threads)  # type: ignore[arg-type]
