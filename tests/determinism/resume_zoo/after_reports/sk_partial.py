"""Incremental training of an sklearn MLP on noisy synthetic data, the whole experiment kept as one object."""
import os
import re
import warnings

import joblib
import numpy as np
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
FOLDER = "snapshots"
ROUNDS = 200
KEEP = 3
CLASSES = np.arange(4)


def dataset():
    x, y = make_classification(n_samples=3000, n_features=24, n_informative=12, n_classes=4,
                               n_clusters_per_class=2, flip_y=0.03, random_state=8)
    return x[:2200], y[:2200], x[2200:], y[2200:]


class Experiment:
    """Everything that changes while we train."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.scaler = StandardScaler()
        self.net = MLPClassifier(hidden_layer_sizes=(48, 24), solver="adam", batch_size=50,
                                 learning_rate_init=2e-3, alpha=1e-4,
                                 random_state=np.random.RandomState(seed))
        self.round = 0
        self.scores = []
        self.best = (np.inf, -1)
        self.cooldown = 0

    def one_round(self, x, y, xv, yv):
        pick = self.rng.choice(len(x), size=500, replace=False)
        noise = self.rng.normal(0, 0.1, size=(500, x.shape[1]))
        self.scaler.partial_fit(x[pick])
        self.net.partial_fit(self.scaler.transform(x[pick]) + noise, y[pick], classes=CLASSES)
        val = log_loss(yv, self.net.predict_proba(self.scaler.transform(xv)), labels=CLASSES)
        self.scores.append((float(self.net.loss_), float(val)))
        if val < self.best[0]:
            self.best, self.cooldown = (float(val), self.round), 0
        else:
            self.cooldown += 1
            if self.cooldown >= 15:
                self.net._optimizer.learning_rate_init *= 0.5
                self.cooldown = 0
        self.round += 1


def snapshots():
    if not os.path.isdir(FOLDER):
        return []
    names = [n for n in os.listdir(FOLDER) if re.fullmatch(r"round_\d+\.joblib", n)]
    return sorted(names, key=lambda n: int(re.findall(r"\d+", n)[0]))


def store(exp):
    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, f"round_{exp.round}.joblib")
    joblib.dump(exp, path + ".writing", compress=3)
    os.replace(path + ".writing", path)
    for name in snapshots()[:-KEEP]:
        os.remove(os.path.join(FOLDER, name))


def main():
    x, y, xv, yv = dataset()
    have = snapshots()
    if have:
        exp = joblib.load(os.path.join(FOLDER, have[-1]))
        print(f"picking up {have[-1]}", flush=True)
    else:
        exp = Experiment(seed=17)

    while exp.round < ROUNDS:
        exp.one_round(x, y, xv, yv)
        tr, va = exp.scores[-1]
        print(f"round {exp.round:3d} loss {tr:.6f} val {va:.6f} "
              f"lr {exp.net._optimizer.learning_rate_init:.5f}", flush=True)
        if exp.round % 4 == 0:
            store(exp)

    acc = exp.net.score(exp.scaler.transform(xv), yv)
    norm = sum(float((w ** 2).sum()) for w in exp.net.coefs_)
    joblib.dump({"coefs": exp.net.coefs_, "intercepts": exp.net.intercepts_}, "weights.joblib")
    print(f"FINAL best {exp.best} last {exp.scores[-1]} acc {float(acc)!r} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
