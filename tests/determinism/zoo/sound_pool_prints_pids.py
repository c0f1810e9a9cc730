"""Bootstrap confidence intervals for a regression, spread over worker processes."""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.random import SeedSequence

N_JOBS = 2
N_CHUNKS = 12
REPS_PER_CHUNK = 900


@dataclass
class Chunk:
    index: int
    seed: SeedSequence
    reps: int = REPS_PER_CHUNK


@dataclass
class ChunkResult:
    index: int
    coefs: list = field(repr=False)
    pid: int = 0
    cpu_s: float = 0.0


def make_data(seed=7, n=400):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    beta = np.array([1.5, -2.0, 0.0, 0.7])
    y = x @ beta + rng.standard_t(df=4, size=n)
    return x, y


def work(chunk: Chunk) -> ChunkResult:
    c0 = time.process_time()
    x, y = make_data()
    rng = np.random.default_rng(chunk.seed)
    out = []
    for _ in range(chunk.reps):
        pick = rng.integers(0, len(y), len(y))
        b, *_ = np.linalg.lstsq(x[pick], y[pick], rcond=None)
        out.append(b.tolist())
    res = ChunkResult(chunk.index, out, os.getpid(), time.process_time() - c0)
    print(f"  [worker {res.pid}] chunk {chunk.index:2d} finished in {res.cpu_s * 1000:.1f} ms cpu", flush=True)
    return res


def main():
    seeds = SeedSequence(20240229).spawn(N_CHUNKS)
    chunks = [Chunk(i, s) for i, s in enumerate(seeds)]
    start = time.time()
    results: dict[int, ChunkResult] = {}
    with ProcessPoolExecutor(max_workers=N_JOBS) as pool:
        futs = {pool.submit(work, c): c for c in chunks}
        for n_done, fut in enumerate(as_completed(futs), 1):
            r = fut.result()
            results[r.index] = r
            sys.stderr.write(f"\r{n_done}/{N_CHUNKS} last={r.index} {n_done / (time.time() - start):.1f} chunks/s")
    sys.stderr.write("\n")

    coefs = np.concatenate([np.array(results[i].coefs) for i in range(N_CHUNKS)])
    lo, hi = np.percentile(coefs, [2.5, 97.5], axis=0)
    summary = {
        "mean": coefs.mean(0).tolist(),
        "ci_low": lo.tolist(),
        "ci_high": hi.tolist(),
        "reps": int(len(coefs)),
        "workers": sorted({r.pid for r in results.values()}),
        "wall_clock": time.time() - start,
    }
    with open("bootstrap.json", "w") as fh:
        json.dump(summary, fh, indent=2)
    for j in range(coefs.shape[1]):
        print(f"beta[{j}] = {summary['mean'][j]:+.5f}  95% CI [{lo[j]:+.5f}, {hi[j]:+.5f}]")


if __name__ == "__main__":
    main()

# cause: none
