"""How many seeds a comparison needs, and what the existing seeds can show."""

import math
from typing import Any

import numpy as np

from .. import stats
from ..decisions import Plan
from ..errors import UsageError
from ..results import Goal
from ..wording import is_at_command_line, option
from .scores import ScoresLike, as_scores


def plan(
    effect: float | None = None,
    *,
    sd: float | None = None,
    pilot: ScoresLike | None = None,
    base: ScoresLike | None = None,
    n: int | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    margin: float | None = None,
    probability: float | None = None,
    design: str = "two",
    metric: str | None = None,
) -> Plan:
    """How many seeds a comparison needs; or, for existing seeds, the power or the smallest effect that they show.

    Parameters
    ----------
    effect
        The true difference that matters, in the metric's units.
    sd
        SD between seeds, in the metric's units. With `design="paired"`: the SD of the differences.
    pilot, base
        Instead of `sd`: scores from which the SD is computed, and those of the other side.
    n
        Number of existing seeds (of each side). Gives the power for `effect`, or the smallest effect that has this
        power.
    power
        Probability that the comparison shows the effect.
    alpha
        Two-sided error.
    margin
        The number after ± that the t interval of one mean should have.
    probability
        P(new better) that should be shown to be above ½ (Noether's formula; one-sided, as published).
    design
        `two` groups, `paired`, or `one` against a number.
    metric
        Which metric of the pilot.

    Raises
    ------
    UsageError
        The arguments do not make one question.
    """
    if probability is not None:
        given = {"effect=": effect, "sd=": sd, "pilot=": pilot, "base=": base, "n=": n, "margin=": margin}
        ignored = [name for name, value in given.items() if value is not None]
        if ignored:
            raise UsageError(f"{' and '.join(ignored)} would be ignored: probability= is a question of its own")
    if margin is not None and (effect is not None or n is not None):
        raise UsageError("two questions: margin= is for one mean, effect= and n= are for a difference")
    if sd is not None and (pilot is not None or base is not None):
        raise UsageError("sd= and pilot= say the same twice: leave one out")
    details: dict[str, Any] = {}
    try:
        kind = stats.Design(design)
        if probability is not None:
            return _for_probability(probability, power, alpha, kind)
        other = None
        if sd is None:
            if pilot is None:
                raise UsageError(
                    f"plan takes the SD between seeds, {option('--sd 0.02')}, or a pilot to take it from, {option('--pilot NAME')}"
                )
            sd, other, details = _from_pilot(pilot, base, kind, metric)
        if margin is not None:
            return _for_margin(margin, sd, alpha, kind, details)
        return _for_effect(effect, sd, other, n, power, alpha, kind, details)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _for_probability(probability: float, power: float, alpha: float, kind: stats.Design) -> Plan:
    """Seeds that show that one run of new is better than one run of base more often than not."""
    paired = kind is stats.Design.PAIRED
    seeds = stats.seeds_for_superiority(probability, power=power, alpha=alpha, paired=paired)
    sentence = (
        f"{seeds} {'pairs' if paired else 'seeds each'} show with power {power:g} that one run of new beats one of base more than half "
        f"of the time, if it truly does so {probability:g} of the time (one-sided, α = {alpha:g})."
    )
    return Plan(sentence, seeds, power, probability, None, alpha, kind.value)


def _for_margin(margin: float, sd: float, alpha: float, kind: stats.Design, details: dict[str, Any]) -> Plan:
    """Seeds with which the interval of a mean has the margin that was asked for."""
    seeds = stats.seeds_for_margin(sd, margin, 1 - alpha)
    valid = stats.forecast(sd, margin, 1 - alpha)
    details["seeds_when_looking"] = valid
    sentence = (
        f"About {seeds} seeds give a mean ± {margin:g} ({(1 - alpha) * 100:g} % t interval) at an SD of {sd:.3g}; about {valid} when it "
        "is looked at after every seed (t confidence sequence)."
    )
    return Plan(sentence, seeds, None, None, sd, alpha, kind.value, margin, details)


def _from_pilot(
    pilot: ScoresLike, base: ScoresLike | None, kind: stats.Design, metric: str | None
) -> tuple[float, float | None, dict[str, Any]]:
    a = as_scores(pilot, metric, None, "pilot")
    if len(a) < 2:
        raise UsageError("a pilot of one seed says nothing about spread: run two or more")
    x, other = a.values, None
    if base is not None:
        b = as_scores(base, metric, None, "base")
        if kind is stats.Design.PAIRED:
            shared = [seed for seed in a.by_seed if seed in b.by_seed]
            if len(shared) < 2:
                raise UsageError("a paired pilot takes two shared seeds or more")
            x = np.array([a[seed] - b[seed] for seed in shared])
        else:
            other = float(b.values.std(ddof=1)) or None
    elif kind is stats.Design.PAIRED:
        raise UsageError(
            f"a paired plan takes the SD of differences: give {option('--sd 0.02')}, or both sides of a pilot"
        )
    sd = float(x.std(ddof=1))
    if not sd > 0:
        raise UsageError("the pilot does not vary at all: does the seed reach the result?")
    from scipy.special import chdtri

    df = x.size - 1
    between = tuple(sd * math.sqrt(df / float(chdtri(df, tail))) for tail in (0.025, 0.975))
    return sd, other, {"pilot_n": int(x.size), "sd_interval": list(between)}


def _for_effect(
    effect: float | None,
    sd: float,
    other: float | None,
    n: int | None,
    power: float,
    alpha: float,
    kind: stats.Design,
    details: dict[str, Any],
) -> Plan:
    """Seeds for an effect. If `n` is given: the power for the effect, or the smallest effect."""
    each = {stats.Design.TWO: "seeds each", stats.Design.PAIRED: "pairs of seeds", stats.Design.ONE: "seeds"}[kind]
    spread = f"an SD of {sd:.3g}" if other is None else f"SDs of {sd:.3g} and {other:.3g}"

    def found(sentence: str, seeds: int, got: float, shown: float) -> Plan:
        return Plan(sentence, seeds, got, shown, sd, alpha, kind.value, None, details)

    uncertain = "" if effect is None else _uncertain(effect, sd, other, power, alpha, kind, details)
    if n is None:
        if effect is None:
            raise UsageError(
                f"plan takes the effect that matters, {option('--effect 0.01')}, or the seeds that there are, {'-n 10' if is_at_command_line() else 'n=10'}"
            )
        seeds = stats.seeds_for(effect, sd, power=power, alpha=alpha, design=kind, sd_base=other)
        seeds = seeds if kind is stats.Design.ONE else max(seeds, stats.fewest(alpha, kind))
        while (got := stats.power_of_comparison(effect, sd, seeds, alpha=alpha, design=kind, sd_base=other)) < power:
            seeds += 1
        sentence = f"{seeds} {each} show a difference of {abs(effect):g} with power {got:.2f} at {spread} (two-sided, α = {alpha:g})."
        return found(sentence + uncertain, seeds, got, abs(effect))
    if kind is not stats.Design.ONE and n < stats.fewest(alpha, kind):
        sentence = (
            f"{n} {each} can show nothing at α = {alpha:g}: the permutation test of `compare` cannot give a p below {stats.smallest_p(n, kind):.2g}; "
            f"{stats.fewest(alpha, kind)} are the fewest."
        )
        return Plan(sentence, n, 0.0, effect if effect is None else abs(effect), sd, alpha, kind.value, None, details)
    smallest = stats.detectable_by_comparison(sd, n, power=power, alpha=alpha, design=kind, sd_base=other)
    details["detectable"] = smallest
    if effect is None:
        sentence = f"{n} {each} show a difference of {smallest:.3g} or more with power {power:g} at {spread}."
        return found(sentence, n, power, smallest)
    got = stats.power_of_comparison(effect, sd, n, alpha=alpha, design=kind, sd_base=other)
    sentence = (
        f"{n} {each} show a difference of {abs(effect):g} with power {got:.2f} at {spread}; the smallest they show with power "
        f"{power:g} is {smallest:.3g}."
    )
    return found(sentence + uncertain, n, got, abs(effect))


def _uncertain(
    effect: float,
    sd: float,
    other: float | None,
    power: float,
    alpha: float,
    kind: stats.Design,
    details: dict[str, Any],
) -> str:
    """Says between which numbers of seeds the pilot leaves the choice; "" without a pilot."""
    if "sd_interval" not in details:
        return ""
    low, high = (
        stats.seeds_for(effect, s, power=power, alpha=alpha, design=kind, sd_base=other and s * other / sd)
        for s in details["sd_interval"]
    )
    details["seeds_interval"] = [low, high]
    return f" The pilot's {details['pilot_n']} seeds leave the SD open: anything from {low} to {high} may be needed."


def expected_best(
    scores: ScoresLike,
    n: int,
    *,
    goal: Goal | str | None = None,
    metric: str | None = None,
    estimator: str = "unbiased",
) -> float:
    """The expected score of the best of n seeds: how much it gains to pick the luckiest one.

    Parameters
    ----------
    scores
        Everything that `compare` takes.
    n
        Number of seeds. For the unbiased estimate at most the number of scores.
    estimator
        `unbiased` (Tang et al. 2020) or `dodge` (Dodge et al. 2019), which is biased towards the mean.
    metric, goal
        Which metric of results or frames is meant, and its goal, `min` or `max`, if its name does not show it.

    Raises
    ------
    UsageError
        n is larger than the number of scores, or is no integer.
    """
    found = as_scores(scores, metric, goal)
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise UsageError(f"n is a number of seeds; got {n!r}")
    try:
        return stats.expected_best(
            found.values, int(n), largest=found.goal is not Goal.MIN, estimator=stats.Estimator(estimator)
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
