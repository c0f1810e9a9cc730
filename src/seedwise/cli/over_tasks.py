"""`seedwise summarize FILE --task COLUMN`: each method over all its tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .app import AcrossTasks, Shown
from .printing import print_json
from .sides import print_notes, print_table

if TYPE_CHECKING:
    from ..decisions import OverTasks
    from ..results import Scores
    from ..tables.runs import Layout


def summarize_over_tasks(
    path: str,
    by: str | None,
    task: str,
    metric: Sequence[str] | None,
    layout: "Layout",
    across: AcrossTasks,
    how: tuple[float, int],
    shown: Shown,
) -> int:
    """Prints each method of a file over all its tasks; with one method, also its scores on each task."""
    from ..api.over_tasks import summarize_tasks
    from ..errors import UsageError

    if metric and len(metric) > 1:
        raise UsageError("several metrics are for one method: name one --metric")
    methods, notes = _methods(path, by, task, metric[0] if metric else None, layout)
    level, rng = how
    reference = across.reference()
    found = {}
    for name, tasks in methods.items():
        over = summarize_tasks(
            tasks, name=name or "all tasks", reference=reference, enough=across.enough, level=level, rng=rng
        )
        found[name] = replace(over, normalised=across.normalise or "")
    if shown.json:
        print_json(next(iter(found.values())).as_dict() if by is None else {n: o.as_dict() for n, o in found.items()})
    else:
        _print(found, by, task, shown)
    if not shown.json:
        print_notes([warning for over in found.values() for warning in over.warnings], False)
    print_notes(notes, shown.json)
    return 0


def _methods(
    path: str, by: str | None, task: str, metric: str | None, layout: "Layout"
) -> "tuple[Mapping[str, Mapping[str, Scores]], Sequence[str]]":
    from ..api.files import read_methods, read_one_method

    if by is None:
        tasks, notes = read_one_method(path, task, metric, layout)
        return {"": tasks}, notes
    found = read_methods(path, by, task, metric, layout)
    return found.methods, found.notes


def _print(found: "Mapping[str, OverTasks]", by: str | None, task: str, shown: Shown) -> None:
    from ..reports import decisions

    first = next(iter(found.values()))
    if by is None:
        print(decisions.over_tasks_sentence(first))
        print()
        print_table(decisions.summaries_table(task, first.tasks, first.level), shown.format)
    else:
        print_table(decisions.places_table([over.place for over in found.values()], ranks=False), shown.format)
    if shown.explain:
        print()
        print("\n".join(decisions.explain_over_tasks(first)))
