"""A loop of one's own in TensorFlow: initial weights, `tf.data` order and dropout follow the global seed."""

import tensorflow as tf
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

tf.random.set_seed(42)  # seed site
x, y = load_breast_cancer(return_X_y=True)
x, y = scale(x).astype("float32"), y.astype("float32")[:, None]
batches = tf.data.Dataset.from_tensor_slices((x[:400], y[:400])).shuffle(400).batch(32)

w1, w2 = tf.Variable(tf.random.normal((30, 16), stddev=0.2)), tf.Variable(tf.random.normal((16, 1), stddev=0.2))


def logits(inputs, training):
    hidden = tf.nn.relu(inputs @ w1)
    return (tf.nn.dropout(hidden, 0.2) if training else hidden) @ w2


for epoch in range(5):
    for inputs, wanted in batches:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits(inputs, True)))
        for weight, gradient in zip([w1, w2], tape.gradient(loss, [w1, w2])):
            weight.assign_sub(0.1 * gradient)

accuracy = tf.reduce_mean(tf.cast((logits(x[400:], False) > 0) == (y[400:] > 0.5), tf.float32))
print(f"loss = {float(loss):.6f} | acc = {float(accuracy):.4f}")
