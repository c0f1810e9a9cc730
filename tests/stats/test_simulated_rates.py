"""Coverage and error rates by simulation, each by its own short model, apart from benchmarks/coverage.py.

Nominal where theory promises it, within 4 binomial standard errors; elsewhere bounds about what was measured.
"""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from scipy import stats as scipy_stats

from seedwise.stats import (
    aggregate,
    almost_dominates,
    betting_sequence,
    bootstrap,
    corrected_resampled_t,
    crossed_components,
    difference,
    equivalence,
    performance_profile,
    permutation_test,
    power,
    seeds_for,
    seeds_for_superiority,
    stein,
    superiority,
    t_interval,
    t_sequence_half,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def four(p: float, repeats: int) -> float:
    """Four binomial standard errors."""
    return 4 * math.sqrt(p * (1 - p) / repeats)


def rate(hits: Iterable[bool], name: str) -> float:
    """The share of hits; `pytest -rP` shows them all."""
    found = float(np.mean(list(hits)))
    print(f"{name} | {found:.4f}")
    return found


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_t_interval_covers_as_promised(n: int) -> None:
    rng = np.random.default_rng(100 + n)
    ends = (t_interval(x) for x in rng.normal(7, 3, (8000, n)))
    found = rate((low <= 7 <= high for low, high in ends), f"t, n={n}")
    assert found == pytest.approx(0.95, abs=four(0.95, 8000))


@pytest.mark.parametrize(("n", "m"), [(3, 3), (5, 5), (10, 10), (30, 30), (5, 20)])
def test_welch_covers_at_least_as_promised_with_unequal_spreads(n: int, m: int) -> None:
    rng = np.random.default_rng(200 + n + m)
    both = zip(rng.normal(1, 3, (8000, n)), rng.normal(0, 1, (8000, m)), strict=True)
    ends = (difference(x, y) for x, y in both)
    found = rate((d.low <= 1 <= d.high for d in ends), f"Welch 3:1, n={n}, m={m}")
    assert 0.95 - four(0.95, 8000) <= found <= 0.975


@pytest.mark.parametrize(("n", "m"), [(10, 10), (5, 5), (7, 21)])
def test_permutation_test_keeps_its_size_with_unequal_spreads(n: int, m: int) -> None:
    """Janssen (1997): in the limit. At five a side the exact test is measured to go a little beyond."""
    rng = np.random.default_rng(300 + n)
    both = zip(rng.normal(0, 2, (3000, n)), rng.normal(0, 1, (3000, m)), strict=True)
    hits = (permutation_test(x, y, resamples=199, rng=rng).p_value <= 0.05 for x, y in both)
    found = rate(hits, f"permutation 2:1, n={n}, m={m}")
    assert found <= (0.05 if n == m == 10 else 0.065) + four(0.05, 3000)


def test_paired_permutation_test_keeps_its_size_exactly() -> None:
    rng = np.random.default_rng(310)
    hits = (permutation_test(x, np.zeros(8), paired=True).p_value <= 0.05 for x in rng.normal(size=(6000, 8)))
    found = rate(hits, "permutation in pairs, n=8")
    assert found == pytest.approx(12 / 256, abs=four(12 / 256, 6000))  # the largest multiple of 2/256 up to .05


@pytest.mark.parametrize(("n", "lowest"), [(3, 0.878), (5, 0.925), (10, 0.93), (30, 0.935)])
def test_superiority_interval_covers_as_measured(n: int, lowest: float) -> None:
    """At n = 3 it misses ½ exactly where one side lies wholly above, 2 times in 20: .90, less 4 standard errors."""
    rng = np.random.default_rng(400 + n)
    for shift in (0.0, 1.0, 2.0):
        truth = scipy_stats.norm.cdf(shift / math.sqrt(2))
        both = zip(rng.normal(shift, 1, (3000, n)), rng.normal(0, 1, (3000, n)), strict=True)
        ends = (superiority(x, y) for x, y in both)
        name = f"P(A > B) = {truth:.2f}, n={n}"
        assert rate((s.low <= truth <= s.high for s in ends), name) >= lowest


def test_pairs_won_cover_at_least_as_promised() -> None:
    rng = np.random.default_rng(450)
    for n, p in ((6, 0.75), (15, 0.5), (44, 0.75)):
        wins = np.where(rng.random((3000, n)) < p, 1.0, -1.0)
        ends = (superiority(w, np.zeros(n), paired=True) for w in wins)
        found = rate((s.low <= p <= s.high for s in ends), f"pairs won, n={n}, P={p}")
        assert found >= 0.95 - four(0.95, 3000)


@pytest.mark.parametrize(("n", "lowest"), [(10, 0.89), (30, 0.91)])
def test_studentised_bootstrap_of_lognormal_scores_covers_as_measured(n: int, lowest: float) -> None:
    rng = np.random.default_rng(500 + n)
    truth, x = math.exp(0.5), rng.lognormal(0, 1, (2500, n))
    ends = (bootstrap(row, resamples=999, rng=rng) for row in x)
    found = rate((b.low <= truth <= b.high for b in ends), f"studentised, lognormal, n={n}")
    plain = np.mean([low <= truth <= high for low, high in map(t_interval, x)])
    print(f"t, lognormal, n={n}", "|", round(float(plain), 4))
    assert found >= lowest
    assert found > plain


def test_t_sequence_errs_at_most_as_promised_at_all_looks() -> None:
    rng = np.random.default_rng(600)
    x = rng.normal(0, 2, (10_000, 300))
    times = np.arange(1, 301)
    total, squares = np.cumsum(x, axis=1), np.cumsum(x**2, axis=1)
    sd = np.sqrt(np.maximum(squares - total**2 / times, 0)[:, 4:] / (times[4:] - 1))
    half = np.array([t_sequence_half(int(n), 1.0) for n in times[4:]])
    found = rate((np.abs(total / times)[:, 4:] > half * sd).any(axis=1), "t sequence, 5 … 300")
    assert 0.01 < found <= 0.05
    cut = scipy_stats.t.isf(0.025, times[4:] - 1) / np.sqrt(times[4:])
    plain = rate((np.abs(total / times)[:, 4:] > cut * sd).any(axis=1), "plain t, 5 … 300")
    assert plain > 0.3


@pytest.mark.parametrize("first", [3, 5, 10])
def test_stein_covers_at_least_as_promised(first: int) -> None:
    rng = np.random.default_rng(700 + first)
    hits = []
    for x in rng.normal(0, 1, (8000, first)):
        plan = stein(x, 0.3)
        later = rng.normal(0, math.sqrt(plan.n - first)) if plan.n > first else 0.0
        hits.append(abs((x.sum() + later) / plan.n) <= 0.3)
    found = rate(hits, f"Stein, first={first}")
    assert found >= 0.95 - four(0.95, 8000)


@pytest.mark.parametrize("kind", ["beta(8, 2)", "coin .5", "coin .05", "uniform"])
def test_betting_errs_at_most_as_promised(kind: str) -> None:
    rng = np.random.default_rng(800)
    shape = (500, 100)
    x, mean = {
        "beta(8, 2)": (rng.beta(8, 2, shape), 0.8),
        "coin .5": ((rng.random(shape) < 0.5).astype(float), 0.5),
        "coin .05": ((rng.random(shape) < 0.05).astype(float), 0.05),
        "uniform": (rng.random(shape), 0.5),
    }[kind]
    hits = []
    for row in x:
        ends = (betting_sequence(row[:n], (0, 1), grid=400) for n in (5, 10, 20, 40, 70, 100))
        hits.append(any(not s.low <= mean <= s.high for s in ends))
    assert rate(hits, f"betting, {kind}") <= 0.05


@pytest.mark.parametrize(("a", "b", "lowest"), [(5, 5, 0.85), (10, 5, 0.88), (20, 10, 0.92)])
def test_satterthwaites_interval_covers_as_measured(a: int, b: int, lowest: float) -> None:
    """Of the component of the first source, where there is an interval; σ² = 1, 0.5, and 0.5 for the rest."""
    rng = np.random.default_rng(900 + a)
    hits, none = [], 0
    for _ in range(3000):
        x = rng.normal(size=(a, 1)) + math.sqrt(0.5) * (rng.normal(size=(1, b)) + rng.normal(size=(a, b)))
        found = crossed_components(x, ("init", "order"))["init"].interval
        none += found is None
        if found is not None:
            hits.append(found[0] <= 1 <= found[1])
    print(f"Satterthwaite, no interval, {a} × {b}", "|", round(none / 3000, 4))
    assert rate(hits, f"Satterthwaite, {a} × {b}") >= lowest
    assert none / 3000 < 0.05


@pytest.mark.parametrize("k", [5, 10])
def test_corrected_resampled_t_is_exact_under_its_own_model(k: int) -> None:
    """Folds correlated by n_test/(n_test + n_train) = 1/k, as Nadeau & Bengio suppose; the plain t test is far off."""
    rng = np.random.default_rng(1000 + k)
    x = math.sqrt(1 / k) * rng.normal(size=(8000, 1)) + math.sqrt(1 - 1 / k) * rng.normal(size=(8000, k))
    found = rate((corrected_resampled_t(row).p_value <= 0.05 for row in x), f"corrected t, k={k}")
    plain = float((scipy_stats.ttest_1samp(x, 0, axis=1).pvalue <= 0.05).mean())
    print(f"plain t of folds, k={k}", "|", round(plain, 4))
    assert found == pytest.approx(0.05, abs=four(0.05, 8000))
    assert plain > 0.1


@pytest.mark.parametrize(
    ("effect", "sd_base", "design", "wanted"),
    [(1.0, None, "two", 0.8), (0.5, None, "paired", 0.9), (1.5, 2.0, "two", 0.8), (0.8, None, "one", 0.6)],
)
def test_seeds_for_have_the_power_promised(effect: float, sd_base: float | None, design: str, wanted: float) -> None:
    n = seeds_for(effect, 1.0, power=wanted, design=design, sd_base=sd_base)
    rng = np.random.default_rng(1100 + n)
    x = rng.normal(effect, 1, (20_000, n))
    if design == "two":
        y = rng.normal(0, sd_base or 1.0, (20_000, n))
        p = scipy_stats.ttest_ind(x, y, axis=1, equal_var=False).pvalue
    else:
        p = scipy_stats.ttest_1samp(x, 0, axis=1).pvalue
    found = rate(p <= 0.05, f"power, {design}, n={n}")
    assert found == pytest.approx(power(effect, 1.0, n, design=design, sd_base=sd_base), abs=0.015)
    assert found > wanted - 0.015


def test_noethers_seeds_have_about_their_power() -> None:
    """29 a side, one-sided .05, P = .75 by a shift of normal scores; Noether's is an approximation for small effects."""
    n = seeds_for_superiority(0.75)
    rng = np.random.default_rng(1150)
    x = rng.normal(scipy_stats.norm.ppf(0.75) * math.sqrt(2), 1, (4000, n))
    u = (x[:, :, None] > rng.normal(size=(4000, n))[:, None, :]).sum(axis=(1, 2))
    z = (u - n * n / 2) / math.sqrt(n * n * (2 * n + 1) / 12)
    assert rate(z > scipy_stats.norm.isf(0.05), "Noether, n=29") == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(("runs", "lowest", "highest"), [(3, 0.84, 0.93), (10, 0.90, 0.965)])
def test_iqm_interval_covers_as_measured(runs: int, lowest: float, highest: float) -> None:
    """Ten tasks of different difficulty and spread; the truth is the IQM of their even mixture."""
    rng = np.random.default_rng(1200 + runs)
    centre, spread = np.linspace(-2, 2, 10), np.linspace(0.5, 1.5, 10)
    truth = aggregate(list(rng.normal(centre[:, None], spread[:, None], (10, 200_000))), resamples=1).estimate
    hits = []
    for _ in range(1500):
        found = aggregate(list(rng.normal(centre[:, None], spread[:, None], (10, runs))), resamples=500, rng=rng)
        hits.append(found.low <= truth <= found.high)
    assert lowest <= rate(hits, f"IQM, 10 tasks, {runs} runs") <= highest


def test_profiles_band_holds_the_whole_curve_as_measured() -> None:
    rng = np.random.default_rng(1300)
    tau, centre = np.linspace(-2, 2, 21), np.linspace(-1, 1, 8)
    truth = scipy_stats.norm.sf(tau[None] - centre[:, None]).mean(axis=0)
    hits = []
    for _ in range(800):
        found = performance_profile(list(rng.normal(centre[:, None], 1, (8, 10))), tau, resamples=400, rng=rng)
        hits.append(bool(((found.low <= truth) & (truth <= found.high)).all()))
    assert rate(hits, "profile band, 8 tasks × 10 runs") >= 0.90


def test_equivalence_errs_at_most_as_promised_at_the_margin() -> None:
    rng = np.random.default_rng(1400)
    both = zip(rng.normal(1, 1, (5000, 20)), rng.normal(0, 2, (5000, 25)), strict=True)
    hits = (equivalence(difference(x, y), 1.0) < 0.05 for x, y in both)
    assert rate(hits, "equivalent at the margin") <= 0.05 + four(0.05, 5000)


def test_almost_dominance_bound_holds_as_measured() -> None:
    """ε of N(½, 1) against N(0, 1.5) by quadrature; the bound is asymptotic."""
    z = scipy_stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    d = 0.5 + z - 1.5 * z
    truth = (d[d < 0] ** 2).sum() / (d**2).sum()
    rng = np.random.default_rng(1500)
    hits = []
    for _ in range(1000):
        found = almost_dominates(rng.normal(0.5, 1, 20), rng.normal(0, 1.5, 20), resamples=200, rng=rng)
        hits.append(found.upper >= truth)
    assert rate(hits, "ASO bound, n=20") >= 0.85


def _nearest_mean(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    """Accuracy of the classifier by the nearer class mean."""
    low, high = x[train][y[train] == 0].mean(axis=0), x[train][y[train] == 1].mean(axis=0)
    return float((((x[test] @ (high - low)) > (high + low) @ (high - low) / 2) == y[test]).mean())


def test_reshuffled_folds_err_at_most_as_promised_and_not_when_taken_for_the_same() -> None:
    rng, right, wrong = np.random.default_rng(7), [], []
    for _ in range(150):
        y = rng.integers(0, 2, 200)
        x = rng.normal(size=(200, 10)) + 0.25 * (2 * y[:, None] - 1)
        d = np.zeros((10, 10))
        for seed in range(10):
            order = rng.permutation(200)
            for k, test in enumerate(np.array_split(order, 10)):
                train = np.setdiff1d(order, test)
                a, b = rng.choice(5, 4, replace=False), 5 + rng.choice(5, 4, replace=False)
                d[seed, k] = _nearest_mean(x[:, a], y, train, test) - _nearest_mean(x[:, b], y, train, test)
        right.append(corrected_resampled_t(d, reshuffled=True).p_value <= 0.05)
        wrong.append(corrected_resampled_t(d).p_value <= 0.05)
    assert rate(right, "reshuffled folds") <= 0.05 + four(0.05, 150)
    assert rate(wrong, "reshuffled folds taken for the same") > 0.12


@pytest.mark.parametrize("methods", [3, 5])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_many_methods_that_are_alike_are_named_apart_at_most_as_promised(methods: int, n: int) -> None:
    from seedwise.api.rankings import compare_many

    rng, hits = np.random.default_rng(100 * methods + n), []
    for groups in rng.normal(size=(200, methods, n)):
        found = compare_many({str(k): x for k, x in enumerate(groups)}, goal="max", resamples=199, rng=rng)
        hits.append(any(pair.decision != "undecided" for pair in found.pairs))
    assert rate(hits, f"{methods} methods, n={n}") <= 0.05 + four(0.05, 200)
