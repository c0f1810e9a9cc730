"""Makes a task of JAX from what a user gives, checked."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import optax

from ...errors import UsageError
from ..task import check_numbers, kept_named
from .training import JaxTask

_UNUSED = ("validation", "schedule", "clip_norm", "early_stopping", "vary")


def make_jax_task(described: Mapping[str, Any]) -> JaxTask:
    """The task. Raises UsageError, which says what is wrong."""
    for name in _UNUSED:
        if described[name] is not None:
            raise UsageError(f"{name} is for torch; with JAX it is a matter of optax or of your functions")
    if (
        described["drop_last"]
        or described["held"]
        or described["schedule_each"] != "epoch"
        or described["device"] != "cpu"
    ):
        raise UsageError(
            "drop_last, held, schedule_each and device are for torch: here rows that are left over are dropped"
        )
    optimizer, metrics = described["optimizer"], described["metrics"]
    if not isinstance(optimizer, optax.GradientTransformation):
        raise UsageError(f"with a JaxModel the optimizer is one of optax, such as optax.sgd(0.01); got {optimizer!r}")
    if not isinstance(metrics, Mapping) and list(metrics):
        raise UsageError("with a JaxModel metrics are a dict of functions of (outputs, targets)")
    epochs, batch = described["epochs"], described["batch_size"]
    check_numbers(epochs=epochs, batch_size=batch, every=described["every"], width=described["width"])
    train = _pair("train", described["train"])
    if len(train[0]) < batch:
        raise UsageError(f"{len(train[0])} rows and batches of {batch} leave no batch")
    return JaxTask(
        described["model"],
        train,
        None if described["test"] is None else _pair("test", described["test"]),
        described["loss"],
        optimizer,
        int(epochs),
        int(batch),
        int(described["every"] or max(1, epochs // 20)),
        dict(metrics),
        kept_named(described["keep"]),
    )


def _pair(name: str, given: object) -> Any:
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise UsageError(f"{name} is a pair (inputs, targets) of arrays; got {type(given).__name__}")
    x, y = map(jnp.asarray, given)
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or not len(x):
        raise UsageError(f"{name}: inputs have shape {x.shape}, targets {y.shape}: rows come first")
    return x, y
