"""One small file for each library that owns random generators.

A backend answers four questions about its library, once the script has imported it. How is the global generator
seeded? What is its state? How is that state put back? Where are generators made without a seed? To add a library,
write a class with the attributes of `interface.Backend` and name it in `all_backends`.
"""

from __future__ import annotations

from .interface import Backend


def all_backends() -> list[Backend]:
    """The backends, in the order in which they are seeded."""
    from .cupy_random import CuPy
    from .jax_random import Jax
    from .keras_random import Keras
    from .numpy_random import NumPy
    from .stdlib_random import Stdlib
    from .tensorflow_random import TensorFlow
    from .torch_random import Torch

    return [Stdlib(), NumPy(), Torch(), TensorFlow(), Jax(), CuPy(), Keras()]
