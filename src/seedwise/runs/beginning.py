"""What there is to do, told before the first seed is begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..events import Began
from ..experiments.loading import runs_of
from ..experiments.options import Mode
from ..experiments.store import NOT_THE_RUNS_FAULT, Experiment, Store
from ..results import Run, Status
from .attempt import Setup


def is_settled(run: Run, retry_failed: bool) -> bool:
    """Whether a seed need not be run again."""
    if run.status is Status.FAILED:
        return not retry_failed and run.cause not in NOT_THE_RUNS_FAULT
    return run.status is Status.FINISHED


@dataclass(frozen=True)
class Outset:
    """How the seeds that a command was given stand before it begins."""

    before: Mapping[int, Run]
    """The newest run of each seed of the experiment."""
    todo: Sequence[int]
    """The seeds that are run."""
    failed: int
    """How many seeds that are not run again had failed."""

    @classmethod
    def of(cls, store: Store, experiment: Experiment, seeds: Sequence[int], retry_failed: bool) -> "Outset":
        """Look into the store."""
        before = {run.seed: run for run in store.runs(experiment.id, last_only=True)}
        damaged = store.damaged_seeds(experiment.id)
        todo = [s for s in seeds if s not in before or s in damaged or not is_settled(before[s], retry_failed)]
        failed = sum(s in before and before[s].status is Status.FAILED for s in set(seeds) - set(todo))
        return cls(before, todo, failed)

    @property
    def works(self) -> bool:
        """Whether a run has finished before."""
        return any(run.status is Status.FINISHED for run in self.before.values())


def beginning(
    store: Store,
    experiment: Experiment,
    setup: Setup,
    seeds: Sequence[int],
    outset: Outset,
    *,
    jobs: int,
    rule: bool,
) -> Began:
    """What is told before the first seed is begun: what there is to do, and what was done before.

    `rule` is whether one decides when there are enough.
    """
    open_ = set(outset.todo)
    settled = [seed for seed in seeds if seed not in open_]
    asked = setup.metrics or experiment.metrics
    before: Sequence[Run] = ()
    if settled and setup.mode is not Mode.AS_IS:
        before = runs_of(store, experiment, asked, setup.reduce, settled, brief=True)
    return Began(
        len(seeds),
        len(settled),
        len(outset.todo),
        jobs,
        outset.failed,
        experiment.label,
        tuple(before),
        tuple(asked),
        setup.reduce,
        rule or bool(experiment.plan.get("options", {}).get("anytime")),
        setup.mode is Mode.AS_IS,
    )
