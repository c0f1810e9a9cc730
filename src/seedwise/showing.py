"""Values that `print` shows as the command line does.

The values stand below everything that could lay them out. So the page is asked for by name, when it is first needed.
"""

import os
from importlib import import_module
from typing import Protocol


class Shown:
    """A value whose `str` is its report, and whose `repr` is one line. In a notebook it shows table and picture."""

    def __str__(self) -> str:
        return str(import_module("seedwise.api.printed").text_of(self))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows (IPython's protocol: ipython.readthedocs.io, "Integrating your objects")."""
        bundle: dict[str, str] = import_module("seedwise.api.printed").bundle_of(self)
        return bundle


class Picture(Protocol):
    """A picture that was not drawn yet."""

    @property
    def caption(self) -> str:
        """What it shows, with n, the name of the interval, and what ± is."""

    def svg(self, width: float | None = None) -> str:
        """The picture as SVG, so many points wide."""

    def save(self, path: str | os.PathLike[str], width: float | None = None) -> None:
        """Write it: `.pdf`, `.svg`, `.png` or `.json`."""

    def spec(self, width: float | None = None) -> dict[str, object]:
        """The same as a Vega-Lite specification with its data."""


def plotted(value: object, kind: str | None, **how: object) -> Picture:
    """The picture of a value. What draws stands above what is drawn, so it is asked for by name."""
    picture: Picture = import_module("seedwise.api.pictures").plot(value, kind, **how)
    return picture
