"""Flax (linen) MLP with dropout and input corruption on digits."""
import os
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax import serialization
from flax.training import train_state
from sklearn.datasets import load_digits

SEED = 40
EPOCHS = 30
BATCH = 64
CKPT = "flax_digits.msgpack"


class MLP(nn.Module):
    width: int = 128

    @nn.compact
    def __call__(self, x, train: bool):
        for _ in range(2):
            x = nn.Dense(self.width)(x)
            x = nn.LayerNorm()(x)
            x = nn.relu(x)
            x = nn.Dropout(0.2, deterministic=not train)(x)
        return nn.Dense(10)(x)


def load():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0 - 0.5).astype(np.float32)
    perm = np.random.default_rng(0).permutation(len(x))
    x, y = x[perm], y[perm]
    return (x[:1280], y[:1280]), (x[1280:], y[1280:])


@jax.jit
def train_step(state, xb, yb, key):
    k_noise, k_drop = jax.random.split(key)

    def loss_fn(params):
        noisy = xb + 0.1 * jax.random.normal(k_noise, xb.shape)
        logits = state.apply_fn({"params": params}, noisy, train=True, rngs={"dropout": k_drop})
        return optax.softmax_cross_entropy_with_integer_labels(logits, yb).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


@jax.jit
def eval_step(state, x, y):
    logits = state.apply_fn({"params": state.params}, x, train=False)
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
    return loss, (logits.argmax(-1) == y).mean()


def create_state(key):
    model = MLP()
    params = model.init(key, jnp.zeros((1, 64)), train=False)["params"]
    sched = optax.warmup_cosine_decay_schedule(0.0, 3e-3, 40, EPOCHS * 20)
    tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(sched, weight_decay=1e-3))
    return train_state.TrainState.create(apply_fn=model.apply, params=params, tx=tx)


def save(path, state, epoch, history):
    payload = {"state": serialization.to_state_dict(state), "epoch": epoch,
               "history": {str(i): h for i, h in enumerate(history)}}
    with open(path + ".tmp", "wb") as fh:
        fh.write(serialization.msgpack_serialize(jax.device_get(payload)))
    os.replace(path + ".tmp", path)


def restore(path, state):
    with open(path, "rb") as fh:
        payload = serialization.msgpack_restore(fh.read())
    history = [payload["history"][str(i)] for i in range(len(payload["history"]))]
    return serialization.from_state_dict(state, payload["state"]), payload["epoch"], history


def main():
    (x_tr, y_tr), (x_te, y_te) = load()
    key, init_key = jax.random.split(jax.random.PRNGKey(SEED))
    state = create_state(init_key)
    epoch, history = 0, []
    if os.path.exists(CKPT):
        state, epoch, history = restore(CKPT, state)
        print(f"restored epoch {epoch}, step {int(state.step)}")

    while epoch < EPOCHS:
        order = np.random.default_rng([SEED, epoch]).permutation(len(x_tr))
        losses = []
        for i in range(0, len(order), BATCH):
            idx = order[i:i + BATCH]
            key, step_key = jax.random.split(key)
            state, loss = train_step(state, x_tr[idx], y_tr[idx], step_key)
            losses.append(loss)
        epoch += 1
        test_loss, acc = eval_step(state, x_te, y_te)
        history.append(float(test_loss))
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d} loss {float(jnp.stack(losses).mean()):.4f} "
                  f"test {float(test_loss):.4f} acc {float(acc):.4f}")
            save(CKPT, state, epoch, history)

    test_loss, acc = eval_step(state, x_te, y_te)
    print(f"final test_loss {float(test_loss):.7f} acc {float(acc):.5f}")
    with open("final_params.pkl", "wb") as fh:
        pickle.dump({"params": jax.device_get(state.params), "history": history}, fh)


if __name__ == "__main__":
    main()

# cause: key of jax.random (key
# loaded: 78
