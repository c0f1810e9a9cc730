"""Keras classifier on wine, protected with BackupAndRestore."""
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

EPOCHS = 14
BATCH = 8

keras.utils.set_random_seed(33)


class Rows(keras.utils.PyDataset):
    """Batches in an order that depends on the epoch, with jittered copies."""

    def __init__(self, x, y, **kwargs):
        super().__init__(workers=1, **kwargs)
        self.x, self.y = x, y
        self.set_epoch(0)

    def set_epoch(self, epoch):
        self.epoch = epoch
        self.order = np.random.RandomState(100 + epoch).permutation(len(self.x))

    def __len__(self):
        return int(np.ceil(len(self.x) / BATCH))

    def __getitem__(self, i):
        idx = self.order[i * BATCH:(i + 1) * BATCH]
        r = np.random.RandomState([self.epoch, i])
        return self.x[idx] + r.normal(0, 0.1, (len(idx), self.x.shape[1])).astype("float32"), self.y[idx]


class Epochs(keras.callbacks.Callback):
    def __init__(self, rows, path):
        super().__init__()
        self.rows, self.path = rows, path

    def on_epoch_begin(self, epoch, logs=None):
        self.rows.set_epoch(epoch)
        for n, layer in enumerate(self.model.layers):
            if hasattr(layer, "seed_generator"):
                layer.seed_generator.state.assign([1000 + epoch, n])
        self.t0 = time.time()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch, "seconds": round(time.time() - self.t0, 3), **{k: float(v) for k, v in logs.items()}}
        print(f"epoch {epoch:2d} " + " ".join(f"{k} {v:.5f}" for k, v in logs.items()))
        with open(self.path, "a") as fh:
            fh.write(json.dumps(row) + "\n")


def schedule(epoch, lr):
    return 0.01 * (1 + np.cos(np.pi * epoch / EPOCHS)) / 2 + 1e-4


def build(dim):
    model = keras.Sequential([
        layers.Input((dim,)),
        layers.Dense(32, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.3),
        layers.Dense(16, activation="relu"),
        layers.GaussianNoise(0.05),
        layers.Dense(3, activation="softmax"),
    ])
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main():
    x, y = load_wine(return_X_y=True)
    x = ((x - x.mean(0)) / x.std(0)).astype("float32")
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, random_state=1, stratify=y)
    rows = Rows(x_tr, y_tr)
    model = build(x.shape[1])
    callbacks = [
        Epochs(rows, "wine_epochs.jsonl"),
        keras.callbacks.LearningRateScheduler(schedule),
        keras.callbacks.BackupAndRestore("wine_backup", save_freq="epoch", delete_checkpoint=False),
    ]
    if os.path.isdir("wine_backup"):
        print("backup present:", sorted(os.listdir("wine_backup")))
    model.fit(rows, epochs=EPOCHS, validation_data=(x_te, y_te), shuffle=False, verbose=0, callbacks=callbacks)

    loss, acc = model.evaluate(x_te, y_te, verbose=0)
    print(f"final loss {loss:.7f} acc {acc:.5f}")
    np.savez("wine_weights.npz", **{f"w{i}": w for i, w in enumerate(model.get_weights())})
    with open("wine_result.json", "w") as fh:
        json.dump({"loss": float(loss), "acc": float(acc)}, fh)


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
