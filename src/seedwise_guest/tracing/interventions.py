"""One thing changed at a time, or held still: directory order, completion order, clock, entropy, process number, memory."""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Iterator
from os import getpid  # before it is watched
from typing import Any, Callable

from .. import spool
from ..frames import is_guest_file, is_user_file
from ..imports import when_imported
from .callers import direct, through_library
from .compiling import put, step_aside_for_compilers

_FIXED_TIME = 1_700_000_000.0
_DAY = 86_400.0


class Facts:
    """What the program did that could make it differ: for each, the first line of the user's that did it."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._streams: list[dict[str, Any]] = []
        self._on = True
        self._pid = getpid()

    def note(self, what: str, where: str | None) -> None:
        """`where` is None for a call that is not the user's."""
        if where is not None and self._on:
            if what not in self._first and getpid() != self._pid:
                spool.send("fact", what=what, where=where)  # a worker may be killed before it can tell
            self._first.setdefault(what, where)

    def stop(self) -> None:
        """The program is over; what happens now is ours."""
        self._on = False

    def as_dict(self) -> dict[str, Any]:
        return dict(self._first)


def install(asked: dict[str, Any], facts: Facts) -> None:
    """Watch for each kind of cause, and do what was asked about it."""
    _listing(asked.get("listing", ""), asked.get("sort", ""), facts)
    _clock(asked.get("clock", ""), facts)
    _pid(asked.get("pid", ""), facts)
    _entropy(asked.get("entropy", ""), facts)
    _completion(asked.get("completion", ""), asked.get("collect", ""), facts)
    when_imported("threading", lambda module: _threads(module, asked.get("completion", ""), facts))
    when_imported("numpy", lambda module: _numpy_memory(module, asked.get("memory", ""), facts))
    when_imported("torch", lambda module: _torch(module, asked, facts))
    when_imported("torch.utils.data", lambda module: _loader(module, asked, facts))


class StandIn:
    """Takes a builtin's place: it is no method of a class that keeps it as an attribute, as the builtin is none.

    `own` is called instead, with the caller two frames above it.
    """

    def __init__(self, wrapped: Callable[..., Any], own: Callable[..., Any]) -> None:
        self.wrapped, self._own = wrapped, own
        self.__name__ = getattr(wrapped, "__name__", "")
        self.__qualname__ = getattr(wrapped, "__qualname__", self.__name__)
        self.__module__ = getattr(wrapped, "__module__", None) or "builtins"
        self.__doc__ = wrapped.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._own(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def __reduce__(self) -> str:
        return self.__qualname__  # by reference, as the builtin is pickled

    def __eq__(self, other: object) -> bool:
        return self is other or other == self.wrapped  # `os.scandir in os.supports_fd`

    def __hash__(self) -> int:
        return hash(self.wrapped)

    def __repr__(self) -> str:
        return repr(self.wrapped)


def _reordered(names: list[Any], how: str, key: Callable[[Any], Any]) -> list[Any]:
    if how == "sorted":
        return sorted(names, key=key)
    if how == "other":
        # neither the order that came nor its mirror image: a program that reverses is not fooled
        ordered = sorted(names, key=key)
        other = ordered[1::2][::-1] + ordered[0::2]
        for _ in names:  # a program that takes only the first or the last sees another one too
            if other[0] != names[0] and other[-1] != names[-1]:
                break
            other = other[1:] + other[:1]
        return other
    return names


def _listing(how: str, sort: str, facts: Facts) -> None:
    """`other` gives another order; `sorted`, as if the program sorted what came."""

    def arranged(names: list[Any], key: Callable[[Any], Any]) -> list[Any]:
        return _reordered(_reordered(names, how, key), sort, key)

    listdir, scandir = os.listdir, os.scandir

    def own_listdir(path: Any = None) -> Any:
        names = listdir() if path is None else listdir(path)
        where = through_library(sys._getframe(2))
        if where is None:
            return names
        if len(names) > 1:
            facts.note("listing", where)
        return arranged(names, str)

    class Scan:
        def __init__(self, entries: list[Any]) -> None:
            self._entries = iter(entries)

        def __iter__(self) -> Iterator[Any]:
            return self._entries

        def __next__(self) -> Any:
            return next(self._entries)

        def __enter__(self) -> Scan:
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

        def close(self) -> None:
            self._entries = iter(())

    def own_scandir(path: Any = ".") -> Any:
        where = through_library(sys._getframe(2))
        if where is None:
            return scandir(path)
        with scandir(path) as found:
            entries = list(found)
        if len(entries) > 1:
            facts.note("listing", where)
        return Scan(arranged(entries, lambda entry: str(entry.name)))

    os.listdir, os.scandir = StandIn(listdir, own_listdir), StandIn(scandir, own_scandir)


def _clock(how: str, facts: Facts) -> None:
    """`freeze` holds the clock still, `shift` moves it by a day and a bit; only calls of the user's own code are touched."""
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
    """A library that reads the clock may print durations; what the standard library does with it is not printed."""
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if module not in _STANDARD and module != "seedwise_guest":
        facts.note("clock-read", module)


_STANDARD = frozenset(getattr(sys, "stdlib_module_names", ())) - {"__main__"}


def _calendar(how: str, facts: Facts, now: Callable[[float], float]) -> None:
    """`time.strftime("%Y")` and the like, which read the clock where they are given no time."""
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
    """Give the user's own files, and no library, a `datetime` whose `now` is watched: C extensions know the real type."""
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
            return real(*args, **kwargs)  # so that every instance is one of the real type, also in a pickle

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
            if where is None or not how:
                return real.fromtimestamp(real_time(), module.timezone.utc).replace(tzinfo=None)
            return real.fromtimestamp(now(real_time()), module.timezone.utc).replace(tzinfo=None)

    datetime.__module__, datetime.__qualname__ = "datetime", "datetime"
    proxy.datetime = datetime  # type: ignore[attr-defined]
    return proxy


def _pid(how: str, facts: Facts) -> None:
    getpid = os.getpid

    def own() -> int:
        where = direct(sys._getframe(2))
        facts.note("pid", where)
        return 4242 if how and where is not None else getpid()

    os.getpid = StandIn(getpid, own)


def _entropy(how: str, facts: Facts) -> None:
    """uuid4, secrets, SystemRandom and os.urandom: the user's draws, from a fixed stream if asked."""
    urandom, count = os.urandom, [0]
    asking = ("uuid", "secrets", "random")

    def own(size: int) -> bytes:
        frame: Any = sys._getframe(1)
        while frame.f_back is not None and is_guest_file(frame.f_code.co_filename):
            frame = frame.f_back
        where = direct(frame)
        if where is None and frame.f_globals.get("__name__") in asking:
            inner: Any = frame
            while inner is not None and inner.f_globals.get("__name__") in asking:
                inner = inner.f_back
            where = direct(inner)
        facts.note("entropy", where)
        if not how or where is None:
            return urandom(size)
        import hashlib

        count[0] += 1
        return hashlib.shake_128(b"seedwise %d" % count[0]).digest(size)

    def own_uuid(module: Any) -> None:
        uuid1 = module.uuid1

        def own_uuid1(node: Any = None, clock_seq: Any = None) -> Any:
            where = direct(sys._getframe(1))
            facts.note("entropy", where)
            if not how or where is None:
                return uuid1(node, clock_seq)
            count[0] += 1
            return module.UUID(int=count[0], version=1)

        module.uuid1 = own_uuid1

    when_imported("uuid", own_uuid)
    os.urandom = own
    random: Any = sys.modules.get("random")
    if random is not None and hasattr(random, "_urandom"):
        random._urandom = own


def _delayed(seconds: float, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    time.sleep(seconds)
    return function(*args, **kwargs)


def _completion(how: str, collect: str, facts: Facts) -> None:
    """`delay` makes early tasks finish late; collected `ordered`, results come in the order in which tasks were given, from one
    worker."""

    def futures(module: Any) -> None:
        as_completed = module.as_completed

        def own(fs: Any, timeout: Any = None) -> Iterator[Any]:
            facts.note("completion", direct(sys._getframe(1)))
            if collect != "ordered":
                found: Iterator[Any] = as_completed(fs, timeout)
                return found
            todo = sorted(fs, key=lambda f: getattr(f, "_seedwise_number", 0))

            def ordered() -> Iterator[Any]:
                for future in todo:
                    try:
                        future.exception(timeout)
                    except BaseException:  # noqa: BLE001 (the user's own handling sees it again)
                        pass
                    yield future

            return ordered()

        module.as_completed = own
        sys.modules["concurrent.futures"].as_completed = own  # type: ignore[attr-defined]

    def pool(name: str) -> Callable[[Any], None]:
        def act(module: Any) -> None:
            executor = getattr(module, name)
            submit, count = executor.submit, [0]

            def own(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
                k = count[0]
                count[0] += 1
                if how == "delay":
                    future = submit(self, _delayed, max(0.0, 0.4 - 0.08 * (k % 6)), fn, args, kwargs)
                else:
                    future = submit(self, fn, *args, **kwargs)
                future._seedwise_number = k
                return future

            executor.submit = own
            begin = executor.__init__

            def own_begin(self: Any, max_workers: Any = None, *args: Any, **kwargs: Any) -> None:
                facts.note("pool", _user_of(sys._getframe(1)))
                begin(self, 1 if collect == "ordered" else max_workers, *args, **kwargs)

            executor.__init__ = own_begin

        return act

    def multiprocessing(module: Any) -> None:
        unordered = module.Pool.imap_unordered

        def own(self: Any, func: Any, iterable: Any, chunksize: int = 1) -> Any:
            facts.note("completion", direct(sys._getframe(1)))
            if collect == "ordered":
                return self.imap(func, iterable, chunksize)
            if how == "delay":
                return _Given(_reordered(list(self.imap(func, iterable, chunksize)), "other", lambda value: 0))
            return unordered(self, func, iterable, chunksize)

        module.Pool.imap_unordered = own
        apply_async, count = module.Pool.apply_async, [0]

        def own_apply(
            self: Any, func: Any, args: Any = (), kwds: Any = None, callback: Any = None, error_callback: Any = None
        ) -> Any:
            kwds = {} if kwds is None else kwds
            if callback is not None:
                facts.note("completion", direct(sys._getframe(1)))
            if how == "delay":
                func, args, kwds = _delayed, (max(0.0, 0.4 - 0.08 * (count[0] % 6)), func, args, kwds), {}
                count[0] += 1
            return apply_async(self, func, args, kwds, callback, error_callback)

        module.Pool.apply_async = own_apply
        begin = module.Pool.__init__

        def own_begin(self: Any, processes: Any = None, *args: Any, **kwargs: Any) -> None:
            facts.note("pool", _user_of(sys._getframe(1)))
            begin(self, 1 if collect == "ordered" else processes, *args, **kwargs)

        module.Pool.__init__ = own_begin

    when_imported("concurrent.futures", futures)
    when_imported("concurrent.futures.thread", pool("ThreadPoolExecutor"))
    when_imported("concurrent.futures.process", pool("ProcessPoolExecutor"))
    when_imported("multiprocessing.pool", multiprocessing)


class _Given:
    """Results that are there already, asked for as those of `imap_unordered` are."""

    def __init__(self, results: list[Any]) -> None:
        self._results = iter(results)

    def __iter__(self) -> _Given:
        return self

    def __next__(self) -> Any:
        return next(self._results)

    def next(self, timeout: float | None = None) -> Any:
        return next(self._results)


def _user_of(frame: Any) -> str | None:
    """The user's line that led here, through `multiprocessing` and `concurrent` alone."""
    while frame is not None and any(part in frame.f_code.co_filename for part in ("multiprocessing", "concurrent")):
        frame = frame.f_back
    return direct(frame)


def _threads(module: Any, how: str, facts: Facts) -> None:
    start, count = module.Thread.start, [0]

    def own(self: Any) -> None:
        where = direct(sys._getframe(1))
        facts.note("completion", where)
        if where is not None and how == "delay":
            run, seconds = self.run, max(0.0, 0.4 - 0.08 * (count[0] % 6))
            count[0] += 1

            def late() -> None:
                time.sleep(seconds)
                run()

            self.run = late
        start(self)

    module.Thread.start = own


def _numpy_memory(numpy: Any, how: str, facts: Facts) -> None:
    def wrap(name: str) -> None:
        original = getattr(numpy, name)

        def own(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            if made.dtype.kind in "OUSMmV":
                return made  # NumPy fills these itself, or they are no numbers
            where = direct(sys._getframe(2))
            facts.note("memory", where)
            if how and where is not None and made.size:
                made.fill(_filling(how, made.dtype.kind))
            return made

        setattr(numpy, name, StandIn(original, own))

    for name in ("empty", "empty_like"):
        wrap(name)


def _filling(how: str, kind: str) -> Any:
    if how == "zero":
        return 0
    return float("nan") if kind in "fc" else True if kind == "b" else 113


def _torch(torch: Any, asked: dict[str, Any], facts: Facts) -> None:
    how = asked.get("memory", "")

    def wrap(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def own(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            where = direct(sys._getframe(1))
            facts.note("memory", where)
            if how and where is not None:
                with torch.no_grad():
                    kind = (
                        "f"
                        if made.is_floating_point() or made.is_complex()
                        else "b"
                        if made.dtype is torch.bool
                        else "i"
                    )
                    made.fill_(_filling(how, kind))
            return made

        functools.update_wrapper(own, original)
        put(owner, name, own)

    step_aside_for_compilers(torch)
    for name in ("empty", "empty_like"):
        wrap(torch, name)
    wrap(torch.Tensor, "new_empty")
    if asked.get("deterministic"):
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
    if asked.get("threads"):
        torch.set_num_threads(int(asked["threads"]))


def _loader(module: Any, asked: dict[str, Any], facts: Facts) -> None:
    from .workers import watch_loader

    watch_loader(module, asked, facts)
