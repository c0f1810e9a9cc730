"""The folder of a submission: everything that home and workers exchange.

    STORE/away/train-1-k3x9/
      carried.json        what a worker must know                                    written once, by home
      code/               the user's files as they were when this was submitted      written once, by home
      rounds/1.json       chunks of seeds that were queued together                  written once, by home
      rounds/1.handle     what the engine must know to find them again               written by home
      lease, read.json    who collects; how far each journal has been read           written by home
      work/1/0/17/        what the workers of chunk 17 leave                          each file written by one worker
      logs/               what the workers themselves print                          written by the engine

It lies in the store's folder, which home and all nodes see. No file has two writers; small files are replaced as a whole.
"""

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import StoreError, UsageError
from ...experiments.owners import AWAY, is_alive
from ...experiments.store import Experiment, Store
from ..executors import Round

LAYOUT = 1
"""Version of what is in this folder. A worker refuses any other."""
_BLOCK = 1000
"""Chunks in one folder of `work`."""

Seeds = list[tuple[int, int]]
"""Seeds with the numbers of the attempts that home has claimed for them."""


@dataclass(frozen=True)
class Chunk:
    """The seeds of one worker; which seeds are run both fresh and forked; and whether none is forked."""

    seeds: Seeds
    audited: Sequence[int]
    fresh: bool


@dataclass(frozen=True)
class Submission:
    """The folder of a submission."""

    folder: Path

    # --- making and finding ----------------------------------------------------------------------------------------

    @classmethod
    def make(cls, store: Store, experiment: Experiment) -> "Submission":
        """Make the folder of a new submission. Raises StoreError if it cannot be written."""
        name = f"{experiment.name}-{experiment.version}-{secrets.token_hex(3)}"
        folder = store.folder / "away" / name
        try:
            for part in ("rounds", "work", "logs"):
                (folder / part).mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"cannot write {folder}: {error.strerror}") from None
        return cls(folder)

    @classmethod
    def of_round(cls, file: Path) -> "Submission":
        """The submission of which `file` is a round."""
        return cls(file.parent.parent)

    @property
    def owner(self) -> str:
        """The name under which its seeds are claimed in the store."""
        return f"{AWAY}{self.folder.name}"

    # --- what is carried to the workers ----------------------------------------------------------------------------

    def write_carried(self, values: Mapping[str, Any]) -> None:
        """Write what a worker must know. Only this user can read it: the environment may hold passwords."""
        path = self.folder / "carried.json"
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(values))

    def carried(self) -> dict[str, Any]:
        """What a worker must know. Raises UsageError for a folder of another version of Seedwise."""
        values = dict[str, Any](json.loads((self.folder / "carried.json").read_text(encoding="utf-8")))
        if values.get("layout") != LAYOUT:
            raise UsageError(f"{self.folder} was written by another version of Seedwise: cancel it and run it again")
        return values

    @property
    def code(self) -> Path:
        """The user's files as they were when this was submitted."""
        return self.folder / "code"

    # --- rounds and chunks -----------------------------------------------------------------------------------------

    def add_round(self, chunks: Sequence[Seeds], title: str, audited: Sequence[int], fresh: bool) -> Round:
        """Write a round: chunks of seeds, those of them that are run both fresh and forked, and whether none is forked."""
        number = len(self._rounds()) + 1
        file = self.folder / "rounds" / f"{number}.json"
        _replace(file, json.dumps({"title": title, "fresh": fresh, "audited": list(audited), "chunks": chunks}))
        return Round(file, range(len(chunks)), title, self.folder / "logs")

    def rounds(self) -> list[Round]:
        """All rounds, with the handles of their engine."""
        found = []
        for file in self._rounds():
            data = json.loads(file.read_text(encoding="utf-8"))
            handle = {}
            with contextlib.suppress(FileNotFoundError):
                handle = json.loads(file.with_suffix(".handle").read_text(encoding="utf-8"))
            found.append(Round(file, range(len(data["chunks"])), data["title"], self.folder / "logs", handle))
        return found

    def _rounds(self) -> list[Path]:
        return sorted((self.folder / "rounds").glob("*.json"), key=lambda path: int(path.stem))

    def save_handle(self, chunks: Round) -> None:
        """Store what the engine must know to find the chunks again."""
        _replace(chunks.file.with_suffix(".handle"), json.dumps(chunks.handle))

    @staticmethod
    def chunks_of(file: Path) -> list[Seeds]:
        """The chunks of a round."""
        data = json.loads(file.read_text(encoding="utf-8"))
        return [[(int(s), int(k)) for s, k in chunk] for chunk in data["chunks"]]

    @staticmethod
    def chunk_of(file: Path, number: int) -> "Chunk":
        """One chunk of a round."""
        data = json.loads(file.read_text(encoding="utf-8"))
        seeds = [(int(s), int(k)) for s, k in data["chunks"][number]]
        return Chunk(seeds, [int(seed) for seed in data["audited"]], bool(data["fresh"]))

    def place(self, file: Path, number: int) -> Path:
        """The folder of what the workers of one chunk leave."""
        return self.folder / "work" / file.stem / str(number // _BLOCK) / str(number)

    # --- who collects ----------------------------------------------------------------------------------------------

    def take_lease(self, store: Store, owner: str) -> bool:
        """Become the one that collects. Returns False if somebody else does, and is alive."""
        lease = self.folder / "lease"
        with store.together():  # the store's lock: two commands never do this at the same time
            holder = lease.read_text(encoding="utf-8") if lease.exists() else ""
            if holder and holder != owner and is_alive(holder, store.folder):
                return False
            _replace(lease, owner)
        return True

    def has_lease(self, owner: str) -> bool:
        """Whether it is still `owner` that collects."""
        try:
            return (self.folder / "lease").read_text(encoding="utf-8") == owner
        except FileNotFoundError:
            return False
        except OSError:  # the shared folder does not answer just now
            return True

    def give_lease_back(self, owner: str) -> None:
        """Collect no more. What is queued goes on."""
        with contextlib.suppress(OSError):
            if (self.folder / "lease").read_text(encoding="utf-8") == owner:
                (self.folder / "lease").unlink()

    def is_collected(self, store_folder: Path) -> bool:
        """Whether a command that collects is alive."""
        try:
            holder = (self.folder / "lease").read_text(encoding="utf-8")
        except OSError:
            return False
        return is_alive(holder, store_folder)

    def remember_read(self, offsets: Mapping[str, int]) -> None:
        """Store how many bytes of each journal have been read and saved."""
        _replace(self.folder / "read.json", json.dumps(offsets))

    def mark_cancelled(self) -> None:
        """Tell the tasks that look whether they are to end: see `work_in_a_task`."""
        with contextlib.suppress(OSError):  # the engine is told too
            (self.folder / "cancelled").touch()

    def read_before(self) -> dict[str, int]:
        """How many bytes of each journal have been read and saved."""
        try:
            return {str(k): int(n) for k, n in json.loads((self.folder / "read.json").read_text()).items()}
        except FileNotFoundError:
            return {}

    def remove(self) -> None:
        """Everything is collected: remove the folder. Its first loss is its name, by which its seeds count as claimed."""
        gone = self.folder.with_name(f".gone-{self.folder.name}")
        with contextlib.suppress(OSError):
            self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def submissions_of(store: Store, experiment: Experiment) -> list[Submission]:
    """The submissions of an experiment that are not collected completely, oldest first."""
    found: list[tuple[float, Submission]] = []
    for folder in (store.folder / "away").glob("[!.]*"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            data = json.loads((folder / "carried.json").read_text(encoding="utf-8"))
            if data["experiment"]["id"] == experiment.id:
                found.append((folder.stat().st_ctime, Submission(folder)))
    return [submission for _, submission in sorted(found, key=lambda pair: pair[0])]


def replace(path: Path, text: str) -> None:
    """Write a small file so that a reader finds the old text or the new one, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def _replace(path: Path, text: str) -> None:
    """`replace`, which raises StoreError."""
    try:
        replace(path, text)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}; what was saved before is safe") from None


def wait_until_seen(path: Path, seconds: float) -> bool:
    """Wait until a file is there: on a network folder it may be seen later than it was written."""
    until = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > until:
            return False
        with contextlib.suppress(OSError):
            os.listdir(path.parent)  # has the client ask the server again
        time.sleep(0.5)
    return True
