"""Callbacks that log a trainer's metrics into the run, one small file for each trainer.

Outside a run they do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Number
from typing import Any


def numbers_of(values: Mapping[str, Any] | None) -> dict[str, float]:
    """The values that are single numbers, as floats: Python numbers, NumPy scalars, tensors of one element."""
    found: dict[str, float] = {}
    for name, value in (values or {}).items():
        if hasattr(value, "numpy") and not hasattr(value, "numel"):
            value = value.numpy()  # a scalar of TensorFlow
        if isinstance(value, Number) or (hasattr(value, "item") and getattr(value, "size", 1) in (1, None)):
            try:
                found[str(name)] = float(value)
            except (TypeError, ValueError):
                continue
        elif hasattr(value, "numel") and value.numel() == 1:
            found[str(name)] = float(value)
    return found
