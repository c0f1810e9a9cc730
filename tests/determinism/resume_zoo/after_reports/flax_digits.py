"""Flax: residual MLP with batch normalisation on digits, optax Lion, one msgpack file per epoch."""
import glob
import json
import os
import time
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import serialization
from flax.training import train_state
from sklearn.datasets import load_digits

SEED, EPOCHS, BATCH, KEEP = 23, 8, 64, 5
PEAK = 1e-3


class Block(nn.Module):
    width: int

    @nn.compact
    def __call__(self, x, train):
        h = nn.Dense(self.width, use_bias=False)(x)
        h = nn.BatchNorm(use_running_average=not train, momentum=0.98)(h)
        return x + nn.relu(h)


class Net(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        x = nn.Dense(48)(x)
        for _ in range(2):
            x = Block(48)(x, train)
        x = nn.Dropout(0.1, deterministic=not train)(x)
        return nn.Dense(10)(x)


class State(train_state.TrainState):
    batch_stats: Any


@jax.jit
def train_step(state, x, y, key):
    def loss_fn(params):
        out, new = state.apply_fn({"params": params, "batch_stats": state.batch_stats}, x, train=True,
                                  mutable=["batch_stats"], rngs={"dropout": key})
        return optax.softmax_cross_entropy_with_integer_labels(out, y).mean(), new

    (loss, new), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
    return state.apply_gradients(grads=grads).replace(batch_stats=new["batch_stats"]), loss


@jax.jit
def evaluate(state, x, y):
    out = state.apply_fn({"params": state.params, "batch_stats": state.batch_stats}, x, train=False)
    return optax.softmax_cross_entropy_with_integer_labels(out, y).mean(), (out.argmax(-1) == y).mean()


def main():
    data = load_digits()
    order = np.random.default_rng(4).permutation(len(data.data))
    x, y = (data.data[order] / 16).astype("float32"), data.target[order].astype("int32")
    tx, ty, vx, vy = x[:1280], y[:1280], x[1280:], y[1280:]

    model = Net()
    key = jax.random.PRNGKey(SEED)
    variables = model.init(key, tx[:2], train=False)
    total = EPOCHS * (len(tx) // BATCH)
    tx_opt = optax.chain(optax.clip_by_global_norm(1.0), optax.lion(optax.cosine_decay_schedule(PEAK, total)))
    state = State.create(apply_fn=model.apply, params=variables["params"], tx=tx_opt, batch_stats=variables["batch_stats"])

    epoch, best, history = 0, 0.0, []
    files = sorted(glob.glob("flax_*.msgpack"))
    if files:
        with open(files[-1], "rb") as fh:
            target = {"params": state.params, "opt_state": state.opt_state, "step": 0, "epoch": 0, "key": key, "best": 0.0,
                      "history": ""}
            blob = serialization.from_bytes(target, fh.read())
        state = state.replace(params=blob["params"], opt_state=blob["opt_state"], step=blob["step"])
        epoch, key, best = blob["epoch"] + 1, jnp.asarray(blob["key"]), blob["best"]
        history = json.loads(blob["history"])
        print("resumed from", files[-1])

    while epoch < EPOCHS:
        key, perm_key = jax.random.split(key)
        perm = np.asarray(jax.random.permutation(perm_key, len(tx)))
        losses = []
        for a in range(0, len(perm), BATCH):
            key, sub = jax.random.split(key)
            b = perm[a:a + BATCH]
            state, loss = train_step(state, tx[b], ty[b], sub)
            losses.append(float(loss))
        vl, acc = (float(v) for v in evaluate(state, vx, vy))
        best = max(best, acc)
        history.append([epoch, float(np.mean(losses)), vl, acc])
        print(f"{time.strftime('%T')} epoch {epoch} loss {np.mean(losses):.8f} val_loss {vl:.8f} val_acc {acc:.4f}")
        with open("history.json", "w") as fh:
            json.dump(history, fh)
        blob = {"params": state.params, "opt_state": state.opt_state, "step": int(state.step), "epoch": epoch, "key": key,
                "best": best, "history": json.dumps(history)}
        name = f"flax_{epoch:03d}.msgpack"
        with open(name + ".tmp", "wb") as fh:
            fh.write(serialization.to_bytes(blob))
        os.replace(name + ".tmp", name)
        for old in sorted(glob.glob("flax_*.msgpack"))[:-KEEP]:
            os.remove(old)
        epoch += 1

    ws = sum(float(np.asarray(v, dtype=np.float64).sum()) for v in jax.tree_util.tree_leaves(state.params))
    print(f"final val_loss {vl:.8f} val_acc {acc:.6f} best {best:.6f} weight_sum {ws:.10f}")


if __name__ == "__main__":
    main()


# cause: what an object has counted (state.batch_stats
# loaded: 78
