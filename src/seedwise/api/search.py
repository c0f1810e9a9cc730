"""Optuna searches; Seedwise runs each of its trials under several seeds, and the finalists again under fresh ones."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..errors import UsageError
from ..experiments.grids import named
from ..reports.family import Family
from ..results import Goal, Results, check_seeds
from .families import family_of
from .function import run
from .summary import summarize


class Trial(Protocol):
    """What is used of a trial of Optuna's."""

    @property
    def number(self) -> int: ...

    def set_user_attr(self, key: str, value: object) -> None: ...


class Study(Protocol):
    """What is used of a study of Optuna's."""

    @property
    def trials(self) -> Sequence[Any]: ...

    @property
    def direction(self) -> Any: ...


Suggest = Callable[..., Mapping[str, object]]
"""Gets a trial of Optuna's, and returns the settings of the function: `{"lr": trial.suggest_float("lr", 1e-4, 1)}`."""


class Objective:
    """What Optuna calls with each trial: the mean over seeds. `objective` makes it.

    Attributes
    ----------
    seeds
        The seeds of every trial.
    """

    def __init__(
        self,
        function: Callable[..., object],
        suggest: Suggest,
        seeds: Iterable[int],
        metric: str | None,
        name: str,
        how: Mapping[str, object],
    ) -> None:
        self.seeds = tuple(check_seeds(seeds))
        self.name = name
        self.metric = metric
        self._function, self._suggest, self._how = function, suggest, dict[str, Any](how)

    def run(self, settings: Mapping[str, object], seeds: Iterable[int], name: str) -> Results:
        """Run the function with these settings."""
        config = {**self._how.get("config", {}), **settings}
        how = {key: value for key, value in self._how.items() if key != "config"}
        return run(self._function, seeds, config=config, name=name, metric=self.metric or (), **how)

    def __call__(self, trial: Trial) -> float:
        """The mean over the seeds that finished.

        The trial gets the user attributes `standard_error` (None for a single score), `finished`, `seeds`, `settings` and
        `experiment`. Raises RunsFailedError if no seed finished, UsageError if the study looks for the wrong end.
        """
        settings = dict(self._suggest(trial))
        results = self.run(settings, self.seeds, named(self.name, {"trial": str(trial.number)}))
        scores = results.scores(
            self.metric.partition(":")[0].partition("=")[0] if self.metric else results.metrics[0].name
        )
        _check_direction(trial, scores.goal, scores.metric)
        summary = summarize(scores)
        if summary.mean is None:
            raise UsageError(f"{scores.metric} has no mean in {results.name}: {summary.reason or 'no seed has it'}")
        for key, value in {
            "standard_error": summary.sem,
            "finished": summary.finished,
            "seeds": list(self.seeds),
            "settings": settings,
            "experiment": results.name,
        }.items():
            trial.set_user_attr(key, value)
        return summary.mean


def objective(
    function: Callable[..., object],
    suggest: Suggest,
    seeds: Iterable[int],
    *,
    metric: str | None = None,
    name: str | None = None,
    **how: object,
) -> Objective:
    """An objective for `study.optimize`: the mean of a metric over seeds, with its standard error as a user attribute.

    Parameters
    ----------
    function
        Called as `function(seed, **settings)`, as by `run`.
    suggest
        Gets the trial, returns the settings. The seed is none of them: it is not tuned.
    seeds
        The seeds of every trial. Trials under the same seeds differ less by luck.
    metric
        Which metric (`acc`, `val_loss:min`). By default the one that a report would lead with.
    name
        Trials are experiments called `NAME trial=7`. By default the function's name.
    how
        Anything else that `run` takes: `config`, `jobs`, `on`, `timeout` …

    Returns
    -------
    Objective
        Give it to `study.optimize`, and later to `finalists`.
    """
    label = name or getattr(function, "__name__", "function").strip("<>")
    return Objective(function, suggest, seeds, metric, label, how)


def finalists(study: Study, objective: Objective, seeds: Iterable[int], *, best: int = 3) -> Family:
    """Run the best trials of a study again under fresh seeds, and compare them.

    The best of many trials was lucky: its mean under the seeds that chose it is too good.

    Parameters
    ----------
    study
        A study whose trials were evaluated by `objective`.
    seeds
        Seeds that had no part in choosing: none of the objective's.
    best
        How many trials.

    Raises
    ------
    UsageError
        A seed had a part in choosing, or no trial is complete.
    """
    fresh = check_seeds(seeds)
    seen = sorted(set(fresh) & set(objective.seeds))
    if seen:
        raise UsageError(f"finalists need fresh seeds; these chose them already: {', '.join(map(str, seen[:10]))}")
    if best < 1:
        raise UsageError(f"best is at least 1; got {best}")
    done = [t for t in study.trials if t.value is not None and math.isfinite(t.value) and "settings" in t.user_attrs]
    if not done:
        raise UsageError("no trial of this study was completed by this objective")
    upward = str(study.direction.name).lower() == "maximize"
    ranked = sorted(done, key=lambda t: -t.value if upward else t.value)[:best]
    members = {}
    for trial in ranked:
        name = named(objective.name, {"finalist": str(trial.number)})
        members[name] = objective.run(trial.user_attrs["settings"], fresh, name)
    return family_of(objective.name, members)


def _check_direction(trial: Trial, goal: Goal | None, metric: str) -> None:
    """Raises UsageError if the study looks for the wrong end of the metric."""
    direction = getattr(getattr(trial, "study", None), "direction", None)
    if goal is None or direction is None:
        return
    wanted = "maximize" if goal is Goal.MAX else "minimize"
    if str(direction.name).lower() != wanted:
        raise UsageError(
            f'{metric} is better when {"higher" if goal is Goal.MAX else "lower"}: optuna.create_study(direction="{wanted}"), '
            f'or name the other goal, metric="{metric}:{"min" if goal is Goal.MAX else "max"}"'
        )
