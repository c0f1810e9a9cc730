"""A seed's result does not depend, bit for bit, on the seeds beside it, its place, or the chunk it is in."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import seedwise as sw
from seedwise.batched.on_torch import training
from seedwise.batched.on_torch.chunk import Chunk
from seedwise.batched.on_torch.steady import steady_bmm

from .nets import BY_NAME, Case

ADAM = partial(torch.optim.Adam, lr=0.01)


def fitted(case: Case, seeds: object, engine: str = "vmap", **how: object) -> dict[int, sw.Run]:
    given = {"epochs": 2, "batch_size": 7, "keep": ["predictions", "parameters"], "width": 64, **how}
    results = sw.batched.fit(
        case.make,
        case.data(),
        loss=nn.CrossEntropyLoss(),
        optimizer=ADAM,
        seeds=seeds,
        engine=engine,
        **given,  # type: ignore[arg-type]
    )
    return {run.seed: run for run in results.runs}


def same_bits(one: sw.Run, other: sw.Run) -> bool:
    return one.series == other.series and all(
        one.array(name).tobytes() == other.array(name).tobytes() for name in one.arrays
    )


SLOW = {"deep lstm", "gru", "attention", "convolution"}
LONG = {"deep lstm", "gru", "attention"}
"""More than half a minute each."""


def marks_of(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] * (name in SLOW) + [pytest.mark.long] * (name in LONG)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=marks_of(name))
        for name in ("linear", "dropout", "norms", "convolution", "deep lstm", "gru", "embedding", "attention")
    ],
)
def test_six_seeds_in_any_order_give_the_bits_that_they_have_among_many(name: str) -> None:
    many = fitted(BY_NAME[name], range(130))
    few = fitted(BY_NAME[name], [129, 3, 64, 63, 0, 77])
    assert all(same_bits(many[seed], run) for seed, run in few.items())
    assert not same_bits(many[3], many[64])


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_compiled_program_gives_the_same_bits_in_any_company() -> None:
    many = fitted(BY_NAME["linear"], range(70), "compiled")
    few = fitted(BY_NAME["linear"], [69, 3, 63], "compiled")
    assert all(same_bits(many[seed], run) for seed, run in few.items())


def test_copies_that_end_otherwise_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    epoch = Chunk.epoch

    def uneven(self: Chunk, first_step: int) -> torch.Tensor:
        losses = epoch(self, first_step)
        with torch.no_grad():
            next(self.model.parameters())[-1] *= 1 + 1e-6
        return losses

    monkeypatch.setattr(Chunk, "epoch", uneven)
    with pytest.raises(sw.UsageError, match="depend on its company"):
        fitted(BY_NAME["linear"], [1, 2])


def test_an_engine_that_does_something_else_than_the_loop_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from seedwise.batched.on_torch import vmap

    monkeypatch.setattr(training, "try_step", lambda task, seeds: None)
    monkeypatch.setattr(vmap, "clip_each", lambda parameters, most: None)
    with pytest.raises(sw.UsageError, match="not trained as if alone"):
        fitted(BY_NAME["linear"], [1, 2], clip_norm=0.01)


@pytest.mark.parametrize("shape", [(5, 20, 5), (10, 10, 10), (3, 64, 7), (33, 31, 10), (16, 16, 16)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_product_of_matrices_rounds_alike_at_every_place(shape: tuple[int, int, int], turned: bool) -> None:
    n, k, m = shape
    a = torch.randn(1, n, k).expand(64, n, k).contiguous()
    b = torch.randn(1, k, m).expand(64, k, m).contiguous()
    if turned:
        a, b = a.transpose(1, 2).contiguous().transpose(1, 2), b.transpose(1, 2).contiguous().transpose(1, 2)
    product = steady_bmm(a, b)
    assert all(torch.equal(product[0], one) for one in product)
    assert torch.allclose(product[0], a[0] @ b[0], atol=1e-5)
    assert np.array_equal(product.shape, (64, n, m))
