"""Two-layer network written by hand in NumPy, trained on the diabetes data."""
import json
import os
import pickle

import numpy as np
from sklearn.datasets import load_diabetes

SEED = 12
EPOCHS = 96
BATCH = 8
HIDDEN = 96
SAVE_EVERY = 6
CKPT = "mlp.pkl"


class Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.betas, self.eps = lr, betas, eps
        self.m = {k: np.zeros_like(v) for k, v in params.items()}
        self.v = {k: np.zeros_like(v) for k, v in params.items()}
        self.t = 0

    def step(self, params, grads):
        b1, b2 = self.betas
        self.t += 1
        scale = np.sqrt(1 - b2 ** self.t) / (1 - b1 ** self.t)
        for k in params:
            self.m[k] = b1 * self.m[k] + (1 - b1) * grads[k]
            self.v[k] = b2 * self.v[k] + (1 - b2) * grads[k] ** 2
            params[k] -= self.lr * scale * self.m[k] / (np.sqrt(self.v[k]) + self.eps)

    def state(self):
        return {"m": self.m, "v": self.v, "lr": self.lr}

    def load(self, state):
        self.m, self.v, self.lr = state["m"], state["v"], state["lr"]


def init_params(rng, d):
    return {
        "w1": rng.normal(0, np.sqrt(2 / d), (d, HIDDEN)),
        "b1": np.zeros(HIDDEN),
        "w2": rng.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, HIDDEN)),
        "b2": np.zeros(HIDDEN),
        "w3": rng.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, 1)),
        "b3": np.zeros(1),
    }


def forward(p, x):
    h1 = np.maximum(x @ p["w1"] + p["b1"], 0)
    h2 = np.maximum(h1 @ p["w2"] + p["b2"], 0)
    return h1, h2, (h2 @ p["w3"] + p["b3"])[:, 0]


def loss_and_grads(p, x, y, mask, l2=1e-4):
    h1, h2, out = forward(p, x)
    h2 = h2 * mask
    out = (h2 @ p["w3"] + p["b3"])[:, 0]
    err = out - y
    n = len(x)
    g = {}
    d = (2 * err / n)[:, None]
    g["w3"], g["b3"] = h2.T @ d, d.sum(0)
    dh = (d @ p["w3"].T) * mask * (h2 > 0)
    g["w2"], g["b2"] = h1.T @ dh, dh.sum(0)
    dh = (dh @ p["w2"].T) * (h1 > 0)
    g["w1"], g["b1"] = x.T @ dh, dh.sum(0)
    for k in ("w1", "w2", "w3"):
        g[k] += 2 * l2 * p[k]
    return float((err ** 2).mean()), g


def main():
    rng = np.random.default_rng(SEED)
    x, y = load_diabetes(return_X_y=True)
    x = x / x.std(0)
    y = (y - y.mean()) / y.std()
    perm = np.random.default_rng(0).permutation(len(x))
    tr, te = perm[:340], perm[340:]
    params = init_params(rng, x.shape[1])
    opt = Adam(params, lr=2e-4)
    epoch, curve = 0, []
    if os.path.exists(CKPT):
        with open(CKPT, "rb") as fh:
            ck = pickle.load(fh)
        params = ck["params"]
        opt.load(ck["adam"])
        rng.bit_generator.state = ck["rng"]
        epoch, curve = ck["epoch"], ck["curve"]
        print("restored", CKPT, "at epoch", epoch)

    while epoch < EPOCHS:
        order = rng.permutation(tr)
        losses = []
        for i in range(0, len(order), BATCH):
            idx = order[i:i + BATCH]
            mask = (rng.random((len(idx), HIDDEN)) > 0.2) / 0.8
            loss, grads = loss_and_grads(params, x[idx], y[idx], mask)
            opt.step(params, grads)
            losses.append(loss)
        epoch += 1
        test = float(((forward(params, x[te])[2] - y[te]) ** 2).mean())
        curve.append([float(np.mean(losses)), test])
        if epoch % SAVE_EVERY == 0:
            print(f"epoch {epoch:3d} train {curve[-1][0]:.5f} test {test:.5f}")
            with open(CKPT + ".new", "wb") as fh:
                pickle.dump({"params": params, "adam": opt.state(), "epoch": epoch,
                             "rng": rng.bit_generator.state, "curve": curve}, fh)
            os.replace(CKPT + ".new", CKPT)

    print(f"final test mse {curve[-1][1]:.8f}")
    np.savez("weights.npz", **params)
    with open("curve.json", "w") as fh:
        json.dump(curve, fh)


if __name__ == "__main__":
    main()

# cause: state of the optimizer (opt.t
# loaded: 86
