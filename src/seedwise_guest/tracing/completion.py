"""The order in which tasks end: it is watched, changed, or ignored."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable

from ..process.imports import when_imported
from .callers import direct, from_any
from .facts import Facts
from .reordering import reordered


def delay_of(k: int) -> float:
    """Seconds that the k-th task waits. Early tasks wait longest."""
    return max(0.0, 0.4 - 0.08 * (k % 6))


def delayed(seconds: float, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Wait, and then call the function. Pickled by its name, so that it can go into another process."""
    time.sleep(seconds)
    return function(*args, **kwargs)


def watch_completion(how: str, collect: str, facts: Facts) -> None:
    """Watch the order in which tasks end.

    `how="delay"` makes early tasks end late. `collect="ordered"` returns results in the order in which tasks were
    given, and uses one worker.
    """
    when_imported("concurrent.futures", lambda module: _watch_futures(module, collect, facts))
    for kind, name in (("thread", "ThreadPoolExecutor"), ("process", "ProcessPoolExecutor")):
        watch = partial(_watch_executor, name, how, collect, facts)
        when_imported(f"concurrent.futures.{kind}", watch)
    when_imported("multiprocessing.pool", lambda module: _watch_pool(module.Pool, how, collect, facts))
    for place in ("loky", "joblib.externals.loky"):
        when_imported(f"{place}.process_executor", lambda module: _watch_loky(module, collect, facts))
        when_imported(f"{place}.reusable_executor", lambda module: _watch_reused(module, collect))


def _watch_futures(module: Any, collect: str, facts: Facts) -> None:
    as_completed = module.as_completed

    def own(fs: Any, timeout: Any = None) -> Iterator[Any]:
        facts.note("completion", direct(sys._getframe(1)))
        if collect != "ordered":
            found: Iterator[Any] = as_completed(fs, timeout)
            return found
        return _in_order(sorted(fs, key=lambda f: getattr(f, "_seedwise_number", 0)), timeout)

    module.as_completed = own
    sys.modules["concurrent.futures"].as_completed = own  # type: ignore[attr-defined]


def _in_order(futures: list[Any], timeout: Any) -> Iterator[Any]:
    for future in futures:
        try:
            future.exception(timeout)
        except BaseException:  # noqa: BLE001 (the user's own handling sees it again)
            pass
        yield future


def _watch_executor(name: str, how: str, collect: str, facts: Facts, module: Any) -> None:
    executor = getattr(module, name)
    submit, count = executor.submit, [0]

    def own(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        k = count[0]
        count[0] += 1
        if how == "delay":
            future = submit(self, delayed, delay_of(k), fn, *args, **kwargs)
        else:
            future = submit(self, fn, *args, **kwargs)
        future._seedwise_number = k
        return future

    executor.submit = own
    begin = executor.__init__

    def own_begin(self: Any, max_workers: Any = None, *args: Any, **kwargs: Any) -> None:
        facts.note("pool", from_any(sys._getframe(1)))
        begin(self, 1 if collect == "ordered" else max_workers, *args, **kwargs)

    executor.__init__ = own_begin


def _watch_pool(pool: Any, how: str, collect: str, facts: Facts) -> None:
    """Watch `multiprocessing.Pool`, and the pool of threads that is made from it."""
    unordered = pool.imap_unordered

    def own(self: Any, func: Any, iterable: Any, chunksize: int = 1) -> Any:
        facts.note("completion", direct(sys._getframe(1)))
        if collect == "ordered":
            return self.imap(func, iterable, chunksize)
        if how == "delay":
            return _Given(reordered(list(self.imap(func, iterable, chunksize)), "other", lambda value: 0))
        return unordered(self, func, iterable, chunksize)

    pool.imap_unordered = own
    apply_async, count = pool.apply_async, [0]

    def own_apply(
        self: Any, func: Any, args: Any = (), kwds: Any = None, callback: Any = None, error_callback: Any = None
    ) -> Any:
        kwds = {} if kwds is None else kwds
        if callback is not None:
            facts.note("completion", direct(sys._getframe(1)))
        if how == "delay":
            args = (delay_of(count[0]), func, *args)
            func = delayed
            count[0] += 1
        return apply_async(self, func, args, kwds, callback, error_callback)

    pool.apply_async = own_apply
    begin = pool.__init__

    def own_begin(self: Any, processes: Any = None, *args: Any, **kwargs: Any) -> None:
        facts.note("pool", from_any(sys._getframe(1)))
        begin(self, 1 if collect == "ordered" else processes, *args, **kwargs)

    pool.__init__ = own_begin


def _watch_loky(module: Any, collect: str, facts: Facts) -> None:
    """Watch the executor of joblib's processes."""
    executor = module.ProcessPoolExecutor
    begin = executor.__init__

    def own_begin(self: Any, max_workers: Any = None, *args: Any, **kwargs: Any) -> None:
        facts.note("pool", from_any(sys._getframe(1)))
        begin(self, 1 if collect == "ordered" else max_workers, *args, **kwargs)

    executor.__init__ = own_begin


def _watch_reused(module: Any, collect: str) -> None:
    executor = module._ReusablePoolExecutor
    resize = executor._resize

    def own(self: Any, max_workers: int) -> Any:
        return resize(self, 1 if collect == "ordered" else max_workers)

    executor._resize = own


class _Given:
    """Results that are there already. They are read as those of `imap_unordered` are."""

    def __init__(self, results: list[Any]) -> None:
        self._results = iter(results)

    def __iter__(self) -> _Given:
        return self

    def __next__(self) -> Any:
        return next(self._results)

    def next(self, timeout: float | None = None) -> Any:
        return next(self._results)
