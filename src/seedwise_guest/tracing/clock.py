"""The clock: watched, shifted, made faster or slower, or read as another process read it."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable

from ..process.frames import is_importing, is_user_file
from ..process.imports import when_imported
from .callers import direct, from_any, library_of
from .facts import Facts
from .names import SHIFT
from .recording import Recording
from .replaced_builtins import StandIn

_WAITED_BY = "monotonic"
_LOOP = 3
"""A line that reads the clock so often may wait for a time."""
_FEW = 4
"""So many lines are noted that call libraries which read the clock."""


class Clock:
    """What the clocks say to this program.

    Parameters
    ----------
    asked
        `shift`: whether clocks are moved by 1.37 days. `rate`: how fast they go. Readings that are given again
        (`Recording`) are not changed any more.
    """

    def __init__(self, asked: dict[str, Any], recording: Recording, facts: Facts) -> None:
        self._shift = recording.shift if recording.again else SHIFT * bool(asked.get("shift"))
        self._rate = float(asked.get("rate", 1.0))
        self._recording, self._facts = recording, facts
        self._starts: dict[str, float] = {}
        self._reads: dict[str, int] = {}
        self._reads_of_libraries: dict[str, int] = {}
        facts.at_end(self._note_often)

    def _note_often(self) -> None:
        """Note the line that read the clock most often, if it did so in a loop: one that waits for its end.

        So too the lines that called libraries which read it, one below the other, first the one with the most readings.
        """
        if self._reads and max(self._reads.values()) >= _LOOP:
            self._facts.note("clock-often", max(self._reads, key=lambda where: self._reads[where]))
        by_library = sorted(self._reads_of_libraries.items(), key=lambda item: -item[1])[:_FEW]
        for what, least in (("clock-library", 1), ("clock-library-often", _LOOP)):
            self._facts.note(what, "\n".join(line for line, count in by_library if count >= least) or None)

    def says(self, name: str, real: float, frame: Any) -> float:
        """What the clock called `name` says to the code at `frame` when the real one says `real` (in seconds)."""
        where = direct(frame)
        library = "" if where is not None else library_of(frame)
        line: str | None = None
        logs = str(frame.f_globals.get("__name__", "")).partition(".")[0] == "logging"
        if where is None and not library and not logs:
            # the standard library waits by the monotonic clock; others it reads to tell what they say (`timeit`, the head of a `.gz`)
            if name.startswith(_WAITED_BY) or is_importing(frame):
                return real
            return self._recording.clock(f"{name} of the standard library", real, self._recording.again)
        if where is not None:
            self._facts.note("clock", where)
            self._reads[where] = self._reads.get(where, 0) + 1
        if where is not None or not is_importing(frame):  # what imports read is none of the program's work
            self._facts.note("clock-read", where or library or "logging")
            line = from_any(frame) if library else None
            if line is not None:
                self._reads_of_libraries[line] = self._reads_of_libraries.get(line, 0) + 1
        again = self._recording.again or (line is not None and line == self._recording.again_at)
        kept_as = name if where is not None else f"{name} at {line}" if line is not None else f"{name} of libraries"
        value = self._recording.clock(kept_as, real, again)
        if not again and self._rate != 1.0:
            start = self._starts.setdefault(name, real)
            value = start + (real - start) * self._rate
        return value + (self._shift if where is not None or again else 0.0)


def watch_clock(clock: Clock) -> None:
    """Replace the functions of `time` and the user's `datetime`."""

    def patch(name: str, scale: float) -> None:
        original = getattr(time, name, None)
        if original is None:
            return

        def own(*args: Any) -> Any:
            value = original(*args)
            said = clock.says(name + repr(args), value / scale, sys._getframe(2))
            if said == value / scale:
                return value
            return said if scale == 1 else int(said * scale)

        setattr(time, name, StandIn(original, own))

    for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time", "clock_gettime"):
        patch(name, 1)
        patch(f"{name}_ns", 1e9)
    _calendar(clock)
    _datetime(clock)
    when_imported("pandas._libs.tslibs.timestamps", lambda module: _pandas(module, clock))


def _pandas(module: Any, clock: Clock) -> None:
    """Watch `Timestamp.now` and `today`, which read the clock in C."""
    real_time = time.time.wrapped if isinstance(time.time, StandIn) else time.time
    kind = module.Timestamp

    def own(tz: Any = None) -> Any:
        now = real_time()
        return kind.fromtimestamp(clock.says("datetime", now, sys._getframe(1)), tz)

    try:
        kind.now = kind.today = staticmethod(own)
    except (AttributeError, TypeError):  # a version of pandas in which the class cannot be changed
        return


def _calendar(clock: Clock) -> None:
    """Watch `time.strftime("%Y")` and similar functions, which read the clock when they get no time."""
    real_time = time.time.wrapped if isinstance(time.time, StandIn) else time.time

    def patch(name: str, position: int, given: Callable[[float], Any]) -> None:
        original = getattr(time, name)

        def own(*args: Any) -> Any:
            frame = sys._getframe(2)
            if direct(frame) is None or (len(args) > position and args[position] is not None):
                return original(*args)
            return original(*args[:position], given(clock.says("calendar", real_time(), frame)))

        setattr(time, name, StandIn(original, own))

    localtime = time.localtime
    patch("strftime", 1, localtime)
    patch("asctime", 0, localtime)
    for name in ("localtime", "gmtime", "ctime"):
        patch(name, 0, float)


def _datetime(clock: Clock) -> None:
    """Give the user's own files a `datetime` whose `now` is watched.

    Libraries keep the real one, because C extensions know the real type.
    """
    import builtins

    import_ = builtins.__import__
    made: list[Any] = []

    def own_import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        module = import_(name, globals, locals, fromlist, level)
        if name != "datetime" or level or globals is None:
            return module
        path = globals.get("__file__") or sys._getframe(1).f_code.co_filename
        if not is_user_file(str(path)):
            return module
        if not made:
            made.append(_own_datetime(module, clock))
        return made[0]

    builtins.__import__ = own_import


def _own_datetime(module: Any, clock: Clock) -> Any:
    from types import ModuleType

    real = module.datetime
    real_time = time.time.wrapped if isinstance(time.time, StandIn) else time.time
    proxy = ModuleType("datetime", module.__doc__)
    proxy.__dict__.update({k: v for k, v in vars(module).items() if k != "datetime"})

    class Meta(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, real)

        def __subclasscheck__(cls, other: Any) -> bool:
            return issubclass(other, real)

    class datetime(real, metaclass=Meta):  # type: ignore[misc,valid-type]
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real(*args, **kwargs)  # every instance must be of the real type, also in a pickle

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.fromtimestamp(clock.says("datetime", real_time(), sys._getframe(1)), tz)

        @classmethod
        def today(cls) -> Any:
            return real.fromtimestamp(clock.says("datetime", real_time(), sys._getframe(1)))

        @classmethod
        def utcnow(cls) -> Any:
            now = clock.says("datetime", real_time(), sys._getframe(1))
            return real.fromtimestamp(now, module.timezone.utc).replace(tzinfo=None)

    datetime.__module__, datetime.__qualname__ = "datetime", "datetime"
    proxy.datetime = datetime  # type: ignore[attr-defined]
    return proxy
