"""JAX + optax: denoising MLP autoencoder on digits with dropout, pickled train state after each epoch."""

import os
import pickle
import re
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits

SEED, EPOCHS, BATCH = 2024, 15, 64
WORKDIR = "jax_run"

images = (load_digits().data / 16.0).astype("float32")
train, test = images[:1500], images[1500:]


def init(key, sizes=(64, 128, 24, 128, 64)):
    params = []
    for k, (i, o) in zip(jax.random.split(key, len(sizes) - 1), zip(sizes[:-1], sizes[1:])):
        params.append({"w": jax.random.normal(k, (i, o)) * np.sqrt(2 / i), "b": jnp.zeros(o)})
    return params


def forward(params, x, key=None, rate=0.1):
    for n, p in enumerate(params):
        x = x @ p["w"] + p["b"]
        if n < len(params) - 1:
            x = jax.nn.relu(x)
            if key is not None:
                key, sub = jax.random.split(key)
                x = x * jax.random.bernoulli(sub, 1 - rate, x.shape) / (1 - rate)
    return x


steps = EPOCHS * (len(train) // BATCH)
tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(optax.warmup_cosine_decay_schedule(0.0, 3e-3, 40, steps)))


@jax.jit
def update(params, opt_state, x, key):
    kn, kd = jax.random.split(key)
    noisy = x + 0.3 * jax.random.normal(kn, x.shape)
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((forward(p, noisy, kd) - x) ** 2))(params)
    upd, opt_state = tx.update(grads, opt_state, params)
    return optax.apply_updates(params, upd), opt_state, loss


@jax.jit
def evaluate(params):
    noisy = test + 0.3 * jax.random.normal(jax.random.PRNGKey(0), test.shape)
    return jnp.mean((forward(params, noisy) - test) ** 2)


def save(epoch, params, opt_state, log):
    path = f"{WORKDIR}/state_{epoch}.pkl"
    blob = {"epoch": epoch, "params": jax.device_get(params), "opt_state": jax.device_get(opt_state), "log": log}
    with open(path + ".tmp", "wb") as f:
        pickle.dump(blob, f)
        f.flush()
        os.fsync(f.fileno())
    os.replace(path + ".tmp", path)
    print(f"{time.time():.1f} saved {path}", flush=True)


def latest():
    nums = [int(m.group(1)) for m in (re.fullmatch(r"state_(\d+)\.pkl", n) for n in os.listdir(WORKDIR)) if m]
    return max(nums, default=None)


os.makedirs(WORKDIR, exist_ok=True)
rng = jax.random.PRNGKey(SEED)
rng, init_key = jax.random.split(rng)
params = init(init_key)
opt_state = tx.init(params)
epoch, log = 0, []
n = latest()
if n is not None:
    with open(f"{WORKDIR}/state_{n}.pkl", "rb") as f:
        blob = pickle.load(f)
    params, opt_state, log, epoch = blob["params"], blob["opt_state"], blob["log"], blob["epoch"]
    print(f"restored epoch {epoch}", flush=True)

while epoch < EPOCHS:
    perm = np.random.default_rng([SEED, epoch]).permutation(len(train))
    losses = []
    for i in range(0, len(perm) - BATCH + 1, BATCH):
        rng, key = jax.random.split(rng)
        params, opt_state, loss = update(params, opt_state, train[perm[i : i + BATCH]], key)
        losses.append(loss)
    epoch += 1
    log.append((float(np.mean(jax.device_get(losses))), float(evaluate(params))))
    print(f"epoch {epoch} train {log[-1][0]:.6f} test {log[-1][1]:.6f}")
    save(epoch, params, opt_state, log)
    time.sleep(0.05)

np.savez("params_final.npz", *[np.asarray(v) for p in params for v in (p["w"], p["b"])])
print(f"FINAL test_mse={log[-1][1]:.9f} best={min(t for _, t in log):.9f}")

# cause: key of jax.random (rng
# loaded: 82
