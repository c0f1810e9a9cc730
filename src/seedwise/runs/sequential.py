"""One run after another in the user's own folder, with the tree put back in between.

The last resort, where the system allows no private view. Before the first run the small files are copied aside; after
each, new files are moved to the run's folder and changed or deleted ones are put back. A journal survives a crash, so that
the next command repairs the tree first.
"""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import SeedwiseError

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
"""Seconds after a supervisor's last sign in which its runs may still have written."""

Stamp = tuple[int, int, int]


class TreeChanged(SeedwiseError):
    """A run changed what cannot be put back; going on would let it influence the next."""


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIP)
        for name in sorted(files):
            yield Path(folder, name)


def _stamp(path: Path) -> Stamp:
    info = os.lstat(path)
    return (info.st_size, info.st_mtime_ns, info.st_ino)


class Tree:
    """The project while runs go through it one at a time.

    Parameters
    ----------
    root
        The folder that is watched and put back.
    journal
        A folder outside `root`'s watched part, for the copies.
    """

    def __init__(self, root: Path, journal: Path) -> None:
        self.root = root
        self.journal = journal
        self._before: dict[Path, Stamp] = {}
        self._folders: set[str] = set()

    def begin(self) -> list[str]:
        """Repair what a crash left, then copy the small files aside; returns the files that were repaired."""
        repaired = self._repair()
        (self.journal / "copies").mkdir(parents=True, exist_ok=True)
        self._folders = {folder for folder, _, _ in os.walk(self.root)}
        for path in _files(self.root):
            self._before[path] = _stamp(path)
            info = os.lstat(path)
            if stat.S_ISREG(info.st_mode) and info.st_size <= _BIG:
                copy = self._copy_of(path)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy)
        self._write_journal()
        self.beat()
        return repaired

    def beat(self) -> None:
        """Say that the runs go on: what changes in the tree from now on may be theirs."""
        (self.journal / "beat").touch()

    def _write_journal(self) -> None:
        known = {str(path): list(stamp) for path, stamp in self._before.items()}
        draft = self.journal / "journal.draft"
        draft.write_text(json.dumps({"root": str(self.root), "files": known}))
        draft.replace(self.journal / "journal.json")

    def _copy_of(self, path: Path) -> Path:
        return self.journal / "copies" / path.relative_to(self.root)

    def put_back(self, keep: Path) -> list[str]:
        """Move what is new into `keep`, restore what was changed or deleted; returns what the run wrote.

        Raises
        ------
        TreeChanged
            When a file too big to be copied was changed or deleted, naming it.
        """
        written: list[str] = []
        lost: list[str] = []
        now = set(_files(self.root))
        for path in sorted(now):
            relative = str(path.relative_to(self.root))
            if path not in self._before:
                destination = keep / relative
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, destination)
                written.append(relative)
            elif _stamp(path) != self._before[path]:
                copy = self._copy_of(path)
                if not copy.exists():
                    lost.append(relative)
                    continue
                destination = keep / relative
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, destination)
                self._restore(path)
                written.append(relative)
        for path in set(self._before) - now:
            if self._copy_of(path).exists():
                self._restore(path)
            else:
                lost.append(str(path.relative_to(self.root)))
        self._drop_new_folders()
        if lost:
            raise TreeChanged(
                f"the run changed {', '.join(sorted(lost))}, too big to be put back: the next run would read it. Restore "
                "it, and let the script write elsewhere, or allow it with --workdir shared"
            )
        return sorted(written)

    def _drop_new_folders(self) -> None:
        known = {folder for path in self._before for folder in path.parents} | {self.root}
        for folder, _folders, _files in os.walk(self.root, topdown=False):
            inside = Path(folder).relative_to(self.root).parts
            if Path(folder) not in known and not set(inside) & _SKIP and not os.listdir(folder):
                if folder not in self._folders:
                    os.rmdir(folder)

    def _restore(self, path: Path) -> None:
        """Put the copy in the file's place, in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.seedwise")
        shutil.copy2(self._copy_of(path), draft)
        draft.replace(path)
        self._before[path] = _stamp(path)
        self._write_journal()

    def end(self) -> None:
        """Forget the copies: the tree is as it was."""
        shutil.rmtree(self.journal, ignore_errors=True)

    def _repair(self) -> list[str]:
        """Put back what a run had changed when its supervisor died."""
        try:
            data = json.loads((self.journal / "journal.json").read_text())
        except (OSError, ValueError):
            shutil.rmtree(self.journal, ignore_errors=True)
            return []
        repaired: list[str] = []
        if data["root"] == str(self.root):
            self._before = {Path(path): (s[0], s[1], s[2]) for path, s in data["files"].items()}
            self._folders = {str(folder) for path in self._before for folder in path.parents}
            ended = (self.journal / "beat").stat().st_mtime + _GRACE
            for path in _files(self.root):  # what was touched after the supervisor's end is the user's own
                if path.stat().st_mtime > ended:
                    self._before[path] = _stamp(path)
            keep = Path(tempfile.mkdtemp(prefix="sequential-repaired-", dir=self.journal.parent))
            repaired = [f"{name} (kept in {keep})" for name in self.put_back(keep)]
            self._before = {}
            if not repaired:
                keep.rmdir()
        self.end()
        return repaired
