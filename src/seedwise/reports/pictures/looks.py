"""How pictures look: colours that colour-blind people tell apart, shapes and dashes for those who print in grey."""

from dataclasses import dataclass

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#777777")
"""Okabe and Ito's (2008) palette, with grey for black, which is not seen on a dark page, and without its yellow, which is
not seen on a white one."""
SHAPES = ("circle", "square", "triangle-up", "cross", "diamond", "triangle-down")
DASHES = ((1, 0), (6, 2), (2, 2), (8, 2, 2, 2), (4, 4))
"""Numbers of shapes and dashes have no common divisor with that of colours: 35 groups differ in one of both."""

BETTER, WORSE, OPEN = COLOURS[0], COLOURS[1], COLOURS[6]


def colours(n: int) -> list[str]:
    """A colour for each of n groups."""
    return [COLOURS[k % len(COLOURS)] for k in range(n)]


def shapes(n: int) -> list[str]:
    """A shape for each of n groups."""
    return [SHAPES[k % len(SHAPES)] for k in range(n)]


def dashes(n: int) -> list[list[int]]:
    """A dash for each of n groups."""
    return [list(DASHES[k % len(DASHES)]) for k in range(n)]


@dataclass(frozen=True)
class Style:
    """Sizes and colours of a picture. `width` is the whole picture's, in points (1/72 inch), as `font` is."""

    width: float = 234.0
    font: float = 8.0
    text: str = "#000000"
    grid: str = "#e4e4e4"
    faces: str = "Helvetica, Arial, Liberation Sans, sans-serif"
    title: str = ""
    background: str | None = "#ffffff"

    def config(self) -> dict[str, object]:
        """The same as Vega-Lite's configuration."""
        axis = {
            "labelFontSize": self.font,
            "titleFontSize": self.font,
            "titleFontWeight": "normal",
            "labelColor": self.text,
            "titleColor": self.text,
            "domainColor": self.text,
            "tickColor": self.text,
            "gridColor": self.grid,
            "titlePadding": 4,
            "labelLimit": 0.45 * self.width,
            "labelOverlap": True,
        }
        legend = {
            "labelFontSize": self.font,
            "titleFontSize": self.font,
            "titleFontWeight": "normal",
            "labelColor": self.text,
            "titleColor": self.text,
            "orient": "bottom",
            "direction": "vertical",
            "title": None,
            "labelLimit": 0.85 * self.width,
            "titleLimit": 0.95 * self.width,
            "symbolStrokeWidth": 1.5,
            "offset": 6,
            "rowPadding": 1,
            "symbolSize": 40,
        }
        head = {"labelFontSize": self.font, "labelColor": self.text, "titleColor": self.text}
        title = {"fontSize": self.font, "fontWeight": "normal", "color": self.text, "anchor": "start"}
        return {
            "font": self.faces,
            "background": self.background,
            "axis": axis,
            "legend": legend,
            "header": head,
            "title": title,
            "text": {"fontSize": self.font, "color": self.text},
            "view": {"stroke": None},
            "concat": {"spacing": 8},
        }


PAPER = Style()


def label(name: str, n: int, finished: int) -> str:
    """A group with how many seeds it has: `base (n = 28 of 30)`."""
    counted = f"n = {finished}" if finished == n else f"n = {finished} of {n}"
    return f"{name} ({counted})" if name else counted
