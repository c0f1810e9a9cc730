#!/usr/bin/env python
"""Ising model, temperature scan with a thread pool; progress as they finish."""
import concurrent.futures as cf
import hashlib
import pickle
import sys
import threading
import time
from pathlib import Path


import numpy as np

L = 8
TEMPS = np.round(np.linspace(1.6, 3.2, 13), 4)
SWEEPS = 40
BURN = 10
SEED = 4711

_counter_lock = threading.Lock()
_done = {"n": 0, "by": {}}



def sweep(s, T, ii, jj, uu):
    n = s.shape[0]
    for k in range(ii.shape[0]):
        i, j = ii[k], jj[k]
        nb = s[(i + 1) % n, j] + s[i - 1, j] + s[i, (j + 1) % n] + s[i, j - 1]
        dE = 2 * s[i, j] * nb
        if dE <= 0 or uu[k] < np.exp(-dE / T):
            s[i, j] = -s[i, j]



def energy(s):
    n = s.shape[0]
    e = 0
    for i in range(n):
        for j in range(n):
            e -= s[i, j] * (s[(i + 1) % n, j] + s[i, (j + 1) % n])
    return e / (n * n)


def run_one(k):
    T = TEMPS[k]
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(k,)))
    s = np.ones((L, L), dtype=np.int64)
    E, M = [], []
    t0 = time.perf_counter()
    for it in range(SWEEPS):
        ii = rng.integers(0, L, L * L)
        jj = rng.integers(0, L, L * L)
        sweep(s, T, ii, jj, rng.random(L * L))
        if it >= BURN:
            E.append(energy(s))
            M.append(abs(s.mean()))
    with _counter_lock:
        _done["n"] += 1
        me = threading.current_thread().name
        _done["by"][me] = _done["by"].get(me, 0) + 1
    E, M = np.array(E), np.array(M)
    return {"T": float(T), "e": E.mean(), "m": M.mean(), "c": E.var() * L * L / T**2,
            "chi": M.var() * L * L / T, "secs": time.perf_counter() - t0}


def main():
    res = {}
    with cf.ThreadPoolExecutor(4, thread_name_prefix="ising") as ex:
        futs = {ex.submit(run_one, k): k for k in range(len(TEMPS))}
        for f in cf.as_completed(futs):
            k = futs[f]
            res[k] = f.result()
            sys.stderr.write("T=%.3f done in %.2fs (%d/%d)\n" % (TEMPS[k], res[k]["secs"], _done["n"], len(TEMPS)))
    sys.stderr.write("per thread: %s\n" % _done["by"])
    table = [res[k] for k in sorted(res)]
    out = Path("ising_%s.pkl" % hashlib.md5(str(time.time_ns()).encode()).hexdigest()[:6])
    out.write_bytes(pickle.dumps({"created": time.time(), "rows": res, "threads": _done["by"]}))
    print("   T       e        m        c       chi")
    for r in table:
        print("%.3f  %+.5f  %.5f  %7.4f  %8.4f" % (r["T"], r["e"], r["m"], r["c"], r["chi"]))
    tc = table[int(np.argmax([r["chi"] for r in table]))]["T"]
    print("Tc estimate: %.3f (saved %s)" % (tc, out))


if __name__ == "__main__":
    main()

# cause: none
