"""Which sources to vary in how many runs: the answer, and the page that reports it."""

from dataclasses import dataclass

from ..showing import Shown
from ..words import decimals, number, printable
from .page import Block, Line
from .table import Table

EXAMPLE = 30
"""So many runs are the example."""


@dataclass(frozen=True)
class Varied:
    """What runs that vary some of the sources together would tell of the mean.

    Attributes
    ----------
    sources
        Those that vary.
    runs
        How many runs give the margin; None if no number does.
    remaining
        The margin that stays however many runs there are, because other sources are held at one value.
    margin_of_30
        The margin of 30 runs.
    """

    sources: tuple[str, ...]
    runs: int | None
    remaining: float
    margin_of_30: float


@dataclass(frozen=True, repr=False)
class PlanOfSources(Shown):
    """How many runs give a margin, for each choice of the sources that vary; the choice that needs fewest first.

    Attributes
    ----------
    metric, margin, level
        The metric, the half-width that is wanted in its units, and the coverage of the interval.
    choices
        For each choice: the `sources` that vary, how many `runs` give the margin, and what margin stays.
    sentence
        The answer in words.
    """

    metric: str
    margin: float
    level: float
    choices: tuple[Varied, ...]
    sentence: str

    def __repr__(self) -> str:
        return f"<PlanOfSources {self.metric}: ± {self.margin:g}, {len(self.choices)} choices>"

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "metric": self.metric,
            "margin": self.margin,
            "level": self.level,
            "choices": [
                {"vary": list(c.sources), "runs": c.runs, "remaining": c.remaining, "margin_of_30": c.margin_of_30}
                for c in self.choices
            ],
            "sentence": self.sentence,
        }


def page_of_plan(found: PlanOfSources) -> list[Block]:
    """The sentence, and a row for each choice of sources."""
    k = decimals(found.margin / 10, found.margin)
    rows = tuple(
        (
            ", ".join(map(printable, c.sources)),
            "no number" if c.runs is None else str(c.runs),
            f"± {number(c.margin_of_30, k)}",
            f"± {number(c.remaining, k)}",
        )
        for c in found.choices
    )
    columns = ("vary", f"runs for ± {found.margin:g}", f"{EXAMPLE} runs give", "stays at the least")
    return [Line(found.sentence), Table(columns, rows, frozenset({1, 2, 3}))]
