"""The report on one experiment: a sentence, then the table, the sites and the warnings."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..results import Results, Status, Summary
from ..words import failing_alike, failure, histogram, number, places_for, printable, seed_list, sentence
from .table import Table


def lines_of_report(results: Results, summaries: Mapping[str, Summary], width: int | None = None) -> list[str]:
    """The whole report as lines of text. The table fits into `width` columns."""
    lines: list[str] = []
    shown = list(summaries.values())
    if shown:
        lines.append(question_of(results) or sentence(shown[0]))
        lines.append("")
        lines.extend(metric_table(results, summaries).text(width).splitlines())
        lines.append("")
        lines.extend(_chosen(results))
    lines.extend(_counts(results))
    lines.extend(_sites(results.sites))
    lines.extend(f"Warning: {printable(f.label)}: {f.reason}." for f in shown[1:] if f.reason)
    noted = [f for k, f in enumerate(shown) if f.note and (k == 0 or f.method != "t interval")]
    lines.extend(f"Warning: {printable(f.label)}: {f.note}." for f in noted)
    lines.extend(f"Warning: {printable(text)}." for text in results.warnings)
    return [line.rstrip() for line in lines]


def question_of(results: Results) -> str:
    """What the user is asked where several metrics are equally likely to be the result; "" where one leads."""
    if not results.question:
        return ""
    names = [printable(name) for name in results.question]
    return f"Which is the result: {', '.join(names[:-1])} or {names[-1]}? --metric {names[0]} takes the first; the table has all."


def metric_table(results: Results, summaries: Mapping[str, Summary]) -> Table:
    """A table with a row for each metric."""
    columns: tuple[str, ...] = (
        "metric",
        "goal",
        "k of n",
        "mean",
        "interval",
        "SD",
        "median",
        "best (seed)",
        "worst (seed)",
        "histogram",
    )
    rows: list[tuple[str, ...]] = []
    level = next((f.level for f in summaries.values()), 0.95)
    methods = {f.method for f in summaries.values()} or {"t interval"}
    method = methods.pop() if len(methods) == 1 else "interval"
    columns = tuple(f"{level * 100:g} % {method}" if c == "interval" else c for c in columns)
    for name, f in summaries.items():
        counted = f"{f.finished} of {f.n}"
        goal = f.goal.value if f.goal else "?"
        if f.mean is None:
            rows.append((printable(f.label), goal, counted, *["–"] * 7))
            continue
        places = places_for(f)
        interval = "–" if f.interval is None else f"{number(f.interval[0], places)} … {number(f.interval[1], places)}"
        ends = (
            (f"{number(f.max, places)} (max)", f"{number(f.min, places)} (min)")
            if f.goal is None
            else (f"{number(f.best, places)} ({f.best_seed})", f"{number(f.worst, places)} ({f.worst_seed})")
        )
        median = f.median
        picture = histogram(results.scores(name).values)
        rows.append(
            (
                printable(f.label),
                goal,
                counted,
                number(f.mean, places),
                interval,
                number(f.sd, places),
                number(median, places),
                *ends,
                f"▕{picture}▏",
            )
        )
    return Table(columns, tuple(rows), frozenset({3, 5, 6}))


def _chosen(results: Results) -> list[str]:
    guessed = [m for m in results.metrics if m.goal is not None and not m.goal_said]
    lines = []
    if guessed:
        goals = ", ".join(f"{printable(m.name)}:{m.goal}" for m in guessed)
        lines.append(f"Metrics and goals were read from the names: {goals} (--metric NAME:min|max decides).")
    quiet = [f"{printable(n)} ({printable(r)})" for n, r in results.left_out.items() if "do not have it" not in r]
    if quiet:
        lines.append(f"Left out: {'; '.join(quiet[:8])}{' …' if len(quiet) > 8 else ''}.")
    return lines


def _counts(results: Results) -> list[str]:
    lines = []
    total = len(results.runs)
    if total:
        lines.append(
            f"{results.name}: {len(results.finished)} of {total} runs finished, seeds {seed_list(results.seeds)}."
        )
    if results.there is not None:
        lines.append(f"{results.there} seeds are there: `seedwise show {results.name}` reports all of them.")
    if results.forking:
        lines.append(f"{printable(results.forking)}.")
    kept = [
        run
        for run in (results.runs if results.key else ())
        if run.folder and os.path.isdir(os.path.join(run.folder, "files"))
    ]
    if kept:
        folder = os.path.dirname(str(kept[0].folder))
        shown = os.path.relpath(folder) if folder.startswith(os.getcwd() + os.sep) else folder
        again = [f"seed {run.seed} in {os.path.basename(str(run.folder))}" for run in kept if run.attempt > 1]
        more = "" if not again else f" ({', '.join(again[:4])}{' …' if len(again) > 4 else ''})"
        lines.append(f"Each run saw your files as they were; what it wrote is in {shown}/seed-N/files{more}.")
    lines += _failures(results)
    open_ = [run.seed for status in (Status.INTERRUPTED, Status.RUNNING) for run in results.having(status)]
    if open_:
        lines.append(
            f"Not finished: seed {seed_list(open_)}; the same command or `seedwise resume {results.name}` runs them."
        )
    return lines


_MOST_FAILURES = 10


def _failures(results: Results) -> list[str]:
    """A line for each way in which runs failed. Messages that differ in their numbers only are one."""
    alike = failing_alike(results.failed)
    lines = []
    for runs in alike[:_MOST_FAILURES]:
        first = runs[0]
        text = printable(failure(first))
        seeds = [run.seed for run in runs]
        same = "" if len({run.detail for run in runs}) == 1 else f" under seed {first.seed}, and the like"
        count = f" ({len(seeds)} seeds)" if len(seeds) > 1 else ""
        log = f" (seedwise log {results.name} --seed {first.seed} --stderr)" if results.key else ""
        lines.append(f"Failed under seed {seed_list(seeds)}{count}: {text}{same}{log}")
    if len(alike) > _MOST_FAILURES:
        lines.append(
            f"{len(alike) - _MOST_FAILURES} more ways of failing: seedwise export {results.name} --format json"
        )
    return lines


def _sites(sites: Sequence[Mapping[str, Any]]) -> list[str]:
    if not sites:
        return []
    shown = [
        f"{printable(s['location'])} ({printable(s['typed'] or 'the number there')} → {s['receives']})" for s in sites
    ]
    more = f", and {len(shown) - 8} more (seedwise show --json)" if len(shown) > 8 else ""
    return [f"The seed s went in at {', '.join(shown[:8])}{more}."]


def sites_table(sites: Sequence[Mapping[str, object]]) -> Table:
    """A table with a row for each seed site."""
    rows = [
        tuple(printable(str(site[name])) for name in ("location", "typed", "where", "source", "receives"))
        for site in sites
    ]
    return Table(("location", "typed", "where", "source", "receives"), tuple(rows), frozenset({1}))
