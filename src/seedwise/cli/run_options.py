"""The options of `seedwise run`, each with the line that `--help` says of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from .groups import ELSEWHERE, FILES, HOW, MEASURED, PLACES, SEEDS, SETTINGS, STORED

if TYPE_CHECKING:
    from ..experiments.options import Options
    from ..runs.executors.choosing import Where

Command = Annotated[
    str, Parameter(help="The command, with or without -- before it: python train.py; or FILE.py:FUNCTION.")
]
Number = Annotated[
    int | None, Parameter(group=SEEDS, name=["-n", "--number"], help="Seeds 1 … n; a larger n adds seeds.")
]
Seeds = Annotated[str | None, Parameter(group=SEEDS, help="The seeds themselves: 0,3,5 or 1-30.")]
Name = Annotated[str | None, Parameter(group=STORED, help="Name of the experiment (default: the script's).")]
Remember = Annotated[
    bool,
    Parameter(
        group=MEASURED,
        show_default=False,
        negative=(),
        help="Keep --metric and --reduce with the experiment, for show, compare and later runs.",
    ),
]
Settings = Annotated[
    list[str] | None,
    Parameter(group=SETTINGS, negative=(), help="A setting of a function: lr=0.1. Repeat for several."),
]
Grid = Annotated[
    list[str] | None,
    Parameter(
        group=SETTINGS,
        negative=(),
        help="Values of a setting, lr=0.01,0.1, for {lr} in the command; several: all combinations.",
    ),
]
Confirm = Annotated[
    int | None, Parameter(group=SETTINGS, help="With --grid: run the best setting again under so many fresh seeds.")
]
Batched = Annotated[
    bool,
    Parameter(
        group=HOW,
        show_default=False,
        negative=(),
        help="FILE.py:FUNCTION describes a training; its seeds are trained together, as one program.",
    ),
]
Against = Annotated[
    str | None,
    Parameter(
        group=SETTINGS, help='Another command, "python other.py": the two alternate seed by seed, and are compared.'
    ),
]
UntilMargin = Annotated[
    float | None, Parameter(group=SEEDS, help="Stop when the mean is known to ± this; looks after every seed, validly.")
]
MaxSeeds = Annotated[int | None, Parameter(group=SEEDS, help="With --until-margin: at most so many seeds.")]
UntilRule = Annotated[
    Literal["sequence", "stein", "betting"],
    Parameter(group=SEEDS, help="t confidence sequence, Stein's two stages, or betting for declared --bounds."),
]
Bounds = Annotated[str | None, Parameter(group=SEEDS, help="With --until-rule betting: 0,1.")]


@Parameter(name="*")
@dataclass(frozen=True)
class RunOptions:
    """How the runs are done, as it is typed."""

    jobs: Annotated[
        int | None, Parameter(group=HOW, name=["--jobs", "-j"], help="Runs at a time (default: cores / threads).")
    ] = None
    threads: Annotated[str, Parameter(group=HOW, help="Threads of each run, or `script` to leave its own.")] = "1"
    keep: Annotated[
        list[str] | None,
        Parameter(group=PLACES, negative=(), help="Leave a seed site as typed: train.py:12, or split."),
    ] = None
    vary: Annotated[
        list[str] | None,
        Parameter(
            group=PLACES,
            negative=(),
            help="Sources that vary: init, order, dropout, augment, split, other. All else draws as in a plain run.",
        ),
    ] = None
    source: Annotated[
        list[str] | None,
        Parameter(
            group=PLACES, negative=(), help="With --vary: to which source a line's draws belong, model.py:41=augment."
        ),
    ] = None
    seed_site: Annotated[
        str | None,
        Parameter(group=PLACES, help="Where the number stands: train.py:3, or conf.yaml:seed in a configuration file."),
    ] = None
    as_is: Annotated[
        bool,
        Parameter(
            group=PLACES, show_default=False, negative=(), help="The script loops over its seeds itself: run it once."
        ),
    ] = False
    share: Annotated[
        list[str] | None, Parameter(group=FILES, negative=(), help="A file or folder that all runs share.")
    ] = None
    workdir: Annotated[
        Literal["auto", "overlay", "farm", "sequential", "shared"],
        Parameter(group=FILES, help="How runs are kept from sharing files."),
    ] = "auto"
    accept_change: Annotated[
        bool,
        Parameter(group=STORED, show_default=False, negative=(), help="Go on though code or packages have changed."),
    ] = False
    fresh: Annotated[
        bool,
        Parameter(
            group=HOW,
            show_default=False,
            negative=(),
            help="Start an interpreter for each run; by default runs are forked where that gives the same.",
        ),
    ] = False
    isolate_network: Annotated[
        bool,
        Parameter(
            group=FILES,
            show_default=False,
            negative=(),
            help="A network of its own for each run: its loopback, and no port of another run.",
        ),
    ] = False
    timeout: Annotated[
        float | None, Parameter(group=HOW, help="Seconds after which a run is ended and counts as failed.")
    ] = None
    retries: Annotated[int, Parameter(group=HOW, help="How often a failed run is tried again at once.")] = 0
    fail_fast: Annotated[
        bool,
        Parameter(group=HOW, show_default=False, negative=(), help="Start no further run after the first that fails."),
    ] = False
    keep_going: Annotated[
        bool,
        Parameter(
            group=HOW, show_default=False, negative=(), help="Run the other seeds though the first three failed alike."
        ),
    ] = False
    gpus: Annotated[str | None, Parameter(group=HOW, help="GPUs to be used, 0,1: each run sees one of them.")] = None
    metric_file: Annotated[
        list[str] | None,
        Parameter(
            group=MEASURED,
            negative=(),
            help="A file with its metrics that each run writes: out/metrics.json, 'logs/*/events*'.",
        ),
    ] = None
    checkpoints: Annotated[
        str | None,
        Parameter(
            group=FILES,
            help="The folder from which the script resumes, out/checkpoints: an interrupted seed finds what it had there.",
        ),
    ] = None
    nice: Annotated[int, Parameter(group=HOW, help="By how much runs step back for other work, 0 to 19.")] = 0

    def for_batched(self) -> tuple[int, tuple[str, ...]]:
        """Threads and varied sources of a training with --batched. Raises UsageError for an option that would be ignored there."""
        from ..errors import UsageError
        from ..experiments.options import sources_named

        usual = RunOptions()
        for name in self.__dataclass_fields__:
            if name not in ("threads", "vary") and getattr(self, name) != getattr(usual, name):
                raise UsageError(
                    f"--{name.replace('_', '-')} would be ignored with --batched, whose seeds are trained in one program"
                )
        if not self.threads.isdigit():
            raise UsageError(f"--threads takes a number with --batched; got {self.threads!r}")
        return int(self.threads), tuple(sources_named(self.vary or ()))

    def checked(self) -> "Options":
        """The same, checked. Raises UsageError."""
        from ..errors import UsageError
        from ..experiments.options import Options, cards_named, sources_named
        from ..sandbox.workdir import workdir_named

        if self.threads != "script" and not self.threads.isdigit():
            raise UsageError(f"--threads takes a number or `script`; got {self.threads!r}")
        return Options(
            as_is=self.as_is,
            keep=tuple(self.keep or ()),
            vary=sources_named(self.vary or ()),
            corrections=tuple(self.source or ()),
            seed_site=self.seed_site,
            threads=None if self.threads == "script" else int(self.threads),
            jobs=self.jobs,
            workdir=workdir_named(self.workdir),
            share=tuple(self.share or ()),
            accept_change=self.accept_change,
            fresh=self.fresh,
            isolate_network=self.isolate_network,
            timeout=self.timeout,
            retries=self.retries,
            fail_fast=self.fail_fast,
            keep_going=self.keep_going,
            gpus=cards_named(self.gpus.split(",") if self.gpus else ()),
            nice=self.nice,
            metric_files=tuple(self.metric_file or ()),
            checkpoints=self.checkpoints,
        )


@Parameter(name="*")
@dataclass(frozen=True)
class OnOptions:
    """Where the runs are done, as it is typed."""

    on: Annotated[
        str | None,
        Parameter(
            group=ELSEWHERE,
            help="slurm, dask://host:8786, ray, ray://host:10001; or local: here, and on when this command is left.",
        ),
    ] = None
    slurm: Annotated[
        list[str] | None,
        Parameter(group=ELSEWHERE, negative=(), help="Options of sbatch: partition=gpu,time=6:00:00,gres=gpu:1."),
    ] = None
    resources: Annotated[
        list[str] | None,
        Parameter(group=ELSEWHERE, negative=(), help="What each worker needs of a Dask or Ray cluster: GPU=0.25."),
    ] = None
    seeds_per_task: Annotated[
        int | None, Parameter(group=ELSEWHERE, help="Seeds in one job (default: as many as make a hundred jobs).")
    ] = None
    live: Annotated[
        bool,
        Parameter(
            group=ELSEWHERE,
            show_default=False,
            negative=(),
            help="Runs see your files as they are when they run; by default as they are now.",
        ),
    ] = False
    dry_run: Annotated[
        bool,
        Parameter(
            group=ELSEWHERE,
            show_default=False,
            negative=(),
            help="Print what Slurm would be given, and submit nothing.",
        ),
    ] = False

    def where(self, against: object = None, several: str = "") -> "Where | None":
        """The same, checked.

        Parameters
        ----------
        against
            Another command, with which this one alternates.
        several
            What makes several experiments, `--grid`; "" for one experiment.

        Raises
        ------
        UsageError
            Something is mistyped, or does not go together.
        """
        from ..errors import UsageError
        from ..runs.executors import Engine
        from ..runs.executors.choosing import where_asked

        found = where_asked(self.on, self.slurm or (), self._resources(), self.seeds_per_task, self.live)
        if found is not None and against is not None:
            raise UsageError("--against and --on do not go together: its two commands alternate on one machine")
        if self.dry_run and several:
            raise UsageError(f"--dry-run and {several} do not go together: --dry-run shows one experiment")
        if self.dry_run and (found is None or found.engine is not Engine.SLURM):
            raise UsageError("--dry-run goes with --on slurm: it prints the script that sbatch would get")
        return found

    def _resources(self) -> dict[str, float]:
        from ..errors import UsageError

        found = {}
        for text in self.resources or ():
            for part in text.split(","):
                name, _, value = part.partition("=")
                try:
                    found[name.strip()] = float(value)
                except ValueError:
                    raise UsageError(f"--resources takes NAME=NUMBER, GPU=0.25; got {part!r}") from None
        return found
