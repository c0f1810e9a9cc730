"""skorch: `NeuralNetClassifier(…, callbacks=[LogMetrics()])` logs what its history gains in each epoch."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback

from ..process.capture import log
from . import numbers_of


class LogMetrics(Callback):  # type: ignore[misc]
    """Logs losses and scores. The step is the epoch, counted from 1. Durations and counts of batches are left out.

    Put this callback last: scores of callbacks that stand after it are not in the history yet.
    """

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        row = {k: v for k, v in net.history[-1].items() if k not in ("epoch", "dur", "batches") and "_batch_" not in k}
        values = {k: v for k, v in numbers_of(row).items() if not isinstance(row[k], bool)}
        log(values, step=int(net.history[-1, "epoch"]))
