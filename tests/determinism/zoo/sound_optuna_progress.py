"""Hyper-parameter search with optuna; stores the study and a json summary."""

import json
import logging
import sys
import time
from pathlib import Path

import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

optuna.logging.get_logger("optuna").addHandler(logging.StreamHandler(sys.stdout))

SEED = 2023
X, y = load_breast_cancer(return_X_y=True)
X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.35, random_state=SEED)
scaler = StandardScaler().fit(X_train)
X_train, X_valid = scaler.transform(X_train), scaler.transform(X_valid)


def objective(trial: optuna.Trial) -> float:
    tic = time.perf_counter()
    clf = SGDClassifier(
        alpha=trial.suggest_float("alpha", 1e-6, 1e-1, log=True),
        penalty=trial.suggest_categorical("penalty", ["l2", "l1", "elasticnet"]),
        learning_rate="constant",
        eta0=trial.suggest_float("eta0", 1e-4, 1e-1, log=True),
        random_state=SEED,
    )
    for step in range(12):
        clf.partial_fit(X_train, y_train, classes=[0, 1])
        score = clf.score(X_valid, y_valid)
        trial.report(score, step)
        if trial.should_prune():
            trial.set_user_attr("seconds", time.perf_counter() - tic)
            raise optuna.TrialPruned()
    trial.set_user_attr("seconds", time.perf_counter() - tic)
    trial.set_user_attr("steps", 12)
    return score


class Progress:
    """prints at most every 0.25 s"""

    def __init__(self, every=0.25):
        self.every, self.t0, self.last = every, time.time(), 0.0

    def __call__(self, study, trial):
        now = time.time()
        if now - self.last >= self.every:
            self.last = now
            rate = (trial.number + 1) / max(now - self.t0, 1e-9)
            print(f"...{trial.number + 1} trials ({rate:.1f} trials/sec, running for {now - self.t0:.1f}s)")


def main():
    study = optuna.create_study(
        direction="maximize",
        sampler=TPESampler(seed=SEED, n_startup_trials=8),
        pruner=MedianPruner(n_startup_trials=5, n_warmup_steps=3),
        study_name=f"sgd-{time.strftime('%Y-%m-%dT%H:%M:%S')}",
    )
    study.optimize(objective, n_trials=25, callbacks=[Progress()])
    states = [t.state.name for t in study.trials]
    summary = {
        "best_value": study.best_value,
        "best_params": study.best_params,
        "best_trial": study.best_trial.number,
        "complete": states.count("COMPLETE"),
        "pruned": states.count("PRUNED"),
        "datetime_start": str(study.trials[0].datetime_start),
        "datetime_complete": str(study.trials[-1].datetime_complete),
        "mean_trial_duration": sum(t.duration.total_seconds() for t in study.trials) / len(study.trials),
    }
    Path("study.json").write_text(json.dumps(summary, indent=2))
    study.trials_dataframe().to_csv("trials.csv", index=False)
    print("Best:", study.best_value, study.best_params)
    print("Finished/pruned:", summary["complete"], summary["pruned"])


if __name__ == "__main__":
    main()

# cause: none
