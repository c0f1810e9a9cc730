"""What a program reads from the machine (its clocks, its memory), kept and given again.

A process that is given the readings of another one sees the same machine. If its results are then the same too, what
differed between the two was a reading, or followed from one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

from ..process import spool
from .names import METER, REPLAY, SHIFT

_MOST = 200_000
"""How many readings of one kind are kept in one thread."""
_MOST_NUMBERS = 2_000_000
"""How many numbers that are no clock's are kept in all."""


class Recording:
    """The readings of this process: kept, and if asked for given again.

    Parameters
    ----------
    asked
        `clock`, `meter`: whether such readings come from the file `REPLAY`; `clock` may be a line: only what
        libraries read that it calls does, and only the time between these readings. `scale`: by what the time between them is multiplied.
        `nudge`: by what part of itself, at most, each single time between two of them is made longer. `shift`: see there.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        self.again = asked.get("clock") is True
        """Whether clocks say what they said in another run."""
        self.again_at = "" if self.again else str(asked.get("clock") or "")
        """The line for which alone they do."""
        shift = asked.get("shift", False)
        self.shift = SHIFT if shift is True else float(shift)
        """By how many seconds the clocks are moved that the user's code is given: by `SHIFT` if that is not said."""
        self._again_meter = bool(asked.get("meter"))
        self._scale, self._nudge = float(asked.get("scale", 1.0)), float(asked.get("nudge", 0.0))
        self._kept: dict[str, list[list[float]]] = {}
        self._given: dict[str, list[list[float]]] | None = None
        self._next: dict[str, int] = {}
        self._over: dict[str, list[float]] = {}
        self._begun: dict[str, tuple[float, float]] = {}
        """Clock → what it said first in this process, and what the real one said then."""
        self._numbers = 0
        self._owner = os.getpid()

    def clock(self, name: str, real: float, again: bool) -> float:
        """A reading of a clock in seconds, or the one of another run; its distance from the first reading may be scaled."""
        if self._owner != _pid():
            self._begin_in_child()
        key = f"{name} {threading.current_thread().name}"
        kept = self._kept.setdefault(key, [])
        if len(kept) < _MOST:
            kept.append([real])
        if not again:
            return real
        if not self._givens().get(key):
            return self._as_if_begun(key, real)
        value = self._again(key, [real], follows=True)[0]
        said, then = self._begun.setdefault(_clock_of(key), (value, real))
        return value if self.again else then + value - said

    def _as_if_begun(self, key: str, real: float) -> float:
        """What a clock says to a thread or process of which no readings were kept: a pool ends its workers before they can tell.

        The first reading of a process is the first one of the whole run. From then on it goes as the real clock does.
        """
        clock = _clock_of(key)
        if clock not in self._begun:
            self._begun[clock] = self._first_of_all().get(clock, 1_700_000_000.0 if clock == _WALL else 1000.0), real
        said, then = self._begun[clock]
        return said + (real - then) * self._scale

    def first_time(self) -> float:
        """The first time of day that is given again; if there is none, a time of long ago."""
        days = [rows[0][0] for key, rows in self._givens().items() if key.startswith("time") and rows]
        return min(days, default=1_700_000_000.0)

    def meter(self, name: str, real: list[float]) -> list[float]:
        """A reading of something else than a clock; its numbers may be scaled."""
        if self._owner != _pid():
            self._begin_in_child()
        key = f"{METER}{name} {threading.current_thread().name}"
        kept = self._kept.setdefault(key, [])
        if len(kept) < _MOST and self._numbers < _MOST_NUMBERS:
            self._numbers += len(real)
            kept.append(list(real))
        if not self._again_meter:
            return real
        return self._again(key, real, follows=False)

    def _again(self, key: str, real: list[float], follows: bool) -> list[float]:
        given = self._givens().get(key)
        if not given:
            return real
        k = self._next[key] = self._next.get(key, -1) + 1
        if k < len(given) or not follows:
            row = given[min(k, len(given) - 1)]
            return row if len(row) == len(real) else real
        start = self._over.setdefault(key, real)  # beyond what was kept: time goes on from there
        return [given[-1][0] + (real[0] - start[0]) * self._scale]

    def _first_of_all(self) -> dict[str, float]:
        """The first reading of each clock in the whole run that is given again."""
        found: dict[str, float] = {}
        for kept in self._all_kept().values():
            for key, rows in kept.items():
                if rows and not key.startswith(METER):
                    found[_clock_of(key)] = min(rows[0][0], found.get(_clock_of(key), rows[0][0]))
        return found

    def _all_kept(self) -> dict[str, dict[str, list[list[float]]]]:
        """All readings that are given again, by process."""
        try:
            with open(os.path.join(spool.folder(), REPLAY), encoding="utf-8") as file:
                found: dict[str, dict[str, list[list[float]]]] = json.load(file)
        except (OSError, ValueError):
            return {}
        return found

    def _givens(self) -> dict[str, list[list[float]]]:
        if self._given is None:
            self._given = {}
            kept = self._all_kept().get(_process(), {})
            starts: dict[str, float] = {}
            for key, rows in kept.items():
                starts[_clock_of(key)] = min(rows[0][0], starts.get(_clock_of(key), rows[0][0]))
            self._given = {key: self._changed(key, rows, starts[_clock_of(key)]) for key, rows in kept.items()}
        return self._given

    def _changed(self, key: str, rows: list[list[float]], start: float) -> list[list[float]]:
        """The readings under one name, as they are given again."""
        if self._scale == 1.0 and not self._nudge:
            return rows
        if key.startswith(METER):
            return [
                [
                    value * self._scale * (1 + self._nudge * _wave(k * len(row) + j))
                    for j, value in enumerate(row)  # two numbers of one reading may be divided by each other
                ]
                for k, row in enumerate(rows)
            ]
        now = start + (rows[0][0] - start) * self._scale
        changed = [[now]]
        for k in range(1, len(rows)):
            now += (rows[k][0] - rows[k - 1][0]) * self._scale * (1 + self._nudge * _wave(k))
            changed.append([now])
        return changed

    def _begin_in_child(self) -> None:
        self._owner = _pid()
        self._kept, self._given, self._next, self._over, self._begun = {}, None, {}, {}, {}

    def save(self) -> None:
        """Write the readings of this process into the spool."""
        if self.again or self.again_at or self._again_meter or not self._kept or self._owner != _pid():
            return
        path = os.path.join(spool.folder(), f"readings-{_pid()}.json")
        try:
            with open(path, "w", encoding="utf-8") as file:
                json.dump({_process(): self._kept}, file)
        except (OSError, ValueError):
            pass


_WALL = "wall"

_pid = os.getpid  # the real function, before it is watched


def _process() -> str:
    """The name of this process among those of the run: the same in every run."""
    module: Any = sys.modules.get("multiprocessing.process")
    return str(module.current_process().name) if module is not None else "MainProcess"


def _clock_of(key: str) -> str:
    """Names of readings that are of one clock, such as `time.time` and `datetime.now`, share their start."""
    return (
        _WALL
        if key.startswith(("time", "calendar", "datetime", "clock_gettime(0", "clock_gettime_ns(0"))
        else key.partition(" ")[0]
    )


def _wave(k: int) -> float:
    """Numbers between 0 and 1 that look random and are always the same."""
    return (k * 0.61803398875) % 1.0
