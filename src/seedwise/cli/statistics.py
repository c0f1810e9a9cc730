"""The commands that say what numbers mean: compare, summarize, plan."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from .app import Json, MetricOption, StoreOption, app, print_json, report

if TYPE_CHECKING:
    from ..decisions import Comparison, Ranking, TaskRanking
    from ..reports.table import Table
    from ..results import Results

Level = Annotated[float, Parameter(help="Coverage of the intervals.")]
By = Annotated[str | None, Parameter(help="FILE.csv: the column that tells methods apart.")]
Task = Annotated[str | None, Parameter(help="FILE.csv: the column of tasks or data sets.")]
Rng = Annotated[int, Parameter(help="The number from which resampling starts.")]
Explain = Annotated[bool, Parameter(negative=(), help="Say what each number means.")]
Format = Annotated[Literal["text", "md", "latex"], Parameter(help="How tables are printed.")]


@app.command
def compare(
    *sides: Annotated[str, Parameter(help="NEW BASE [MORE…]: experiments or files; or one FILE.csv with --by.")],
    metric: MetricOption = None,
    by: By = None,
    task: Task = None,
    wide: Annotated[bool, Parameter(negative=(), help="FILE.csv: each column of numbers is a method.")] = False,
    paired: Annotated[
        bool, Parameter(negative=(), help="Scores under one seed belong together: declare it before looking.")
    ] = False,
    equivalence: Annotated[float | None, Parameter(help="Differences below this margin do not matter.")] = None,
    level: Level = 0.95,
    nemenyi: Annotated[bool, Parameter(negative=(), help="Over tasks: also Nemenyi's critical difference.")] = False,
    until_decided: Annotated[
        bool, Parameter(negative=(), help="Run both experiments on, seed by seed, until the question is decided.")
    ] = False,
    max_seeds: Annotated[int, Parameter(help="With --until-decided: at most so many seeds each.")] = 100,
    rng: Rng = 0,
    explain: Explain = False,
    format: Format = "text",
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """Is NEW better than BASE? Experiments, or scores in files.

    seedwise compare new base --metric accuracy

    seedwise compare scores.csv --by model
    """
    from ..errors import UsageError

    if not sides:
        raise UsageError("compare takes NEW and BASE, or a FILE.csv with --by COLUMN")
    in_file = len(sides) == 1
    if in_file and not os.path.isfile(sides[0]):
        raise UsageError(
            f"compare takes two names or more, or one file: {sides[0]} is no file; seedwise list shows the names"
        )
    if (by or task or wide) and not in_file:
        raise UsageError("--by, --task and --wide are for one file that holds all methods")
    if metric and len(metric) > 1 and (in_file or len(sides) > 2):
        raise UsageError("several metrics are for two experiments: name one --metric")
    if until_decided:
        return _until_decided(sides, metric, level, max_seeds, rng, store, explain, json)
    if in_file:
        return _compare_in_file(
            sides[0], metric[0] if metric else None, by, task, wide, paired, equivalence, level, nemenyi, rng, explain,
            format, json,
        )  # fmt: skip
    results = {_name(side, sides): _side(side, metric or (), store) for side in sides}
    if len(results) < len(sides):
        raise UsageError(f"each side once: {' '.join(sides)}")
    names = _shared_metrics(results, metric)
    if len(sides) > 2:
        from ..api.compare import compare_many

        ranking = compare_many(
            {name: of.scores(names[0]) for name, of in results.items()}, paired=paired, equivalence=equivalence, level=level, rng=rng
        )  # fmt: skip
        return _print_ranking(ranking, explain, format, json)
    return _compare_two(results, names, bool(metric), paired, equivalence, level, rng, explain, format, json)


def compare_results(results: "Sequence[Results]") -> "Comparison | None":
    """The first metric that both have, compared; None where there is none, or too little of it."""
    from ..api.compare import compare as one
    from ..errors import SeedwiseError

    new, base = results
    try:
        name = _shared_metrics({new.name: new, f"{base.name} ": base}, None)[0]
        return one(new.scores(name), base.scores(name), names=(new.name, base.name))
    except SeedwiseError:
        return None


def _name(side: str, sides: Sequence[str]) -> str:
    stem = os.path.splitext(os.path.basename(side))[0] if os.path.isfile(side) else side
    return stem if sum(os.path.splitext(os.path.basename(s))[0] == stem for s in sides) < 2 else side


def _side(side: str, metric: Sequence[str], store: str | None) -> Any:
    from ..api.files import read_scores
    from ..experiments.loading import load

    return read_scores(side, metric) if os.path.isfile(side) else load(side, metric=metric, store=store, brief=True)


def _shared_metrics(results: dict[str, Any], metric: Sequence[str] | None) -> list[str]:
    """The metrics to be compared: those asked for, or those that every side has, in the order of the first."""
    from ..errors import MetricError

    if metric:
        first = next(iter(results.values()))
        return [first.metric(text.partition("=")[0].partition(":")[0]).name for text in metric]
    known = [[m.name for m in of.metrics] for of in results.values()]
    shared = [name for name in known[0] if all(name in names for names in known)]
    if not shared:
        listed = "; ".join(f"{n} has {', '.join(k) or 'none'}" for n, k in zip(results, known, strict=True))
        raise MetricError(f"no metric is in every side: {listed}")
    return shared


def _compare_two(
    results: dict[str, Any], metrics: Sequence[str], asked: bool, paired: bool, equivalence: float | None, level: float,
    rng: int, explain: bool, format: str, json: bool,
) -> int:  # fmt: skip
    from ..api.compare import compare as one
    from ..api.compare import with_holm
    from ..reports.decisions import comparison_table

    new, base = results
    found = [
        one(
            results[new].scores(name), results[base].scores(name), paired=paired, level=level, names=(new, base), rng=rng,
            equivalence=equivalence if k == 0 else None,
        )
        for k, name in enumerate(metrics)
    ]  # fmt: skip
    primary, others = found[0], with_holm(found[1:]) if len(found) > 1 else []
    if json:
        print_json({**primary.as_dict(), "others": [c.as_dict() for c in others]})
        return 0
    _print_comparison(primary, explain, format)
    if others:
        why = "the metric named first decides" if asked else "the first metric decides; --metric names another"
        print(f"\nOther metrics, held together by Holm ({why}):\n")
        _print_table(comparison_table(others), format)
    return 0


def _print_comparison(c: "Comparison", explain: bool, format: str) -> None:
    from ..reports import decisions as answers

    print(c.sentence)
    print()
    _print_table(answers.groups_table((c.new, c.base), c.level), format)
    print()
    _print_table(answers.comparison_table([c]), format)
    from ..reports.words import printable

    for text in c.warnings:
        print(f"Warning: {printable(text)}.")
    if explain:
        print()
        print("\n".join(answers.explain(c)))


def _print_table(table: "Table", format: str) -> None:
    from ..reports.table import to_latex, to_markdown

    if format == "text":
        print(table.text())
    else:
        sys.stdout.write({"md": to_markdown, "latex": to_latex}[format](table.columns, table.rows))


def _print_ranking(ranking: "Ranking", explain: bool, format: str, json: bool) -> int:
    from ..reports import decisions as answers

    if json:
        print_json(ranking.as_dict())
        return 0
    ranks = [
        f"{p.rank:g}" + (f" ({p.rank_interval[0]:g} … {p.rank_interval[1]:g})" if p.rank_interval else "")
        for p in ranking.places
    ]
    print(ranking.sentence)
    print()
    _print_table(answers.groups_table([p.group for p in ranking.places], ranking.level, ranks), format)
    print()
    _print_table(answers.comparison_table(ranking.pairs), format)
    from ..reports.words import printable

    for text in ranking.warnings:
        print(f"Warning: {printable(text)}.")
    if explain:
        for pair in ranking.pairs:
            print()
            print(pair.sentence)
            print("\n".join(answers.explain(pair)))
    return 0


def _compare_in_file(
    path: str, metric: str | None, by: str | None, task: str | None, wide: bool, paired: bool, equivalence: float | None,
    level: float, nemenyi: bool, rng: int, explain: bool, format: str, json: bool,
) -> int:  # fmt: skip
    from ..api.compare import compare as one
    from ..api.compare import compare_many, compare_tasks
    from ..api.files import read_columns, read_sheet, read_tasks
    from ..errors import UsageError

    if wide:
        groups = {name: {"": scores} for name, scores in read_columns(path, metric).items()}
    elif by is not None or path.lower().endswith(".json"):
        groups = read_tasks(path, by or "", task, metric)
    else:
        columns = ", ".join(read_sheet(path).names)
        raise UsageError(
            f"which column of {path} tells the methods apart? --by one of {columns}; or --wide if each column is a method"
        )
    if len(groups) < 2:
        raise UsageError(
            f"{path} holds one method, {', '.join(groups)}: there is nothing to compare (seedwise summarize)"
        )
    if any(len(of) > 1 for of in groups.values()):
        return _print_tasks(
            compare_tasks({k: dict(v) for k, v in groups.items()}, level=level, nemenyi=nemenyi, rng=rng), explain, format, json
        )  # fmt: skip
    single = {name: next(iter(of.values())) for name, of in groups.items()}
    if len(single) == 2:
        (new, a), (base, b) = single.items()
        found = one(a, b, paired=paired, equivalence=equivalence, level=level, names=(new, base), rng=rng)
        if json:
            print_json(found.as_dict())
            return 0
        _print_comparison(found, explain, format)
        return 0
    ranking = compare_many(single, paired=paired, equivalence=equivalence, level=level, rng=rng)
    return _print_ranking(ranking, explain, format, json)


def _print_tasks(found: "TaskRanking", explain: bool, format: str, json: bool) -> int:
    from ..reports import decisions as answers

    if json:
        print_json(found.as_dict())
        return 0
    print(found.sentence)
    for table in answers.tasks_tables(found):
        print()
        _print_table(table, format)
    if found.friedman_p is not None:
        print(f"\nFriedman's test (Iman and Davenport's F): {answers.p_text(found.friedman_p)}.")
    if found.critical_difference is not None:
        print(f"Nemenyi's critical difference of mean ranks: {found.critical_difference:.2f}.")
    from ..reports.words import printable

    for text in found.warnings:
        print(f"Warning: {printable(text)}.")
    if explain:
        print()
        print("\n".join(answers.explain_tasks(found)))
    return 0


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
    threshold: Annotated[float | None, Parameter(help="Is the mean beyond this number? A one-sided t test.")] = None,
    alpha: Annotated[float, Parameter(help="With --threshold: the p that it takes.")] = 0.01,
    looked_from: Annotated[
        int | None, Parameter(help="With --threshold: runs were added after looking, first at so many.")
    ] = None,
    best_of: Annotated[
        int | None, Parameter(help="Also the score to be expected of the best of so many seeds.")
    ] = None,
    rng: Rng = 0,
    explain: Explain = False,
    format: Format = "text",
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """Summarise an experiment, or scores that were made elsewhere: a CSV with a column `seed`, or a log."""
    from ..api.summary import summarize_all
    from ..errors import UsageError
    from ..reports.report import metric_table

    if by is not None or task is not None:
        if threshold is not None or best_of is not None:
            raise UsageError("--threshold and --best-of are for one method: leave out --by and --task")
        return _summarize_groups(what, by or task or "", metric, level, interval, rng, format, json)
    results = _side(what, metric or (), store)
    if threshold is None and best_of is None and interval == "t" and level == 0.95 and format == "text" and not explain:
        report(results, json)
        return 0
    summaries = summarize_all(results, level=level, interval=interval, rng=rng)
    if not summaries:
        raise UsageError(f"{what} has no metric: --metric NAME or NAME=REGEX")
    first = next(iter(summaries))
    answers = _further(results.scores(first), threshold, alpha, looked_from, best_of, rng)
    if json:
        print_json({"metrics": {name: s.as_dict() for name, s in summaries.items()}, **answers})
        return 0
    if format == "text":
        report(results, False, summaries)
    else:
        _print_table(metric_table(results, summaries), format)
    for answer in answers.values():
        print(answer["sentence"])
    if explain:
        from ..reports.decisions import explain_summary

        print()
        print("\n".join(explain_summary(summaries[first])))
    return 0


def _further(
    scores: Any, threshold: float | None, alpha: float, looked_from: int | None, best_of: int | None, rng: int
) -> dict[str, Any]:
    from ..api.plan import expected_best
    from ..api.select import against_threshold
    from ..reports.words import decimals, number

    answers: dict[str, Any] = {}
    if threshold is not None:
        answers["threshold"] = against_threshold(
            scores, threshold, alpha=alpha, looked_from=looked_from, rng=rng
        ).as_dict()
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
    path: str, by: str, metric: Sequence[str] | None, level: float, interval: str, rng: int, format: str, json: bool
) -> int:
    from ..api.files import read_groups
    from ..api.summary import summarize as one
    from ..reports.table import Table
    from ..reports.words import number, places_for, printable

    groups = read_groups(path, by, metric[0] if metric else None)
    found = {name: one(scores, level=level, interval=interval, rng=rng) for name, scores in groups.items()}
    if json:
        print_json({name: s.as_dict() for name, s in found.items()})
        return 0
    rows = []
    for name, s in found.items():
        k = places_for(s)
        between = "–" if s.interval is None else f"{number(s.interval[0], k)} … {number(s.interval[1], k)}"
        figures = (number(s.mean, k), between, number(s.sd, k), number(s.median, k), number(s.min, k), number(s.max, k))
        rows.append((printable(name), f"{s.finished} of {s.n}", *figures))
    method = next(iter(found.values())).method
    columns = (by, "k of n", "mean", f"{level * 100:g} % {method}", "SD", "median", "min", "max")
    _print_table(Table(columns, tuple(rows), frozenset({2, 4, 5, 6, 7})), format)
    return 0


@app.command
def plan(
    *,
    effect: Annotated[float | None, Parameter(help="The difference that matters, in the metric's units.")] = None,
    sd: Annotated[float | None, Parameter(help="SD between seeds.")] = None,
    pilot: Annotated[str | None, Parameter(help="An experiment or file to take the SD from.")] = None,
    base: Annotated[str | None, Parameter(help="The other side of the pilot.")] = None,
    metric: MetricOption = None,
    n: Annotated[int | None, Parameter(name=["-n"], help="Seeds that there are (each): what could they show?")] = None,
    power: Annotated[float, Parameter(help="Chance of showing the difference.")] = 0.8,
    alpha: Annotated[float, Parameter(help="Two-sided error.")] = 0.05,
    margin: Annotated[float | None, Parameter(help="The number after ± that a mean shall have.")] = None,
    probability: Annotated[float | None, Parameter(help="P(new better) that shall be shown, such as 0.75.")] = None,
    paired: Annotated[bool, Parameter(negative=(), help="Differences under the same seeds; --sd is theirs.")] = False,
    one: Annotated[bool, Parameter(negative=(), help="One group, against a number.")] = False,
    explain: Explain = False,
    store: StoreOption = None,
    json: Json = False,
) -> int:
    """How many seeds? From an effect and an SD, or from a pilot."""
    from ..api.plan import plan as make
    from ..errors import UsageError

    if paired and one:
        raise UsageError("--paired or --one, not both")
    sides = [None if side is None else _side(side, metric or (), store) for side in (pilot, base)]
    chosen = _shared_metrics({"pilot": sides[0]}, metric)[0] if sides[0] is not None else None
    found = make(
        effect, sd=sd, pilot=sides[0], base=sides[1], n=n, power=power, alpha=alpha, margin=margin, probability=probability,
        design="paired" if paired else "one" if one else "two", metric=chosen,
    )  # fmt: skip
    if json:
        print_json(found.as_dict())
        return 0
    print(found.sentence)
    if explain:
        from ..reports.decisions import explain_plan

        print("\n".join(explain_plan(found)))
    return 0


def _until_decided(
    sides: Sequence[str], metric: Sequence[str] | None, level: float, max_seeds: int, rng: int, store: str | None,
    explain: bool, json: bool,
) -> int:  # fmt: skip
    from ..api.compare import compare_at_any_time
    from ..api.experiments import run_until_decided
    from ..decisions import Decision
    from ..errors import UsageError
    from ..reports.live import showing

    if len(sides) != 2 or any(os.path.isfile(side) for side in sides):
        raise UsageError("--until-decided runs two experiments on: compare NEW BASE --until-decided")
    if max_seeds < 5:
        raise UsageError(f"--max-seeds is at least 5, where the sequence begins; got {max_seeds}")
    with showing(prefer=metric[0] if metric else None) as live:
        both = run_until_decided(
            sides[0], sides[1], most=max_seeds, level=level, metric=metric or (), store=store, tell=live
        )
    results = dict(zip(sides, (outcome.results for outcome in both), strict=True))
    name = _shared_metrics(results, metric)[0]
    a, b = (of.scores(name) for of in results.values())
    found = compare_at_any_time(a, b, names=(sides[0], sides[1]), level=level, rng=rng)
    if json:
        print_json(found.as_dict())
    else:
        _print_comparison(found, explain, "text")
    if any(outcome.interrupted for outcome in both):
        return 130
    if any(outcome.results.failed for outcome in both):
        return 3
    return 1 if found.decision is Decision.UNDECIDED else 0
