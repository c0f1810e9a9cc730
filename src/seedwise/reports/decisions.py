"""Presents comparisons, plans and choices, in words and tables."""

from collections.abc import Mapping, Sequence

from ..decisions import Comparison, Decision, Group, OverTasks, Plan, Ranking, TaskPlace, TaskProfile, TaskRanking
from ..results import Goal, Summary
from ..wording import is_at_command_line, option, switched_on
from ..words import decimals, number, places_for, printable
from .paper import mean_on_paper, note_on_paper
from .screen import Tone
from .table import Table

_TONES = {Decision.BETTER: Tone.GOOD, Decision.WORSE: Tone.BAD, Decision.UNDECIDED: Tone.WARNING}


def tone_of(decision: Decision) -> Tone:
    """The colour of a decision."""
    return _TONES.get(decision, Tone.PLAIN)


def p_text(p: float | None) -> str:
    """A p-value as papers print it: `p = .013`, `p < .001`."""
    if p is None:
        return "no p"
    if p < 0.001:
        return "p < .001"
    return f"p = {p:.3f}".replace("0.", ".", 1) if p < 0.9995 else "p = 1"


def percent(level: float) -> str:
    """A level as `95 %`."""
    return f"{level * 100:g} %"


def places_of(groups: Sequence[Group], interval: tuple[float, float] | None = None) -> int:
    """How many decimals the numbers of a comparison get: two digits of the smallest spread."""
    spreads = [g.sd for g in groups if g.sd]
    if interval is not None and interval[1] > interval[0]:
        spreads.append((interval[1] - interval[0]) / 2)
    return decimals(min(spreads, default=None), groups[0].mean)


_HOPELESS = 50
"""From so many times the seeds that there are, nothing is said of how many would be needed."""


def tests_line(c: Comparison) -> str:
    """Both tests by name: t with its degrees of freedom, and the permutation test; "" where there is none."""
    if c.t is None or c.df is None or c.p_value is None:
        return ""
    name = "Paired" if c.pairs is not None else "Welch's"
    how = "all regroupings" if c.exact else "drawn regroupings"
    return (
        f"{name} t = {c.t:.2f}, df = {c.df:.3g}, {p_text(c.t_p_value)}; studentised permutation test {p_text(c.p_value)} ({how}; the least "
        f"that these numbers of seeds can reach is {c.smallest_p:.2g})."
    )


def comparison_sentence(c: Comparison) -> str:
    """The result of a comparison as a sentence.

    It is made from the decision, so the two cannot contradict each other.
    """
    k = places_of((c.new, c.base), c.interval)
    new, base, metric = printable(c.new.name), printable(c.base.name), printable(c.metric)
    counted = (
        f"{c.pairs} pairs of seeds" if c.pairs is not None else f"{c.new.finished} seeds against {c.base.finished}"
    )
    means = f"{number(c.new.mean, k)} against {number(c.base.mean, k)}"
    p = c.p_value if c.adjusted_p is None else c.adjusted_p
    how = "" if c.adjusted_p is None else " (t test) after Holm" if c.adjusted == "t" else " after Holm"
    tested = f"{p_text(p)}{how}" if p is not None else c.method
    between = "" if c.interval is None else f"{number(c.interval[0], k)} to {number(c.interval[1], k)}"
    shown = f"difference {signed(c.difference, k)}, {percent(c.level)} interval {between}, {tested}, {counted}"
    if c.identical and c.decision is Decision.UNDECIDED:
        return f"{new} and {base} are identical in {metric} under every seed ({counted}): which is better is undecided, since nothing that differs between them reaches it."
    if c.interval is None and c.pairs is not None and (c.new.sd or c.base.sd) and c.p_value is not None:
        return (
            f"Every pair differs by the same {signed(c.difference, k)} in {metric}: {means}. Whether {new} is better than {base} is undecided, since a difference "
            f"without any spread says that the seeds do not reach it ({p_text(c.p_value)} in {counted})."
        )
    if c.interval is None and c.new.sd == 0 and c.base.sd == 0:
        return (
            f"No spread was seen: {new} has {metric} {number(c.new.mean, k)} under every seed and {base} {number(c.base.mean, k)}. Whether that is "
            f"more than one run each is undecided ({p_text(c.p_value)} in {counted}, if the runs were independent): does the seed reach the result?"
        )
    if c.decision is Decision.EQUIVALENT:
        return (
            f"{new} and {base} are equivalent in {metric} within ± {c.equivalence:g}: {means} ({shown}; two one-sided tests "
            f"{p_text(c.equivalence_p if c.adjusted_equivalence_p is None else c.adjusted_equivalence_p)})."
        )
    if c.decision is not Decision.UNDECIDED:
        return f"{new} is {c.decision} than {base} in {metric}: {means} ({shown})."
    if c.interval is None:
        few = "one seed on a side says nothing about spread"
        if min(c.new.finished, c.base.finished) > 1:
            few = f"{counted} are too few for an interval that holds at any time"
        return f"Whether {new} or {base} is better in {metric} is undecided: {means}, and {few}."
    text = f"Whether {new} or {base} is better in {metric} is undecided: {means} ({shown})."
    if c.needed is not None and c.needed <= _HOPELESS * max(c.new.finished, c.base.finished):
        n = min(c.new.finished, c.base.finished)
        each = "pairs" if c.pairs is not None else "seeds each"
        what = "a difference as it looks"
        if c.equivalence is not None and abs(c.difference) < c.equivalence:
            what = f"that they differ by less than {c.equivalence:g}, if they differ as it looks"
        more = f"about {c.needed} {each}" if c.needed > n else f"a few more {each}"
        text += f" To show {what} with power .8 takes {more}, fixed beforehand. Looking again and again errs more often: {option('--until-decided') if not is_at_command_line() else 'compare --until-decided'} adds seeds validly, and takes more of them."
    return text


def signed(value: float, places: int) -> str:
    """A difference with its sign."""
    return f"+{number(value, places)}" if value > 0 else number(value, places)


def comparison_table(pairs: Sequence[Comparison]) -> Table:
    """A row for each comparison."""
    adjusted = any(pair.adjusted_p is not None for pair in pairs)
    columns = ["new", "base", "metric", "difference", f"{percent(pairs[0].level)} interval", "p"]
    columns += ["p (Holm)"] if adjusted else []
    columns += ["P(new better)", "Cliff's δ", "decision"]
    rows = []
    for c in pairs:
        k = places_of((c.new, c.base), c.interval)
        between = "–" if c.interval is None else f"{number(c.interval[0], k)} … {number(c.interval[1], k)}"
        row = [printable(c.new.name), printable(c.base.name), printable(c.metric), signed(c.difference, k), between]
        row += [_p(c.p_value)] + ([_p(c.adjusted_p)] if adjusted else [])
        low, high = c.probability_interval
        row += [
            f"{c.probability_of_improvement:.2f} ({low:.2f} … {high:.2f})",
            f"{c.effect_size:+.2f}",
            c.decision.value,
        ]
        rows.append(tuple(row))
    end = len(columns) - 1
    tones = {(k, end): tone_of(c.decision) for k, c in enumerate(pairs)}
    numeric = frozenset({3, 5, 6} if adjusted else {3, 5})
    drop = [end - 1, end - 2, *([5] if adjusted else [])]
    drop += [2] if len({c.metric for c in pairs}) == 1 else []
    drop += [1, 0] if len({(c.new.name, c.base.name) for c in pairs}) == 1 else []  # the sentence names them
    drop += [*([] if adjusted else [5]), 4]
    return Table(tuple(columns), tuple(rows), numeric, tuple(drop), tones=tones, shorten={0: 14, 1: 14, 2: 12})


def _p(p: float | None) -> str:
    return "–" if p is None else p_text(p).replace("p = ", "").replace("p ", "")


def groups_table(groups: Sequence[Group], level: float, ranks: Sequence[str] = ()) -> Table:
    """A table with a row for each side."""
    k = places_of(groups)
    methods = {g.method for g in groups if g.interval is not None} or {"t interval"}
    method = methods.pop() if len(methods) == 1 else "interval"
    columns = ("name", "k of n", "mean", f"{percent(level)} {method}", "SD", *(("rank",) if ranks else ()))
    rows = []
    for i, g in enumerate(groups):
        between = "–" if g.interval is None else f"{number(g.interval[0], k)} … {number(g.interval[1], k)}"
        row = (printable(g.name), f"{g.finished} of {g.n}", number(g.mean, k), between, number(g.sd, k))
        rows.append((*row, ranks[i]) if ranks else row)
    paper_columns = ("name", "n", "mean", "SD", *(("rank",) if ranks else ()))
    on_paper = []
    for i, g in enumerate(groups):
        counted = str(g.n) if g.finished == g.n else f"{g.finished} of {g.n}"
        figures = (printable(g.name), counted, mean_on_paper(g.mean, g.interval, k), number(g.sd, k))
        on_paper.append((*figures, ranks[i]) if ranks else figures)
    paper = Table(paper_columns, tuple(on_paper), frozenset({2, 3}), note=note_on_paper(level, method))
    return Table(columns, tuple(rows), frozenset({2, 4}), (4, 1), paper=paper)


def ranking_sentence(r: Ranking) -> str:
    """Which method leads, and whether this is shown."""
    best = r.places[0].group.name
    against = [p for p in r.pairs if p.new.name == best]
    shown = [p.base.name for p in against if p.decision is Decision.BETTER]
    alike = [p.base.name for p in against if p.decision is Decision.EQUIVALENT]
    open_ = [p.base.name for p in against if p.decision not in (Decision.BETTER, Decision.EQUIVALENT)]
    metric = printable(r.metric)
    if alike and not open_ and not shown:
        return f"{printable(best)} has the best mean {metric} of {len(r.places)}, and is equivalent to {', '.join(map(printable, alike))} (all pairs, Holm)."
    if alike:
        open_ = [*open_, *(f"{name} (equivalent)" for name in alike)]
    names = ", ".join(map(printable, shown))
    if not open_:
        return f"{printable(best)} is the best of {len(r.places)} in {metric}: better than {names} (all pairs, Holm)."
    rest = ", ".join(map(printable, open_))
    start = f"{printable(best)} has the best mean {metric} of {len(r.places)}"
    return (
        f"{start}, and is shown to be better than {names}, not than {rest} (all pairs, Holm)."
        if shown
        else (f"{start}, but is not shown to be better than {rest} (all pairs, Holm).")
    )


def tasks_sentence(r: TaskRanking) -> str:
    """Which method leads over the tasks, and whether this is shown."""
    best = r.places[0]
    against = [p for p in r.pairs if p.new == best.name]
    shown = [printable(p.base) for p in against if p.decision is Decision.BETTER]
    open_ = [printable(p.base) for p in against if p.decision is Decision.UNDECIDED]
    worse = [printable(p.base) for p in against if p.decision is Decision.WORSE]
    alike = [printable(p.name) for p in r.places if p.rank == best.rank]
    count = f"{len(r.tasks)} tasks" if len(r.tasks) > 1 else "one task"
    who = f"{' and '.join(alike)} share" if len(alike) > 1 else f"{alike[0]} has"
    text = f"Over {count} {who} the best mean rank in {printable(r.metric)} ({best.rank:.2f} of {len(r.places)})"
    if worse:
        text += f"; but by the size of the differences {printable(best.name)} is worse than {', '.join(worse)}, so that ranks and Wilcoxon's test disagree"
        if not shown and not open_:
            return f"{text} (Wilcoxon over tasks, Holm)."
    if shown and not open_:
        return f"{text}, and is better than {', '.join(shown)} (Wilcoxon over tasks, Holm)."
    if shown:
        return f"{text}; it is shown to be better than {', '.join(shown)}, not than {', '.join(open_)} (Wilcoxon over tasks, Holm)."
    return f"{text}, but is not shown to be better than {', '.join(open_)} (Wilcoxon over tasks, Holm)."


def over_tasks_sentence(found: OverTasks) -> str:
    """One method over several tasks, in a sentence that names the interval."""
    p = found.place
    widths = [] if p.iqm_interval is None else [p.iqm_interval[1] - p.iqm_interval[0]]
    k = decimals(min(widths, default=None), p.iqm)
    counted = f"{p.runs} runs" if p.n in (None, p.runs) else f"{p.runs} of {p.n} runs"
    text = f"Over {len(found.tasks)} tasks ({counted}) the interquartile mean of {printable(found.metric)} is {_with_interval(p.iqm, p.iqm_interval, k)}"
    text += f", the mean {_with_interval(p.mean, p.mean_interval, k)}, the median of the tasks' means {_with_interval(p.median, p.median_interval, k)}"
    if p.gap is not None and found.enough is not None:
        text += f", the optimality gap at {found.enough:g} {_with_interval(p.gap, p.gap_interval, k)}"
    how = (
        f"{percent(found.level)} stratified bootstrap intervals"
        if p.iqm_interval
        else "one run of each task: no intervals"
    )
    by = f"; normalised by {printable(found.normalised)}" if found.normalised else ""
    return f"{text} ({how}{by})."


def tasks_tables(r: TaskRanking) -> tuple[Table, Table]:
    """Two tables: the methods over the tasks, and the pairs of methods."""
    methods = places_table(r.places, ranks=True)
    pairs = Table(
        ("new", "base", "tasks won", "P(new better)", "p (Wilcoxon)", "p (Holm)", "decision"),
        tuple(
            (
                printable(p.new),
                printable(p.base),
                f"{p.tasks_won} of {len(r.tasks)}",
                _with_interval(p.probability_of_improvement, p.probability_interval, 2),
                _p(p.p_value),
                _p(p.adjusted_p),
                p.decision.value,
            )
            for p in r.pairs
        ),
        frozenset({4, 5}),
        (4, 3, 2),
        tones={(k, 6): tone_of(p.decision) for k, p in enumerate(r.pairs)},
        shorten={0: 14, 1: 14},
    )
    return methods, pairs


def places_table(places: Sequence[TaskPlace], *, ranks: bool) -> Table:
    """Methods over the tasks, a row each; the optimality gap where there is one, the mean rank where there are several."""
    widths = [p.iqm_interval[1] - p.iqm_interval[0] for p in places if p.iqm_interval is not None]
    k = decimals(min(widths, default=None), places[0].iqm)
    gaps = places[0].gap is not None
    columns: tuple[str, ...] = ("name", "runs", "IQM", "mean", "median")
    columns += (("optimality gap",) if gaps else ()) + (("mean rank",) if ranks else ())
    rows = []
    for p in places:
        row = [printable(p.name), str(p.runs) if p.n in (None, p.runs) else f"{p.runs} of {p.n}"]
        figures = [(p.iqm, p.iqm_interval), (p.mean, p.mean_interval), (p.median, p.median_interval)]
        row += [_with_interval(value, between, k) for value, between in figures]
        row += [_with_interval(p.gap, p.gap_interval, k)] if gaps and p.gap is not None else []
        row += [_with_interval(p.rank, p.rank_interval, 2)] if ranks else []
        rows.append(tuple(row))
    drop = (4, 3, 1) if len(columns) > 4 else ()
    return Table(columns, tuple(rows), frozenset({1}), drop)


def _with_interval(value: float, between: tuple[float, float] | None, places: int) -> str:
    if between is None:
        return number(value, places)
    return f"{number(value, places)} ({number(between[0], places)} … {number(between[1], places)})"


def profile_tables(profiles: Sequence[TaskProfile], of: TaskRanking) -> list[Table]:
    """The share of runs that reach each threshold: a row for each threshold, a column for each method."""
    if not profiles:
        return []
    sign = "≥" if of.goal is Goal.MAX else "≤"
    at = profiles[0].thresholds
    k = decimals(float(at[-1] - at[0]) / 10 or None, at[-1])
    rows = []
    for i, threshold in enumerate(at):
        cells = [_with_interval(p.share[i], None if p.band is None else p.band[i], 2) for p in profiles]
        rows.append((f"{sign} {number(threshold, k)}", *cells))
    return [Table((printable(of.metric), *(printable(p.name) for p in profiles)), tuple(rows))]


def explain(c: Comparison) -> list[str]:
    """What each number of a comparison means, one line each."""
    k = places_of((c.new, c.base), c.interval)
    new, base = printable(c.new.name), printable(c.base.name)
    lines = [
        f"difference {signed(c.difference, k)}: mean of {new} minus mean of {base}, in units of {printable(c.metric)}."
    ]
    if c.interval is not None:
        lines.append(
            f"{percent(c.level)} interval ({c.method}): differences that these scores do not speak against; a procedure that covers "
            f"the true one {percent(c.level)} of the time for normal scores."
        )
    if c.p_value is not None:
        how = "all regroupings" if c.exact else "drawn regroupings"
        lines.append(
            f"{p_text(c.p_value)}: if seeds alone made the difference, one as large would come up so often (studentised permutation test, "
            f"{how}); the least that these numbers of seeds can reach is {c.smallest_p:.2g}. Welch's or the paired t gives "
            f"{p_text(c.t_p_value)}."
        )
    low, high = c.probability_interval
    lines.append(
        f"P({new} better) = {c.probability_of_improvement:.2f} ({low:.2f} to {high:.2f}): chance that one run of {new} beats one of "
        f"{base}; by the rule of Bouthillier et al. (above ½, reaching beyond .75): {c.probability_decision}. Cliff's δ "
        f"{c.effect_size:+.2f} says the same from -1 to 1."
    )
    lines.append(
        f"With one seed each, the one with the worse mean would have looked better {c.wrong_winner * 100:.0f} % of the time."
    )
    if c.almost_dominance is not None:
        lines.append(
            f"ASO {c.almost_dominance:.2f}: an upper bound of how far {new} is from being above {base} at every quantile (0: no quantile is worse; .5: neither is "
            "above). It describes these runs; with fewer than 20 seeds a bound below .5 comes by chance alone in 16 to 23 % of cases, so it decides nothing."
        )
    if c.spread_ratio is not None and c.spread_interval is not None:
        lines.append(
            f"SD of {new} is {c.spread_ratio:.2f} times that of {base} ({c.spread_interval[0]:.2f} to {c.spread_interval[1]:.2f}; "
            f"Brown-Forsythe {p_text(c.spread_p)})."
        )
    if c.correlation is not None:
        use = (
            "pairing them was declared"
            if c.pairs is not None
            else f"they were not paired, since that was not declared ({switched_on('--paired')})"
        )
        lines.append(f"Correlation of scores under the same seeds: {c.correlation:.2f}; {use}.")
    return lines


def explain_tasks(r: TaskRanking) -> list[str]:
    """What each number over tasks means."""
    return [
        "IQM: mean of the middle half of all runs of all tasks; it heeds neither the luckiest nor the unluckiest quarter.",
        "mean, median: of the tasks' means. Each interval resamples the runs within each task (stratified bootstrap, percentile).",
        *_explain_gap(r.enough, r.goal),
        *(
            [
                "profile: share of a method's runs that reach each score, averaged over tasks; the band holds for all scores at once."
            ]
            if r.profiles
            else []
        ),
        "mean rank: on each task methods are ranked by their mean (1 is best), and the ranks are averaged over tasks.",
        "P(new better): chance that one run of new beats one of base on the same task, averaged over tasks.",
        "p (Wilcoxon): over the tasks' means, two-sided; p (Holm) holds all pairs together. The decision follows p (Holm).",
    ]


def explain_over_tasks(found: OverTasks) -> list[str]:
    """What each number of one method over tasks means."""
    lines = [
        "IQM: mean of the middle half of all runs of all tasks; it heeds neither the luckiest nor the unluckiest quarter.",
        "mean, median: of the tasks' means. Each interval resamples the runs within each task (stratified bootstrap, percentile).",
    ]
    return lines + _explain_gap(found.enough, found.goal)


def _explain_gap(enough: float | None, goal: Goal) -> list[str]:
    if enough is None:
        return []
    side = "below" if goal is Goal.MAX else "above"
    return [
        f"optimality gap: how far runs stay on average {side} {enough:g}, which counts as enough; better scores count as that."
    ]


def summaries_table(column: str, summaries: Mapping[str, Summary], level: float) -> Table:
    """A row for each method or task."""
    rows = []
    for name, s in summaries.items():
        k = places_for(s)
        between = "–" if s.interval is None else f"{number(s.interval[0], k)} … {number(s.interval[1], k)}"
        figures = (number(s.mean, k), between, number(s.sd, k), number(s.median, k), number(s.min, k), number(s.max, k))
        rows.append((printable(name), f"{s.finished} of {s.n}", *figures))
    method = next(iter(summaries.values())).method
    columns = (column, "k of n", "mean", f"{percent(level)} {method}", "SD", "median", "min", "max")
    return Table(columns, tuple(rows), frozenset({2, 4, 5, 6, 7}), (5, 6, 7, 1, 4))


def explain_summary(s: Summary) -> list[str]:
    """What each number of a summary means."""
    return [
        f"mean ± : the {percent(s.level)} {s.method} of the mean; a procedure that covers the true mean about so often.",
        "SD: how much single runs differ from seed to seed (n - 1 in its denominator); it does not shrink with more seeds.",
        "SEM: SD / √n, how far the mean of these seeds may be from the true one.",
        "median, IQM: middle value, and mean of the middle half.",
        f"k of n: {s.finished} of {s.n} seeds finished with this metric; every figure is among those.",
    ]


def explain_plan(p: Plan) -> list[str]:
    """What a plan is based on."""
    lines = [
        "Seeds and power are those of `compare` itself, simulated where there are few; beyond, by the noncentral t distribution. Noether's formula for "
        "P(new better), the exact sign test for pairs."
    ]
    if "sd_interval" in p.details:
        low, high = p.details["sd_interval"]
        lines.append(f"SD of the pilot: {p.sd:.3g}, 95 % interval {low:.3g} to {high:.3g}.")
    return lines
