"""Keras conv net on digits, ModelCheckpoint every epoch."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import glob
import time

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(77)
EPOCHS, BATCH = 7, 32
WEIGHTS = "weights"

d = load_digits()
x = (d.images[..., None] / 16.0).astype("float32")
y = d.target.astype("int32")
x_train, y_train, x_val, y_val = x[:1280], y[:1280], x[1280:], y[1280:]


class Batches(keras.utils.PyDataset):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch
        self.reshuffle()

    def reshuffle(self):
        self.order = np.random.RandomState(500 + self.epoch).permutation(len(x_train))

    def __len__(self):
        return len(x_train) // BATCH

    def __getitem__(self, i):
        sel = self.order[i * BATCH : (i + 1) * BATCH]
        return x_train[sel], y_train[sel]

    def on_epoch_end(self):
        self.epoch += 1
        self.reshuffle()


def create_model():
    inp = keras.Input((8, 8, 1))
    h = layers.Conv2D(12, 3, padding="same", activation="relu")(inp)
    h = layers.MaxPooling2D()(h)
    h = layers.Conv2D(24, 3, padding="same")(h)
    h = layers.BatchNormalization()(h)
    h = layers.ReLU()(h)
    h = layers.GlobalAveragePooling2D()(h)
    return keras.Model(inp, layers.Dense(10)(h))


class Log(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.t = time.time()

    def on_epoch_end(self, epoch, logs=None):
        print(
            f"epoch {epoch + 1}/{EPOCHS} {time.time() - self.t:.1f}s "
            + " ".join(f"{k}={v:.6f}" for k, v in sorted(logs.items()))
            + f" saved {WEIGHTS}",
            flush=True,
        )


model = create_model()
model.compile(
    optimizer=keras.optimizers.Adam(3e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
start = 0
files = sorted(glob.glob(os.path.join(WEIGHTS, "cp-*.weights.h5")))
if files:
    model.load_weights(files[-1])
    start = int(os.path.basename(files[-1])[3:7])
    print("loaded", files[-1], "- continue with epoch", start + 1, flush=True)

model.fit(
    Batches(start),
    epochs=EPOCHS,
    initial_epoch=start,
    validation_data=(x_val, y_val),
    verbose=0,
    shuffle=False,
    callbacks=[
        keras.callbacks.ModelCheckpoint(os.path.join(WEIGHTS, "cp-{epoch:04d}.weights.h5"), save_weights_only=True),
        keras.callbacks.CSVLogger("training.csv", append=True),
        Log(),
    ],
)
loss, acc = model.evaluate(x_val, y_val, verbose=0)
model.save("final.keras")
print(f"FINAL val_loss={loss:.8f} val_acc={acc:.6f}")

# cause: state of the optimizer
# loaded: 79
