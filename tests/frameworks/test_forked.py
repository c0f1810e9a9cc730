"""Scripts that seed before they import JAX, TensorFlow or Keras: forked and fresh runs print the same."""

from collections.abc import Callable

import pytest

from ..prefork.both_ways import hold_both_ways

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]

EARLY = """
import os
import random
import numpy as np
os.environ["KERAS_BACKEND"] = "{backend}"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
random.seed(42)
np.random.seed(42)
import {module}
{more}
print("drawn =", random.random(), np.random.rand())
"""
JAX = "print(jax.random.normal(jax.random.PRNGKey(42), (3,)))"
KERAS = """
keras.utils.set_random_seed(42)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.random.rand(64, 4), np.random.rand(64, 1)
print(model.fit(x, y, epochs=2, verbose=0).history["loss"])
"""


@pytest.mark.parametrize(
    ("module", "backend", "more"),
    [
        ("jax", "jax", JAX),
        ("keras", "jax", KERAS),
    ],
)
def test_scripts_that_seed_before_they_import(
    module: str,
    backend: str,
    more: str,
    script: Callable[..., list[str]],
    forked: list[int],
) -> None:
    hold_both_ways(script(EARLY.format(module=module, backend=backend, more=more)), forked, (1, 2, 3))
