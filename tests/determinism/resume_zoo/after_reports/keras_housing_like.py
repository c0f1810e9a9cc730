"""Keras regression with input noise and a decaying learning rate; whole model written after every epoch."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import glob
import json
import time

import keras
import numpy as np
from keras import layers

SEED, EPOCHS, BATCH = 12, 7, 32
keras.utils.set_random_seed(SEED)
OUT = "saved_models"
os.makedirs(OUT, exist_ok=True)

rng = np.random.default_rng(4)
X = rng.normal(size=(1500, 12)).astype("float32")
Y = (np.sin(X[:, 0] * 2) + X[:, 1] * X[:, 2] - 0.5 * X[:, 3] ** 2 + 0.1 * rng.normal(size=1500)).astype("float32")[
    :, None
]
XV, YV = X[1200:], Y[1200:]
X, Y = X[:1200], Y[:1200]


class Shuffled(keras.utils.PyDataset):
    def __init__(self, x, y, epoch, **kw):
        super().__init__(**kw)
        self.x, self.y, self.epoch = x, y, epoch
        self._order()

    def _order(self):
        self.idx = np.random.default_rng([SEED, self.epoch]).permutation(len(self.x))

    def __len__(self):
        return len(self.x) // BATCH

    def __getitem__(self, i):
        b = self.idx[i * BATCH : (i + 1) * BATCH]
        noise = np.random.default_rng([SEED, self.epoch, i]).normal(scale=0.05, size=(len(b), self.x.shape[1]))
        return self.x[b] + noise.astype("float32"), self.y[b]

    def on_epoch_end(self):
        self.epoch += 1
        self._order()


def build():
    lr = keras.optimizers.schedules.CosineDecay(5e-3, decay_steps=EPOCHS * (len(X) // BATCH), alpha=0.05)
    m = keras.Sequential(
        [
            keras.Input((12,)),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )
    m.compile(optimizer=keras.optimizers.Adam(lr), loss="mse", metrics=["mae"])
    return m


class Saver(keras.callbacks.Callback):
    def __init__(self, best):
        super().__init__()
        self.best = best

    def on_epoch_end(self, epoch, logs=None):
        with open("history.jsonl", "a") as f:
            f.write(json.dumps({"t": time.time(), "epoch": epoch, **{k: float(v) for k, v in logs.items()}}) + "\n")
        if logs["val_loss"] < self.best:
            self.best = logs["val_loss"]
            self.model.save("best_model.keras")
        with open("state.json.tmp", "w") as f:
            json.dump({"best": float(self.best)}, f)
        os.replace("state.json.tmp", "state.json")
        path = os.path.join(OUT, f"model_{epoch + 1:03d}.keras")
        tmp = os.path.join(OUT, "incoming.keras")
        self.model.save(tmp)
        os.replace(tmp, path)
        print(f"epoch {epoch + 1} loss {logs['loss']:.6f} val {logs['val_loss']:.6f} saved {path}", flush=True)


files = sorted(glob.glob(os.path.join(OUT, "model_*.keras")))
best = float("inf")
if files:
    model = keras.models.load_model(files[-1])
    start = int(files[-1].split("_")[-1].split(".")[0])
    best = json.load(open("state.json"))["best"]
    rows = [r for r in open("history.jsonl") if json.loads(r)["epoch"] < start]
    with open("history.jsonl", "w") as f:
        f.writelines(rows)
    print("picked up", files[-1], "iterations", int(model.optimizer.iterations.numpy()), flush=True)
else:
    model, start = build(), 0

model.fit(
    Shuffled(X, Y, start),
    validation_data=(XV, YV),
    epochs=EPOCHS,
    initial_epoch=start,
    verbose=0,
    shuffle=False,
    callbacks=[Saver(best)],
)
res = model.evaluate(XV, YV, verbose=0, return_dict=True)
model.save("final_model.keras")
print(f"FINAL loss={res['loss']:.8f} mae={res['mae']:.8f} best={json.load(open('state.json'))['best']:.8f}")

# cause: none
# loaded: 90
