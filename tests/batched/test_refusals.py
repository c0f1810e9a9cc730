"""What would be wrong in a stack is refused by name; `auto` then trains each seed alone, and says so."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import seedwise as sw

from .nets import BY_NAME, Mlp

LINEAR = BY_NAME["linear"]
SGD = partial(torch.optim.SGD, lr=0.01)


def fitted(model: object = Mlp, **how: object) -> sw.batched.BatchedResults:
    given = {
        "train": LINEAR.data(),
        "loss": nn.CrossEntropyLoss(),
        "optimizer": SGD,
        "epochs": 1,
        "batch_size": 8,
        "seeds": [1, 2],
        "engine": "vmap",
        "width": 64,
        **how,
    }
    return sw.batched.fit(model, **given)  # type: ignore[arg-type]


class Own(torch.optim.Optimizer):
    """An optimizer that mixes: every step has the same length."""

    def __init__(self, parameters: object) -> None:
        super().__init__(parameters, {"lr": 0.1})  # type: ignore[arg-type]

    @torch.no_grad()
    def step(self, closure: object = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            size = torch.stack([p.grad.norm() for p in group["params"]]).norm()
            for p in group["params"]:
                p -= group["lr"] * p.grad / size


def with_hook(parameters: object) -> torch.optim.Optimizer:
    made = SGD(parameters)
    made.register_step_pre_hook(lambda *_: None)
    return made


class Noisy(Mlp):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x + torch.randn_like(x))


class Choosing(Mlp):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = super().forward(x)
        return h if h.sum() > 0 else -h


class Asking(Mlp):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * self.hid1.weight.norm().item()


class Averaging(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.net = nn.BatchNorm1d(6, momentum=None), Mlp()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(self.norm(x))


class Scaled(Mlp):
    def __init__(self) -> None:
        super().__init__()
        self.scale = float(torch.rand(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * self.scale


class Masked(Mlp):
    def __init__(self) -> None:
        super().__init__()
        self.mask = torch.rand(3)  # no buffer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * self.mask


class Grown(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        width = 3 + int(torch.initial_seed()) % 2
        self.a, self.b = nn.Linear(6, width), nn.Linear(width, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(self.a(x))


class Counting(Mlp):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += self.training
        return super().forward(x) * (1 + 0.1 * self.calls)


def hooked() -> nn.Module:
    net = Mlp()
    net.out.weight.register_hook(lambda g: g.clamp(-1, 1))
    return net


REFUSED = {
    "own optimizer": ({"optimizer": Own}, "Own"),
    "lbfgs": ({"optimizer": lambda p: torch.optim.LBFGS(list(p))}, "LBFGS"),
    "adafactor": ({"optimizer": torch.optim.Adafactor}, "Adafactor"),
    "hook of the optimizer": ({"optimizer": with_hook}, "hooks"),
    "hook of a parameter": ({"model": hooked}, "out.weight"),
    "plateau": ({"schedule": torch.optim.lr_scheduler.ReduceLROnPlateau}, "ReduceLROnPlateau"),
    "noise": ({"model": Noisy}, "random numbers"),
    "choice by values": ({"model": Choosing}, "values"),
    "a value as a number": ({"model": Asking}, "item"),
    "a number for each seed": ({"model": Scaled}, "scale of the model"),
    "a tensor for each seed": ({"model": Masked}, "mask of the model"),
    "a shape for each seed": ({"model": Grown}, "a.weight of the model"),
    "a count of calls": ({"model": Counting}, "not trained as if alone"),
    "batch norm that averages": ({"model": Averaging}, "momentum=None"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_by_name(name: str) -> None:
    how, words = REFUSED[name]
    with pytest.raises(sw.UsageError, match=words):
        fitted(**how)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["own optimizer", "noise", "choice by values", "a number for each seed"])
def test_is_trained_alone_by_auto_which_says_why(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedwise.batched.on_torch.choosing.NOT_WORTH_A_LOOK_FOR_FEW", 0.0)
    how, words = REFUSED[name]
    results = fitted(**{**how, "engine": "auto"})  # type: ignore[arg-type]
    assert results.engine is sw.batched.Engine.LOOP
    assert words in results.why
    assert any(words in note for note in results.notes)


def refuse_cases() -> dict[str, tuple[dict[str, object], str]]:
    x, y = LINEAR.data()
    return {
        "a number of seeds": ({"seeds": 42}, "range"),
        "a seed twice": ({"seeds": [1, 1]}, "once"),
        "a model": ({"model": Mlp()}, "what makes a model"),
        "no model": ({"model": lambda: 3}, "int"),
        "nothing to train": ({"model": nn.Flatten}, "no parameters"),
        "an engine": ({"engine": "gpu"}, "vmap"),
        "optimizer made": ({"optimizer": SGD(Mlp().parameters())}, "optimizer"),
        "optimizer of another kind": ({"optimizer": list}, "partial"),
        "no epochs": ({"epochs": 0}, "epochs"),
        "half an epoch": ({"epochs": 1.5}, "whole"),
        "rows that do not match": ({"train": (x, y[:-1])}, "rows"),
        "no pair": ({"train": x}, "pair"),
        "no rows": ({"train": (x[:0], y[:0])}, "no rows"),
        "text": ({"train": (np.array([["a"] * 6] * len(y)), y)}, "numbers"),
        "a metric": ({"metrics": ["auc"]}, "accuracy"),
        "a loss for each row": ({"loss": nn.CrossEntropyLoss(reduction="none")}, "mean"),
        "kept": ({"keep": ["gradients"]}, "parameters"),
        "a source": ({"vary": ["augment"]}, "dropout"),
        "no source": ({"vary": []}, "no source"),
        "no batch": ({"batch_size": 100, "drop_last": True}, "no batch"),
        "a clip": ({"clip_norm": -1.0}, "above 0"),
        "two threads": ({"threads": 2}, "threads"),
        "a device": ({"device": "gpu"}, "device 'gpu' cannot be used"),
        "a schedule's beat": ({"schedule_each": "row"}, "epoch"),
    }


@pytest.mark.parametrize("name", refuse_cases())
def test_wrong_use_is_answered_with_what_to_do(name: str) -> None:
    how, words = refuse_cases()[name]
    with pytest.raises(sw.UsageError, match=words):
        fitted(**how)  # type: ignore[arg-type]


def test_hooks_that_every_model_has_are_no_difference() -> None:
    def normed() -> nn.Module:
        return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 5)), nn.Tanh(), nn.Linear(5, 3))

    assert len(fitted(model=normed).finished) == 2


def test_gradients_switched_off_are_noticed() -> None:
    with torch.no_grad(), pytest.raises(sw.UsageError, match="no_grad"):
        fitted()


def test_seeds_trained_in_processes_are_those_of_the_loop() -> None:
    from seedwise.batched.on_torch.making import make_task
    from seedwise.batched.on_torch.processes import train_in_processes
    from seedwise.batched.task import Keep

    alone = fitted(seeds=range(5), engine="loop", keep=["parameters"])
    task = make_task(
        model=Mlp, train=LINEAR.data(), test=None, validation=None, loss=nn.CrossEntropyLoss(), optimizer=SGD, epochs=1,
        batch_size=8, metrics=(), schedule=None, schedule_each="epoch", clip_norm=None, early_stopping=None, every=None,
        drop_last=False, keep=frozenset({Keep.PARAMETERS}), vary=None, held=0, device="cpu",
    )  # fmt: skip
    outcomes = {outcome.seed: outcome for outcome in train_in_processes(task, range(5), 2)}
    assert sorted(outcomes) == list(range(5))
    for run in alone.runs:
        for name in run.arrays:
            assert np.array_equal(run.array(name), outcomes[run.seed].parameters[name])  # type: ignore[index]


def test_a_model_that_fails_in_a_process_tells_its_own_error() -> None:
    from seedwise.batched.on_torch.processes import train_in_processes

    class Task:
        vary = None

        def __getattr__(self, name: str) -> Callable[..., object]:
            raise ZeroDivisionError(name)

    with pytest.raises(ZeroDivisionError):
        list(train_in_processes(Task(), [1, 2, 3], 2))  # type: ignore[arg-type]


@pytest.mark.slow
def test_importing_loads_no_torch() -> None:
    code = "import sys, seedwise as sw; sw.batched.fit, sw.batched.EarlyStopping; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
