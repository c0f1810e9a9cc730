"""scikit-learn MLP trained with partial_fit, joblib dump after every pass."""

import glob
import os
import time

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

PASSES, BATCH, KEEP = 14, 64, 2
X, y = load_digits(return_X_y=True)
scaler = StandardScaler().fit(X[:1300])
X = scaler.transform(X)
Xt, yt, Xv, yv = X[:1300], y[:1300], X[1300:], y[1300:]
classes = np.arange(10)

dumps = sorted(glob.glob("pass_*.joblib"))
if dumps:
    job = joblib.load(dumps[-1])
    print("loaded", dumps[-1], "written", job["when"], flush=True)
else:
    job = {
        "clf": MLPClassifier((96, 48), alpha=1e-3, learning_rate_init=2e-3, batch_size=BATCH, random_state=3),
        "rng": np.random.RandomState(19),
        "done": 0,
        "scores": [],
        "best": np.inf,
        "bad": 0,
        "when": None,
    }
clf, rng = job["clf"], job["rng"]

while job["done"] < PASSES and job["bad"] < 5:
    order = rng.permutation(len(Xt))
    for i in range(0, len(order), BATCH):
        b = order[i : i + BATCH]
        clf.partial_fit(Xt[b] + rng.normal(scale=0.3, size=(len(b), 64)), yt[b], classes=classes)
    loss = log_loss(yv, clf.predict_proba(Xv), labels=classes)
    job["done"] += 1
    job["scores"].append((loss, clf.score(Xv, yv)))
    if loss < job["best"] - 1e-4:
        job["best"], job["bad"] = loss, 0
    else:
        job["bad"] += 1
    job["when"] = time.strftime("%F %T")
    name = f"pass_{job['done']:03d}.joblib"
    joblib.dump(job, name + ".new", compress=3)
    os.replace(name + ".new", name)
    print(
        f"pass {job['done']} loss {loss:.6f} acc {job['scores'][-1][1]:.4f} bad {job['bad']} saved {name}", flush=True
    )
    for old in sorted(glob.glob("pass_*.joblib"))[:-KEEP]:
        os.unlink(old)
    time.sleep(0.1)

s = sum(np.abs(c).sum() for c in clf.coefs_)
print(
    f"FINAL passes={job['done']} loss={job['scores'][-1][0]:.9f} acc={job['scores'][-1][1]:.6f} best={job['best']:.9f} weight_sum={s:.8f}"
)

# cause: none
# loaded: 23
