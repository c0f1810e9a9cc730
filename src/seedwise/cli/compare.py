"""`seedwise compare`."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .app import (
    AS_TEXT,
    BY_NAME,
    NOT_ACROSS,
    AcrossTasks,
    By,
    InTable,
    Level,
    MetricOption,
    Rng,
    Shown,
    StoreOption,
    Task,
    app,
    refuse,
)
from .groups import DECIDING, IN_FILE, TASKS
from .printing import deliver
from .sides import name_of, print_notes, say_newest, shared_metrics, side_of

if TYPE_CHECKING:
    from ..advice import Advice
    from ..tables.runs import Layout


@Parameter(name="*")
@dataclass(frozen=True)
class Question:
    """How scores are compared."""

    paired: Annotated[
        bool,
        Parameter(
            negative=(), show_default=False, help="Scores under one seed belong together: declare it before looking."
        ),
    ] = False
    equivalence: Annotated[float | None, Parameter(help="Differences below this margin do not matter.")] = None
    level: Level = 0.95
    rng: Rng = 0


@Parameter(name="*")
@dataclass(frozen=True)
class InFile:
    """Where the methods are in a file that holds them all."""

    by: By = None
    task: Task = None
    wide: Annotated[
        bool,
        Parameter(negative=(), group=IN_FILE, show_default=False, help="FILE: each column of numbers is a method."),
    ] = False
    nemenyi: Annotated[
        bool,
        Parameter(negative=(), group=TASKS, show_default=False, help="Over tasks: also Nemenyi's critical difference."),
    ] = False
    profile: Annotated[
        str | None,
        Parameter(
            group=TASKS, help="Over tasks: the share of runs that reach each of these scores, such as 0.5,1,2; or auto."
        ),
    ] = None


_QUESTION, _IN_FILE = Question(), InFile()


@app.command(group=DECIDING)
def compare(
    *sides: Annotated[
        str,
        Parameter(
            help="NEW BASE [MORE…]: experiments, families or files; or one FILE that holds all methods, with --by."
        ),
    ],
    metric: MetricOption = None,
    where: InFile = _IN_FILE,
    across: AcrossTasks = NOT_ACROSS,
    table: InTable = BY_NAME,
    question: Question = _QUESTION,
    until_decided: Annotated[
        bool,
        Parameter(
            negative=(),
            show_default=False,
            help="Run both experiments on, seed by seed, until the question is decided.",
        ),
    ] = False,
    max_seeds: Annotated[
        int | None, Parameter(help="With --until-decided: at most so many seeds each (default: 100).")
    ] = None,
    shown: Shown = AS_TEXT,
    store: StoreOption = None,
) -> int:
    """Is NEW better than BASE? Experiments, or scores in files; without names, the two newest experiments.

    seedwise compare new base --metric accuracy

    seedwise compare scores.csv --by model

    seedwise compare atari.csv --by agent --task game --normalise atari
    """
    from ..experiments.members import expanded

    sides = expanded(sides, store) or _two_newest(store)
    _check_sides(sides, metric, where)
    if where.task is None and len(sides) > 1:
        refuse({**across.typed(), "--profile": where.profile}, "it is for several tasks: --task COLUMN names them")
    shown.check()
    if until_decided:
        refuse(
            {"--paired": question.paired, "--equivalence": question.equivalence, "--format": _typed(shown.format)},
            "--until-decided asks whether two means differ, and prints text or --json",
        )
        refuse(table.layout().typed(), "--until-decided runs experiments")
        return _until_decided(sides, metric, question, 100 if max_seeds is None else max_seeds, store, shown)
    refuse({"--max-seeds": max_seeds}, "it goes with --until-decided")
    if len(sides) == 1:
        refuse({"--store": store}, f"{sides[0]} is a file")
        groups, notes = _methods_in(sides[0], metric[0] if metric else None, where, table.layout())
        return _compare_groups(groups, notes, where, across, question, shown)
    if where.task is not None:
        groups, notes = _tasks_of_files(sides, metric[0] if metric else None, where.task, table.layout())
        return _compare_groups(groups, notes, where, across, question, shown)
    return _compare_sides(sides, metric, table.layout(), question, shown, store)


def _compare_sides(
    sides: Sequence[str],
    metric: Sequence[str] | None,
    layout: "Layout",
    question: Question,
    shown: Shown,
    store: str | None,
) -> int:
    """Experiments, and files with the scores of one method each."""
    from ..api.elsewhere import is_made_elsewhere
    from ..errors import UsageError

    made_elsewhere = [is_made_elsewhere(side, store) for side in sides]
    if all(made_elsewhere):
        refuse({"--store": store}, "all sides are files")
    if not any(made_elsewhere):
        refuse(layout.typed(), "no side is a file")
    results = {name_of(side, sides): side_of(side, metric or (), store, layout) for side in sides}
    if len(results) < len(sides):
        raise UsageError(f"each side once: {' '.join(sides)}")
    names = shared_metrics(results, metric)
    if len(sides) > 2:
        code = _rank({name: of.scores(names[0]) for name, of in results.items()}, question, shown)
    else:
        code = _compare_two(results, names, bool(metric), question, shown)
    print_notes(
        (note.about(name) for name, of in results.items() if not of.key for note in of.warnings), shown.table_alone
    )
    return code


def _two_newest(store: str | None) -> tuple[str, ...]:
    from ..api.listing import newest
    from ..errors import StoreError, UsageError

    try:
        found, there = newest(2, store)
    except (StoreError, UsageError) as error:
        raise UsageError(f"compare takes NEW and BASE, or a FILE.csv with --by COLUMN; {error}") from None
    say_newest(f"compare {shlex.join(found)}", there)
    return tuple(found)


def _typed(format: str) -> str | None:
    return None if format == "text" else format


def _check_sides(sides: Sequence[str], metric: Sequence[str] | None, where: InFile) -> None:
    """Refuse what makes no question, with what would."""
    from ..errors import UsageError

    in_file = len(sides) == 1
    if in_file and not os.path.exists(sides[0]):
        raise UsageError(
            f"compare takes two names or more, or one file: {sides[0]} is no file; seedwise list shows the names"
        )
    if (where.by or where.wide) and not in_file:
        raise UsageError("--by and --wide are for one file that holds all methods")
    if where.task is not None and not all(os.path.exists(side) for side in sides):
        raise UsageError("--task is for files: each holds the runs of one method on all tasks")
    if not in_file and where.task is None:
        refuse({"--nemenyi": where.nemenyi}, "it is for several tasks in files: --task COLUMN")
    if metric and len(metric) > 1 and (in_file or len(sides) > 2):
        raise UsageError("several metrics are for two experiments: name one --metric")


def _compare_two(results: dict[str, Any], metrics: Sequence[str], asked: bool, question: Question, shown: Shown) -> int:
    from ..api.compare import compare as one
    from ..api.rankings import with_holm
    from ..reports.answers import of_comparison, of_other_metrics

    new, base = results
    found = [
        one(
            results[new].scores(name),
            results[base].scores(name),
            paired=question.paired,
            level=question.level,
            names=(new, base),
            rng=question.rng,
            equivalence=question.equivalence if k == 0 else None,
        )
        for k, name in enumerate(metrics)
    ]
    primary, others = found[0], with_holm(found[1:]) if len(found) > 1 else []
    page = [*of_comparison(primary, shown.explain), *(of_other_metrics(others, asked) if others else ())]
    deliver(page, {**primary.as_dict(), "others": [c.as_dict() for c in others]}, shown)
    return 0


def _rank(scores: Mapping[str, Any], question: Question, shown: Shown) -> int:
    from ..api.rankings import compare_many
    from ..reports.answers import of_ranking

    ranking = compare_many(
        scores, paired=question.paired, equivalence=question.equivalence, level=question.level, rng=question.rng
    )
    deliver(of_ranking(ranking, shown.explain), ranking.as_dict(), shown)
    return 0


def _compare_groups(
    groups: Mapping[str, Mapping[str, Any]],
    notes: "Sequence[Advice]",
    where: InFile,
    across: AcrossTasks,
    question: Question,
    shown: Shown,
) -> int:
    code = _compare_methods(groups, where, across, question, shown)
    print_notes(notes, shown.table_alone)
    return code


def _compare_methods(
    groups: Mapping[str, Mapping[str, Any]],
    where: InFile,
    across: AcrossTasks,
    question: Question,
    shown: Shown,
) -> int:
    from ..api.compare import compare as one
    from ..api.rankings import compare_tasks
    from ..reports.answers import of_comparison, of_tasks

    if any(len(of) > 1 for of in groups.values()):
        refuse(
            {"--paired": question.paired, "--equivalence": question.equivalence},
            "methods are compared over several tasks",
        )
        tasks = {name: dict(of) for name, of in groups.items()}
        found_over = compare_tasks(
            tasks,
            level=question.level,
            nemenyi=where.nemenyi,
            reference=across.reference(where.task),
            enough=across.enough,
            profile=_thresholds(where.profile),
            rng=question.rng,
        )
        found_over = replace(found_over, normalised=across.normalise or "")
        deliver(of_tasks(found_over, shown.explain), found_over.as_dict(), shown)
        return 0
    refuse(
        {"--nemenyi": where.nemenyi, "--profile": where.profile, **across.typed()},
        "it is for several tasks, and there is one",
    )
    single = {name: next(iter(of.values())) for name, of in groups.items()}
    if len(single) != 2:
        return _rank(single, question, shown)
    (new, a), (base, b) = single.items()
    found = one(
        a,
        b,
        paired=question.paired,
        equivalence=question.equivalence,
        level=question.level,
        names=(new, base),
        rng=question.rng,
    )
    deliver(of_comparison(found, shown.explain), found.as_dict(), shown)
    return 0


def _methods_in(
    path: str, metric: str | None, where: InFile, layout: "Layout"
) -> "tuple[Mapping[str, Mapping[str, Any]], Sequence[Advice]]":
    """For each method in a file, its scores on each task; and what the user should know of how they were read."""
    from ..api.files import read_columns, read_methods
    from ..errors import UsageError

    if where.wide:
        refuse({"--by": where.by, "--task": where.task}, "with --wide each column of numbers is a method")
        found = read_columns(path, metric, layout)
    else:
        found = read_methods(path, where.by, where.task, metric, layout)
    groups, notes = found.methods, found.notes
    if len(groups) < 2:
        raise UsageError(
            f"{path} holds one method, {', '.join(groups) or 'without a name'}: there is nothing to compare (seedwise summarize)"
        )
    return groups, notes


def _tasks_of_files(
    paths: Sequence[str], metric: str | None, task: str, layout: "Layout"
) -> "tuple[Mapping[str, Mapping[str, Any]], Sequence[Advice]]":
    """Each file is a method; its runs on each task."""
    from ..api.files import read_one_method
    from ..errors import UsageError

    groups, notes = {}, []
    for path in paths:
        name = name_of(path, paths)
        if name in groups:
            raise UsageError(f"each side once: {' '.join(paths)}")
        groups[name], said = read_one_method(path, task, metric, layout)
        notes += [note.about(name) for note in said]
    return groups, notes


def _thresholds(text: str | None) -> "Sequence[float] | str | None":
    from ..errors import UsageError

    if text is None or text == "auto":
        return text
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        raise UsageError(f"--profile takes scores, such as 0.5,1,2, or auto; got {text!r}") from None


def _until_decided(
    sides: Sequence[str],
    metric: Sequence[str] | None,
    question: Question,
    max_seeds: int,
    store: str | None,
    shown: Shown,
) -> int:
    from ..api.compare import compare_at_any_time
    from ..api.elsewhere import is_made_elsewhere
    from ..api.experiments import run_until_decided
    from ..decisions import Decision
    from ..errors import UsageError
    from ..reports.answers import of_comparison
    from ..reports.live import showing

    if len(sides) != 2 or any(is_made_elsewhere(side, store) for side in sides):
        raise UsageError("--until-decided runs two experiments on: compare NEW BASE --until-decided")
    if max_seeds < 5:
        raise UsageError(f"--max-seeds is at least 5, where the sequence begins; got {max_seeds}")
    with showing(prefer=metric[0] if metric else None) as live:
        both = run_until_decided(
            sides[0], sides[1], most=max_seeds, level=question.level, metric=metric or (), store=store, tell=live
        )
    results = dict(zip(sides, (outcome.results for outcome in both), strict=True))
    name = shared_metrics(results, metric)[0]
    a, b = (of.scores(name) for of in results.values())
    found = compare_at_any_time(a, b, names=(sides[0], sides[1]), level=question.level, rng=question.rng)
    deliver(of_comparison(found, shown.explain), found.as_dict(), shown)
    if any(outcome.interrupted for outcome in both):
        return 130
    if any(outcome.results.failed for outcome in both):
        return 3
    return 1 if found.decision is Decision.UNDECIDED else 0
