"""`seedwise summarize`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from .app import AS_TEXT, BY_NAME, By, InTable, Level, MetricOption, Rng, Shown, StoreOption, Task, app, refuse
from .printing import print_json, report
from .sides import print_notes, print_table, side_of

if TYPE_CHECKING:
    from ..results import Results, Summary
    from ..tables.runs import Layout


@Parameter(name="*")
@dataclass(frozen=True)
class Further:
    """Further questions about the scores of one method."""

    threshold: Annotated[float | None, Parameter(help="Is the mean beyond this number? A one-sided t test.")] = None
    alpha: Annotated[float | None, Parameter(help="With --threshold: the p that it takes (default: 0.01).")] = None
    looked_from: Annotated[
        int | None, Parameter(help="With --threshold: runs were added after looking, first at so many.")
    ] = None
    looked_to: Annotated[
        int | None, Parameter(help="With --looked-from: the most runs, if that was fixed before looking.")
    ] = None
    best_of: Annotated[int | None, Parameter(help="Also the score to be expected of the best of so many seeds.")] = None


_NOTHING_FURTHER = Further()


@app.command
def summarize(
    what: str,
    /,
    *,
    metric: MetricOption = None,
    by: By = None,
    task: Task = None,
    level: Level = 0.95,
    interval: Annotated[
        Literal["t", "studentised", "bca", "percentile", "anytime"],
        Parameter(help="How the interval is made; anytime: valid though one stopped when one liked."),
    ] = "t",
    further: Further = _NOTHING_FURTHER,
    table: InTable = BY_NAME,
    rng: Rng = 0,
    shown: Shown = AS_TEXT,
    store: StoreOption = None,
) -> int:
    """Summarise an experiment, or scores that were made elsewhere: a table with a column `seed`, an array, or a log."""
    from ..api.summary import summarize_all
    from ..api.tables import SeveralMethods
    from ..errors import UsageError

    shown.check()
    if further.threshold is None:
        asked = {"--alpha": further.alpha, "--looked-from": further.looked_from, "--looked-to": further.looked_to}
        refuse(asked, "it goes with --threshold")
    elif further.looked_from is None:
        refuse({"--looked-to": further.looked_to}, "it goes with --looked-from")
    layout = table.layout()
    if by is not None and task is not None:
        raise UsageError("--by or --task: each group of one column is summarised")
    if by is not None or task is not None:
        return _summarize_groups(what, by or task, metric, layout, further, (level, interval, rng), shown, store)
    if os.path.isfile(what):
        refuse({"--store": store}, f"{what} is a file")
    else:
        refuse(layout.typed(), f"{what} is no file")
    try:
        results = side_of(what, metric or (), store, layout)
    except SeveralMethods:
        return _summarize_groups(what, None, metric, layout, further, (level, interval, rng), shown, store)
    if (
        further == _NOTHING_FURTHER
        and interval == "t"
        and level == 0.95
        and shown.format == "text"
        and not shown.explain
    ):
        report(results, shown.json)
        return 0
    summaries = summarize_all(results, level=level, interval=interval, rng=rng)
    if not summaries:
        raise UsageError(f"{what} has no metric: --metric NAME or NAME=REGEX")
    answers = _answers(results.scores(next(iter(summaries))), further, rng)
    if shown.json:
        print_json({"metrics": {name: s.as_dict() for name, s in summaries.items()}, **answers})
        return 0
    _print_summaries(results, summaries, answers, shown)
    return 0


def _print_summaries(
    results: "Results", summaries: "dict[str, Summary]", answers: Mapping[str, Any], shown: Shown
) -> None:
    from ..reports.decisions import explain_summary
    from ..reports.report import metric_table

    if shown.format == "text":
        report(results, False, summaries)
    else:
        print_table(metric_table(results, summaries), shown.format)
    for answer in answers.values():
        print(answer["sentence"])
    if shown.explain:
        print()
        print("\n".join(explain_summary(next(iter(summaries.values())))))


def _answers(scores: Any, further: Further, rng: int) -> dict[str, Any]:
    from ..api.plan import expected_best
    from ..api.select import against_threshold
    from ..words import decimals, number

    answers: dict[str, Any] = {}
    if further.threshold is not None:
        answers["threshold"] = against_threshold(
            scores,
            further.threshold,
            alpha=0.01 if further.alpha is None else further.alpha,
            looked_from=further.looked_from,
            looked_to=further.looked_to,
            rng=rng,
        ).as_dict()
    best_of = further.best_of
    if best_of is not None:
        best = expected_best(scores, best_of)
        k = decimals(float(scores.values.std()) or None, best)
        answers["best_of"] = {
            "n": best_of,
            "expected": best,
            "sentence": f"The best of {best_of} seeds is to be expected at {number(best, k)}, against a mean of "
            f"{number(float(scores.values.mean()), k)}: so much picking a lucky seed buys.",
        }
    return answers


def _summarize_groups(
    path: str,
    by: str | None,
    metric: Sequence[str] | None,
    layout: "Layout",
    further: Further,
    how: tuple[float, str, int],
    shown: Shown,
    store: str | None,
) -> int:
    from ..api.files import read_methods
    from ..api.summary import summarize as one
    from ..errors import UsageError
    from ..reports.table import Table
    from ..words import number, places_for, printable

    if further.threshold is not None or further.best_of is not None:
        raise UsageError("--threshold and --best-of are for one method: leave out --by and --task")
    if metric and len(metric) > 1:
        raise UsageError("several metrics are for one method: name one --metric")
    refuse({"--explain": shown.explain, "--store": store}, "each group of a file is summarised in a table")
    level, interval, rng = how
    read = read_methods(path, by, None, metric[0] if metric else None, layout)
    groups = {
        ", ".join(word for word in (name, task) if word): s
        for name, of in read.methods.items()
        for task, s in of.items()
    }
    found = {name: one(scores, level=level, interval=interval, rng=rng) for name, scores in groups.items()}
    if shown.json:
        print_json({name: s.as_dict() for name, s in found.items()})
        print_notes(read.notes, True)
        return 0
    rows = []
    for name, s in found.items():
        k = places_for(s)
        between = "–" if s.interval is None else f"{number(s.interval[0], k)} … {number(s.interval[1], k)}"
        figures = (number(s.mean, k), between, number(s.sd, k), number(s.median, k), number(s.min, k), number(s.max, k))
        rows.append((printable(name), f"{s.finished} of {s.n}", *figures))
    method = next(iter(found.values())).method
    columns = (by or "method", "k of n", "mean", f"{level * 100:g} % {method}", "SD", "median", "min", "max")
    print_table(Table(columns, tuple(rows), frozenset({2, 4, 5, 6, 7})), shown.format)
    print_notes(read.notes, False)
    return 0
