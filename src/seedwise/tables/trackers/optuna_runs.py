"""Optuna: a database of SQLite, or the file of its journal. A trial is a run; its parameters are settings."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

from ...advice import Advice
from ...errors import UsageError
from ...results import Goal
from ..sheet import Sheet, looks_like_seed
from .sqlite import read_only
from .tracked import Tracked, sheet_of_runs

_STATES: Final = {"COMPLETE": "finished", "FAIL": "failed", "PRUNED": "failed", "RUNNING": "running", "WAITING": ""}
_IN_JOURNAL: Final = {0: "RUNNING", 1: "COMPLETE", 2: "PRUNED", 3: "FAIL", 4: "WAITING"}
_GOALS: Final = {"MINIMIZE": Goal.MIN, "MAXIMIZE": Goal.MAX, 1: Goal.MIN, 2: Goal.MAX}
_CREATE_STUDY, _DELETE_STUDY, _CREATE_TRIAL, _PARAM, _STATE, _INTERMEDIATE, _ATTRIBUTE = 0, 1, 4, 5, 6, 7, 8
VALUE: Final = "value"
INTERMEDIATE: Final = "intermediate value"


@dataclass
class _Study:
    name: str
    goals: list[Goal | None]
    trials: list["_Trial"] = field(default_factory=list)


@dataclass
class _Trial:
    number: int
    state: str = "RUNNING"
    settings: dict[str, str] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)
    steps: dict[int, float] = field(default_factory=dict)


def read_optuna_database(path: str) -> Sheet:
    """The trials in Optuna's database. Raises UsageError."""
    with closing(read_only(path)) as base:
        studies = {key: _Study(name, []) for key, name in base.execute("SELECT study_id, study_name FROM studies")}
        for key, direction in base.execute("SELECT study_id, direction FROM study_directions ORDER BY objective"):
            studies[key].goals.append(_GOALS.get(direction))
        trials = {}
        for key, number, study, state in base.execute("SELECT trial_id, number, study_id, state FROM trials"):
            trials[key] = _Trial(number, state)
            studies[study].trials.append(trials[key])
        for key, name, value, kind in base.execute(
            "SELECT trial_id, param_name, param_value, distribution_json FROM trial_params"
        ):
            trials[key].settings[name] = _parameter(value, kind)
        for key, name, text in base.execute("SELECT trial_id, key, value_json FROM trial_user_attributes"):
            _attribute(trials[key], name, json.loads(text))
        for key, value, kind in base.execute("SELECT trial_id, value, value_type FROM trial_values ORDER BY objective"):
            trials[key].values.append(_number(value, kind))
        for key, step, value, kind in base.execute(
            "SELECT trial_id, step, intermediate_value, intermediate_value_type FROM trial_intermediate_values"
        ):
            trials[key].steps[step] = _number(value, kind)
    return _sheet(path, studies.values())


def read_optuna_journal(path: str) -> Sheet:
    """The trials in the file of Optuna's journal. Raises UsageError."""
    studies: list[_Study | None] = []
    trials: list[_Trial] = []
    for number, entry in _entries(path):
        try:
            _add(entry, studies, trials)
        except (LookupError, TypeError, ValueError) as error:
            raise UsageError(f"{path}:{number}: no entry of Optuna's journal ({error!r})") from None
    return _sheet(path, [study for study in studies if study is not None])


def _entries(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines of a journal with their numbers; the last may have been cut off."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                entry = json.loads(line)
            except ValueError:
                if file.readline():
                    raise UsageError(f"{path}:{number}: no entry of Optuna's journal, and more follows") from None
                return
            if not isinstance(entry, dict):
                raise UsageError(f"{path}:{number}: no entry of Optuna's journal")
            yield number, entry


def _add(entry: dict[str, Any], studies: list[_Study | None], trials: list[_Trial]) -> None:
    """Adds what an entry says to the studies and trials before it."""
    code = entry.get("op_code")
    if code == _CREATE_STUDY:
        studies.append(_Study(entry["study_name"], [_GOALS.get(d) for d in entry["directions"]]))
    elif code == _DELETE_STUDY:
        studies[entry["study_id"]] = None
    elif code == _CREATE_TRIAL:
        study = studies[entry["study_id"]]
        trials.append(_created(entry, 0 if study is None else len(study.trials)))
        if study is not None:
            study.trials.append(trials[-1])
    elif "trial_id" in entry:
        _take(trials[entry["trial_id"]], code, entry)


def is_journal(path: str) -> bool:
    """Whether a file begins as Optuna's journal does."""
    try:
        with open(path, "rb") as file:
            first = json.loads(file.readline(100_000))
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and "op_code" in first and "study_name" in first


def _created(entry: Mapping[str, Any], number: int) -> _Trial:
    """A trial as it began; one that was added as a whole brings all it has."""
    trial = _Trial(number, _IN_JOURNAL.get(entry.get("state", 0), "RUNNING"))
    values = entry.get("values") or ([] if entry.get("value") is None else [entry["value"]])
    trial.values = [float(value) for value in values]
    for name, value in (entry.get("params") or {}).items():
        trial.settings[name] = _parameter(value, (entry.get("distributions") or {}).get(name, ""))
    for name, value in (entry.get("user_attrs") or {}).items():
        _attribute(trial, name, value)
    trial.steps = {int(step): float(value) for step, value in (entry.get("intermediate_values") or {}).items()}
    return trial


def _take(trial: _Trial, code: object, entry: Mapping[str, Any]) -> None:
    if code == _PARAM:
        trial.settings[entry["param_name"]] = _parameter(entry["param_value_internal"], entry["distribution"])
    elif code == _STATE:
        trial.state = _IN_JOURNAL.get(entry["state"], "RUNNING")
        trial.values = [float(value) for value in entry.get("values") or ()]
    elif code == _INTERMEDIATE:
        trial.steps[entry["step"]] = float(entry["intermediate_value"])
    elif code == _ATTRIBUTE:
        for name, value in entry["user_attr"].items():
            _attribute(trial, name, value)


def _attribute(trial: _Trial, name: str, value: object) -> None:
    if isinstance(value, str | int | float):
        trial.settings.setdefault(name, str(value))


def _parameter(value: float, distribution: str) -> str:
    """A parameter as the user named it: Optuna stores the place of a choice, and integers as floats."""
    kind = json.loads(distribution) if distribution else {}
    choices = kind.get("attributes", {}).get("choices")
    if choices is not None:
        return str(choices[int(value)])
    return str(int(value)) if kind.get("name", "").startswith("Int") else repr(float(value))


def _number(value: float | None, kind: str) -> float:
    return {"INF_POS": math.inf, "INF_NEG": -math.inf}.get(kind, math.nan) if value is None else float(value)


def _sheet(path: str, studies: Iterable[_Study]) -> Sheet:
    studies = list(studies)
    runs: list[Tracked] = []
    goals: dict[str, Goal] = {}
    for study in studies:
        several = len(study.goals) > 1
        names = [f"{VALUE} {k}" if several else VALUE for k in range(len(study.goals))]
        for name, goal in zip(names, study.goals, strict=True):
            if goal is not None and goals.setdefault(name, goal) is not goal:
                raise UsageError(f"{path}: one study minimises {name} and another maximises it: export one of them")
        for trial in study.trials:
            if not _STATES.get(trial.state, ""):
                continue  # a trial that has not begun
            label = f"trial {trial.number}" if len(studies) == 1 else f"{study.name}, trial {trial.number}"
            run = Tracked(label, str(trial.number), dict(trial.settings), state=_STATES[trial.state])
            if len(studies) > 1:
                run.settings = {"study": study.name, **run.settings}
            for step, value in sorted(trial.steps.items()):
                run.log(INTERMEDIATE, step, value)
            last = max(trial.steps, default=0)
            for name, value in zip(names, trial.values, strict=False):
                run.log(name, last, value)
            runs.append(run)
    varied = dict.fromkeys(
        name
        for run in runs
        for name in run.settings
        if not looks_like_seed(name) and len({other.settings.get(name) for other in runs}) > len(runs) / 2 > 1
    )
    notes = (
        [
            Advice(
                f"trials differ in {', '.join(varied)}, so that their spread is that of what was tried, not of seeds alone",
                "run the best setting again under seeds of its own",
            )
        ]
        if varied
        else []
    )
    return sheet_of_runs(path, "trials of Optuna", runs, goals, notes)
