"""Keras regression on a Friedman problem; the weights go to a file after every few epochs."""
import json
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from sklearn.datasets import make_friedman1

SEED = 12
EPOCHS = 24
BATCH = 32
WEIGHTS = "latest.weights.h5"
STATE = "progress.json"


def get_data():
    x, y = make_friedman1(n_samples=1000, n_features=10, noise=0.5, random_state=SEED)
    y = (y - y.mean()) / y.std()
    x = (x - 0.5) * 3.4
    return x[:640].astype("float32"), y[:640].astype("float32"), x[640:].astype("float32"), y[640:].astype("float32")


def build():
    model = keras.Sequential([
        keras.layers.Dense(48, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(SEED)),
        keras.layers.Dense(48, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(SEED + 1)),
        keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(SEED + 2)),
    ])
    model.build((None, 10))
    model.compile(optimizer=keras.optimizers.Adam(2e-3, clipnorm=1.0), loss="mse", metrics=["mae"])
    return model


def learning_rate(epoch):
    return float(2e-3 * min(1.0, (epoch + 1) / 3) * 0.93 ** max(0, epoch - 3))


def checkpoint(model, epoch, history):
    model.save_weights("tmp_" + WEIGHTS)
    with open("tmp_" + STATE, "w") as f:
        json.dump({"epoch": epoch, "file": f"{epoch:03d}_{WEIGHTS}", "history": history}, f)
    os.replace("tmp_" + WEIGHTS, f"{epoch:03d}_{WEIGHTS}")
    os.replace("tmp_" + STATE, STATE)
    for name in os.listdir("."):
        if name.endswith(WEIGHTS) and name[:3].isdigit() and int(name[:3]) < epoch:
            os.remove(name)


def main():
    keras.utils.set_random_seed(SEED)
    xtr, ytr, xte, yte = get_data()
    model = build()
    start, history = 0, []
    if os.path.exists(STATE):
        with open(STATE) as f:
            state = json.load(f)
        start, history = state["epoch"], state["history"]
        model.load_weights(state["file"])
        print(f"loaded {state['file']}, continuing with epoch {start}", flush=True)

    for epoch in range(start, EPOCHS):
        model.optimizer.learning_rate = learning_rate(epoch)
        order = np.random.default_rng([SEED, epoch]).permutation(len(xtr))
        losses = []
        for i in range(0, len(order), BATCH):
            idx = order[i:i + BATCH]
            out = model.train_on_batch(xtr[idx], ytr[idx], return_dict=True)
            losses.append(float(out["loss"]))
        pred = np.asarray(model.predict_on_batch(xte))[:, 0]
        val = float(np.mean((pred - yte) ** 2))
        model.reset_metrics()
        history.append({"epoch": epoch, "loss": losses[-1], "val": val})
        print(f"epoch {epoch} loss {losses[-1]:.6f} val {val:.6f} lr {learning_rate(epoch):.6f}", flush=True)
        if (epoch + 1) % 2 == 0:
            checkpoint(model, epoch + 1, history)

    norm = sum(float((w.astype("float64") ** 2).sum()) for w in model.get_weights())
    best = min(history, key=lambda h: h["val"])
    print(f"FINAL epochs {len(history)} best {best['epoch']} {best['val']!r} last {history[-1]['val']!r} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: state of the optimizer (model.optimizer['iteration']
# loaded: 60
