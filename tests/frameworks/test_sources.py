"""Sources of randomness apart in Keras: weights, order and dropout, as far as its hooks reach."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import seedwise as sw

pytest.importorskip("keras")
pytestmark = pytest.mark.slow

SCRIPT = """
import os
os.environ["KERAS_BACKEND"] = "torch"
import numpy as np, keras
keras.utils.set_random_seed(7)
X = np.random.rand(100, 4).astype("float32"); y = X.sum(1, keepdims=True)
net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.3), keras.layers.Dense(1)])
first = float(np.abs(net.layers[0].get_weights()[0]).sum())
net.compile("sgd", "mse")
history = net.fit(X, y, epochs=2, batch_size=20, verbose=0)
print("init =", first)
print("data =", X.sum())
print("loss =", history.history["loss"][-1])
"""


@pytest.mark.parametrize("source", ["init", "order", "dropout"])
def test_a_source_of_keras_on_torch_varies_alone(script: Callable[..., list[str]], source: str) -> None:
    command = script(SCRIPT)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    plain = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.splitlines()
    results = sw.run_script(command, [1], vary=source, metric="loss")
    found = Path(str(results.finished[0].folder), "stdout").read_text().splitlines()
    assert (found[0] != plain[0]) == (source == "init")
    assert found[1] == plain[1]
    assert found[2] != plain[2]
    assert {d.source for d in results.draws if d.count} >= {"init", "order", "dropout"}
