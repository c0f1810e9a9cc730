"""Adds seeds until a question is answered. The rules stay valid although somebody looks after every seed.

Seeds count in the order in which they were asked for, up to the first one that is still running. If instead those
seeds counted that end first, quick runs would be preferred, and what makes a run quick may also make it good.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .. import stats
from ..errors import UsageError
from ..metrics import choose as metrics
from ..results import Metric, Results, Run, Status
from ..stats.sequential import START
from ..wording import is_at_command_line, option
from ..words import decimals, number


class Rule(StrEnum):
    """The rule that decides when to stop adding seeds."""

    SEQUENCE = "sequence"
    """Stop when the t confidence sequence (Lai 1976) is narrow enough."""
    STEIN = "stein"
    """Stein's two-stage procedure: the first seeds show how many are needed."""
    BETTING = "betting"
    """Stop when the betting sequence (Waudby-Smith and Ramdas) is narrow enough; for metrics with declared bounds."""


@dataclass(frozen=True)
class Until:
    """The margin that the user asks for (the number after ±), and the rule that reaches it.

    Raises UsageError for a wrong one.
    """

    margin: float
    rule: Rule = Rule.SEQUENCE
    bounds: tuple[float, float] | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        if not (self.margin > 0 and math.isfinite(self.margin)):
            raise UsageError(
                f"{option('--until-margin')} is a number above 0, in the metric's units; got {self.margin}"
            )
        if self.rule is Rule.BETTING and self.bounds is None:
            raise UsageError(f"the betting rule needs declared bounds: {option('--bounds 0,1')}")
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            raise UsageError(
                f"{option('--bounds')} are a low and a high end, 0,1; got {self.bounds[0]:g},{self.bounds[1]:g}"
            )
        if self.bounds is not None and self.rule is not Rule.BETTING:
            raise UsageError(
                f"{option('--bounds')} are for {option('--until-rule betting')}; the other rules take none"
            )

    def as_dict(self) -> dict[str, object]:
        """Plain values, for the store."""
        return {"margin": self.margin, "rule": self.rule.value, "bounds": self.bounds, "level": self.level}


def until_asked(
    margin: float | None, rule: str = "sequence", bounds: tuple[float, float] | None = None, level: float = 0.95
) -> Until | None:
    """Check what a user chose about stopping. Returns None if nothing was chosen. Raises UsageError."""
    try:
        kind = Rule(rule)
    except ValueError:
        raise UsageError(f"the rule is one of {', '.join(Rule)}; got {rule!r}") from None
    if margin is None:
        if kind is not Rule.SEQUENCE or bounds is not None:
            raise UsageError(f"{option('--until-rule')} and {option('--bounds')} go with {option('--until-margin')}")
        return None
    return Until(margin, kind, bounds, level)


class Watch:
    """Collects the scores of one experiment as they come, in the order of its seeds."""

    def __init__(self, seeds: Sequence[int], asked: Sequence[Metric]) -> None:
        self._seeds = list(seeds)
        self._asked = list(asked)
        self._runs: dict[int, Run] = {}
        self.metric: Metric | None = None
        self.question: tuple[str, ...] = ()
        """Metrics that are equally likely to be the one that counts: nobody can say when to stop."""

    def begin(self, results: Results) -> None:
        """Add the runs that were finished before."""
        for run in results.runs:
            self.add(run)

    def add(self, run: Run) -> None:
        """Add a run that has ended."""
        if run.status in (Status.FINISHED, Status.FAILED):
            self._runs[run.seed] = run
            finished = [r for r in self._runs.values() if r.status is Status.FINISHED]
            if self.metric is None and len(finished) >= 3:
                choice = metrics.choose(finished, self._asked)
                self.question = choice.question
                self.metric = choice.metrics[0] if choice.metrics and not choice.question else None

    @property
    def count(self) -> int:
        """How many runs have ended."""
        return len(self._runs)

    def scores(self) -> list[float | None]:
        """The scores of the seeds up to the first one that has not ended.

        None for a seed that failed or has no score.
        """
        found: list[float | None] = []
        for seed in self._seeds:
            run = self._runs.get(seed)
            if run is None or self.metric is None:
                break
            series = run.series.get(self.metric.name) if run.status is Status.FINISHED else None
            found.append(None if series is None else series.reduce(self.metric.reduce, self.metric.goal))
        return found


class MarginRule:
    """Says after each run whether the margin is reached: the reason if it is, else ""."""

    def __init__(self, until: Until, watch: Watch, most: int, note: Callable[[str], None]) -> None:
        self.until, self.watch, self._most, self._note = until, watch, most, note
        self._said = False
        self._stein: stats.Stein | None = None
        if until.rule is Rule.BETTING:
            self._warn_before()

    def _warn_before(self) -> None:
        """Say before the first run if the margin cannot be reached.

        A betting sequence narrows slowly even without any spread.
        """
        assert self.until.bounds is not None
        middle = sum(self.until.bounds) / 2
        best = stats.betting_sequence([middle] * self._most, self.until.bounds, self.until.level).half
        if best > self.until.margin:
            self._note(
                f"± {self.until.margin:g} will not be reached: after {self._most} seeds the betting sequence on "
                f"{self.until.bounds[0]:g} … {self.until.bounds[1]:g} is at best ± {best:.3g}, even with no spread at all"
            )

    def __call__(self, run: Run) -> str:
        self.watch.add(run)
        return self.look()

    def look(self) -> str:
        """The reason if the seeds so far are enough, else ""."""
        if self.watch.question:
            names = self.watch.question
            return f"stopped after {self.watch.count} seeds, to ask: the margin of {', '.join(names[:-1])} or of {names[-1]}? Add {option(f'--metric {names[0]}')}"
        values = [v for v in self.watch.scores() if v is not None and math.isfinite(v)]
        metric = self.watch.metric
        if metric is None or len(values) < START:
            return ""
        self._forecast(values)
        margin, level = self.until.margin, self.until.level
        if self.until.rule is Rule.STEIN:
            assert self._stein is not None
            if len(values) < self._stein.n:
                return ""
            used = values[: self._stein.n]
            mean, half, how = sum(used) / len(used), margin, f"Stein's two-stage procedure, n = {self._stein.n}"
        else:
            if self.until.rule is Rule.BETTING:
                assert self.until.bounds is not None
                try:
                    found = stats.betting_sequence(values, self.until.bounds, level)
                except ValueError as error:
                    raise UsageError(str(error)) from None
            else:
                found = stats.t_sequence(values, level)
            if found.half > margin:
                return ""
            mean, half, how = (
                (found.low + found.high) / 2,
                found.half,
                f"{found.method}, valid though looked at after every seed",
            )
        k = decimals(half or margin, mean)
        return f"{metric.label} is {number(mean, k)} ± {number(half, k)} after {len(values)} seeds ({how}): the margin {margin:g} is reached"

    def _forecast(self, values: list[float]) -> None:
        if self._said:
            return
        self._said = True
        first = values[:START]
        sd = stats.describe(first).sd or 0.0
        if self.until.rule is Rule.STEIN:
            self._stein = stats.stein(first, self.until.margin, self.until.level)
            n = self._stein.n
        elif self.until.rule is Rule.SEQUENCE:
            n = stats.forecast(sd, self.until.margin, self.until.level)
        else:
            return
        beyond = (
            f", more than {f'--max-seeds {self._most}' if is_at_command_line() else f'the {self._most} that were named'}"
            if n > self._most
            else ""
        )
        self._note(
            f"forecast: about {n} seeds for ± {self.until.margin:g}, from the SD of the first {START} ({sd:.3g}){beyond}"
        )


class DecisionRule:
    """For two interleaved experiments: stop when the t sequence of their differences leaves 0 out."""

    def __init__(self, new: Watch, base: Watch, level: float) -> None:
        self.new, self.base, self.level = new, base, level

    def look(self) -> str:
        """Why it is decided; "" if it is not."""
        pairs = zip(self.new.scores(), self.base.scores(), strict=False)
        if self.new.question:
            names = self.new.question
            return f"stopped, to ask: do {', '.join(names[:-1])} or {names[-1]} decide? Add {option(f'--metric {names[0]}')}"
        d = [a - b for a, b in pairs if a is not None and b is not None and math.isfinite(a - b)]
        if len(d) < START or self.new.metric is None:
            return ""
        found = stats.t_sequence(d, self.level)
        if not (found.low > 0 or found.high < 0):
            return ""
        k = decimals(found.half, found.mean)
        return (
            f"{self.new.metric.label} differs by {number(found.mean, k)} ± {number(found.half, k)} after {len(d)} seeds each "
            f"({self.level * 100:g} % t confidence sequence, valid though looked at after every seed)"
        )
