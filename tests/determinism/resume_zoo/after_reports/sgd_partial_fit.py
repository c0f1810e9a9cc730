"""Out-of-core style text-ish classification with SGDClassifier.partial_fit.

A stream of noisy mini batches is drawn from breast_cancer, standardised with
an incrementally fitted scaler. State is dumped with joblib every 200 batches.
"""
import csv
import os
import time
import uuid

import joblib
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

N_BATCHES = 2400
EVERY = 200
BATCH = 16
STATE = "stream_state.joblib"
LOG = "stream_log.csv"


class Stream:
    """Endless stream of resampled rows with measurement noise."""

    def __init__(self, x, y, seed):
        self.x, self.y = x, y
        self.rng = np.random.default_rng(seed)
        self.scale = x.std(axis=0) * 0.05

    def next_batch(self, n):
        idx = self.rng.choice(len(self.x), size=n, replace=False)
        noise = self.rng.standard_normal((n, self.x.shape[1])) * self.scale
        return self.x[idx] + noise, self.y[idx]


def truncate_log(path, upto):
    if not os.path.exists(path):
        return
    with open(path) as fh:
        rows = [r for r in csv.reader(fh) if r and int(r[0]) <= upto]
    with open(path, "w", newline="") as fh:
        csv.writer(fh).writerows(rows)


def main():
    run_id = uuid.uuid4().hex[:8]
    x, y = load_breast_cancer(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, random_state=0)
    if os.path.exists(STATE):
        st = joblib.load(STATE)
        clf, scaler, n_done = st["clf"], st["scaler"], st["n_done"]
        best, best_at, recent = st["best"], st["best_at"], st["recent"]
        stream = Stream(x_tr, y_tr, seed=None)
        stream.rng.bit_generator.state = st["rng"]
        truncate_log(LOG, n_done)
        print(f"[{run_id}] continuing after batch {n_done}")
    else:
        clf = SGDClassifier(loss="log_loss", learning_rate="adaptive", eta0=0.02,
                            penalty="elasticnet", alpha=1e-4, average=50,
                            random_state=np.random.RandomState(11))
        scaler = StandardScaler()
        n_done, best, best_at, recent = 0, np.inf, -1, []
        stream = Stream(x_tr, y_tr, seed=5)
        if os.path.exists(LOG):
            os.remove(LOG)
        print(f"[{run_id}] new run")

    t0 = time.perf_counter()
    while n_done < N_BATCHES:
        xb, yb = stream.next_batch(BATCH)
        scaler.partial_fit(xb)
        clf.partial_fit(scaler.transform(xb), yb, classes=[0, 1])
        n_done += 1
        if n_done % 20 == 0:
            recent = (recent + [log_loss(yb, clf.predict_proba(scaler.transform(xb)), labels=[0, 1])])[-10:]
        if n_done % EVERY == 0:
            loss = log_loss(y_te, clf.predict_proba(scaler.transform(x_te)))
            if loss < best:
                best, best_at = loss, n_done
                joblib.dump((scaler, clf), "best_model.joblib")
            with open(LOG, "a", newline="") as fh:
                csv.writer(fh).writerow([n_done, f"{loss:.8f}", f"{np.mean(recent):.8f}"])
            print(f"batch {n_done:5d} test_loss {loss:.5f} recent {np.mean(recent):.5f} "
                  f"best {best:.5f}@{best_at} [{time.perf_counter() - t0:.1f}s]")
            joblib.dump({"clf": clf, "scaler": scaler, "n_done": n_done, "best": best,
                         "best_at": best_at, "recent": recent,
                         "rng": stream.rng.bit_generator.state}, STATE + ".part")
            os.replace(STATE + ".part", STATE)

    acc = clf.score(scaler.transform(x_te), y_te)
    print(f"final acc {acc:.6f} best_loss {best:.8f} at {best_at}")
    np.savez("coef.npz", coef=clf.coef_, intercept=clf.intercept_, mean=scaler.mean_, var=scaler.var_)


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
