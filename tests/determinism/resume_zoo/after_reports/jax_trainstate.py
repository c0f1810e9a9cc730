"""JAX + optax: autoencoder with dropout and input noise, TrainState pickled every 20 steps, newest three kept."""

import os
import pickle
import re
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits

SEED, STEPS, BATCH, EVERY = 77, 220, 64, 20
WORKDIR = "trainstate"

images = (load_digits().data / 16.0).astype("float32")
train, test = images[:1500], images[1500:]


def init(key, sizes=(64, 160, 16, 160, 64)):
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


tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(optax.warmup_cosine_decay_schedule(0.0, 3e-3, 40, STEPS)))


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


def save(ts):
    path = f"{WORKDIR}/ts_{ts['step']:05d}.pkl"
    with open(path + ".tmp", "wb") as f:
        pickle.dump(jax.device_get(ts), f)
    os.replace(path + ".tmp", path)
    print(f"{time.time():.1f} saved {path}", flush=True)
    for n in listing()[:-3]:
        os.remove(f"{WORKDIR}/{n}")


def listing():
    return sorted(n for n in os.listdir(WORKDIR) if re.fullmatch(r"ts_\d+\.pkl", n))


os.makedirs(WORKDIR, exist_ok=True)
if listing():
    with open(f"{WORKDIR}/{listing()[-1]}", "rb") as f:
        ts = pickle.load(f)
    print(f"restored step {ts['step']}", flush=True)
else:
    key, init_key = jax.random.split(jax.random.PRNGKey(SEED))
    params = init(init_key)
    ts = {
        "step": 0,
        "params": params,
        "opt_state": tx.init(params),
        "key": key,
        "order": np.random.default_rng(SEED),
        "curve": [],
    }

while ts["step"] < STEPS:
    ts["key"], sub = jax.random.split(ts["key"])
    rows = ts["order"].choice(len(train), BATCH, replace=False)
    ts["params"], ts["opt_state"], loss = update(ts["params"], ts["opt_state"], train[rows], sub)
    ts["step"] += 1
    if ts["step"] % EVERY == 0:
        ts["curve"].append((float(loss), float(evaluate(ts["params"]))))
        print(f"step {ts['step']} train {ts['curve'][-1][0]:.6f} test {ts['curve'][-1][1]:.6f}")
        save(ts)
        time.sleep(0.1)

params = ts["params"]
np.savez("params_final.npz", *[np.asarray(v) for p in params for v in (p["w"], p["b"])])
w = sum(float(np.abs(np.asarray(p["w"], np.float64)).sum()) for p in params)
print(f"FINAL test_mse={ts['curve'][-1][1]:.9f} points={len(ts['curve'])} weight_sum={w:.8f}")

# cause: none
# loaded: 73
