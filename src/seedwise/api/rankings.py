"""Compares several methods, on one task or on many.

Gives their ranks, and every pair with a p-value adjusted for the number of pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import stats
from ..advice import Advice
from ..decisions import Comparison, Decision, Place, Ranking, SteadierPair, TaskPair, TaskRanking
from ..errors import MetricError, UsageError
from ..reports.decisions import comparison_sentence, ranking_sentence, tasks_sentence
from ..results import Goal, Scores
from ..tables.references import ends_of
from .compare import Rng, alpha_of, compare, generator_for, goal_taken, group_of, unseen
from .over_tasks import (
    ReferenceLike,
    about_scales,
    aggregates,
    as_reference,
    asked_for,
    checked,
    enough_score,
    few_runs,
    gap_below,
    named,
    one_metric,
    place,
    profiles,
    rescaled,
    unfinished,
)
from .scores import ScoresLike, as_scores, as_tasks

Array = NDArray[np.float64]


def compare_many(
    groups: Mapping[str, ScoresLike],
    *,
    paired: bool = False,
    level: float = 0.95,
    equivalence: float | None = None,
    metric: str | None = None,
    goal: Goal | str | None = None,
    resamples: int = 9999,
    rng: Rng = None,
) -> Ranking:
    """Compare all pairs of several methods. The p-values are adjusted by Holm, and the methods are ranked.

    Parameters
    ----------
    groups
        Name → everything that `compare` takes. The other parameters are those of `compare`.
    paired, level, equivalence, metric, goal, resamples, rng
        As for `compare`.

    Returns
    -------
    Ranking
        Best first. A pair is decided if its adjusted p is at most 1 - level. The interval of a rank comes from a
        bootstrap in which the seeds of each method are resampled separately.

    Raises
    ------
    UsageError
        For fewer than two methods.
    """
    if len(groups) < 2:
        raise UsageError(f"a comparison takes two methods or more; got {', '.join(groups) or 'none'}")
    generator = generator_for(rng)
    scores = {name: as_scores(given, metric, goal, name) for name, given in groups.items()}
    first = next((of for of in scores.values() if of.goal is not None), next(iter(scores.values())))
    up = (first.goal or Goal.MAX) is Goal.MAX
    ordered = sorted(scores, key=lambda name: -scores[name].values.mean() if up else scores[name].values.mean())
    pairs = [
        compare(
            scores[a],
            scores[b],
            paired=paired,
            level=level,
            equivalence=equivalence,
            goal=goal,
            names=(a, b),
            resamples=resamples,
            rng=generator,
        )
        for k, a in enumerate(ordered)
        for b in ordered[k + 1 :]
    ]
    pairs = with_holm(pairs)
    ranks = _rank_intervals([scores[name].values for name in ordered], up, level, generator)
    places = tuple(
        Place(group_of(name, scores[name].values, scores[name], level), *rank)
        for name, rank in zip(ordered, ranks, strict=True)
    )
    warnings = tuple(dict.fromkeys(w for pair in pairs for w in pair.warnings))
    notes = _notes_of(pairs)
    result = Ranking(first.label, first.goal or Goal.MAX, level, places, tuple(pairs), "", warnings, notes)
    return replace(result, sentence=ranking_sentence(result))


def _notes_of(pairs: Sequence[Comparison]) -> tuple[str, ...]:
    """The notes of all pairs. What few seeds may not have shown is said once, of the fewest."""
    decided = [min(p.new.finished, p.base.finished) for p in pairs if p.decision is not Decision.UNDECIDED]
    every = [text for p in pairs for text in p.notes if text not in unseen(p.decision, p.new.finished, p.base.finished)]
    fewest = unseen(Decision.BETTER, min(decided), min(decided)) if decided else []
    return tuple(dict.fromkeys([*every, *fewest]))


def compare_spreads(ranking: Ranking) -> tuple[SteadierPair, ...]:
    """Which of several methods are steadier: Brown & Forsythe's (1974) test of every pair, adjusted by Holm.

    Returns
    -------
    tuple of SteadierPair
        Pairs of which both sides have an SD above 0, from three seeds each; the clearest first.
    """
    known = [pair for pair in ranking.pairs if pair.spread_ratio is not None and pair.spread_p is not None]
    if not known:
        return ()
    adjusted = stats.holm([pair.spread_p for pair in known if pair.spread_p is not None]).tolist()
    found = [_steadier(pair, p, alpha_of(ranking.level)) for pair, p in zip(known, adjusted, strict=True)]
    return tuple(sorted(found, key=lambda pair: pair.p_value))


def _steadier(pair: Comparison, adjusted_p: float, alpha: float) -> SteadierPair:
    assert pair.spread_ratio is not None
    assert pair.spread_interval is not None
    assert pair.spread_p is not None
    ratio, (low, high) = pair.spread_ratio, pair.spread_interval
    names = pair.new.name, pair.base.name
    if ratio > 1:
        ratio, low, high, names = 1 / ratio, 1 / high, 1 / low, (names[1], names[0])
    return SteadierPair(*names, ratio, (low, high), pair.spread_p, adjusted_p, adjusted_p <= alpha)


def with_holm(pairs: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons with p adjusted by Holm, and the decisions that then hold.

    Where so few seeds cannot reach the level with the permutation test after Holm, whatever their scores are, but can
    without it, the p of Welch's (or the paired) t is adjusted instead, and said so. What two methods alone leave open
    stays open among several. Tests of equivalence belong to the same family.
    """
    known = [pair for pair in pairs if pair.p_value is not None]
    alpha = alpha_of(pairs[0].level) if pairs else 0.05
    smallest = max((pair.smallest_p or 0.0 for pair in known), default=0.0)
    least = smallest * len(known)
    by_t = smallest <= alpha < least
    raw = [(pair.t_p_value if by_t else pair.p_value) for pair in pairs]
    adjusted, equal = stats.holm_of_exclusive(
        [np.nan if p is None else p for p in raw],
        [np.nan if pair.equivalence_p is None else pair.equivalence_p for pair in pairs],
    )
    said = (
        (
            Advice(
                f"with so few seeds no p of the permutation test can be below {min(least, 1):.2g} after Holm over {len(known)} comparisons: the t test's p is "
                "adjusted instead, which assumes that scores are roughly normal",
                "run more seeds of each",
            ),
        )
        if by_t
        else ()
    )
    result = []
    for pair, p, equal_p in zip(pairs, adjusted.tolist(), equal.tolist(), strict=True):
        changed = replace(
            pair,
            adjusted_p=None if np.isnan(p) else p,
            adjusted="" if np.isnan(p) else "t" if by_t else "permutation",
            adjusted_equivalence_p=None if np.isnan(equal_p) else equal_p,
            warnings=(*pair.warnings, *said),
        )
        changed = _with_decision(changed, _decided(changed, alpha))
        result.append(replace(changed, sentence=comparison_sentence(changed)))
    return result


def _with_decision(pair: Comparison, decision: Decision) -> Comparison:
    """The comparison with another decision, and with the warnings that belong to it."""
    sizes = pair.new.finished, pair.base.finished
    others = [text for text in pair.notes if text not in unseen(pair.decision, *sizes)]
    return replace(pair, decision=decision, notes=(*others, *unseen(decision, *sizes)))


def _decided(pair: Comparison, alpha: float) -> Decision:
    """What holds of a pair after the adjustment."""
    if pair.adjusted_equivalence_p is not None and pair.adjusted_equivalence_p <= alpha:
        return Decision.EQUIVALENT
    if pair.adjusted_p is None or pair.adjusted_p > alpha:
        return Decision.UNDECIDED
    apart = pair.interval is not None and not pair.interval[0] <= 0 <= pair.interval[1]
    alone = pair.p_value is not None and pair.p_value <= alpha
    if not (apart and alone):  # among several nothing is decided that is open between two
        return Decision.UNDECIDED
    return Decision.BETTER if (pair.difference > 0) == (pair.goal is Goal.MAX) else Decision.WORSE


def _rank_intervals(
    samples: Sequence[Array], up: bool, level: float, rng: np.random.Generator, resamples: int = 2000
) -> list[tuple[float, tuple[float, float] | None]]:
    means = np.stack([stats.resampled_means(x, resamples, rng) for x in samples], axis=1)
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
    groups: Mapping[str, Mapping[str, ScoresLike] | ArrayLike],
    *,
    level: float = 0.95,
    metric: str | None = None,
    goal: Goal | str | None = None,
    nemenyi: bool = False,
    reference: ReferenceLike | None = None,
    enough: float | None = None,
    profile: Sequence[float] | str | int | None = None,
    resamples: int = 2000,
    rng: Rng = None,
) -> TaskRanking:
    """Compare several methods over several tasks.

    Parameters
    ----------
    groups
        Method → task → scores (everything that `compare` takes), or method → array of runs × tasks, as rliable has them. Every
        method needs every task; the numbers of seeds may differ.
    level
        Coverage of the intervals.
    nemenyi
        Also compute Nemenyi's critical difference of mean ranks. It depends on which other methods are compared.
    reference
        `atari`, the path of a table, or task → (score that becomes 0, score that becomes 1): scores are normalised so first.
    enough
        The score that counts as enough for the optimality gap; 1 by default where scores are normalised.
    profile
        Thresholds of a performance profile, how many of them, or `auto`: which share of a method's runs reach them.
    metric, goal
        Which metric of results or frames is meant, and its goal, `min` or `max`, if its name does not show it.
    resamples
        How often the seeds of each task are resampled, at least 100.
    rng
        Generator or integer from which the resampling draws. The same integer gives the same bits.

    Returns
    -------
    TaskRanking
        Interquartile mean, mean and median over tasks, with stratified intervals; P(improvement), averaged over
        tasks; Friedman's test (Iman & Davenport's F); and for each pair Wilcoxon's test of the tasks' means, adjusted
        by Holm.

    Raises
    ------
    UsageError
        For fewer than two methods.
    MetricError
        A method has no scores for a task.
    """
    generator = checked(level, resamples, rng)
    tasks, scores = _by_method(groups, metric, goal, reference)
    first = next(iter(scores.values()))[0]
    chosen = first.goal or Goal.MAX
    up = chosen is Goal.MAX
    values = {name: [s.values for s in of] for name, of in scores.items()}
    summaries = {name: aggregates(of, level, resamples, generator) for name, of in values.items()}
    table = np.array([[x.mean() for x in values[name]] for name in groups]).T
    ranks = _task_ranks(list(values.values()), up, level, generator, resamples)
    places = [
        place(name, summary, rank, None, asked_for(scores[name]))
        for (name, summary), rank in zip(summaries.items(), ranks, strict=True)
    ]
    places.sort(key=lambda of: of.rank)
    order = [of.name for of in places]
    index = {name: k for k, name in enumerate(groups)}
    pairs = _task_pairs(order, values, table, index, up, level, resamples, generator)
    several = len(tasks) > 1 and len(groups) > 2
    cd = stats.critical_difference(len(groups), len(tasks), 1 - level) if nemenyi and len(tasks) > 1 else None
    warnings = _remarks_on_tasks(first, tasks, scores, summaries, reference is not None)
    result = TaskRanking(
        first.metric,
        chosen,
        level,
        tuple(tasks),
        tuple(places),
        tuple(pairs),
        stats.friedman(table, largest=up).f_p_value if several else None,
        cd,
        "",
        tuple(warnings),
        normalised=named(reference),
    )
    result = replace(result, sentence=tasks_sentence(result))
    in_order = {name: values[name] for name in order}
    return _with_profiles(
        _with_gaps(result, in_order, enough_score(enough, reference), resamples, generator),
        in_order,
        profile,
        resamples,
        generator,
    )


def _remarks_on_tasks(
    first: Scores,
    tasks: Sequence[str],
    scores: Mapping[str, Sequence[Scores]],
    summaries: Mapping[str, Mapping[stats.Over, stats.Aggregate]],
    normalised: bool,
) -> list[Advice]:
    """What a reader must know: what did not finish, what was guessed, and how far the intervals and averages hold."""
    values = [[s.values for s in of] for of in scores.values()]
    found = unfinished(scores)
    if first.goal is None:
        found.append(goal_taken(first.metric))
    if max(x.size for of in values for x in of) > 1:
        said = dict.fromkeys(s[stats.Over.IQM].warning for s in summaries.values())
        found += [few_runs(text) for text in said if text]
    return [*found, *_about_tasks(tasks, values), *about_scales(tasks, values, normalised)]


def _by_method(
    groups: Mapping[str, Mapping[str, ScoresLike] | ArrayLike],
    metric: str | None,
    goal: Goal | str | None,
    reference: ReferenceLike | None,
) -> tuple[list[str], dict[str, list[Scores]]]:
    """The tasks, and for each method its scores on each of them."""
    if len(groups) < 2:
        raise UsageError(f"a comparison takes two methods or more; got {', '.join(groups) or 'none'}")
    by_method = {name: as_tasks(of, name) for name, of in groups.items()}
    tasks = list(dict.fromkeys(task for of in by_method.values() for task in of))
    for name, of in by_method.items():
        missing = [task for task in tasks if task not in of]
        if missing:
            raise MetricError(f"{name} has no scores for {', '.join(missing[:5])}: every method needs every task")
    scores = {
        name: [as_scores(of[task], metric, goal, f"{name}, {task}") for task in tasks] for name, of in by_method.items()
    }
    one_metric(s for of in scores.values() for s in of)
    if reference is None:
        return tasks, scores
    ends = [ends_of(as_reference(reference), task) for task in tasks]
    return tasks, {
        name: [rescaled(s, at, task) for s, at, task in zip(of, ends, tasks, strict=True)]
        for name, of in scores.items()
    }


def _with_gaps(
    found: TaskRanking,
    values: Mapping[str, Sequence[Array]],
    enough: float | None,
    resamples: int,
    rng: np.random.Generator,
) -> TaskRanking:
    if enough is None:
        return found
    up = found.goal is Goal.MAX
    gaps = [gap_below(of, enough, up, found.level, resamples, rng) for of in values.values()]
    places = tuple(
        replace(at, gap=gap.gap, gap_interval=None if at.iqm_interval is None else (gap.low, gap.high))
        for at, gap in zip(found.places, gaps, strict=True)
    )
    return replace(found, places=places, enough=enough)


def _with_profiles(
    found: TaskRanking,
    values: Mapping[str, Sequence[Array]],
    thresholds: Sequence[float] | str | int | None,
    resamples: int,
    rng: np.random.Generator,
) -> TaskRanking:
    if thresholds is None:
        return found
    return replace(found, profiles=profiles(values, thresholds, found.goal is Goal.MAX, found.level, resamples, rng))


_FEW_RUNS, _FEW_TASKS = 5, 10
_UNEVEN = 2.0
"""Methods whose numbers of runs of a task differ by this factor or more are not compared over tasks without a word."""


def _about_tasks(tasks: Sequence[str], values: Sequence[Sequence[Array]]) -> list[Advice]:
    """What a reader must know of the intervals, and of averages over tasks whose scores have different sizes."""
    found = []
    runs = [x.size for of in values for x in of]
    if max(runs) == 1:
        found.append(
            Advice(
                "one run of each task, so that there are no intervals over runs; Wilcoxon's test over tasks holds",
                "run more seeds of each task",
            )
        )
    elif min(runs) < _FEW_RUNS or len(tasks) < _FEW_TASKS:
        found.append(
            Advice(
                f"with {min(runs)} runs of each of {len(tasks)} tasks the intervals of P(new better) are too narrow: simulated, they cover .74 to .90 over 3 "
                "tasks with 3 runs, and .91 to .93 over 10, where they say .95 (docs/coverage.md)",
                "run more seeds of each task, or take more tasks",
            )
        )
    uneven = max(max(sizes) / min(sizes) for sizes in ([of[k].size for of in values] for k in range(len(tasks))))
    if uneven >= _UNEVEN:
        found.append(
            Advice(
                f"one method has {uneven:g} times as many runs of a task as another: where scores are skewed, means of few and of many runs lie apart by "
                "themselves, and over 26 tasks a winner was named falsely in up to 10 % of simulations (docs/coverage.md)",
                "run the same seeds of both",
            )
        )
    if len(tasks) < 6:
        found.append(
            Advice(
                f"{len(tasks)} task{'s' if len(tasks) > 1 else ''}, and Wilcoxon's test over tasks cannot reach p < .05 below 6",
                "take six tasks or more, or go by P(new better)",
            )
        )
    return found


def _task_ranks(
    values: Sequence[Sequence[Array]], up: bool, level: float, rng: np.random.Generator, resamples: int
) -> list[tuple[float, tuple[float, float]]]:
    """For each method: its mean rank over the tasks, with an interval.

    On each task, methods are ranked by their mean there. Runs are resampled within tasks.
    """
    from scipy.stats import rankdata

    sign = -1 if up else 1
    total, observed = np.zeros((resamples, len(values))), np.zeros(len(values))
    for task in zip(*values, strict=True):
        observed += rankdata([sign * x.mean() for x in task])
        drawn = [stats.resampled_means(x, resamples, rng) for x in task]
        total += rankdata(sign * np.stack(drawn, axis=1), axis=1)
    n = len(values[0])
    low, high = np.quantile(total / n, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [(float(r), (float(a), float(b))) for r, a, b in zip(observed / n, low, high, strict=True)]


def _task_pairs(
    order: Sequence[str],
    values: Mapping[str, Sequence[Array]],
    table: Array,
    index: Mapping[str, int],
    up: bool,
    level: float,
    resamples: int,
    rng: np.random.Generator,
) -> list[TaskPair]:
    named = [(a, b) for k, a in enumerate(order) for b in order[k + 1 :]]
    d = {(a, b): (table[:, index[a]] - table[:, index[b]]) * (1 if up else -1) for a, b in named}
    raw = [stats.wilcoxon(d[pair]) for pair in named]
    pairs = []
    for (a, b), p, adjusted in zip(named, raw, stats.holm(raw).tolist(), strict=True):
        sides = (values[a], values[b]) if up else ([-x for x in values[a]], [-x for x in values[b]])
        wins = stats.improvement(*sides, level=level, resamples=resamples, rng=rng)
        decision = Decision.UNDECIDED
        if adjusted <= alpha_of(level):
            decision = Decision.BETTER if stats.signed_rank_sum(d[a, b]) > 0 else Decision.WORSE
        pairs.append(
            TaskPair(
                a,
                b,
                wins.probability,
                (wins.low, wins.high) if max(map(len, [*values[a], *values[b]])) > 1 else None,
                p,
                adjusted,
                int((d[a, b] > 0).sum()),
                decision,
            )
        )
    return pairs
