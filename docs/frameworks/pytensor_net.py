"""PyTensor, Theano's heir: a small network with dropout, its random numbers from one shared generator."""

import numpy as np
import pytensor
import pytensor.tensor as pt
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

x, y = load_breast_cancer(return_X_y=True)
x = scale(x)
numbers = np.random.default_rng(42)  # seed site
w1 = pytensor.shared(numbers.normal(0, 0.2, (30, 8)))
w2 = pytensor.shared(numbers.normal(0, 0.2, 8))

rng = pt.random.shared_rng(seed=42)  # seed site
inputs, wanted = pt.matrix("x"), pt.vector("y")
next_rng, keep = rng.bernoulli(0.8, size=(inputs.shape[0], 8))
output = pt.sigmoid(pt.dot(pt.tanh(pt.dot(inputs, w1)) * keep / 0.8, w2))
loss = -(wanted * pt.log(output) + (1 - wanted) * pt.log(1 - output)).mean()
g1, g2 = pt.grad(loss, [w1, w2])
train = pytensor.function(
    [inputs, wanted], loss, updates={w1: w1 - 0.5 * g1, w2: w2 - 0.5 * g2, rng: next_rng}
)  # fmt: skip
for epoch in range(40):
    last = float(train(x[:400], y[:400].astype(float)))
right = (1 / (1 + np.exp(-np.tanh(x[400:] @ w1.get_value()) @ w2.get_value())) > 0.5) == y[400:]
print(f"loss = {last:.6f} | acc = {right.mean():.4f}")
