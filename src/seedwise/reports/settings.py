"""The parts of the report on a family: every setting in a row, what choosing the best one does, which is steadier."""

import shlex
from collections.abc import Mapping, Sequence

from ..advice import Advice
from ..decisions import Comparison, Decision, Place, Ranking, SteadierPair
from ..results import Results, Summary
from ..wording import is_at_command_line
from ..words import half_width, number, places_for, printable, seed_list
from .decisions import comparison_table, p_text, percent, places_of, tone_of
from .page import Block, Line, warning
from .paper import note_on_paper
from .table import Table


def settings_table(
    settings: Mapping[str, Mapping[str, str]],
    members: Mapping[str, Results],
    ranking: Ranking | None,
    summaries: Mapping[str, Summary | None],
) -> Table:
    """A row for each setting, the best first; those without a place in the ranking last."""
    axes = list(dict.fromkeys(key for of in settings.values() for key in of))
    alike = len({tuple(of.items()) for of in settings.values()}) < len(settings) or not axes
    head = ["name", *axes] if alike else axes
    columns = (*head, "k of n", "mean", "95 % t interval", "SD", "rank", "against the best")
    places = {place.group.name: place for place in ranking.places} if ranking is not None else {}
    k = places_of([place.group for place in places.values()]) if places else None
    rows: list[tuple[str, ...]] = []
    tones = {}
    for name in [*places, *(name for name in members if name not in places)]:
        own = [*([printable(name)] if alike else []), *_values(settings, name, axes)]
        figures = _figures(members[name], summaries.get(name), k)
        place = places.get(name)
        pair = None if place is None else _against_best(ranking, place)
        if pair is not None:
            tones[len(rows), len(columns) - 1] = tone_of(_seen_from_below(pair.decision))
        rank, said = ("–", "") if place is None else (f"{place.rank:g}", _said(pair))
        rows.append((*own, *figures, rank, said))
    n = len(head)
    return Table(
        columns,
        tuple(rows),
        frozenset({n + 1, n + 3}),
        (n + 4, n + 3, n),
        tones=tones,
        note=note_on_paper(0.95, "t interval"),
    )


def _figures(results: Results, summary: Summary | None, places: int | None) -> tuple[str, str, str, str]:
    """k of n, mean, interval, SD."""
    if summary is None or summary.mean is None:
        return f"{len(results.finished)} of {len(results)}", "–", "–", "–"
    k = places_for(summary) if places is None else places
    low_high = summary.interval
    between = "–" if low_high is None else f"{number(low_high[0], k)} … {number(low_high[1], k)}"
    return f"{summary.finished} of {summary.n}", number(summary.mean, k), between, number(summary.sd, k)


def _values(settings: Mapping[str, Mapping[str, str]], name: str, axes: Sequence[str]) -> list[str]:
    return [printable(settings[name].get(axis, "–")) for axis in axes]


def _against_best(ranking: Ranking | None, place: Place) -> Comparison | None:
    """The comparison of the best setting with this one; None for the best itself."""
    if ranking is None:
        return None
    best = ranking.places[0].group.name
    return next((c for c in ranking.pairs if c.new.name == best and c.base.name == place.group.name), None)


def _seen_from_below(decision: Decision) -> Decision:
    return {Decision.BETTER: Decision.WORSE, Decision.WORSE: Decision.BETTER}.get(decision, decision)


def _said(pair: Comparison | None) -> str:
    if pair is None:
        return "leads"
    p = pair.p_value if pair.adjusted_p is None else pair.adjusted_p
    return f"{_seen_from_below(pair.decision)} ({p_text(p)})"


def flattered_sentence(count: int, flattered: float, metric: str, places: int) -> str:
    """What choosing among many does to the best one's mean."""
    again = "`seedwise run --grid …` with --confirm 20" if is_at_command_line() else "run_grid(…, confirm=20)"
    return (
        f"The best of {count} means looks better than it is: if all settings were alike, by {number(flattered, places)} in {printable(metric)} on average. "
        f"Fresh seeds for the best one tell its true mean: {again}."
    )


def confirmed_sentence(name: str, seeds: Sequence[int], summary: Summary, before: float) -> str:
    """The best setting under seeds that did not choose it, beside the mean that chose it."""
    k = places_for(summary)
    if summary.mean is None:
        return f"{printable(name)} under fresh seeds: {summary.reason}."
    among = "" if summary.finished == summary.n else f" ({summary.finished} of {summary.n} finished)"
    half = half_width(summary)
    mean = number(summary.mean, k) + (f" ± {number(half, k)}" if half is not None else "")
    return (
        f"Confirmed: {printable(name)} has {printable(summary.metric)} {mean} over {len(seeds)} fresh seeds ({seed_list(seeds)}{among}; mean, "
        f"{summary.level * 100:g} % {summary.method}); under the seeds that chose it, it had {number(before, k)}."
    )


_NAMED = 3
"""So many pairs are named in a sentence."""


def steadiness(ranking: Ranking, spreads: Sequence[SteadierPair], asked: bool) -> list[Block]:
    """Which settings vary less between seeds than others.

    Parameters
    ----------
    asked
        Whether it is said too that no setting is shown to be steadier.
    """
    flat = [printable(place.group.name) for place in ranking.places if place.group.sd == 0]
    without = (
        [f"Without any spread, and so without a ratio: {', '.join(flat)}."]
        if flat and len(flat) < len(ranking.places)
        else []
    )
    leader = ranking.places[0].group.name
    shown = sorted((pair for pair in spreads if pair.shown), key=lambda pair: leader not in (pair.steadier, pair.other))
    count = f"Brown-Forsythe, Holm over {len(spreads)} pair{'' if len(spreads) == 1 else 's'}"
    metric = printable(ranking.metric)
    said = [
        f"{printable(pair.steadier)} than {printable(pair.other)} (SD {pair.ratio:.2g} times as large, {pair.interval[0]:.2g} to {pair.interval[1]:.2g}, "
        f"{p_text(pair.adjusted_p)}{_but_worse(ranking, pair)})"
        for pair in shown[:_NAMED]
    ]
    if said:
        more = f"; and {len(shown) - _NAMED} more, which `seedwise show` lists" if len(shown) > _NAMED else ""
        text = [f"Steadier in {metric}: {'; '.join(said)}{more} ({count})."]
    elif spreads and asked:
        least = spreads[0]
        names = f"closest: {printable(least.steadier)}, SD {least.ratio:.2g} times that of {printable(least.other)}"
        text = [
            f"No setting is shown to be steadier than another in {metric} ({names}, {p_text(least.adjusted_p)}; {count})."
        ]
    else:
        text = []
    return [Line(" ".join([*text, *without]))] if text or without else []


def _but_worse(ranking: Ranking, pair: SteadierPair) -> str:
    """A warning where the steadier one is worse in the mean: a network that never learns is steady too."""
    for c in ranking.pairs:
        if {c.new.name, c.base.name} == {pair.steadier, pair.other}:
            lost = Decision.WORSE if c.new.name == pair.steadier else Decision.BETTER
            return "; but its mean is worse" if c.decision is lost else ""
    return ""


def spreads_of(spreads: Sequence[SteadierPair], level: float) -> list[Block]:
    """All pairs of spreads, the clearest first."""
    if not spreads:
        return []
    rows = tuple(
        (
            printable(pair.steadier),
            printable(pair.other),
            f"{pair.ratio:.3g}",
            f"{pair.interval[0]:.3g} … {pair.interval[1]:.3g}",
            _bare(pair.p_value),
            _bare(pair.adjusted_p),
            "shown" if pair.shown else "not shown",
        )
        for pair in spreads
    )
    columns = ("smaller SD", "other", "ratio", f"{percent(level)} interval", "p", "p (Holm)", "steadier?")
    table = Table(columns, rows, frozenset({2, 4, 5}), (4, 3), shorten={0: 14, 1: 14})
    return [Line(""), Line(f"Spread against spread, {len(spreads)} pairs, Brown and Forsythe's test:"), table]


def _bare(p: float) -> str:
    return p_text(p).replace("p = ", "").replace("p ", "")


def pairs_of(ranking: Ranking) -> list[Block]:
    """All pairs of settings, held together by Holm."""
    return [Line(""), Line(f"All {len(ranking.pairs)} pairs, held together by Holm:"), comparison_table(ranking.pairs)]


def about_folds(name: str, settings: Mapping[str, Mapping[str, str]]) -> list[Block]:
    """Which command puts folds together: as settings they are only compared with each other."""
    axes = dict.fromkeys(key for of in settings.values() for key in of)
    folds = next((key for key in axes if key in ("fold", "folds", "cv_fold")), None)
    if folds is None:
        return []
    command = f"seedwise cross-validate {printable(name)}{'' if folds == 'fold' else f' --fold-column {folds}'}"
    return [Line(f"The values of {folds} are folds: `{command}` puts them together.")]


def problems(unranked: Mapping[str, str]) -> list[Block]:
    """Settings without a place, with the reason."""
    return [
        warning(Advice(f"{name} is not ranked: {why}", f"`seedwise show {shlex.quote(name)}` says more of its runs"))
        for name, why in unranked.items()
    ]
