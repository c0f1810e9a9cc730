"""Keras: the whole model is saved after every epoch and loaded again when there is one."""
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
keras.utils.set_random_seed(40)
tf.config.experimental.enable_op_determinism()
EPOCHS, DIR = 8, "saved"
MODEL, STATE = os.path.join(DIR, "model-{:03d}.keras"), os.path.join(DIR, "state.json")


def new_model():
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(12, 3, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10),
    ])
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def main():
    os.makedirs(DIR, exist_ok=True)
    d = load_digits()
    x, y = (d.images[..., None] / 16).astype("float32"), d.target.astype("int64")
    x_val, y_val = x[1400:], y[1400:]
    if os.path.exists(STATE):
        with open(STATE) as f:
            state = json.load(f)
        model = keras.models.load_model(MODEL.format(state["epoch"]))
        print(f"loaded the model of epoch {state['epoch']}")
    else:
        state = {"epoch": 0, "best": None, "wait": 0}
        model = new_model()

    for epoch in range(state["epoch"], EPOCHS):
        rng = np.random.default_rng([40, epoch])
        order = rng.permutation(1400)
        noisy = x[order] + rng.normal(0, 0.1, x[order].shape).astype("float32")
        model.fit(noisy, y[order], batch_size=40, epochs=epoch + 1, initial_epoch=epoch, shuffle=False, verbose=0)
        val = float(model.evaluate(x_val, y_val, batch_size=397, verbose=0))
        if state["best"] is None or val < state["best"]:
            state["best"], state["wait"] = val, 0
        else:
            state["wait"] += 1
            if state["wait"] >= 2:
                model.optimizer.learning_rate = float(model.optimizer.learning_rate) * 0.5
                state["wait"] = 0
        print(f"epoch {epoch + 1} val {val:.4f} lr {float(model.optimizer.learning_rate):.4f} wait {state['wait']}")
        state["epoch"] = epoch + 1
        model.save(MODEL.format(epoch + 1))
        with open(STATE + ".tmp", "w") as f:
            json.dump(state, f)
        os.replace(STATE + ".tmp", STATE)
    print(f"final loss {model.evaluate(x_val, y_val, batch_size=397, verbose=0):.10f}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 43
