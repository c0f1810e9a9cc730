import os

import numpy as np


class Adam:
    def __init__(self, shape):
        self.t, self.m, self.v = 0, np.zeros(shape), np.zeros(shape)

    def step(self, w, g):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.99 * self.v + 0.01 * g * g
        w -= 0.05 * self.m / (1 - 0.9**self.t) / (np.sqrt(self.v / (1 - 0.99**self.t)) + 1e-8)


class Net:
    def __init__(self, first):
        self.w, self.stats = first["w"].copy(), first["stats"]

    def train(self, x, y):
        self.stats = {"mean": 0.9 * self.stats["mean"] + 0.1 * x.mean(0)}
        z = x - self.stats["mean"]
        return z.T @ (z @ self.w - y) / len(x)


def main():
    rng = np.random.default_rng(5)
    X = rng.normal(1.0, 1.0, (64, 4))
    y = X.sum(1)
    first = {"w": rng.normal(size=4), "stats": {"mean": np.zeros(4)}}
    net, opt, start = Net(first), Adam(4), 0
    if os.path.exists("state.npz"):
        ck = np.load("state.npz")
        net.w, opt.m, opt.v = ck["w"], ck["m"], ck["v"]
        opt.t = int(ck["t"])
        net.stats = {"mean": ck["mean"]}
        rng.bit_generator.state = eval(str(ck["rng"]))
        start = int(ck["epoch"]) + 1
    for epoch in range(start, 8):
        for b in rng.permutation(64).reshape(4, 16):
            opt.step(net.w, net.train(X[b], y[b]))
        print(f"epoch {epoch} loss {((X @ net.w - y) ** 2).mean():.8f}")
        kept = {"w": net.w, "m": opt.m, "v": opt.v, "t": opt.t, "mean": net.stats["mean"], "epoch": epoch}
        np.savez("tmp.npz", rng=repr(rng.bit_generator.state), **kept)
        os.replace("tmp.npz", "state.npz")


main()
