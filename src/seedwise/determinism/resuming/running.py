"""Runs a program uninterrupted, and ended after a checkpoint and started again in the files that it left."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import STATE

from ...sandbox.worlds import World
from ..rerunning import Change, Checker
from ..trace import Trace

_STATE = (STATE, f"{STATE}.json")


@dataclass(frozen=True)
class Interrupted:
    """A program that was ended: what it had left and printed, and whether it was this that ended it.

    `names` holds the numbers of its processes and the names that were drawn for it: who goes on may restore them.
    """

    files: Mapping[str, str]
    was_ended: bool
    kept: Path
    printed: str
    names: tuple[frozenset[str], tuple[str, ...]] = (frozenset(), ())


class Continuing:
    """Runs a program in parts.

    Parameters
    ----------
    checker
        Runs the program.
    words
        The command that goes on from a checkpoint.
    folder
        For the state of the uninterrupted training, and for what interrupted programs left.
    """

    def __init__(self, checker: Checker, words: Sequence[str], folder: Path) -> None:
        self.checker, self.words, self.folder = checker, list(words), folder

    def uninterrupted(self, asked: Mapping[str, Any]) -> Trace:
        """The program from beginning to end. Its state, if it was asked for, is kept."""
        world = self.checker.worlds.make()
        try:
            trace = self.checker.run_in(world, Change({}, {}, resuming=asked))
            for name in _STATE:
                if (world.spool / name).exists():
                    shutil.copyfile(world.spool / name, self.folder / name)
            return trace
        finally:
            self._end(world)

    def interrupt(self, asked: Mapping[str, Any]) -> Interrupted:
        """Start the program and end it where `asked` says."""
        world = self.checker.worlds.make()
        try:
            trace = self.checker.run_in(world, Change({}, {}, resuming=asked))
            said = b'"type":"interrupted"'
            ended = any(said in file.read_bytes() for file in world.spool.glob("*.jsonl"))
            kept = Path(tempfile.mkdtemp(prefix="left-", dir=self.folder))
            for target in world.targets:
                inner = kept / Path(target["upper"]).name
                inner.mkdir()
                _copy_inside(Path(target["upper"]), inner)
            return Interrupted(trace.files, ended, kept, trace.stdout, (trace.numbers, trace.words))
        finally:
            self._end(world)

    def go_on(self, left: Interrupted, asked: Mapping[str, Any], without: Sequence[str] = ()) -> Trace:
        """Start the program in the files that the interrupted one left; `without` some of them (full paths)."""
        world = self.checker.worlds.make()
        words, self.checker.words = self.checker.words, self.words
        try:
            for target in world.targets:
                upper = Path(target["upper"])
                _copy_inside(left.kept / upper.name, upper)
                for path in without:
                    if path.startswith(target["path"] + os.sep):
                        (upper / os.path.relpath(path, target["path"])).unlink(missing_ok=True)
            for name in _STATE:
                if (self.folder / name).exists():
                    shutil.copyfile(self.folder / name, world.spool / name)
            trace = self.checker.run_in(world, Change({}, {}, resuming={**asked, "resumed": True}))
            numbers, drawn = left.names
            return replace(
                trace,
                steps=trace.steps[int(trace.resuming.get("before", 0)) :],
                numbers=trace.numbers | numbers,
                words=trace.words + drawn,
            )
        finally:
            self.checker.words = words
            self._end(world)

    def mark(self) -> Mapping[str, Any]:
        """Where the loader of the uninterrupted training stood when the checkpoint was written. {} if it had none."""
        path = self.folder / f"{STATE}.json"
        if not path.exists():
            return {}
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["order"]
        return found

    def _end(self, world: World) -> None:
        self.checker.worlds.end_users(world, thorough=True)
        self.checker.worlds.remove(world)


def _copy_inside(source: Path, target: Path) -> None:
    """Copy what is in a folder, with its links, times and rights, and with what says that a file was deleted.

    Without extended attributes: those of an overlay belong to the folder from which they are taken.
    """
    names = [str(path) for path in source.iterdir()]
    if not names:
        return
    how = ["cp", "-dRp", "-t", str(target)]
    if subprocess.run([*how, *names], check=False, capture_output=True).returncode:
        with contextlib.suppress(shutil.Error, OSError):
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)
