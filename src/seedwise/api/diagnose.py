"""What starting values do to a network: it is trained under several seeds, and looked into."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import stats
from ..diagnostics import findings as found_by
from ..diagnostics.result import Course, Diagnosis, Finding, LayerReport, PathBetween
from ..errors import UsageError
from ..events import Event, Note
from ..reports.diagnosis import diagnosis_sentence
from ..results import check_seeds
from ..runs.request import silent
from .control import seeded

if TYPE_CHECKING:
    from torch import Tensor, nn, optim

    from ..diagnostics.training import Setup, Trained

_WALKED = 4
"""The line is walked between all pairs of so many seeds."""


def diagnose(
    model: "Callable[[], nn.Module]",
    train: tuple[object, object],
    *,
    loss: "Callable[[Tensor, Tensor], Tensor]",
    optimizer: "Callable[[Iterable[nn.Parameter]], optim.Optimizer]",
    epochs: int,
    batch_size: int = 32,
    seeds: Iterable[int] = range(1, 6),
    test: tuple[object, object] | None = None,
    tell: Callable[[Event], None] = silent,
) -> Diagnosis:
    """Train a torch network under several seeds, and say what its starting values do.

    Parameters
    ----------
    model
        Builds the network: a class, or a function without arguments. It is called under each seed.
    train, test
        Inputs and targets: tensors or arrays, shapes (examples, …). Predictions are compared on `test` (default: on `train`). Targets that are
        integers are classes, for which the network gives one number each.
    loss
        `loss(outputs, targets)`, a mean over examples.
    optimizer
        `optimizer(parameters)`, such as `lambda p: torch.optim.SGD(p, lr=0.1)`.
    epochs, batch_size
        How long each network is trained; the order of the data is shuffled in each epoch.
    seeds
        The seeds, two or more.
    tell
        Is told of each seed that is trained.

    Returns
    -------
    Diagnosis
        `print` it. Gradients of each layer (the first 1,024 examples) at the start, after each quarter of training and at the end; units that are
        and stay copies; dead and saturated units; the loss along the straight line between the solutions of four seeds; flat
        stretches; the epochs that each seed needs; the examples that flip. Thresholds and their sources: `seedwise.diagnostics.findings`.

    Raises
    ------
    UsageError
        torch is not there; the data do not fit together; a number is too small; two seeds are the same.

    Notes
    -----
    Generators of torch, NumPy and Python are left as they were. Saturation is that of `tanh` and `sigmoid`, of attention, and of the
    gates of recurrent layers that are not stacked and read in one direction.
    """
    setup, targets = _setup(model, train, test, loss, optimizer, epochs, batch_size)
    chosen = check_seeds(seeds)
    if len(chosen) < 2:
        raise UsageError(
            f"what a seed does is seen from two seeds on; got {f'seed {chosen[0]} alone' if chosen else 'none'}"
        )
    from ..diagnostics.training import along_the_line, pairs
    from ..diagnostics.training import train as train_one

    trained = []
    for k, seed in enumerate(chosen, start=1):
        with seeded(seed):
            trained.append(train_one(setup, seed))
        start, end = trained[-1].losses[[0, -1]]
        tell(Note(f"seed {seed} trained, {k} of {len(chosen)}: loss {start:.4g} to {end:.4g}"))
    gain = float(np.median([t.losses[0] - t.losses[-1] for t in trained if not t.diverged] or [0.0]))
    paths = []
    for a, b in pairs(trained, _WALKED):
        with seeded(0):  # dropout is off; whatever else may draw
            losses = along_the_line(a.network, b.network, setup)
        paths.append(PathBetween((a.seed, b.seed), tuple(losses.tolist()), found_by.barrier_of(losses, gain)))
    return _diagnosis(chosen, trained, tuple(paths), targets, "training" if test is None else "test")


def _setup(
    model: "Callable[[], nn.Module]",
    train: tuple[object, object],
    test: tuple[object, object] | None,
    loss: "Callable[[Tensor, Tensor], Tensor]",
    optimizer: "Callable[[Iterable[nn.Parameter]], optim.Optimizer]",
    epochs: int,
    batch_size: int,
) -> "tuple[Setup, Tensor]":
    """What is trained, and the targets of the test data."""
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise UsageError("diagnose needs torch: pip install torch") from None
    from ..diagnostics.training import Setup

    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(f"{name} is a whole number, 1 or more; got {value!r}")
    for name, function in (("model", model), ("loss", loss), ("optimizer", optimizer)):
        if not callable(function):
            raise UsageError(f"{name} is a function: {_SUCH_AS[name]}; got {type(function).__name__}")
    from torch import nn

    if isinstance(model, nn.Module):
        raise UsageError(
            "model is a network already; give what builds one, so that each seed has its own starting values"
        )
    x, y = _tensors("train", train)
    test_x, test_y = (x, y) if test is None else _tensors("test", test)
    return Setup(model, x, y, loss, optimizer, epochs, batch_size, test_x), test_y


_SUCH_AS = {
    "model": "Net, or lambda: Net(width=64)",
    "loss": "torch.nn.functional.cross_entropy",
    "optimizer": "lambda p: torch.optim.SGD(p, lr=0.1)",
}


def _tensors(name: str, data: tuple[object, object]) -> "tuple[Tensor, Tensor]":
    """Inputs and targets as tensors, 64-bit floats as 32-bit."""
    import torch

    if not isinstance(data, tuple | list) or len(data) != 2:
        raise UsageError(f"{name} is (inputs, targets)")
    found = []
    for part in data:
        tensor = part if isinstance(part, torch.Tensor) else torch.as_tensor(np.asarray(part))
        found.append(tensor.float() if tensor.dtype is torch.float64 and not isinstance(part, torch.Tensor) else tensor)
    x, y = found
    if not y.is_floating_point() and y.dtype is not torch.bool:
        y = y.long()  # classes, as the losses of torch take them
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) < 2:
        raise UsageError(
            f"{name}: as many targets as inputs, two or more; got shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    for what, tensor in (("inputs", x), ("targets", y)):
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise UsageError(f"{name}: some {what} are NaN or infinite")
    return x, y


def _diagnosis(
    seeds: Sequence[int], trained: "Sequence[Trained]", paths: tuple[PathBetween, ...], targets: "Tensor", data: str
) -> Diagnosis:
    names = [layer.name for layer in trained[0].looks[0][1]]
    ratios = {
        t.seed: {epoch: found_by.relative([layer.gradient for layer in of]) for epoch, of in t.looks} for t in trained
    }
    by_seed = {name: {t.seed: _layer(t, k) for t in trained} for k, name in enumerate(names)}
    layers = tuple(_middle(list(of.values())) for of in by_seed.values())
    every = [t.losses for t in trained]
    needed, little = found_by.epochs_needed(every), found_by.learned_little(every)
    courses = tuple(
        Course(
            t.seed,
            tuple(t.losses.tolist()),
            epoch,
            () if t.diverged else found_by.flat_stretches(t.losses),
            t.diverged,
        )
        for t, epoch in zip(trained, needed, strict=True)
    )
    agreement, labels = _agreement([t for t in trained if not t.diverged], targets)
    found = [
        *found_by.courses_found(courses, little),
        *(found_by.gradients_found(names, ratios) if names else []),
        *_through_time(names, trained),
        *found_by.layers_found(layers, by_seed),
        *found_by.paths_found(paths, little),
        *found_by.disagreement_found(seeds, agreement, labels, data),
    ]
    answer = Diagnosis(
        tuple(seeds), tuple(found), layers, courses, paths, agreement, labels, data, learned_little=little
    )
    return answer.saying(diagnosis_sentence(answer))


def _through_time(names: Sequence[str], trained: "Sequence[Trained]") -> list[Finding]:
    """What is wrong on the way back to the first step, if any layer is recurrent."""
    steps = [layer.steps for layer in trained[0].looks[0][1]]
    if not any(steps):
        return []
    ratios = {
        t.seed: {
            epoch: np.array([np.nan if of.through_time is None else of.through_time for of in layers])
            for epoch, layers in t.looks
        }
        for t in trained
    }
    return found_by.through_time_found(names, ratios, steps)


def _layer(t: "Trained", k: int) -> LayerReport:
    """One layer under one seed."""
    (_, first), (_, last) = t.looks[0], t.looks[-1]
    start, end = (found_by.relative([layer.gradient for layer in of])[k] for of in (first, last))
    before, after = first[k], last[k]
    copies = 0
    if before.rows is not None and after.rows is not None:
        copies = found_by.still_identical(before.rows, after.rows)
    return LayerReport(
        before.name,
        None if np.isnan(start) else float(start),
        None if np.isnan(end) else float(end),
        len(after.dead),
        copies,
        None if last[-1].dead.all() else float(after.dead.mean()),
        before.saturated,
        before.what,
        before.through_time,
        before.steps,
    )


def _middle(of: Sequence[LayerReport]) -> LayerReport:
    """One layer in the median over seeds."""

    def median(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.median(known)) if known else None

    return LayerReport(
        of[0].name,
        median([r.gradient_at_start for r in of]),
        median([r.gradient_at_end for r in of]),
        of[0].units,
        int(np.median([r.identical for r in of])),
        median([r.dead for r in of]),
        median([r.saturated for r in of]),
        of[0].what,
        median([r.through_time for r in of]),
        of[0].steps,
    )


def _agreement(trained: "Sequence[Trained]", targets: "Tensor") -> tuple[stats.Agreement | None, bool]:
    """How far the seeds' predictions differ, and whether they are labels. None where fewer than two seeds have any."""
    labels = not targets.is_floating_point()
    sound = [t.outputs for t in trained if np.isfinite(t.outputs).all()]
    if len(sound) < 2:
        return None, labels
    outputs, true = np.stack(sound), targets.double().cpu().numpy()
    if labels and outputs.ndim == true.ndim + 2 and outputs.shape[-1] > 1 and true.ndim == 1:
        return stats.agreement_of_labels(outputs.argmax(axis=-1), true), True
    if outputs[0].size != true.size:
        return (
            None,
            labels,
        )  # what the network gives and the targets are different things: only the loss knows how they meet
    return stats.agreement_of_values(outputs.reshape(len(outputs), -1), true.reshape(-1)), False
