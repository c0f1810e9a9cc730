"""Choosing the best run honestly, and comparing a mean with a number."""

import numpy as np

from .. import stats
from ..decisions import Against, Choice
from ..errors import MetricError, UsageError
from ..reports.decisions import p_text, places_of
from ..results import Goal, Reduce, Results, Scores
from ..wording import option
from ..words import decimals, number, printable
from .scores import ScoresLike, as_scores


def select(results: Results, by: str, report: str, *, goal: Goal | str | None = None) -> Choice:
    """Choose the best run by one metric (validation) and say what to report of it by another (test).

    The test score of the chosen run is only one draw. What to report for "the best of n by validation" is its
    expectation over all choices of n of these runs, `expected[n - 1]`. The mean over all runs is given too.

    Parameters
    ----------
    results
        Runs with both metrics.
    by, report
        Names of the metrics. They must differ: a score that was used for the choice is too good, by the amount that
        `expected_best` says.
    goal
        Goal of `by`, `min` or `max`. By default it is guessed from its name.

    Raises
    ------
    UsageError, MetricError
        The metrics are the same, or no run has both.
    """
    if by == report:
        raise UsageError(
            f"choosing and reporting by {by} flatters the result: report another metric, or sw.expected_best for what it buys"
        )
    a, b = as_scores(results, by, goal, results.name), as_scores(results, report, None, results.name)
    if b.reduce is Reduce.BEST:
        raise UsageError(
            f"the best value of {report} over the steps of a run is a choice by {report} itself, and flatters it: report its last value (without "
            f"{option('--reduce best')})"
        )
    shared = [seed for seed in a.by_seed if seed in b.by_seed]
    if not shared:
        raise MetricError(f"no run of {results.name} has both {by} and {report}")
    x, y = (np.array([side.by_seed[seed] for seed in shared]) for side in (a, b))
    found = stats.select(x, y, largest=a.goal is not Goal.MIN)
    seed, n = shared[found.index], len(shared)
    k = decimals(float(y.std(ddof=1)) if n > 1 else None, found.mean)
    tied = f" ({found.ties} runs tie)" if found.ties > 1 else ""
    sentence = (
        f"Seed {seed} is best of {n} by {printable(a.label)}{tied}; its {printable(b.label)} is {number(found.report, k)}. A run chosen "
        f"so is to be expected at {number(found.expected[-1], k)}, against {number(found.mean, k)} for a run not chosen at all."
    )
    return Choice(seed, a.metric, found.by, b.metric, found.report, found.mean, found.expected, found.ties, sentence)


def against_threshold(
    scores: ScoresLike,
    threshold: float,
    *,
    alpha: float = 0.01,
    below: bool | None = None,
    looked_from: int | None = None,
    looked_to: int | None = None,
    goal: Goal | str | None = None,
    metric: str | None = None,
    rng: np.random.Generator | int | None = None,
) -> Against:
    """Is the mean beyond a number? A leaderboard asks, for example: "mean loss ≤ 3.28 at p < .01".

    Parameters
    ----------
    scores
        Everything that `compare` takes.
    threshold
        The number, in the metric's units.
    alpha
        The p below which the claim is shown.
    below
        Whether the claim is `mean ≤ threshold`. By default True where less is better.
    looked_from
        If runs were added after looking: how many runs there were at the first look. Then `p_looked` decides, which
        holds though one stops at the first success, with no largest number of runs.
    looked_to
        The largest number of runs, if it was fixed before the first look: fewer runs are then needed.
    rng
        Generator or integer for the simulation that `looked_to` needs.
    metric, goal
        Which metric of results or frames is meant, and its goal, `min` or `max`, if its name does not show it.

    Returns
    -------
    Against
        One-sided Student t. `needed` is the number of seeds that would settle the question with power .8, if mean and
        SD stay as they are.

    Raises
    ------
    UsageError
        It is not known whether less or more is better, or a number is out of range.
    """
    found = as_scores(scores, metric, goal)
    if below is None:
        if found.goal is None:
            raise UsageError(f"is {found.metric} to be below or above {threshold:g}? below=True or False")
        below = found.goal is Goal.MIN
    try:
        test = stats.against_threshold(
            found.values, threshold, below=below, alpha=alpha, looked_from=looked_from, looked_to=looked_to, rng=rng
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    return Against(
        found.metric,
        threshold,
        below,
        test.n,
        test.mean,
        test.sd,
        test.p_value,
        alpha,
        test.settled,
        test.needed,
        test.p_looked,
        _against_sentence(found, test),
    )


_HOPELESS = 50
"""From so many times the seeds that there are, nothing is said of how many would be needed."""


def _against_sentence(scores: Scores, t: stats.ThresholdTest) -> str:
    from ..decisions import Group

    k = places_of((Group("", t.n, t.n, t.mean, t.sd, None),))
    claim = f"mean {printable(scores.label)} {'≤' if t.below else '≥'} {t.threshold:g}"
    if t.p_value is None and t.n > 1:
        return (
            f"Whether {claim} cannot be said: all {t.n} seeds give {number(t.mean, k)}. No spread seen means that the seed does not reach the result, or that "
            "scores are rounded too coarsely; many equal runs say no more than one."
        )
    if t.p_value is None:
        return f"Whether {claim} cannot be said from one seed ({number(t.mean, k)})."
    figures = f"mean {number(t.mean, k)} over {t.n} seeds, {p_text(t.p_value)}, one-sided t, for roughly normal scores"
    price = ""
    if t.p_looked is not None:
        end = "whenever one stops" if t.looked_to is None else f"to {t.looked_to} at most"
        price = f"; looked at after every seed from {t.looked_from} on, {end}, that is really {p_text(t.p_looked)}"
    if t.settled:
        return f"It is shown that {claim} at p < {t.alpha:g} ({figures}{price})."
    text = f"It is not shown that {claim} at p < {t.alpha:g} ({figures}{price})."
    if t.needed is None:
        wrong = t.mean >= t.threshold if t.below else t.mean <= t.threshold
        return f"{text} " + (
            "The mean lies on the wrong side." if wrong else "No number of seeds in reach would settle it."
        )
    if t.needed > _HOPELESS * t.n:
        return text
    fresh = t.looked_from is not None
    more = f"about {t.needed} {'fresh ' if fresh else ''}seeds" if fresh or t.needed > t.n else "a few more seeds"
    return f"{text} If mean and SD stay as they look, {more}, fixed beforehand, would settle it with power .8."
