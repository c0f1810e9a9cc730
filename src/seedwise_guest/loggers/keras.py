"""Keras: `model.fit(…, callbacks=[LogMetrics()])` logs what each epoch reports."""

from __future__ import annotations

from typing import Any

import keras

from ..process.capture import log
from . import numbers_of


class LogMetrics(keras.callbacks.Callback):  # type: ignore[misc]
    """Logs losses and metrics at the end of each epoch. The step is the epoch, counted from 1."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        log(numbers_of(logs), step=epoch + 1)
