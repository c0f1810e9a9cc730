"""What must be run, and what came out of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..errors import UsageError
from ..events import Event, Note
from ..experiments.forking_record import Record
from ..experiments.functions import Call
from ..experiments.options import Options
from ..experiments.store import Experiment
from ..results import Metric, Reduce, Results
from ..sandbox.workdir import Workdir
from ..wording import option, switched_on
from .asking import Ask
from .executors.choosing import Where
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
    alike: Record | None = None
    """How forked runs of another experiment were compared, that differs from this one only in the seeds of its sources."""
    brief: bool = False
    """Whether the results are for a report. Then only the last values are read if there are very many series."""

    on: Where | None = None
    """Where its seeds are run; None: by this command's own process."""
    ask: Ask | None = None
    """Asks, after Ctrl-C, what becomes of seeds that are run elsewhere. None: they are left."""

    def __post_init__(self) -> None:
        if self.on is not None:
            self._check_elsewhere(self.on)
        if self.remember and not self.metrics and self.reduce is None:
            raise UsageError(
                f"{switched_on('--remember')} keeps {option('--metric')} and {option('--reduce')}: name one of them"
            )

    def _check_elsewhere(self, on: Where) -> None:
        """Refuse what goes on one machine only."""
        options = self.options
        for given, name, why in (
            (options.as_is, switched_on("--as-is"), "the script runs once, here"),
            (options.gpus, option("--gpus"), "the engine gives out its GPUs itself"),
            (options.workdir is Workdir.SEQUENTIAL, option("--workdir sequential"), "each run has private files there"),
            (
                options.workdir is Workdir.SHARED and not on.live,
                option("--workdir shared"),
                f"it takes {switched_on('--live')}",
            ),
        ):
            if given:
                raise UsageError(f"{name} does not go with {option('--on')}: {why}")


@dataclass(frozen=True)
class Outcome:
    """The results, whether everything was done that could be done, and whether somebody interrupted it."""

    results: Results
    complete: bool
    interrupted: bool = False
    forking: Record | None = None
    """How its forked runs were compared with fresh ones."""


@dataclass
class Notes:
    """Messages that are shown at once and kept with the results."""

    tell: Callable[[Event], None]
    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.texts.append(text)
        self.tell(Note(text))
