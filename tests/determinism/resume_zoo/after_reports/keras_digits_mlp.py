import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
keras.utils.set_random_seed(11)
tf.config.experimental.enable_op_determinism()

EPOCHS = 12
x, y = load_digits(return_X_y=True)
x = (x / 16.0).astype("float32")
x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, random_state=0)

train_ds = (
    tf.data.Dataset.from_tensor_slices((x_train, y_train))
    .shuffle(len(x_train), seed=5, reshuffle_each_iteration=False)
    .batch(32)
    .prefetch(2)
)
val_ds = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(128)


def build():
    inputs = keras.Input((64,))
    h = layers.Dense(128, activation="relu")(inputs)
    h = layers.BatchNormalization()(h)
    h = layers.Dense(64, activation="relu")(h)
    return keras.Model(inputs, layers.Dense(10)(h))


model = build()
steps = len(train_ds) * EPOCHS
lr = keras.optimizers.schedules.CosineDecay(2e-3, decay_steps=steps)
model.compile(
    optimizer=keras.optimizers.Adam(lr),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
backup = keras.callbacks.BackupAndRestore("backup", save_freq="epoch", delete_checkpoint=False)
model.fit(train_ds, validation_data=val_ds, epochs=EPOCHS, callbacks=[backup], verbose=2)
loss, acc = model.evaluate(val_ds, verbose=0)
print(f"final loss {loss:.10f}")

# cause: none
# loaded: 46
