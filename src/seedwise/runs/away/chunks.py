"""The chunks of a submission as the command that collects sees them: which seeds are open, and what was read of each."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..executors import Executor, Fate, Round, Standing
from .folder import Submission
from .journal import End, JournalReader, Line


@dataclass
class OpenChunk:
    """A chunk that is not collected completely."""

    round: Round
    number: int
    place: Path
    seeds: dict[int, int]
    """Seeds without a record that counts, with the numbers of their attempts."""
    standing: Standing = field(default_factory=lambda: Standing(Fate.WAITING))
    running: set[int] = field(default_factory=set)
    """Seeds that a worker has begun, of which there is no record yet."""
    node: str = ""
    """Where its worker runs, or last ran."""
    ended: dict[str, Any] | None = None
    """What the last worker of this chunk told at its end; None while it is running."""
    over_since: float | None = None
    readers: dict[str, JournalReader] = field(default_factory=dict)
    spoiled: dict[str, str] = field(default_factory=dict)
    """Journals whose further runs do not count, because their code or configuration is another; with what to say."""

    @property
    def is_complete(self) -> bool:
        """Whether its last worker has told that every seed has a record."""
        return self.ended is not None and self.ended["end"] in (End.DONE, End.STOPPED, End.FULL, End.UNFIT)

    def news(self, offsets: dict[str, int]) -> Iterator[tuple[JournalReader, dict[str, Any]]]:
        """New lines of all journals of this chunk. `offsets` says how far each was read before."""
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(os.listdir(self.place)):
                if name.endswith(".jsonl") and name not in self.readers:
                    path = self.place / name
                    self.readers[name] = JournalReader(path, offsets.get(str(path), 0))
        for reader in self.readers.values():
            for line in reader.read():
                yield reader, line

    def take(self, line: dict[str, Any]) -> None:
        """Note what a line says of the worker itself."""
        kind = line["type"]
        if kind == Line.BEGAN:
            self.ended, self.over_since = None, None
            self.node = str(line["place"]["node"])
            self.running.clear()
        elif kind == Line.STARTED:
            self.running.add(int(line["seed"]))
        elif kind == Line.ENDED:
            self.ended = line


@dataclass
class Queued:
    """A submission that this command collects."""

    submission: Submission
    chunks: dict[tuple[str, int], OpenChunk] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)

    def add(self, chunks: Round, open_: dict[int, int] | None = None) -> None:
        """Follow the chunks of a round. `open_` are the seeds that are still claimed for it; None: all."""
        for number, seeds in enumerate(self.submission.chunks_of(chunks.file)):
            left = {seed: k for seed, k in seeds if open_ is None or open_.get(seed) == k}
            place = self.submission.place(chunks.file, number)
            if left or place.is_dir():  # its worker may still take a run back, or try one again
                self.chunks[chunks.file.name, number] = OpenChunk(chunks, number, place, left)

    def drop(self, chunk: OpenChunk) -> None:
        """A chunk is over: do not follow it any longer."""
        del self.chunks[chunk.round.file.name, chunk.number]
        for reader in chunk.readers.values():
            self.offsets.pop(str(reader.path), None)

    @property
    def rounds(self) -> list[Round]:
        """The rounds that have open chunks."""
        found: dict[str, Round] = {}
        for chunk in self.chunks.values():
            found.setdefault(chunk.round.file.name, chunk.round)
        return list(found.values())

    def look(self, executor: Executor) -> None:
        """Ask the engine how the chunks stand. A command that was killed while it submitted a round has left no handle."""
        for open_ in self.chunks.values():
            if not open_.round.handle:
                open_.standing = Standing(Fate.LOST)
        rounds = [one for one in self.rounds if one.handle]
        before = [dict(one.handle) for one in rounds]
        for one, standing in zip(rounds, executor.poll(rounds), strict=True):
            for number, how in standing.items():
                chunk = self.chunks.get((one.file.name, number))
                if chunk is not None:
                    chunk.standing = how
        for one, old in zip(rounds, before, strict=True):
            if one.handle != old:
                self.submission.save_handle(one)

    def remember(self) -> None:
        """Store how far each journal has been read."""
        readers = {str(r.path): r.offset for chunk in self.chunks.values() for r in chunk.readers.values()}
        whole = {**self.offsets, **readers}
        if whole != self.offsets:
            self.offsets = whole
            self.submission.remember_read(whole)
