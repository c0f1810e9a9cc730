"""A picture: its numbers, its caption, its chart, and the file that it becomes."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from json import dumps
from typing import Any

from ...errors import SeedwiseError, UsageError
from ...words import printable
from . import comparing, curves, dots, lottery, ranks, shares, task_curves, tasks
from .altairs import MISSING, Chart
from .kinds import Columns, Info, Kind
from .looks import PAPER, Style

_CHARTS: Mapping[Kind, Callable[[Any], Chart]] = {
    Kind.DOTS: dots.dots_chart,
    Kind.CURVES: curves.curves_chart,
    Kind.ECDF: shares.ecdf_chart,
    Kind.HISTOGRAM: shares.histogram_chart,
    Kind.COMPARE: comparing.compare_chart,
    Kind.PAIRS: comparing.pairs_chart,
    Kind.LOTTERY: lottery.lottery_chart,
    Kind.PROFILE: tasks.profile_chart,
    Kind.TASKS: tasks.tasks_chart,
    Kind.IMPROVEMENT: tasks.improvement_chart,
    Kind.RANKS: ranks.ranks_chart,
    Kind.BY_STEP: task_curves.task_curves_chart,
}
ENDINGS = (".pdf", ".svg", ".png", ".json")
_PNG_SCALE = 300 / 72


@dataclass(frozen=True)
class Picture:
    """One picture. `info` holds its numbers; `caption` is ready for a paper.

    It is drawn when it is asked for: `save("fig.pdf")`, `svg()`, or `spec()`, which is Vega-Lite.
    """

    info: Info
    style: Style = PAPER

    @property
    def kind(self) -> Kind:
        """Which picture it is."""
        return self.info.kind

    @property
    def caption(self) -> str:
        """What it shows, with n, the name of the interval, and what ± is."""
        return printable(self.info.caption())

    @property
    def data(self) -> Mapping[str, Columns]:
        """Its numbers as tables of columns. Names have no characters that a terminal would take as commands."""
        return {name: _clean(columns) for name, columns in self.info.data().items()}

    def bare_spec(self) -> dict[str, Any]:
        """The Vega-Lite specification without data: it names its tables."""
        spec: dict[str, Any] = _CHARTS[self.kind](self.info).to_dict(validate=False)
        spec.pop("config", None)
        spec.pop("datasets", None)
        cleaned: dict[str, Any] = _titled(_clean(spec))
        return cleaned

    def spec(self, width: float | None = None) -> dict[str, Any]:
        """The whole specification, with data, `width` points wide (by default that of its style)."""
        style = self.style if width is None else replace(self.style, width=width)
        spec = self.bare_spec()
        spec["config"] = style.config()
        spec["datasets"] = {name: _rows(columns) for name, columns in self.data.items()}
        if style.title:
            spec["title"] = printable(style.title)
        return _fitted(spec, style.width)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows."""
        return {"text/plain": self.caption, "image/svg+xml": self.svg()}

    def svg(self, width: float | None = None) -> str:
        """The picture as SVG, so many points wide."""
        return _exactly(_svg(self.spec(width)), self._width(width), "pt")

    def _width(self, asked: float | None) -> float:
        return self.style.width if asked is None else asked

    def save(self, path: str | os.PathLike[str], width: float | None = None) -> None:
        """Write the picture: `.pdf`, `.svg`, `.png` (300 dots an inch) or `.json` (Vega-Lite with its data).

        Raises
        ------
        UsageError
            The ending says none of these, or the extra `seedwise[report]` is not installed.
        SeedwiseError
            The file cannot be written.
        """
        ending = ending_of(path)
        spec = self.spec(width)
        if ending == ".json":
            content = (dumps(spec, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
        else:
            content = _rendered(_svg(spec), self._width(width), ending)
        try:
            with open(path, "wb") as file:
                file.write(content)
        except OSError as error:
            raise SeedwiseError(f"cannot write {os.fspath(path)}: {error.strerror}") from None


def _clean(value: Any) -> Any:
    """The value with every text printable: names come from files, and a NUL ends the process of the converter."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _clean(of) for key, of in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(of) if isinstance(of, str | Mapping | list | tuple) else of for of in value]
    return value


_OF_EVERY_OBJECT = frozenset(
    {"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"}
)
"""What every JavaScript object has. Vega takes a title of that name for one of its own operators, and draws nothing."""


def _titled(spec: Any) -> Any:
    """The specification with a space behind such a title, which nobody sees."""
    if isinstance(spec, list):
        return [_titled(of) for of in spec]
    if not isinstance(spec, dict):
        return spec
    found = {key: _titled(of) for key, of in spec.items()}
    if isinstance(found.get("title"), str) and found["title"] in _OF_EVERY_OBJECT:
        found["title"] += " "
    return found


def ending_of(path: str | os.PathLike[str]) -> str:
    """The ending of a file that a picture can be written to. Raises UsageError, which names those that there are."""
    ending = os.path.splitext(os.fspath(path))[1].lower()
    if ending not in ENDINGS:
        had = f"{ending} is none of them" if ending else f"{os.fspath(path)} has none"
        raise UsageError(f"a picture is written as what the ending of the file says: {', '.join(ENDINGS)}; {had}")
    return ending


def _rows(columns: Columns) -> list[dict[str, object]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _converter() -> Any:
    try:
        import vl_convert
    except ModuleNotFoundError as error:
        raise UsageError(MISSING.format("vl-convert-python")) from error
    return vl_convert


def _svg(spec: Mapping[str, Any]) -> str:
    text: str = _converter().vegalite_to_svg(dict(spec), allowed_base_urls=[])
    return text


def _rendered(svg: str, width: float, ending: str) -> bytes:
    if ending == ".svg":
        return _exactly(svg, width, "pt").encode()
    svg = _exactly(svg, width)
    convert = _converter()
    content: bytes = convert.svg_to_pdf(svg) if ending == ".pdf" else convert.svg_to_png(svg, scale=_PNG_SCALE, ppi=72)
    return content


_SIZE = re.compile(r'<svg\b[^>]*?\bwidth="(?P<width>[\d.]+)"[^>]*?\bheight="(?P<height>[\d.]+)"')


def _width_of(svg: str) -> float:
    found = _SIZE.search(svg)
    assert found is not None
    return float(found["width"])


def _exactly(svg: str, width: float, unit: str = "") -> str:
    """The SVG exactly so wide: what the panels could not meet to the point is scaled, by a hundredth or less."""
    found = _SIZE.search(svg)
    assert found is not None
    height = float(found["height"]) * width / float(found["width"])
    head = found[0].replace(f'width="{found["width"]}"', f'width="{width:g}{unit}"')
    head = head.replace(f'height="{found["height"]}"', f'height="{height:g}{unit}"')
    return svg[: found.start()] + head + svg[found.end() :]


def panels(spec: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The parts of a specification that have a width each, and how many of them stand side by side."""
    if "vconcat" in spec:
        return list(spec["vconcat"]), 1
    if "concat" in spec:
        return list(spec["concat"]), int(spec.get("columns", len(spec["concat"])))
    return [spec], 1  # type: ignore[list-item]


def _fitted(spec: dict[str, Any], width: float) -> dict[str, Any]:
    """The specification with panels so wide that the whole picture is `width` wide: drawn, measured, and set right."""
    parts, beside = panels(spec)
    inner = width * 0.7 / beside
    for _ in range(4):
        for part in parts:
            part["width"] = inner
        off = width - _width_of(_svg(spec))
        if abs(off) < 0.5:
            break
        inner = max(20.0, inner + off / beside)
    return spec


__all__ = ["ENDINGS", "Picture", "ending_of", "panels"]
