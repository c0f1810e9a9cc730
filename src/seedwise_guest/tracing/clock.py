"""The clock: watched, frozen or shifted, but only for the user's own code."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable

from ..process.frames import is_user_file
from .callers import direct
from .facts import Facts
from .replaced_builtins import StandIn

_FIXED_TIME = 1_700_000_000.0
_DAY = 86_400.0


def watch_clock(how: str, facts: Facts) -> None:
    """Watch the clock.

    `freeze` holds it nearly still (each call adds a millisecond); `shift` moves it by 1.37 days. Only calls of the
    user's own code are changed.
    """
    ticks = [0]

    def now(real: float) -> float:
        if how == "freeze":
            ticks[0] += 1
            return _FIXED_TIME + ticks[0] * 1e-3
        return real + (_DAY * 1.37 if how == "shift" else 0.0)

    def patch(name: str, scale: float) -> None:
        original = getattr(time, name, None)
        if original is None:
            return

        def own(*args: Any) -> Any:
            frame = sys._getframe(2)
            where = direct(frame)
            value = original(*args)
            if where is None:
                _library_reads_clock(frame, facts)
                return value
            facts.note("clock", where)
            facts.note("clock-read", where)
            if not how:
                return value
            return now(value) if scale == 1 else int(now(value / scale) * scale)

        setattr(time, name, StandIn(original, own))

    for name in ("time", "perf_counter", "monotonic", "process_time", "clock_gettime"):
        patch(name, 1)
        patch(f"{name}_ns", 1e9)
    _calendar(how, facts, now)
    _datetime(how, facts, now)


def _library_reads_clock(frame: Any, facts: Facts) -> None:
    """Note a library that reads the clock, because it may print durations.

    The standard library prints none, so it is not noted.
    """
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if module not in _STANDARD and module != "seedwise_guest":
        facts.note("clock-read", module)


_STANDARD = frozenset(getattr(sys, "stdlib_module_names", ())) - {"__main__"}


def _calendar(how: str, facts: Facts, now: Callable[[float], float]) -> None:
    """Watch `time.strftime("%Y")` and similar functions, which read the clock when they get no time."""
    real_time = time.time.wrapped if isinstance(time.time, StandIn) else time.time

    def patch(name: str, position: int, given: Callable[[float], Any]) -> None:
        original = getattr(time, name)

        def own(*args: Any) -> Any:
            where = direct(sys._getframe(2))
            if where is None or (len(args) > position and args[position] is not None):
                return original(*args)
            facts.note("clock", where)
            facts.note("clock-read", where)
            if not how:
                return original(*args)
            return original(*args[:position], given(now(real_time())))

        setattr(time, name, StandIn(original, own))

    localtime = time.localtime
    patch("strftime", 1, localtime)
    patch("asctime", 0, localtime)
    for name in ("localtime", "gmtime", "ctime"):
        patch(name, 0, float)


def _datetime(how: str, facts: Facts, now: Callable[[float], float]) -> None:
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
            made.append(_own_datetime(module, how, facts, now))
        return made[0]

    builtins.__import__ = own_import


def _own_datetime(module: Any, how: str, facts: Facts, now: Callable[[float], float]) -> Any:
    from types import ModuleType

    real, real_time = module.datetime, time.time
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
            where = direct(sys._getframe(1))
            facts.note("clock", where)
            facts.note("clock-read", where)
            if where is None or not how:
                return real.now(tz)
            return real.fromtimestamp(now(real_time()), tz)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

        @classmethod
        def utcnow(cls) -> Any:
            where = direct(sys._getframe(1))
            facts.note("clock", where)
            facts.note("clock-read", where)
            if where is None or not how:
                return real.fromtimestamp(real_time(), module.timezone.utc).replace(tzinfo=None)
            return real.fromtimestamp(now(real_time()), module.timezone.utc).replace(tzinfo=None)

    datetime.__module__, datetime.__qualname__ = "datetime", "datetime"
    proxy.datetime = datetime  # type: ignore[attr-defined]
    return proxy
