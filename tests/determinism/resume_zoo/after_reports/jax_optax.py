"""Plain JAX network with optax on the digits data, averaged parameters for evaluation."""
import glob
import os
import pickle

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.datasets import load_digits

SEED = 2024
STEPS = 900
EVERY = 60
BATCH = 64
DECAY = 0.99


def init_params(key, sizes=(64, 128, 64, 10)):
    params = []
    for k, (a, b) in zip(jax.random.split(key, len(sizes) - 1), zip(sizes[:-1], sizes[1:])):
        params.append({"w": jax.random.normal(k, (a, b)) * jnp.sqrt(2.0 / a), "b": jnp.zeros(b)})
    return params


def apply(params, x, key=None):
    for i, layer in enumerate(params[:-1]):
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
        if key is not None:
            keep = jax.random.bernoulli(jax.random.fold_in(key, i), 0.8, x.shape)
            x = jnp.where(keep, x / 0.8, 0.0)
    return x @ params[-1]["w"] + params[-1]["b"]


schedule = optax.warmup_cosine_decay_schedule(0.0, 4e-3, 100, STEPS, 1e-4)
tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=1e-3))


@jax.jit
def train_step(params, opt_state, ema, key, x, y):
    key, sub = jax.random.split(key)

    def loss_fn(p):
        return optax.softmax_cross_entropy_with_integer_labels(apply(p, x, sub), y).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt_state = tx.update(grads, opt_state, params)
    params = optax.apply_updates(params, updates)
    ema = jax.tree.map(lambda e, p: DECAY * e + (1 - DECAY) * p, ema, params)
    return params, opt_state, ema, key, loss


@jax.jit
def evaluate(params, x, y):
    logits = apply(params, x)
    return (optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(), (logits.argmax(1) == y).mean())


def write(step, carry, sampler, curve):
    blob = {"step": step, "leaves": [np.asarray(v) for v in jax.tree.leaves(carry)],
            "sampler": sampler.bit_generator.state, "curve": curve}
    name = f"jax_{step:06d}.pkl"
    with open("writing.tmp", "wb") as f:
        pickle.dump(blob, f)
    os.replace("writing.tmp", name)
    for old in sorted(glob.glob("jax_*.pkl"))[:-2]:
        os.remove(old)


def main():
    x, y = load_digits(return_X_y=True)
    x, y = (x / 16.0).astype(np.float32), y.astype(np.int32)
    xtr, ytr, xte, yte = x[:1300], y[:1300], x[1300:], y[1300:]
    key, sub = jax.random.split(jax.random.key(SEED))
    params = init_params(sub)
    carry = (params, tx.init(params), params, jax.random.key_data(key))
    sampler = np.random.Generator(np.random.PCG64(SEED))
    step, curve = 0, []

    saved = sorted(glob.glob("jax_*.pkl"))
    if saved:
        with open(saved[-1], "rb") as f:
            blob = pickle.load(f)
        carry = jax.tree.unflatten(jax.tree.structure(carry), [jnp.asarray(v) for v in blob["leaves"]])
        sampler.bit_generator.state = blob["sampler"]
        step, curve = blob["step"], blob["curve"]
        print(f"restored {saved[-1]}", flush=True)

    params, opt_state, ema, key = carry
    key = jax.random.wrap_key_data(key)
    while step < STEPS:
        idx = sampler.integers(0, len(xtr), BATCH)
        params, opt_state, ema, key, loss = train_step(params, opt_state, ema, key, xtr[idx], ytr[idx])
        step += 1
        if step % 20 == 0:
            vl, va = evaluate(ema, xte, yte)
            curve.append((step, float(loss), float(vl), float(va)))
            print(f"step {step} loss {float(loss):.6f} ema_val {float(vl):.6f} acc {float(va):.4f}", flush=True)
        if step % EVERY == 0:
            write(step, (params, opt_state, ema, jax.random.key_data(key)), sampler, curve)

    norm = [float(sum((np.asarray(v, np.float64) ** 2).sum() for v in jax.tree.leaves(t))) for t in (params, ema)]
    print(f"FINAL last {curve[-1]} points {len(curve)} norms {norm}")


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
