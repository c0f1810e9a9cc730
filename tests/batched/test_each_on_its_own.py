"""A seed that diverges or stops ends alone."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import seedwise as sw
from seedwise.results import Cause

from .nets import BY_NAME, Mlp

LINEAR = BY_NAME["linear"]


class Fragile(nn.Module):
    """Under some seeds the loss is not a number from the third step on: its square root is taken of what falls below zero."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Mlp()
        start = 1.0 if torch.rand(()) > 0.4 else 0.05
        self.fuel = nn.Parameter(torch.tensor(start))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x) + self.fuel.sqrt() - self.fuel.detach().sqrt()


def uses_fuel(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(outputs, targets) + 0.02 * outputs.sum()


def fitted(engine: str, model: object, seeds: object, **how: object) -> sw.batched.BatchedResults:
    given = {
        "loss": nn.CrossEntropyLoss(),
        "optimizer": partial(torch.optim.SGD, lr=0.05),
        "epochs": 6,
        "batch_size": 8,
        "keep": ["predictions", "parameters"],
        "width": 64,
        "every": 1,
        **how,
    }
    return sw.batched.fit(model, LINEAR.data(), seeds=seeds, engine=engine, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["loop", "vmap"])
def test_a_diverging_seed_fails_alone_with_its_step(engine: str) -> None:
    results = fitted(engine, Fragile, range(12), loss=uses_fuel)
    assert 0 < len(results.failed) < 12
    for run in results.failed:
        assert run.cause is Cause.DIVERGED
        assert "step" in run.detail
        assert not run.arrays
        assert len(run.series.get("train_loss", ()) and run.series["train_loss"].values) < 6
    for run in results.finished:
        assert np.isfinite(run.array("train_predictions")).all()
        assert len(run.series["train_loss"].values) == 6
    assert results.scores("train_loss").n == 12


def test_both_engines_find_the_same_step() -> None:
    loop, stacked = (fitted(engine, Fragile, range(12), loss=uses_fuel) for engine in ("loop", "vmap"))
    assert [run.detail for run in loop.runs] == [run.detail for run in stacked.runs]


def test_the_others_are_not_disturbed_by_a_seed_that_fails() -> None:
    results = fitted("vmap", Fragile, range(12), loss=uses_fuel)
    whole = [run.seed for run in results.finished]
    alone = fitted("vmap", Fragile, whole, loss=uses_fuel)
    for one, other in zip(results.finished, alone.runs, strict=True):
        assert all(one.array(name).tobytes() == other.array(name).tobytes() for name in one.arrays)


def test_seeds_that_all_fail_are_all_told() -> None:
    results = fitted("vmap", Mlp, range(3), loss=lambda outputs, targets: -outputs.exp().sum().neg().log())
    assert len(results.failed) == 3
    assert results.metrics == ()


@pytest.mark.parametrize("restore", [True, False])
def test_each_seed_stops_on_its_own_where_the_loop_stops_it(restore: bool) -> None:
    x, y = LINEAR.data()
    stop = sw.batched.EarlyStopping(patience=2, restore_best=restore)
    how = {"validation": (x[:20], y[::-1][:20].copy()), "early_stopping": stop, "epochs": 25}
    optimizer = partial(torch.optim.Adam, lr=0.02)
    loop, stacked = (fitted(engine, Mlp, range(8), optimizer=optimizer, **how) for engine in ("loop", "vmap"))
    stops = [run.series["stopped_epoch"].values for run in stacked.runs if "stopped_epoch" in run.series]
    assert len(set(stops)) > 1
    for one, other in zip(loop.runs, stacked.runs, strict=True):
        assert one.series.keys() == other.series.keys()
        for name, series in one.series.items():
            assert series.steps == other.series[name].steps
            assert series.values == pytest.approx(other.series[name].values, rel=1e-3)
        for name in one.arrays:
            assert np.allclose(one.array(name), other.array(name), atol=1e-3)
    run = stacked.runs[0]
    if restore:
        values = run.series["val_loss"].values
        assert values[-1] == pytest.approx(min(values), rel=1e-4)


def test_stopping_asks_for_validation_rows_and_a_metric_that_they_give() -> None:
    with pytest.raises(sw.UsageError, match="validation"):
        fitted("vmap", Mlp, [1], early_stopping=sw.batched.EarlyStopping())
    stop = sw.batched.EarlyStopping(monitor="val_auc", goal="max")
    with pytest.raises(sw.UsageError, match="val_loss"):
        fitted("vmap", Mlp, [1], early_stopping=stop, validation=LINEAR.data())
