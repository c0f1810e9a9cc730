"""The program with the seeds last does what the stacked one does; interpreted here, and once compiled."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import seedwise as sw
from seedwise.batched.on_torch.chunk import Chunk
from seedwise.batched.on_torch.compiled import CompiledStepper, NotCompiled
from seedwise.batched.on_torch.lone import train_alone
from seedwise.batched.on_torch.making import make_task
from seedwise.batched.on_torch.vmap import VmapStepper
from seedwise.batched.task import Keep, Task

from .nets import BY_NAME, CASES, Case
from .test_as_if_alone import OPTIMIZERS, SCHEDULES

SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.9)


def task_of(case: Case, **how: object) -> Task:
    given = {
        "model": case.model(True), "train": case.data(True), "test": None, "validation": None, "loss": nn.CrossEntropyLoss(),
        "optimizer": SGD, "epochs": 1, "batch_size": 7, "metrics": (), "schedule": None, "schedule_each": "epoch",
        "clip_norm": None, "early_stopping": None, "every": 1, "drop_last": False, "keep": frozenset(), "vary": None, "held": 0,
        "device": "cpu", **how,
    }  # fmt: skip
    return make_task(**given)  # type: ignore[arg-type]


def trained(task: Task, compiled: bool) -> Chunk:
    chunk = Chunk(
        task,
        [3, 4, 5],
        4,
        (lambda task, model: CompiledStepper(task, model, compile=False)) if compiled else VmapStepper,
    )
    chunk.begin()
    for epoch in range(task.epochs):
        chunk.losses = chunk.epoch(epoch * task.batches + 1)  # type: ignore[attr-defined]
    return chunk


def assert_same(task: Task) -> None:
    one, other = trained(task, False), trained(task, True)
    for kind in ("parameters", "buffers"):
        expected, found = getattr(one.stepper, kind), getattr(other.stepper, kind)
        assert expected.keys() == found.keys()
        for name, value in expected.items():
            assert torch.allclose(value.to(found[name].dtype), found[name], rtol=1e-9, atol=1e-10), name
    assert torch.allclose(one.losses, other.losses, rtol=1e-9)  # type: ignore[attr-defined]


LONG = {
    "lstm",
    "deep lstm",
    "lstm without bias",
    "gru",
    "rnn",
    "attention",
}  # each step takes long where it is not compiled


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_loop_in_double_precision_is_met_after_80_to_250_steps(case: Case) -> None:
    epochs = 8 if case.name in LONG else 25
    task = task_of(case, epochs=epochs, batch_size=5, keep=frozenset({Keep.PARAMETERS}))
    chunk = trained(task, True)
    found = {**chunk.stepper.parameters, **chunk.stepper.buffers}
    for k, seed in enumerate(chunk.seeds[:2]):
        alone = train_alone(task, seed).parameters
        assert alone is not None
        assert found.keys() == alone.keys()
        for name, value in alone.items():
            assert np.abs(found[name][k].detach().numpy() - value).max() < 1e-9, name


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "adagrad"])
def test_updates_are_those_of_torch(name: str) -> None:
    assert_same(task_of(BY_NAME["linear"], optimizer=OPTIMIZERS[name]))


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_followed(name: str) -> None:
    schedule, each = SCHEDULES[name]
    assert_same(task_of(BY_NAME["linear"], schedule=schedule, schedule_each=each))


def test_groups_of_parameters_have_their_own_numbers() -> None:
    def grouped(parameters: object) -> torch.optim.Optimizer:
        first, *rest = parameters  # type: ignore[misc]
        return torch.optim.Adam([{"params": [first], "lr": 0.1}, {"params": rest, "weight_decay": 0.1}], lr=0.01)

    assert_same(task_of(BY_NAME["linear"], optimizer=grouped))


def test_what_is_not_trained_or_not_used_stays() -> None:
    class Partly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.unused = nn.Linear(6, 4), nn.Linear(4, 3), nn.Linear(2, 2)
            self.a.weight.requires_grad_(False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(torch.tanh(self.a(x)))

    assert_same(task_of(Case("partly", Partly, (6,)), optimizer=OPTIMIZERS["adamw"]))


def test_other_losses() -> None:
    y = torch.randn(48, 3, dtype=torch.float64)
    for loss in (nn.MSELoss(), nn.SmoothL1Loss()):
        assert_same(task_of(BY_NAME["linear"], loss=loss, train=(BY_NAME["linear"].data(True)[0], y)))
    binary = (y > 0).double()
    data = (BY_NAME["linear"].data(True)[0], binary)
    assert_same(task_of(BY_NAME["linear"], loss=nn.BCEWithLogitsLoss(), train=data))
    assert_same(
        task_of(BY_NAME["linear"], loss=nn.CrossEntropyLoss(label_smoothing=0.1, weight=torch.rand(3).double()))
    )


def test_gradients_are_clipped_for_each_seed() -> None:
    assert_same(task_of(BY_NAME["linear"], clip_norm=0.1))
    assert_same(task_of(BY_NAME["linear"], clip_norm=1e9))


def of_the_first(parameters: object) -> torch.optim.Optimizer:
    return SGD([next(iter(parameters))])  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("how", "words"),
    [({"optimizer": OPTIMIZERS["adagrad"]}, "Adagrad"), ({"clip_norm": 1.0, "optimizer": of_the_first}, "clip_norm")],
    ids=["adagrad", "clipping what is not trained"],
)
def test_what_it_cannot_do_is_said(how: dict[str, object], words: str) -> None:
    with pytest.raises(NotCompiled, match=words):
        trained(task_of(BY_NAME["linear"], **how), True)


def test_an_operation_without_a_rule_is_named() -> None:
    class Summing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(x) + self.out.weight.cumsum(1).sum()

    data = BY_NAME["linear"].data()
    with pytest.raises(sw.UsageError, match=r"aten\.cumsum.*engine='vmap' can"):
        sw.batched.fit(
            Summing,
            data,
            loss=nn.CrossEntropyLoss(),
            optimizer=SGD,
            epochs=1,
            batch_size=8,
            seeds=[1, 2],
            engine="compiled",
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["linear", "dropout", "norms", "convolution"])
def test_the_compiled_program_is_the_loop(name: str) -> None:
    case = BY_NAME[name]
    how = {"loss": nn.CrossEntropyLoss(), "optimizer": SGD, "epochs": 12, "batch_size": 5, "seeds": [3, 4], "width": 64}
    results = sw.batched.fit(case.make, case.data(), engine="compiled", **how)  # type: ignore[arg-type]
    assert results.closeness is not None
    assert results.closeness.same_start
    assert results.closeness.same_order
    assert results.closeness.difference < 2e-3 * results.closeness.moved
    assert results.compile_seconds > 0
