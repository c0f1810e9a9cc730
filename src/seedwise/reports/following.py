"""The headline metric of an experiment while its runs come in: the one that the report will lead with."""

import math
from collections.abc import Sequence

from ..metrics import choose as metrics
from ..metrics.summary import Interval, summary_of
from ..results import Metric, Reduce, Run, Scores, Status, Summary
from ..words import half_width, histogram, number, places_for, printable
from .screen import Tone

Part = tuple[str, Tone]
_CHOOSE_EACH_TIME = 30
"""Up to so many runs the metric is chosen anew with each; later whenever there are a tenth more."""


class Following:
    """The runs of one experiment, and the numbers that the report would give for them now."""

    def __init__(
        self,
        asked: Sequence[Metric] = (),
        reduce: Reduce = Reduce.LAST,
        anytime: bool = False,
        prefer: str | None = None,
    ) -> None:
        self._asked = list(asked)
        self._reduce = reduce
        self._how = Interval.ANYTIME if anytime else Interval.T
        self._prefer = prefer
        self._runs: dict[int, Run] = {}
        self._chosen_at = 0
        self._metric: Metric | None = None
        self._summary: Summary | None = None
        self._scores: Scores | None = None
        self._stale = False

    def add(self, run: Run) -> None:
        """Add a run that has ended; a later attempt at a seed replaces the one before it."""
        self._runs[run.seed] = run
        self._stale = True

    @property
    def failed(self) -> int:
        """How many runs failed."""
        return sum(run.status is Status.FAILED for run in self._runs.values())

    @property
    def finished(self) -> list[Run]:
        """The runs that finished, by seed."""
        return [run for _, run in sorted(self._runs.items()) if run.status is Status.FINISHED]

    def parts(self, ended: bool = False) -> list[Part]:
        """What is known of the headline metric: name and mean ±, histogram, best, worst; [] as long as nothing is.

        With `ended`, the metric is chosen once more, from all runs.
        """
        self._look(ended)
        s, scores = self._summary, self._scores
        if s is None or scores is None or s.mean is None:
            return []
        k = places_for(s)
        half = half_width(s)
        parts = [
            (
                f"{printable(s.metric)} {number(s.mean, k)}" + ("" if half is None else f" ± {number(half, k)}"),
                Tone.PLAIN,
            )
        ]
        if len(scores) > 2:
            parts.append((f"▕{histogram(scores.values)}▏", Tone.PLAIN))
        if s.best is not None and len(scores) > 1:
            parts.append((f"best {number(s.best, k)} (seed {s.best_seed})", Tone.GOOD))
            parts.append((f"worst {number(s.worst, k)} (seed {s.worst_seed})", Tone.BAD))
        return parts

    def _look(self, ended: bool) -> None:
        if not self._stale and not ended:
            return
        self._stale = False
        runs = self.finished
        n = len(runs)
        if ended or n <= _CHOOSE_EACH_TIME or n >= 1.1 * self._chosen_at:
            self._metric, self._chosen_at = self._choose(runs), n
        self._summary = self._scores = None
        metric = self._metric
        if metric is None:
            return
        values = {
            run.seed: run.series[metric.name].reduce(metric.reduce, metric.goal)
            for run in runs
            if metric.name in run.series
        }
        if values and all(map(math.isfinite, values.values())):
            self._scores = Scores(metric.name, values, metric.goal, len(self._runs), metric.reduce)
            self._summary = summary_of(self._scores, self._how)

    def _choose(self, runs: Sequence[Run]) -> Metric | None:
        if not runs:
            return None
        found = [m for m in metrics.choose(runs, self._asked, self._reduce).metrics if self._can_count(m)]
        return next((m for m in found if m.name == self._prefer), found[0] if found else None)

    @staticmethod
    def _can_count(metric: Metric) -> bool:
        return metric.reduce is not Reduce.BEST or metric.goal is not None
