import json
import os
import random

import numpy as np


class Stopper:
    def __init__(self):
        self.best, self.bad = 9.0, 0

    def step(self, loss):
        self.bad = 0 if loss < self.best else self.bad + 1
        self.best = min(self.best, loss)


random.seed(0)
np.random.seed(0)
rng = np.random.default_rng(0)
X = rng.normal(size=(32, 4))
y = X @ np.arange(4.0)
weights, velocity, ema = np.zeros(4), np.zeros(4), np.zeros(4)
stopper, best, losses, updates = Stopper(), 1e9, [], 0


def save(epoch):
    state = {
        "weights": weights,
        "velocity": velocity,
        "ema": ema,
        "losses": losses,
        "best": best,
        "bad": [stopper.best, stopper.bad],
        "updates": updates,
        "epoch": epoch,
        "rng": json.dumps(rng.bit_generator.state),
        "numpy": np.asarray(np.random.get_state()[1]),
        "position": np.random.get_state()[2],
        "random": json.dumps(random.getstate()),
    }
    np.savez("state.tmp.npz", **state)
    os.replace("state.tmp.npz", "state.npz")


def load():
    global weights, velocity, ema, best, losses, updates
    ck = np.load("state.npz")
    weights = ck["weights"]
    velocity = ck["velocity"]
    ema = ck["ema"]
    losses = ck["losses"].tolist()
    best = float(ck["best"])
    stopper.best, stopper.bad = float(ck["bad"][0]), int(ck["bad"][1])
    updates = int(ck["updates"])
    rng.bit_generator.state = json.loads(str(ck["rng"]))
    np.random.set_state(("MT19937", ck["numpy"], int(ck["position"])))
    version, numbers, gauss = json.loads(str(ck["random"]))
    random.setstate((version, tuple(numbers), gauss))
    return int(ck["epoch"]) + 1


first = load() if os.path.exists("state.npz") else 0
for epoch in range(first, 6):
    for i in np.random.permutation(32):
        noise = 0.01 * rng.normal(size=4) + 0.001 * random.random()
        updates += 1
        rate = 0.05 / (1 + updates / 100)
        velocity = 0.5 * velocity + (X[i] @ weights - y[i]) * (X[i] + noise)
        weights = weights - rate * velocity
        ema = 0.9 * ema + 0.1 * weights
    loss = float(((X @ weights - y) ** 2).mean())
    losses.append(loss)
    best = min(best, -loss)
    stopper.step(-loss)
    save(epoch)
    print("epoch", epoch, "loss", loss, ((X @ ema - y) ** 2).mean(), "bad", stopper.bad, "best", best, np.mean(losses))
