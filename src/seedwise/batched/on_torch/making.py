"""Makes a task from what a user gives, checked."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np
import torch
from torch import nn

from ...errors import UsageError
from ..task import Data, EarlyStopping, Keep, Source, Task, check_numbers
from .measure import BUILT_IN, functions_for
from .patience import goal_of
from .streams import build, global_generators_kept

Metric: TypeAlias = "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]"


def make_task(
    *,
    model: "Callable[[], nn.Module]",
    train: object,
    test: object,
    validation: object,
    loss: Metric,
    optimizer: "Callable[[Iterable[torch.Tensor]], torch.optim.Optimizer]",
    epochs: int,
    batch_size: int,
    metrics: Mapping[str, Metric] | Iterable[str],
    schedule: "Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler] | None",
    schedule_each: str,
    clip_norm: float | None,
    early_stopping: EarlyStopping | None,
    every: int | None,
    drop_last: bool,
    keep: frozenset[Keep],
    vary: frozenset[Source] | None,
    held: int,
    device: str,
) -> Task:
    """The task. Raises UsageError, which says what is wrong."""
    _check_functions(model, loss, optimizer)
    check_numbers(epochs=epochs, batch_size=batch_size, every=every)
    _check_choices(schedule_each, clip_norm, early_stopping, validation)
    _check_device(device)
    net = _built(model)
    dtype = next((p.dtype for p in net.parameters() if p.is_floating_point()), torch.get_default_dtype())
    _check_optimizer(optimizer, net)
    if every is None:
        every = 1 if early_stopping is not None else max(1, epochs // 20)
    rows = data_of("train", train, dtype, device)
    if drop_last and len(rows) < batch_size:
        raise UsageError(f"drop_last with {len(rows)} rows and batches of {batch_size} leaves no batch")
    task = Task(
        model=model,
        train=rows,
        test=None if test is None else data_of("test", test, dtype, device),
        validation=None if validation is None else data_of("validation", validation, dtype, device),
        loss=loss,
        optimizer=optimizer,
        epochs=int(epochs),
        batch_size=int(batch_size),
        every=int(every),
        metrics=metrics_named(metrics),
        schedule=schedule,
        schedule_each_step=schedule_each == "step",
        clip_norm=clip_norm,
        early_stopping=early_stopping,
        drop_last=drop_last,
        keep=keep,
        vary=vary,
        held=held,
        device=str(device),
    )
    _check_stopping(task)
    return task


def _check_functions(model: object, loss: object, optimizer: object) -> None:
    for name, value in (("model", model), ("loss", loss), ("optimizer", optimizer)):
        if not callable(value):
            raise UsageError(f"{name} is a function; got {value!r}")
    if isinstance(model, nn.Module):
        raise UsageError(
            "model is what makes a model, such as the class Net, so that each seed has its own; got one model"
        )


def _check_choices(
    schedule_each: str, clip_norm: float | None, early_stopping: EarlyStopping | None, validation: object
) -> None:
    if schedule_each not in ("epoch", "step"):
        raise UsageError(f"schedule_each is epoch or step; got {schedule_each!r}")
    if clip_norm is not None and not clip_norm > 0:
        raise UsageError(f"clip_norm is above 0; got {clip_norm}")
    if early_stopping is not None and validation is None:
        raise UsageError(
            "early stopping looks at validation rows, which are not the ones that are reported: validation=(X, y)"
        )


def _check_device(device: str) -> None:
    try:
        kind = torch.zeros((), device=device).device.type
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"device {device!r} cannot be used here: {str(error).splitlines()[0]}") from None
    if kind not in ("cpu", "cuda"):
        raise UsageError(f"device is cpu or cuda; the draws of dropout on {kind} are not known here")


def _built(model: "Callable[[], nn.Module]") -> "nn.Module":
    with global_generators_kept():
        net, _ = build(model, 0)
    if not isinstance(net, nn.Module):
        raise UsageError(f"model makes a torch.nn.Module; it made {type(net).__name__}")
    if not any(p.requires_grad for p in net.parameters()):
        raise UsageError(f"{type(net).__name__} has no parameters to train")
    return net


def _check_optimizer(optimizer: "Callable[[Iterable[torch.Tensor]], torch.optim.Optimizer]", net: "nn.Module") -> None:
    made = optimizer(net.parameters())
    if not isinstance(made, torch.optim.Optimizer):
        raise UsageError(
            f"optimizer takes parameters and makes an optimizer, such as functools.partial(torch.optim.SGD, lr=0.01); "
            f"it made {type(made).__name__}"
        )
    if not torch.is_grad_enabled():
        raise UsageError("gradients are off here (torch.no_grad): train outside of it")


def _check_stopping(task: Task) -> None:
    stopping = task.early_stopping
    if stopping is None:
        return
    check_numbers(patience=stopping.patience)
    if stopping.goal not in (None, "min", "max"):
        raise UsageError(f"the goal is min or max; got {stopping.goal!r}")
    goal_of(stopping)
    known = [name for part, _ in task.parts[:1] for name, _ in functions_for(task, part)]
    if stopping.monitor not in known:
        raise UsageError(f"early stopping on {stopping.monitor!r}: the validation rows give {', '.join(known)}")


def data_of(name: str, given: object, dtype: "torch.dtype", device: str) -> Data:
    """Inputs and targets as tensors. Numbers with a fraction get the type of the model's parameters."""
    if isinstance(given, torch.utils.data.TensorDataset):
        given = given.tensors
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise UsageError(f"{name} is a pair (inputs, targets) of arrays or tensors; got {type(given).__name__}")
    inputs, targets = (_tensor(name, part, dtype).to(device) for part in given)
    if inputs.dim() == 0 or targets.dim() == 0 or len(inputs) != len(targets):
        raise UsageError(
            f"{name}: inputs have shape {tuple(inputs.shape)}, targets {tuple(targets.shape)}: rows come first"
        )
    if len(inputs) == 0:
        raise UsageError(f"{name} has no rows")
    return Data(inputs, targets)


def _tensor(name: str, values: object, dtype: "torch.dtype") -> "torch.Tensor":
    try:
        tensor = values if isinstance(values, torch.Tensor) else torch.as_tensor(np.asarray(values))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name}: not an array of numbers: {error}") from None
    tensor = tensor.detach()
    if tensor.is_floating_point():
        return tensor.to(dtype)
    return tensor if tensor.dtype in (torch.int64, torch.bool) else tensor.to(torch.int64)


def metrics_named(metrics: Mapping[str, Metric] | Iterable[str]) -> dict[str, Metric]:
    """The metrics by name. Raises UsageError for a name that is not built in."""
    if isinstance(metrics, Mapping):
        wrong = [name for name, function in metrics.items() if not callable(function)]
        if wrong:
            raise UsageError(f"metrics map names to functions of (outputs, targets); {wrong[0]!r} is none")
        return dict(metrics)
    named = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in named:
        if name not in BUILT_IN:
            raise UsageError(
                f"metrics known by name are {', '.join(BUILT_IN)}; for {name!r} give a function: {{name: function}}"
            )
    return {name: BUILT_IN[name] for name in named}
