"""Optuna's search over settings, with several seeds for each."""

import random
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import seedwise as sw
from seedwise.errors import UsageError

pytestmark = [pytest.mark.frameworks, pytest.mark.filterwarnings("ignore")]


def train(seed: int, lr: float) -> dict[str, float]:
    return {"acc": 1 - (lr - 0.3) ** 2 + random.Random(seed).gauss(0, 0.01)}


def suggest(trial: Any) -> Mapping[str, object]:
    return {"lr": trial.suggest_categorical("lr", [0.1, 0.3, 0.9])}


def test_a_trial_is_the_mean_over_seeds_and_finalists_get_fresh_ones(project: Path) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    over_seeds = sw.objective(train, suggest, range(1, 5))
    sampler = optuna.samplers.GridSampler({"lr": [0.1, 0.3, 0.9]}, seed=1)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(over_seeds, n_trials=3)
    for trial in study.trials:
        values = [train(seed, trial.params["lr"])["acc"] for seed in range(1, 5)]
        assert trial.value == pytest.approx(statistics.mean(values), abs=1e-15)
        assert trial.user_attrs["standard_error"] == pytest.approx(statistics.stdev(values) / 2, rel=1e-12)
        assert (trial.user_attrs["finished"], trial.user_attrs["seeds"]) == (4, [1, 2, 3, 4])
    with pytest.raises(UsageError, match="fresh seeds; these chose them already: 4"):
        sw.finalists(study, over_seeds, range(4, 8))
    family = sw.finalists(study, over_seeds, range(5, 10), best=2)
    assert [of.seeds for of in family.members.values()] == [(5, 6, 7, 8, 9)] * 2
    assert family.ranking is not None
    best = family.ranking.places[0].group.name
    assert best == f"train finalist={study.best_trial.number}"
    wrong = optuna.create_study(direction="minimize", sampler=sampler)
    with pytest.raises(UsageError, match=r'acc is better when higher: optuna\.create_study\(direction="maximize"\)'):
        wrong.optimize(over_seeds, n_trials=1)
