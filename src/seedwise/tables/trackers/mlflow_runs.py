"""MLflow: a folder `mlruns`, or a database of SQLite.

Both are read as they are: MLflow itself would first bring a database of another version to its own.
"""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from ...errors import UsageError
from ..sheet import Sheet
from .sqlite import read_only
from .tracked import Tracked, sheet_of_runs

_STATES: Final = {"1": "running", "2": "running", "3": "finished", "4": "failed", "5": "failed"}
"""Numbers of RunStatus in MLflow's service.proto: RUNNING, SCHEDULED, FINISHED, FAILED, KILLED."""
_OWN: Final = "system/"
"""Metrics of the machine."""
EXPERIMENT: Final = "experiment"
_ORIGIN: Final = "runs of MLflow"


def read_mlflow_database(path: str) -> Sheet:
    """The runs in MLflow's database. Raises UsageError."""
    with closing(read_only(path)) as base:
        runs, of = {}, {}
        for key, name, state, experiment in base.execute(
            "SELECT r.run_uuid, r.name, r.status, e.name FROM runs r JOIN experiments e USING (experiment_id) "
            "WHERE r.lifecycle_stage = 'active' ORDER BY r.start_time, r.run_uuid"
        ):
            runs[key] = Tracked(name or "", key[:8], state=_state(state or ""))
            of[key] = str(experiment)
        for key, name, value in base.execute("SELECT run_uuid, key, value FROM params"):
            if key in runs:
                runs[key].settings[name] = value
        for key, value in base.execute("SELECT run_uuid, value FROM tags WHERE key = 'mlflow.runName'"):
            if key in runs and not runs[key].name:
                runs[key].name = value
        for key, name, value, bad, step in base.execute(
            "SELECT run_uuid, key, value, is_nan, step FROM metrics ORDER BY timestamp, rowid"
        ):
            if key in runs and not name.startswith(_OWN):
                runs[key].log(name, step, math.nan if bad else value)
    return _sheet(path, list(runs.values()), list(of.values()))


def _state(word: str) -> str:
    return {"FINISHED": "finished", "FAILED": "failed", "KILLED": "failed"}.get(word, "running")


def read_mlflow_folders(path: str, folders: list[Path]) -> Sheet:
    """The runs in some folders of runs. Raises UsageError."""
    runs, experiments = [], []
    for folder in sorted(folders):
        about = _about(folder / "meta.yaml")
        if about.get("lifecycle_stage", "active") != "active":
            continue
        run = Tracked(about.get("run_name", ""), folder.name[:8], state=_STATES.get(about.get("status", ""), ""))
        for name, file in _files(folder / "params"):
            run.settings[name] = file.read_text(encoding="utf-8", errors="replace")
        for name, file in _files(folder / "tags"):
            if name == "mlflow.runName" and not run.name:
                run.name = file.read_text(encoding="utf-8", errors="replace")
        for name, file in _files(folder / "metrics"):
            if not name.startswith(_OWN):
                _take(run, name, file)
        runs.append(run)
        experiments.append(_about(folder.parent / "meta.yaml").get("name") or folder.parent.name)
    return _sheet(path, runs, experiments)


def _sheet(path: str, runs: list[Tracked], experiments: list[str]) -> Sheet:
    if len(set(experiments)) > 1:
        for run, name in zip(runs, experiments, strict=True):
            run.settings = {EXPERIMENT: name, **run.settings}
    return sheet_of_runs(path, _ORIGIN, runs)


def _take(run: Tracked, name: str, file: Path) -> None:
    """The values of one metric: lines of time, value and step (`1690000000000 0.5 3`)."""
    points = []
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        parts = line.split()
        if len(parts) not in (2, 3, 5):
            if line.strip():
                raise UsageError(f"{file}:{number}: a line of MLflow has time, value and step; got {line!r}")
            continue
        try:
            points.append((int(parts[0]), int(parts[2]) if len(parts) > 2 else 0, float(parts[1])))
        except ValueError:
            raise UsageError(f"{file}:{number}: {line!r} is no time, value and step") from None
    for _, step, value in sorted(points, key=lambda point: point[0]):
        run.log(name, step, value)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder; a name with `/` is one in folders."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file


def _about(file: Path) -> dict[str, str]:
    """The plain entries of a meta.yaml: one `name: value` in each line, as MLflow writes it."""
    found = {}
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    for line in text.splitlines():
        name, colon, value = line.partition(": ")
        if colon and name.isidentifier():
            found[name] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1].encode().decode("unicode_escape", "replace")
    return "" if value in ("null", "~") else value
