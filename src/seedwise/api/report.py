"""The report on one page: what is known of experiments, of files, and of methods over tasks."""

import time
from collections.abc import Callable, Mapping, Sequence

from ..decisions import Comparison, OverTasks, Ranking, TaskRanking
from ..errors import SeedwiseError
from ..reports.answers import of_comparison, of_methods_over_tasks, of_ranking, of_tasks
from ..reports.html.content import Figure, Page
from ..reports.page import Block, Line
from ..reports.pictures.comparing import compare_info, pairs_info
from ..reports.pictures.curves import curves_info
from ..reports.pictures.dots import dots_info
from ..reports.pictures.kinds import Info, Kind
from ..reports.pictures.lottery import lottery_info
from ..reports.pictures.picture import Picture
from ..reports.pictures.ranks import ranks_info
from ..reports.pictures.shares import ecdf_info, histogram_info
from ..reports.pictures.tasks import improvement_info, profile_info, tasks_info
from ..reports.report import question_of, report_of
from ..results import Results, Summary
from ..words import printable, sentence
from .compare import compare
from .experiment_page import part_of
from .pictures import leading, scores_of
from .rankings import compare_many
from .summary import summarize_all

_MOST_METRICS = 20
_TITLES = {
    Kind.DOTS: "Every seed",
    Kind.CURVES: "Learning curves",
    Kind.HISTOGRAM: "Distribution",
    Kind.ECDF: "Share of seeds up to each score",
    Kind.LOTTERY: "The seed lottery",
    Kind.COMPARE: "Comparison",
    Kind.PAIRS: "All pairs",
    Kind.TASKS: "Over all tasks",
    Kind.PROFILE: "Performance profiles",
    Kind.IMPROVEMENT: "Who improves on whom",
    Kind.RANKS: "Mean ranks",
    Kind.BY_STEP: "By step",
}


def page_of_results(
    groups: Mapping[str, Results],
    *,
    metric: str | None = None,
    level: float = 0.95,
    rng: int = 0,
    notes: Sequence[str] = (),
    store: str | None = None,
    live: bool = False,
) -> Page:
    """The page of one experiment or several, in every metric that all of them have.

    Parameters
    ----------
    groups
        Name → results. Those that were run by Seedwise are shown with their logs and environment.
    metric
        The metric that is shown first; by default the one that leads.
    rng
        The number from which resampling starts.
    live
        Runs go on: pictures have their places before there is anything to be drawn, experiments of which nothing has
        finished yet are left out of them, and logs are asked for.

    Raises
    ------
    MetricError
        No metric is in all of them; of a live page, none of those is that have any.
    """
    several = len(groups) > 1
    named = dict(groups) if several else {"": next(iter(groups.values()))}
    summaries = {name: summarize_all(of, level=level) for name, of in named.items()}
    drawn = {name: of for name, of in named.items() if of.metrics} if live else named
    every = _metrics(drawn, metric) if drawn else []
    metrics = every[:_MOST_METRICS]
    answers = _answers(drawn, metrics, level, rng) if len(drawn) > 1 else {}
    title = " and ".join(groups) if len(groups) < 4 else f"{len(groups)} experiments"
    found = answers.get(metrics[0]) if metrics else None
    if found is not None and not isinstance(found, str):
        said, blocks = found.sentence, _without_sentence(_blocks_of(found))
    else:
        name, first = next(iter((drawn or named).items()))
        said = _sentence(first, summaries[name], metrics)
        blocks = [] if several else _without_sentence(report_of(first, summaries[name]))
    parts = [
        part_of(name or next(iter(groups)), of, summaries[name], metrics, store, several, live)
        for name, of in named.items()
    ]
    early = _figures(drawn or named, summaries, metrics, answers, level, live)
    shown = {warning for of in named.values() for warning in of.warnings}
    told = [note for note in notes if note not in shown]
    if len(every) > len(metrics):
        left = ", ".join(map(printable, every[_MOST_METRICS:]))
        told.append(f"Pictures show {_MOST_METRICS} of {len(every)} metrics. Left out: {left}.")
    later = tuple(f for f in early if f.id in (Kind.LOTTERY, Kind.COMPARE, Kind.PAIRS))
    return Page(
        title,
        (said,),
        tuple(blocks),
        tuple(metrics),
        tuple(f for f in early if f not in later),
        tuple(parts),
        tuple(told),
        made(),
        later,
        live,
    )


def _metrics(groups: Mapping[str, Results], metric: str | None) -> list[str]:
    """The metrics that all have, the one that leads first."""
    try:
        first = leading(groups, metric)
    except SeedwiseError:
        if len(groups) > 1 or metric is not None:
            raise
        return []
    known = [{m.name for m in of.metrics} for of in groups.values()]
    every = [m.name for m in next(iter(groups.values())).metrics]
    shared = [name for name in every if all(name in names for names in known) and name != first]
    return [first, *shared]


def _sentence(results: Results, summaries: Mapping[str, Summary], metrics: Sequence[str]) -> str:
    """The sentence of one experiment."""
    asked = question_of(results)
    if asked:
        return asked
    if not metrics or metrics[0] not in summaries:
        return f"{len(results.finished)} of {len(results)} runs of {printable(results.name)} finished, and no metric is known of them."
    return sentence(summaries[metrics[0]])


def _without_sentence(blocks: Sequence[Block]) -> list[Block]:
    return list(blocks[1:]) if blocks and isinstance(blocks[0], Line) else list(blocks)


Answer = Comparison | Ranking | str


def _answers(groups: Mapping[str, Results], metrics: Sequence[str], level: float, rng: int) -> dict[str, Answer]:
    """For each metric the comparison, or why there is none."""
    found: dict[str, Answer] = {}
    for metric in metrics:
        try:
            scores = scores_of(groups, metric)
            if len(scores) == 2:
                (new, a), (base, b) = scores.items()
                found[metric] = compare(a, b, names=(new, base), level=level, rng=rng)
            else:
                found[metric] = compare_many(scores, level=level, rng=rng)
        except SeedwiseError as error:
            found[metric] = str(error)
    return found


def _blocks_of(found: Comparison | Ranking) -> list[Block]:
    return of_comparison(found) if isinstance(found, Comparison) else of_ranking(found)


def _figures(
    groups: Mapping[str, Results],
    summaries: Mapping[str, Mapping[str, Summary]],
    metrics: Sequence[str],
    answers: Mapping[str, Answer],
    level: float,
    live: bool,
) -> list[Figure]:
    """The pictures, in the order in which they stand on the page; of a live page those too that are none yet."""

    def compared(metric: str) -> Info:
        answer = answers[metric]
        if isinstance(answer, str):
            raise SeedwiseError(answer)
        return compare_info(answer) if isinstance(answer, Comparison) else pairs_info(answer.pairs)

    def dots(metric: str) -> Info:
        return dots_info({name: (s, summaries[name][metric]) for name, s in scores_of(groups, metric).items()})

    first = next(iter(groups.values()))
    makers: dict[Kind, Callable[[str], Info]] = {
        Kind.DOTS: dots,
        Kind.CURVES: lambda metric: curves_info(groups, metric, level),
        Kind.HISTOGRAM: lambda metric: histogram_info(first.scores(metric)),
        Kind.ECDF: lambda metric: ecdf_info(scores_of(groups, metric), level),
        Kind.LOTTERY: lambda metric: lottery_info(first.scores(metric)),
        Kind.COMPARE if len(groups) == 2 else Kind.PAIRS: compared,
    }
    for kind in (Kind.HISTOGRAM, Kind.LOTTERY) if len(groups) > 1 else (Kind.COMPARE, Kind.PAIRS):
        makers.pop(kind, None)
    made = [_figure(kind, metrics, make) for kind, make in makers.items()]
    return [figure for figure in made if figure.pictures or live]


def _figure(kind: Kind, metrics: Sequence[str], make: Callable[[str], Info]) -> Figure:
    pictures, missing = {}, {}
    for metric in metrics:
        try:
            pictures[metric] = Picture(make(metric))
        except SeedwiseError as error:
            missing[metric] = str(error)
    return Figure(kind.value, _TITLES[kind], pictures, missing)


def page_of_tasks(
    found: TaskRanking | OverTasks,
    *,
    title: str,
    task: str | None,
    notes: Sequence[str] = (),
    by_step: Info | None = None,
) -> Page:
    """The page of methods over several tasks; `by_step` are their curves."""
    infos: list[Info] = [tasks_info(found)]
    if isinstance(found, TaskRanking):
        infos += [profile_info(found)] if found.profiles else []
        infos.append(improvement_info(found))
        infos += [ranks_info(found)] if found.critical_difference is not None else []
        blocks = list(of_tasks(_without_profiles(found)))
    else:
        blocks = of_methods_over_tasks([found], task or "task", False)
    infos += [by_step] if by_step is not None else []
    figures = tuple(Figure(info.kind.value, _TITLES[info.kind], {"": Picture(info)}) for info in infos)
    told = tuple(note for note in dict.fromkeys(notes) if note not in found.warnings)
    return Page(title, (found.sentence,), tuple(_without_sentence(blocks)), ("",), figures, (), told, made())


def _without_profiles(found: TaskRanking) -> TaskRanking:
    """A hundred thresholds are a picture, and no table."""
    from dataclasses import replace

    return replace(found, profiles=())


def made() -> str:
    """When the page was made, and by which version."""
    import seedwise

    return f"Made by Seedwise {seedwise.__version__} on {time.strftime('%Y-%m-%d %H:%M', time.localtime())}"


__all__ = ["made", "page_of_results", "page_of_tasks"]
