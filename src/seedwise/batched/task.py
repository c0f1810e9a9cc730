"""What is trained under each seed: one description that every engine takes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import nn


class Engine(StrEnum):
    """How the seeds are trained."""

    AUTO = "auto"
    """A few steps are measured, and the quickest of the others is taken."""
    LOOP = "loop"
    """One seed after another, by a plain loop over a DataLoader: the reference."""
    VMAP = "vmap"
    """Many seeds in each operation, by torch.func."""
    COMPILED = "compiled"
    """Many seeds in one fused program, with the seeds along the innermost axis."""
    JAX = "jax"
    """JAX functions by jit(vmap), where the model is a `JaxModel`."""


class Keep(StrEnum):
    """What is kept of each seed beside its metrics."""

    PREDICTIONS = "predictions"
    """The outputs for the rows on which it is measured."""
    PARAMETERS = "parameters"
    """The final parameters and buffers."""


class Source(StrEnum):
    """Where randomness enters a training."""

    INIT = "init"
    ORDER = "order"
    DROPOUT = "dropout"


class Part(StrEnum):
    """A part of the data."""

    TRAIN = "train"
    VALIDATION = "val"
    TEST = "test"


@dataclass(frozen=True)
class EarlyStopping:
    """When a seed stops before its last epoch. Each seed stops on its own.

    Parameters
    ----------
    patience
        How many measurements may pass without an improvement.
    monitor
        A metric of the validation rows: `val_loss`, `val_accuracy`. Less is better for `val_loss`; for others `goal` says.
    goal
        `min` or `max`. By default as the name of the metric shows.
    min_delta
        By how much a value must be better to be an improvement.
    restore_best
        Whether the seed ends with its parameters of the best measurement, or with the last ones.
    """

    patience: int = 10
    monitor: str = "val_loss"
    goal: str | None = None
    min_delta: float = 0.0
    restore_best: bool = True


@dataclass(frozen=True)
class Data:
    """Rows: inputs of shape (rows, …) and targets of shape (rows, …)."""

    inputs: "torch.Tensor"
    targets: "torch.Tensor"

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Task:
    """One training, apart from its seed. `fit` says what each part means."""

    model: "Callable[[], nn.Module]"
    train: Data
    loss: "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]"
    optimizer: "Callable[[Iterable[torch.Tensor]], torch.optim.Optimizer]"
    epochs: int
    batch_size: int
    every: int
    test: Data | None = None
    validation: Data | None = None
    metrics: "Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]" = field(default_factory=dict)
    schedule: "Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler] | None" = None
    schedule_each_step: bool = False
    clip_norm: float | None = None
    early_stopping: EarlyStopping | None = None
    drop_last: bool = False
    keep: frozenset[Keep] = frozenset({Keep.PREDICTIONS})
    vary: frozenset[Source] | None = None
    """The sources that the seed governs; None for all, which then share one stream, as in a plain script."""
    held: int = 0
    """The seed of the sources that are not varied."""
    device: str = "cpu"

    @property
    def batches(self) -> int:
        """Steps in one epoch."""
        whole, rest = divmod(len(self.train), self.batch_size)
        return whole if self.drop_last else whole + (rest > 0)

    def rows_in(self, k: int) -> int:
        """Rows in the k-th batch of an epoch, from 0."""
        return min(self.batch_size, len(self.train) - k * self.batch_size)

    @property
    def steps(self) -> int:
        """Steps in the whole training."""
        return self.epochs * self.batches

    @property
    def measured(self) -> Part:
        """The rows on which metrics and predictions are made: test rows, else the training rows."""
        return Part.TRAIN if self.test is None else Part.TEST

    @property
    def parts(self) -> Sequence[tuple[Part, Data]]:
        """The parts of the data on which metrics are computed."""
        last = (self.measured, self.train if self.test is None else self.test)
        return [last] if self.validation is None else [(Part.VALIDATION, self.validation), last]

    def is_measured_after(self, epoch: int) -> bool:
        """Whether the metrics are computed after this epoch, the first of which is 1."""
        return epoch % self.every == 0 or epoch == self.epochs

    def seed_of(self, source: Source, seed: int) -> int:
        """The seed that governs a source in the run of a seed."""
        return seed if self.vary is None or source in self.vary else self.held


def check_numbers(**numbers: int | None) -> None:
    """Raises UsageError for a count that is no whole number or is below 1; None is left out."""
    for name, value in numbers.items():
        if value is None:
            continue
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise UsageError(f"{name} is a whole number; got {value!r}")
        if value < 1:
            raise UsageError(f"{name} is at least 1; got {value}")


def sources_named(vary: Iterable[str] | None) -> frozenset[Source] | None:
    """The sources that are varied. Raises UsageError for another name."""
    if vary is None:
        return None
    named = [vary] if isinstance(vary, str) else list(vary)
    known = [source.value for source in Source]
    for name in named:
        if name not in known:
            raise UsageError(f"vary takes {', '.join(known)}; got {name!r}")
    if not named:
        raise UsageError(f"vary names no source: then every seed gives the same; name one of {', '.join(known)}")
    return frozenset(map(Source, named))


def kept_named(keep: Iterable[str]) -> frozenset[Keep]:
    """What is kept. Raises UsageError for another name."""
    named = [keep] if isinstance(keep, str) else list(keep)
    known = [kind.value for kind in Keep]
    for name in named:
        if name not in known:
            raise UsageError(f"keep takes {', '.join(known)}; got {name!r}")
    return frozenset(map(Keep, named))
