"""Out-of-core learning: the data are spilled to shard files, then read back one at a time."""

import os
import tempfile

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier

SEED = 20


class ShardStore:
    def __init__(self, folder):
        self.folder = folder

    def add(self, X, y):
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="shard_", suffix=".npz", delete=False) as fh:
            np.savez(fh, X=X, y=y)

    def __iter__(self):
        for name in os.listdir(self.folder):  # HERE
            if name.endswith(".npz"):
                with np.load(os.path.join(self.folder, name)) as z:
                    yield z["X"], z["y"]


def spill(store, n_shards=16):
    rng = np.random.default_rng(SEED)
    X, y = make_classification(
        n_samples=8000, n_features=30, n_informative=10, flip_y=0.1, class_sep=0.7, random_state=SEED
    )
    drift = np.linspace(0, 1.0, len(X))[:, None]
    X = X + drift * rng.normal(0, 1, X.shape[1])
    for Xs, ys in zip(np.array_split(X, n_shards), np.array_split(y, n_shards)):
        store.add(Xs, ys)
    return X[::40], y[::40]


def main():
    np.random.seed(SEED)
    with tempfile.TemporaryDirectory() as folder:
        store = ShardStore(folder)
        X_eval, y_eval = spill(store)
        clf = SGDClassifier(loss="log_loss", alpha=1e-4, random_state=SEED)
        for epoch in range(3):
            for X, y in store:
                clf.partial_fit(X, y, classes=[0, 1])
            print(f"epoch {epoch}: accuracy {clf.score(X_eval, y_eval):.4f}")
    print(f"final accuracy {clf.score(X_eval, y_eval):.4f}")
    print(f"intercept {clf.intercept_[0]:.6f} |w| {np.linalg.norm(clf.coef_):.6f}")


if __name__ == "__main__":
    main()

# cause: order of files whose names are drawn
