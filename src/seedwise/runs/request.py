"""What must be run, and what came out of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..errors import UsageError
from ..events import Event, Note
from ..experiments.functions import Call
from ..experiments.options import Options
from ..experiments.store import Experiment
from ..results import Metric, Reduce, Results
from ..wording import option, switched_on
from .stopping import Until


def silent(_event: Event) -> None:
    """Do nothing with an event."""


@dataclass(frozen=True)
class Request:
    """A command and seeds, with everything that the user chose."""

    command: Sequence[str]
    """The command; for a function, the words that are shown for it."""
    seeds: Sequence[int]
    options: Options = field(default_factory=Options)
    name: str | None = None
    """The experiment's name. By default that of the script."""
    metrics: Sequence[Metric] = ()
    """The metrics that were asked for."""
    reduce: Reduce | None = None
    """Which value of a series counts. None for the experiment's own choice, else the last."""
    call: Call | None = None
    """The function that is called."""
    until: Until | None = None
    """When to stop before all seeds are run, because the mean is known well enough."""
    only: Experiment | None = None
    """The experiment that it must be. Any other is refused."""
    retry_failed: bool = False
    """Whether failed seeds are run again."""
    remember: bool = False
    """Whether `metrics` and `reduce` become the experiment's own, which `show` and `compare` use."""
    brief: bool = False
    """Whether the results are for a report. Then only the last values are read if there are very many series."""

    def __post_init__(self) -> None:
        if self.remember and not self.metrics and self.reduce is None:
            raise UsageError(
                f"{switched_on('--remember')} keeps {option('--metric')} and {option('--reduce')}: name one of them"
            )


@dataclass(frozen=True)
class Outcome:
    """The results, whether everything was done that could be done, and whether somebody interrupted it."""

    results: Results
    complete: bool
    interrupted: bool = False


@dataclass
class Notes:
    """Messages that are shown at once and kept with the results."""

    tell: Callable[[Event], None]
    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.texts.append(text)
        self.tell(Note(text))
