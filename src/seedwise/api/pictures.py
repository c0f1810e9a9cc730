"""Pictures of experiments, scores, comparisons and tasks: which kind, of what, in which metric."""

from collections.abc import Mapping
from dataclasses import replace

from ..decisions import Comparison, OverTasks, Ranking, TaskRanking
from ..errors import MetricError, UsageError
from ..reports.family import Family
from ..reports.pictures.comparing import compare_info, pairs_info
from ..reports.pictures.curves import curves_info
from ..reports.pictures.dots import dots_info
from ..reports.pictures.kinds import Info, Kind, kind_named
from ..reports.pictures.lottery import lottery_info
from ..reports.pictures.picture import Picture
from ..reports.pictures.ranks import ranks_info
from ..reports.pictures.shares import ecdf_info, histogram_info
from ..reports.pictures.tasks import improvement_info, profile_info, tasks_info
from ..results import Metric, Results, Scores, Summary
from ..wording import is_at_command_line, option
from .compare import compare
from .rankings import compare_many
from .summary import summarize_all

OF_RESULTS = (Kind.DOTS, Kind.CURVES, Kind.ECDF, Kind.HISTOGRAM, Kind.LOTTERY)
OF_TASKS = (Kind.TASKS, Kind.PROFILE, Kind.IMPROVEMENT, Kind.RANKS, Kind.BY_STEP)


def plot(
    what: Results | Mapping[str, Results] | Comparison | Ranking | TaskRanking | OverTasks | Family,
    kind: Kind | str | None = None,
    *,
    metric: str | None = None,
    level: float = 0.95,
    rng: int = 0,
) -> Picture:
    """A picture, ready to be saved: `plot(results, "curves").save("fig.pdf")`.

    Parameters
    ----------
    what
        Results, or name → results of several experiments; a comparison, a ranking, a family, a ranking over tasks.
    kind
        `dots`, `curves`, `ecdf`, `histogram` (one experiment), `lottery` (one experiment), `compare` (two), `pairs`, or over
        tasks `tasks`, `profile`, `improvement`, `ranks`. By default the first of these that fits.
    metric
        Which metric of results; by default the one that leads.
    level
        Coverage of the intervals, for results.
    rng
        The number from which resampling starts, where results are compared.

    Raises
    ------
    UsageError, MetricError
        There is no such kind, it does not fit, or the metric cannot be drawn so. The message says why.
    """
    asked = None if kind is None else kind_named(kind)
    if isinstance(what, Family):
        what = what.ranking if asked is Kind.PAIRS and what.ranking is not None and metric is None else what.members
    if isinstance(what, Comparison):
        return Picture(_of_pairs([what], asked))
    if isinstance(what, Ranking):
        return Picture(_of_pairs(what.pairs, asked or Kind.PAIRS))
    if isinstance(what, TaskRanking | OverTasks):
        return Picture(_of_tasks(what, asked or Kind.TASKS))
    groups = {"": what} if isinstance(what, Results) else dict(what)
    if not groups:
        raise UsageError("no results: name → results")
    return Picture(_of_results(groups, asked, metric, level, rng))


def _of_pairs(pairs: list[Comparison] | tuple[Comparison, ...], kind: Kind | None) -> Info:
    if kind is None or (kind is Kind.COMPARE and len(pairs) == 1):
        return compare_info(pairs[0])
    if kind is Kind.PAIRS:
        return pairs_info(pairs)
    raise UsageError(f"a comparison is drawn as {'compare or ' if len(pairs) == 1 else ''}pairs, not as {kind}")


def _of_tasks(found: TaskRanking | OverTasks, kind: Kind) -> Info:
    if kind is Kind.TASKS:
        return tasks_info(found)
    if kind in (Kind.BY_STEP, Kind.CURVES):
        raise UsageError(
            "curves over tasks are drawn of a table in which each run has a row for each step: "
            f"`seedwise plot FILE --task COLUMN --kind {Kind.CURVES}`"
        )
    if kind not in OF_TASKS or isinstance(found, OverTasks):
        fitting = (
            "tasks" if isinstance(found, OverTasks) else ", ".join(of for of in OF_TASKS if of is not Kind.BY_STEP)
        )
        raise UsageError(f"what is known over tasks is drawn as {fitting}, not as {kind}")
    if kind is Kind.PROFILE:
        return profile_info(found)
    return improvement_info(found) if kind is Kind.IMPROVEMENT else ranks_info(found)


def _of_results(groups: Mapping[str, Results], kind: Kind | None, metric: str | None, level: float, rng: int) -> Info:
    kind = kind or (Kind.COMPARE if len(groups) == 2 else Kind.DOTS)
    if kind in OF_TASKS:
        raise UsageError(
            f"{kind} is for several tasks: {'--task COLUMN names them in a FILE' if is_at_command_line() else 'compare_tasks(…).plot(…)'}"
        )
    name = leading(groups, metric)
    if kind is Kind.CURVES:
        return curves_info(groups, name, level)
    scores = scores_of(groups, name)
    if kind is Kind.DOTS:
        return dots_info({key: (s, summary_in(groups[key], s, level)) for key, s in scores.items()})
    if kind is Kind.ECDF:
        return ecdf_info(scores, level)
    if kind in (Kind.HISTOGRAM, Kind.LOTTERY):
        if len(scores) > 1:
            raise UsageError(f"{kind} is for one experiment; {len(scores)} were named")
        only = next(iter(scores.values()))
        return histogram_info(only) if kind is Kind.HISTOGRAM else lottery_info(only)
    if len(scores) < 2:
        raise UsageError(f"{kind} takes two experiments or more")
    if kind is Kind.COMPARE and len(scores) == 2:
        (new, a), (base, b) = scores.items()
        return compare_info(compare(a, b, names=(new, base), level=level, rng=rng))
    if kind is Kind.COMPARE:
        raise UsageError(
            f"compare is for two experiments; of {len(scores)} all pairs are drawn by {option('--kind pairs')}"
        )
    return pairs_info(compare_many(scores, level=level, rng=rng).pairs)


def leading(groups: Mapping[str, Results], metric: str | None) -> str:
    """The metric that is drawn: the one that was named, else the first that all have. Raises MetricError."""
    first = next(iter(groups.values()))
    if metric is not None:
        return first.metric(metric).name
    known = [[m.name for m in of.metrics] for of in groups.values()]
    shared = [name for name in known[0] if all(name in names for names in known)]
    if not shared:
        listed = "; ".join(
            f"{of.name} has {', '.join(k) or 'none'}" for of, k in zip(groups.values(), known, strict=True)
        )
        raise MetricError(f"no metric is in every experiment: {listed}")
    return shared[0]


def scores_of(groups: Mapping[str, Results], metric: str) -> dict[str, Scores]:
    """The scores of each experiment. Raises MetricError where one has none."""
    found = {name: of.scores(metric) for name, of in groups.items()}
    for name, scores in found.items():
        if not len(scores):
            raise MetricError(f"{name or groups[name].name}: no run finished with {metric}")
    return found


def summary_in(results: Results, scores: Scores, level: float) -> Summary:
    """The summary of one metric: the same numbers as in the report."""
    only: tuple[Metric, ...] = (results.metric(scores.metric),)
    return summarize_all(replace(results, metrics=only), level=level)[scores.metric]


__all__ = ["leading", "plot", "scores_of", "summary_in"]
