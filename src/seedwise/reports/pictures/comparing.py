"""Is one better than another? Both sides with their intervals and below them the difference; and all pairs of several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...decisions import Comparison, Group
from ...results import Goal
from ...words import number, printable
from ..decisions import p_text, percent, places_of, signed
from .altairs import Chart, altair, value_axis
from .dots import heights
from .kinds import Columns, Kind
from .looks import BETTER, OPEN, WORSE, colours, label


def _counts(group: Group) -> str:
    return label(group.name, group.n, group.finished)


def _in_words(c: Comparison) -> str:
    """The difference with its interval, p, and P(new better)."""
    k = places_of((c.new, c.base), c.interval)
    between = (
        ""
        if c.interval is None
        else f", {percent(c.level)} interval {number(c.interval[0], k)} to {number(c.interval[1], k)}"
    )
    p = c.p_value if c.adjusted_p is None else c.adjusted_p
    tested = "" if p is None else f", {p_text(p)}{' after Holm' if c.adjusted_p is not None else ''}"
    low, high = c.probability_interval
    return (
        f"{printable(c.new.name)} minus {printable(c.base.name)}: {signed(c.difference, k)}{between} ({c.method}){tested}; "
        f"P({printable(c.new.name)} better) = {c.probability_of_improvement:.2f} ({low:.2f} to {high:.2f})"
    )


@dataclass(frozen=True)
class CompareInfo:
    """Two sides and their difference."""

    comparison: Comparison

    kind = Kind.COMPARE

    @property
    def sides(self) -> tuple[Group, Group]:
        """The new one first."""
        return self.comparison.new, self.comparison.base

    def data(self) -> Mapping[str, Columns]:
        """`dots`: the scores, where they are known; `sides`: mean and interval of both; `difference`: one row."""
        dots: dict[str, list[object]] = {name: [] for name in ("group", "seed", "value", "height")}
        for g in self.sides:
            values = tuple(value for _, value in g.sample)
            dots["group"] += [_counts(g)] * len(values)
            dots["seed"] += [seed for seed, _ in g.sample]
            dots["value"] += list(values)
            dots["height"] += list(heights(values))
        c = self.comparison
        ends = [g.interval or (g.mean, g.mean) for g in self.sides]
        low, high = c.interval or (c.difference, c.difference)
        return {
            "dots": dots,
            "sides": {
                "group": [_counts(g) for g in self.sides],
                "mean": [g.mean for g in self.sides],
                "low": [a for a, _ in ends],
                "high": [b for _, b in ends],
                "height": [1.6, 1.6],
            },
            "difference": {
                "what": [f"{c.new.name} − {c.base.name}"],
                "difference": [c.difference],
                "low": [low],
                "high": [high],
            },
            "nothing": {"zero": [0]},
        }

    def caption(self) -> str:
        """What dots and bars are; the difference in numbers."""
        c = self.comparison
        methods = list(dict.fromkeys(g.method for g in self.sides if g.interval is not None))
        dots = "one dot a seed; " if any(g.sample for g in self.sides) else ""
        bars = f" with their {percent(c.level)} {' or '.join(methods)}" if methods else ""
        return (
            f"{printable(c.metric)} of {_counts(c.new)} and {_counts(c.base)}: {dots}diamonds are means{bars}. Below, "
            f"the difference of the means. {_in_words(c)}."
        )


def compare_info(comparison: Comparison) -> CompareInfo:
    """The picture's numbers."""
    return CompareInfo(comparison)


def compare_chart(info: CompareInfo) -> Chart:
    """Both sides on one axis; below, on an axis of its own, the difference and 0."""
    alt = altair()
    names = [_counts(g) for g in info.sides]
    y = alt.Y("group:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False))
    offset = alt.YOffset("height:Q", scale=alt.Scale(domain=[-1.25, 2.0]))
    colour = alt.Color("group:N", scale=alt.Scale(domain=names, range=colours(2)), legend=None)
    told = [alt.Tooltip(f"{c}:{'N' if c == 'group' else 'Q'}") for c in ("group", "mean", "low", "high")]
    ends = [end for g in info.sides for end in (g.interval or (g.mean, g.mean))]
    values = [value for g in info.sides for _, value in g.sample]
    x = value_axis("value", printable(info.comparison.metric), [*values, *ends])
    size = 22 if max(g.finished for g in info.sides) <= 100 else 9
    dots = (
        alt.Chart(alt.NamedData("dots"))
        .mark_point(filled=True, size=size, opacity=0.6)
        .encode(x=x, y=y, yOffset=offset, color=colour, tooltip=["group:N", "seed:Q", "value:Q"])
    )
    sides = alt.Chart(alt.NamedData("sides"))
    bars = sides.mark_rule(strokeWidth=2).encode(
        x="low:Q", x2="high:Q", y=y, yOffset=offset, color=colour, tooltip=told
    )
    points = sides.mark_point(filled=True, size=60, shape="diamond", opacity=1)
    points = points.encode(x="mean:Q", y=y, yOffset=offset, color=colour, tooltip=told)
    c = info.comparison
    title = "difference of means" + (f", {percent(c.level)} interval" if c.interval is not None else "")
    below = _forest(title, "what", None)
    return alt.vconcat(alt.layer(dots, bars, points).properties(height=92), below.properties(height=26)).resolve_scale(
        color="independent"
    )


def _forest(title: str, rows: str, order: Sequence[str] | None) -> "Chart":
    """Differences with intervals, one a row, and a line at 0."""
    alt = altair()
    base = alt.Chart(alt.NamedData("difference"))
    zero = alt.Chart(alt.NamedData("nothing")).mark_rule(strokeDash=[3, 3], color=OPEN).encode(x="zero:Q")
    x = alt.X("low:Q", title=title, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6))
    y = alt.Y(f"{rows}:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False))
    told = [alt.Tooltip(f"{rows}:N"), *(alt.Tooltip(f"{c}:Q") for c in ("difference", "low", "high"))]
    if order is None:
        line = base.mark_rule(strokeWidth=2, color=OPEN).encode(x=x, x2="high:Q", y=y, tooltip=told)
        point = base.mark_point(filled=True, size=60, shape="diamond", color=OPEN, opacity=1)
        return alt.layer(zero, line, point.encode(x="difference:Q", y=y, tooltip=told))
    words = ["better", "worse", "equivalent", "undecided"]
    colour = alt.Color(
        "decision:N", scale=alt.Scale(domain=words, range=[BETTER, WORSE, colours(3)[2], OPEN]), sort=words
    )
    shape = alt.Shape(
        "decision:N", scale=alt.Scale(domain=words, range=["triangle-right", "triangle-left", "square", "circle"])
    )
    line = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", y=y, color=colour, tooltip=told)
    point = base.mark_point(filled=True, size=55, opacity=1)
    return alt.layer(zero, line, point.encode(x="difference:Q", y=y, color=colour, shape=shape, tooltip=told))


@dataclass(frozen=True)
class PairsInfo:
    """The differences of all pairs of several methods."""

    metric: str
    goal: Goal
    level: float
    pairs: tuple[Comparison, ...]

    kind = Kind.PAIRS

    def data(self) -> Mapping[str, Columns]:
        """`difference`: a row for each pair."""
        ends = [c.interval or (c.difference, c.difference) for c in self.pairs]
        return {
            "difference": {
                "pair": [f"{c.new.name} − {c.base.name}" for c in self.pairs],
                "difference": [c.difference for c in self.pairs],
                "low": [low for low, _ in ends],
                "high": [high for _, high in ends],
                "decision": [c.decision.value for c in self.pairs],
            },
            "nothing": {"zero": [0]},
        }

    def caption(self) -> str:
        """What rows and colours are."""
        groups = {g.name: _counts(g) for c in self.pairs for g in (c.new, c.base)}
        methods = " or ".join(dict.fromkeys(c.method for c in self.pairs))
        holm = " (p adjusted by Holm over all pairs)" if any(c.adjusted_p is not None for c in self.pairs) else ""
        return (
            f"Differences of mean {printable(self.metric)}, first minus second, with their {percent(self.level)} intervals ({methods}), each of its own pair; "
            f"shape and colour say what is decided{holm}. {'; '.join(groups.values())}."
        )


def pairs_info(pairs: Sequence[Comparison]) -> PairsInfo:
    """The picture's numbers."""
    return PairsInfo(pairs[0].metric, pairs[0].goal, pairs[0].level, tuple(pairs))


def pairs_chart(info: PairsInfo) -> Chart:
    """A row for each pair."""
    order = [f"{c.new.name} − {c.base.name}" for c in info.pairs]
    title = f"difference in {printable(info.metric)}, {percent(info.level)} intervals"
    return _forest(title, "pair", order).properties(height=18 * len(order) + 6)
