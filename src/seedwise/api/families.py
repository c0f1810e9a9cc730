"""Families: one experiment for each combination of settings, run, loaded and compared together."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from .. import stats
from ..decisions import Ranking, SteadierPair
from ..errors import SeedwiseError, UsageError
from ..events import Event, Note, Planned
from ..experiments.command import default_name, words_of
from ..experiments.functions import is_call
from ..experiments.grids import (
    Grid,
    check_places,
    confirmation_of,
    family_named,
    is_confirmation,
    named,
    placed,
    settings_of,
)
from ..experiments.loading import load
from ..experiments.store import Store, open_store
from ..reports import family as report
from ..reports.decisions import places_of
from ..reports.latex import to_latex
from ..reports.page import Block, Line, warning
from ..reports.table import to_csv, to_markdown
from ..results import Reduce, Results, Scores, Summary
from ..runs.request import Outcome, Request
from ..runs.sweep import execute
from ..showing import Shown
from ..wording import is_at_command_line
from ..words import failing_alike, failure, printable
from .experiments import export
from .rankings import compare_many, compare_spreads
from .summary import summarize


@dataclass(frozen=True)
class Confirmed:
    """The best setting, run again under seeds that had no part in choosing it.

    `before` is its mean under the seeds that chose it.
    """

    name: str
    seeds: tuple[int, ...]
    summary: Summary
    before: float


@dataclass(frozen=True, repr=False)
class Family(Shown):
    """The results of every setting of a grid, and their ranking.

    Attributes
    ----------
    members
        Name of the experiment → its results.
    ranking
        All pairs in the metric, with p adjusted by Holm; None where fewer than two settings have two scores.
    flattered
        By how much the best of so many means would look better than it is if all settings were alike, in the metric's
        units: E[max of k standard normals] · SEM.
    unranked
        Why a setting has no place in the ranking.
    spreads
        All pairs of settings that have an SD each, with the steadier one first: is it steadier?
    """

    name: str
    members: Mapping[str, Results]
    metric: str | None
    ranking: Ranking | None
    flattered: float | None
    unranked: Mapping[str, str]
    confirmed: Confirmed | None = None
    not_run: tuple[str, ...] = ()
    """Settings that were asked for and have not begun."""
    stopped: str = ""
    """Why some of what was asked for was not run."""
    spreads: tuple[SteadierPair, ...] = ()

    def __repr__(self) -> str:
        return f"<Family {self.name}: {len(self.members)} settings; {self.metric or 'no metric'}>"

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """Name of the experiment → its settings, as text."""
        return {name: settings_of(name) for name in self.members}

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        confirmed = self.confirmed
        return {
            "family": self.name,
            "metric": self.metric,
            "settings": self.settings,
            "ranking": None if self.ranking is None else self.ranking.as_dict(),
            "flattered": self.flattered,
            "unranked": dict(self.unranked),
            "not_run": list(self.not_run),
            "stopped": self.stopped,
            "spreads": [asdict(pair) for pair in self.spreads],
            "confirmed": None
            if confirmed is None
            else {
                "name": confirmed.name,
                "seeds": list(confirmed.seeds),
                "before": confirmed.before,
                **confirmed.summary.as_dict(),
            },
        }


def run_family(
    request: Request,
    grid: Grid,
    store: str | None,
    tell: Callable[[Event], None],
    *,
    confirm: int = 0,
) -> tuple[Family, list[Outcome]]:
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


def members_of(name: str, store: str | None = None) -> list[str]:
    """The names of the experiments in a family; [] for the name of one experiment, or of none."""
    try:
        with open_store(store) as opened:
            return members_in(opened, name)
    except SeedwiseError:
        return []


def members_in(store: Store, name: str) -> list[str]:
    """The same, from an open store."""
    return family_named(name, (experiment.name for experiment in store.experiments()))


def export_family(
    name: str, format: str, metric: Sequence[str] = (), reduce: str | None = None, store: str | None = None
) -> str:
    """The runs of every setting of a family as text, each row with its settings.

    `format` is `csv`, `md`, `latex`, or `json` (with the series of each experiment).
    """
    family = load_family(name, metric=metric, reduce=reduce, store=store)
    if format == "json":
        every = [
            {"settings": settings_of(member), **json.loads(export(member, "json", metric, reduce, store))}
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


def expanded(sides: Iterable[str], store: str | None) -> tuple[str, ...]:
    """Each family in a list of names replaced by its settings; files and single experiments stay.

    The fresh seeds that confirmed the best setting are compared with nothing: they are of one setting alone.
    """
    import os

    found: list[str] = []
    for side in sides:
        members = [] if os.path.isfile(side) else members_of(side, store)
        found += [member for member in members if not is_confirmation(member)] or [side]
    return tuple(found)


def page_of_family(family: Family, pairs: bool = False) -> list[Block]:
    """The report: the sentence, every setting in a row, what choosing the best one does, and the fresh seeds."""
    ranking, metric = family.ranking, family.metric
    blocks: list[Block] = []
    if ranking is not None:
        blocks.append(Line(ranking.sentence))
    elif len(family.members) > 1:
        blocks.append(Line(f"The settings of {printable(family.name)} cannot be compared yet."))
    summaries = {name: _summary(of, metric) for name, of in family.members.items()}
    blocks.append(report.settings_table(family.settings, family.members, ranking, summaries))
    if ranking is not None and metric is not None and family.flattered is not None:
        c = family.confirmed
        if c is not None:
            blocks.append(Line(report.confirmed_sentence(c.name, c.seeds, c.summary, c.before)))
        else:
            k = places_of([place.group for place in ranking.places])
            blocks.append(Line(report.flattered_sentence(len(ranking.places), family.flattered, metric, k)))
        blocks += report.steadiness(ranking, family.spreads)
        if pairs and len(ranking.pairs) > 1:
            blocks += [*report.pairs_of(ranking), *report.spreads_of(family.spreads, ranking.level)]
        blocks += [Line(f"{printable(text)}.") for text in ranking.notes]
        blocks += [warning(printable(text)) for text in ranking.warnings]
    blocks += report.problems(family.unranked)
    if family.stopped:
        rest = (
            f"; not run: {', '.join(map(printable, family.not_run))}. The same command runs them"
            if family.not_run
            else ""
        )
        blocks.append(warning(f"{family.stopped}{rest}"))
    return blocks


def _summary(results: Results, metric: str | None) -> Summary | None:
    """A setting's figures, though it has no place in the ranking."""
    if metric is None or metric not in {m.name for m in results.metrics} or not len(results.scores(metric)):
        return None
    return summarize(results.scores(metric))
