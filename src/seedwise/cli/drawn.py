"""What is drawn: experiments, families, files of one method or of several, and methods over several tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cyclopts import Parameter

from .app import AcrossTasks, By, Level, Rng, Task, refuse
from .sides import name_of, side_of

if TYPE_CHECKING:
    from ..advice import Advice
    from ..decisions import OverTasks, TaskRanking
    from ..reports.pictures.task_curves import TaskCurvesInfo
    from ..results import Results, Scores
    from ..tables.runs import Layout


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Where methods and tasks are in a file, and how intervals are made."""

    by: By = None
    task: Task = None
    level: Level = 0.95
    rng: Rng = 0


AS_NAMED = Where()


@dataclass(frozen=True)
class Asked:
    """What the user named, and how it is read."""

    sides: Sequence[str]
    metric: Sequence[str]
    where: Where
    layout: "Layout"
    across: AcrossTasks
    store: str | None


@dataclass(frozen=True)
class Found:
    """The same, read: experiments by name, or methods over tasks; and what the user should know of how it was read."""

    groups: "Mapping[str, Results]"
    tasks: "TaskRanking | OverTasks | None" = None
    notes: "tuple[Advice, ...]" = ()
    by_step: "TaskCurvesInfo | None" = None
    """The curves over tasks, where the table has them."""


def read(asked: Asked, *, brief: bool, nemenyi: bool = False) -> Found:
    """Read what is to be drawn.

    Parameters
    ----------
    brief
        Only the last values are needed, no curves; nor over tasks.
    nemenyi
        Over tasks: also compute the critical difference.

    Raises
    ------
    UsageError, MetricError, StoreError
        It cannot be read, or an option would be ignored. The message says what and where.
    """
    from ..api.elsewhere import is_made_elsewhere
    from ..errors import UsageError
    from ..experiments.members import expanded

    sides = expanded(asked.sides, asked.store)
    files = [side for side in sides if is_made_elsewhere(side, asked.store)]
    if len(files) == len(sides):
        refuse({"--store": asked.store}, "all that is named is a file")
    if not files:
        refuse({**asked.layout.typed(), "--by": asked.where.by, "--task": asked.where.task}, f"{sides[0]} is no file")
    if asked.where.by is not None and len(sides) > 1:
        raise UsageError("--by is for one file that holds all methods")
    over = _over_tasks(sides, asked) if len(files) == len(sides) else None
    if over is not None:
        ranked = _ranked(over[0], asked, nemenyi, over[1])
        return ranked if brief else replace(ranked, by_step=_by_step(sides, asked, ranked.tasks))
    refuse(asked.across.typed(), "it is for several tasks: --task COLUMN names them")
    groups: dict[str, Results] = {}
    notes: list[Advice] = []
    for side in sides:
        found, said = _side(side, asked, brief)
        named = found if len(sides) == 1 else {_called(side, sides, key, found): of for key, of in found.items()}
        if set(named) & set(groups):
            raise UsageError(f"each side once: {' '.join(sides)}")
        groups |= named
        notes += said
    return Found(groups, None, tuple(dict.fromkeys(notes)))


def _called(side: str, sides: Sequence[str], key: str, found: "Mapping[str, Results]") -> str:
    return name_of(side, sides) if len(found) == 1 else f"{name_of(side, sides)}, {key}"


def _side(side: str, asked: Asked, brief: bool) -> "tuple[Mapping[str, Results], tuple[Advice, ...]]":
    from ..api.curves import read_groups
    from ..api.elsewhere import is_made_elsewhere

    if is_made_elsewhere(side, asked.store):
        return read_groups(side, asked.where.by, asked.metric, asked.layout)
    results = side_of(side, asked.metric, asked.store, brief=brief)
    return {results.name: results}, ()


def _over_tasks(
    sides: Sequence[str], asked: Asked
) -> "tuple[Mapping[str, Mapping[str, Scores]], tuple[Advice, ...]] | None":
    """For each method its scores on each task; None where there are no several tasks."""
    from ..api.files import read_methods, read_one_method
    from ..tables.groups import Groups
    from ..tables.opening import open_table

    metric = asked.metric[0] if asked.metric else None
    if asked.where.task is not None and (asked.where.by is None or len(sides) > 1):
        groups: dict[str, Mapping[str, Scores]] = {}
        notes: list[Advice] = []
        for side in sides:
            groups[name_of(side, sides)], said = read_one_method(side, asked.where.task, metric, asked.layout)
            notes += said
        return groups, tuple(notes)
    if len(sides) == 1:
        inside = open_table(sides[0]) if asked.where.task is None else None
        if asked.where.task is not None or (
            isinstance(inside, Groups) and any(len(of) > 1 for of in inside.scores.values())
        ):
            found = read_methods(sides[0], asked.where.by, asked.where.task, metric, asked.layout)
            return found.methods, found.notes
    return None


def _by_step(sides: Sequence[str], asked: Asked, found: "TaskRanking | OverTasks | None") -> "TaskCurvesInfo | None":
    """The interquartile mean by step, where the runs of every method have several rows."""
    from ..api.task_curves import Array, read_task_curves, task_curves_info

    task, metric = asked.where.task, asked.metric[0] if asked.metric else None
    if task is None or found is None:
        return None
    methods: dict[str, Mapping[str, Sequence[tuple[Array, Array]]]] = {}
    for side in sides:
        curves = read_task_curves(side, asked.where.by, task, metric, asked.layout)
        if not curves:
            return None
        methods |= {name_of(side, sides) if len(sides) > 1 else name or "all tasks": of for name, of in curves.items()}
    return task_curves_info(
        methods,
        found.metric,
        reference=asked.across.reference(task),
        level=asked.where.level,
        rng=asked.where.rng,
        normalised=asked.across.normalise or "",
    )


_PROFILE_POINTS = 101


def _ranked(
    methods: "Mapping[str, Mapping[str, Scores]]", asked: Asked, nemenyi: bool, notes: "tuple[Advice, ...]"
) -> Found:
    from ..api.over_tasks import summarize_tasks
    from ..api.rankings import compare_tasks

    reference, enough = asked.across.reference(asked.where.task), asked.across.enough
    found: TaskRanking | OverTasks
    if len(methods) == 1:
        name, tasks = next(iter(methods.items()))
        found = summarize_tasks(
            dict(tasks),
            name=name or "all tasks",
            reference=reference,
            enough=enough,
            level=asked.where.level,
            rng=asked.where.rng,
        )
    else:
        groups = {name: dict(of) for name, of in methods.items()}
        found = compare_tasks(
            groups,
            level=asked.where.level,
            nemenyi=nemenyi,
            reference=reference,
            enough=enough,
            profile=_PROFILE_POINTS,
            rng=asked.where.rng,
        )
    return Found({}, replace(found, normalised=asked.across.normalise or ""), (*notes, *found.warnings))
