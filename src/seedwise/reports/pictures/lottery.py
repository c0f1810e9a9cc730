"""The seed lottery: what reporting the best of n seeds would claim."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import MetricError
from ...results import Goal, Scores
from ...stats.lottery import expected_best
from ...wording import either_goal
from ...words import decimals, number, printable, seed_list
from .altairs import Chart, altair, value_scale
from .kinds import Columns, Kind
from .looks import COLOURS

_MOST = 40


@dataclass(frozen=True)
class LotteryInfo:
    """The expected best of n seeds, for n from 1 to all of them."""

    metric: str
    goal: Goal
    n: tuple[int, ...]
    best: tuple[float, ...]
    mean: float
    sd: float

    kind = Kind.LOTTERY

    def data(self) -> Mapping[str, Columns]:
        """`best`: a row for each n; `mean`: one row."""
        return {"best": {"n": list(self.n), "best": list(self.best)}, "mean": {"mean": [self.mean]}}

    def caption(self) -> str:
        """What the best of some seeds would claim."""
        k = decimals(self.sd or None, self.mean)
        near = min(range(len(self.n)), key=lambda i: abs(self.n[i] - 10))
        return (
            f"What reporting the best of n seeds would claim in {printable(self.metric)} (expected best of n drawn from these {self.n[-1]} seeds, Tang et al. 2020); "
            f"dashed: the mean, {number(self.mean, k)}. The best of {self.n[near]} is to be expected at {number(self.best[near], k)}, by luck alone."
        )


def lottery_info(scores: Scores) -> LotteryInfo:
    """The picture's numbers.

    Raises
    ------
    MetricError
        It is not known which end is better, or there are fewer than three seeds, or what is no number.
    """
    if scores.goal is None:
        raise MetricError(
            f"whether more or less {printable(scores.metric)} is better is not known: {either_goal(printable(scores.metric))}"
        )
    values = scores.values
    if len(values) < 3 or not np.isfinite(values).all():
        broken = [seed for seed, v in scores.by_seed.items() if not np.isfinite(v)]
        why = f"NaN or infinite under seed {seed_list(broken)}" if broken else f"{len(values)} of them"
        raise MetricError(
            f"the lottery of {printable(scores.metric)} takes three seeds or more, all with numbers: {why}"
        )
    total = len(values)
    at = np.unique(np.rint(np.geomspace(1, total, min(total, _MOST))).astype(int)).tolist()
    at = sorted({*at, min(10, total)})
    best = tuple(expected_best(values, n, largest=scores.goal is Goal.MAX) for n in at)
    return LotteryInfo(scores.label, scores.goal, tuple(at), best, float(values.mean()), float(values.std(ddof=1)))


def lottery_chart(info: LotteryInfo) -> Chart:
    """The expected best over n, on a logarithmic axis, and the mean."""
    alt = altair()
    x = alt.X("n:Q", title="seeds tried, of which the best is reported", scale=alt.Scale(type="log", nice=False))
    y = alt.Y("best:Q", title=printable(info.metric), scale=value_scale(info.best), axis=alt.Axis(tickCount=5))
    base = alt.Chart(alt.NamedData("best"))
    line = base.mark_line(color=COLOURS[1], point=alt.OverlayMarkDef(color=COLOURS[1], size=14))
    mean = alt.Chart(alt.NamedData("mean")).mark_rule(strokeDash=[4, 3], color=COLOURS[0], strokeWidth=1.4)
    return alt.layer(
        mean.encode(y=alt.Y("mean:Q"), tooltip=["mean:Q"]), line.encode(x=x, y=y, tooltip=["n:Q", "best:Q"])
    ).properties(height=100)
