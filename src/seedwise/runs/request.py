"""What is to be run, and what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..events import Event, Note
from ..experiments.functions import Call
from ..experiments.options import Options
from ..experiments.store import Experiment
from ..results import Metric, Reduce, Results
from .stopping import Until


def silent(_event: Event) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Request:
    """A command under seeds, with everything that was chosen."""

    command: Sequence[str]
    """For a function, how it is shown."""
    seeds: Sequence[int]
    options: Options = field(default_factory=Options)
    name: str | None = None
    """Of the experiment; by default that of the script."""
    metrics: Sequence[Metric] = ()
    """Those that were asked for."""
    reduce: Reduce = Reduce.LAST
    call: Call | None = None
    """The function that is to be called."""
    until: Until | None = None
    """Stop before all seeds are run, when the mean is known well enough."""
    only: Experiment | None = None
    """The experiment that it must be; another one is refused."""
    retry_failed: bool = False
    """Run failed seeds again."""
    brief: bool = False
    """The results are for a report: of very many series, last values only."""


@dataclass(frozen=True)
class Outcome:
    """Results, whether all was done that could be, and whether somebody interrupted it."""

    results: Results
    complete: bool
    interrupted: bool = False


@dataclass
class Notes:
    """What is said once, at once, and kept with the results."""

    tell: Callable[[Event], None]
    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.texts.append(text)
        self.tell(Note(text))
