"""Several tasks: each method's interquartile mean, mean, median and gap; who improves on whom; the share that reaches a score."""

from collections.abc import Mapping
from dataclasses import dataclass

from ...decisions import OverTasks, TaskPair, TaskPlace, TaskProfile, TaskRanking
from ...errors import UsageError
from ...results import Goal
from ...wording import option
from ...words import printable
from ..decisions import percent
from .altairs import Chart, altair, line_scales
from .kinds import Columns, Kind
from .looks import COLOURS, OPEN, colours, shapes

_AGGREGATES = {"IQM": "iqm", "mean": "mean", "median": "median", "optimality gap": "gap"}


@dataclass(frozen=True)
class TasksInfo:
    """Each method over all its tasks, with stratified intervals."""

    metric: str
    goal: Goal
    level: float
    tasks: int
    places: tuple[TaskPlace, ...]
    enough: float | None
    normalised: str

    kind = Kind.TASKS

    @property
    def aggregates(self) -> list[str]:
        """Which numbers there are."""
        return [name for name, field in _AGGREGATES.items() if getattr(self.places[0], field) is not None]

    def data(self) -> Mapping[str, Columns]:
        """`places`: a row for each method and each way to put its tasks together."""
        found: dict[str, list[object]] = {name: [] for name in ("method", "aggregate", "estimate", "low", "high")}
        for name in self.aggregates:
            for p in self.places:
                estimate = getattr(p, _AGGREGATES[name])
                low, high = getattr(p, f"{_AGGREGATES[name]}_interval") or (estimate, estimate)
                for column, value in zip(found, (p.name, name, estimate, low, high), strict=True):
                    found[column].append(value)
        return {"places": found}

    def caption(self) -> str:
        """What is put together, and how the intervals are made."""
        runs = [f"{printable(p.name)} {p.runs if p.n in (None, p.runs) else f'{p.runs} of {p.n}'}" for p in self.places]
        how = (
            f"{percent(self.level)} stratified bootstrap intervals over runs"
            if self.places[0].iqm_interval
            else "one run of each task, no intervals"
        )
        gap = f"; optimality gap below {self.enough:g}" if self.enough is not None else ""
        by = f", normalised by {printable(self.normalised)}" if self.normalised else ""
        return f"{printable(self.metric)} over {self.tasks} tasks{by}: interquartile mean, mean and median of the tasks' means{gap}, with {how}. Runs: {', '.join(runs)}."


def tasks_info(found: TaskRanking | OverTasks) -> TasksInfo:
    """The picture's numbers."""
    places = found.places if isinstance(found, TaskRanking) else (found.place,)
    return TasksInfo(found.metric, found.goal, found.level, len(found.tasks), places, found.enough, found.normalised)


def tasks_chart(info: TasksInfo) -> Chart:
    """A panel for each aggregate, a row for each method."""
    alt = altair()
    names = [p.name for p in info.places]
    n = len(names)
    panels = []
    for k, aggregate in enumerate(info.aggregates):
        axis = alt.Axis(ticks=False, domain=False, labels=k == 0)
        y = alt.Y("method:N", sort=names, title=None, axis=axis)
        colour = alt.Color("method:N", scale=alt.Scale(domain=names, range=colours(n)), legend=None)
        told = ["method:N", "aggregate:N", "estimate:Q", "low:Q", "high:Q"]
        base = alt.Chart(alt.NamedData("places")).transform_filter(alt.datum.aggregate == aggregate)
        x = alt.X("low:Q", title=aggregate, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=3))
        bar = base.mark_rule(strokeWidth=7, opacity=0.4).encode(x=x, x2="high:Q", y=y, color=colour, tooltip=told)
        tick = base.mark_point(filled=True, size=30, opacity=1).encode(
            x="estimate:Q",
            y=y,
            color=colour,
            shape=alt.Shape("method:N", scale=alt.Scale(domain=names, range=shapes(n)), legend=None),
            tooltip=told,
        )
        panels.append(alt.layer(bar, tick).properties(height=14 * n + 6))
    return alt.concat(*panels, columns=len(panels))


@dataclass(frozen=True)
class ImprovementInfo:
    """Each pair of methods: the probability that a run of the first is better."""

    metric: str
    level: float
    tasks: int
    pairs: tuple[TaskPair, ...]

    kind = Kind.IMPROVEMENT

    def data(self) -> Mapping[str, Columns]:
        """`pairs`: a row for each pair."""
        ends = [p.probability_interval or (p.probability_of_improvement,) * 2 for p in self.pairs]
        return {
            "pairs": {
                "pair": [f"{p.new} > {p.base}" for p in self.pairs],
                "probability": [p.probability_of_improvement for p in self.pairs],
                "low": [low for low, _ in ends],
                "high": [high for _, high in ends],
            },
            "half": {"half": [0.5]},
        }

    def caption(self) -> str:
        """What the probability is."""
        return (
            f"Probability that a run of the first method is better than one of the second in {printable(self.metric)}, averaged over {self.tasks} tasks, with "
            f"{percent(self.level)} stratified bootstrap intervals; dashed: ½, where neither is."
        )


def improvement_info(found: TaskRanking) -> ImprovementInfo:
    """The picture's numbers."""
    return ImprovementInfo(found.metric, found.level, len(found.tasks), found.pairs)


def improvement_chart(info: ImprovementInfo) -> Chart:
    """A row for each pair, and ½."""
    alt = altair()
    order = [f"{p.new} > {p.base}" for p in info.pairs]
    y = alt.Y("pair:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False))
    base = alt.Chart(alt.NamedData("pairs"))
    told = ["pair:N", "probability:Q", "low:Q", "high:Q"]
    x = alt.X("low:Q", title="P(first is better)", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
    half = alt.Chart(alt.NamedData("half")).mark_rule(strokeDash=[3, 3], color=OPEN).encode(x="half:Q")
    bar = base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(x=x, x2="high:Q", y=y, tooltip=told)
    point = base.mark_point(filled=True, size=40, color=COLOURS[0], opacity=1).encode(
        x="probability:Q", y=y, tooltip=told
    )
    return alt.layer(half, bar, point).properties(height=16 * len(order) + 6)


@dataclass(frozen=True)
class ProfileInfo:
    """The share of each method's runs that reach each score, averaged over tasks."""

    metric: str
    goal: Goal
    level: float
    tasks: int
    profiles: tuple[TaskProfile, ...]

    kind = Kind.PROFILE

    def data(self) -> Mapping[str, Columns]:
        """`shares`: a row for each method and threshold."""
        found: dict[str, list[object]] = {name: [] for name in ("method", "score", "share", "low", "high")}
        for p in self.profiles:
            band = p.band or tuple((share, share) for share in p.share)
            found["method"] += [p.name] * len(p.thresholds)
            found["score"] += list(p.thresholds)
            found["share"] += list(p.share)
            found["low"] += [low for low, _ in band]
            found["high"] += [high for _, high in band]
        return {"shares": found}

    def caption(self) -> str:
        """What the share is, and for what the band holds."""
        word = "at least" if self.goal is Goal.MAX else "at most"
        band = f"; the bands hold whole curves with {percent(self.level)}" if self.profiles[0].band else ""
        return f"Share of runs with {printable(self.metric)} of {word} τ, averaged over {self.tasks} tasks{band} (stratified bootstrap)."


def profile_info(found: TaskRanking) -> ProfileInfo:
    """The picture's numbers. Raises UsageError for a ranking without profiles."""
    if not found.profiles:
        raise UsageError(f"the ranking has no performance profiles: {option('--profile auto')}")
    return ProfileInfo(found.metric, found.goal, found.level, len(found.tasks), found.profiles)


def profile_chart(info: ProfileInfo) -> Chart:
    """A line with a band for each method."""
    alt = altair()
    names = [p.name for p in info.profiles]
    stroke, dash, fill = line_scales("method", names)
    base = alt.Chart(alt.NamedData("shares"))
    x = alt.X(
        "score:Q",
        title=f"{printable(info.metric)} (τ)",
        scale=alt.Scale(zero=False, nice=False),
        axis=alt.Axis(tickCount=6),
    )
    sign = "≥" if info.goal is Goal.MAX else "≤"
    y = alt.Y("share:Q", title=f"share of runs {sign} τ", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(tickCount=5))
    band = base.mark_area(opacity=0.18).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", fill=fill)
    line = base.mark_line(strokeWidth=1.6).encode(
        x=x, y=y, stroke=stroke, strokeDash=dash, tooltip=["method:N", "score:Q", "share:Q", "low:Q", "high:Q"]
    )
    return alt.layer(band, line).properties(height=120)
