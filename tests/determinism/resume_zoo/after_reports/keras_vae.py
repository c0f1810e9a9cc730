"""Variational auto-encoder on the digits in Keras."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tensorflow as tf
from keras import layers, ops
from sklearn.datasets import load_digits

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
keras.utils.set_random_seed(14)
tf.config.experimental.enable_op_determinism()
LATENT = 4
kl_weight = tf.Variable(0.0, trainable=False)


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc = layers.Dense(64, activation="relu")
        self.mean, self.log_var = layers.Dense(LATENT), layers.Dense(LATENT)
        self.dec = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(64, activation="sigmoid")])

    def call(self, x):
        h = self.enc(x)
        mean, log_var = self.mean(h), self.log_var(h)
        kl = -0.5 * ops.mean(ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=1))
        self.add_loss(kl_weight * kl)
        step = tf.cast(self.optimizer.iterations, tf.int32)
        eps = tf.random.stateless_normal(tf.shape(mean), seed=tf.stack([1337, step]))
        return self.dec(mean + ops.exp(0.5 * log_var) * eps)


class KLAnnealing(keras.callbacks.Callback):
    def __init__(self, weight, n_epochs):
        super().__init__()
        self.weight, self.n_epochs = weight, n_epochs

    def on_epoch_end(self, epoch, logs=None):
        self.weight.assign(tf.minimum(0.05, self.weight + 0.05 / self.n_epochs))


def main():
    x = (load_digits().data / 16.0).astype("float32")
    vae = VAE()
    vae.compile(optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy")
    vae(x[:1])
    callbacks = [
        keras.callbacks.BackupAndRestore("vae_backup", delete_checkpoint=False),
        KLAnnealing(kl_weight, n_epochs=8),
    ]
    hist = vae.fit(x, x, epochs=12, batch_size=64, shuffle=False, callbacks=callbacks, verbose=2)
    z = vae.mean(vae.enc(x))
    rec = keras.losses.binary_crossentropy(x, vae.dec(z))
    print(f"final loss {float(ops.mean(rec)):.10f}")


if __name__ == "__main__":
    main()

# cause: variable (
# loaded: 53
