"""Simulated coverage of the 95 % t interval of the mean, by sample size and kind of data; the table of docs/statistics.md.

python benchmarks/coverage.py
"""

import numpy as np
from scipy.special import stdtrit

REPEATS = 100_000


def coverage(draw: np.random.Generator, kind: str, n: int) -> float:
    """Share of intervals that hold the true mean."""
    shape = (REPEATS, n)
    if kind == "normal":
        x, mean = draw.normal(size=shape), 0.0
    elif kind == "skewed (lognormal, σ = 0.8)":
        x, mean = draw.lognormal(sigma=0.8, size=shape), float(np.exp(0.32))
    elif kind == "bounded (beta 8, 2)":
        x, mean = draw.beta(8, 2, size=shape), 0.8
    else:
        x, mean = draw.normal(size=shape) * 0.3 + np.where(draw.random(shape) < 0.8, 0.0, -3.0), -0.6
    half = stdtrit(n - 1, 0.975) * x.std(axis=1, ddof=1) / np.sqrt(n)
    return float((np.abs(x.mean(axis=1) - mean) <= half).mean())


def main() -> None:
    """Print the table in Markdown."""
    sizes = (3, 5, 10, 30)
    print("| data | " + " | ".join(f"n = {n}" for n in sizes) + " |")
    print("|---|" + "---|" * len(sizes))
    for kind in (
        "normal",
        "skewed (lognormal, σ = 0.8)",
        "bounded (beta 8, 2)",
        "bimodal (one seed in five fails to learn)",
    ):
        rng = np.random.default_rng(1908)
        print(f"| {kind} | " + " | ".join(f"{coverage(rng, kind, n):.3f}" for n in sizes) + " |")


if __name__ == "__main__":
    main()
