"""Is one better than another? Two sides, many sides, many tasks; from scores, results, frames or files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import stats
from ..decisions import Comparison, Decision, Group, Place, Ranking, TaskPair, TaskPlace, TaskRanking
from ..errors import MetricError, UsageError
from ..metrics.goals import Goal
from ..reports.decisions import comparison_sentence, ranking_sentence, tasks_sentence
from ..results import Scores
from .scores import as_scores

Array = NDArray[np.float64]
Rng = np.random.Generator | int | None
GAMMA = 0.75


def compare(
    new: Any,
    base: Any,
    *,
    paired: bool = False,
    level: float = 0.95,
    equivalence: float | None = None,
    metric: str | None = None,
    goal: Goal | str | None = None,
    names: tuple[str, str] = ("new", "base"),
    resamples: int = 9999,
    rng: Rng = None,
) -> Comparison:
    """Hold `new` against `base` in one metric.

    Parameters
    ----------
    new, base
        `Scores`, `Results`, mappings seed → number, frames with a column `seed`, numbers, or files.
    paired
        Declare, before looking, that scores under one seed belong together (the same data, split, order). Two architectures under
        one integer are nearly independent; pairing them loses power. Pairs are made by seed, never by row; numbers without seeds
        are paired in their order.
    level
        Coverage of the intervals; a decision is made at 1 - level.
    equivalence
        A margin in the metric's units: differences below it do not matter.
    metric, goal
        Which metric of results or frames; `min` or `max` where the name does not tell.
    rng
        Generator or number for what is resampled; the same one gives the same bits.

    Raises
    ------
    MetricError
        For NaN, duplicate seeds, or pairs without a shared seed: what, and under which seed.
    UsageError
        For a level or margin that makes no sense.
    """
    if not 0.5 <= level < 1:
        raise UsageError(f"level is 0.5 or more and below 1; got {level}")
    if equivalence is not None and not equivalence > 0:
        raise UsageError(f"the margin of equivalence is above 0, in the metric's units; got {equivalence}")
    if resamples < 100:
        raise UsageError(f"resamples is at least 100; got {resamples}")
    a, b = as_scores(new, metric, goal, names[0]), as_scores(base, metric, goal, names[1])
    if a.metric != b.metric and "value" not in (a.metric, b.metric):
        raise MetricError(f"{names[0]} holds {a.metric} and {names[1]} {b.metric}: compare the same metric")
    if a.goal is not None and b.goal is not None and a.goal != b.goal:
        raise MetricError(f"the goal of {a.metric} is {a.goal} in {names[0]} and {b.goal} in {names[1]}: say goal=")
    return _compare(a, b, names, paired, level, equivalence, resamples, _generator(rng))


def _generator(rng: Rng) -> np.random.Generator:
    from ..stats.sample import generator

    try:
        return generator(rng)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _compare(
    a: Scores, b: Scores, names: tuple[str, str], paired: bool, level: float, margin: float | None, resamples: int,
    rng: np.random.Generator,
) -> Comparison:  # fmt: skip
    warnings: list[str] = []
    goal = a.goal or b.goal
    metric = b.metric if a.metric == "value" else a.metric
    if goal is None:
        goal = Goal.MAX
        warnings.append(
            f"whether more or less {metric} is better was not said: taken as max (goal='min' turns it round)"
        )
    shared = sorted(set(a.by_seed) & set(b.by_seed))
    unmatched: tuple[int, ...] = ()
    x, y = a.values, b.values
    if paired:
        unmatched = tuple(sorted(set(a.by_seed) ^ set(b.by_seed)))
        if len(shared) < 2:
            raise MetricError(
                f"pairs are made by seed, and {names[0]} and {names[1]} share {len(shared) or 'none'}: {names[0]} has "
                f"{_some(a.seeds)}, {names[1]} {_some(b.seeds)}"
            )
        if unmatched:
            warnings.append(f"left out of the pairs: seed {_some(unmatched)}, which only one side has")
        x, y = (np.array([side.by_seed[seed] for seed in shared]) for side in (a, b))
    for side, name in ((a, names[0]), (b, names[1])):
        if side.n is not None and len(side) < side.n:
            warnings.append(f"{len(side)} of {side.n} seeds of {name} finished: this is among finished")
    alpha = 1 - level
    found = stats.difference(x, y, paired=paired, level=level)
    if found.warning:
        warnings.append(found.warning)
    test = stats.permutation_test(x, y, paired=paired, resamples=resamples, rng=rng) if found.sem is not None else None
    up = goal is Goal.MAX
    wins = stats.superiority(*((x, y) if up else (-x, -y)), paired=paired, level=level)
    order = stats.almost_dominates(*((x, y) if up else (-x, -y)), alpha=alpha, rng=rng)
    spreads = stats.compare_spreads(x, y, level=level, resamples=min(resamples, 9999), rng=rng)
    interval = None if found.low is None or found.high is None else (found.low, found.high)
    p = None if test is None else test.p_value
    equal_p = None if margin is None else stats.equivalence(found, margin, alpha)
    decision = _decide(found.difference, interval, p, alpha, equal_p, up)
    needed = None
    if decision is Decision.UNDECIDED:
        needed = _needed(x, y, found.difference, paired, alpha, margin)
        warnings += _why_open(interval, p, test, alpha, x.size, y.size)
    result = Comparison(
        metric=metric, goal=goal, new=_group(names[0], x, a, level), base=_group(names[1], y, b, level),
        difference=found.difference, interval=interval, level=level, method=found.method, p_value=p,
        smallest_p=None if test is None else test.smallest, exact=None if test is None else test.exact,
        t_p_value=found.p_value, probability_of_improvement=wins.probability,
        probability_interval=(wins.low, wins.high), probability_decision=_by_probability(wins),
        effect_size=wins.delta, almost_dominance=order.upper, spread_ratio=spreads.ratio,
        spread_interval=None if spreads.low is None or spreads.high is None else (spreads.low, spreads.high),
        spread_p=spreads.p_value, correlation=_correlation(a, b, shared), decision=decision, equivalence=margin,
        equivalence_p=equal_p, needed=needed, wrong_winner=stats.wrong_winner(x, y),
        pairs=len(shared) if paired else None, unmatched=unmatched, warnings=tuple(warnings),
    )  # fmt: skip
    return replace(result, sentence=comparison_sentence(result))


def _some(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds[:10])) + (" …" if len(seeds) > 10 else "")


def _group(name: str, x: Array, scores: Scores, level: float) -> Group:
    d = stats.describe(x, level)
    return Group(name, scores.n or len(scores), int(x.size), d.mean, d.sd, d.interval)


def _decide(
    d: float, interval: tuple[float, float] | None, p: float | None, alpha: float, equal_p: float | None, up: bool
) -> Decision:
    if equal_p is not None and equal_p < alpha:
        return Decision.EQUIVALENT
    if interval is None or p is None or not p <= alpha or interval[0] <= 0 <= interval[1]:
        return Decision.UNDECIDED
    return Decision.BETTER if (d > 0) == up else Decision.WORSE


def _by_probability(wins: stats.Superiority) -> str:
    if wins.low > 0.5 and wins.high > GAMMA:
        return "better"
    if wins.high < 0.5 and wins.low < 1 - GAMMA:
        return "worse"
    return "no meaningful difference shown" if wins.high <= GAMMA and wins.low >= 1 - GAMMA else "undecided"


def _correlation(a: Scores, b: Scores, shared: Sequence[int]) -> float | None:
    if len(shared) < 3:
        return None
    x, y = (np.array([side.by_seed[seed] for seed in shared]) for side in (a, b))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def _needed(x: Array, y: Array, d: float, paired: bool, alpha: float, margin: float | None) -> int | None:
    """Seeds (each) with power .8 for a difference, or an equivalence, as it looks; None where that cannot be said."""
    if min(x.size, y.size) < 2:
        return None
    design = stats.Design.PAIRED if paired else stats.Design.TWO
    sd = float((x - y).std(ddof=1)) if paired else float(x.std(ddof=1))
    sd_base = None if paired else float(y.std(ddof=1))
    if sd == 0 and not sd_base:
        return 6 if paired else 4
    target, sides = (abs(d), True) if margin is None or abs(d) >= margin else (margin - abs(d), False)
    if target == 0:
        return None
    if not sd:
        sd, sd_base = sd_base or 0.0, sd
    try:
        found = stats.seeds_for(target, sd, alpha=alpha, design=design, sd_base=sd_base, two_sided=sides)
    except ValueError:
        return None
    fewest = next(n for n in range(2, 100) if _smallest(n, paired) <= alpha)
    return max(found, fewest)


def _smallest(n: int, paired: bool) -> float:
    from math import comb

    return 2 / 2**n if paired else 2 / comb(2 * n, n)


def _why_open(
    interval: tuple[float, float] | None, p: float | None, test: stats.Permutation | None, alpha: float, n: int, m: int
) -> list[str]:
    if interval is None or p is None or test is None:
        return []
    apart = not interval[0] <= 0 <= interval[1]
    if test.smallest > alpha:
        return [
            f"no p below {test.smallest:.2g} can come of {n} seeds against {m}, whatever the scores"
            + ("; the interval leaves 0 out only if scores are normal" if apart else "")
        ]
    if apart:
        return ["the interval leaves 0 out, the permutation test does not agree: a few unusual scores may be behind it"]
    return []


def compare_at_any_time(
    new: Any, base: Any, *, names: tuple[str, str] = ("new", "base"), level: float = 0.95, rng: Rng = None
) -> Comparison:
    """A comparison that holds although seeds were added, and looked at, one by one.

    Seeds are taken in order up to the first that one side lacks; the t confidence sequence of the differences new minus base
    decides. It holds whether or not scores under one seed belong together. No permutation p is given: it would not hold.
    """
    a, b = as_scores(new, None, None, names[0]), as_scores(base, None, None, names[1])
    order = sorted({*a.by_seed, *b.by_seed})
    first = next((k for k, seed in enumerate(order) if seed not in a.by_seed or seed not in b.by_seed), len(order))
    used = order[:first]
    if len(used) < 2:
        raise MetricError(f"{names[0]} and {names[1]} share no first seeds: run both under the same")
    a, b = (Scores(s.metric, {seed: s[seed] for seed in used}, s.goal) for s in (a, b))
    found = compare(a, b, paired=True, level=level, names=names, rng=rng)
    sequence = stats.t_sequence(a.values - b.values, level)
    up = found.goal is Goal.MAX
    decision = Decision.UNDECIDED
    if sequence.low > 0 or sequence.high < 0:
        decision = Decision.BETTER if (sequence.low > 0) == up else Decision.WORSE
    interval = (sequence.low, sequence.high) if np.isfinite(sequence.half) else None
    result = replace(
        found, interval=interval, method=sequence.method, decision=decision, p_value=None, t_p_value=None,
        smallest_p=None, exact=None, needed=None, pairs=len(used), warnings=(),
    )  # fmt: skip
    return replace(result, sentence=comparison_sentence(result))


def compare_many(
    groups: Mapping[str, Any],
    *,
    paired: bool = False,
    level: float = 0.95,
    equivalence: float | None = None,
    metric: str | None = None,
    goal: Goal | str | None = None,
    resamples: int = 9999,
    rng: Rng = None,
) -> Ranking:
    """All pairs of several methods, p adjusted by Holm, with ranks.

    Parameters
    ----------
    groups
        Name → what `compare` takes. The others are as there.

    Returns
    -------
    Ranking
        Best first. A pair is decided when its adjusted p is at most 1 - level. The interval of a rank is the bootstrap's, each
        method's seeds resampled by themselves.
    """
    if len(groups) < 2:
        raise UsageError(f"a comparison takes two methods or more; got {', '.join(groups) or 'none'}")
    generator = _generator(rng)
    scores = {name: as_scores(given, metric, goal, name) for name, given in groups.items()}
    first = next(iter(scores.values()))
    up = (first.goal or Goal.MAX) is Goal.MAX
    ordered = sorted(scores, key=lambda name: -scores[name].values.mean() if up else scores[name].values.mean())
    pairs = [
        compare(
            scores[a], scores[b], paired=paired, level=level, equivalence=equivalence, goal=goal, names=(a, b),
            resamples=resamples, rng=generator,
        )
        for k, a in enumerate(ordered) for b in ordered[k + 1 :]
    ]  # fmt: skip
    pairs = with_holm(pairs)
    ranks = _rank_intervals([scores[name].values for name in ordered], up, level, generator)
    places = tuple(
        Place(_group(name, scores[name].values, scores[name], level), *rank)
        for name, rank in zip(ordered, ranks, strict=True)
    )
    warnings = tuple(dict.fromkeys(w for pair in pairs for w in pair.warnings))
    result = Ranking(first.metric, first.goal or Goal.MAX, level, places, tuple(pairs), "", warnings)
    return replace(result, sentence=ranking_sentence(result))


def with_holm(pairs: Sequence[Comparison]) -> list[Comparison]:
    """Comparisons whose decisions are held together by Holm: those that p alone would have made are open again."""
    known = [pair for pair in pairs if pair.p_value is not None]
    adjusted = iter(stats.holm([pair.p_value or 0.0 for pair in known]).tolist() if known else ())
    result = []
    for pair in pairs:
        if pair.p_value is None:
            result.append(pair)
            continue
        p = next(adjusted)
        changed = replace(pair, adjusted_p=p)
        if pair.decision in (Decision.BETTER, Decision.WORSE) and p > 1 - pair.level:
            changed = replace(changed, decision=Decision.UNDECIDED)
        result.append(replace(changed, sentence=comparison_sentence(changed)))
    return result


def _rank_intervals(
    samples: Sequence[Array], up: bool, level: float, rng: np.random.Generator, resamples: int = 2000
) -> list[tuple[float, tuple[float, float] | None]]:
    means = np.stack(
        [x[(rng.random((resamples, x.size)) * x.size).astype(np.intp)].mean(axis=1) for x in samples], axis=1
    )
    return _ranks(np.array([x.mean() for x in samples]), means, up, level, min(x.size for x in samples) > 1)


def _ranks(
    now: Array, drawn: Array, up: bool, level: float, known: bool
) -> list[tuple[float, tuple[float, float] | None]]:
    from scipy.stats import rankdata

    sign = -1 if up else 1
    observed, ranks = rankdata(sign * now), rankdata(sign * drawn, axis=1)
    low, high = np.quantile(ranks, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [(float(r), (float(a), float(b)) if known else None) for r, a, b in zip(observed, low, high, strict=True)]


def compare_tasks(
    groups: Mapping[str, Mapping[str, Any]],
    *,
    level: float = 0.95,
    metric: str | None = None,
    goal: Goal | str | None = None,
    nemenyi: bool = False,
    resamples: int = 2000,
    rng: Rng = None,
) -> TaskRanking:
    """Several methods over several tasks.

    Parameters
    ----------
    groups
        Method → task → scores (what `compare` takes). Every method needs every task; numbers of seeds may differ.
    nemenyi
        Also Nemenyi's critical difference of mean ranks, which depends on who else is in the pool.

    Returns
    -------
    TaskRanking
        Interquartile mean, mean and median over tasks with stratified intervals; P(improvement) averaged over tasks; Friedman's
        test (Iman & Davenport's F), and pairwise Wilcoxon tests of the tasks' means with Holm.
    """
    if len(groups) < 2:
        raise UsageError(f"a comparison takes two methods or more; got {', '.join(groups) or 'none'}")
    generator = _generator(rng)
    tasks = list(dict.fromkeys(task for of in groups.values() for task in of))
    for name, of in groups.items():
        missing = [task for task in tasks if task not in of]
        if missing:
            raise MetricError(f"{name} has no scores for {', '.join(missing[:5])}: every method needs every task")
    scores = {
        name: [as_scores(of[task], metric, goal, f"{name}, {task}") for task in tasks] for name, of in groups.items()
    }
    first = next(iter(scores.values()))[0]
    chosen = first.goal or Goal.MAX
    up = chosen is Goal.MAX
    warnings = [] if first.goal else [f"whether more or less {first.metric} is better was not said: taken as max"]
    values = {name: [s.values for s in of] for name, of in scores.items()}
    summaries = {
        name: {o: stats.aggregate(of, o, level=level, resamples=resamples, rng=generator) for o in stats.Over}
        for name, of in values.items()
    }
    warnings += dict.fromkeys(s[stats.Over.IQM].warning for s in summaries.values() if s[stats.Over.IQM].warning)
    table = np.array([[x.mean() for x in values[name]] for name in groups]).T
    ranks = _task_ranks(list(values.values()), up, level, generator, resamples)
    places = []
    for (name, summary), (rank, between) in zip(summaries.items(), ranks, strict=True):
        iqm, mean, median = (summary[o] for o in (stats.Over.IQM, stats.Over.MEAN, stats.Over.MEDIAN))
        places.append(
            TaskPlace(
                name, sum(iqm.runs), iqm.estimate, (iqm.low, iqm.high), mean.estimate, (mean.low, mean.high),
                median.estimate, (median.low, median.high), rank, between,
            )
        )  # fmt: skip
    places.sort(key=lambda place: place.rank)
    order = [place.name for place in places]
    index = {name: k for k, name in enumerate(groups)}
    pairs = _task_pairs(order, values, table, index, up, level, resamples, generator)
    enough = len(tasks) > 1 and len(groups) > 2
    cd = stats.critical_difference(len(groups), len(tasks), 1 - level) if nemenyi and len(tasks) > 1 else None
    if len(tasks) < 6:
        warnings.append(
            f"{len(tasks)} task{'s' if len(tasks) > 1 else ''}: Wilcoxon's test over tasks cannot reach p < .05 below 6"
        )
    result = TaskRanking(
        first.metric, chosen, level, tuple(tasks), tuple(places), tuple(pairs),
        stats.friedman(table, largest=up).f_p_value if enough else None, cd, "", tuple(warnings),
    )  # fmt: skip
    return replace(result, sentence=tasks_sentence(result))


def _task_ranks(
    values: Sequence[Sequence[Array]], up: bool, level: float, rng: np.random.Generator, resamples: int
) -> list[tuple[float, tuple[float, float]]]:
    """Mean over tasks of each method's rank by its mean, runs resampled within tasks."""
    from scipy.stats import rankdata

    sign = -1 if up else 1
    total, observed = np.zeros((resamples, len(values))), np.zeros(len(values))
    for task in zip(*values, strict=True):
        observed += rankdata([sign * x.mean() for x in task])
        drawn = [x[(rng.random((resamples, x.size)) * x.size).astype(np.intp)].mean(axis=1) for x in task]
        total += rankdata(sign * np.stack(drawn, axis=1), axis=1)
    n = len(values[0])
    low, high = np.quantile(total / n, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [(float(r), (float(a), float(b))) for r, a, b in zip(observed / n, low, high, strict=True)]


def _task_pairs(
    order: Sequence[str], values: Mapping[str, Sequence[Array]], table: Array, index: Mapping[str, int], up: bool,
    level: float, resamples: int, rng: np.random.Generator,
) -> list[TaskPair]:  # fmt: skip
    named = [(a, b) for k, a in enumerate(order) for b in order[k + 1 :]]
    d = {(a, b): (table[:, index[a]] - table[:, index[b]]) * (1 if up else -1) for a, b in named}
    raw = [stats.wilcoxon(d[pair]) for pair in named]
    pairs = []
    for (a, b), p, adjusted in zip(named, raw, stats.holm(raw).tolist(), strict=True):
        sides = (values[a], values[b]) if up else ([-x for x in values[a]], [-x for x in values[b]])
        wins = stats.improvement(*sides, level=level, resamples=resamples, rng=rng)
        decision = Decision.UNDECIDED
        if adjusted <= 1 - level:
            decision = Decision.BETTER if np.median(d[a, b]) > 0 else Decision.WORSE
        pairs.append(
            TaskPair(
                a, b, wins.probability, (wins.low, wins.high), p, adjusted, int((d[a, b] > 0).sum()), decision
            )
        )  # fmt: skip
    return pairs
