"""Lightning: `Trainer(callbacks=[LogMetrics()])` logs what `self.log` was given."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..process.capture import log
from . import numbers_of

_OLD = "lightning" not in sys.modules and ("pytorch_lightning" in sys.modules or find_spec("lightning") is None)
Callback: Any = import_module("pytorch_lightning" if _OLD else "lightning.pytorch").Callback


class LogMetrics(Callback):  # type: ignore[misc]
    """Logs `trainer.callback_metrics` of each training epoch and of a test. The step is the epoch, counted from 1.

    A module may log values at the end of an epoch, after the callbacks were called. Therefore an epoch is written
    when the next one begins. Values of a validation are written only for epochs that had a validation. In a
    distributed run only rank 0 writes.
    """

    def __init__(self) -> None:
        self._epoch = 0
        self._validated = False
        self._of_validation: set[str] = set()
        self._before: set[str] = set()

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        self._before = set(trainer.callback_metrics)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        self._of_validation |= set(trainer.callback_metrics) - self._before
        self._validated = True

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self._epoch = trainer.current_epoch + 1

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        self._write(trainer)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._write(trainer)

    def _write(self, trainer: Any) -> None:
        if self._epoch and trainer.is_global_zero:
            values = numbers_of(trainer.callback_metrics)
            if not self._validated:
                values = {name: value for name, value in values.items() if name not in self._of_validation}
            log(values, step=self._epoch)
        self._epoch, self._validated = 0, False

    def on_test_end(self, trainer: Any, pl_module: Any) -> None:
        if trainer.is_global_zero:
            log(numbers_of(trainer.callback_metrics))
