"""Custom TensorFlow loop with tf.train.CheckpointManager (after the TF checkpoint guide)."""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.experimental.enable_op_determinism()
keras.utils.set_random_seed(9)
TOTAL, EVERY = 400, 50


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(32, activation="tanh")
        self.norm = keras.layers.BatchNormalization()
        self.out = keras.layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.norm(self.hidden(x), training=training))


def toy_dataset():
    inputs = tf.random.stateless_uniform((600, 3), seed=(1, 2), minval=-2.0, maxval=2.0)
    labels = tf.sin(inputs[:, :1]) * inputs[:, 1:2] + 0.3 * inputs[:, 2:]
    return inputs, labels


inputs, labels = toy_dataset()
dataset = tf.data.Dataset.from_tensor_slices((inputs, labels)).repeat().shuffle(200, seed=4).batch(25)
iterator = iter(dataset)

net = Net()
net(inputs[:1])
opt = keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(5e-3, 100, 0.7))
opt.build(net.trainable_variables)
smooth = tf.Variable(0.0)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(net(x, training=True) - y))
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))
    smooth.assign(0.95 * smooth + 0.05 * loss)
    return loss


ckpt = tf.train.Checkpoint(step=tf.Variable(0), optimizer=opt, net=net, iterator=iterator, smooth=smooth)
manager = tf.train.CheckpointManager(ckpt, "./tf_ckpts", max_to_keep=3)
ckpt.restore(manager.latest_checkpoint)
if manager.latest_checkpoint:
    print("Restored from", manager.latest_checkpoint)
else:
    print("Initializing from scratch.")

while int(ckpt.step) < TOTAL:
    loss = train_step(*next(iterator))
    ckpt.step.assign_add(1)
    if int(ckpt.step) % EVERY == 0:
        save_path = manager.save()
        print(f"Saved checkpoint for step {int(ckpt.step)}: {save_path}  loss {float(loss):.4f}")

final = tf.reduce_mean(tf.square(net(inputs, training=False) - labels))
print("smoothed loss", float(smooth))
print(f"final loss {float(final):.10f}")

# cause: none
# loaded: 55
