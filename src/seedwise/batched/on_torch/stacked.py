"""Many models of one architecture as one: parameters and buffers with the seeds along the first axis."""

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import nn
from torch.func import functional_call

from .convolving import convolutions_written_out
from .dropout import in_order, masks_from
from .recurrent import written_out
from .streams import build, global_generators_kept

Tensors = Mapping[str, "torch.Tensor"]


def stack(nets: "Sequence[nn.Module]", device: str = "cpu") -> "tuple[nn.Module, Tensors, Tensors]":
    """A model without values, and the stacked parameters and buffers, each of shape (seeds, …)."""
    base = copy.deepcopy(nets[-1]).to(device)  # not the first, which is compared with the plain loop
    all_named = [dict(net.named_parameters()) for net in nets]
    parameters = {
        name: torch.stack([named[name].detach() for named in all_named]).to(device).requires_grad_(own.requires_grad)
        for name, own in all_named[0].items()
    }
    buffers = {
        name: torch.stack([net.get_buffer(name) for net in nets]).to(device) for name, _ in nets[0].named_buffers()
    }
    return base, parameters, buffers


class StackedModel:
    """Models of many seeds, each built under its own seed, that are called as one.

    Call it with inputs of shape (seeds, rows, …); the outputs have that shape too. `parameters()` are for an optimizer that treats
    each number on its own. The sum of the losses of all seeds has the gradients of each seed's own loss.

    Parameters
    ----------
    model
        Makes one model, without arguments.
    seeds
        The seeds.
    device
        Where the parameters are.

    Attributes
    ----------
    generators
        One generator for each seed. It goes on where building the model ended, as the global one does in a script.
    """

    def __init__(self, model: "Callable[[], nn.Module]", seeds: Sequence[int], device: str = "cpu") -> None:
        with global_generators_kept():
            built = [build(model, seed, device) for seed in seeds]
        self.seeds = tuple(seeds)
        self.generators = [generator for _, generator in built]
        self._take([net for net, _ in built], device)

    @classmethod
    def of(
        cls, nets: "Sequence[nn.Module]", seeds: Sequence[int], generators: "Sequence[torch.Generator]", device: str
    ) -> "StackedModel":
        """The same from models that were built before."""
        self = cls.__new__(cls)
        self.seeds, self.generators = tuple(seeds), list(generators)
        self._take(nets, device)
        return self

    def _take(self, nets: "Sequence[nn.Module]", device: str) -> None:
        self.base, self.stacked, self.buffers = stack(nets, device)

    def parameters(self) -> "Iterator[torch.Tensor]":
        """The stacked parameters, in the order of the model's own."""
        return iter(self.stacked.values())

    def __call__(self, inputs: "torch.Tensor", masks: "Sequence[torch.Tensor]" = ()) -> "torch.Tensor":
        """The outputs for each seed's own inputs, shape (seeds, rows, …). Buffers such as running statistics are updated.

        `masks` are those of the model's dropouts, each of shape (seeds, …); without them a dropout is refused.
        """
        outputs, self.buffers = forward(self.base, self.stacked, self.buffers, inputs, masks)
        return outputs

    def outputs_for(self, inputs: "torch.Tensor", rows_at_once: int = 256) -> "torch.Tensor":
        """The outputs of every seed for the same rows, shape (seeds, rows, …), in evaluation mode."""
        return evaluate(self.base, self.stacked, self.buffers, inputs, rows_at_once)

    def state_dict(self, seed: int) -> "dict[str, torch.Tensor]":
        """Parameters and buffers of one seed, for `load_state_dict`."""
        k = self.seeds.index(seed)
        return {name: value.detach()[k].clone() for name, value in {**self.stacked, **self.buffers}.items()}


def forward(
    base: "nn.Module",
    parameters: Tensors,
    buffers: Tensors,
    inputs: "torch.Tensor",
    masks: "Sequence[torch.Tensor]" = (),
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Outputs and new buffers of many models, each for its own inputs."""

    def one(
        parameters: Tensors, buffers: Tensors, inputs: "torch.Tensor", masks: "Sequence[torch.Tensor]"
    ) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
        return call(base, parameters, buffers, inputs, masks)

    with quick_paths_off():
        return torch.vmap(one)(parameters, buffers, inputs, tuple(masks))  # type: ignore[no-any-return]


def call(
    base: "nn.Module", parameters: Tensors, buffers: Tensors, inputs: "torch.Tensor", masks: "Sequence[torch.Tensor]"
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Outputs and new buffers of one model, which is a function of its parameters, buffers and masks."""
    own = {name: value.clone() for name, value in buffers.items()}  # a model changes them in place
    with masks_from(in_order(masks)) if masks else nullcontext():
        outputs = functional_call(base, (parameters, own), (inputs,))
    return outputs, own


def evaluate(
    base: "nn.Module", parameters: Tensors, buffers: Tensors, inputs: "torch.Tensor", rows_at_once: int
) -> "torch.Tensor":
    """The outputs of many models for the same rows, in evaluation mode, shape (seeds, rows, …)."""
    from .measure import evaluating

    def one(parameters: Tensors, buffers: Tensors, inputs: "torch.Tensor") -> "torch.Tensor":
        return functional_call(base, (parameters, buffers), (inputs,))

    with evaluating(base), quick_paths_off():
        many = torch.vmap(one, in_dims=(0, 0, None))
        return torch.cat([many(parameters, buffers, part) for part in inputs.split(rows_at_once)], 1)


@contextmanager
def quick_paths_off() -> Iterator[None]:
    """Leave out what torch makes for one model only: the fused transformer layer, recurrent layers and convolutions as one operation."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with written_out(), convolutions_written_out(), warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "There is a performance drop because we have not yet implemented the batching"
            )
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
