"""`seedwise summarize FILE --task COLUMN`: each method over all its tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .app import AcrossTasks, Shown
from .printing import deliver
from .sides import print_notes

if TYPE_CHECKING:
    from ..advice import Advice
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
    from ..reports.answers import of_methods_over_tasks
    from ..reports.decisions import over_tasks_sentence

    if metric and len(metric) > 1:
        raise UsageError("several metrics are for one method: name one --metric")
    methods, notes = _methods(path, by, task, metric[0] if metric else None, layout)
    level, rng = how
    reference = across.reference(task)
    found = {}
    for name, tasks in methods.items():
        over = summarize_tasks(
            tasks, name=name or "all tasks", reference=reference, enough=across.enough, level=level, rng=rng
        )
        over = replace(over, normalised=across.normalise or "")
        found[name] = replace(over, sentence=over_tasks_sentence(over))
    answers = list(found.values())
    value: object = answers[0].as_dict() if by is None else {name: over.as_dict() for name, over in found.items()}
    deliver(of_methods_over_tasks(answers, task, by is not None, shown.explain), value, shown)
    print_notes(notes, shown.table_alone)
    return 0


def _methods(
    path: str, by: str | None, task: str, metric: str | None, layout: "Layout"
) -> "tuple[Mapping[str, Mapping[str, Scores]], Sequence[Advice]]":
    from ..api.files import read_methods, read_one_method

    if by is None:
        tasks, notes = read_one_method(path, task, metric, layout)
        return {"": tasks}, notes
    found = read_methods(path, by, task, metric, layout)
    return found.methods, found.notes
