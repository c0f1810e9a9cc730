"""GRU forecasting noisy sines in plain JAX; pickled state, saved within the epoch as well."""
import os
import pickle
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

EPOCHS = 6
BATCH = 32
LEN = 40
HID = 24
EVERY = 35
FILES = ["gru_a.pkl", "gru_b.pkl"]


def series(n, seed):
    r = np.random.default_rng(seed)
    t = np.arange(LEN + 1)
    freq, phase = r.uniform(0.1, 0.5, (n, 1)), r.uniform(0, 6.28, (n, 1))
    return (np.sin(freq * t + phase) * r.uniform(0.5, 1.5, (n, 1)) + r.normal(0, 0.05, (n, LEN + 1))).astype(np.float32)


def init(key):
    a, b, c = jax.random.split(key, 3)
    s = 1 / np.sqrt(HID)
    return {"wx": jax.random.uniform(a, (1, 3 * HID), minval=-s, maxval=s),
            "wh": jax.random.uniform(b, (HID, 3 * HID), minval=-s, maxval=s),
            "bias": jnp.zeros(3 * HID), "out": jax.random.uniform(c, (HID, 1), minval=-s, maxval=s)}


def predict(p, x):
    def cell(h, xt):
        gx, gh = xt[:, None] @ p["wx"] + p["bias"], h @ p["wh"]
        r = jax.nn.sigmoid(gx[:, :HID] + gh[:, :HID])
        z = jax.nn.sigmoid(gx[:, HID:2 * HID] + gh[:, HID:2 * HID])
        n = jnp.tanh(gx[:, 2 * HID:] + r * gh[:, 2 * HID:])
        h = (1 - z) * n + z * h
        return h, (h @ p["out"])[:, 0]
    _, ys = jax.lax.scan(cell, jnp.zeros((x.shape[0], HID)), x.T)
    return ys.T


def mse(p, seq, noise):
    return jnp.mean((predict(p, seq[:, :-1] + noise) - seq[:, 1:]) ** 2)


@jax.jit
def step(p, mu, seq, key, lr):
    noise = 0.1 * jax.random.normal(key, (seq.shape[0], LEN))
    loss, g = jax.value_and_grad(mse)(p, seq, noise)
    mu = jax.tree.map(lambda m, d: 0.9 * m + d, mu, g)
    p = jax.tree.map(lambda w, m: w - lr * m, p, mu)
    return p, mu, loss


def write_state(slot, st):
    path = FILES[slot]
    with open(path + ".part", "wb") as fh:
        pickle.dump(jax.device_get(st), fh)
        fh.flush()
        os.fsync(fh.fileno())
    os.replace(path + ".part", path)


def read_state():
    found = []
    for slot, path in enumerate(FILES):
        if os.path.exists(path):
            with open(path, "rb") as fh:
                found.append((pickle.load(fh), slot))
    return max(found, key=lambda f: f[0]["updates"]) if found else (None, 1)


def main():
    train, test = series(1600, 1), series(200, 2)
    per_epoch = len(train) // BATCH
    key, sub = jax.random.split(jax.random.PRNGKey(77))
    params = init(sub)
    st = {"params": params, "mu": jax.tree.map(jnp.zeros_like, params), "key": key, "updates": 0, "epoch": 0,
          "batch": 0, "order": None, "order_rng": np.random.default_rng(55).bit_generator.state, "sum": 0.0,
          "curve": [], "lr": 0.05}
    old, slot = read_state()
    if old is not None:
        st = old
        print(f"read {FILES[slot]}: epoch {st['epoch']} batch {st['batch']}", file=sys.stderr)
    rng = np.random.default_rng()
    rng.bit_generator.state = st["order_rng"]
    t0 = time.time()
    while st["epoch"] < EPOCHS:
        if st["order"] is None:
            st["order"] = rng.permutation(len(train))
            st["order_rng"] = rng.bit_generator.state
        while st["batch"] < per_epoch:
            idx = st["order"][st["batch"] * BATCH:(st["batch"] + 1) * BATCH]
            st["key"], sub = jax.random.split(jnp.asarray(st["key"]))
            st["params"], st["mu"], loss = step(st["params"], st["mu"], train[idx], sub, st["lr"])
            st["sum"] += float(loss)
            st["batch"] += 1
            st["updates"] += 1
            if st["updates"] % EVERY == 0:
                slot = 1 - slot
                write_state(slot, st)
        test_mse = float(mse(st["params"], test, 0.0))
        st["curve"].append((st["sum"] / per_epoch, test_mse))
        print(f"epoch {st['epoch']} train {st['sum'] / per_epoch:.5f} test {test_mse:.5f} [{time.time() - t0:.1f}s]")
        if len(st["curve"]) > 1 and test_mse > 0.97 * st["curve"][-2][1]:
            st["lr"] *= 0.5
        st.update(epoch=st["epoch"] + 1, batch=0, order=None, sum=0.0)

    print(f"final test mse {st['curve'][-1][1]:.8f} lr {st['lr']}")
    with open("gru_final.pkl", "wb") as fh:
        pickle.dump({"params": jax.device_get(st["params"]), "curve": st["curve"]}, fh)


if __name__ == "__main__":
    main()

# cause: none
# loaded: 0
