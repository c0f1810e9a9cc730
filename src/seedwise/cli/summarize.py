"""`seedwise summarize`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from .groups import DECIDING
from .printing import as_dict, deliver
from .sides import print_notes, side_of

if TYPE_CHECKING:
    from ..reports.page import Block
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


@app.command(group=DECIDING)
def summarize(
    what: Annotated[str, Parameter(help="An experiment, a file, or a folder of runs.")],
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
    across: AcrossTasks = NOT_ACROSS,
    table: InTable = BY_NAME,
    rng: Rng = 0,
    shown: Shown = AS_TEXT,
    store: StoreOption = None,
) -> int:
    """Summarise an experiment, or scores that were made elsewhere: a table with a column `seed`, an array, a log, or runs of W&B, MLflow, TensorBoard or Optuna."""
    from ..api.elsewhere import is_made_elsewhere
    from ..api.summary import summarize_all
    from ..api.tables import SeveralMethods
    from ..errors import UsageError
    from ..reports.report import report_of
    from .over_tasks import summarize_over_tasks

    shown.check()
    if further.threshold is None:
        asked = {"--alpha": further.alpha, "--looked-from": further.looked_from, "--looked-to": further.looked_to}
        refuse(asked, "it goes with --threshold")
    elif further.looked_from is None:
        refuse({"--looked-to": further.looked_to}, "it goes with --looked-from")
    layout = table.layout()
    if task is not None:
        _check_further(further)
        refuse(
            {"--store": store, "--interval": None if interval == "t" else interval}, "runs are resampled within tasks"
        )
        return summarize_over_tasks(what, by, task, metric, layout, across, (level, rng), shown)
    refuse(across.typed(), "it is for several tasks: --task COLUMN names them")
    if by is not None and by != "none":
        return _summarize_groups(what, by, metric, layout, further, (level, interval, rng), shown, store)
    if is_made_elsewhere(what, store):
        refuse({"--store": store}, f"{what} is a file")
    else:
        refuse(layout.typed(), f"{what} is no file")
    try:
        results = side_of(what, metric or (), store, layout, pool=by is not None)
    except SeveralMethods:
        return _summarize_groups(what, None, metric, layout, further, (level, interval, rng), shown, store)
    if (further, interval, level, shown.format, shown.explain) == (_NOTHING_FURTHER, "t", 0.95, "text", False):
        deliver(report_of(results, summarize_all(results)), as_dict(results), shown)
        return 0
    summaries = summarize_all(results, level=level, interval=interval, rng=rng)
    if not summaries:
        raise UsageError(f"{what} has no metric: --metric NAME or NAME=REGEX")
    answers = _answers(results.scores(next(iter(summaries))), further, rng)
    value = {"metrics": {name: s.as_dict() for name, s in summaries.items()}, **answers}
    deliver(_page(results, summaries, answers, shown), value, shown)
    return 0


def _page(
    results: "Results", summaries: "dict[str, Summary]", answers: Mapping[str, Any], shown: Shown
) -> "list[Block]":
    from ..reports.decisions import explain_summary
    from ..reports.page import Line
    from ..reports.report import report_of

    page = [*report_of(results, summaries), *(Line(answer["sentence"]) for answer in answers.values())]
    if shown.explain:
        page += [Line(""), *map(Line, explain_summary(next(iter(summaries.values()))))]
    return page


def _check_further(further: Further) -> None:
    """Refuse questions about one method."""
    from ..errors import UsageError

    if further.threshold is not None or further.best_of is not None:
        raise UsageError("--threshold and --best-of are for one method: --by none takes all runs of a FILE as one")


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
    from ..reports.decisions import summaries_table

    _check_further(further)
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
    deliver([summaries_table(by or "method", found, level)], {name: s.as_dict() for name, s in found.items()}, shown)
    print_notes(read.notes, shown.table_alone)
    return 0
