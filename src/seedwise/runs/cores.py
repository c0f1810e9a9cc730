"""Which cores a run may use: as many as it has threads, and if possible none that another run uses."""

import contextlib
import fcntl
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path


class Cores:
    """Reserves cores for runs, across all Seedwise commands of this user. It uses locks that end with the process.

    Parameters
    ----------
    folder
        The folder of the lock files.
    each
        Number of cores for one run. None leaves the choice to the system.
    """

    def __init__(self, folder: Path, each: int | None) -> None:
        self._each = each
        self._folder = folder
        self._all = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._held: dict[int, int] = {}
        self._shared: Counter[int] = Counter()
        self._next = 0

    def take(self) -> list[int]:
        """Cores for one run.

        If all cores are reserved, it shares some with other runs. [] leaves the choice to the system.
        """
        if self._each is None or not self._all or self._each >= len(self._all):
            return []
        taken: list[int] = []
        for core in self._all:
            if len(taken) < self._each and core not in self._held and self._lock(core):
                taken.append(core)
        while len(taken) < self._each:
            core = self._all[self._next % len(self._all)]
            self._next += 1
            if core not in taken:
                taken.append(core)
                self._shared[core] += 1
        return sorted(taken)

    def others(self, taken: list[int]) -> list[int]:
        """As many cores as `taken`, if possible different ones: for a helper that works at the same time."""
        free = [core for core in self._all if core not in taken]
        return free[: len(taken)] if len(free) >= len(taken) else taken

    def _lock(self, core: int) -> bool:
        handle = os.open(self._folder / f"core-{core}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._held[core] = handle
        return True

    def give_back(self, cores: list[int]) -> None:
        """Free the cores that `take` returned."""
        for core in cores:
            if self._shared[core]:
                self._shared[core] -= 1
                continue
            handle = self._held.pop(core, None)
            if handle is not None:
                os.close(handle)


@contextlib.contextmanager
def reserving(folder: Path, each: int | None) -> Iterator[Cores]:
    """A `Cores` whose locks are released at the end."""
    cores = Cores(folder, each)
    try:
        yield cores
    finally:
        cores.give_back(list(cores._held))
