"""Two layer network written in NumPy only, breast cancer data, one npz file per epoch."""
import glob
import json
import os
import time

import numpy as np
from sklearn.datasets import load_breast_cancer

SEED, EPOCHS, BATCH, LR, BETA1, BETA2, EPS = 21, 40, 32, 3e-3, 0.9, 0.999, 1e-8


class Layer:
    def __init__(self, rng, n_in, n_out):
        self.params = {"w": rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)), "b": np.zeros(n_out)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["w"] + self.params["b"]

    def backward(self, g):
        self.grads = {"w": self.x.T @ g, "b": g.sum(0)}
        return g @ self.params["w"].T


class Adam:
    def __init__(self, layers):
        self.layers = layers
        self.t = 0
        self.m = [{k: np.zeros_like(v) for k, v in l.params.items()} for l in layers]
        self.v = [{k: np.zeros_like(v) for k, v in l.params.items()} for l in layers]

    def step(self, lr):
        self.t += 1
        for l, m, v in zip(self.layers, self.m, self.v):
            for k, g in l.grads.items():
                m[k] = BETA1 * m[k] + (1 - BETA1) * g
                v[k] = BETA2 * v[k] + (1 - BETA2) * g * g
                mh = m[k] / (1 - BETA1 ** self.t)
                vh = v[k] / (1 - BETA2 ** self.t)
                l.params[k] -= lr * mh / (np.sqrt(vh) + EPS)


class Net:
    def __init__(self, rng, sizes):
        self.layers = [Layer(rng, a, b) for a, b in zip(sizes[:-1], sizes[1:])]

    def forward(self, x, rng=None, drop=0.0):
        self.masks = []
        for l in self.layers[:-1]:
            x = l.forward(x)
            mask = (x > 0).astype(float)
            if rng is not None:
                mask *= (rng.random(x.shape) >= drop) / (1 - drop)
            self.masks.append(mask)
            x = x * mask
        return self.layers[-1].forward(x)[:, 0]

    def backward(self, g):
        g = self.layers[-1].backward(g[:, None])
        for l, mask in zip(self.layers[-2::-1], self.masks[::-1]):
            g = l.backward(g * mask)


def bce(z, y):
    return float(np.mean(np.logaddexp(0, z) - y * z))


def pack(net, opt):
    out = {}
    for i, l in enumerate(net.layers):
        for k in l.params:
            out[f"p/{i}/{k}"] = l.params[k]
            out[f"m/{i}/{k}"] = opt.m[i][k]
            out[f"v/{i}/{k}"] = opt.v[i][k]
    return out


def unpack(blob, net, opt):
    for i, l in enumerate(net.layers):
        for k in l.params:
            l.params[k] = blob[f"p/{i}/{k}"].copy()
            opt.m[i][k] = blob[f"m/{i}/{k}"].copy()
            opt.v[i][k] = blob[f"v/{i}/{k}"].copy()


def main():
    data = load_breast_cancer()
    x = (data.data - data.data.mean(0)) / data.data.std(0)
    y = data.target.astype(float)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    tx, ty, vx, vy = x[:430], y[:430], x[430:], y[430:]

    rng = np.random.default_rng(SEED)
    net = Net(rng, [x.shape[1], 64, 32, 1])
    opt = Adam(net.layers)
    start, history = 0, []
    files = sorted(glob.glob("epoch_*.npz"))
    if files:
        with np.load(files[-1]) as blob:
            unpack(blob, net, opt)
            meta = json.loads(str(blob["meta"]))
        start, history = meta["epoch"] + 1, meta["history"]
        rng.bit_generator.state = meta["rng"]
        print("loaded", files[-1])

    for epoch in range(start, EPOCHS):
        lr = LR * (0.5 + 0.5 * np.cos(np.pi * epoch / EPOCHS))
        idx, losses = rng.permutation(len(tx)), []
        for a in range(0, len(idx), BATCH):
            b = idx[a:a + BATCH]
            z = net.forward(tx[b], rng, 0.2)
            losses.append(bce(z, ty[b]))
            net.backward((1 / (1 + np.exp(-z)) - ty[b]) / len(b))
            opt.step(lr)
        z = net.forward(vx)
        row = {"epoch": epoch, "loss": float(np.mean(losses)), "val_loss": bce(z, vy), "val_acc": float(((z > 0) == vy).mean())}
        history.append(row)
        print(f"{time.strftime('%T')} epoch {epoch} loss {row['loss']:.10f} val_loss {row['val_loss']:.10f} val_acc {row['val_acc']:.4f}")
        with open("log.jsonl", "a") as fh:
            fh.write(json.dumps({**row, "time": time.time()}) + "\n")
        if epoch % 5 == 4:
            meta = {"epoch": epoch, "history": history, "rng": rng.bit_generator.state}
            name = f"epoch_{epoch:03d}.npz"
            with open(name + ".tmp", "wb") as fh:
                np.savez(fh, meta=json.dumps(meta), **pack(net, opt))
            os.replace(name + ".tmp", name)
        time.sleep(0.03)
    print(f"final val_loss {row['val_loss']:.12f} weight_sum {sum(float(v.sum()) for l in net.layers for v in l.params.values()):.12f}")


if __name__ == "__main__":
    main()


# cause: state of the optimizer (opt.t
# loaded: 102
