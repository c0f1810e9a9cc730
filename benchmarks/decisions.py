"""How often `compare`, `compare_many`, `compare_tasks` and several metrics say a false word, and what `plan` promises.

    python benchmarks/decisions.py           # the tables of docs/coverage.md, more than ten minutes of one core
    python benchmarks/decisions.py 200       # quick and rough: that many data sets for each figure

One call of `compare` answers many questions; only t, the permutation test and the two one-sided tests decide. Here these three
are computed for thousands of data sets at once. tests/stats/test_false_decisions.py holds them against the calls themselves.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from seedwise import stats

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
SIZES = (3, 4, 5, 10, 30)
METHODS = (2, 3, 5, 10)
ALPHA = 0.05
RESAMPLES = 9999
AT_ONCE = 50
POOL = 4
"""Where regroupings are drawn, so many sets of them are used in turn, each for AT_ONCE data sets."""


@dataclass(frozen=True)
class Tests:
    """What decides a pair, for every data set: shapes (data sets,). NaN where nothing varies, as in `compare`."""

    difference: Array
    apart: Flags
    """Whether the t interval leaves 0 out."""
    t_p: Array
    p: Array
    """Of the permutation test."""
    equal_p: Array
    """Of the two one-sided tests. All NaN without a margin."""
    smallest: float


def tests_of(x: Array, y: Array, paired: bool, margin: float | None) -> Tests:
    """The tests of `compare` for data sets of shape (data sets, n), with the same n on both sides."""
    from scipy.special import stdtr

    n = x.shape[1]
    d = x.mean(axis=1) - y.mean(axis=1)
    if paired:
        sem, df = np.sqrt(_variance(x - y) / n), np.full(len(x), n - 1.0)
    else:
        a, b = _variance(x) / n, _variance(y) / n
        sem = np.sqrt(a + b)
        with np.errstate(invalid="ignore"):
            df = (a + b) ** 2 / ((a**2 + b**2) / (n - 1))
    known = sem > 0
    sem, df = np.where(known, sem, np.nan), np.where(known, df, np.nan)
    t_p = 2 * stdtr(df, -np.abs(d) / sem)
    p, smallest = flipped(x - y) if paired else regrouped(x, y)
    equal_p = np.full(len(x), np.nan) if margin is None else stdtr(df, (np.abs(d) - margin) / sem)
    return Tests(d, t_p < ALPHA, t_p, p, equal_p, smallest)


def _variance(x: Array) -> Array:
    """0 where all values of a row are the same number."""
    flat = np.ptp(x, axis=1) <= 1e-14 * np.abs(x).max(axis=1)
    return np.where(flat, 0.0, x.var(axis=1, ddof=1))


def regrouped(x: Array, y: Array) -> tuple[Array, float]:
    """p of the permutation test of two groups of n each, and the least that is possible.

    With equal n, Welch's |t| grows with the sum of one side about the mean of all: their squares have one sum.
    """
    n, pooled = x.shape[1], np.concatenate([x, y], axis=1)
    pooled = pooled - pooled.mean(axis=1, keepdims=True)
    return _reached(pooled, np.abs(pooled[:, :n].sum(axis=1)), *_groupings(n))


def flipped(d: Array) -> tuple[Array, float]:
    """p of the permutation test of pairs, and the least that is possible."""
    return _reached(d, np.abs(d.sum(axis=1)), *_signs(d.shape[1]))


@cache
def _groupings(n: int) -> tuple[tuple[Array, ...], bool]:
    total = math.comb(2 * n, n)
    if total <= 40_000:
        inside = np.zeros((total, 2 * n))
        np.put_along_axis(inside, np.array(list(combinations(range(2 * n), n))), 1.0, axis=1)
        return (inside,), True
    rng, drawn = np.random.default_rng(n), np.zeros((POOL, RESAMPLES, 2 * n))
    for inside in drawn:
        np.put_along_axis(inside, np.argpartition(rng.random((RESAMPLES, 2 * n)), n, axis=1)[:, :n], 1.0, axis=1)
    return tuple(drawn), False


@cache
def _signs(n: int) -> tuple[tuple[Array, ...], bool]:
    if 2**n <= 40_000:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return (np.where(bits == 1, -1.0, 1.0).astype(np.float64),), True
    return tuple(np.random.default_rng(n).choice([-1.0, 1.0], (POOL, RESAMPLES, n))), False


def _reached(values: Array, observed: Array, weights: Sequence[Array], exact: bool) -> tuple[Array, float]:
    """Share of weighted sums that are as large as the observed ones."""
    counts = []
    for k, start in enumerate(range(0, len(values), AT_ONCE)):
        rows = slice(start, start + AT_ONCE)
        room = 1e-12 * np.abs(values[rows]).sum(axis=1)
        sums = values[rows] @ weights[k % len(weights)].T
        np.abs(sums, out=sums)
        counts.append((sums >= (observed[rows] * (1 - 1e-10) - room)[:, None]).sum(axis=1))
    total, count = len(weights[0]), np.concatenate(counts)
    return (count / total, 2 / total) if exact else ((count + 1) / (total + 1), 1 / (total + 1))


def words_of_two(tests: Tests) -> tuple[Flags, Flags]:
    """Which data sets `compare` calls better or worse, and which equivalent."""
    equal = tests.equal_p <= ALPHA
    return tests.apart & (tests.p <= ALPHA) & ~equal, equal


def words_of_family(pairs: Sequence[Tests]) -> tuple[Flags, Flags]:
    """The same of several comparisons that Holm holds together: shapes (data sets, pairs)."""
    p, t_p, equal_p, apart = (
        np.stack([getattr(pair, name) for pair in pairs], axis=1) for name in ("p", "t_p", "equal_p", "apart")
    )
    known = (~np.isnan(p)).sum(axis=1)
    by_t = (pairs[0].smallest <= ALPHA) & (pairs[0].smallest * known > ALPHA) & (known > 1)
    raw = np.where(by_t[:, None], t_p, p)
    adjusted, equal = np.full_like(p, np.nan), np.full_like(p, np.nan)
    for row in range(len(p)):
        adjusted[row], equal[row] = stats.holm_of_exclusive(raw[row], equal_p[row])
    is_equal = equal <= ALPHA
    return (adjusted <= ALPHA) & apart & (p <= ALPHA) & ~is_equal, is_equal


def words(scores: Array, paired: bool = False, margin: float | None = None) -> tuple[Flags, Flags]:
    """What is said of every pair of methods: shapes (data sets, pairs). Scores have shape (data sets, methods, n)."""
    pairs = [tests_of(scores[:, i], scores[:, j], paired, margin) for i, j in combinations(range(scores.shape[1]), 2)]
    if len(pairs) > 1:
        return words_of_family(pairs)
    named, equal = words_of_two(pairs[0])
    return named[:, None], equal[:, None]


KINDS: dict[str, float] = {
    "normal": 1.0,
    "skewed (lognormal, σ = 0.8)": math.sqrt(math.exp(0.64) * (math.exp(0.64) - 1)),
    "one seed in five fails to learn": math.hypot(0.3, 1.2),
    "accuracy on 50 examples": math.sqrt(0.8 * 0.2 / 50),
    "rounded to a step of one SD": math.sqrt(1 + 1 / 12),
}
"""Kinds of scores, with their SD."""


def draw(rng: np.random.Generator, kind: str, shape: tuple[int, int, int], paired: bool) -> Array:
    """Scores of methods that are alike, shape (data sets, methods, n).

    If paired, half of the variance belongs to the seed, under which all methods run.
    """
    sets, _, n = shape
    if kind.startswith("accuracy"):
        shared = rng.binomial(25, 0.8, (sets, 1, n)) if paired else rng.binomial(25, 0.8, shape)
        return np.asarray((rng.binomial(25, 0.8, shape) + shared) / 50)
    x = _one(rng, kind, shape)
    if paired:
        x = (x + _one(rng, kind, (sets, 1, n))) / math.sqrt(2)
    return np.round(x) if kind.startswith("rounded") else x


def _one(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> Array:
    if kind.startswith("skewed"):
        return rng.lognormal(sigma=0.8, size=shape)
    if kind.startswith("one seed"):
        return rng.normal(size=shape) * 0.3 - 3.0 * (rng.random(shape) < 0.2)
    return rng.normal(size=shape)


def margin_of(kind: str) -> float:
    """About two SDs, a multiple of the step where scores have steps."""
    return {"a": 0.12, "r": 2.0}.get(kind[0], 2 * KINDS[kind])


def false_winner(rng: np.random.Generator, kind: str, methods: int, n: int, paired: bool, sets: int) -> float:
    """How often any of several methods that are alike is called better or worse than another."""
    scores = draw(rng, kind, (sets, methods, n), paired)
    return float(words(scores, paired)[0].any(axis=1).mean())


def false_equivalent(rng: np.random.Generator, kind: str, methods: int, n: int, paired: bool, sets: int) -> float:
    """How often any pair is called equivalent, where neighbours differ by exactly the margin and others by more."""
    margin = margin_of(kind)
    scores = draw(rng, kind, (sets, methods, n), paired) + margin * np.arange(methods)[:, None]
    return float(words(scores, paired, margin)[1].any(axis=1).mean())


UNLIKE = (
    "spreads 1 : 3",
    "skewed against mirrored",
    "new fails in one seed of five, base never",
)


def draw_unlike(rng: np.random.Generator, kind: str, shape: tuple[int, int, int]) -> Array:
    """Methods with the same mean, of which the first has another distribution than the others."""
    x = rng.normal(size=shape)
    if kind.startswith("spreads"):
        x[:, 0] *= 3
    elif kind.startswith("skewed"):
        x = rng.lognormal(sigma=0.8, size=shape) - math.exp(0.32)
        x[:, 0] *= -1
    else:
        x *= 0.3
        x[:, 0] += 0.6 - 3.0 * (rng.random((shape[0], shape[2])) < 0.2)
    return x


def unlike_winner(rng: np.random.Generator, kind: str, methods: int, n: int, sets: int) -> float:
    """How often a winner is named among methods whose means are equal and whose distributions are not."""
    return float(words(draw_unlike(rng, kind, (sets, methods, n)))[0].any(axis=1).mean())


def unlike_equivalent(rng: np.random.Generator, kind: str, methods: int, n: int, sets: int) -> float:
    """How often the first is called equivalent to another, from which it differs by the margin in the mean (0.6)."""
    scores = draw_unlike(rng, kind, (sets, methods, n))
    scores[:, 0] -= 0.6
    return float(words(scores, margin=0.6)[1][:, : methods - 1].any(axis=1).mean())


def several_metrics(
    rng: np.random.Generator, metrics: int, correlation: float, n: int, sets: int
) -> tuple[float, float, float]:
    """How often two that are alike are told apart: by the first metric, by any of the others, by any at all."""
    own, shared = rng.normal(size=(2, sets, metrics, n)), rng.normal(size=(2, sets, 1, n))
    new, base = math.sqrt(1 - correlation) * own + math.sqrt(correlation) * shared
    tests = [tests_of(new[:, k], base[:, k], False, None) for k in range(metrics)]
    first = words_of_two(tests[0])[0]
    others = words_of_family(tests[1:])[0].any(axis=1)
    return float(first.mean()), float(others.mean()), float((first | others).mean())


TASKS = (5, 12, 26)
OVER_TASKS = (
    "normal, 3 runs",
    "tasks that differ in difficulty and spread, 3 runs",
    "skewed, 3 runs",
    "skewed, 2 runs of the first and 10 of the others",
    "accuracy on 50 examples, 1 run (ties)",
    "rounded to a step of one SD, 1 run (many ties)",
)


def draw_tasks(rng: np.random.Generator, kind: str, shape: tuple[int, int, int]) -> Array:
    """Means of methods that are alike on every task, shape (data sets, tasks, methods)."""
    sets, tasks, _ = shape
    if kind.startswith("accuracy"):
        return np.asarray(rng.binomial(50, rng.uniform(0.5, 0.95, (sets, tasks, 1)), shape) / 50)
    if kind.startswith("rounded"):
        return np.asarray(np.round(rng.normal(size=shape) + 3 * rng.normal(size=(sets, tasks, 1))))
    if kind.startswith("skewed, 2"):
        x = rng.lognormal(sigma=0.8, size=(*shape, 10))
        x[..., 0, 2:] = np.nan
        return np.asarray(np.nanmean(x, axis=-1))
    if kind.startswith("skewed"):
        return np.asarray(rng.lognormal(sigma=0.8, size=(*shape, 3)).mean(axis=-1))
    x = rng.normal(size=(*shape, 3)).mean(axis=-1)
    if kind.startswith("tasks"):
        x = x * np.exp(rng.normal(size=(sets, tasks, 1))) + 5 * rng.normal(size=(sets, tasks, 1))
    return np.asarray(x)


def words_over_tasks(means: Array) -> Flags:
    """Which pairs of methods `compare_tasks` calls better or worse: shape (pairs,). Means have shape (tasks, methods)."""
    pairs = combinations(range(means.shape[1]), 2)
    return np.asarray(stats.holm([stats.wilcoxon(means[:, i] - means[:, j]) for i, j in pairs]) <= ALPHA)


def false_over_tasks(rng: np.random.Generator, kind: str, tasks: int, methods: int, sets: int) -> float:
    """How often any of several methods that are alike is called better or worse than another, over tasks."""
    return float(np.mean([words_over_tasks(x).any() for x in draw_tasks(rng, kind, (sets, tasks, methods))]))


DESIGNS = ("two", "two, SD of base doubled", "paired", "one")


def promised_and_reached(
    rng: np.random.Generator, design: str, effect: float, n: int, sets: int
) -> tuple[float, float]:
    """The power that `plan` promises for an effect in SDs, and how often `compare` (or a threshold) then decides rightly."""
    kind, doubled = design.split(",", maxsplit=1)[0], "doubled" in design
    promised = stats.power_of_comparison(effect, 1.0, n, design=kind, sd_base=2.0 if doubled else None)
    new, base = rng.normal(size=(2, sets, n))
    if kind == "one":
        settled = [
            stats.against_threshold(x, -effect, below=False, alpha=ALPHA / 2).settled
            for x in new[: max(400, sets // 4)]
        ]
        return promised, float(np.mean(settled))
    if kind == "paired":
        new = new + base  # the SD of the differences is 1
    tests = tests_of(new + effect, base * (2 if doubled else 1), kind == "paired", None)
    return promised, float((words_of_two(tests)[0] & (tests.difference > 0)).mean())


RULES = ("p", "p of the looks so far", "--looked-from 3 --looked-to N", "--looked-from 3")
"""What is compared with α after each seed from the third to the N-th. The second is no rule that holds, and none of ours."""
SCORES_MEAN = {"n": 0.0, "s": math.exp(0.32), "o": -0.6, "a": 0.8, "r": 0.0}


@cache
def bounds(rule: str, alpha: float, last: int) -> tuple[float, ...]:
    """t from which on the rule stops, after each of 3 … last scores."""
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    def t_for(p: float) -> list[float]:
        return [float(stdtrit(n - 1, 1 - p)) for n in times]

    def p_for(end: int) -> float:
        return float(
            brentq(lambda p: stats.error_when_looking(p, (3, end), rng=1) - alpha, alpha / 50, alpha, xtol=1e-5)
        )

    times = range(3, last + 1)
    if rule == RULES[0]:
        return tuple(t_for(alpha))
    if rule == RULES[2]:
        return tuple(t_for(p_for(last)))
    if rule == RULES[1]:
        ends = sorted({3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, last} & set(times))
        p = np.interp(times, ends, [alpha, *(p_for(end) for end in ends[1:])])
        return tuple(float(stdtrit(n - 1, 1 - at)) for n, at in zip(times, p, strict=True))
    return tuple(float(brentq(lambda t, n=n: stats.p_at_any_time(t, n, 3) - alpha, 0.0, 1e3)) for n in times)


def stopped(
    rng: np.random.Generator, rule: str, alpha: float, kind: str, last: int, effect: float, sets: int
) -> NDArray[np.intp]:
    """After how many seeds the rule claims that the mean is below a number that lies `effect` SDs above it; 0: never."""
    x = draw(rng, kind, (sets, 1, last), False)[:, 0] - SCORES_MEAN[kind[0]] - effect * KINDS[kind]
    times = np.arange(1, last + 1)
    total, squares = np.cumsum(x, axis=1), np.cumsum(x**2, axis=1)
    flat = np.maximum.accumulate(x, axis=1) - np.minimum.accumulate(x, axis=1) < 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(flat, np.nan, np.maximum(squares - total**2 / times, 0) / (times - 1))
        t = -total / np.sqrt(times * variance)
    over = t[:, 2:] > np.array(bounds(rule, alpha, last))
    return np.where(over.any(axis=1), over.argmax(axis=1) + 3, 0)


def figure(share: float, sets: int, promised: float = ALPHA) -> str:
    """A rate without its leading zero; in bold where it is above the promise by more than three standard errors."""
    text = f"{share:.3f}".removeprefix("0")
    return f"**{text}**" if share > promised + 3 * math.sqrt(promised * (1 - promised) / sets) else text


def sets_for(methods: int, repeats: int) -> int:
    """Fewer data sets where each costs much."""
    return max(100, repeats // 4) if methods >= 10 else repeats


def one_task(repeats: int) -> None:
    """False words on one task."""
    for what, simulate in (("better or worse", false_winner), ("equivalent", false_equivalent)):
        print(f"\n`{what}`, falsely: any pair among 2 / 3 / 5 / 10 methods\n")
        head("data", "design")
        for kind in KINDS:
            for paired in (False, True):
                cells = [
                    " / ".join(
                        figure(simulate(seeded(n, k), kind, k, n, paired, sets_for(k, repeats)), sets_for(k, repeats))
                        for k in METHODS
                    )
                    for n in SIZES
                ]
                row(kind, "paired" if paired else "groups", *cells)


def unlike(repeats: int) -> None:
    """False words where distributions differ."""
    print("\nMeans as the word denies it, and distributions that differ in more than that; 2 / 3 / 5 / 10 methods\n")
    head("false word", "data")
    for what, simulate in (("better or worse", unlike_winner), ("equivalent", unlike_equivalent)):
        for kind in UNLIKE:
            cells = [
                " / ".join(
                    figure(simulate(seeded(n, k), kind, k, n, sets_for(k, repeats)), sets_for(k, repeats))
                    for k in METHODS
                )
                for n in SIZES
            ]
            row(what, kind, *cells)


def of_metrics(repeats: int) -> None:
    """False words of one comparison in several metrics."""
    print("\nTwo methods that are alike in all metrics: better or worse by the first / any other / any at all\n")
    head("metrics", "correlation")
    for metrics in (2, 3, 5, 10):
        for correlation in (0.0, 0.5, 0.9):
            found = [several_metrics(seeded(n, metrics), metrics, correlation, n, repeats) for n in SIZES]
            row(str(metrics), f"{correlation:g}", *(" / ".join(figure(s, repeats) for s in of) for of in found))


def over_tasks(repeats: int) -> None:
    """False words over tasks."""
    print("\n`compare_tasks`, better or worse, falsely: any pair among 2 / 3 / 5 / 10 methods\n")
    table(("data",), [f"{tasks} tasks" for tasks in TASKS])
    for kind in OVER_TASKS:
        cells = []
        for tasks in TASKS:
            sets = {k: max(100, repeats // d) for k, d in zip(METHODS, (1, 2, 4, 10), strict=True)}
            found = [(false_over_tasks(seeded(tasks, k), kind, tasks, k, sets[k]), sets[k]) for k in METHODS]
            cells.append(" / ".join(figure(*of) for of in found))
        row(kind, *cells)


def of_plans(repeats: int) -> None:
    """What is promised beside what is reached."""
    print("\nPower that `plan` promises / that is reached, normal scores, two-sided .05\n")
    head("design", "effect")
    for design in DESIGNS:
        for effect in (0.5, 1.0, 1.5, 2.0, 3.0):
            found = [promised_and_reached(seeded(n), design, effect, n, repeats) for n in SIZES]
            row(design, f"{effect:g} SD", *(f"{a:.2f} / {b:.2f}" for a, b in found))


def of_looks(repeats: int) -> None:
    """False claims of a rule that adds seeds one by one from 3 to N, and how often it finds what is true."""
    print(
        "\nA mean claimed below a number that it equals, by a rule that is asked after each seed from 3 to N, and stops at the first success\n"
    )
    table(("rule: below α is", "data"), [f"α = {a:g}, N = {n}" for a in (0.05, 0.01) for n in (30, 100)])
    for rule in RULES:
        for kind in KINDS:
            found = [
                figure(float((stopped(seeded(last), rule, alpha, kind, last, 0.0, repeats) > 0).mean()), repeats, alpha)
                for alpha in (0.05, 0.01)
                for last in (30, 100)
            ]
            row(f"`{rule}`" if "-" in rule else rule, kind, *found)
    print(
        "\nNormal scores whose mean is truly below: how often it is claimed, and after how many seeds (mean of those)\n"
    )
    table(("rule", "effect"), [f"α = {a:g}, N = {n}" for a in (0.05, 0.01) for n in (30, 100)])
    for rule in RULES[2:]:
        for effect in (0.5, 1.0, 2.0):
            ends = [
                stopped(seeded(last), rule, alpha, "normal", last, effect, repeats)
                for alpha in (0.05, 0.01)
                for last in (30, 100)
            ]
            cells = [f"{(at > 0).mean():.2f}, {at[at > 0].mean():.1f}" for at in ends]
            row(f"`{rule}`", f"{effect:g} SD", *cells)


def seeded(*numbers: int) -> np.random.Generator:
    """A generator for one figure."""
    return np.random.default_rng([1908, *numbers])


def head(*first: str) -> None:
    """The head of a table with a column for each number of seeds."""
    table(first, [f"n = {n}" for n in SIZES])


def table(first: Sequence[str], columns: Sequence[str]) -> None:
    """The head of a table."""
    row(*first, *columns)
    print("|" + "---|" * (len(first) + len(columns)))


def row(*cells: str) -> None:
    """A row of a Markdown table."""
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the tables."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    print(f"{repeats} data sets for each figure, a quarter of them for 10 methods")
    one_task(repeats)
    unlike(repeats)
    of_metrics(repeats)
    over_tasks(repeats)
    of_looks(5 * repeats)
    of_plans(repeats)


if __name__ == "__main__":
    main()
