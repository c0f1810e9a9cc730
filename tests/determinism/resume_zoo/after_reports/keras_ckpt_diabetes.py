"""Keras regression on diabetes with ModelCheckpoint every epoch."""
import glob
import json
import os
import re

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_diabetes

EPOCHS = 16
BATCH = 16
FOLDER = "ckpt"
STATE = "run_state.json"


def dataset():
    x, y = load_diabetes(return_X_y=True)
    x = (x / x.std(0)).astype("float32")
    y = ((y - y.mean()) / y.std()).astype("float32")
    perm = np.random.default_rng(7).permutation(len(x))
    x, y = x[perm], y[perm]
    return (x[:352], y[:352]), (x[352:], y[352:])


def build_model():
    init = lambda s: keras.initializers.HeNormal(seed=s)
    model = keras.Sequential([
        layers.Input((10,)),
        layers.Dense(64, activation="relu", kernel_initializer=init(1)),
        layers.Dense(64, activation="relu", kernel_initializer=init(2)),
        layers.Dense(1, kernel_initializer=init(3)),
    ])
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse", metrics=["mae"])
    return model


def newest():
    files = glob.glob(os.path.join(FOLDER, "e*.weights.h5"))
    if not files:
        return None, 0
    number = lambda p: int(re.search(r"e(\d+)\.", os.path.basename(p)).group(1))
    path = max(files, key=number)
    return path, number(path)


class KeepLast(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        files = sorted(glob.glob(os.path.join(FOLDER, "e*.weights.h5")))
        for path in files[:-3]:
            os.remove(path)


def read_curve(upto):
    if not os.path.exists(STATE):
        return []
    with open(STATE) as fh:
        return json.load(fh)[:upto]


def main():
    keras.utils.set_random_seed(4)
    os.makedirs(FOLDER, exist_ok=True)
    (x_tr, y_tr), (x_te, y_te) = dataset()
    model = build_model()
    path, start = newest()
    curve = read_curve(start)
    if path:
        model.load_weights(path)
        print("weights from", path, "- next epoch", start)

    callbacks = [
        keras.callbacks.ModelCheckpoint(os.path.join(FOLDER, "e{epoch:03d}.weights.h5"),
                                        save_weights_only=True, save_freq="epoch"),
        KeepLast(),
    ]
    for epoch in range(start, EPOCHS):
        model.optimizer.learning_rate = 1e-3 * 0.93 ** epoch
        order = np.random.default_rng([11, epoch]).permutation(len(x_tr))
        fit = model.fit(x_tr[order], y_tr[order], batch_size=BATCH, initial_epoch=epoch, epochs=epoch + 1,
                        shuffle=False, validation_data=(x_te, y_te), callbacks=callbacks, verbose=0)
        row = {k: float(v[0]) for k, v in fit.history.items()}
        curve.append(row)
        with open(STATE + ".tmp", "w") as fh:
            json.dump(curve, fh)
        os.replace(STATE + ".tmp", STATE)
        print(f"epoch {epoch:2d} loss {row['loss']:.5f} val_loss {row['val_loss']:.5f}")

    loss, mae = model.evaluate(x_te, y_te, verbose=0)
    print(f"final mse {loss:.7f} mae {mae:.7f}")
    np.savez("keras_final.npz", **{f"p{i}": w for i, w in enumerate(model.get_weights())})


if __name__ == "__main__":
    main()

# cause: state of the optimizer (model.optimizer['iteration']
# loaded: 71
