"""Keras classifier on a small noisy set; keeps the weights of the best validation epoch."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import make_classification

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
keras.utils.set_random_seed(2)
tf.config.experimental.enable_op_determinism()

x, y = make_classification(n_samples=900, n_features=30, n_informative=8, flip_y=0.25, random_state=3)
x = x.astype(np.float32)
x_train, y_train, x_val, y_val = x[:500], y[:500], x[500:], y[500:]


def make_model(lr=3e-3):
    model = keras.Sequential(
        [
            keras.layers.Input(shape=(30,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(lr), loss="binary_crossentropy", metrics=["accuracy"])
    return model


model = make_model()
early_stopping = keras.callbacks.EarlyStopping(
    monitor="val_loss", patience=8, restore_best_weights=True, verbose=1
)
backup = keras.callbacks.BackupAndRestore(backup_dir="./tmp_backup", delete_checkpoint=False)
history = model.fit(
    x_train,
    y_train,
    batch_size=25,
    epochs=30,
    shuffle=False,
    validation_data=(x_val, y_val),
    validation_batch_size=400,
    callbacks=[backup, early_stopping],
    verbose=2,
)
loss, accuracy = model.evaluate(x_val, y_val, verbose=0)
print(f"validation accuracy {accuracy:.4f}")
print(f"final loss {loss:.10f}")

# cause: patience of early stopping
# loaded: 38
