"""The user's files as they were when seeds were submitted, so that an edit while they are queued changes nothing."""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from seedwise_guest.protocol import CONFIGURATION

from ...errors import StoreError, UsageError
from ...experiments.identity import CONFIG_LARGEST
from ...wording import switched_on

_SOURCES = (".py", ".pyi", ".pyx", ".pxd", ".sh", ".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp", ".jl", ".r", ".lua")
_NOT_THE_USERS = frozenset(
    "__pycache__ node_modules site-packages dist-packages venv env build dist wandb mlruns lightning_logs".split()
)
_MOST_FILES = 5_000
_MOST_LOOKED_AT = 200_000
_MOST_BYTES = 200 * 2**20
_BEGINNING = 8192
"""Bytes. A program or an array has a zero byte among its first ones, text has none."""


def take(project: Path, named: Iterable[str], into: Path) -> int:
    """Copy sources and configuration of a project, and the text that is named, below `into` under their whole paths.

    Data and programs are not copied, though a command names them: `.venv/bin/python train.py images.npz`. Returns how many
    files were.

    Raises
    ------
    UsageError
        There are too many, so that this is hardly a project's own code.
    StoreError
        They cannot be written.
    """
    texts = [path for path in named if _is_short_text(path)]
    paths = sorted(
        {*_sources(str(project)), *(os.path.realpath(p) for p in texts), *(os.path.abspath(p) for p in texts)}
    )
    if len(paths) > _MOST_FILES or sum(os.path.getsize(path) for path in paths) > _MOST_BYTES:
        raise UsageError(
            f"{project} holds {len(paths)} files of source and configuration, too many to be copied as they are now: "
            f"make the project's folder smaller (a .git or a pyproject.toml is its root), or leave them with {switched_on('--live')}"
        )
    try:
        for path in paths:
            to = Path(f"{into}{path}")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)
        _copy_folders_modes(into, paths)
    except OSError as error:
        raise StoreError(f"cannot copy the project's files to {into}: {error.strerror or error}") from None
    return len(paths)


def _is_short_text(path: str) -> bool:
    """Whether this may be a script or a configuration, whatever its name ends with."""
    if not os.path.isfile(path) or os.path.getsize(path) > CONFIG_LARGEST:
        return False
    with open(path, "rb") as file:
        return b"\0" not in file.read(_BEGINNING)


def _sources(project: str) -> Iterator[str]:
    looked_at = 0
    for folder, folders, files in os.walk(project):
        folders[:] = [name for name in folders if not _is_left_out(os.path.join(folder, name), name)]
        looked_at += len(files)
        if looked_at > _MOST_LOOKED_AT:
            raise UsageError(
                f"{project} holds more than {_MOST_LOOKED_AT} files: {switched_on('--live')} leaves them as they are"
            )
        for name in files:
            path = os.path.join(folder, name)
            if name.lower().endswith((*_SOURCES, *CONFIGURATION)) and os.path.isfile(path):
                if os.path.getsize(path) <= CONFIG_LARGEST:
                    yield path


def _is_left_out(path: str, name: str) -> bool:
    return name.startswith(".") or name in _NOT_THE_USERS or os.path.exists(os.path.join(path, "pyvenv.cfg"))


def _copy_folders_modes(into: Path, paths: Sequence[str]) -> None:
    """Give each copied folder the rights and the time of its original."""
    for folder in sorted({parent for path in paths for parent in Path(path).parents}, reverse=True):
        if str(folder) != "/":
            shutil.copystat(folder, f"{into}{folder}")


def to_this_node(code: Path, into: Path) -> Path | None:
    """Copy what `take` has copied to the node's own disk. None if nothing was taken."""
    if not code.is_dir():
        return None
    shutil.copytree(code, into, symlinks=True)
    return into
