"""`auto` says what it took and why, throws away nothing that it tried, and is never slower than the plain loop by more than a look."""

from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import seedwise as sw
from seedwise.batched.on_torch import choosing, comparing, streams, training, trial
from seedwise.batched.on_torch.lone import train_alone
from seedwise.batched.on_torch.width import narrowed
from seedwise.batched.task import Engine

from .nets import BY_NAME, Mlp

LINEAR = BY_NAME["linear"]
SGD = partial(torch.optim.SGD, lr=0.01)


def fitted(**how: object) -> sw.batched.BatchedResults:
    given = {
        "train": LINEAR.data(), "loss": nn.CrossEntropyLoss(), "optimizer": SGD, "epochs": 20, "batch_size": 8, "seeds": range(8),
        "keep": ["parameters"], **how,
    }  # fmt: skip
    return sw.batched.fit(Mlp, **given)  # type: ignore[arg-type]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often each seed begins to be trained alone, in this process."""
    begun: Counter[int] = Counter()

    def counted(task: object, seed: int, *rest: object) -> object:
        begun[seed] += 1
        return train_alone(task, seed, *rest)  # type: ignore[arg-type]

    for module in (training, comparing, trial):
        monkeypatch.setattr(module, "train_alone", counted)
    return begun


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often the model of each seed is built for a stack."""
    built: Counter[int] = Counter()
    begin = streams.begin

    def counted(task: object, seed: int) -> object:
        built[seed] += 1
        return begin(task, seed)  # type: ignore[arg-type]

    monkeypatch.setattr(streams, "begin", counted)
    return built


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other engines are tried, however soon all would be done alone."""
    monkeypatch.setattr(choosing, "NOT_WORTH_A_LOOK_FOR_FEW", 0.0)


def test_one_seed_is_trained_alone_at_once(alone: Counter[int]) -> None:
    results = fitted(seeds=[3])
    assert results.why == "there is one seed"
    assert alone == {3: 1}
    assert results.closeness is None


def test_few_seeds_are_trained_alone_and_the_one_that_was_timed_is_used(alone: Counter[int]) -> None:
    results = fitted()
    assert results.engine is Engine.LOOP
    assert "alone" in results.why
    assert alone == dict.fromkeys(range(8), 1)
    asked = fitted(engine="loop")
    for one, other in zip(results.runs, asked.runs, strict=True):
        assert one.series == other.series
        assert all(np.array_equal(one.array(name), other.array(name)) for name in other.arrays)


@pytest.mark.usefixtures("looking")
def test_what_was_tried_serves_the_training(
    alone: Counter[int], built: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial.Trial, "alone", lambda self: 1e9)
    monkeypatch.setattr(trial, "_PATIENCE", 60.0)
    results = fitted(seeds=range(5, 35))
    assert results.engine is Engine.VMAP
    assert {engine for engine, _ in results.measured} == {Engine.LOOP, Engine.VMAP}
    assert "expected for all seeds" in results.why
    assert results.notes[0].startswith("trained by vmap, 64 seeds together")
    assert alone == {5: 1}  # its hundred steps are those of the comparison
    assert results.closeness is not None
    assert results.closeness.steps == 100
    assert all(built[seed] == 1 for seed in range(7, 35))
    asked = fitted(seeds=range(5, 35), engine="vmap", width=64)
    for one, other in zip(results.runs, asked.runs, strict=True):
        assert all(one.array(name).tobytes() == other.array(name).tobytes() for name in other.arrays)


@pytest.mark.usefixtures("looking")
def test_a_stack_that_gains_nothing_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "_stacked", lambda *_: 1e9)
    results = fitted()
    assert results.engine is Engine.LOOP
    assert "nothing is gained by stacking" in results.why
    assert len(results.finished) == 8


def test_a_first_seed_that_fails_at_once_leaves_the_others_as_they_are() -> None:
    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return -outputs.exp().sum().neg().log()

    results = fitted(loss=loss)
    assert [run.status for run in results.runs] == [sw.Status.FAILED] * 8
    assert dict(results.measured)[Engine.LOOP] > 0


def test_few_seeds_are_not_filled_up_to_a_wide_chunk() -> None:
    assert [narrowed(512, seeds) for seeds in (1, 64, 65, 200, 256, 257, 9999)] == [64, 64, 128, 256, 256, 512, 512]
    assert narrowed(48, 3) == 48  # asked for
