"""Is one better than another? For two sides; they may be scores, results, frames or files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import stats
from ..advice import Advice
from ..decisions import Comparison, Decision, Group
from ..errors import MetricError, UsageError
from ..metrics.summary import summary_of
from ..reports.decisions import comparison_sentence
from ..results import Goal, Scores
from ..wording import is_at_command_line
from .scores import ScoresLike, as_scores

Array = NDArray[np.float64]
Rng = np.random.Generator | int | None
GAMMA = 0.75
_FEW_RANKS = 10
_ASO, _LEAST_ASO, _MOST_VALUES = 1000, 100, 40_000_000
"""ASO's bound takes 1,000 resamples; fewer, but 100 at the least, where they would have more than forty million values."""


def compare(
    new: ScoresLike,
    base: ScoresLike,
    *,
    paired: bool = False,
    level: float = 0.95,
    equivalence: float | None = None,
    metric: str | None = None,
    goal: Goal | str | None = None,
    names: tuple[str, str] = ("new", "base"),
    resamples: int = 9999,
    rng: Rng = None,
) -> Comparison:
    """Compare `new` with `base` in one metric.

    Parameters
    ----------
    new, base
        `Scores`, `Results`, mappings seed → number, frames with a column `seed`, numbers, or files.
    paired
        Declare, before looking, that scores under one seed belong together (the same data, split, order). Two
        architectures under the same integer are nearly independent; pairing them loses power. Pairs are made by seed,
        never by row. Numbers without seeds are paired in their order.
    level
        Coverage of the intervals. The decision is made at 1 - level.
    equivalence
        A margin in the metric's units. Differences below it do not matter.
    metric, goal
        Which metric of results or frames is compared, and its goal, `min` or `max`, if its name does not show it.
    names
        What the two sides are called in the sentence and in messages.
    resamples
        How often the scores are resampled, at least 100.
    rng
        Generator or integer from which the resampling draws. The same integer gives the same bits.

    Raises
    ------
    MetricError
        For NaN, duplicate seeds, or pairs without a shared seed. The message says what, and under which seed.
    UsageError
        For a level, margin or number of resamples that makes no sense.
    """
    if not 0.5 <= level < 1:
        raise UsageError(f"level is 0.5 or more and below 1; got {level}")
    if equivalence is not None and not equivalence > 0:
        raise UsageError(f"the margin of equivalence is above 0, in the metric's units; got {equivalence}")
    if resamples < 100:
        raise UsageError(f"resamples is at least 100; got {resamples}")
    a, b = as_scores(new, metric, goal, names[0]), as_scores(base, metric, goal, names[1])
    if a.metric != b.metric and "value" not in (a.metric, b.metric):
        raise MetricError(f"{names[0]} holds {a.metric} and {names[1]} {b.metric}: compare the same metric")
    if a.reduce is not b.reduce and "value" not in (a.metric, b.metric):
        raise MetricError(f"{names[0]} holds {a.label} and {names[1]} {b.label}: take the same value of each series")
    if a.goal is not None and b.goal is not None and a.goal != b.goal:
        raise MetricError(f"the goal of {a.metric} is {a.goal} in {names[0]} and {b.goal} in {names[1]}: say goal=")
    return _compare(a, b, names, paired, level, equivalence, resamples, generator_for(rng))


def alpha_of(level: float) -> float:
    """1 - level, without the rounding that makes 1 - .9 less than .1."""
    return round(1 - level, 12)


def generator_for(rng: Rng) -> np.random.Generator:
    """The generator from which the resampling draws.

    Raises UsageError for anything that is no generator and no integer.
    """
    from ..stats.sample import generator

    try:
        return generator(rng)
    except ValueError as error:
        raise UsageError(str(error)) from None


@dataclass(frozen=True)
class _Sides:
    """Two samples that can be compared. `warnings` say what was guessed or left out of the pairs, `notes` what did not finish."""

    x: Array
    y: Array
    metric: str
    goal: Goal
    shared: Sequence[int]
    unmatched: tuple[int, ...]
    identical: bool
    """Whether both have the same score under every seed."""
    warnings: Sequence[Advice]
    notes: Sequence[str]

    @property
    def up(self) -> bool:
        return self.goal is Goal.MAX

    def larger_is_better(self) -> tuple[Array, Array]:
        """Both samples, with the sign changed where less is better."""
        return (self.x, self.y) if self.up else (-self.x, -self.y)


def _sides(a: Scores, b: Scores, names: tuple[str, str], paired: bool) -> _Sides:
    warnings: list[Advice] = []
    goal = a.goal or b.goal
    metric = b.label if a.metric == "value" else a.label
    if goal is None:
        goal = Goal.MAX
        warnings.append(goal_taken(metric))
    shared = sorted(set(a.by_seed) & set(b.by_seed))
    unmatched = tuple(sorted(set(a.by_seed) ^ set(b.by_seed))) if paired else ()
    x, y = _pairs(a, b, names, shared) if paired else (a.values, b.values)
    if unmatched:
        warnings.append(
            Advice(
                f"left out of the pairs: seed {_some(unmatched)}, which only one side has",
                "run the other side under the same seeds",
            )
        )
    notes = [
        f"{len(side)} of {side.n} seeds of {name} finished: this is among finished"
        for side, name in ((a, names[0]), (b, names[1]))
        if side.n is not None and len(side) < side.n
    ]
    return _Sides(x, y, metric, goal, shared, unmatched, a.by_seed == b.by_seed and len(a) > 1, warnings, notes)


def _compare(
    a: Scores,
    b: Scores,
    names: tuple[str, str],
    paired: bool,
    level: float,
    margin: float | None,
    resamples: int,
    rng: np.random.Generator,
) -> Comparison:
    sides = _sides(a, b, names, paired)
    x, y, warnings, alpha = sides.x, sides.y, list(sides.warnings), alpha_of(level)
    found = stats.difference(x, y, paired=paired, level=level)
    warnings += _about_spread(found, sides.identical)
    found = found if found.sem != 0 else replace(found, low=None, high=None, df=None, p_value=None)
    test = stats.permutation_test(x, y, paired=paired, resamples=resamples, rng=rng) if found.sem is not None else None
    wins = stats.superiority(*sides.larger_is_better(), paired=paired, level=level)
    order = stats.almost_dominates(*sides.larger_is_better(), alpha=alpha, resamples=_aso_resamples(x, y), rng=rng)
    spreads = stats.compare_spreads(x, y, level=level, resamples=min(resamples, 9999), rng=rng)
    interval = _interval(found.low, found.high)
    p, least = (None, None) if test is None else (test.p_value, test.smallest)
    equal_p = None if margin is None else stats.equivalence(found, margin, alpha)
    decision = _decide(found.difference, interval, p, alpha, equal_p, sides.up)
    warnings += _why_open(interval, p, test, alpha, x.size, y.size) if decision is Decision.UNDECIDED else []
    result = Comparison(
        metric=sides.metric,
        goal=sides.goal,
        new=group_of(names[0], x, _those(a, sides) if paired else a, level),
        base=group_of(names[1], y, _those(b, sides) if paired else b, level),
        difference=found.difference,
        interval=interval,
        level=level,
        method=found.method,
        p_value=p,
        smallest_p=least,
        exact=None if test is None else test.exact,
        t=found.difference / found.sem if found.sem else None,
        df=found.df,
        t_p_value=found.p_value,
        probability_of_improvement=wins.probability,
        probability_interval=(wins.low, wins.high),
        probability_decision=_by_probability(wins, x, y, paired),
        effect_size=wins.delta,
        almost_dominance=order.upper,
        spread_ratio=spreads.ratio,
        spread_interval=_interval(spreads.low, spreads.high),
        spread_p=spreads.p_value,
        correlation=_correlation(a, b, sides.shared),
        decision=decision,
        equivalence=margin,
        equivalence_p=equal_p,
        needed=_needed(x, y, found.difference, paired, alpha, margin) if decision is Decision.UNDECIDED else None,
        wrong_winner=stats.wrong_winner(x, y),
        pairs=len(sides.shared) if paired else None,
        identical=sides.identical,
        unmatched=sides.unmatched,
        warnings=tuple(warnings),
        notes=(*sides.notes, *unseen(decision, x.size, y.size)),
    )
    return replace(result, sentence=comparison_sentence(result))


def _aso_resamples(x: Array, y: Array) -> int:
    return max(_LEAST_ASO, min(_ASO, _MOST_VALUES // (x.size + y.size)))


def goal_taken(metric: str) -> Advice:
    """What to say where more is taken as better because nobody said."""
    turned = f"--metric {metric}:min" if is_at_command_line() else 'goal="min"'
    return Advice(
        f"whether more or less {metric} is better was not said, and is taken as max", f"{turned} turns it round"
    )


def _about_spread(found: stats.Difference, identical: bool) -> list[Advice]:
    """What must be asked where nothing varies."""
    if identical:
        return [
            Advice(
                "both sides have the same score under every seed", "look whether what was changed reaches the result"
            )
        ]
    if found.sem == 0:
        return [
            Advice(
                "no spread seen: the seed does not reach the result, or these are copies of one run; many equal runs say no more than one",
                "`seedwise sites` shows where the seed goes in",
            )
        ]
    return [Advice(found.warning, "run more seeds on both sides")] if found.warning else []


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)


def _pairs(a: Scores, b: Scores, names: tuple[str, str], shared: Sequence[int]) -> tuple[Array, Array]:
    """The scores of the seeds that both sides have. Raises MetricError for fewer than two."""
    if len(shared) < 2:
        raise MetricError(
            f"pairs are made by seed, and {names[0]} and {names[1]} share {len(shared) or 'none'}: {names[0]} has "
            f"{_some(a.seeds)}, {names[1]} {_some(b.seeds)}"
        )
    x, y = (np.array([side.by_seed[seed] for seed in shared]) for side in (a, b))
    return x, y


def _some(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds[:10])) + (" …" if len(seeds) > 10 else "")


def group_of(name: str, x: Array, scores: Scores, level: float) -> Group:
    """The summary of one side of a comparison."""
    s = summary_of(Scores(scores.metric, dict(enumerate(x.tolist())), scores.goal), level=level)
    assert s.mean is not None
    sample = tuple(scores.by_seed.items()) if len(scores) == x.size else ()
    return Group(name, scores.n or len(scores), int(x.size), s.mean, s.sd, s.interval, s.method, sample)


def _those(scores: Scores, sides: _Sides) -> Scores:
    """The scores of the seeds that are paired."""
    by_seed = {seed: scores.by_seed[seed] for seed in sides.shared}
    return Scores(scores.metric, by_seed, scores.goal, scores.n, scores.reduce)


def _decide(
    d: float, interval: tuple[float, float] | None, p: float | None, alpha: float, equal_p: float | None, up: bool
) -> Decision:
    if equal_p is not None and equal_p <= alpha:
        return Decision.EQUIVALENT
    if interval is None or p is None or not p <= alpha or interval[0] <= 0 <= interval[1]:
        return Decision.UNDECIDED
    return Decision.BETTER if (d > 0) == up else Decision.WORSE


def _by_probability(wins: stats.Superiority, x: Array, y: Array, paired: bool) -> str:
    """Bouthillier's word. Among few seeds Newcombe's interval leaves ½ out too often (3 against 3: 1 in 10), so there the
    permutation test of the ranks must agree, which is exact.
    """
    if wins.low > 0.5 or wins.high < 0.5:
        if not paired and not _ranks_differ(x, y, alpha_of(wins.level)):
            return "undecided"
        if wins.low > 0.5 and wins.high > GAMMA:
            return "better"
        if wins.high < 0.5 and wins.low < 1 - GAMMA:
            return "worse"
    return "no meaningful difference shown" if wins.high <= GAMMA and wins.low >= 1 - GAMMA else "undecided"


def _ranks_differ(x: Array, y: Array, alpha: float) -> bool:
    """Whether the test of ranks says so, too; True where there are too many regroupings for an exact one."""
    from scipy.stats import rankdata

    if min(x.size, y.size) > _FEW_RANKS or x.size + y.size > 4 * _FEW_RANKS:
        return True
    ranks = rankdata(np.concatenate([x, y]))
    test = stats.permutation_test(ranks[: x.size], ranks[x.size :], resamples=1)
    return not test.exact or test.p_value <= alpha


def _correlation(a: Scores, b: Scores, shared: Sequence[int]) -> float | None:
    if len(shared) < 3:
        return None
    x, y = (np.array([side.by_seed[seed] for seed in shared]) for side in (a, b))
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def _needed(x: Array, y: Array, d: float, paired: bool, alpha: float, margin: float | None) -> int | None:
    """How many seeds each side needs to show this difference, or this equivalence, with power .8.

    None where this cannot be said.
    """
    if min(x.size, y.size) < 2:
        return None
    design = stats.Design.PAIRED if paired else stats.Design.TWO
    sd = float((x - y).std(ddof=1)) if paired else float(x.std(ddof=1))
    sd_base = None if paired else float(y.std(ddof=1))
    if sd == 0 and not sd_base:
        return None
    target, sides = (abs(d), True) if margin is None or abs(d) >= margin else (margin - abs(d), False)
    if target == 0:
        return None
    if not sd:
        sd, sd_base = sd_base or 0.0, sd
    try:
        found = stats.seeds_for(target, sd, alpha=alpha, design=design, sd_base=sd_base, two_sided=sides)
    except ValueError:
        return None
    return max(found, stats.fewest(alpha, design))


def _why_open(
    interval: tuple[float, float] | None, p: float | None, test: stats.Permutation | None, alpha: float, n: int, m: int
) -> list[Advice]:
    if interval is None or p is None or test is None:
        return []
    apart = not interval[0] <= 0 <= interval[1]
    if test.smallest > alpha:
        return [
            Advice(
                f"no p below {test.smallest:.2g} can come of {n} seeds against {m}, whatever the scores"
                + ("; the interval leaves 0 out only if scores are normal" if apart else ""),
                "run more seeds on both sides",
            )
        ]
    if apart:
        return [
            Advice(
                "the interval leaves 0 out, the permutation test does not agree, so that a few unusual scores may be behind it",
                "look at the single scores, and run more seeds",
            )
        ]
    return []


_MANY = 20
"""From so many seeds on nothing is said of what may not have shown yet."""


def unseen(decision: Decision, n: int, m: int) -> list[str]:
    """What a decision from few seeds rests on; empty where there is no decision, or where there are many seeds.

    The share is the upper 95 % limit for what was not seen in n seeds, 1 - .05^(1/n) (Hanley & Lippman-Hand 1983, JAMA
    249:1743). The rates are those of docs/coverage.md, rounded.
    """
    few = min(n, m)
    if decision is Decision.UNDECIDED or few >= _MANY:
        return []
    return [
        f"{few} seeds may not have shown what happens under fewer than {100 * (1 - 0.05 ** (1 / few)):.0f} % of seeds, such as a run that fails (docs/coverage.md)"
    ]


def compare_at_any_time(
    new: ScoresLike, base: ScoresLike, *, names: tuple[str, str] = ("new", "base"), level: float = 0.95, rng: Rng = None
) -> Comparison:
    """A comparison that is valid although seeds were added and looked at one by one.

    It takes the seeds in order, up to the first that one side lacks. The t confidence sequence of the differences new
    minus base decides. It is valid whether or not scores under one seed belong together. There is no permutation p,
    because it would not be valid.

    Raises
    ------
    MetricError
        The two sides share fewer than two first seeds.
    """
    a, b = as_scores(new, None, None, names[0]), as_scores(base, None, None, names[1])
    order = sorted({*a.by_seed, *b.by_seed})
    first = next((k for k, seed in enumerate(order) if seed not in a.by_seed or seed not in b.by_seed), len(order))
    used = order[:first]
    if len(used) < 2:
        raise MetricError(f"{names[0]} and {names[1]} share no first seeds: run both under the same")
    a, b = (Scores(s.metric, {seed: s[seed] for seed in used}, s.goal, reduce=s.reduce) for s in (a, b))
    found = compare(a, b, paired=True, level=level, names=names, rng=rng)
    sequence = stats.t_sequence(a.values - b.values, level)
    up = found.goal is Goal.MAX
    decision = Decision.UNDECIDED
    if sequence.low > 0 or sequence.high < 0:
        decision = Decision.BETTER if (sequence.low > 0) == up else Decision.WORSE
    interval = (sequence.low, sequence.high) if np.isfinite(sequence.half) else None
    result = replace(
        found,
        interval=interval,
        method=sequence.method,
        decision=decision,
        p_value=None,
        t=None,
        df=None,
        t_p_value=None,
        smallest_p=None,
        exact=None,
        needed=None,
        pairs=len(used),
        warnings=(),
    )
    return replace(result, sentence=comparison_sentence(result))
