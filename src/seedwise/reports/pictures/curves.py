"""Learning curves: every seed a thin line, the mean thick, the band named, and how many runs there are at each step."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import MetricError
from ...results import Goal, Metric, Results
from ...stats.curves import Aligned, MeanCurve, align, mean_curve
from ...words import printable, seed_list
from .altairs import Chart, altair, chosen_or, line_scales, value_scale, with_chosen
from .kinds import Columns, Kind
from .looks import label

MOST_LINES = 200
"""Beyond so many runs, lines of single seeds cannot be told apart: quantiles stand in their place."""
MOST_STEPS = 200


@dataclass(frozen=True)
class CurvesGroup:
    """The curves of one experiment: the single runs that are drawn, and the mean of all."""

    name: str
    n: int
    seeds: tuple[int, ...]
    """Those with a curve."""
    drawn: tuple[int, ...]
    """Those whose own lines are drawn."""
    aligned: Aligned
    mean: MeanCurve

    @property
    def label(self) -> str:
        """Its name with n."""
        return label(self.name, self.n, len(self.seeds))

    @property
    def ribbons(self) -> bool:
        """Whether quantiles stand for the single runs."""
        return len(self.seeds) > MOST_LINES

    @property
    def single(self) -> bool:
        """Whether there is one curve, which has no band."""
        return len(self.seeds) == 1

    @property
    def uneven(self) -> bool:
        """Whether runs end at different steps."""
        return bool((self.mean.n != self.mean.n[0]).any())

    def broken(self) -> list[int]:
        """Seeds whose curve holds what is no number."""
        inf = (self.aligned.values == math.inf).any(axis=1)
        return [seed for seed, bad in zip(self.seeds, inf.tolist(), strict=True) if bad]


@dataclass(frozen=True)
class CurvesInfo:
    """The learning curves of one experiment or several in one metric."""

    metric: str
    goal: Goal | None
    level: float
    groups: tuple[CurvesGroup, ...]

    kind = Kind.CURVES

    @property
    def uneven(self) -> bool:
        """Whether runs end at different steps."""
        return any(g.uneven for g in self.groups)

    @property
    def legend(self) -> list[str]:
        """What is thick, what is thin, and what the band is."""
        if all(g.single for g in self.groups):
            return ["one seed"]
        single = ["thin: one seed"]
        if any(g.ribbons for g in self.groups):
            single = ["lighter bands: middle 50 % and 90 % of seeds", "thin: lowest, median and highest seed"]
        return [f"thick: mean; band: {self.level * 100:g} % t interval", *single]

    def data(self) -> Mapping[str, Columns]:
        """`lines`: a row for each drawn seed and step; `mean`: for each group and step."""
        lines: dict[str, list[object]] = {name: [] for name in ("group", "seed", "step", "value")}
        mean: dict[str, list[object]] = {
            name: [] for name in ("group", "step", "mean", "low", "high", "n", "q05", "q25", "q50", "q75", "q95")
        }
        for g in self.groups:
            steps = _whole(g.aligned.steps.tolist())
            row_of = {seed: k for k, seed in enumerate(g.seeds)}
            for seed in g.drawn:
                values = g.aligned.values[row_of[seed]].tolist()
                there = [(s, v) for s, v in zip(steps, values, strict=True) if not math.isnan(v)]
                lines["group"] += [g.label] * len(there)
                lines["seed"] += [seed] * len(there)
                lines["step"] += [s for s, _ in there]
                lines["value"] += [_number(v) for _, v in there]
            m = g.mean
            mean["group"] += [g.label] * len(steps)
            mean["step"] += steps
            mean["n"] += m.n.tolist()
            rows = [m.mean, m.low, m.high, *m.quantiles]
            for name, values_of in zip(("mean", "low", "high", "q05", "q25", "q50", "q75", "q95"), rows, strict=True):
                mean[name] += [_number(v) for v in values_of.tolist()]
        return {"lines": lines, "mean": mean}

    def caption(self) -> str:
        """What lines and band are, n, and where the mean stops."""
        band = f"the {self.level * 100:g} % t interval of the mean at each step"
        single = "a thin line for each seed"
        if any(g.ribbons for g in self.groups):
            single = (
                "lighter bands: where the middle half and the middle 90 % of all seeds lie; thin lines: the seeds with the "
                "lowest, the median and the highest score"
            )
        said = f"thick: the mean over seeds, with {band}; {single}"
        parts = [f"{printable(self.metric)} by step; {'one seed' if all(g.single for g in self.groups) else said}"]
        parts.append("; ".join(g.label for g in self.groups))
        for g in self.groups:
            who = f" of {printable(g.name)}" if len(self.groups) > 1 else ""
            if g.uneven:
                parts.append(
                    f"Runs{who} end at different steps, from {_step(min(_ends(g)))} to {_step(max(_ends(g)))}: n is shown by step, and the mean stops where "
                    "fewer than half of them remain"
                )
            if g.broken():
                parts.append(
                    f"Seed {seed_list(g.broken())}{who} is NaN or infinite at some steps: no mean is given there"
                )
            if g.aligned.interpolated:
                parts.append(f"Runs{who} were logged at different steps: each is interpolated linearly between its own")
            if g.aligned.kept_every > 1:
                parts.append(f"About every {g.aligned.kept_every:.0f}th step{who} is drawn")
        return ". ".join(parts) + "."


def curves_info(groups: Mapping[str, Results], metric: str, level: float = 0.95, most: int = MOST_STEPS) -> CurvesInfo:
    """The picture's numbers, from the series of the runs that finished.

    Raises
    ------
    MetricError
        No run logged the metric more than once.
    """
    found = []
    chosen = [results.metric(metric) for results in groups.values()]
    for (name, results), of in zip(groups.items(), chosen, strict=True):
        found.append(_group(name, results, of, level, most))
    if all(len(g.aligned.steps) < 2 for g in found):
        raise MetricError(
            f"{printable(chosen[0].name)} has one value in each run, and no curve: log it at every epoch, as in seedwise.log(loss=0.3, step=10)"
        )
    goal = next((m.goal for m in chosen if m.goal is not None), None)
    return CurvesInfo(chosen[0].name, goal, level, tuple(found))


def _group(name: str, results: Results, metric: Metric, level: float, most: int) -> CurvesGroup:
    runs = [run for run in results.finished if metric.name in run.series]
    if not runs:
        raise MetricError(f"{printable(results.name)}: no run finished with {printable(metric.name)}")
    seeds = tuple(run.seed for run in runs)
    aligned = align([(run.series[metric.name].steps, run.series[metric.name].values) for run in runs], most)
    drawn = seeds if len(seeds) <= MOST_LINES else _some(results, metric, seeds)
    return CurvesGroup(name, len(results), seeds, drawn, aligned, mean_curve(aligned, level))


def _some(results: Results, metric: Metric, seeds: Sequence[int]) -> tuple[int, ...]:
    """The seeds with the lowest, the median and the highest score."""
    scores = [(v, seed) for seed, v in results.scores(metric.name).by_seed.items() if math.isfinite(v)]
    order = [seed for _, seed in sorted(scores)]
    return tuple(dict.fromkeys(order[k] for k in (0, (len(order) - 1) // 2, -1))) if order else tuple(seeds[:1])


def _ends(group: CurvesGroup) -> list[float]:
    there = ~(group.aligned.values != group.aligned.values)
    last = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    ends: list[float] = group.aligned.steps[last].tolist()
    return ends


def _step(step: float) -> str:
    return f"{step:.0f}" if step == int(step) else f"{step:g}"


def _whole(steps: Sequence[float]) -> list[object]:
    """Steps as whole numbers, where all are."""
    return [int(s) for s in steps] if all(s == int(s) for s in steps) else list(steps)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def curves_chart(info: CurvesInfo) -> Chart:
    """Lines and bands; below them, where runs end at different steps, how many there are."""
    alt = altair()
    names = [g.label for g in info.groups]
    x = alt.X("step:Q", title="step", scale=alt.Scale(nice=False, zero=False), axis=alt.Axis(tickCount=6))
    stroke, dash, fill = line_scales("group", names, info.legend)
    values = [
        float(end(v))
        for g in info.groups
        if (v := g.aligned.values[np.isfinite(g.aligned.values)]).size
        for end in (np.min, np.max)
    ]
    y = alt.Y("value:Q", title=printable(info.metric), scale=value_scale(values), axis=alt.Axis(tickCount=5))
    means = alt.Chart(alt.NamedData("mean"))
    lines = (
        alt.Chart(alt.NamedData("lines"))
        .mark_line(clip=True)
        .encode(
            opacity=chosen_or(1.0, 0.35),
            strokeWidth=chosen_or(2.0, 0.7),
            x=x,
            y=y,
            stroke=stroke,
            detail=["seed:N", "group:N"],
            tooltip=["group:N", "seed:Q", "step:Q", "value:Q"],
        )
    )
    layers = [lines]
    if any(g.ribbons for g in info.groups):
        for low, high in (("q05", "q95"), ("q25", "q75")):
            layers.append(means.mark_area(opacity=0.15).encode(x=x, y=alt.Y(f"{low}:Q"), y2=f"{high}:Q", fill=fill))
    if any(np.isfinite(g.mean.low).any() for g in info.groups):  # one seed has no band, and Vega would complain of it
        layers.append(means.mark_area(opacity=0.3).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", fill=fill))
    told = [alt.Tooltip(f"{c}:Q") for c in ("step", "mean", "low", "high", "n")]
    layers.append(
        means.mark_line(strokeWidth=2).encode(x=x, y=alt.Y("mean:Q"), stroke=stroke, strokeDash=dash, tooltip=told)
    )
    main = alt.layer(*layers).properties(height=130)
    if not info.uneven:
        return with_chosen(main)
    runs = means.mark_line(interpolate="step-after", strokeWidth=1.2).encode(
        x=x, y=alt.Y("n:Q", title="n", axis=alt.Axis(tickCount=2)), stroke=stroke, strokeDash=dash, tooltip=told
    )
    return with_chosen(alt.vconcat(main, runs.properties(height=30)))
