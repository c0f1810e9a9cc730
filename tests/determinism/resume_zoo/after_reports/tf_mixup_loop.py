"""Custom GradientTape loop in TensorFlow with mixup and tf.train.CheckpointManager."""
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

STEPS = 700
EVERY = 70
BATCH = 32
N_TRAIN = 1312

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def build():
    glorot = keras.initializers.GlorotUniform
    return keras.Sequential([
        keras.layers.Input((64,)),
        keras.layers.Dense(96, activation="relu", kernel_initializer=glorot(seed=1)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(10, kernel_initializer=glorot(seed=2)),
    ])


class Trainer(tf.Module):
    def __init__(self):
        super().__init__()
        self.model = build()
        self.lr = tf.Variable(2e-3, trainable=False)
        self.m = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.model.trainable_variables]
        self.v = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.model.trainable_variables]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.best = tf.Variable(np.inf, dtype=tf.float64, trainable=False)
        self.bad = tf.Variable(0, trainable=False)
        self.rng = tf.random.Generator.from_seed(321)

    @tf.function
    def train_step(self, x, y):
        lam = self.rng.uniform([len(x), 1], 0.7, 1.0)
        keep = tf.cast(self.rng.uniform(tf.shape(x)) > 0.1, tf.float32)
        mixed = (lam * x + (1 - lam) * tf.reverse(x, [0])) * keep
        target = lam * y + (1 - lam) * tf.reverse(y, [0])
        with tf.GradientTape() as tape:
            logits = self.model(mixed, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(target, logits))
        grads = tape.gradient(loss, self.model.trainable_variables)
        self.step.assign_add(1)
        t = tf.cast(self.step, tf.float32)
        for p, g, m, v in zip(self.model.trainable_variables, grads, self.m, self.v):
            m.assign(0.9 * m + 0.1 * g)
            v.assign(0.999 * v + 0.001 * tf.square(g))
            p.assign_sub(self.lr * (m / (1 - 0.9 ** t)) / (tf.sqrt(v / (1 - 0.999 ** t)) + 1e-7))
        return loss


def indices(step):
    per_epoch = N_TRAIN // BATCH
    epoch, k = divmod(step, per_epoch)
    order = np.random.RandomState(epoch).permutation(N_TRAIN)
    return order[k * BATCH:(k + 1) * BATCH]


def main():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype("float32")
    onehot = np.eye(10, dtype="float32")[y]
    tr = Trainer()
    weights = {f"w{i}": w for i, w in enumerate(tr.model.weights)}
    ckpt = tf.train.Checkpoint(trainer=tr, **{k: w.value for k, w in weights.items()})
    manager = tf.train.CheckpointManager(ckpt, "tf_ckpt", max_to_keep=2)
    if manager.latest_checkpoint:
        ckpt.restore(manager.latest_checkpoint)
        print("restored", os.path.basename(manager.latest_checkpoint), "step", int(tr.step))

    t0 = time.time()
    while int(tr.step) < STEPS:
        idx = indices(int(tr.step))
        loss = tr.train_step(tf.constant(x[idx]), tf.constant(onehot[idx]))
        step = int(tr.step)
        if step % EVERY == 0:
            logits = tr.model(x[N_TRAIN:], training=False)
            val = float(tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(onehot[N_TRAIN:], logits)))
            if val < float(tr.best) - 5e-3:
                tr.best.assign(val)
                tr.bad.assign(0)
            else:
                tr.bad.assign_add(1)
                if int(tr.bad) >= 2:
                    tr.lr.assign(tr.lr * 0.5)
                    tr.bad.assign(0)
            print(f"step {step} loss {float(loss):.4f} val {val:.5f} lr {float(tr.lr):.6f} {time.time() - t0:.1f}s")
            manager.save(checkpoint_number=step)

    logits = tr.model(x[N_TRAIN:], training=False).numpy()
    acc = float((logits.argmax(1) == y[N_TRAIN:]).mean())
    print(f"final acc {acc:.6f} best val {float(tr.best):.8f} lr {float(tr.lr):.7f}")
    np.savez("tf_final.npz", **{k: np.asarray(w) for k, w in weights.items()})
    with open("tf_result.json", "w") as fh:
        json.dump({"acc": acc, "best": float(tr.best)}, fh)


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
