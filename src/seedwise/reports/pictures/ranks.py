"""The critical-difference diagram: mean ranks of several methods over tasks, and which of them lie too close together."""

from collections.abc import Mapping
from dataclasses import dataclass

from ...decisions import TaskRanking
from ...errors import UsageError
from ...wording import switched_on
from ...words import printable
from ..decisions import percent
from .altairs import Chart, altair
from .kinds import Columns, Kind
from .looks import COLOURS, OPEN


@dataclass(frozen=True)
class RanksInfo:
    """Mean ranks, best first; `groups` are the longest rows of methods that lie within the critical difference."""

    metric: str
    level: float
    tasks: int
    names: tuple[str, ...]
    ranks: tuple[float, ...]
    critical_difference: float
    groups: tuple[tuple[float, float], ...]

    kind = Kind.RANKS

    @property
    def last(self) -> float:
        """Where the axis ends."""
        return max(float(len(self.names)), 1.0 + self.critical_difference)

    def data(self) -> Mapping[str, Columns]:
        """`ranks`: a row for each method; `groups`: for each row of them; `critical`: the bar that shows the difference."""
        count = len(self.groups)
        n = len(self.names)
        half = (n + 1) // 2
        return {
            "ranks": {
                "method": list(self.names),
                "rank": list(self.ranks),
                "line": [-(k + 1) if k < half else -(n - k) for k in range(n)],
                "axis": [0] * n,
                "side": [1.0 if k < half else self.last for k in range(n)],
                "left": [k < half for k in range(n)],
            },
            "groups": {
                "low": [low for low, _ in self.groups],
                "high": [high for _, high in self.groups],
                "line": [0.9 - 0.6 * k / max(1, count) for k in range(count)],
            },
            "critical": {"low": [1.0], "high": [1.0 + self.critical_difference], "line": [1.8], "word": ["CD"]},
        }

    def caption(self) -> str:
        """What is ranked, and what the bars join."""
        return (
            f"Mean ranks in {printable(self.metric)} over {self.tasks} tasks (1 is best). Bars join methods whose ranks differ by less than Nemenyi's critical "
            f"difference at {percent(self.level)}, CD = {self.critical_difference:.2f} (Demšar 2006): what it says of two methods depends on the others."
        )


def ranks_info(found: TaskRanking) -> RanksInfo:
    """The picture's numbers. Raises UsageError for a ranking without a critical difference."""
    cd = found.critical_difference
    if cd is None:
        raise UsageError(
            f"the diagram takes Nemenyi's critical difference, over two tasks or more: {switched_on('--nemenyi')}"
        )
    places = sorted(found.places, key=lambda p: p.rank)
    ranks = [p.rank for p in places]
    reach = [max(k for k, other in enumerate(ranks) if other - rank <= cd) for rank in ranks]
    groups = [(ranks[k], ranks[end]) for k, end in enumerate(reach) if end > k and (k == 0 or end > reach[k - 1])]
    names = tuple(p.name for p in places)
    return RanksInfo(found.metric, found.level, len(found.tasks), names, tuple(ranks), cd, tuple(groups))


def ranks_chart(info: RanksInfo) -> Chart:
    """An axis of ranks; a line from each method's rank down to its name; bars above."""
    alt = altair()
    n = len(info.names)
    x = alt.X(
        "rank:Q",
        title="mean rank",
        scale=alt.Scale(domain=[1.0, info.last], nice=False),
        axis=alt.Axis(orient="top", tickMinStep=1, grid=False),
    )
    y = alt.Y("line:Q", axis=None, scale=alt.Scale(domain=[-((n + 1) // 2 + 0.6), 3.0], nice=False))
    ranks = alt.Chart(alt.NamedData("ranks"))
    told = ["method:N", "rank:Q"]
    drop = ranks.mark_rule(color=OPEN).encode(x=x, y=y, y2="axis:Q")
    point = ranks.mark_point(filled=True, size=28, color=COLOURS[0], opacity=1).encode(
        x=x, y=alt.Y("axis:Q", axis=None), tooltip=told
    )
    across = ranks.mark_rule(color=OPEN).encode(x=x, x2="side:Q", y=y)
    names = [
        ranks.transform_filter(alt.datum.left == left)
        .mark_text(align="right" if left else "left", dx=-4 if left else 4, baseline="middle")
        .encode(x=alt.X("side:Q"), y=y, text="method:N")
        for left in (True, False)
    ]
    bars = alt.Chart(alt.NamedData("groups")).mark_rule(strokeWidth=4, color=COLOURS[1])
    cd = alt.Chart(alt.NamedData("critical"))
    scale = cd.mark_rule(strokeWidth=1.5, color=OPEN).encode(x="low:Q", x2="high:Q", y=y)
    word = cd.mark_text(align="left", dx=4, baseline="middle").encode(x="high:Q", y=y, text="word:N")
    return alt.layer(drop, across, bars.encode(x="low:Q", x2="high:Q", y=y), point, *names, scale, word).properties(
        height=14 * ((n + 1) // 2) + 52
    )
