import os

import jax
import jax.numpy as jnp
import numpy as np

X = jnp.asarray(np.random.default_rng(1).normal(size=(64, 4)))
target = X.sum(1)


@jax.jit
def update(w, x, y, key):
    noisy = x + 0.3 * jax.random.normal(key, x.shape)
    return w - 0.05 * jax.grad(lambda w: jnp.mean((noisy @ w - y) ** 2))(w)


rng = jax.random.PRNGKey(7)
w, start = jnp.zeros(4), 0
if os.path.exists("state.npz"):
    ck = np.load("state.npz")
    w, start = jnp.asarray(ck["w"]), int(ck["epoch"]) + 1
    rng = jnp.asarray(ck["rng"])
for epoch in range(start, 6):
    for k in range(4):
        rng, key = jax.random.split(rng)
        w = update(w, X[k * 16 : k * 16 + 16], target[k * 16 : k * 16 + 16], key)
    print(f"epoch {epoch} loss {float(jnp.mean((X @ w - target) ** 2)):.6f}")
    np.savez("tmp.npz", w=w, epoch=epoch, rng=rng)
    os.replace("tmp.npz", "state.npz")
