"""On a GPU each seed is trained as a plain script there trains it. Left out, and said so, where there is none (`conftest.py`)."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import seedwise as sw
from seedwise.batched.on_torch.streams import global_generators_kept

from .nets import BY_NAME, CASES, Case, Mlp

SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
STACKED = [case for case in CASES if case.name != "deep lstm"]
ENGINES = ["vmap", "compiled"]
COMPILED = ("linear", "dropout", "norms", "gru")  # compiling takes long
BOTH = [
    pytest.param(case, engine, id=f"{case.name}-{engine}")
    for case in STACKED
    for engine in ENGINES
    if engine == "vmap" or case.name in COMPILED
]


def by_hand(case: Case, seed: int, epochs: int) -> nn.Module:
    """What a plain script does on a GPU."""
    with global_generators_kept():
        torch.manual_seed(seed)
        x, y = map(torch.as_tensor, case.data(True))
        net = case.model(True)().cuda()
        optimizer = SGD(net.parameters())
        for _ in range(epochs):
            for a, b in DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(a.cuda()), b.cuda()).backward()
                optimizer.step()
    return net


def fitted(case: Case, engine: str, double: bool = True, **how: object) -> sw.batched.BatchedResults:
    given = {
        "loss": nn.CrossEntropyLoss(), "optimizer": SGD, "epochs": 10, "batch_size": 5, "seeds": [3, 4], "width": 64,
        "keep": ["predictions", "parameters"], "every": 10**6, "device": "cuda", **how,
    }  # fmt: skip
    return sw.batched.fit(case.model(double), case.data(double), engine=engine, **given)  # type: ignore[arg-type]


def largest_difference(one: sw.Run, other: sw.Run) -> float:
    assert one.arrays.keys() == other.arrays.keys()
    return max(float(np.abs(one.array(name) - other.array(name)).max()) for name in one.arrays)


@pytest.mark.parametrize("case", [case for case in CASES if case.name != "attention"], ids=lambda case: case.name)
def test_the_loop_is_a_plain_script_there(case: Case) -> None:
    run = fitted(case, "loop", seeds=[3], epochs=2).runs[0]
    for name, value in by_hand(case, 3, 2).state_dict().items():
        assert np.allclose(run.array(name), value.cpu().numpy(), rtol=1e-9, atol=1e-10), name


@pytest.mark.parametrize(("case", "engine"), BOTH)
def test_stacked_seeds_are_the_loop_masks_included(case: Case, engine: str) -> None:
    loop, stacked = (fitted(case, kind) for kind in ("loop", engine))
    assert stacked.closeness is not None
    assert stacked.closeness.same_start
    assert stacked.closeness.same_order
    for one, other in zip(loop.runs, stacked.runs, strict=True):
        assert largest_difference(one, other) < 1e-9


@pytest.mark.parametrize("case", STACKED, ids=lambda case: case.name)
def test_single_precision_is_met_after_a_hundred_steps(case: Case) -> None:
    closeness = fitted(case, "vmap", False).closeness
    assert closeness is not None
    assert closeness.difference < 2e-3 * closeness.moved


def test_a_model_that_is_built_on_the_gpu_has_the_weights_that_its_seed_gives_there() -> None:
    class There(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(6, 3, device="cuda")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(x)

    model = sw.batched.StackedModel(There, [7, 8], "cuda")
    for seed in model.seeds:
        torch.manual_seed(seed)
        assert torch.equal(model.state_dict(seed)["out.weight"], There().out.weight)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["linear", "dropout", "convolution"])
def test_a_seed_has_the_same_bits_in_any_company(name: str, engine: str) -> None:
    many, few = (
        {run.seed: run for run in fitted(BY_NAME[name], engine, False, seeds=seeds, epochs=2).runs}
        for seeds in (range(70), [69, 3, 63])
    )
    for seed, run in few.items():
        assert all(many[seed].array(part).tobytes() == run.array(part).tobytes() for part in run.arrays)


def test_dropout_inside_cudnn_is_refused_by_name() -> None:
    with pytest.raises(sw.UsageError, match="cuDNN"):
        fitted(BY_NAME["deep lstm"], "vmap")


def test_generators_and_settings_are_left_as_they_were() -> None:
    torch.cuda.manual_seed(5)
    before = torch.cuda.get_rng_state()
    settings = torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32
    for engine in ("loop", "vmap"):
        fitted(BY_NAME["dropout"], engine, epochs=1)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    assert settings == (torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32)


def test_auto_chooses_there() -> None:
    results = sw.batched.fit(
        Mlp, BY_NAME["linear"].data(), loss=nn.CrossEntropyLoss(), optimizer=SGD, epochs=100, batch_size=5, seeds=range(500),
        device="cuda", keep=(),
    )  # fmt: skip
    assert results.engine is not sw.batched.Engine.LOOP
    assert len(results.finished) == 500
