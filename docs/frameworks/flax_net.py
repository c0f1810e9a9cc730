"""Flax and Optax: JAX has no global generator, each key starts from a number that is typed."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = x.astype("float32") / 16


class Net(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(64, 32, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.out = nnx.Linear(32, 10, rngs=rngs)

    def __call__(self, inputs):
        return self.out(self.dropout(nnx.relu(self.hidden(inputs))))


net = Net(nnx.Rngs(42))  # seed site
optimizer = nnx.Optimizer(net, optax.adam(1e-2), wrt=nnx.Param)
key = jax.random.PRNGKey(42)  # seed site


@nnx.jit
def step(net, optimizer, inputs, wanted):
    def loss_of(net):
        return optax.softmax_cross_entropy_with_integer_labels(net(inputs), wanted).mean()

    loss, gradient = nnx.value_and_grad(loss_of)(net)
    optimizer.update(net, gradient)
    return loss


for epoch in range(5):
    key, now = jax.random.split(key)
    order = np.asarray(jax.random.permutation(now, 1400))
    for part in np.split(order, 28):
        loss = step(net, optimizer, x[part], y[part])
net.eval()
accuracy = (jnp.argmax(net(x[1400:]), axis=1) == y[1400:]).mean()
print(f"loss = {float(loss):.6f} | acc = {float(accuracy):.4f}")
