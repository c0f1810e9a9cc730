"""Simulated coverage of every interval and error of every test and stopping rule, by sample size and kind of data.

python benchmarks/coverage.py           # the tables of docs/coverage.md, about six minutes
python benchmarks/coverage.py 200       # quick and rough: that many samples for each figure
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seedwise import stats
from seedwise.api.compare import compare

Array = NDArray[np.float64]
SIZES = (3, 5, 10, 30)
KINDS = {
    "normal": 0.0,
    "skewed (lognormal, σ = 0.8)": float(np.exp(0.32)),
    "bounded (beta 8, 2)": 0.8,
    "bimodal (one seed in five fails to learn)": -0.6,
}
"""Kinds of data with their true means."""


def draw(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> Array:
    """Samples of one kind."""
    if kind.startswith("normal"):
        return rng.normal(size=shape)
    if kind.startswith("skewed"):
        return rng.lognormal(sigma=0.8, size=shape)
    if kind.startswith("bounded"):
        return rng.beta(8, 2, size=shape)
    return rng.normal(size=shape) * 0.3 + np.where(rng.random(shape) < 0.8, 0.0, -3.0)


def share(hits: list[bool]) -> float:
    """How often."""
    return float(np.mean(hits))


def of_mean(method: str) -> Callable[[np.random.Generator, str, int, int], float]:
    """Coverage of an interval of the mean."""

    def simulate(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
        mean, hits = KINDS[kind], []
        for x in draw(rng, kind, (repeats, n)):
            found = (
                stats.t_interval(x)
                if method == "t"
                else stats.bootstrap(x, method=method, resamples=999, rng=rng).interval
            )
            if found is not None:
                hits.append(found[0] <= mean <= found[1])
        return share(hits) if len(hits) > repeats / 2 else float("nan")

    return simulate


def of_difference(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
    """Welch's interval; the second group has twice the spread and the same mean."""
    mean, hits = KINDS[kind], []
    for x, y in zip(draw(rng, kind, (repeats, n)), draw(rng, kind, (repeats, n)), strict=True):
        found = stats.difference(x, mean + 2 * (y - mean))
        hits.append(found.low is not None and found.high is not None and found.low <= 0 <= found.high)
    return share(hits)


def of_superiority(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
    """Newcombe's interval of P(A > B), the second group moved down by one (normal), or alike (others: ½)."""
    shift = 1.0 if kind == "normal" else 0.0
    truth = 0.7602499389065233 if shift else 0.5  # Φ(1/√2)
    hits = []
    for x, y in zip(draw(rng, kind, (repeats, n)), draw(rng, kind, (repeats, n)), strict=True):
        found = stats.superiority(x + shift, y)
        hits.append(found.low <= truth <= found.high)
    return share(hits)


def of_iqm(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
    """The stratified interval of the IQM over 10 tasks alike."""
    truth = stats.interquartile_mean(draw(np.random.default_rng(1), kind, (2_000_000,)))
    hits = []
    for x in draw(rng, kind, (max(100, repeats // 4), 10, n)):
        found = stats.aggregate(list(x), resamples=1000, rng=rng)
        hits.append(found.low <= truth <= found.high)
    return share(hits)


def of_improvement(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
    """The stratified interval of P(A > B) averaged over 10 tasks alike: Φ(1/√2) moved by one (normal), or ½ (others)."""
    shift = 1.0 if kind == "normal" else 0.0
    truth = 0.7602499389065233 if shift else 0.5
    hits = []
    for x, y in zip(*draw(rng, kind, (2, max(100, repeats // 4), 10, n)), strict=True):
        found = stats.improvement(list(x + shift), list(y), resamples=1000, rng=rng)
        hits.append(found.low <= truth <= found.high)
    return share(hits)


def of_spreads(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
    """The bootstrap interval of an SD ratio that is truly 1."""
    hits = []
    for x, y in zip(draw(rng, kind, (repeats // 2, n)), draw(rng, kind, (repeats // 2, n)), strict=True):
        found = stats.compare_spreads(x, y, resamples=999, rng=rng)
        hits.append(found.low is not None and found.high is not None and found.low <= 1 <= found.high)
    return share(hits)


def permutation_error(paired: bool) -> Callable[[np.random.Generator, str, int, int], float]:
    """How often p ≤ .05 where means are equal; unpaired, the second group has twice the spread."""

    def simulate(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
        mean, hits = KINDS[kind], []
        for x, y in zip(draw(rng, kind, (repeats, n)), draw(rng, kind, (repeats, n)), strict=True):
            other = y if paired else mean + 2 * (y - mean)
            hits.append(stats.permutation_test(x, other, paired=paired, resamples=499, rng=rng).p_value <= 0.05)
        return share(hits)

    return simulate


def decision_error(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
    """How often `compare` names a winner of two that are alike."""
    pairs = zip(draw(rng, kind, (repeats // 2, n)), draw(rng, kind, (repeats // 2, n)), strict=True)
    return share([compare(x, y, goal="max", resamples=499, rng=rng).decision != "undecided" for x, y in pairs])


def equivalence_error(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
    """How often two that differ by exactly the margin (half an SD) are called equivalent."""
    sd = float(draw(np.random.default_rng(1), kind, (1_000_000,)).std())
    hits = []
    for x, y in zip(draw(rng, kind, (repeats, n)), draw(rng, kind, (repeats, n)), strict=True):
        p = stats.equivalence(stats.difference(x + sd / 2, y), sd / 2)
        hits.append(p is not None and p < 0.05)
    return share(hits)


def threshold_error(rng: np.random.Generator, kind: str, n: int, repeats: int) -> float:
    """How often `mean ≤ the true mean` is called shown at p < .01."""
    mean = KINDS[kind]
    return share([stats.against_threshold(x, mean, below=True).settled for x in draw(rng, kind, (repeats, n))])


def sequence_error(rng: np.random.Generator, kind: str, last: int, repeats: int) -> float:
    """How often the t sequence leaves the true mean out at any look from the 5th score to the last."""
    x = draw(rng, kind, (repeats, last)) - KINDS[kind]
    times = np.arange(1, last + 1)
    means = np.cumsum(x, axis=1) / times
    variance = np.maximum(np.cumsum(x**2, axis=1) / times - means**2, 0)
    half = np.array([stats.t_sequence_half(int(n), 1.0) * np.sqrt(n / max(n - 1, 1)) for n in times])
    with np.errstate(invalid="ignore"):
        out = np.abs(means) > half * np.sqrt(variance)
    return float(out[:, 4:].any(axis=1).mean())


def stein_error(rng: np.random.Generator, kind: str, first: int, repeats: int) -> float:
    """How often Stein's interval, ± a fifth of an SD, leaves the true mean out."""
    sd = float(draw(np.random.default_rng(1), kind, (1_000_000,)).std())
    hits = []
    for _ in range(repeats):
        x = draw(rng, kind, (first,))
        plan = stats.stein(x, sd / 5)
        whole = np.concatenate([x, draw(rng, kind, (plan.n - first,))])
        hits.append(abs(whole.mean() - KINDS[kind]) > sd / 5)
    return share(hits)


def betting_error(rng: np.random.Generator, kind: str, last: int, repeats: int) -> float:
    """How often the betting sequence on declared bounds leaves the true mean out, at looks after 5, 10, 20 … scores."""
    low, high = (
        {"n": (-6.0, 6.0), "s": (0.0, 60.0), "b": (0.0, 1.0)}[kind[0]] if not kind.startswith("bim") else (-5.0, 2.0)
    )
    hits = []
    for x in np.clip(draw(rng, kind, (max(50, repeats // 10), last)), low, high):
        looks = [k for k in (5, 10, 20, 40, 80, 160) if k <= last]
        found = [stats.betting_sequence(x[:k], (low, high), grid=400) for k in looks]
        hits.append(any(not f.low <= KINDS[kind] <= f.high for f in found))
    return share(hits)


def looking_error(rng: np.random.Generator, kind: str, last: int, repeats: int) -> float:
    """What looking costs without a rule: a 95 % t interval looked at after each score from the 5th on."""
    x = draw(rng, kind, (repeats, last)) - KINDS[kind]
    times = np.arange(1, last + 1)
    means = np.cumsum(x, axis=1) / times
    variance = np.maximum(np.cumsum(x**2, axis=1) / times - means**2, 0) * times / np.maximum(times - 1, 1)
    from scipy.special import stdtrit

    out = np.abs(means) > stdtrit(np.maximum(times - 1, 1), 0.975) * np.sqrt(variance / times)
    return float(out[:, 4:].any(axis=1).mean())


COVERAGE: dict[str, Callable[[np.random.Generator, str, int, int], float]] = {
    "mean, t interval": of_mean("t"),
    "mean, studentised bootstrap": of_mean("studentised"),
    "mean, BCa bootstrap": of_mean("bca"),
    "mean, percentile bootstrap": of_mean("percentile"),
    "difference, Welch (spreads 1 : 2)": of_difference,
    "P(A > B), Newcombe": of_superiority,
    "IQM over 10 tasks, stratified": of_iqm,
    "P(A > B) over 10 tasks, stratified": of_improvement,
    "ratio of SDs, bootstrap": of_spreads,
}
ERRORS: dict[str, Callable[[np.random.Generator, str, int, int], float]] = {
    "permutation test, p ≤ .05 (spreads 1 : 2)": permutation_error(False),
    "permutation test in pairs, p ≤ .05": permutation_error(True),
    "`compare` names a winner": decision_error,
    "`compare` says equivalent at the margin": equivalence_error,
    "mean beyond a threshold, p < .01": threshold_error,
}
STOPPING: dict[str, Callable[[np.random.Generator, str, int, int], float]] = {
    "t sequence, looked at after every score": sequence_error,
    "betting sequence, looked at after 5, 10, 20 …": betting_error,
    "a plain t interval, looked at after every score": looking_error,
}


def of_component(n: int, share: float, repeats: int) -> tuple[float, float]:
    """Coverage for a source with n seeds, crossed with another of n: of our interval, and of Satterthwaite's.

    `share` is the component in units of what is left. Satterthwaite's interval is none where the estimate is below 0.
    """
    from scipy.stats import chi2

    from seedwise.stats.combined_squares import estimate

    rng = np.random.default_rng(1908)
    ours, others = [], []
    for _ in range(repeats):
        squares = {
            (0,): (1 + n * share) * rng.chisquare(n - 1) / (n - 1),
            (): rng.chisquare((n - 1) ** 2) / (n - 1) ** 2,
        }
        variance, (low, high), nu = estimate({(0,): 1 / n, (): -1 / n}, squares, {(0,): n - 1, (): (n - 1) ** 2}, 0.95)
        ours.append(low <= share <= high)
        others.append(
            nu is not None
            and nu * variance / chi2.ppf(0.975, nu) <= share <= nu * variance / max(1e-300, chi2.ppf(0.025, nu))
        )
    return float(np.mean(ours)), float(np.mean(others))


def components(sizes: tuple[int, ...], repeats: int) -> None:
    """A Markdown table of intervals of variance components."""
    heads = " | ".join(f"n = {n}" for n in sizes)
    print(f"| component, in units of what is left | {heads} |\n|---|" + "---|" * len(sizes))
    for share in (0.0, 0.05, 0.25, 1.0, 4.0):
        cells = [" / ".join(f"{figure:.3f}" for figure in of_component(n, share, repeats)) for n in sizes]
        print(f"| {share:g} | {' | '.join(cells)} |", flush=True)
    print()


def table(
    rows: dict[str, Callable[[np.random.Generator, str, int, int], float]], sizes: tuple[int, ...], repeats: int
) -> None:
    """A Markdown table: a row for each procedure and kind of data."""
    print("| procedure | data | " + " | ".join(f"n = {n}" for n in sizes) + " |\n|---|---|" + "---|" * len(sizes))
    for name, simulate in rows.items():
        for kind in KINDS:
            rng = np.random.default_rng(1908)
            figures = [simulate(rng, kind, n, repeats) for n in sizes]
            cells = ["no answer" if figure != figure else f"{figure:.3f}" for figure in figures]
            print(f"| {name} | {kind} | {' | '.join(cells)} |", flush=True)
    print()


def main() -> None:
    """Print the tables."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(f"Coverage of nominal 95 % intervals ({repeats} samples for most figures)\n")
    table(COVERAGE, SIZES, repeats)
    print("Variance components of a crossed design: our interval / Satterthwaite's\n")
    components((3, 4, 8, 16), repeats)
    print("Errors\n")
    table(ERRORS, SIZES, repeats)
    print("Errors of stopping rules, up to n scores (nominal .05)\n")
    table(STOPPING, (30, 100), repeats)
    print("Stein's two stages, ± SD/5 (nominal .05), n scores in the first stage\n")
    table({"Stein": stein_error}, (5, 10, 20), repeats)


if __name__ == "__main__":
    main()
