"""Runs one run after another in the user's own folder, and puts the tree back after each.

This is the last resort, for systems that allow no private view. Before the first run, the small files are copied.
After each run, new files are moved to the run's folder, and changed or deleted files are restored. A journal survives
a crash, so that the next command repairs the tree first.
"""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ..errors import SeedwiseError
from ..wording import option

_BIG = 8 * 2**20
_SKIP = frozenset(
    {
        ".seedwise",
        ".git",
        ".venv",
        "venv",
        "__pycache__",
        "node_modules",
        ".tox",
        ".mypy_cache",
        ".ruff_cache",
    }
)

_GRACE = 3.0
"""Seconds. After a supervisor's last sign of life, its runs may still have written for this long."""

_MOST_OUTSIDE = 20_000
"""The largest number of files in folders outside the project to which links in the project lead."""

Stamp = tuple[int, ...]
"""Size, time of the last change of the content, number of the entry, time of its last change, mode. Whoever writes
to a file, or sets a time back, changes one of these.
"""


class TreeChanged(SeedwiseError):
    """A run changed something that cannot be put back. If runs went on, it would influence the next run."""


class NotRepaired(SeedwiseError):
    """What an interrupted run has left could not be put back. The copies are kept."""


def _links_out(root: Path, ours: Collection[Path]) -> list[Path]:
    """Files and folders outside the project to which links in the project lead.

    A program that writes through a link writes there.
    """
    found: set[Path] = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if _is_watched(folder, name, ours)]
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                target = Path(os.path.realpath(path))
                if not target.is_relative_to(root) and target.exists():
                    found.add(target)
    return [path for path in sorted(found) if not any(path != above and path.is_relative_to(above) for above in found)]


def _is_watched(folder: str, name: str, ours: Collection[Path]) -> bool:
    """Whether a folder is searched.

    Folders that other tools manage are not, nor our own folder, which may lie in the project under any name.
    """
    return name not in _SKIP and Path(folder, name) not in ours


def _files(root: Path, ours: Collection[Path]) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if _is_watched(folder, name, ours))
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]  # links are not followed
        for name in sorted([*files, *links]):
            yield Path(folder, name)


def _stamp(path: Path) -> Stamp:
    info = os.lstat(path)
    return (info.st_size, info.st_mtime_ns, info.st_ino, info.st_ctime_ns, info.st_mode)


class Tree:
    """The user's project, while runs use it one after another.

    Parameters
    ----------
    root
        The folder that is watched and put back.
    journal
        The folder for the copies. It is outside the watched part of `root`.
    """

    def __init__(self, root: Path, journal: Path) -> None:
        self.root = root
        self.journal = journal
        self.lost = False
        """Whether something could not be put back. Then the copies are kept."""
        self._ours = (journal, journal.parent)
        """The folder of the copies, and the store around it."""
        self._outside: list[Path] = []
        self._before: dict[Path, Stamp] = {}
        self._folders: dict[str, int] = {}
        """The folders that existed before, with their modes."""

    def begin(self) -> list[str]:
        """Repair what a crash has left, then copy the small files. Returns the files that were repaired."""
        repaired = self._repair()
        self._outside = _links_out(self.root, self._ours)
        (self.journal / "copies").mkdir(parents=True, exist_ok=True)
        self._folders = {folder: os.stat(folder).st_mode for folder in self._all_folders()}
        for path in self._all_files():
            self._before[path] = _stamp(path)
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode) or (stat.S_ISREG(info.st_mode) and info.st_size <= _BIG):
                copy = self._copy_of(path)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy, follow_symlinks=False)
        self._write_journal()
        self.beat()
        return repaired

    @property
    def _roots(self) -> list[Path]:
        return [self.root, *self._outside]

    def _all_folders(self) -> Iterator[str]:
        for root in self._roots:
            for folder, folders, _files in os.walk(root):
                folders[:] = [name for name in folders if Path(folder, name) not in self._ours]
                yield folder

    def _all_files(self) -> Iterator[Path]:
        """The files of the project, and those to which its links lead.

        Raises TreeChanged if there are too many of the latter.
        """
        yield from _files(self.root, self._ours)
        for k, path in enumerate(path for root in self._outside for path in _files(root, self._ours)):
            if k >= _MOST_OUTSIDE:
                raise TreeChanged(
                    f"links in {self.root} lead to {', '.join(map(str, self._outside[:3]))}, with more than {_MOST_OUTSIDE} files: "
                    f"too many to be put back after each run. Take the links out, or allow it with {option('--workdir shared')}"
                )
            yield path

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def _kept_as(self, path: Path) -> str:
        """The path under which a file is kept, in a run's folder or among the copies."""
        return (
            self._shown(path) if path.is_relative_to(self.root) else os.path.join("outside", str(path).lstrip(os.sep))
        )

    def beat(self) -> None:
        """Show that the runs are still going on.

        Changes in the tree until a few seconds after the last call may be theirs.
        """
        (self.journal / "beat").touch()

    def _write_journal(self) -> None:
        known = {str(path): list(stamp) for path, stamp in self._before.items()}
        draft = self.journal / "journal.draft"
        outside = [str(path) for path in self._outside]
        draft.write_text(json.dumps({"root": str(self.root), "outside": outside, "files": known}))
        draft.replace(self.journal / "journal.json")

    def _copy_of(self, path: Path) -> Path:
        return self.journal / "copies" / self._kept_as(path)

    def put_back(self, keep: Path) -> list[str]:
        """Move new files into `keep`, and restore files that were changed or deleted. Returns what the run wrote.

        Raises
        ------
        TreeChanged
            A file that is too big to be copied was changed or deleted. The message names it.
        """
        try:
            written, lost = self._put_back(keep)
        except BaseException:
            self.lost = True
            raise
        if lost:
            self.lost = True
            raise TreeChanged(
                f"the run changed {', '.join(sorted(lost))}, too big to be put back: the next run would read it. Restore "
                f"it, and let the script write elsewhere, or allow it with {option('--workdir shared')}"
            )
        return sorted(written)

    def _put_back(self, keep: Path) -> tuple[list[str], list[str]]:
        """Returns what the run wrote, and which of the user's files it changed that cannot be put back."""
        written: list[str] = []
        lost: list[str] = []
        for folder, mode in self._folders.items():
            if mode and not os.path.isdir(folder):
                os.makedirs(folder, exist_ok=True)
            if mode and os.stat(folder).st_mode != mode:
                os.chmod(folder, stat.S_IMODE(mode))
        now = set(self._all_files())
        for path in sorted(now):
            if path in self._before and _stamp(path) == self._before[path]:
                continue
            destination = keep / self._kept_as(path)
            destination.parent.mkdir(parents=True, exist_ok=True)
            if path not in self._before:
                shutil.move(path, destination)
            elif not os.path.lexists(self._copy_of(path)):
                lost.append(self._shown(path))
                continue
            else:
                shutil.copy2(path, destination, follow_symlinks=False)
                self._restore(path)
            written.append(self._kept_as(path))
        for path in set(self._before) - now:
            if os.path.lexists(self._copy_of(path)):
                self._restore(path)
            else:
                lost.append(self._shown(path))
        self._drop_new_folders()
        return written, lost

    def _drop_new_folders(self) -> None:
        known = {folder for path in self._before for folder in path.parents} | {self.root}
        for folder in reversed(list(self._all_folders())):  # inner folders first
            inside = Path(folder).parts[len(self.root.parts) :] if Path(folder).is_relative_to(self.root) else ()
            if Path(folder) not in known and not set(inside) & _SKIP and not os.listdir(folder):
                if folder not in self._folders:
                    os.rmdir(folder)

    def _restore(self, path: Path) -> None:
        """Put the copy in the place of the file, in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name[:200]}.seedwise")
        shutil.copy2(self._copy_of(path), draft, follow_symlinks=False)
        draft.replace(path)
        self._before[path] = _stamp(path)
        self._write_journal()

    def end(self) -> None:
        """Delete the copies: the tree is as it was."""
        shutil.rmtree(self.journal, ignore_errors=True)

    def _repair(self) -> list[str]:
        """Put back what a run had changed when its supervisor died.

        Raises NotRepaired; then all copies are still there.
        """
        place = self.journal / "journal.json"
        if not place.exists():  # it ended before its first run began
            shutil.rmtree(self.journal, ignore_errors=True)
            return []
        try:
            data = json.loads(place.read_text())
            if data["root"] != str(self.root):
                raise ValueError(f"it belongs to {data['root']}")
            repaired = self._put_back_from(data)
        except (OSError, ValueError, KeyError, TypeError, SeedwiseError) as error:
            raise NotRepaired(
                f"an interrupted run may have changed files in {self.root}, and they could not be put back: {error}. Copies of "
                f"them as they were are in {self.journal / 'copies'}: look, put back what you need, and delete {self.journal}"
            ) from None
        self.end()
        return repaired

    def _put_back_from(self, data: dict[str, Any]) -> list[str]:
        self._outside = [Path(path) for path in data.get("outside", ())]
        self._before = {Path(path): tuple(stamp) for path, stamp in data["files"].items()}
        self._folders = {str(folder): 0 for path in self._before for folder in path.parents}
        ended = (self.journal / "beat").stat().st_mtime + _GRACE
        for path in self._all_files():  # the user changed these files after the end of the supervisor
            if max(os.lstat(path).st_mtime, os.lstat(path).st_ctime) > ended:
                self._before[path] = _stamp(path)
        keep = Path(tempfile.mkdtemp(prefix="sequential-repaired-", dir=self.journal.parent))
        repaired = [f"{name} (kept in {keep})" for name in self.put_back(keep)]
        self._before = {}
        if not repaired:
            keep.rmdir()
        return repaired
