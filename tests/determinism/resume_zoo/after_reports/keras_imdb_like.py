"""Bag-of-words text classifier in Keras with per-epoch weight files."""
import glob
import os
import re

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch
from keras import layers

torch.set_num_threads(1)
keras.utils.set_random_seed(123)

VOCAB, LENGTH, EPOCHS = 500, 40, 5
CKPT_DIR = "training_1"


def make_reviews(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    shift = np.where(y[:, None] == 1, 1.15, 1.0)
    x = np.minimum((rng.exponential(90.0, (n, LENGTH)) * shift).astype("int32"), VOCAB - 1)
    return x, y.astype("float32")


def create_model():
    model = keras.Sequential([
        keras.Input((LENGTH,), dtype="int32"),
        layers.Embedding(VOCAB, 16),
        layers.GlobalAveragePooling1D(),
        layers.Dense(16, activation="relu"),
        layers.Dense(1),
    ])
    model.compile(
        optimizer=keras.optimizers.Adam(5e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
    return model


x_train, y_train = make_reviews(800, 0)
x_test, y_test = make_reviews(200, 1)
model = create_model()

initial_epoch = 0
files = sorted(glob.glob(os.path.join(CKPT_DIR, "cp-*.weights.h5")))
if files:
    model.load_weights(files[-1])
    initial_epoch = int(re.search(r"cp-(\d+)", files[-1]).group(1))
    print("loaded", files[-1])

cp_callback = keras.callbacks.ModelCheckpoint(
    filepath=os.path.join(CKPT_DIR, "cp-{epoch:04d}.weights.h5"), save_weights_only=True, verbose=1)
model.fit(
    x_train, y_train,
    batch_size=32,
    epochs=EPOCHS,
    initial_epoch=initial_epoch,
    shuffle=False,
    validation_data=(x_test, y_test),
    callbacks=[cp_callback],
    verbose=2,
)
loss, acc = model.evaluate(x_test, y_test, verbose=0)
print(f"final loss {loss:.10f}")

# cause: state of the optimizer (model.optimizer['iteration'] (50, resumed 0)
# loaded: 50
