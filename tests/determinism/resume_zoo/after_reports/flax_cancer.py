"""Flax classifier with input noise and dropout on the breast cancer data, msgpack checkpoints."""
import json
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import serialization
from flax.training.train_state import TrainState
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

SEED = 6
EPOCHS = 60
BATCH = 32
FILE = "flax_state.msgpack"
HISTORY = "history.jsonl"


class Net(nn.Module):
    width: int = 64

    @nn.compact
    def __call__(self, x, train):
        for _ in range(2):
            x = nn.relu(nn.Dense(self.width)(x))
            x = nn.Dropout(0.3, deterministic=not train)(x)
        return nn.Dense(1)(x)[:, 0]


@jax.jit
def train_step(state, key, x, y):
    k1, k2 = jax.random.split(key)

    def loss_fn(params):
        noisy = x + 0.1 * jax.random.normal(k1, x.shape)
        logit = state.apply_fn({"params": params}, noisy, True, rngs={"dropout": k2})
        return optax.sigmoid_binary_cross_entropy(logit, y).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


@jax.jit
def evaluate(state, x, y):
    logit = state.apply_fn({"params": state.params}, x, False)
    return optax.sigmoid_binary_cross_entropy(logit, y).mean(), ((logit > 0) == (y > 0.5)).mean()


def to_disk(bundle):
    with open(FILE + ".tmp", "wb") as f:
        f.write(serialization.to_bytes(bundle))
    os.replace(FILE + ".tmp", FILE)


def main():
    x, y = load_breast_cancer(return_X_y=True)
    x = StandardScaler().fit_transform(x).astype(np.float32)
    order = np.random.RandomState(SEED).permutation(len(x))
    x, y = x[order], y[order].astype(np.float32)
    xtr, ytr, xte, yte = x[:416], y[:416], x[416:], y[416:]

    net = Net()
    key, init_key = jax.random.split(jax.random.PRNGKey(SEED))
    params = net.init(init_key, xtr[:1], False)["params"]
    tx = optax.adamw(optax.cosine_decay_schedule(2e-3, EPOCHS * (len(xtr) // BATCH)), weight_decay=1e-3)
    state = TrainState.create(apply_fn=net.apply, params=params, tx=tx)
    epoch = 0
    if os.path.exists(FILE):
        with open(FILE, "rb") as f:
            bundle = serialization.from_bytes({"state": state, "key": key, "epoch": 0}, f.read())
        state, key, epoch = bundle["state"], jnp.asarray(bundle["key"]), int(bundle["epoch"])
        with open(HISTORY) as f:
            kept = f.readlines()[:epoch]
        with open(HISTORY, "w") as f:
            f.writelines(kept)
        print(f"restored state of epoch {epoch}", flush=True)
    else:
        open(HISTORY, "w").close()

    while epoch < EPOCHS:
        bundle = {"key": key, "epoch": epoch + 1}
        key, shuffle_key, step_key = jax.random.split(key, 3)
        perm = np.asarray(jax.random.permutation(shuffle_key, len(xtr)))
        losses = []
        for n, i in enumerate(range(0, len(perm), BATCH)):
            idx = perm[i:i + BATCH]
            state, loss = train_step(state, jax.random.fold_in(step_key, n), xtr[idx], ytr[idx])
            losses.append(float(loss))
        val, acc = evaluate(state, xte, yte)
        with open(HISTORY, "a") as f:
            f.write(json.dumps({"epoch": epoch, "loss": float(np.mean(losses)), "val": float(val)}) + "\n")
        print(f"epoch {epoch} loss {np.mean(losses):.6f} val {float(val):.6f} acc {float(acc):.4f}", flush=True)
        epoch += 1
        if epoch % 3 == 0:
            bundle["state"] = state
            to_disk(bundle)

    with open(HISTORY) as f:
        rows = [json.loads(line) for line in f]
    norm = sum(float((np.asarray(v, np.float64) ** 2).sum()) for v in jax.tree.leaves(state.params))
    print(f"FINAL rows {len(rows)} loss {rows[-1]['loss']!r} val {rows[-1]['val']!r} acc {float(acc)!r} norm {norm!r}")


if __name__ == "__main__":
    main()

# cause: key of jax.random (key
# loaded: 74
