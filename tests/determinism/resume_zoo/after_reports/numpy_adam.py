"""Two-layer network and Adam written out in NumPy, regression on the diabetes data."""
import csv
import os

import numpy as np
from sklearn.datasets import load_diabetes

SEED = 21
EPOCHS = 700
SAVE_EVERY = 10
BATCH = 16
NPZ = "state.npz"
CSV = "metrics.csv"


def init(d, h, rng):
    return {
        "W1": rng.normal(0, 1 / np.sqrt(d), (d, h)),
        "b1": np.zeros(h),
        "W2": rng.normal(0, 1 / np.sqrt(h), (h, h)),
        "b2": np.zeros(h),
        "W3": rng.normal(0, 1 / np.sqrt(h), (h, 1)),
        "b3": np.zeros(1),
    }


def forward(p, x):
    h1 = np.tanh(x @ p["W1"] + p["b1"])
    h2 = np.tanh(h1 @ p["W2"] + p["b2"])
    return h1, h2, (h2 @ p["W3"] + p["b3"])[:, 0]


def backward(p, x, y, mask):
    h1 = np.tanh(x @ p["W1"] + p["b1"]) * mask
    h2 = np.tanh(h1 @ p["W2"] + p["b2"])
    out = (h2 @ p["W3"] + p["b3"])[:, 0]
    err = out - y
    g = {}
    d3 = (2 * err / len(y))[:, None]
    g["W3"], g["b3"] = h2.T @ d3, d3.sum(0)
    d2 = (d3 @ p["W3"].T) * (1 - h2 ** 2)
    g["W2"], g["b2"] = h1.T @ d2, d2.sum(0)
    d1 = (d2 @ p["W2"].T) * mask * (1 - (h1 / np.maximum(mask, 1)) ** 2)
    g["W1"], g["b1"] = x.T @ d1, d1.sum(0)
    return float(np.mean(err ** 2)), g


class Adam:
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.betas, self.eps, self.t = lr, betas, eps, 0
        self.m = {k: np.zeros_like(v) for k, v in params.items()}
        self.v = {k: np.zeros_like(v) for k, v in params.items()}

    def step(self, params, grads, scale=1.0):
        self.t += 1
        b1, b2 = self.betas
        for k, g in grads.items():
            self.m[k] = b1 * self.m[k] + (1 - b1) * g
            self.v[k] = b2 * self.v[k] + (1 - b2) * g * g
            mh = self.m[k] / (1 - b1 ** self.t)
            vh = self.v[k] / (1 - b2 ** self.t)
            params[k] = params[k] - scale * self.lr * mh / (np.sqrt(vh) + self.eps)


def save(p, opt, epoch):
    arrays = {"epoch": np.int64(epoch), "t": np.int64(opt.t)}
    for k in p:
        arrays["p_" + k], arrays["m_" + k], arrays["v_" + k] = p[k], opt.m[k], opt.v[k]
    with open(NPZ + ".part", "wb") as f:
        np.savez(f, **arrays)
        f.flush()
        os.fsync(f.fileno())
    os.replace(NPZ + ".part", NPZ)


def cut_csv(epoch):
    with open(CSV) as f:
        lines = f.read().splitlines()[:epoch + 1]
    with open(CSV + ".part", "w") as f:
        f.write("\n".join(lines) + "\n")
    os.replace(CSV + ".part", CSV)


def main():
    x, y = load_diabetes(return_X_y=True)
    x, y = x / x.std(0), (y - y.mean()) / y.std()
    xtr, ytr, xte, yte = x[:340], y[:340], x[340:], y[340:]
    p = init(x.shape[1], 48, np.random.default_rng(SEED))
    opt = Adam(p, 1e-3)
    start = 0
    if os.path.exists(NPZ):
        with np.load(NPZ) as z:
            start, opt.t = int(z["epoch"]), int(z["t"])
            for k in p:
                p[k], opt.m[k], opt.v[k] = z["p_" + k], z["m_" + k], z["v_" + k]
        cut_csv(start)
        print(f"restored epoch {start} from {NPZ}", flush=True)
    else:
        with open(CSV, "w") as f:
            f.write("epoch,train,test\n")

    for epoch in range(start, EPOCHS):
        rng = np.random.default_rng((SEED, epoch))
        scale = min(1.0, (epoch + 1) / 20) * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS))
        order, losses = rng.permutation(len(xtr)), []
        for i in range(0, len(order), BATCH):
            idx = order[i:i + BATCH]
            mask = (rng.random((len(idx), 48)) < 0.8) / 0.8
            loss, g = backward(p, xtr[idx], ytr[idx], mask)
            opt.step(p, g, scale)
            losses.append(loss)
        test = float(np.mean((forward(p, xte)[2] - yte) ** 2))
        with open(CSV, "a", newline="") as f:
            csv.writer(f).writerow([epoch, repr(float(np.mean(losses))), repr(test)])
        print(f"epoch {epoch:3d} train {np.mean(losses):.6f} test {test:.6f}", flush=True)
        if (epoch + 1) % SAVE_EVERY == 0:
            save(p, opt, epoch + 1)

    with open(CSV) as f:
        rows = list(csv.DictReader(f))
    best = min(rows, key=lambda r: float(r["test"]))
    print(f"FINAL rows {len(rows)} best {best['epoch']} {best['test']} last {rows[-1]['train']} {rows[-1]['test']}"
          f" norm {sum(float((v ** 2).sum()) for v in p.values())!r}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
