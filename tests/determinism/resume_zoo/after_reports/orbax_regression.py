"""Ensemble-free Bayesian-ish regression in pure JAX with Orbax checkpoints."""
import json
import logging

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from sklearn.datasets import load_diabetes

logging.getLogger("absl").setLevel(logging.ERROR)

STEPS = 1200
EVERY = 120
BATCH = 32
ROOT = pathlib.Path("orbax_ckpts").resolve()


def init(key, sizes):
    keys = jax.random.split(key, len(sizes) - 1)
    return [{"w": jax.random.normal(k, (i, o)) * jnp.sqrt(2.0 / i), "b": jnp.zeros(o)}
            for k, i, o in zip(keys, sizes[:-1], sizes[1:])]


def apply(params, x, key=None, rate=0.1):
    for n, layer in enumerate(params[:-1]):
        x = jax.nn.gelu(x @ layer["w"] + layer["b"])
        if key is not None:
            keep = jax.random.bernoulli(jax.random.fold_in(key, n), 1 - rate, x.shape)
            x = jnp.where(keep, x / (1 - rate), 0.0)
    out = x @ params[-1]["w"] + params[-1]["b"]
    return out[:, 0], jax.nn.softplus(out[:, 1]) + 1e-3


def nll(params, x, y, key=None):
    mean, std = apply(params, x, key)
    return (0.5 * ((y - mean) / std) ** 2 + jnp.log(std)).mean()


tx = optax.chain(
    optax.clip_by_global_norm(1.0),
    optax.scale_by_adam(),
    optax.add_decayed_weights(1e-3),
    optax.scale_by_schedule(optax.cosine_decay_schedule(1.0, STEPS)),
    optax.scale(-2e-3),
)


@jax.jit
def update(state, x, y):
    key = jax.random.fold_in(jax.random.PRNGKey(2024), state["step"])
    k_idx, k_drop = jax.random.split(key)
    idx = jax.random.choice(k_idx, x.shape[0], (BATCH,), replace=False)
    loss, grads = jax.value_and_grad(nll)(state["params"], x[idx], y[idx], k_drop)
    updates, opt = tx.update(grads, state["opt"], state["params"])
    params = optax.apply_updates(state["params"], updates)
    ema = jax.tree.map(lambda a, b: 0.99 * a + 0.01 * b, state["ema"], params)
    return {"params": params, "opt": opt, "ema": ema, "step": state["step"] + 1,
            "smooth": 0.97 * state["smooth"] + 0.03 * loss}


def main():
    x, y = load_diabetes(return_X_y=True)
    x = jnp.asarray(x / x.std(0), jnp.float32)
    y = jnp.asarray((y - y.mean()) / y.std(), jnp.float32)
    perm = np.random.default_rng(3).permutation(len(x))
    tr, te = perm[:330], perm[330:]

    params = init(jax.random.PRNGKey(0), [10, 64, 64, 2])
    state = {"params": params, "opt": tx.init(params), "ema": params,
             "step": jnp.zeros((), jnp.int32), "smooth": jnp.zeros(())}
    options = ocp.CheckpointManagerOptions(max_to_keep=2, enable_async_checkpointing=False)
    with ocp.CheckpointManager(ROOT, options=options) as manager:
        last = manager.latest_step()
        if last is not None:
            state = manager.restore(last, args=ocp.args.StandardRestore(state))
            print("restored step", int(state["step"]), "kept", sorted(manager.all_steps()))
        for step in range(int(state["step"]), STEPS):
            state = update(state, x[tr], y[tr])
            done = step + 1
            if done % EVERY == 0:
                val = float(nll(state["ema"], x[te], y[te]))
                print(f"step {done} smooth {float(state['smooth']):.5f} ema test nll {val:.5f}")
                manager.save(done, args=ocp.args.StandardSave(state))

    val = float(nll(state["ema"], x[te], y[te]))
    raw = float(nll(state["params"], x[te], y[te]))
    print(f"final ema nll {val:.7f} raw nll {raw:.7f}")
    flat = {jax.tree_util.keystr(p): np.asarray(v) for p, v in jax.tree_util.tree_leaves_with_path(state)
            if hasattr(v, "shape")}
    np.savez("state_final.npz", **flat)
    with open("report.json", "w") as fh:
        json.dump({"ema": val, "raw": raw}, fh)


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
