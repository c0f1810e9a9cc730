"""American put by Longstaff-Schwartz.  Paths go to HDF5, exercise table to parquet."""
import getpass
import hashlib
import os
import secrets
import subprocess
import sys
import time

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

S0, K, R, SIGMA, T, STEPS, PATHS = 36.0, 40.0, 0.06, 0.2, 1.0, 50, 120_000


def describe():
    try:
        return subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "v0.3-%d-g%s-dirty" % (int(time.time()) % 1000, secrets.token_hex(4))


def environment():
    return {
        "argv": list(sys.argv),
        "cwd": os.getcwd(),
        "user": getpass.getuser() if os.environ.get("USER") else os.getuid(),
        "ppid": os.getppid(),
        "flags": str(sys.flags),
        "hash_of_empty_name": hash("lsm"),
        "modules": len(sys.modules),
        "env": {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "SHLVL", "_", "PWD"}},
        "version": describe(),
        "boot_to_now_s": time.clock_gettime(time.CLOCK_BOOTTIME),
    }


def simulate(rng):
    dt = T / STEPS
    z = rng.standard_normal((PATHS // 2, STEPS))
    z = np.concatenate([z, -z])
    inc = (R - 0.5 * SIGMA**2) * dt + SIGMA * np.sqrt(dt) * z
    return S0 * np.exp(np.cumsum(inc, axis=1))


def lsm(paths):
    dt = T / STEPS
    disc = np.exp(-R * dt)
    cash = np.maximum(K - paths[:, -1], 0)
    when = np.full(PATHS, STEPS)
    table = []
    for j in range(STEPS - 2, -1, -1):
        cash *= disc
        s = paths[:, j]
        itm = s < K
        x = s[itm] / K
        beta = np.polynomial.laguerre.lagfit(x, cash[itm], 3)
        cont = np.polynomial.laguerre.lagval(x, beta)
        ex = (K - s[itm]) > cont
        idx = np.flatnonzero(itm)[ex]
        cash[idx] = K - s[idx]
        when[idx] = j + 1
        table.append({"step": j + 1, "exercised": int(ex.sum()), **{f"b{i}": b for i, b in enumerate(beta)},
                      "clock_ns": time.perf_counter_ns(), "stamp": pd.Timestamp.now()})
    cash *= disc
    return cash, when, pd.DataFrame(table)


tick = time.time()
paths = simulate(np.random.default_rng(8_675_309))
cash, when, table = lsm(paths)
price, err = cash.mean(), cash.std(ddof=1) / np.sqrt(PATHS)

tag = secrets.token_urlsafe(6).replace("-", "x")
with h5py.File(f"paths_{tag}.h5", "w", track_order=True) as h:
    d = h.create_dataset("cash", data=cash, compression="gzip", track_times=True)
    d.attrs["created"] = time.ctime()
    h.create_dataset("when", data=when, track_times=True)
    h.create_dataset("sample", data=paths[:500], chunks=True, track_times=True)
    h.attrs.update({"price": price, "tag": tag, "pid": os.getpid()})
t = pa.Table.from_pandas(table, preserve_index=False)
t = t.replace_schema_metadata({**(t.schema.metadata or {}), b"written": repr(time.time()).encode(), b"tag": tag.encode()})
pq.write_table(t, f"exercise_{int(tick * 1e3)}.parquet")
with open("run.yaml", "w") as fh:
    print({"price": float(price), "stderr": float(err), "mean_exercise_step": float(when.mean()),
                    "fortnights": (time.time() - tick) / 1209600, "env": environment()}, file=fh)
digest = hashlib.md5(open(f"paths_{tag}.h5", "rb").read()).hexdigest()
print(f"{tag}: h5 md5 {digest}, done after {(time.time() - tick) / 86.4:.6f} millidays")
print(f"price {price:.10f}  stderr {err:.10f}  mean exercise step {when.mean():.6f}")
