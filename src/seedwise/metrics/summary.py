"""One metric over seeds in numbers, with the names that all output uses."""

import math
from enum import StrEnum
from typing import Any, Literal

import numpy as np

from ..advice import Advice
from ..errors import UsageError
from ..results import Goal, Scores, Summary
from ..stats import Method, bootstrap, describe, share_interval, t_sequence
from ..stats.sequential import START
from ..wording import is_at_command_line
from .goals import bounds_of

_SOLVED = frozenset({"success", "solved", "win", "won", "passed", "converged"})
"""Names of scores that are 1 or 0: whether a run succeeded."""


class Interval(StrEnum):
    """How the interval of the mean is computed."""

    T = "t"
    STUDENTISED = "studentised"
    BCA = "bca"
    PERCENTILE = "percentile"
    ANYTIME = "anytime"


def summary_of(
    found: Scores,
    how: Interval = Interval.T,
    level: float = 0.95,
    resamples: int = 9999,
    rng: np.random.Generator | int | None = None,
) -> Summary:
    """The numbers of one metric. Scores that are no numbers give none: the summary has a reason.

    Raises UsageError if there are too few scores for the interval.
    """
    n = found.n or len(found)
    values = found.values
    if not np.isfinite(values).all():
        broken = [seed for seed, value in found.by_seed.items() if not math.isfinite(value)]
        shown = ", ".join(map(str, broken[:10])) + (" …" if len(broken) > 10 else "")
        reason = f"NaN or infinite under seed {shown}: no mean can be given"
        nothing: dict[str, Any] = dict.fromkeys(
            ("mean", "sd", "sem", "interval", "median", "iqm", "min", "max", "best_seed", "worst_seed")
        )
        return Summary(
            found.metric, found.goal, n, len(found), level=level, reason=reason, reduce=found.reduce, **nothing
        )
    d = describe(values, level)
    seeds = found.seeds
    low, high = seeds[int(np.argmin(values))], seeds[int(np.argmax(values))]
    best, worst = {Goal.MIN: (low, high), Goal.MAX: (high, low), None: (None, None)}[found.goal]
    between, method, note = _interval(found, how, level, resamples, rng, d.interval)
    return Summary(
        found.metric,
        found.goal,
        n,
        len(found),
        d.mean,
        d.sd,
        d.sem,
        between,
        level,
        d.median,
        d.iqm,
        d.min,
        d.max,
        best,
        worst,
        "",
        method,
        note,
        found.reduce,
    )


def _interval(
    scores: Scores,
    how: Interval,
    level: float,
    resamples: int,
    rng: np.random.Generator | int | None,
    student: tuple[float, float] | None,
) -> tuple[tuple[float, float] | None, str, Advice | Literal[""]]:
    if student is None:
        return None, "t interval", ""
    if student[0] == student[1] and how is not Interval.ANYTIME:
        return None, "t interval", ""  # without any spread nothing is known of it: many equal runs say no more than one
    if how is Interval.T:
        if set(scores.values.tolist()) == {0.0, 1.0} or (
            scores.metric in _SOLVED and set(scores.values.tolist()) <= {0.0, 1.0}
        ):
            return share_interval(int(scores.values.sum()), len(scores), level), "Clopper-Pearson interval", ""
        return student, "t interval", _beyond(scores, student)
    if how is Interval.ANYTIME:
        found = t_sequence(scores.values, level)
        if not math.isfinite(found.half):
            few = Advice(f"this interval begins at {START} seeds", f"run {START - len(scores)} more")
            return None, found.method, few
        return (found.low, found.high), found.method, ""
    try:
        drawn = bootstrap(scores.values, method=Method(how.value), level=level, resamples=resamples, rng=rng)
    except ValueError as error:
        raise UsageError(str(error)) from None
    t = "`seedwise summarize` with --interval t" if is_at_command_line() else 'interval="t"'
    note: Advice | Literal[""] = Advice(drawn.warning, f"take {t}, or more seeds") if drawn.warning else ""
    return drawn.interval, f"{drawn.method} bootstrap interval", note


def _beyond(scores: Scores, interval: tuple[float, float]) -> Advice | Literal[""]:
    """What must be said of an interval that reaches where no score can be."""
    bounds = bounds_of(scores.metric, float(scores.values.min()), float(scores.values.max()))
    if bounds is None or (bounds[0] <= interval[0] and interval[1] <= bounds[1]):
        return ""
    at_command_line = is_at_command_line()
    studentised = "`seedwise summarize` with --interval studentised" if at_command_line else 'interval="studentised"'
    edge = bounds[0] if interval[0] < bounds[0] else bounds[1]
    return Advice(
        f"the t interval reaches beyond {edge:g}, where no score can be: near a bound scores are skewed, so that it is only rough",
        f"take more seeds, or {studentised} from 10 seeds on",
    )
