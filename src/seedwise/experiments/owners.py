"""Who runs a seed: supervisors on this machine and on others, and whether they are still running."""

import os
import re
import socket
import time
from contextlib import suppress
from itertools import count as counting
from pathlib import Path

from ..errors import StoreError

AWAY = "away:"
"""How the name of an owner begins that is no process but a submission: seeds that an engine runs elsewhere."""

_owners: set[str] = set()


_BEAT = 20.0


_SILENT = 300.0


_FORGOTTEN = 7 * 86400.0


class Owner:
    """A sweep that claims seeds.

    Its name holds the host, the process number, the start of the process, and the number of the sweep.

    The start is part of the name because the system uses process numbers again. A sweep touches its file in the
    store's folder every 20 seconds. This shows other hosts that it is running.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{this_owner()}:{next(_sweeps)}"
        self._file = _beat_of(folder, self.name)
        self._last = 0.0

    def beat(self) -> None:
        """Show that this sweep is running. This is cheap and should be called often."""
        now = time.monotonic()
        if now - self._last >= _BEAT:
            self._last = now
            with suppress(OSError):  # the disk may be full for a while
                self._file.touch()

    def __enter__(self) -> "Owner":
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            for old in self._file.parent.iterdir():
                if time.time() - old.stat().st_mtime > _FORGOTTEN:
                    old.unlink()
            self._file.touch()
        except OSError as error:
            raise StoreError(f"cannot write {self._file}: {error.strerror}; what was saved before is safe") from None
        _owners.add(self.name)
        return self

    def __exit__(self, *_: object) -> None:
        _owners.discard(self.name)
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def _beat_of(folder: Path, owner: str) -> Path:
    return folder / "owners" / re.sub(r"[^\w.-]", "_", owner)


def this_owner() -> str:
    """Host, process number, and when the process started."""
    return f"{socket.gethostname()}:{os.getpid()}:{started(os.getpid())}"


_sweeps = counting(1)


def started(pid: int) -> str:
    """When a process was started, so that it is not taken for a later one with the same number; "?" if that is not known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        return f"{stat.rpartition(')')[2].split()[19]}.{boot}"
    except (OSError, IndexError):
        return "?"


def is_alive(owner: str, folder: Path) -> bool:
    """Whether a supervisor is still running.

    One on another machine counts as running if it touched its file in the last five minutes. Seeds that were submitted
    to an engine are its own until they are collected, whoever is there to do so.
    """
    if owner.startswith(AWAY):
        return (folder / "away" / owner.removeprefix(AWAY)).is_dir()
    host, _, rest = owner.partition(":")
    pid, _, begun = rest.partition(":")
    begun, _, sweep = begun.partition(":")
    if not pid.isdigit():
        return False
    if host != socket.gethostname():
        try:
            return time.time() - _beat_of(folder, owner).stat().st_mtime < _SILENT
        except FileNotFoundError:
            return False
        except OSError:  # it cannot be found out: to wait is better than to run a seed twice
            return True
    if sweep and int(pid) == os.getpid() and owner not in _owners:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return begun in ("?", started(int(pid)))


def beats(owner_file: Path) -> bool:
    """Whether a sweep has touched its file in `owners` lately."""
    try:
        return time.time() - owner_file.stat().st_mtime < _SILENT
    except OSError:
        return False


def is_dead_here(owner_file: str) -> bool:
    """Whether a file in `owners` was left by a process on this machine that has ended."""
    host = re.sub(r"[^\w.-]", "_", socket.gethostname())
    pid = owner_file.removeprefix(host + "_").partition("_")[0]
    if not owner_file.startswith(host + "_") or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
