"""Statistics over seeds beside rliable, deepsig, SciPy and autorank: same data, same number of resamples, in turn.

    pip install rliable deepsig autorank
    python benchmarks/statistics.py

Prints, for each question, the seconds of both, their ratio, and both answers, so that a faster wrong one would be seen.
"""

import sys

sys.path = [path for path in sys.path if not path.rstrip("/").endswith("benchmarks")]  # this file is not `statistics`

import io
import resource
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from typing import Any

import numpy as np

from seedwise import stats
from seedwise.api.rankings import compare_tasks

RNG = np.random.default_rng(2021)
SCORES = {f"algorithm {k}": RNG.beta(4 + k, 4, (10, 26)) for k in range(5)}
TAUS = np.linspace(0, 1, 201)


def seconds(what: Callable[[], Any], rounds: int = 3) -> tuple[float, Any]:
    """The median time of a call, and what it returned."""
    times, answer = [], None
    for _ in range(rounds):
        began = time.perf_counter()
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            answer = what()
        times.append(time.perf_counter() - began)
    return sorted(times)[rounds // 2], answer


def say(what: str, peer: str, theirs: tuple[float, Any], ours: tuple[float, Any], show: Callable[[Any], str]) -> None:
    """One row."""
    print(f"{what}\n    {peer:9} {theirs[0]:9.4f} s  {show(theirs[1])}")
    print(f"    seedwise  {ours[0]:9.4f} s  {show(ours[1])}   {theirs[0] / ours[0]:.0f} times faster", flush=True)


def interval(answer: Any) -> str:
    """Both ends."""
    low, high = answer
    return f"{float(low):.4f} … {float(high):.4f}"


def against_rliable() -> None:
    """IQM with stratified intervals, probability of improvement, performance profiles."""
    from rliable import library, metrics

    def theirs() -> Any:
        _, cis = library.get_interval_estimates(SCORES, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=50_000)
        return cis["algorithm 0"][:, 0]

    def ours() -> Any:
        found = {k: stats.aggregate(list(x.T), resamples=50_000, rng=0) for k, x in SCORES.items()}
        return found["algorithm 0"].low, found["algorithm 0"].high

    a, b = SCORES["algorithm 1"], SCORES["algorithm 0"]
    say(
        "IQM interval, 5 algorithms × 10 runs × 26 tasks, 50,000 resamples",
        "rliable",
        seconds(theirs, 1),
        seconds(ours),
        interval,
    )

    def their_improvement() -> Any:
        _, cis = library.get_interval_estimates(
            {"a,b": (a, b)}, lambda x, y: np.array([metrics.probability_of_improvement(x, y)]), reps=1000
        )
        return cis["a,b"].ravel()

    def our_improvement() -> Any:
        found = stats.improvement(list(a.T), list(b.T), resamples=1000, rng=0)
        return found.low, found.high

    say(
        "P(improvement), one pair, 26 tasks, 1,000 resamples",
        "rliable",
        seconds(their_improvement, 1),
        seconds(our_improvement),
        interval,
    )

    def their_profile() -> Any:
        _, cis = library.create_performance_profile(SCORES, TAUS, reps=2000)
        return cis["algorithm 0"][:, 100]

    def our_profile() -> Any:
        found = [stats.performance_profile(list(x.T), TAUS, resamples=2000, rng=0) for x in SCORES.values()]
        return found[0].low[100], found[0].high[100]

    say(
        "profile, 201 τ, 5 algorithms, 2,000 resamples (ours: a band for all τ at once)",
        "rliable",
        seconds(their_profile, 1),
        seconds(our_profile),
        interval,
    )


def against_deepsig() -> None:
    """Almost stochastic order, 10 against 10."""
    from deepsig import aso

    x, y = RNG.normal(0.55, 1, 10), RNG.normal(0, 1, 10)
    theirs = seconds(lambda: aso(x, y, num_bootstrap_iterations=1000, show_progress=False, seed=1))
    say(
        "ASO, 10 against 10, 1,000 resamples",
        "deepsig",
        theirs,
        seconds(lambda: stats.almost_dominates(x, y, rng=0).upper),
        lambda e: f"ε_min {e:.3f}",
    )


def against_scipy() -> None:
    """Permutation test and BCa interval, 30 against 30."""
    from scipy.stats import bootstrap, permutation_test

    x, y = RNG.normal(0.3, 1, 30), RNG.normal(0, 2, 30)

    def welch(a: Any, b: Any, axis: int = -1) -> Any:
        n, m = a.shape[axis], b.shape[axis]
        return (a.mean(axis=axis) - b.mean(axis=axis)) / np.sqrt(
            a.var(axis=axis, ddof=1) / n + b.var(axis=axis, ddof=1) / m
        )

    theirs = seconds(lambda: permutation_test((x, y), welch, n_resamples=9999, vectorized=True, rng=0).pvalue)
    say(
        "studentised permutation test, 30 against 30, 9,999 regroupings",
        "SciPy",
        theirs,
        seconds(lambda: stats.permutation_test(x, y, rng=0).p_value),
        lambda p: f"p {p:.3f}",
    )
    theirs = seconds(
        lambda: tuple(
            bootstrap((x,), np.mean, n_resamples=9999, method="BCa", vectorized=True, rng=0).confidence_interval
        )
    )
    say(
        "BCa interval of a mean, n = 30, 9,999 resamples",
        "SciPy",
        theirs,
        seconds(lambda: stats.bootstrap(x, method="bca", rng=0).interval),
        interval,
    )


def against_autorank() -> None:
    """Five methods over 26 tasks."""
    import pandas as pd
    from autorank import autorank

    means = pd.DataFrame({name: x.mean(axis=0) for name, x in SCORES.items()})
    theirs = seconds(lambda: autorank(means, alpha=0.05, verbose=False, force_mode="nonparametric").pvalue)
    table = means.to_numpy()

    def ours() -> float:
        stats.holm([stats.wilcoxon(table[:, i] - table[:, j]) for i in range(5) for j in range(i)])
        return stats.friedman(table).f_p_value

    say(
        "Friedman and all pairs (Wilcoxon, Holm), 5 methods over 26 tasks",
        "autorank",
        theirs,
        seconds(ours),
        lambda p: f"p {p:.2g}",
    )
    groups = {name: {str(t): x[:, t] for t in range(26)} for name, x in SCORES.items()}
    whole, _ = seconds(lambda: compare_tasks(groups, goal="max", rng=0))
    print(f"    seedwise  {whole:9.4f} s  with IQM, mean, median, ranks and P(improvement), all with intervals")


def memory() -> None:
    """Before anything else: the peak of a process only grows."""
    scores = [RNG.random(100) for _ in range(100)]
    stats.aggregate(scores, resamples=100)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stats.aggregate(scores, resamples=50_000)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"memory of an IQM interval, 100 tasks × 100 runs × 50,000 resamples: {(after - before) / 1024:.0f} MB at its peak"
    )


def main() -> None:
    """Every peer that is installed."""
    memory()
    for name, module in (("rliable", "rliable"), ("deepsig", "deepsig"), ("scipy", "scipy"), ("autorank", "autorank")):
        if find_spec(module) is None:
            print(f"{name} is not installed: pip install {name}")
            continue
        globals()[f"against_{name}"]()


if __name__ == "__main__":
    main()
