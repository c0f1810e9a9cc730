"""Feature extraction cached with joblib.Memory, repeats over a process/thread pool."""

import hashlib
import pickle
import shutil
import tempfile
import time
import tracemalloc
from datetime import date, datetime
from pathlib import Path

import numpy as np
from joblib import Memory, Parallel, delayed

CACHE = Path(tempfile.mkdtemp(prefix=f"feat-{date.today():%Y%m%d}-"))
memory = Memory(CACHE, verbose=0)


@memory.cache
def features(signal_seed, n=96, length=4096):
    rng = np.random.default_rng(signal_seed)
    lab = rng.integers(0, 2, n)
    t = np.arange(length) / length
    sig = rng.normal(0, 1.0, (n, length)) + np.where(lab[:, None] == 1, np.sin(2 * np.pi * 17 * t), 0) * 0.06
    spec = np.abs(np.fft.rfft(sig))[:, :40]
    return {"x": np.log(spec + 1e-3), "y": lab, "computed_at": datetime.now()}


class TtlCache(dict):
    """small in-memory cache, values carry the time they were put in"""

    def __init__(self, ttl=3600):
        super().__init__()
        self.ttl, self.hits, self.misses = ttl, 0, 0

    def get_or(self, key, fn):
        hit = self.get(key)
        if hit is not None and time.time() - hit[0] < self.ttl:
            self.hits += 1
            return hit[1]
        self.misses += 1
        val = fn()
        self[key] = (time.time(), val)
        return val


def nearest_centroid(tr, te):
    c = np.stack([tr["x"][tr["y"] == k].mean(0) for k in (0, 1)])
    d = ((te["x"][:, None] - c[None]) ** 2).sum(-1)
    return float((d.argmin(1) == te["y"]).mean())


def one_repeat(rep, ttl):
    tic = time.perf_counter()
    tr = ttl.get_or(("train", rep % 5), lambda: features(1000 + rep % 5))
    te = ttl.get_or(("test", rep), lambda: features(2000 + rep))
    acc = nearest_centroid(tr, te)
    ms = (time.perf_counter() - tic) * 1000
    print(f"[{datetime.now():%H:%M:%S.%f}] rep={rep:02d} acc={acc:.4f} {ms:7.2f}ms", flush=True)
    return rep, acc


def main():
    tracemalloc.start()
    ttl = TtlCache()
    try:
        out = Parallel(n_jobs=2, backend="threading", verbose=5)(delayed(one_repeat)(r, ttl) for r in range(20))
        again = Parallel(n_jobs=2, backend="threading")(delayed(one_repeat)(r, ttl) for r in range(20))
    finally:
        n_files = sum(1 for _ in CACHE.rglob("*.pkl"))
        shutil.rmtree(CACHE, ignore_errors=True)
    assert out == again
    accs = np.array([a for _, a in out])
    cur, peak = tracemalloc.get_traced_memory()
    print(
        f"mem cur={cur / 1e6:.2f}MB peak={peak / 1e6:.2f}MB, cache hits={ttl.hits} misses={ttl.misses}, files={n_files}"
    )
    digest = hashlib.sha256(accs.tobytes()).hexdigest()
    print("accuracy %.5f +/- %.5f  sha256=%s" % (accs.mean(), accs.std(), digest[:16]))
    with open("summary.pkl", "wb") as f:
        pickle.dump({"acc": accs, "created": datetime.now(), "host_cache": str(CACHE)}, f)


if __name__ == "__main__":
    main()

# cause: none
