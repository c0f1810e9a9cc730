"""Families: one experiment for each combination of settings, run, loaded and compared together."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import stats
from ..errors import SeedwiseError, UsageError
from ..events import Event, Note, Planned
from ..experiments.command import default_name, words_of
from ..experiments.functions import is_call
from ..experiments.grids import (
    Grid,
    check_places,
    confirmation_of,
    is_confirmation,
    named,
    placed,
    settings_of,
)
from ..experiments.loading import load
from ..experiments.members import members_of
from ..experiments.store import open_store
from ..reports.family import Confirmed, Family
from ..reports.latex import to_latex
from ..reports.table import to_csv, to_markdown
from ..results import Reduce, Results, Scores
from ..wording import is_at_command_line
from ..words import failing_alike, failure, seed_list
from .experiments import export
from .rankings import compare_many, compare_spreads
from .summary import summarize

if TYPE_CHECKING:
    from ..runs.request import Outcome, Request


def run_family(
    request: "Request",
    grid: Grid,
    store: str | None,
    tell: Callable[[Event], None],
    *,
    confirm: int = 0,
) -> "tuple[Family, list[Outcome]]":
    """Run one experiment for each combination of a grid, one after another, under the same seeds.

    Parameters
    ----------
    request
        The command with places such as `{lr}`, or a function; its name is the family's.
    confirm
        Run the best setting again under so many fresh seeds.

    Returns
    -------
    (Family, outcomes)
        Fewer than there are combinations if somebody interrupted it.

    Raises
    ------
    UsageError, ScriptError, StoreError
        Raised before anything is run.
    """
    from ..runs.sweep import execute

    words = words_of(request.command)
    check_places(words, grid)
    base = request.name or default_name([words[0].rpartition(":")[0]] if is_call(words) else words)
    outcomes: list[Outcome] = []

    def start(name: str, setting: Mapping[str, object], seeds: Sequence[int]) -> tuple[Results, bool]:
        text = {key: str(value) for key, value in setting.items()}
        outcomes.append(execute(replace(request, command=placed(words, text), name=name, seeds=seeds), store, tell))
        return outcomes[-1].results, outcomes[-1].interrupted

    settings = {named(base, setting): setting for setting in grid.settings()}
    before = highest_seed(settings, store)
    family = each_setting(base, settings, request.seeds, start, tell, confirm, before)
    return family, outcomes


Start = Callable[[str, Mapping[str, object], Sequence[int]], tuple[Results, bool]]
"""Runs one setting under seeds; its name is given. The results, and whether somebody interrupted it."""


def each_setting(
    base: str,
    settings: Mapping[str, Mapping[str, object]],
    seeds: Sequence[int],
    start: Start,
    tell: Callable[[Event], None],
    confirm: int = 0,
    before: int = 0,
) -> Family:
    """Run every setting, compare them, and confirm the best one.

    Parameters
    ----------
    settings
        Name of the experiment → its settings.
    before
        The highest seed that any of the settings was run under before.
    """
    members: dict[str, Results] = {}
    stopped = ""
    tell(Planned(len(settings) * len(seeds)))
    for k, (name, setting) in enumerate(settings.items()):
        tell(Note(f"{k + 1} of {len(settings)}: {name}"))
        results, interrupted = start(name, setting, seeds)
        members[name] = _under(results, seeds)
        if interrupted or _all_fail_alike(list(members.values())):
            stopped = "interrupted" if interrupted else "stopped, since every run of the first settings failed alike"
            break
    family = family_of(base, members)
    rest = tuple(name for name in settings if name not in members)
    if stopped:
        return replace(family, not_run=rest, stopped=stopped)
    return _confirm(family, settings, confirm, start, tell, max(before, *seeds)) if confirm else family


def highest_seed(names: Iterable[str], store: str | None) -> int:
    """The highest seed of some experiments, 0 if there are none."""
    try:
        with open_store(store) as opened:
            known = set(names)
            there = [experiment.id for experiment in opened.experiments() if experiment.name in known]
            return max((run.seed for number in there for run in opened.runs(number, last_only=True)), default=0)
    except SeedwiseError:
        return 0


def _all_fail_alike(members: Sequence[Results]) -> bool:
    """Whether all runs of two settings failed in one way: then the others would too."""
    if len(members) < 2 or any(results.finished or not results.failed for results in members):
        return False
    return len(failing_alike([run for results in members for run in results.failed])) == 1


def _under(results: Results, seeds: Sequence[int]) -> Results:
    """The runs under these seeds alone: the best setting may have more, from when it was confirmed."""
    asked = set(seeds)
    return replace(results, runs=tuple(run for run in results.runs if run.seed in asked))


def _confirm(
    family: Family,
    settings: Mapping[str, Mapping[str, object]],
    confirm: int,
    start: Start,
    tell: Callable[[Event], None],
    last: int,
) -> Family:
    """Run the best setting under fresh seeds, above `last`, as an experiment of its own: they never join the choice."""
    if family.ranking is None or family.metric is None:
        return replace(family, stopped="no setting was confirmed, since it is not known which one is best")
    best = family.ranking.places[0].group
    fresh = tuple(range(last + 1, last + 1 + confirm))
    tell(Note(f"confirming {best.name} under {confirm} fresh seeds"))
    results, _ = start(confirmation_of(best.name), settings[best.name], fresh)
    return replace(family, confirmed=_confirmed(best.name, best.mean, _under(results, fresh), family.metric))


def _confirmed(name: str, before: float, results: Results, metric: str) -> Confirmed | None:
    """What the fresh seeds say; None where none of them has the metric."""
    if metric not in {m.name for m in results.metrics}:
        return None
    scores = results.scores(metric)
    if not len(scores):
        return None
    summary = summarize(Scores(scores.metric, scores.by_seed, scores.goal, len(results), scores.reduce))
    return Confirmed(name, results.seeds, summary, before)


def load_family(
    name: str, *, metric: Sequence[str] = (), reduce: Reduce | str | None = None, store: str | None = None
) -> Family:
    """The experiments of a family: `train`, or a pattern such as `train lr=*`.

    Parameters
    ----------
    name
        The family's name, or a pattern.
    metric, reduce, store
        As for `load`.

    Raises
    ------
    UsageError
        There are none.
    """
    names = members_of(name, store) or members_of(f"{name} *", store)
    if not names:
        how = "`seedwise run --grid` makes one" if is_at_command_line() else "run_grid() makes one"
        raise UsageError(f"no family {name!r}: {how}, `seedwise list` shows what there is")
    members = {member: load(member, metric=metric, reduce=reduce, store=store, brief=True) for member in names}
    return family_of(name, members)


def export_family(
    name: str,
    format: str,
    metric: Sequence[str] = (),
    reduce: str | None = None,
    store: str | None = None,
    seeds: Sequence[int] | None = None,
) -> str:
    """The runs of every setting of a family as text, each row with its settings.

    `format` is `csv`, `md`, `latex`, or `json` (with the series of each experiment).
    """
    family = load_family(name, metric=metric, reduce=reduce, store=store)
    if seeds is not None:
        members = {member: of_seeds(results, seeds) for member, results in family.members.items()}
        family = replace(family, members=members)
    if format == "json":
        every = [
            {"settings": settings_of(member), **json.loads(export(member, "json", metric, reduce, store, seeds))}
            for member in family.members
        ]
        return json.dumps({"family": name, "experiments": every}, indent=2) + "\n"
    columns, rows = rows_of(family)
    return {"csv": to_csv, "md": to_markdown, "latex": to_latex}[format](columns, rows)


def rows_of(family: Family) -> tuple[list[str], list[list[object]]]:
    """A row for each run: its settings, seed, status, and every metric."""
    axes = list(dict.fromkeys(key for of in family.settings.values() for key in of))
    names = list(dict.fromkeys(m.name for of in family.members.values() for m in of.metrics))
    rows: list[list[object]] = []
    for member, results in family.members.items():
        known = {m.name: results.scores(m.name).by_seed for m in results.metrics}
        values = [family.settings[member].get(axis) for axis in axes]
        rows += [
            [*values, run.seed, run.status.value, *(known.get(n, {}).get(run.seed) for n in names)]
            for run in results.runs
        ]
    return [*axes, "seed", "status", *names], rows


def family_of(name: str, members: Mapping[str, Results], level: float = 0.95) -> Family:
    """Compares the settings of a family in the metric that leads."""
    fresh = {member: results for member, results in members.items() if is_confirmation(member)}
    members = {member: results for member, results in members.items() if member not in fresh}
    metric = _metric(members)
    scores: dict[str, Scores] = {}
    unranked: dict[str, str] = {}
    for member, results in members.items():
        found = _scores(results, metric)
        if isinstance(found, str):
            unranked[member] = found
        else:
            scores[member] = found
    if len(scores) < 2 or metric is None:
        return Family(name, members, metric, None, None, unranked)
    ranking = compare_many(scores, level=level, rng=0)
    best = ranking.places[0].group
    again = fresh.get(confirmation_of(best.name))
    chose = {seed for of in members.values() for seed in of.seeds}
    unseen = None if again is None else _under(again, [seed for seed in again.seeds if seed not in chose])
    confirmed = None if unseen is None else _confirmed(best.name, best.mean, unseen, metric)
    steadier = compare_spreads(ranking)
    return Family(name, members, metric, ranking, _flattered(scores), unranked, confirmed, spreads=steadier)


def of_seeds(results: Results, seeds: Sequence[int]) -> Results:
    """The runs under these seeds. Raises UsageError if one of them is not there."""
    lacking = sorted(set(seeds) - set(results.seeds))
    if lacking:
        raise UsageError(f"{results.name} has no seed {seed_list(lacking)}; it has seeds {seed_list(results.seeds)}")
    return _under(results, seeds)


def _metric(members: Mapping[str, Results]) -> str | None:
    """The metric that leads most of the settings' reports."""
    leads = [results.metrics[0].name for results in members.values() if results.metrics]
    return max(leads, key=leads.count) if leads else None


def _scores(results: Results, metric: str | None) -> Scores | str:
    """The scores of one setting, or why there are none."""
    if metric is None or metric not in {m.name for m in results.metrics}:
        failed = f"; {failure(results.failed[0])}" if results.failed else ""
        return f"{len(results.finished)} of {len(results)} runs finished, none with {metric or 'a metric'}{failed}"
    scores = results.scores(metric)
    broken = [seed for seed, value in scores.by_seed.items() if not math.isfinite(value)]
    if broken:
        return f"{metric} is NaN or infinite under seed {', '.join(map(str, broken[:5]))}"
    if len(scores) < 2:
        return f"{len(scores)} of {len(results)} runs has {metric}: spread takes two"
    return scores


def _flattered(scores: Mapping[str, Scores]) -> float:
    squares = [float(s.values.var(ddof=1)) / len(s) for s in scores.values()]
    return stats.expected_maximum(len(scores)) * math.sqrt(sum(squares) / len(squares))
