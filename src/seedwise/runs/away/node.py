"""What workers on one node share: how forked runs were compared with fresh ones there."""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from ...experiments.forking_record import Record, this_machine
from .folder import replace

_FORGOTTEN = 30 * 86400.0


class NodesRecord:
    """The comparison of forked with fresh runs, once for a node and a set of packages, not once for a chunk.

    It lies on the node's own disk. While one worker compares, others that have just begun run their seeds fresh: their
    comparison would be the same.

    Parameters
    ----------
    base
        A folder of this user's on the node's own disk.
    key
        That of the experiment.
    python, packages
        The interpreter that runs the seeds, and its packages.
    """

    def __init__(self, base: Path, key: str, python: str, packages: Mapping[str, str]) -> None:
        text = json.dumps([key, python, sorted(packages.items()), this_machine()])
        name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
        folder = base / "compared"
        folder.mkdir(mode=0o700, exist_ok=True)
        for old in folder.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > _FORGOTTEN:
                    old.unlink()
        self._file = folder / f"{name}.json"
        self._lock = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self.others_compare = False
        """Whether another worker on this node is comparing just now, and no result is there."""
        self.record = self._read()
        if self.record.verdict is None:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.record = self._read()  # it may have been written in between
            except OSError:
                self.others_compare = True

    def _read(self) -> Record:
        try:
            return Record.from_dict(json.loads(self._file.read_text(encoding="utf-8"))).here()
        except (OSError, ValueError, KeyError):
            return Record(machine=this_machine())

    def keep(self, record: Record) -> None:
        """Store what a comparison has shown, for the workers that come."""
        with contextlib.suppress(OSError):
            replace(self._file, json.dumps(record.as_dict()))
        if record.verdict is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let others compare."""
        os.close(self._lock)
