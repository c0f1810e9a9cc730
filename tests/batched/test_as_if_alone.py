"""Each seed of a stack is trained as if alone: start, order, masks, and weights within rounding."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import seedwise as sw
from seedwise.batched.on_torch.streams import Orders, build, global_generators_kept

from .nets import BY_NAME, CASES, Case, Mlp

SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
ADAM = partial(torch.optim.Adam, lr=0.01)


def by_hand(case: Case, seed: int, epochs: int, batch: int, optimizer: object = SGD) -> nn.Module:
    """What a plain script does."""
    with global_generators_kept():
        torch.manual_seed(seed)
        x, y = map(torch.as_tensor, case.data())
        net = case.make()
        loader = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)
        made = optimizer(net.parameters())  # type: ignore[operator]
        for _ in range(epochs):
            for a, b in loader:
                made.zero_grad()
                nn.functional.cross_entropy(net(a), b).backward()
                made.step()
    return net


def fitted(case: Case, engine: str, double: bool = False, **how: object) -> sw.batched.BatchedResults:
    given = {
        "loss": nn.CrossEntropyLoss(),
        "optimizer": SGD,
        "epochs": 10,
        "batch_size": 5,
        "seeds": [3, 4],
        "keep": ["predictions", "parameters"],
        "width": 64,
        "every": 10**6,
        **how,
    }
    return sw.batched.fit(case.model(double), case.data(double), engine=engine, **given)  # type: ignore[arg-type]


def largest_difference(one: sw.Run, other: sw.Run) -> float:
    assert one.arrays.keys() == other.arrays.keys()
    return max(float(np.abs(one.array(name) - other.array(name)).max()) for name in one.arrays)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_loop_gives_the_bits_of_a_plain_script(case: Case) -> None:
    run = fitted(case, "loop", seeds=[3], epochs=2).runs[0]
    for name, value in by_hand(case, 3, 2, 5).state_dict().items():
        assert np.array_equal(run.array(name), value.numpy()), name


SLOW = {"deep lstm", "lstm", "lstm without bias", "gru", "rnn", "attention", "convolution"}
SOME_SLOW = [pytest.param(c, id=c.name, marks=[pytest.mark.slow] if c.name in SLOW else []) for c in CASES]


@pytest.mark.parametrize("case", SOME_SLOW)
def test_the_loop_in_double_precision_is_met_after_hundreds_of_steps(case: Case) -> None:
    loop, stacked = (fitted(case, engine, True, epochs=30) for engine in ("loop", "vmap"))
    for one, other in zip(loop.runs, stacked.runs, strict=True):
        assert largest_difference(one, other) < 1e-9


@pytest.mark.parametrize("case", SOME_SLOW)
def test_the_loop_in_single_precision_is_met_after_a_hundred_steps(case: Case) -> None:
    stacked = fitted(case, "vmap")
    assert stacked.closeness is not None
    assert stacked.closeness.same_start
    assert stacked.closeness.same_order
    assert stacked.closeness.steps == 100
    assert stacked.closeness.difference < 2e-3 * stacked.closeness.moved
    assert stacked.closeness.sentence in stacked.notes


def test_starting_weights_are_the_same_bits() -> None:
    model = sw.batched.StackedModel(Mlp, [7, 2**32 - 1, 0])
    for seed in model.seeds:
        torch.manual_seed(seed)
        for name, value in Mlp().state_dict().items():
            assert torch.equal(model.state_dict(seed)[name], value)


@pytest.mark.parametrize("ahead", [1, 4])
@pytest.mark.parametrize("rows", [1, 7, 48])
def test_order_is_that_of_a_shuffling_loader(rows: int, ahead: int) -> None:
    seeds = [0, 5, 363]
    with global_generators_kept():
        orders = Orders([build(Mlp, seed)[1] for seed in seeds], rows, ahead)
        stacked = [orders.next() for _ in range(6)]
        for k, seed in enumerate(seeds):
            torch.manual_seed(seed)
            Mlp()
            loader = DataLoader(torch.arange(rows), batch_size=2, shuffle=True)  # type: ignore[arg-type]
            for epoch in range(6):
                assert torch.equal(torch.cat(list(loader)), stacked[epoch][k])


def test_own_loop_with_the_two_pieces_gives_what_a_plain_script_gives() -> None:
    case = BY_NAME["linear"]
    x, y = map(torch.as_tensor, case.data())
    model = sw.batched.StackedModel(case.make, [3, 9])
    loader = sw.batched.SeedLoader(x, y, 5, model.generators)
    optimizer = SGD(model.parameters())
    loss = torch.vmap(nn.functional.cross_entropy)
    assert len(loader) == 10
    for _ in range(2):
        for a, b in loader:
            optimizer.zero_grad()
            loss(model(a), b).sum().backward()
            optimizer.step()
    for seed in (3, 9):
        for name, value in by_hand(case, seed, 2, 5).state_dict().items():
            assert torch.allclose(model.state_dict(seed)[name], value, atol=1e-6)
    alone = by_hand(case, 9, 2, 5)
    assert torch.allclose(model.outputs_for(x)[1], alone(x), atol=1e-5)


OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, lr=0.05, weight_decay=0.01, momentum=0.8, dampening=0.1),
    "nesterov": partial(torch.optim.SGD, lr=0.02, momentum=0.9, nesterov=True, maximize=False),
    "adam": partial(torch.optim.Adam, lr=0.01, weight_decay=0.1),
    "amsgrad": partial(torch.optim.Adam, lr=0.01, amsgrad=True),
    "adamw": partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1),
    "rmsprop": partial(torch.optim.RMSprop, lr=0.005, momentum=0.5, centered=True, weight_decay=0.01),
    "plain rmsprop": partial(torch.optim.RMSprop, lr=0.005),
    "adagrad": partial(torch.optim.Adagrad, lr=0.05),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_treat_each_seed_as_their_own(name: str) -> None:
    loop, stacked = (
        fitted(BY_NAME["linear"], engine, True, epochs=10, optimizer=OPTIMIZERS[name]) for engine in ("loop", "vmap")
    )
    for one, other in zip(loop.runs, stacked.runs, strict=True):
        assert largest_difference(one, other) < 1e-10


SCHEDULES = {
    "step": (lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5), "epoch"),
    "cosine": (lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10), "epoch"),
    "one cycle": (lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=100), "step"),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_followed(name: str) -> None:
    schedule, each = SCHEDULES[name]
    results = [
        fitted(BY_NAME["linear"], engine, True, schedule=schedule, schedule_each=each) for engine in ("loop", "vmap")
    ]
    plain = fitted(BY_NAME["linear"], "vmap", True)
    assert largest_difference(results[0].runs[0], results[1].runs[0]) < 1e-10
    assert largest_difference(plain.runs[0], results[1].runs[0]) > 1e-4


def test_gradients_are_clipped_for_each_seed() -> None:
    loop, stacked = (fitted(BY_NAME["linear"], engine, True, clip_norm=0.1) for engine in ("loop", "vmap"))
    for one, other in zip(loop.runs, stacked.runs, strict=True):
        assert largest_difference(one, other) < 1e-10
    assert largest_difference(fitted(BY_NAME["linear"], "vmap", True).runs[0], stacked.runs[0]) > 1e-4


def test_a_regression_is_trained() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6))
    y = x @ rng.normal(size=6)
    results = [
        sw.batched.fit(
            lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0)),
            (x, y),
            test=(x[:9], y[:9]),
            loss=nn.functional.mse_loss,
            optimizer=ADAM,
            epochs=10,
            batch_size=8,
            seeds=range(3),
            metrics=["mse", "mae"],
            engine=engine,
            width=64,
        )
        for engine in ("loop", "vmap")
    ]
    for name in ("test_loss", "test_mse", "test_mae", "train_loss"):
        a, b = (r.scores(name).values for r in results)
        assert np.allclose(a, b, rtol=1e-4)
        assert results[0].metric(name).goal is sw.Goal.MIN
    assert results[1].runs[2].array("test_predictions").shape == (9,)


def test_rows_left_over_are_trained_or_dropped_as_a_loader_does() -> None:
    for drop in (True, False):
        loop, stacked = (
            fitted(BY_NAME["linear"], engine, True, batch_size=7, drop_last=drop) for engine in ("loop", "vmap")
        )
        assert largest_difference(loop.runs[1], stacked.runs[1]) < 1e-10
        assert stacked.runs[0].series["train_loss"].values == pytest.approx(loop.runs[0].series["train_loss"].values)


def test_parameters_that_are_not_trained_or_not_used_stay_as_they_were() -> None:
    class Partly(Mlp):
        def __init__(self) -> None:
            super().__init__()
            self.hid2.weight.requires_grad_(False)
            self.unused = nn.Linear(3, 3)

    case = Case("partly", Partly, (6,))
    decays = partial(torch.optim.AdamW, lr=0.01, weight_decay=0.5)
    loop, stacked = (fitted(case, engine, True, optimizer=decays) for engine in ("loop", "vmap"))
    assert largest_difference(loop.runs[0], stacked.runs[0]) < 1e-10
    torch.manual_seed(3)
    assert np.array_equal(stacked.runs[0].array("unused.weight"), Partly().double().unused.weight.detach().numpy())


def test_tied_parameters_stay_tied() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.out = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
            self.b.weight = self.a.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(torch.tanh(self.b(torch.tanh(self.a(x)))))

    loop, stacked = (
        fitted(Case("tied", Tied, (6,)), engine, True, keep=["predictions"]) for engine in ("loop", "vmap")
    )
    assert largest_difference(loop.runs[0], stacked.runs[0]) < 1e-9


@pytest.mark.parametrize("engine", ["loop", "vmap"])
@pytest.mark.parametrize("source", ["init", "order", "dropout"])
def test_one_source_is_varied_and_the_others_are_held(source: str, engine: str) -> None:
    case = BY_NAME["dropout"]
    varied = fitted(case, engine, True, vary=[source], held=8, epochs=2)
    again = fitted(case, "loop", True, vary=[source], held=8, epochs=2)
    assert largest_difference(varied.runs[0], varied.runs[1]) > 1e-6
    assert largest_difference(varied.runs[0], again.runs[0]) < 1e-10
    without = {"init": [], "order": ["dropout"], "dropout": ["order"]}[source]
    if without:
        other = fitted(case, engine, True, vary=without, held=8, epochs=2)
        assert largest_difference(varied.runs[0], other.runs[0]) > 1e-6


def test_held_sources_give_every_seed_the_same() -> None:
    linear = BY_NAME["linear"]
    only_dropout = fitted(linear, "vmap", True, vary=["dropout"], held=8)  # a network without dropout
    assert largest_difference(only_dropout.runs[0], only_dropout.runs[1]) == 0


def test_global_generators_and_settings_are_left_as_they_were() -> None:
    import random

    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index,union-attr]
    dropout, threads = nn.functional.dropout, torch.get_num_threads()
    for engine in ("loop", "vmap"):
        fitted(BY_NAME["dropout"], engine, epochs=1)
    fitted(BY_NAME["lstm"], "vmap", epochs=1, batch_size=48)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # type: ignore[index,union-attr]
    assert random.getstate() == before[2]
    assert nn.functional.dropout is dropout
    assert torch.get_num_threads() == threads
    assert "lstm" not in vars(torch._VF)


@pytest.mark.slow
def test_after_long_training_the_scores_of_many_seeds_are_distributed_as_the_loops() -> None:
    """Rounding grows in training, so seeds may part; their distribution may not."""
    from scipy.stats import ks_2samp, wilcoxon

    lively = partial(torch.optim.SGD, lr=0.1, momentum=0.9)  # where rounding grows quickly
    loop, stacked = (
        fitted(BY_NAME["norms"], engine, epochs=60, optimizer=lively, seeds=range(40), keep=[])
        .scores("train_loss")
        .values
        for engine in ("loop", "vmap")
    )
    assert np.abs(loop - stacked).max() > 1e-4  # they did part
    assert ks_2samp(loop, stacked).pvalue > 0.01
    assert wilcoxon(loop - stacked).pvalue > 0.001
