"""What came out of the training of one seed, whichever engine trained it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..results import Cause, Run, Series, Status
from .task import Part

Array = NDArray[np.generic]


@dataclass
class Curves:
    """The curves of one seed, while they grow."""

    steps: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, epoch: int, measured: Mapping[str, float]) -> None:
        """Add the values after an epoch."""
        self.steps.append(epoch)
        for name, value in measured.items():
            self.values.setdefault(name, []).append(value)

    def add_restored(self, measured: Mapping[str, float]) -> None:
        """Add the values of the best parameters, which were put back after the last epoch, as a second point there."""
        self.steps.append(self.steps[-1])
        for name, values in self.values.items():
            values.append(measured.get(name, values[-1]))


@dataclass(frozen=True)
class SeedOutcome:
    """What came out under one seed.

    `failed_step` is the step, from 1, whose loss was not a finite number. `stopped_epoch` is the last epoch of a seed that
    stopped early. `parameters` are the final parameters and buffers.
    """

    seed: int
    curves: Curves
    failed_step: int | None = None
    stopped_epoch: int | None = None
    parameters: Mapping[str, Array] | None = None
    predictions: Array | None = None
    seconds: float = 0.0

    def as_run(self, part: Part, batches: int) -> Run:
        """The same as a run. A training whose loss was no finite number is a failed run."""
        series = {
            name: Series(tuple(self.curves.steps[: len(values)]), tuple(values))
            for name, values in self.curves.values.items()
        }
        if self.stopped_epoch is not None:
            series["stopped_epoch"] = Series((self.stopped_epoch,), (float(self.stopped_epoch),))
        held = dict(self.parameters or {})
        if self.predictions is not None:
            held[f"{part}_predictions"] = self.predictions
        if self.failed_step is None:
            return Run(self.seed, Status.FINISHED, series, seconds=self.seconds, held=held)
        epoch = (self.failed_step - 1) // batches + 1
        detail = f"the loss was not a finite number at step {self.failed_step} (epoch {epoch})"
        return Run(
            self.seed, Status.FAILED, series, cause=Cause.DIVERGED, detail=detail, seconds=self.seconds, held=held
        )
