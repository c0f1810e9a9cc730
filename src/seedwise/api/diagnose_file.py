"""`seedwise diagnose net.py:build`: a network, its data and its training, named in files and on the command line."""

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..batched.command import as_described
from ..batched.fit import described_by
from ..diagnostics.result import Diagnosis
from ..errors import ScriptError, SeedwiseError, UsageError
from ..events import Event
from ..experiments.functions import is_call, parse_settings
from ..experiments.importing import found_in
from ..runs.request import silent
from ..runs.tracebacks import raised_in
from ..typos import did_you_mean
from .control import seeded
from .diagnose import diagnose
from .diagnose_data import Pair, check_call, data_of, length

if TYPE_CHECKING:
    from torch import Tensor, nn, optim

OPTIMIZER, EPOCHS, BATCH = "adam", 20, 32
"""What is taken where nothing is said."""
_NOT_DONE = ("schedule", "clip_norm", "early_stopping", "drop_last")
"""What a description may ask for, and this plain loop does not do."""


@dataclass(frozen=True)
class Asked:
    """What was typed; None where nothing was.

    Attributes
    ----------
    model
        `net.py:build`, with its settings: a class, a function that builds a network, or one that describes a training, as for
        `run --batched`.
    data
        `net.py:data` (a function or a variable), or a file `.npz`.
    loss, optimizer
        A name of torch's, such as `cross_entropy` and `sgd`, or `net.py:loss`.
    """

    model: Sequence[str]
    seeds: Sequence[int]
    data: str | None = None
    loss: str | None = None
    optimizer: str | None = None
    lr: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    threads: int = 1


def diagnose_file(asked: Asked, tell: Callable[[Event], None] = silent) -> tuple[Diagnosis, str]:
    """Train the network of a file under several seeds, and say what its starting values do.

    Returns
    -------
    (Diagnosis, how it was trained, in a sentence)

    Raises
    ------
    UsageError, ScriptError
        Something that was named is not there, or does not fit together; or the user's own code failed, with its line.
    """
    if not asked.model or not is_call(asked.model):
        shown = asked.model[0] if asked.model else "nothing"
        raise UsageError(f"which network? net.py:build, a function or a class in a file; got {shown}")
    try:
        import torch
    except ModuleNotFoundError:
        raise UsageError("diagnose needs torch beside Seedwise: pip install torch") from None
    label = asked.model[0]
    before = torch.get_num_threads()
    torch.set_num_threads(asked.threads)
    try:
        # what is drawn while files are imported and data are made is the same at every call
        with _own_words(label), seeded(0):
            model, described = _model(asked)
        path = label.rpartition(":")[0]
        with _own_words(asked.data or path), seeded(0):
            train, test, source = data_of(asked.data, path, described)
        loss, loss_name = _loss(asked.loss, described, train)
        optimizer, optimizer_name = _optimizer(asked, described)
        epochs = _number(asked.epochs, described, "epochs", EPOCHS)
        batch = _number(asked.batch_size, described, "batch_size", BATCH)
        with _own_words(label, f"; loss: {loss_name}"):
            found = diagnose(
                model,
                train,
                test=test,
                loss=loss,
                optimizer=optimizer,
                epochs=epochs,
                batch_size=batch,
                seeds=asked.seeds,
                tell=tell,
            )
    finally:
        torch.set_num_threads(before)
    rows = f"{length(train)} examples" + ("" if test is None else f" and {length(test)} to test")
    left_out = [name for name in _NOT_DONE if described and described[name] != described_by()[name].default]
    more = f" Described, and not done here: {', '.join(left_out)}." if left_out else ""
    how = f"Trained by {optimizer_name} for {epochs} epochs in batches of {batch}; loss: {loss_name}; {rows} from {source}."
    return found, how + more


@contextmanager
def _own_words(label: str, more: str = "") -> Iterator[None]:
    """An error in the user's own code becomes a line that says where it is."""
    try:
        yield
    except SeedwiseError:
        raise
    except Exception as error:
        place = raised_in("".join(traceback.format_exception(error))).place
        where = f" at {place}" if place else ""
        raise ScriptError(f"{label} failed{where}: {type(error).__name__}: {error}{more}") from error


Factory = Callable[[], "nn.Module"]


def _model(asked: Asked) -> tuple[Factory, Mapping[str, object]]:
    """What builds the network; and what else the function describes."""
    from torch import nn

    label = asked.model[0]
    path, _, name = label.rpartition(":")
    config = parse_settings(asked.model)
    found = found_in(path, name)
    if isinstance(found, nn.Module):
        raise UsageError(f"{label} is a network already; name what builds one, so that each seed has its own values")
    if not callable(found):
        raise UsageError(f"{label} is no function or class that builds a network")
    check_call(found, config, label)
    first = found(**config)
    if isinstance(first, nn.Module):
        return partial(found, **config), {}
    if isinstance(first, Mapping):
        described = as_described(first, label)
        if not callable(described["model"]):
            raise UsageError(f"{label}: model is what builds a network; got {type(described['model']).__name__}")
        return described["model"], described
    raise UsageError(
        f"{label} gives {type(first).__name__}: name a function that builds a torch network, or one that describes a training as a dict with "
        "model, train, loss, optimizer …"
    )


Loss = Callable[["Tensor", "Tensor"], "Tensor"]


def _loss(text: str | None, described: Mapping[str, object], train: Pair) -> tuple[Loss, str]:
    """The loss, and its name: as typed, as described, or by what the targets are."""
    import torch
    from torch.nn import functional

    if text is None and described:
        loss = described["loss"]
        if not callable(loss):
            raise UsageError("the loss that is described is no function")
        return loss, getattr(loss, "__name__", type(loss).__name__)
    if text is None:
        whole = not torch.as_tensor(train[1] if torch.is_tensor(train[1]) else np.asarray(train[1])).is_floating_point()
        name = "cross_entropy" if whole else "mse_loss"
        why = "targets are whole numbers, that is, classes" if whole else "targets are no whole numbers"
        return getattr(functional, name), f"{name} (since {why}; --loss names another)"
    if is_call([text]):
        return _function(text, "loss(outputs, targets)"), text
    known = [name for name in dir(functional) if name.endswith("_loss") or "cross_entropy" in name]
    plain = text.lower().replace("-", "_")
    for name in (plain, f"{plain}_loss", {"mae": "l1_loss", "bce": "binary_cross_entropy_with_logits"}.get(plain, "")):
        if name in known:
            return getattr(functional, name), name
    near = did_you_mean(plain, known) or "; such as cross_entropy, mse, l1, huber, nll, or FILE.py:NAME"
    raise UsageError(f"--loss {text}: torch.nn.functional has none of that name{near}")


def _function(text: str, example: str) -> Callable[..., "Tensor"]:
    path, _, name = text.rpartition(":")
    found = found_in(path, name)
    if not callable(found):
        raise UsageError(f"{text} is no function: {example}")
    return found


def _optimizer(asked: Asked, described: Mapping[str, object]) -> "tuple[Callable[..., optim.Optimizer], str]":
    """What makes the optimizer, and its name."""
    from torch import optim

    text, lr = asked.optimizer, asked.lr
    if text is None and described:
        own = described["optimizer"]
        if not callable(own):
            raise UsageError("the optimizer that is described is no function: partial(torch.optim.SGD, lr=0.1)")
        if lr is not None:
            raise UsageError(
                "--lr would be ignored: the training that is described has its own optimizer; name one by --optimizer"
            )
        return own, _named(own)
    if text is not None and is_call([text]):
        if lr is not None:
            raise UsageError(f"--lr would be ignored: {text} makes the optimizer")
        return _function(text, "optimizer(parameters)"), text
    known = {
        name.lower(): of
        for name, of in vars(optim).items()
        if isinstance(of, type) and issubclass(of, optim.Optimizer) and of is not optim.Optimizer
    }
    name = (text or OPTIMIZER).lower()
    if name not in known:
        raise UsageError(f"--optimizer {text}: torch.optim has none of that name{did_you_mean(name, known)}")
    if lr is not None and not lr > 0:
        raise UsageError(f"--lr is above 0; got {lr}")
    made = partial(known[name], **({} if lr is None else {"lr": lr}))
    default = inspect.signature(known[name]).parameters["lr"].default
    return made, f"{known[name].__name__} (lr {default if lr is None else lr})"


def _named(made: object) -> str:
    if isinstance(made, partial):
        inside = ", ".join(f"{key} {value}" for key, value in made.keywords.items())
        return f"{getattr(made.func, '__name__', 'the optimizer')}{f' ({inside})' if inside else ''}"
    return getattr(made, "__name__", type(made).__name__)


def _number(asked: int | None, described: Mapping[str, object], name: str, default: int) -> int:
    value = described.get(name, default) if asked is None else asked
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{name} is a whole number; the training that is described has {value!r}")
    return value
