"""Methods over several tasks by step: the interquartile mean of each, with its band."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...stats.task_curves import TaskCurve
from ...words import printable
from ..decisions import percent
from .altairs import Chart, altair, line_scales, value_scale
from .kinds import Columns, Kind


@dataclass(frozen=True)
class TaskCurvesInfo:
    """The curve of each method over the same tasks."""

    metric: str
    level: float
    tasks: int
    methods: Mapping[str, TaskCurve]
    normalised: str = ""

    kind = Kind.BY_STEP

    def data(self) -> Mapping[str, Columns]:
        """`iqm`: a row for each method and step."""
        found: dict[str, list[object]] = {name: [] for name in ("method", "step", "iqm", "low", "high", "n")}
        for name, curve in self.methods.items():
            found["method"] += [name] * len(curve.steps)
            found["step"] += curve.steps.tolist()
            found["n"] += curve.n.tolist()
            for column in ("iqm", "low", "high"):
                found[column] += [v if math.isfinite(v) else None for v in getattr(curve, column).tolist()]
        return {"iqm": found}

    def caption(self) -> str:
        """What the line is, how the band is made, and how many runs there are."""
        runs = ", ".join(f"{printable(name)} {curve.runs}" for name, curve in self.methods.items())
        by = f", normalised by {printable(self.normalised)}" if self.normalised else ""
        said = (
            f"{printable(self.metric)} by step over {self.tasks} tasks{by}: the interquartile mean of all runs, with {percent(self.level)} stratified bootstrap "
            f"intervals at each step. Runs: {runs}."
        )
        if any((curve.n < curve.runs).any() for curve in self.methods.values()):
            said += " Some runs lack some steps: a line is drawn where at least half of the runs have the step, and every task one."
        if any(curve.interpolated for curve in self.methods.values()):
            said += " Runs were logged at different steps: each is interpolated linearly between its own."
        return said


def task_curves_chart(info: TaskCurvesInfo) -> Chart:
    """A line and a band for each method."""
    alt = altair()
    names = list(info.methods)
    stroke, dash, fill = line_scales("method", names, [f"line: IQM; band: {percent(info.level)} interval"])
    every = np.concatenate([of for c in info.methods.values() for of in (c.iqm, c.low, c.high)])
    values = every[np.isfinite(every)].tolist()
    x = alt.X("step:Q", title="step", scale=alt.Scale(nice=False, zero=False), axis=alt.Axis(tickCount=6))
    y = alt.Y("iqm:Q", title=f"IQM of {printable(info.metric)}", scale=value_scale(values), axis=alt.Axis(tickCount=5))
    base = alt.Chart(alt.NamedData("iqm"))
    line = base.mark_line(strokeWidth=2).encode(
        x=x,
        y=y,
        stroke=stroke,
        strokeDash=dash,
        tooltip=["method:N", "step:Q", "iqm:Q", "low:Q", "high:Q", "n:Q"],
    )
    if not any(np.isfinite(c.low).any() for c in info.methods.values()):
        return alt.layer(line).properties(height=130)
    band = base.mark_area(opacity=0.25).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", fill=fill)
    return alt.layer(band, line).properties(height=130)
