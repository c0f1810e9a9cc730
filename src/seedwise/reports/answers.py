"""Whole answers as pages: a comparison, a ranking, a plan. The command prints them, and so does `print` in Python."""

from collections.abc import Sequence

from ..advice import Advice
from ..decisions import Comparison, OverTasks, Ranking, TaskRanking
from ..results import Summary
from ..wording import option
from ..words import number, places_for, printable, sentence
from .decisions import (
    comparison_table,
    explain,
    explain_over_tasks,
    explain_summary,
    explain_tasks,
    groups_table,
    p_text,
    places_table,
    profile_tables,
    summaries_table,
    tasks_tables,
    tests_line,
    tone_of,
)
from .page import Block, Line, warning
from .table import Table


def of_comparison(c: Comparison, explained: bool = False) -> list[Block]:
    """One comparison: the sentence, both sides, the figures, the tests."""
    blocks: list[Block] = [
        Line(c.sentence, tone_of(c.decision), str(c.decision)),
        groups_table((c.new, c.base), c.level),
        comparison_table([c]),
    ]
    tests = tests_line(c)
    blocks += [Line(tests)] if tests else []
    blocks += _remarks(c.notes, c.warnings)
    return [*blocks, Line(""), *map(Line, explain(c))] if explained else blocks


def of_other_metrics(others: Sequence[Comparison], asked: bool) -> list[Block]:
    """The comparisons of the metrics that do not decide, and how often such tables err."""
    why = "the metric named first decides" if asked else f"the first metric decides; {option('--metric')} names another"
    error = round(100 * (1 - others[0].level), 6)
    text = f"Other metrics, held together by Holm ({why}). So of all metrics any is decided by chance in up to {2 * error:g} % of cases:"
    said = list(dict.fromkeys(warning for other in others for warning in other.warnings))
    notes = list(dict.fromkeys(note for other in others for note in other.notes if "may not have shown" in note))
    return [Line(""), Line(text), comparison_table(others), *_remarks(notes[:1], said)]


def of_ranking(ranking: Ranking, explained: bool = False) -> list[Block]:
    """Several methods: the sentence, the places, all pairs."""
    ranks = [
        f"{p.rank:g}" + (f" ({p.rank_interval[0]:g} … {p.rank_interval[1]:g})" if p.rank_interval else "")
        for p in ranking.places
    ]
    blocks: list[Block] = [
        Line(ranking.sentence),
        groups_table([p.group for p in ranking.places], ranking.level, ranks),
        comparison_table(ranking.pairs),
        *_remarks(ranking.notes, ranking.warnings),
    ]
    for pair in ranking.pairs if explained else ():
        blocks += [Line(""), Line(pair.sentence), *map(Line, explain(pair))]
    return blocks


def of_tasks(found: TaskRanking, explained: bool = False) -> list[Block]:
    """Several methods over several tasks."""
    blocks: list[Block] = [Line(found.sentence), *tasks_tables(found), *profile_tables(found.profiles, found)]
    if found.friedman_p is not None:
        blocks.append(Line(f"Friedman's test (Iman and Davenport's F): {p_text(found.friedman_p)}."))
    if found.critical_difference is not None:
        blocks.append(Line(f"Nemenyi's critical difference of mean ranks: {found.critical_difference:.2f}."))
    blocks += _remarks((), found.warnings)
    return [*blocks, Line(""), *map(Line, explain_tasks(found))] if explained else blocks


def of_methods_over_tasks(found: Sequence[OverTasks], column: str, named: bool, explained: bool = False) -> list[Block]:
    """One method over several tasks, and on each of them; or several methods over theirs.

    Parameters
    ----------
    column
        What the tasks are called.
    named
        Whether the methods have names.
    """
    first = found[0]
    blocks: list[Block] = (
        [places_table([over.place for over in found], ranks=False)]
        if named
        else [Line(first.sentence), summaries_table(column, first.tasks, first.level)]
    )
    blocks += _remarks((), list(dict.fromkeys(text for over in found for text in over.warnings)))
    return [*blocks, Line(""), *map(Line, explain_over_tasks(first))] if explained else blocks


def of_summary(s: Summary, explained: bool = False) -> list[Block]:
    """One metric over seeds, without the scores themselves."""
    blocks: list[Block] = [Line(sentence(s))]
    if s.mean is not None:
        k = places_for(s)
        between = "–" if s.interval is None else f"{number(s.interval[0], k)} … {number(s.interval[1], k)}"
        row = (printable(s.metric), f"{s.finished} of {s.n}", number(s.mean, k), between, number(s.sd, k))
        columns = ("metric", "k of n", "mean", f"{s.level * 100:g} % {s.method}", "SD", "median", "IQM", "min", "max")
        rest = tuple(number(value, k) for value in (s.median, s.iqm, s.min, s.max))
        blocks.append(Table(columns, ((*row, *rest),), frozenset({2, 4, 5, 6, 7, 8}), (6, 5, 7, 8, 1, 4)))
    blocks += [warning(s.note.about(s.metric))] if s.note else []
    return [*blocks, Line(""), *map(Line, explain_summary(s))] if explained else blocks


def _remarks(notes: Sequence[str], warnings: Sequence[Advice]) -> list[Block]:
    return [*(Line(f"{printable(text)}.") for text in notes), *map(warning, warnings)]
