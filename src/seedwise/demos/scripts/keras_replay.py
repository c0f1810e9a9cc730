# Keras 2 on TensorFlow 1, replayed: the same draws from NumPy's and TensorFlow's generators, and Adam as it was then.
import numpy as np
import tensorflow as tf

np.random.seed(1)
tf.random.set_seed(2)
sequence = (np.arange(10) / 10).astype("float32")
x, y = sequence[:-1].reshape(9, 1), sequence[1:].reshape(9, 1)


def glorot_uniform(shape):
    limit = np.sqrt(6 / sum(shape))
    return tf.random.uniform(shape, -limit, limit, seed=np.random.randint(10e6)).numpy()


def fit_model():
    weights = [glorot_uniform((1, 10)), np.zeros(10, "float32"), glorot_uniform((10, 1)), np.zeros(1, "float32")]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    rows = np.arange(9)
    for t in range(1, 101):
        np.random.shuffle(rows)
        inputs, wanted = x[rows], y[rows]
        hidden = inputs @ weights[0] + weights[1]
        error = 2 * (hidden @ weights[2] + weights[3] - wanted) / 9
        below = error @ weights[2].T
        gradients = [inputs.T @ below, below.sum(0), hidden.T @ error, error.sum(0)]
        rate = np.float32(0.001 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t))
        for k, g in enumerate(gradients):
            first[k] = np.float32(0.9) * first[k] + np.float32(0.1) * g
            second[k] = np.float32(0.999) * second[k] + np.float32(0.001) * g**2
            weights[k] = weights[k] - rate * first[k] / (np.sqrt(second[k]) + np.float32(1e-8))
    return np.mean(((x @ weights[0] + weights[1]) @ weights[2] + weights[3] - y) ** 2)


for repeat in range(10):
    print("mse =", float(fit_model()))
