"""The report on one experiment: a sentence, then the table, the sites and the warnings."""

import math
import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ..advice import Advice
from ..results import ELSEWHERE, Results, Status, Summary
from ..wording import either_goal, option
from ..words import failing_alike, failure, histogram, number, places_for, printable, seed_list, sentence
from .page import Block, Line, warning
from .paper import mean_on_paper, note_on_paper
from .screen import Tone
from .sources import sources_sentence, sources_table
from .table import Table


def report_of(results: Results, summaries: Mapping[str, Summary]) -> list[Block]:
    """The whole report: a sentence, the table, what a reader of every report needs to know, and warnings."""
    blocks: list[Block] = []
    shown = list(summaries.values())
    if shown:
        blocks.append(Line(question_of(results) or sentence(shown[0])))
        blocks.append(metric_table(results, summaries))
        blocks.extend(map(Line, remarks_of(results, summaries)))
        blocks.extend(map(Line, _chosen(results)))
    blocks.extend(_counts(results))
    if results.draws:
        blocks += [Line(sources_sentence(results.draws)), sources_table(results.draws)]
    else:
        blocks.extend(map(Line, _sites(results.sites)))
    lacking = [_without_mean(results, f) for f in shown if f.reason]
    if lacking and shown[0].reason:  # the first sentence has said it
        blocks.append(Line(f"{printable(lacking.pop(0).next_step)}."))
    blocks.extend(map(warning, lacking))
    noted = [f for k, f in enumerate(shown) if k == 0 or f.method != "t interval"]
    blocks.extend(warning(f.note.about(f.label)) for f in noted if f.note)
    blocks.extend(map(warning, results.warnings))
    return blocks


def _without_mean(results: Results, summary: Summary) -> Advice:
    """What to do where a score is NaN or infinite."""
    broken = next((s for s, value in results.scores(summary.metric).by_seed.items() if not math.isfinite(value)), None)
    if broken is None or not results.key:
        return Advice(
            f"{summary.label}: {summary.reason}", "look for what makes it so, or leave these rows out and say so"
        )
    log = f"`seedwise log {shlex.quote(results.name)} --seed {broken}`"
    return Advice(f"{summary.label}: {summary.reason}", f"{log} shows what that run printed")


def remarks_of(results: Results, summaries: Mapping[str, Summary]) -> list[str]:
    """What luck alone would have bought, in the metric that leads: [] where there is too little to say it."""
    first = next(iter(summaries.values()), None)
    if first is None or results.question or first.finished < 3 or first.mean is None or first.best is None:
        return []
    if not first.sd:
        return []
    gain = abs(first.best - first.mean)
    return [
        f"The luckiest of these {first.finished} seeds, seed {first.best_seed}, is {number(gain, places_for(first))} better in "
        f"{printable(first.metric)} than their mean, {gain / first.sd:.1f} times their SD: report the mean."
    ]


def question_of(results: Results) -> str:
    """What the user is asked where several metrics are equally likely to be the result; "" where one leads."""
    if not results.question:
        return ""
    names = [printable(name) for name in results.question]
    return f"Which is the result: {', '.join(names[:-1])} or {names[-1]}? {option(f'--metric {names[0]}')} takes the first; the table has all."


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
    aimed = [k for k, f in enumerate(summaries.values()) if f.goal is not None]
    tones = {(k, column): tone for k in aimed for column, tone in ((7, Tone.GOOD), (8, Tone.BAD))}
    paper = _paper_table(list(summaries.values()), level, method)
    return Table(columns, tuple(rows), frozenset({3, 5, 6}), (1, 6, 8, 7, 9, 5, 2), frozenset({9}), tones, paper=paper)


def _paper_table(summaries: Sequence[Summary], level: float, method: str) -> Table:
    """The same for a paper: mean ± in one column, the extremes without their seeds."""
    rows = []
    for f in summaries:
        counted = str(f.n) if f.finished == f.n else f"{f.finished} of {f.n}"
        if f.mean is None:
            rows.append((printable(f.metric), counted, *["–"] * 5))
            continue
        k = places_for(f)
        rest = (number(f.sd, k), number(f.median, k), number(f.min, k), number(f.max, k))
        rows.append((printable(f.metric), counted, mean_on_paper(f.mean, f.interval, k), *rest))
    columns = ("metric", "n", "mean", "SD", "median", "min", "max")
    return Table(columns, tuple(rows), frozenset({2, 3, 4, 5, 6}), note=note_on_paper(level, method))


def _chosen(results: Results) -> list[str]:
    guessed = [m for m in results.metrics if m.goal is not None and not m.goal_said]
    lines = []
    if guessed:
        goals = ", ".join(f"{printable(m.name)}:{m.goal}" for m in guessed[:6]) + (" …" if len(guessed) > 6 else "")
        lines.append(
            f"Metrics and goals were read from the names: {goals} ({either_goal(printable(guessed[0].name) if len(guessed) == 1 else 'NAME')} decides)."
        )
    quiet = [f"{printable(n)} ({printable(r)})" for n, r in results.left_out.items() if "do not have it" not in r]
    if quiet:
        lines.append(f"Left out: {'; '.join(quiet[:8])}{' …' if len(quiet) > 8 else ''}.")
    return lines


def _counts(results: Results) -> list[Block]:
    lines: list[Block] = []
    total = len(results.runs)
    if total:
        lines.append(
            Line(f"{results.name}: {len(results.finished)} of {total} runs finished, seeds {seed_list(results.seeds)}.")
        )
    if results.there is not None:
        lines.append(
            Line(f"{results.there} seeds are there: `seedwise show {shlex.quote(results.name)}` reports all of them.")
        )
    if results.forking:
        lines.append(Line(f"{printable(results.forking)}."))
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
        lines.append(Line(f"Each run saw your files as they were; what it wrote is in {shown}/seed-N/files{more}."))
    nodes = list(dict.fromkeys(run.place.node for run in results.runs if run.place is not None))
    if nodes:
        more = f" and {len(nodes) - 6} more" if len(nodes) > 6 else ""
        lines.append(Line(f"Made on {', '.join(map(printable, nodes[:6]))}{more}."))
    lines += _failures(results)
    lines += _open(results)
    return lines


def _open(results: Results) -> list[Block]:
    """The seeds that have not ended: where they are, and what runs those that nobody runs."""
    lines: list[Block] = []
    resume = f"seedwise resume {shlex.quote(results.name)}"
    running = results.having(Status.RUNNING)
    away = [run.seed for run in running if run.detail == ELSEWHERE]
    here = [run.seed for run in running if run.detail != ELSEWHERE]
    interrupted = results.having(Status.INTERRUPTED)
    waiting = [run.seed for run in interrupted if run.attempt == 0] if here else []
    left = [run.seed for run in interrupted if run.seed not in set(waiting)]
    if away:
        lines.append(Line(f"Queued or running elsewhere: seed {seed_list(away)}; `{resume}` collects what has come."))
    if here:
        lines.append(
            Line(f"Running: seed {seed_list(here)}{f'; waiting: seed {seed_list(waiting)}' if waiting else ''}.")
        )
    if left:
        too = f", `{resume} --failed` those that failed too" if results.failed else ""
        lines.append(
            Line(
                f"Not finished: seed {seed_list(left)}; the same command or `{resume}` runs them{too}.",
                Tone.WARNING,
                "Not finished",
            )
        )
    return lines


_MOST_FAILURES = 10


def _failures(results: Results) -> list[Block]:
    """A line for each way in which runs failed. Messages that differ in their numbers only are one."""
    alike = failing_alike(results.failed)
    lines: list[Block] = []
    for runs in alike[:_MOST_FAILURES]:
        first = runs[0]
        text = printable(failure(first))
        seeds = [run.seed for run in runs]
        same = "" if len({run.detail for run in runs}) == 1 else f" under seed {first.seed}, and the like"
        count = f" ({len(seeds)} seeds)" if len(seeds) > 1 else ""
        log = f" (seedwise log {shlex.quote(results.name)} --seed {first.seed} --stderr)" if results.key else ""
        lines.append(Line(f"Failed under seed {seed_list(seeds)}{count}: {text}{same}{log}", Tone.BAD, "Failed"))
    if len(alike) > _MOST_FAILURES:
        lines.append(
            Line(f"{len(alike) - _MOST_FAILURES} more ways of failing: seedwise export {results.name} --format json")
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
    return Table(
        ("location", "typed", "where", "source", "receives"),
        tuple(rows),
        frozenset({1}),
        (3, 2),
        shorten={0: 16, 2: 16},
    )
