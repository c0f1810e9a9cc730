"""Altair, loaded when the first picture is drawn."""

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from ...errors import UsageError
from .looks import colours, dashes

if TYPE_CHECKING:
    import altair as alt

Chart: TypeAlias = "alt.LayerChart | alt.Chart | alt.VConcatChart | alt.ConcatChart"
MISSING = "pictures take altair, vl-convert-python and jinja2, and {} is not installed: pip install 'seedwise[report]'"


def altair() -> ModuleType:
    """The module. Raises UsageError where it is not installed."""
    try:
        import altair as alt
    except ModuleNotFoundError as error:
        raise UsageError(MISSING.format(error.name)) from None
    module: ModuleType = alt
    return module


def value_axis(field: str, title: str, values: Sequence[float]) -> "alt.X":
    """The axis of a metric: it need not begin at 0, since dots and intervals are compared by their places."""
    alt = altair()
    return alt.X(
        f"{field}:Q", title=title, scale=value_scale(values, nice=False, padding=5), axis=alt.Axis(tickCount=6)
    )


def value_scale(values: Sequence[float], **looks: object) -> "alt.Scale":
    """The scale of a metric. Around values that are all equal it has some room: else Vega writes 1 beside 0.5."""
    alt = altair()
    low, high = float(min(values, default=0.0)), float(max(values, default=1.0))
    if low < high:
        return alt.Scale(zero=False, **looks)
    room = abs(low) / 10 or 1.0
    return alt.Scale(zero=False, domain=[low - room, low + room], **{**looks, "nice": False})


def line_scales(
    field: str, names: Sequence[str], title: Sequence[str] | None = None
) -> "tuple[alt.Stroke, alt.StrokeDash, alt.Fill]":
    """Colour and dash of lines, with one legend for both, and the colour of their bands."""
    alt = altair()
    order = list(names)
    legend = alt.Legend(
        symbolType="stroke",
        symbolSize=300,
        symbolOpacity=1,
        symbolStrokeWidth=1.8,
        title=list(title) if title else None,
    )
    hues = alt.Scale(domain=order, range=colours(len(order)))
    dashed = alt.Scale(domain=order, range=dashes(len(order)))
    return (
        alt.Stroke(f"{field}:N", sort=order, scale=hues, legend=legend),
        alt.StrokeDash(f"{field}:N", sort=order, scale=dashed, legend=legend),
        alt.Fill(f"{field}:N", sort=order, scale=hues, legend=legend),
    )


def chosen_or(of_chosen: float, of_others: float) -> object:
    """One value for the seed that the reader chose on the page, another for all others."""
    alt = altair()
    return alt.condition("datum.seed === chosen", alt.value(of_chosen), alt.value(of_others))


def with_chosen(chart: Chart) -> Chart:
    """The chart with a place for the seed that the reader chooses; none is chosen on paper."""
    alt = altair()
    return chart.add_params(alt.param(name="chosen", value=None))
