"""Which pictures there are, and what every one of them consists of."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from ...choices import named

Columns = Mapping[str, Sequence[object]]
"""A table of data as columns: name → values, all of the same length."""


class Kind(StrEnum):
    """A kind of picture."""

    DOTS = "dots"
    CURVES = "curves"
    ECDF = "ecdf"
    HISTOGRAM = "histogram"
    COMPARE = "compare"
    PAIRS = "pairs"
    LOTTERY = "lottery"
    PROFILE = "profile"
    TASKS = "tasks"
    IMPROVEMENT = "improvement"
    RANKS = "ranks"
    BY_STEP = "by-step"


VALUES_ON: Mapping[Kind, str] = {
    Kind.DOTS: "x",
    Kind.CURVES: "y",
    Kind.ECDF: "x",
    Kind.HISTOGRAM: "x",
    Kind.LOTTERY: "y",
    Kind.COMPARE: "x",
    Kind.BY_STEP: "y",
}
"""The axis of the first panel on which the metric stands, in pictures where it may be logarithmic."""
STEPS_ON: Mapping[Kind, str] = {Kind.CURVES: "x", Kind.BY_STEP: "x"}
"""The axis of every panel on which steps stand."""


def kind_named(name: str) -> Kind:
    """The kind of this name. Raises UsageError, which names those that there are."""
    return named(Kind, name, "--kind")


class Info(Protocol):
    """The numbers of one picture."""

    @property
    def kind(self) -> Kind:
        """Which picture they are for."""

    def data(self) -> Mapping[str, Columns]:
        """The same as tables, by the names under which the chart asks for them."""

    def caption(self) -> str:
        """What the picture shows: what is measured, n, the name of the interval, what ± is."""
