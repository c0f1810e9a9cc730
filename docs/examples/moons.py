"""A small network learns to tell two half moons apart: python moons.py HIDDEN. Needs NumPy and nothing else."""

import sys

import numpy as np

hidden = int(sys.argv[1])


def moons(n, rng):
    """Points on two half circles that reach into each other, with noise; and on which of the two each lies."""
    angle, side = rng.uniform(0, np.pi, n), rng.integers(0, 2, n)
    points = np.c_[np.cos(angle), np.sin(angle)] * np.where(side, -1, 1)[:, None] + np.outer(side, [1, 0.5])
    return points + rng.normal(0, 0.25, (n, 2)), side[:, None]


data = np.random.default_rng(2024)
x, y = moons(100, data)
x_test, y_test = moons(1000, data)

np.random.seed(42)
w1, w2 = np.random.normal(0, 1, (2, hidden)), np.random.normal(0, 1, (hidden, 1))
b1, b2 = np.zeros(hidden), np.zeros(1)


def predicted(points):
    return 1 / (1 + np.exp(-(np.tanh(points @ w1 + b1) @ w2 + b2)))


for epoch in range(1, 31):
    for k in np.array_split(np.random.permutation(len(x)), 10):
        h = np.tanh(x[k] @ w1 + b1)
        error = (predicted(x[k]) - y[k]) / len(k)
        back = error @ w2.T * (1 - h**2)
        w2, b2 = w2 - 0.5 * h.T @ error, b2 - 0.5 * error.sum(0)
        w1, b1 = w1 - 0.5 * x[k].T @ back, b1 - 0.5 * back.sum(0)
    if epoch % 5 == 0:
        p = predicted(x)
        print(f"epoch {epoch:2}  train_loss = {-np.log(np.where(y, p, 1 - p)).mean():.4f}")

print(f"test accuracy = {((predicted(x_test) > 0.5) == y_test).mean():.3f}")
