"""A family: the results of every setting of a grid, and the page that reports them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ..advice import Advice
from ..decisions import Ranking, SteadierPair
from ..experiments.grids import settings_of
from ..metrics.summary import summary_of
from ..results import Results, Summary
from ..showing import Shown
from ..words import printable
from . import settings
from .decisions import places_of
from .page import Block, Line, warning


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
    name, metric
        The family's name, and the metric by which its settings are ranked; None where they have none in common.
    confirmed
        The best setting under fresh seeds, if that was asked for: its `seeds`, `summary`, and mean `before`.
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


def page_of_family(family: Family, pairs: bool = False) -> list[Block]:
    """The report: the sentence, every setting in a row, what choosing the best one does, and the fresh seeds.

    Parameters
    ----------
    pairs
        Report every pair of settings too, and every pair of spreads.
    """
    ranking, metric = family.ranking, family.metric
    blocks: list[Block] = []
    if ranking is not None:
        blocks.append(Line(ranking.sentence))
    elif len(family.members) > 1:
        blocks.append(Line(f"The settings of {printable(family.name)} cannot be compared yet."))
    summaries = {name: _summary(of, metric) for name, of in family.members.items()}
    blocks.append(settings.settings_table(family.settings, family.members, ranking, summaries))
    if ranking is not None and metric is not None and family.flattered is not None:
        c = family.confirmed
        if c is not None:
            blocks.append(Line(settings.confirmed_sentence(c.name, c.seeds, c.summary, c.before)))
        else:
            k = places_of([place.group for place in ranking.places])
            blocks.append(Line(settings.flattered_sentence(len(ranking.places), family.flattered, metric, k)))
        blocks += settings.steadiness(ranking, family.spreads, asked=pairs)
        blocks += settings.about_folds(family.name, family.settings)
        if pairs and len(ranking.pairs) > 1:
            blocks += [*settings.pairs_of(ranking), *settings.spreads_of(family.spreads, ranking.level)]
        blocks += [Line(f"{printable(text)}.") for text in ranking.notes]
        blocks += map(warning, ranking.warnings)
    blocks += settings.problems(family.unranked)
    return [*blocks, warning(_stopped(family))] if family.stopped else blocks


def _stopped(family: Family) -> Advice:
    """Why some of what was asked for was not run, and how it is run."""
    if not family.not_run:
        return Advice(family.stopped, "what the settings above lack, more seeds or a metric, has to come first")
    return Advice(f"{family.stopped}; not run: {', '.join(family.not_run)}", "the same command runs them")


def _summary(results: Results, metric: str | None) -> Summary | None:
    """A setting's figures, though it has no place in the ranking."""
    if metric is None or metric not in {m.name for m in results.metrics} or not len(results.scores(metric)):
        return None
    return summary_of(results.scores(metric))
