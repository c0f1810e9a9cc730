"""How scores are distributed: the empirical distribution function with its band, and a histogram."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import MetricError
from ...results import Goal, Scores
from ...stats.shares import Ecdf, Histogram, ecdf, histogram
from ...words import printable
from .altairs import Chart, altair, line_scales, value_axis, value_scale
from .kinds import Columns, Kind
from .looks import COLOURS, label

MOST_POINTS = 1000
"""More steps than these no picture can show."""


@dataclass(frozen=True)
class EcdfInfo:
    """The share of seeds that score at most each value, for each group by its label."""

    metric: str
    goal: Goal | None
    groups: Mapping[str, Ecdf]

    kind = Kind.ECDF

    def data(self) -> Mapping[str, Columns]:
        """`share`: a row for each distinct score of each group, and one before the lowest."""
        found: dict[str, list[object]] = {name: [] for name in ("group", "value", "share", "low", "high")}
        for name, e in self.groups.items():
            kept = _kept(len(e.values))
            found["group"] += [name] * (len(kept) + 1)
            found["value"] += [float(e.values[0]), *e.values[kept].tolist()]
            found["share"] += [0.0, *e.share[kept].tolist()]
            found["low"] += [0.0, *e.low[kept].tolist()]
            found["high"] += [float(e.high[0] - e.share[0]) if e.high[0] < 1 else 1.0, *e.high[kept].tolist()]
        return {"share": found}

    def caption(self) -> str:
        """What the line is, and for what the band holds."""
        level = next(iter(self.groups.values())).level
        said = "; ".join(printable(name) for name in self.groups)
        return (
            f"Share of seeds whose {printable(self.metric)} is at most the value below; {said}. The band holds the whole curve with probability {level * 100:g} % "
            f"(Dvoretzky, Kiefer and Wolfowitz).{self._thinned()}"
        )

    def _thinned(self) -> str:
        most = max(len(e.values) for e in self.groups.values())
        return f" {MOST_POINTS:,} of its {most:,} steps are drawn." if most > MOST_POINTS else ""


def _kept(n: int) -> NDArray[np.intp]:
    """Which of n steps are drawn: the first, the last, and others equally far apart in their order."""
    return np.unique(np.rint(np.linspace(0, n - 1, min(n, MOST_POINTS))).astype(np.intp))


def ecdf_info(groups: Mapping[str, Scores], level: float = 0.95) -> EcdfInfo:
    """The picture's numbers. Raises MetricError for scores that are no numbers."""
    first = next(iter(groups.values()))
    try:
        found = {label(name, s.n or len(s), len(s)): ecdf(s.values, level) for name, s in groups.items()}
    except ValueError as error:
        raise MetricError(f"{printable(first.metric)}: {error}") from None
    return EcdfInfo(first.label, first.goal, found)


def ecdf_chart(info: EcdfInfo) -> Chart:
    """Steps with bands."""
    alt = altair()
    names = list(info.groups)
    stroke, dash, fill = line_scales(
        "group", names, [f"band: {next(iter(info.groups.values())).level * 100:g} %, of the whole curve"]
    )
    x = value_axis(
        "value", printable(info.metric), [end for e in info.groups.values() for end in (e.values[0], e.values[-1])]
    )
    y = alt.Y("share:Q", title="share of seeds", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
    base = alt.Chart(alt.NamedData("share"))
    band = base.mark_area(opacity=0.15, interpolate="step-after").encode(x=x, y=alt.Y("low:Q"), y2="high:Q", fill=fill)
    line = base.mark_line(strokeWidth=1.6, interpolate="step-after").encode(
        x=x, y=y, stroke=stroke, strokeDash=dash, tooltip=["group:N", "value:Q", "share:Q", "low:Q", "high:Q"]
    )
    return alt.layer(band, line).properties(height=110)


@dataclass(frozen=True)
class HistogramInfo:
    """How many seeds score in each of some equal bins: what the terminal shows as `▁▃█▂`."""

    metric: str
    goal: Goal | None
    n: int
    counted: Histogram

    kind = Kind.HISTOGRAM

    def data(self) -> Mapping[str, Columns]:
        """`bins`: low end, high end, how many seeds."""
        edges = self.counted.edges
        return {"bins": {"low": list(edges[:-1]), "high": list(edges[1:]), "seeds": list(self.counted.counts)}}

    def caption(self) -> str:
        """What the bars count."""
        return f"How many of {self.n} seeds have which {printable(self.metric)}."


def histogram_info(scores: Scores) -> HistogramInfo:
    """The picture's numbers. Raises MetricError for scores that are no numbers."""
    try:
        return HistogramInfo(scores.label, scores.goal, len(scores), histogram(scores.values))
    except ValueError as error:
        raise MetricError(f"{printable(scores.metric)}: {error}") from None


def histogram_chart(info: HistogramInfo) -> Chart:
    """Bars; of equal scores one, which is as wide as it must be to be seen."""
    alt = altair()
    low, high = info.counted.low, info.counted.high
    x = alt.X(
        "low:Q",
        title=printable(info.metric),
        scale=value_scale([low, high], nice=False),
        axis=alt.Axis(tickCount=6),
    )
    y = alt.Y("seeds:Q", title="seeds", scale=alt.Scale(zero=True), axis=alt.Axis(tickMinStep=1, tickCount=4))
    told = ["low:Q", "high:Q", "seeds:Q"]
    bins = alt.Chart(alt.NamedData("bins"))
    if low == high:
        bars = bins.mark_bar(color=COLOURS[0], size=12).encode(x=x, y=y, tooltip=told)
    else:
        bars = bins.mark_rect(color=COLOURS[0], stroke="white", strokeWidth=0.8)
        bars = bars.encode(x=x, x2="high:Q", y=y, y2=alt.datum(0), tooltip=told)
    return bars.properties(height=80)
