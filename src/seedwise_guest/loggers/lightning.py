"""Lightning: `Trainer(callbacks=[LogMetrics()])` logs what `self.log` was given."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from ..capture import log
from . import numbers_of

_OLD = "pytorch_lightning" in sys.modules and "lightning" not in sys.modules
Callback: Any = import_module("pytorch_lightning" if _OLD else "lightning.pytorch").Callback


class LogMetrics(Callback):  # type: ignore[misc]
    """`trainer.callback_metrics` at the end of each training epoch and of a test; the step is the epoch, from 1."""

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        log(numbers_of(trainer.callback_metrics), step=trainer.current_epoch + 1)

    def on_test_end(self, trainer: Any, pl_module: Any) -> None:
        log(numbers_of(trainer.callback_metrics))
