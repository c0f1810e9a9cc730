"""Runs of one method or several from a table, with their curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..advice import Advice
from ..results import Metric, Results, Run, Scores, Series, Status
from ..tables.groups import Groups
from ..tables.opening import open_table
from ..tables.runs import AS_NAMED, Layout
from ..tables.sheet import Sheet
from .files import read_methods
from .tables import read_groups as groups_in
from .tables import read_scores


@dataclass(frozen=True, repr=False)
class ReadResults(Results):
    """Results whose scores were read from a table, and are what a summary of that table has."""

    by_metric: dict[str, Scores] = field(default_factory=dict, compare=False)

    def scores(self, metric: str | None = None) -> Scores:
        """Seed → number for one metric. Raises MetricError as `metric` does."""
        return self.by_metric[self.metric(metric).name]


def read_groups(
    path: str, by: str | None, metric: Sequence[str] = (), layout: Layout = AS_NAMED
) -> tuple[Mapping[str, Results], tuple[Advice, ...]]:
    """The runs of each method in a file or folder, with their curves; and what the user should know of how they were read.

    Parameters
    ----------
    by
        The columns that tell methods apart; `none` takes all runs together. Without it they are guessed.

    Raises
    ------
    UsageError
        As for `read_scores` and `read_methods`.
    """
    found = open_table(path)
    if not isinstance(found, Sheet):
        return _without_columns(path, by, metric, layout, found)
    groups = groups_in(path, by, metric, layout)
    return groups, tuple(dict.fromkeys(note for of in groups.values() for note in of.warnings))


def _without_columns(
    path: str, by: str | None, metric: Sequence[str], layout: Layout, found: object
) -> tuple[dict[str, Results], tuple[Advice, ...]]:
    """A log, or a file that names its methods itself."""
    if by is None and not isinstance(found, Groups):
        results = read_scores(path, metric, layout)
        return {results.name: results}, results.warnings
    read = read_methods(path, by, None, metric[0] if metric else None, layout)
    groups: dict[str, Results] = {}
    for name, of in read.methods.items():
        for task, scores in of.items():
            label = ", ".join(word for word in (name, task) if word) or Path(path).stem
            groups[label] = _of_scores(label, path, scores)
    return groups, read.notes


def _of_scores(name: str, path: str, scores: Scores) -> Results:
    runs = [Run(s, Status.FINISHED, {scores.metric: Series((1,), (v,))}) for s, v in scores.by_seed.items()]
    metric = Metric(scores.metric, scores.goal, reduce=scores.reduce)
    return ReadResults(name, "", (path,), tuple(runs), (metric,), by_metric={scores.metric: scores})
