"""Cross-validation of a numpy MLP (Adam, early stopping), restartable inside a fold."""
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold

FOLDS, MAX_EPOCHS, PATIENCE = 5, 90, 35
BATCH, HIDDEN, LR, L2 = 16, 96, 2e-3, 1e-4
SAVE_EVERY = 15


class MLP:
    def __init__(self, d, c, rng):
        self.p = {"w1": rng.normal(scale=np.sqrt(2 / d), size=(d, HIDDEN)), "b1": np.zeros(HIDDEN),
                  "w2": rng.normal(scale=np.sqrt(2 / HIDDEN), size=(HIDDEN, HIDDEN)), "b2": np.zeros(HIDDEN),
                  "w3": rng.normal(scale=np.sqrt(1 / HIDDEN), size=(HIDDEN, c)), "b3": np.zeros(c)}
        self.m = {k: np.zeros_like(v) for k, v in self.p.items()}
        self.v = {k: np.zeros_like(v) for k, v in self.p.items()}
        self.t = 0

    def forward(self, x, mask=None):
        p = self.p
        h1 = np.maximum(x @ p["w1"] + p["b1"], 0)
        if mask is not None:
            h1 = h1 * mask
        h2 = np.maximum(h1 @ p["w2"] + p["b2"], 0)
        z = h2 @ p["w3"] + p["b3"]
        z = z - z.max(1, keepdims=True)
        e = np.exp(z)
        return h1, h2, e / e.sum(1, keepdims=True)

    def step(self, x, y, rng):
        mask = (rng.random((len(x), HIDDEN)) > 0.2) / 0.8
        h1, h2, q = self.forward(x, mask)
        loss = -np.log(q[np.arange(len(y)), y] + 1e-12).mean()
        dz = q.copy()
        dz[np.arange(len(y)), y] -= 1
        dz /= len(y)
        g = {"w3": h2.T @ dz, "b3": dz.sum(0)}
        d2 = (dz @ self.p["w3"].T) * (h2 > 0)
        g.update(w2=h1.T @ d2, b2=d2.sum(0))
        d1 = (d2 @ self.p["w2"].T) * (h1 > 0) * mask
        g.update(w1=x.T @ d1, b1=d1.sum(0))
        self.t += 1
        for k in self.p:
            gk = g[k] + L2 * self.p[k]
            self.m[k] = 0.9 * self.m[k] + 0.1 * gk
            self.v[k] = 0.999 * self.v[k] + 0.001 * gk ** 2
            mh, vh = self.m[k] / (1 - 0.9 ** self.t), self.v[k] / (1 - 0.999 ** self.t)
            self.p[k] = self.p[k] - LR * mh / (np.sqrt(vh) + 1e-8)
        return loss

    def nll(self, x, y):
        return float(-np.log(self.forward(x)[2][np.arange(len(y)), y] + 1e-12).mean())


def save(net, rng, best_p, meta):
    arrays = {f"{g}.{k}": a for g in ("p", "m", "v") for k, a in getattr(net, g).items()}
    arrays.update({f"best.{k}": a for k, a in best_p.items()})
    meta = dict(meta, t=net.t, rng=rng.bit_generator.state)
    name = f"cv_f{meta['fold']}_e{meta['epoch']:03d}.npz"
    with open("part.tmp", "wb") as f:
        np.savez(f, meta=json.dumps(meta), **arrays)
    os.replace("part.tmp", name)


def newest():
    names = sorted(f for f in os.listdir(".") if f.startswith("cv_f") and f.endswith(".npz"))
    return names[-1] if names else None


def main():
    x, y = load_breast_cancer(return_X_y=True)
    splits = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, y))
    rng = np.random.default_rng(77)
    scores, fold, resume = [], 0, None
    if newest():
        resume = np.load(newest())
        meta = json.loads(str(resume["meta"]))
        scores, fold = meta["scores"], meta["fold"]
        print("going on with", newest())

    while fold < FOLDS:
        tr, te = splits[fold]
        mu, sd = x[tr].mean(0), x[tr].std(0)
        xt, xe, yt, ye = (x[tr] - mu) / sd, (x[te] - mu) / sd, y[tr], y[te]
        net = MLP(x.shape[1], 2, rng)
        epoch, best, wait, best_p = 0, np.inf, 0, dict(net.p)
        if resume is not None:
            for g in ("p", "m", "v"):
                setattr(net, g, {k: resume[f"{g}.{k}"] for k in net.p})
            best_p = {k: resume[f"best.{k}"] for k in net.p}
            net.t, epoch, best, wait = meta["t"], meta["epoch"], meta["best"], meta["wait"]
            rng.bit_generator.state = meta["rng"]
            resume = None
        while epoch < MAX_EPOCHS and wait < PATIENCE:
            order = rng.permutation(len(xt))
            losses = [net.step(xt[i], yt[i], rng) for i in np.array_split(order, len(order) // BATCH)]
            val = net.nll(xe, ye)
            epoch += 1
            if val < best:
                best, wait, best_p = val, 0, {k: v.copy() for k, v in net.p.items()}
            else:
                wait += 1
            if epoch % 5 == 0:
                print(f"fold {fold} epoch {epoch} train {np.mean(losses):.6f} val {val:.6f} wait {wait}", flush=True)
            if epoch % SAVE_EVERY == 0:
                save(net, rng, best_p, {"fold": fold, "epoch": epoch, "best": best, "wait": wait, "scores": scores})
        net.p = best_p
        acc = float((net.forward(xe)[2].argmax(1) == ye).mean())
        scores.append({"fold": fold, "nll": best, "acc": acc, "epochs": epoch})
        print("fold", fold, scores[-1], flush=True)
        fold += 1

    with open("cv_scores.json", "w") as f:
        json.dump(scores, f, indent=1)
    print("final mean nll", repr(float(np.mean([s["nll"] for s in scores]))),
          "mean acc", repr(float(np.mean([s["acc"] for s in scores]))))


if __name__ == "__main__":
    main()


# cause: none
# loaded: 84
