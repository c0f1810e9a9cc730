"""The trace of a Keras training: a digest of all weights after each epoch, with every backend.

On TensorFlow and JAX, Keras computes a step inside one compiled function. Its callbacks see the weights only at the
end of an epoch.
"""

from __future__ import annotations

import functools
from typing import Any
from zlib import crc32

_MOST_NUMBERS = 20_000_000


class Epochs:
    """Digests of all weights after each epoch of every `fit`."""

    def __init__(self) -> None:
        self.digests: list[int] = []
        self._model: Any = None

    def watch(self, module: Any) -> None:
        """Hook Keras's list of callbacks. Called when Keras has imported it."""
        owner = module.CallbackList
        original = owner.on_epoch_end

        @functools.wraps(original)
        def on_epoch_end(this: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(this, *args, **kwargs)
            self._after(getattr(this, "_model", None))
            return result

        owner.on_epoch_end = on_epoch_end

    def _after(self, model: Any) -> None:
        if model is None:
            return
        self._model = model
        found = 0
        for weights in model.get_weights():
            found = crc32(weights.tobytes(), found)
        self.digests.append(found)

    def parameters(self) -> Any:
        """All weights of the last model as one float32 array, shape (n,). Empty if there are too many to keep."""
        import numpy as np

        parts, total = [], 0
        for weights in self._model.get_weights() if self._model is not None else ():
            if weights.dtype.kind != "f":
                continue
            total += weights.size
            if total > _MOST_NUMBERS:
                return np.zeros(0, np.float32)
            parts.append(weights.reshape(-1).astype(np.float32))
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
