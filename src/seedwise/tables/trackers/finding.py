"""What a folder holds, or a file that is no table: whose runs these are."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from ...errors import UsageError
from ..groups import Groups
from ..sheet import Sheet
from .sqlite import is_sqlite, tables_of
from .table_folders import ENDINGS

Table = Sheet | Groups | None
_MOST: Final = 200_000
"""From so many files on a folder is not searched."""
_NOT_SEARCHED: Final = frozenset(("node_modules", "__pycache__", "site-packages", "artifacts"))


@dataclass
class Held:
    """The files of a folder that hold runs."""

    wandb: list[Path] = field(default_factory=list)
    mlflow: list[Path] = field(default_factory=list)
    events: list[Path] = field(default_factory=list)
    databases: list[Path] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)

    def kinds(self) -> dict[str, list[Path]]:
        """Each kind that is there, in words."""
        found = {
            "W&B": self.wandb,
            "MLflow": self.mlflow,
            "TensorBoard": self.events,
            "a database": self.databases,
            "tables": self.tables,
        }
        return {name: files for name, files in found.items() if files}


def held_by(folder: str) -> Held:
    """Searches a folder. Raises UsageError where it is too large for one of runs."""
    found, seen = Held(), 0
    for above, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _NOT_SEARCHED)
        seen += len(files)
        if seen > _MOST:
            raise UsageError(f"{folder} holds more than {_MOST} files: name the folder of the runs that are meant")
        here = Path(above)
        if "meta.yaml" in files and {"params", "metrics"} <= {*folders}:
            found.mlflow.append(here)
            folders[:] = []
            continue
        for name in sorted(files):
            _sort_in(found, here / name)
        if found.wandb and found.wandb[-1].parent == here:
            folders[:] = []  # the files and logs of a run of W&B
    return found


def _sort_in(found: Held, file: Path) -> None:
    name = file.name.lower()
    if name.endswith(".wandb"):
        found.wandb.append(file)
    elif fnmatch(name, "*tfevents*"):
        found.events.append(file)
    elif name.endswith((".db", ".sqlite", ".sqlite3")) and is_sqlite(str(file)) and database_kind(str(file)):
        found.databases.append(file)
    elif name.endswith(ENDINGS):
        found.tables.append(file)


def database_kind(path: str) -> str:
    """`mlflow` or `optuna`; "" for any other database."""
    tables = tables_of(path)
    if {"runs", "metrics", "params", "experiments"} <= tables:
        return "mlflow"
    return "optuna" if {"studies", "trials", "trial_params"} <= tables else ""


def open_folder(path: str, open_file: Callable[[str], Table]) -> Table:
    """The runs in a folder.

    Raises
    ------
    UsageError
        It holds no runs that are known, or runs of several trackers.
    """
    held = held_by(path)
    kinds = held.kinds()
    if len(kinds) > 1:
        kinds.pop("tables", None)  # what a tracker keeps beside its own files
    if len(kinds) > 1 or len(held.databases) > 1:
        listed = "; ".join(f"{name}: {files[0]}" for name, files in kinds.items())
        raise UsageError(f"{path} holds runs of several trackers ({listed}): name one of these folders or files")
    if held.wandb:
        from .wandb_runs import read_wandb

        return read_wandb(path, held.wandb)
    if held.mlflow:
        from .mlflow_runs import read_mlflow_folders

        return read_mlflow_folders(path, held.mlflow)
    if held.events:
        from .tensorboard_runs import read_tensorboard

        return read_tensorboard(path, held.events)
    if held.databases:
        return open_file(str(held.databases[0]))
    if held.tables:
        from .table_folders import read_table_folder

        return read_table_folder(path, {file: open_file(str(file)) for file in held.tables})
    raise UsageError(
        f"the folder {path} holds no runs: W&B (*.wandb), MLflow (mlruns), TensorBoard (events), Optuna's database, "
        f"and tables ({', '.join(ENDINGS)}) are read"
    )


def open_tracked_file(path: str) -> Sheet | None:
    """The runs in a file of a tracker; None if it is none."""
    name = os.path.basename(path).lower()
    if name.endswith(".wandb"):
        from .wandb_runs import read_wandb

        return read_wandb(path, [Path(path)])
    if "tfevents" in name:
        from .tensorboard_runs import read_tensorboard

        return read_tensorboard(path, [Path(path)])
    if is_sqlite(path):
        kind = database_kind(path)
        if kind == "mlflow":
            from .mlflow_runs import read_mlflow_database

            return read_mlflow_database(path)
        if kind == "optuna":
            from .optuna_runs import read_optuna_database

            return read_optuna_database(path)
        raise UsageError(f"{path} is a database of neither MLflow nor Optuna: export a CSV")
    from .optuna_runs import is_journal, read_optuna_journal

    return read_optuna_journal(path) if is_journal(path) else None
