"""The command line itself, and the options that several commands take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from .groups import IN_FILE, MEASURED, PRINTED, STORED, TASKS
from .wrong_use import only_whole_numbers

if TYPE_CHECKING:
    from ..tables.references import Reference
    from ..tables.runs import Layout

app = App(
    name="seedwise",
    help="What does the random seed do to your training run? Control it, vary it, and say what the numbers mean.",
    version_flags=["--version"],
    config=only_whole_numbers,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `start` says what became of it
)

Json = Annotated[
    bool,
    Parameter(
        name="--json",
        negative=(),
        group=PRINTED,
        show_default=False,
        help="Print JSON and nothing else on standard output.",
    ),
]
StoreOption = Annotated[
    str | None, Parameter(name="--store", group=STORED, help="Folder of the store (default: the nearest .seedwise).")
]
MetricOption = Annotated[
    list[str] | None,
    Parameter(
        name="--metric",
        negative=(),
        group=MEASURED,
        help="A metric: NAME, NAME:min, NAME:max or NAME=REGEX. Repeat for several.",
    ),
]
ShownReduce = Annotated[
    Literal["last", "best", "mean", "area"] | None,
    Parameter(
        name="--reduce",
        group=MEASURED,
        help="Which value of a series of one run counts (default: the last, or what was remembered).",
    ),
]
Level = Annotated[float, Parameter(group=PRINTED, help="Coverage of the intervals.")]
By = Annotated[str | None, Parameter(group=IN_FILE, help="FILE: the column that tells methods apart.")]
Task = Annotated[str | None, Parameter(group=IN_FILE, help="FILE: the column of tasks or data sets.")]
Output = Annotated[
    str | None,
    Parameter(
        name=["--output", "-o"],
        group=PRINTED,
        help="Also write a file; its ending says how: .tex, .md, .csv, .json, .txt.",
    ),
]
Rng = Annotated[int, Parameter(group=PRINTED, help="The number from which resampling starts.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Shown:
    """How an answer is printed."""

    explain: Annotated[
        bool, Parameter(negative=(), group=PRINTED, show_default=False, help="Say what each number means.")
    ] = False
    format: Annotated[Literal["text", "md", "latex"], Parameter(group=PRINTED, help="How tables are printed.")] = "text"
    json: Json = False
    output: Output = None

    @property
    def table_alone(self) -> bool:
        """Whether standard output is for a table or JSON and nothing else."""
        return self.json or self.format != "text"

    def check(self) -> None:
        """Raises UsageError for options that would be ignored, and for a file whose ending says no format."""
        from ..reports.formats import format_of

        if self.output is not None:
            format_of(self.output)
        if self.json:
            refuse(
                {"--explain": self.explain, "--format": None if self.format == "text" else self.format},
                "--json prints every number, and nothing else",
            )


AS_TEXT = Shown()


@Parameter(name="*")
@dataclass(frozen=True)
class InTable:
    """What the columns of a table in a file are, where their names do not say it."""

    seed_column: Annotated[str | None, Parameter(group=IN_FILE, help="FILE: the column that tells runs apart.")] = None
    rows_are_runs: Annotated[
        bool,
        Parameter(
            negative=(),
            group=IN_FILE,
            show_default=False,
            help="FILE: each row is a run of its own, though no column says a seed.",
        ),
    ] = False
    step_column: Annotated[
        str | None, Parameter(group=IN_FILE, help="FILE: the column that orders the rows of one run.")
    ] = None
    reduce: Annotated[
        Literal["last", "best", "mean", "area"] | None,
        Parameter(
            group=IN_FILE, help="FILE with several rows for each run: which number counts (default: the last, by step)."
        ),
    ] = None
    steps_to: Annotated[
        float | None,
        Parameter(
            group=IN_FILE, help="FILE with several rows for each run: the first step at which so much is reached."
        ),
    ] = None

    def layout(self) -> "Layout":
        """The same for the reader."""
        from ..results import Reduce
        from ..tables.runs import Layout

        reduce = None if self.reduce is None else Reduce(self.reduce)
        if self.steps_to is not None:
            refuse({"--reduce": reduce}, "--steps-to takes the first step that reaches the number")
        return Layout(self.seed_column, self.rows_are_runs, self.step_column, reduce, self.steps_to)


BY_NAME = InTable()


@Parameter(name="*")
@dataclass(frozen=True)
class AcrossTasks:
    """How scores of several tasks become one number."""

    normalise: Annotated[
        str | None,
        Parameter(
            group=TASKS,
            help="Over tasks: reference scores that become 0 and 1: atari, or a FILE with a row for each task.",
        ),
    ] = None
    zero: Annotated[
        str | None, Parameter(group=TASKS, help="In the file of --normalise: the column of what becomes 0.")
    ] = None
    one: Annotated[
        str | None, Parameter(group=TASKS, help="In the file of --normalise: the column of what becomes 1.")
    ] = None
    enough: Annotated[
        float | None,
        Parameter(
            group=TASKS,
            help="Over tasks: the score that is enough, for the optimality gap (1 where scores are normalised).",
        ),
    ] = None

    def typed(self) -> dict[str, object]:
        """Those that were typed, by name."""
        return {"--normalise": self.normalise, "--zero": self.zero, "--one": self.one, "--enough": self.enough}

    def reference(self, task: str | None) -> "Reference | None":
        """The reference scores; `task` is what the column of tasks is called. Raises UsageError where there are none to be read."""
        if self.normalise is None:
            refuse({"--zero": self.zero, "--one": self.one}, "they name columns of the file of --normalise")
            return None
        from ..tables.references import read_reference

        return read_reference(self.normalise, self.zero, self.one, task)


NOT_ACROSS = AcrossTasks()


def refuse(given: Mapping[str, object], because: str) -> None:
    """An option that would be ignored is an error.

    Parameters
    ----------
    given
        Options by name; one that was not typed is None or False.

    Raises
    ------
    UsageError
        Naming those that were typed, and why they cannot be.
    """
    from ..errors import UsageError

    typed = [name for name, value in given.items() if value is not None and value is not False]
    if typed:
        raise UsageError(f"{' and '.join(typed)} would be ignored: {because}")
