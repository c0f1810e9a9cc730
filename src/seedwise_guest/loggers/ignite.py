"""Ignite: `evaluator.add_event_handler(Events.COMPLETED, LogMetrics("val_", trainer))` logs the engine's metrics."""

from __future__ import annotations

from typing import Any

from ..process.capture import log
from . import numbers_of


class LogMetrics:
    """A handler that logs `engine.state.metrics`.

    Parameters
    ----------
    prefix
        Text that is put before each name. An evaluator that is run on two sets of data needs two handlers, each with
        its own prefix.
    trainer
        The engine whose epoch is the step. Without it, the k-th call is step k.
    """

    def __init__(self, prefix: str = "", trainer: Any = None) -> None:
        self.prefix, self.trainer = prefix, trainer

    def __call__(self, engine: Any) -> None:
        values = {self.prefix + name: value for name, value in numbers_of(engine.state.metrics).items()}
        log(values, step=None if self.trainer is None else int(self.trainer.state.epoch))
