"""Sources of randomness apart in Keras, on each of its three backends, in TensorFlow and in JAX."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import seedwise as sw

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]

TOLD = """
import os, sys, zlib
os.environ["KERAS_BACKEND"] = sys.argv[1] if len(sys.argv) > 1 else "jax"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
def told(name, values):
    print(name, "=", zlib.crc32(np.asarray(values, dtype=float).tobytes()))
"""

KERAS = (
    TOLD
    + """
import keras
keras.utils.set_random_seed(7)
X = np.random.rand(60, 4).astype("float32"); y = X.sum(1, keepdims=True)
net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.3), keras.layers.Dense(1)])
drop = keras.layers.Dropout(0.5, seed=3)
told("other", X)
told("init", np.concatenate([w.ravel() for w in net.get_weights()]))
told("dropout", [keras.ops.convert_to_numpy(drop(np.ones((1, 8), "float32"), training=True)) for _ in range(3)])
net.compile("sgd", "mse")
print("loss =", net.fit(X, y, epochs=2, batch_size=20, verbose=0).history["loss"][-1])
"""
)

TENSORFLOW = """
import tensorflow as tf
rows = tf.data.Dataset.range(30).shuffle(30)
told("order", [int(k) for _ in range(2) for k in rows])
told("shuffled", tf.random.shuffle(tf.range(30)))
told("normal", tf.random.normal((3,)))
@tf.function
def augmented(x):
    return x + tf.random.normal((3,))
told("augment", [augmented(tf.zeros(3)) for _ in range(3)])
told("keyed", tf.random.stateless_uniform((3,), seed=[1, 2]))
told("generator", tf.random.Generator.from_seed(4).normal((3,)))
"""

JAX = (
    TOLD
    + """
import jax, jax.numpy as jnp
def random_layer(m, n, key):
    return 0.3 * jax.random.normal(key, (m, n))
def init_network(key):
    return [random_layer(m, n, k) for m, n, k in zip((5, 16), (16, 1), jax.random.split(key))]
def dropout(key, x):
    return jnp.where(jax.random.bernoulli(key, 0.5, x.shape), 2 * x, 0)
@jax.jit
def mask(key):
    return dropout(key, jnp.ones(8))
def loss(net, x, key):
    return (((dropout(key, jnp.tanh(x @ net[0])) @ net[1])[:, 0] - x.sum(1)) ** 2).mean()
@jax.jit
def step(net, x, key):
    return jax.tree.map(lambda p, g: p - 0.05 * g, net, jax.grad(loss)(net, x, key))
for_data, for_init, key = jax.random.split(jax.random.key(42), 3)
X, net = jax.random.normal(for_data, (32, 5)), init_network(for_init)
told("other", X)
told("init", np.concatenate([np.ravel(w) for w in net]))
orders, masks = [], []
for epoch in range(3):
    key, for_order, for_dropout = jax.random.split(key, 3)
    orders.append(jax.random.permutation(for_order, 32))
    masks.append(mask(for_dropout))
    net = step(net, X[orders[-1]][:16], for_dropout)
told("order", orders)
told("dropout", masks)
print("loss =", float(loss(net, X, key)))
"""
)


def as_lines(text: str) -> dict[str, str]:
    return dict(line.split(" = ") for line in text.splitlines() if " = " in line)  # type: ignore[misc]


def printed(command: Sequence[str]) -> dict[str, str]:
    """What a plain run prints."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    done = subprocess.run(list(command), check=True, capture_output=True, text=True, env=environment)
    return as_lines(done.stdout)


def changed(
    command: Sequence[str], typed: dict[str, str], *sources: str, metric: str = "loss"
) -> tuple[set[str], sw.Results]:
    """What differs from a plain run when some sources vary. Everything else has its bits."""
    results = sw.run_script(list(command), [1], vary=sources, metric=metric, name="-".join(sources))
    found = as_lines(Path(str(results.finished[0].folder), "stdout").read_text())
    assert not [text for text in results.warnings if "held" in text or "moved" in text]
    return {key for key in typed if typed[key] != found[key]}, results


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_sources_of_keras_vary_and_every_other_draws_the_bits_of_a_plain_run(
    script: Callable[..., list[str]], backend: str
) -> None:
    command = [*script(KERAS + (TENSORFLOW if backend == "tensorflow" else "")), backend]
    typed = printed(command)
    if backend == "tensorflow":  # the others shuffle with NumPy
        assert changed(command, typed, "order")[0] == {"order", "shuffled", "loss"}
    more = {"augment"} & set(typed)
    found, results = changed(command, typed, "init", "dropout", *more)
    assert found == {"init", "dropout", "loss", *more}
    assert {d.source for d in results.draws if d.count} >= {"init", "order", "dropout", "other"}


def test_a_source_of_jax_is_where_numbers_are_drawn_from_a_key(script: Callable[..., list[str]]) -> None:
    command = script(JAX)
    typed = printed(command)
    assert changed(command, typed, "init", "order")[0] == {"init", "order", "loss"}
    found, results = changed(command, typed, "dropout", "augment")
    assert found == {"dropout", "loss"}
    assert any("no draw belongs to augment" in text for text in results.warnings)


def test_a_function_that_is_compiled_once_belongs_to_one_source_wherever_it_is_called(
    script: Callable[..., list[str]],
) -> None:
    text = (
        TOLD
        + """
import jax
@jax.jit
def noise(key):
    return jax.random.normal(key, (3,))
def init_network(key):
    return noise(key)
def augment(key):
    return noise(key)
first, second = jax.random.split(jax.random.key(1))
told("one", init_network(first)); told("two", augment(second))
"""
    )
    command = script(text)
    typed = printed(command)
    assert changed(command, typed, "init", "augment", metric="one")[0] == set()
    assert changed(command, typed, "other", metric="one")[0] == {"one", "two"}
