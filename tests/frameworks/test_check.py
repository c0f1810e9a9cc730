"""`check` on scripts of other libraries than torch: what nobody seeded is named, and what is sound is left alone."""

from collections.abc import Callable

import pytest

from seedwise.api.check import check_script
from seedwise.determinism import Verdict

from .scripts import CASES

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]
QUIET = 'import os\nos.environ["KERAS_BACKEND"] = "jax"\nos.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"\n'
KERAS = """
import keras
import numpy as np
x = np.arange(16, dtype="float32").reshape(8, 2) / 16
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4), keras.layers.Dropout(0.5), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, x[:, :1], epochs=2, verbose=2)
"""
TENSORFLOW = """
import tensorflow as tf
weights = tf.random.normal((3,))
print("norm =", float(tf.norm(weights)))
"""
JAX = """
import time
import jax
key = jax.random.PRNGKey(int(time.time() * 1000) % 2**31)
print("norm =", float((jax.random.normal(key, (3,)) ** 2).sum()))
"""

GYMNASIUM = """
import gymnasium

env = gymnasium.make("CartPole-v1")
env.reset(seed=0)
total = 0
for _ in range(200):
    action = env.action_space.sample()
    _, _, ended, _, _ = env.step(action)
    total = total * 2 % 10007 + int(action)
    if ended:
        env.reset()
print("total", total)
"""


def test_a_library_that_makes_its_own_generator_is_named_with_the_call_that_seeds_it(
    script: Callable[..., list[str]],
) -> None:
    found = check_script(script(GYMNASIUM))
    assert found.location.endswith(f":{GYMNASIUM.splitlines().index('    action = env.action_space.sample()') + 1}")
    assert "env.action_space.seed(0)" in found.fix
    assert found.fix_verified


@pytest.mark.long
def test_an_unseeded_keras_script(script: Callable[..., list[str]]) -> None:
    found = check_script(script(QUIET + KERAS))
    assert found.verdict is Verdict.DIFFERENT
    assert found.cause == "unseeded generator: random, numpy.random"
    assert "keras.utils.set_random_seed(0)" in found.fix
    assert found.fix_verified
    assert any("from epoch 1 of 2" in text for text in found.difference.what if found.difference)


def test_an_unseeded_operation_of_tensorflow(script: Callable[..., list[str]]) -> None:
    found = check_script(script(QUIET + TENSORFLOW))
    assert (found.cause, found.location) == ("unseeded generator: tensorflow", "train.py:6")
    assert found.fix_verified
    assert "tf.random.set_seed(0)" in found.fix


@pytest.mark.long
def test_a_key_from_the_clock(script: Callable[..., list[str]]) -> None:
    found = check_script(script(QUIET + JAX))
    assert (found.cause, found.location) == ("clock", "train.py:7")
    assert found.fix_verified


@pytest.mark.long
@pytest.mark.parametrize("name", ["transformers"])
def test_a_sound_trainer(name: str, script: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # with two, rounding differs, as it should be told
    case = next(case for case in CASES if case.name == name)
    found = check_script(script(case.text, case.script))
    assert found.ok, found.sentence
