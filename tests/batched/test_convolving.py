"""Convolutions and pools that are written out give what torch gives, gradients and places in memory included."""

import warnings

import pytest
import torch
from torch.nn import functional

from seedwise.batched.on_torch.convolving import convolutions_written_out, pools_written_out
from seedwise.batched.on_torch.training import settings_of_torch

CONVOLUTIONS: list[dict[str, object]] = [
    {}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": 3}, {"groups": 2, "stride": 3}, {"padding": "same"},
    {"groups": 4, "padding": "same", "dilation": 2}, {"stride": 3, "padding": 2}, {"padding": "valid"},
]  # fmt: skip
POOLS: list[tuple[str, dict[str, object]]] = [
    ("max", {}), ("max", {"stride": 2, "padding": 1}), ("max", {"dilation": 2, "stride": 1}), ("max", {"ceil_mode": True}),
    ("avg", {}), ("avg", {"stride": 1, "padding": 1}), ("avg", {"padding": 1, "count_include_pad": False}),
]  # fmt: skip
SIZES = (9, 8, 7)


def assert_same(usual: torch.Tensor, found: torch.Tensor, inputs: tuple[torch.Tensor, ...]) -> None:
    assert found.shape == usual.shape
    assert torch.allclose(found, usual)
    direction = torch.randn_like(usual)
    gradients = [torch.autograd.grad(output, inputs, direction) for output in (usual, found)]
    for expected, gradient in zip(*gradients, strict=True):
        assert torch.allclose(gradient, expected)


@pytest.mark.parametrize("how", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_convolution_is_that_of_torch(axes: int, how: dict[str, object]) -> None:
    torch.manual_seed(0)
    groups = int(how.get("groups", 1))  # type: ignore[call-overload]
    x = torch.randn(3, 4, *SIZES[:axes], dtype=torch.float64, requires_grad=True)
    weight = torch.randn(8, 4 // groups, *(3, 4, 2)[:axes], dtype=torch.float64, requires_grad=True)
    bias = torch.randn(8, dtype=torch.float64, requires_grad=True)
    name = f"conv{axes}d"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an even kernel with padding="same"
        usual = getattr(functional, name)(x, weight, bias, **how)
    with convolutions_written_out():
        found = getattr(functional, name)(x, weight, bias, **how)
        one = getattr(functional, name)(x[0], weight, bias, **how)
    assert found.stride() == usual.stride()  # so that a dropout behind it draws the same mask
    assert torch.allclose(one, usual[0])
    assert_same(usual, found, (x, weight, bias))


@pytest.mark.parametrize(("kind", "how"), POOLS, ids=str)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_pool_is_that_of_torch_where_values_are_equal_too(axes: int, kind: str, how: dict[str, object]) -> None:
    torch.manual_seed(0)
    x = torch.randint(0, 4, (2, 3, *SIZES[:axes])).double().requires_grad_()
    name = f"{kind}_pool{axes}d"
    usual = getattr(functional, name)(x, 3, **how)
    with pools_written_out():
        found = getattr(functional, name)(x, 3, **how)
    assert_same(usual, found, (x,))


def test_the_functions_of_torch_are_put_back() -> None:
    before = functional.conv2d, functional.max_pool2d
    with pytest.raises(ZeroDivisionError), convolutions_written_out(), pools_written_out():
        raise ZeroDivisionError
    assert before == (functional.conv2d, functional.max_pool2d)


def test_settings_of_a_gpu_are_put_back() -> None:
    cudnn = torch.backends.cudnn
    before = cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, torch.get_num_threads()
    with settings_of_torch(1, "cuda"):
        assert cudnn.deterministic
        assert not cudnn.allow_tf32
        assert cudnn.enabled == before[0]
    assert before == (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, torch.get_num_threads())
