"""A model of JAX, as two functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True)
class JaxModel:
    """A model as functions: `init(key)` makes parameters, `apply(parameters, inputs)` outputs.

    With `uses_dropout`, training calls `apply(parameters, inputs, key)`, with a key for each step; measuring calls it without.
    For Flax: `JaxModel(lambda key: net.init(key, x[:1]), net.apply)`.

    Attributes
    ----------
    init, apply
        The two functions. Outputs have shape (examples, …).
    """

    init: "Callable[[jax.Array], object]"
    apply: "Callable[..., jax.Array]"
    uses_dropout: bool = False
