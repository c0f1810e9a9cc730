"""How many seeds, and what those that are there could show."""

import math
from typing import Any

import numpy as np

from .. import stats
from ..decisions import Plan
from ..errors import UsageError
from ..metrics.goals import Goal
from .scores import as_scores


def plan(
    effect: float | None = None,
    *,
    sd: float | None = None,
    pilot: Any = None,
    base: Any = None,
    n: int | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    margin: float | None = None,
    probability: float | None = None,
    design: str = "two",
    metric: str | None = None,
) -> Plan:
    """How many seeds a comparison takes; or the power, or the smallest effect, of those that are there.

    Parameters
    ----------
    effect
        The true difference that matters, in the metric's units.
    sd
        SD between seeds; or `pilot`, scores (and `base`, those of the other side) to take it from. With `design="paired"` it is the
        SD of the differences.
    n
        Seeds that there are (each): gives the power for `effect`, and the smallest effect with `power`.
    margin
        The number after ± that the t interval of one mean shall have.
    probability
        P(new better) that shall be shown to be above ½ (Noether's formula; one-sided, as published).
    design
        `two` groups, `paired`, or `one` against a number.

    Raises
    ------
    UsageError
        When what is given does not make a question.
    """
    details: dict[str, Any] = {}
    try:
        kind = stats.Design(design)
        if probability is not None:
            seeds = stats.seeds_for_superiority(
                probability, power=power, alpha=alpha, paired=kind is stats.Design.PAIRED
            )
            each = "pairs" if kind is stats.Design.PAIRED else "seeds each"
            return Plan(
                f"{seeds} {each} show with power {power:g} that one run of new beats one of base more than half of the time, if it "
                f"truly does so {probability:g} of the time (one-sided, α = {alpha:g}).",
                seeds, power, probability, None, alpha, kind.value,
            )  # fmt: skip
        other = None
        if sd is None:
            if pilot is None:
                raise UsageError("plan takes the SD between seeds (sd=), or a pilot to take it from (pilot=)")
            sd, other, details = _from_pilot(pilot, base, kind, metric)
        if margin is not None:
            seeds = stats.seeds_for_margin(sd, margin, 1 - alpha)
            valid = stats.forecast(sd, margin, 1 - alpha)
            details["seeds_when_looking"] = valid
            return Plan(
                f"About {seeds} seeds give a mean ± {margin:g} ({(1 - alpha) * 100:g} % t interval) at an SD of {sd:.3g}; about {valid} when it "
                "is looked at after every seed (t confidence sequence).",
                seeds, None, None, sd, alpha, kind.value, margin, details,
            )  # fmt: skip
        return _for_effect(effect, sd, other, n, power, alpha, kind, details)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _from_pilot(
    pilot: Any, base: Any, kind: stats.Design, metric: str | None
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
        raise UsageError("a paired plan takes the SD of differences: give sd=, or both sides of a pilot")
    sd = float(x.std(ddof=1))
    if not sd > 0:
        raise UsageError("the pilot does not vary at all: does the seed reach the result?")
    from scipy.special import chdtri

    df = x.size - 1
    between = tuple(sd * math.sqrt(df / float(chdtri(df, tail))) for tail in (0.025, 0.975))
    return sd, other, {"pilot_n": int(x.size), "sd_interval": list(between)}


def _for_effect(
    effect: float | None, sd: float, other: float | None, n: int | None, power: float, alpha: float, kind: stats.Design,
    details: dict[str, Any],
) -> Plan:  # fmt: skip
    each = {stats.Design.TWO: "seeds each", stats.Design.PAIRED: "pairs of seeds", stats.Design.ONE: "seeds"}[kind]
    spread = f"an SD of {sd:.3g}" if other is None else f"SDs of {sd:.3g} and {other:.3g}"
    uncertain = ""
    if "sd_interval" in details and effect is not None:
        low, high = (
            stats.seeds_for(effect, s, power=power, alpha=alpha, design=kind, sd_base=other and s * other / sd)
            for s in details["sd_interval"]
        )
        details["seeds_interval"] = [low, high]
        uncertain = (
            f" The pilot's {details['pilot_n']} seeds leave the SD open: anything from {low} to {high} may be needed."
        )
    if n is None:
        if effect is None:
            raise UsageError("plan takes the effect that matters (effect=), or the seeds that there are (n=)")
        seeds = stats.seeds_for(effect, sd, power=power, alpha=alpha, design=kind, sd_base=other)
        got = stats.power(effect, sd, seeds, alpha=alpha, design=kind, sd_base=other)
        return Plan(
            f"{seeds} {each} show a difference of {abs(effect):g} with power {got:.2f} at {spread} (two-sided, α = {alpha:g})."
            + uncertain,
            seeds, got, abs(effect), sd, alpha, kind.value, None, details,
        )  # fmt: skip
    smallest = stats.detectable(sd, n, power=power, alpha=alpha, design=kind, sd_base=other)
    details["detectable"] = smallest
    if effect is None:
        return Plan(
            f"{n} {each} show a difference of {smallest:.3g} or more with power {power:g} at {spread}.",
            n, power, smallest, sd, alpha, kind.value, None, details,
        )  # fmt: skip
    got = stats.power(effect, sd, n, alpha=alpha, design=kind, sd_base=other)
    return Plan(
        f"{n} {each} show a difference of {abs(effect):g} with power {got:.2f} at {spread}; the smallest they show with power "
        f"{power:g} is {smallest:.3g}." + uncertain,
        n, got, abs(effect), sd, alpha, kind.value, None, details,
    )  # fmt: skip


def expected_best(
    scores: Any, n: int, *, goal: Goal | str | None = None, metric: str | None = None, estimator: str = "unbiased"
) -> float:
    """The score to be expected of the best of n seeds: what picking a lucky one buys.

    Parameters
    ----------
    scores
        What `compare` takes.
    n
        At most as many as there are scores, for the unbiased estimate.
    estimator
        `unbiased` (Tang et al. 2020) or `dodge` (Dodge et al. 2019), which is biased towards the mean.

    Raises
    ------
    UsageError
        For n beyond the number of scores.
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
