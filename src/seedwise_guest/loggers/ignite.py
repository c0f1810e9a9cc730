"""Ignite: `evaluator.add_event_handler(Events.COMPLETED, log_metrics)` logs the engine's metrics."""

from __future__ import annotations

from typing import Any

from ..capture import log
from . import numbers_of


def log_metrics(engine: Any) -> None:
    """`engine.state.metrics`; the step counts the calls."""
    log(numbers_of(engine.state.metrics))
