"""How much of the spread each source of randomness makes: the answer, and the page that reports it."""

from dataclasses import dataclass

from .. import stats
from ..advice import Advice
from ..experiments.crossing import THREADS, Crossing
from ..results import Results
from ..showing import Shown
from . import spread
from .page import Block, Line, warning


@dataclass(frozen=True, repr=False)
class Decomposition(Shown):
    """How much of a metric's variance between runs each source makes.

    Attributes
    ----------
    components
        `found.components["init"].variance`, `.share`, `.interval`; the same for what two sources do together, and for
        `rest`: what differs between repeats of the same run.
    fraction
        The share of the whole crossed design that was run.
    members
        Name of each experiment of the design, with its results.
    name, metric
        The decomposition's name in the store, and the metric that was divided.
    design
        Which cells of the crossed design were run: sources, n seeds of each, threads, repeats.
    warnings
        What the reader should act on.
    """

    name: str
    metric: str
    components: stats.Components
    design: Crossing
    members: dict[str, Results]
    warnings: tuple[Advice, ...] = ()

    def __repr__(self) -> str:
        return f"<Decomposition {self.name}: {self.metric}, {self.design.runs} runs>"

    @property
    def fraction(self) -> float:
        """The share of the whole crossed design that was run."""
        return self.design.cells / self.design.whole

    @property
    def sentence(self) -> str:
        """Which part of the variance each source makes."""
        return spread.components_sentence(self.metric, self.components)

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            **spread.components_dict(self.metric, self.components),
            "sources": list(self.design.sources),
            "threads": list(self.design.threads),
            "seeds_each": self.design.n,
            "repeats": self.design.repeats,
            "fraction": self.fraction,
            "machine": spread.machine_sentence(self.components, THREADS),
            "experiments": list(self.members),
            "warnings": list(self.warnings),
        }


def page_of_decomposition(found: Decomposition, explain: bool = False) -> list[Block]:
    """The report: the sentence, a bar and a row for each component, and what the machine adds."""
    machine = spread.machine_sentence(found.components, THREADS)
    page: list[Block] = [Line(found.sentence), spread.components_bars(found.components)]
    page += [spread.components_table(found.components)]
    page += [Line(machine)] if machine else []
    if found.design.fraction:
        page.append(
            Line(f"These runs are 1/{round(1 / found.fraction)} of the whole design; interactions are not told apart.")
        )
    page += map(warning, found.warnings)
    return [*page, Line(""), *map(Line, spread.explain_components(found.components))] if explain else page
