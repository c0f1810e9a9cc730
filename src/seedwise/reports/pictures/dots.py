"""A dot for every seed, with the mean and its interval."""

from collections.abc import Mapping
from dataclasses import dataclass

from ...results import Goal, Scores, Summary
from ...stats.shares import histogram
from ...words import number, places_for, printable
from .altairs import Chart, altair, chosen_or, value_axis, with_chosen
from .kinds import Columns, Kind
from .looks import OPEN, colours, label

_BINS = 40


@dataclass(frozen=True)
class DotsGroup:
    """The scores of one experiment, and its summary.

    `heights` say how far from the middle of its row each dot lies, from -1 to 1: values that lie close stand beside each other.
    """

    name: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    heights: tuple[float, ...]
    summary: Summary

    @property
    def label(self) -> str:
        """Its name with n."""
        return label(self.name, self.summary.n, self.summary.finished)


@dataclass(frozen=True)
class DotsInfo:
    """The scores of one experiment or several in one metric."""

    metric: str
    goal: Goal | None
    groups: tuple[DotsGroup, ...]

    kind = Kind.DOTS

    def data(self) -> Mapping[str, Columns]:
        """`dots`: a row for each seed; `means`: one for each group."""
        rows = [(g.label, s, v, h) for g in self.groups for s, v, h in zip(g.seeds, g.values, g.heights, strict=True)]
        dots = dict(zip(("group", "seed", "value", "height"), map(list, zip(*rows, strict=True)), strict=True))
        known = [g for g in self.groups if g.summary.mean is not None]
        ends = [g.summary.interval or (g.summary.mean, g.summary.mean) for g in known]
        means: Columns = {
            "group": [g.label for g in known],
            "mean": [g.summary.mean for g in known],
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
            "height": [1.6 for _ in known],
        }
        return {"dots": dots or {"group": [], "seed": [], "value": [], "height": []}, "means": means}

    def caption(self) -> str:
        """One dot a seed; mean ± with the interval's name; who did not finish."""
        return f"{printable(self.metric)} under each seed (one dot each). {means_in_words([g.summary for g in self.groups], [g.name for g in self.groups])}"


def means_in_words(summaries: list[Summary], names: list[str]) -> str:
    """The mean of each group with n, and what its interval is."""
    parts, hows = [], []
    for s, name in zip(summaries, names, strict=True):
        who = f"{printable(name)}: " if len(names) > 1 else ""
        counted = counted_seeds(s)
        if s.mean is None:
            parts.append(f"{who}{s.reason} ({counted})")
            continue
        k = places_for(s)
        if s.interval is None:
            parts.append(f"{who}{number(s.mean, k)} ({counted})")
            continue
        low, high = s.interval
        half = (high - low) / 2
        even = abs((low + high) / 2 - s.mean) <= 1e-6 * half
        between = f" ± {number(half, k)}" if even else f" ({number(low, k)} to {number(high, k)})"
        parts.append(f"{who}{number(s.mean, k)}{between} ({counted})")
        hows.append(how(s))
    said = list(dict.fromkeys(hows))
    start = f"Mean: {'; '.join(parts)}."
    return f"{start} ± and the bars are the {' or the '.join(said)} of the mean over seeds." if said else start


def counted_seeds(summary: Summary) -> str:
    """How many seeds the mean is of."""
    if summary.finished < summary.n:
        return f"the {summary.finished} of {summary.n} seeds that finished"
    return "one seed" if summary.n == 1 else f"{summary.n} seeds"


def how(summary: Summary) -> str:
    """The name of the interval, with its level."""
    return f"{summary.level * 100:g} % {summary.method}"


def dots_info(groups: Mapping[str, tuple[Scores, Summary]]) -> DotsInfo:
    """The picture's numbers.

    Parameters
    ----------
    groups
        Name → scores and their summary; an only group needs no name.
    """
    found = []
    for name, (scores, summary) in groups.items():
        finite = {seed: v for seed, v in scores.by_seed.items() if v == v and abs(v) != float("inf")}
        values = tuple(finite.values())
        found.append(DotsGroup(name, tuple(finite), values, heights(values), summary))
    first = next(iter(groups.values()))[0]
    return DotsInfo(first.label, first.goal, tuple(found))


def heights(values: tuple[float, ...]) -> tuple[float, ...]:
    """How far from the middle each dot lies, from -1 to 1, so that equal and close values stand beside each other.

    In each of 40 bins the dots go alternately to both sides; the fullest bin fills the row.
    """
    if not values:
        return ()
    counted = histogram(values, _BINS)
    span = counted.high / 2 - counted.low / 2
    top = max(counted.counts)
    step = min(0.25, 1.0 / max(top // 2, 1))
    there: dict[int, int] = {}
    placed = []
    for value in values:
        bin_ = min(int((value / 2 - counted.low / 2) / span * _BINS), _BINS - 1) if span else 0
        k = there.get(bin_, 0)
        there[bin_] = k + 1
        placed.append(step * ((k + 1) // 2) * (1 if k % 2 else -1) or 0.0)
    return tuple(placed)


def dots_chart(info: DotsInfo) -> Chart:
    """Rows of dots; below each row its mean, with the interval as a bar."""
    alt = altair()
    names = [g.label for g in info.groups]
    many = len(names) > 1
    known = next((g.summary for g in info.groups if g.summary.interval is not None), None)
    one, mean = "one seed", "mean" if known is None else f"mean, {how(known)}"
    if not many:
        one = f"one seed, {label('', info.groups[0].summary.n, info.groups[0].summary.finished)}"
    y = alt.Y("group:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False, labels=many))
    offset = alt.YOffset("height:Q", scale=alt.Scale(domain=[-1.25, 2.0]))
    colour = alt.Color("group:N", scale=alt.Scale(domain=names, range=colours(len(names))), legend=None)
    what = alt.Scale(domain=[one, mean], range=["circle", "diamond"])
    values = [value for g in info.groups for value in g.values]
    size = 22 if max((len(g.values) for g in info.groups), default=0) <= 100 else 9
    dots = (
        alt.Chart(alt.NamedData("dots"))
        .mark_point(filled=True)
        .encode(
            x=value_axis("value", printable(info.metric), values),
            y=y,
            yOffset=offset,
            color=colour,
            size=chosen_or(8 * size, size),
            opacity=chosen_or(1.0, 0.6),
            shape=alt.ShapeDatum(one, scale=what, legend=alt.Legend(symbolFillColor=OPEN, symbolStrokeColor=OPEN)),
            tooltip=[alt.Tooltip("group:N"), alt.Tooltip("seed:Q", format="d"), alt.Tooltip("value:Q")],
        )
    )
    means = alt.Chart(alt.NamedData("means"))
    told = [alt.Tooltip(f"{c}:{'N' if c == 'group' else 'Q'}") for c in ("group", "mean", "low", "high")]
    bar = means.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q", y=y, yOffset=offset, color=colour, tooltip=told)
    point = means.mark_point(filled=True, size=60, opacity=1).encode(
        x="mean:Q", y=y, yOffset=offset, color=colour, shape=alt.ShapeDatum(mean, scale=what), tooltip=told
    )
    row = 46 if many else 60
    return with_chosen(alt.layer(dots, bar, point).properties(height=row * max(1, len(names))))
