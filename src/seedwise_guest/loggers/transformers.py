"""transformers: `Trainer(…, callbacks=[LogMetrics()])` logs what the Trainer logs."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from ..process.capture import log
from . import numbers_of

_TIMES = ("_runtime", "_per_second", "total_flos", "epoch")


class LogMetrics(TrainerCallback):  # type: ignore[misc]
    """Logs losses and metrics. The step is the global step. Durations are left out."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        values = {name: value for name, value in numbers_of(logs).items() if not name.endswith(_TIMES)}
        log(values, step=state.global_step)
