"""`seedwise variance`, `cross-validate`, `noise`, `ensemble` and `select`: where spread comes from, and what to do with it."""

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from .app import AS_TEXT, BY_NAME, InTable, Level, Rng, Shown, StoreOption, app, refuse
from .groups import DECIDING, IN_FILE
from .printing import deliver
from .sides import print_notes, side_of

if TYPE_CHECKING:
    from ..reports.page import Block

_Metric = Annotated[str | None, Parameter(help="FILE: the column that is measured.")]


@app.command(group=DECIDING)
def variance(
    file: Annotated[str, Parameter(help="A table with a row for each run.")],
    /,
    *,
    source: Annotated[
        list[str],
        Parameter(
            negative=(), show_default=False, help="The columns that hold sources of randomness, such as init,order."
        ),
    ],
    metric: _Metric = None,
    level: Level = 0.95,
    shown: Shown = AS_TEXT,
) -> int:
    """Which source of randomness makes the spread? From a table with a column for each source.

    seedwise variance runs.csv --source init,order
    """
    from ..api.designs import components_in
    from ..reports import spread
    from ..reports.page import Line

    shown.check()
    names = [name for text in source for name in text.split(",") if name]
    name, found = components_in(file, names, metric, level)
    page: list[Block] = [Line(spread.components_sentence(name, found)), spread.components_table(found)]
    deliver([*page, *_explained(spread.explain_components(found), shown)], spread.components_dict(name, found), shown)
    return 0


@app.command(group=DECIDING)
def cross_validate(
    what: Annotated[str, Parameter(help="A table with a row for each fold; an experiment; or a family of them.")],
    /,
    *,
    by: Annotated[str | None, Parameter(help="The column or setting that tells two methods apart.")] = None,
    fold_column: Annotated[str, Parameter(help="The column or setting that numbers the folds.")] = "fold",
    seed_column: Annotated[str | None, Parameter(group=IN_FILE, help="FILE: the column of seeds.")] = None,
    metric: Annotated[str | None, Parameter(help="The metric, or the column that is measured.")] = None,
    folds: Annotated[
        Literal["same", "reshuffled"] | None,
        Parameter(help="With several seeds: is the k-th fold the same under each, or does each divide the data anew?"),
    ] = None,
    test_share: Annotated[
        float | None, Parameter(help="Test examples for each training example (default: as in k folds).")
    ] = None,
    level: Level = 0.95,
    shown: Shown = AS_TEXT,
    store: StoreOption = None,
) -> int:
    """The mean over folds, or the difference of two methods, by the corrected resampled t test.

    seedwise cross-validate folds.csv --by model --folds same

    A FILE with a row for each fold and seed; a family with one fold in each setting (run --grid fold=0,1,2,3,4); or an
    experiment whose runs each give a number for every fold.
    """
    from ..api.folds import cross_validation_of
    from ..reports import spread
    from ..reports.page import Line

    shown.check()
    if os.path.isfile(what):
        refuse({"--store": store}, f"{what} is a file")
    else:
        refuse({"--seed-column": seed_column}, f"{what} is no file")
    found = cross_validation_of(
        what,
        fold=fold_column,
        by=by,
        seed=seed_column,
        metric=metric,
        folds=folds,
        test_share=test_share,
        level=level,
        store=store,
    )
    sentence = spread.cross_validated_sentence(found.metric, found.methods, found.result, found.goal)
    further = spread.spread_of_folds(found.result, found.methods)
    page: list[Block] = [Line(sentence), *([Line(further)] if further else [])]
    page.append(spread.folds_table(found.folds, found.scores, found.methods, found.result.split is not None))
    page += _explained(spread.explain_folds(found.result), shown)
    value = {"metric": found.metric, "methods": list(found.methods), **asdict(found.result), "sentence": sentence}
    deliver(page, {**value, "folds": list(found.folds), "scores": found.scores.tolist()}, shown)
    return 0


@app.command(group=DECIDING)
def noise(
    what: Annotated[str, Parameter(help="An experiment whose runs kept predictions, or a file of them.")],
    /,
    *,
    array: Annotated[str | None, Parameter(help="Which array, where there are several.")] = None,
    classes: Annotated[int | None, Parameter(help="Number of classes (default: as the targets have, else 2).")] = None,
    shown: Shown = AS_TEXT,
    store: StoreOption = None,
) -> int:
    """How much of the spread between runs is the choice of test examples?

    An experiment whose function returns sw.Predictions, or a FILE of 0 and 1: an array of runs × examples, or a table
    with the columns seed, example and correct.
    """
    from ..api.designs import noise_between
    from ..experiments.loading import load
    from ..reports import spread
    from ..reports.page import Line

    shown.check()
    refuse({"--format": None if shown.format == "text" else shown.format}, "the answer is no table")
    if os.path.isfile(what):
        refuse({"--store": store}, f"{what} is a file")
    found, k = noise_between(what if os.path.isfile(what) else load(what, store=store), array=array, classes=classes)
    sentence = spread.noise_sentence(found)
    page: list[Block] = [Line(sentence), *_explained(spread.explain_noise(found, k), shown)]
    deliver(page, {**asdict(found), "classes": k, "sentence": sentence}, shown)
    return 0


@app.command(group=DECIDING)
def ensemble(
    name: Annotated[str, Parameter(help="An experiment whose runs kept predictions.")],
    /,
    *,
    array: Annotated[str | None, Parameter(help="Which predictions, where there are several.")] = None,
    level: Level = 0.95,
    rng: Rng = 0,
    shown: Shown = AS_TEXT,
    store: StoreOption = None,
) -> int:
    """Is the average of several runs, or their vote, better than one run?

    Takes an experiment whose function returns sw.Predictions with targets.
    """
    from ..api.ensembles import ensemble as combine
    from ..experiments.loading import load
    from ..reports.ensembles import page_of_ensemble

    shown.check()
    found = combine(load(name, store=store), array, level=level, rng=rng)
    deliver(page_of_ensemble(found, shown.explain), found.as_dict(), shown)
    return 0


@app.command(group=DECIDING)
def select(
    what: Annotated[str, Parameter(help="An experiment, or a table with a row for each run.")],
    /,
    *,
    by: Annotated[str, Parameter(help="The metric that chooses, such as val_acc (val_acc:max says its goal).")],
    report: Annotated[str, Parameter(help="The metric to report of the chosen run, such as test_acc.")],
    table: InTable = BY_NAME,
    store: StoreOption = None,
    shown: Shown = AS_TEXT,
) -> int:
    """Choose the best run by one metric, and say what to report of it by another.

    seedwise select base --by val_acc --report test_acc
    """
    from ..api.elsewhere import is_made_elsewhere
    from ..api.select import select as choose
    from ..reports.page import Line
    from ..reports.table import Table
    from ..words import decimals, number

    shown.check()
    layout = table.layout()
    made_elsewhere = is_made_elsewhere(what, store)
    refuse(
        {"--store": store} if made_elsewhere else layout.typed(),
        f"{what} is {'a' if made_elsewhere else 'no'} file",
    )
    results = side_of(what, (by, report), store, layout)
    first, second = (results.metric(text.partition(":")[0]) for text in (by, report))
    found = choose(results, first.name, second.name, goal=first.goal)
    shown_at = [n for n in (1, 2, 3, 5, 10, 20, 30, 50, 100) if n < len(found.expected)] + [len(found.expected)]
    spread_of = max(found.expected) - min(found.expected)
    k = decimals(spread_of / 10 or None, found.report_mean)
    rows = tuple((str(n), number(found.expected[n - 1], k)) for n in shown_at)
    lines = [
        "expected: the mean of what would be reported, over all choices of so many of these runs. The value of the chosen run itself is one draw, and by "
        "luck may be far better or worse."
    ]
    page: list[Block] = [Line(found.sentence), Table(("best of", f"expected {found.report}"), rows, frozenset({0, 1}))]
    deliver([*page, *_explained(lines, shown)], found.as_dict(), shown)
    print_notes(() if results.key else results.warnings, shown.table_alone)
    return 0


def _explained(lines: list[str], shown: Shown) -> "list[Block]":
    from ..reports.page import Line

    return [Line(""), *map(Line, lines)] if shown.explain else []
