"""What runs side by side without a pool: threads, processes, subprocesses, asyncio's tasks.

They are counted and named with the line that starts them. Held still, one of them ends before the next begins.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

from ..process.imports import when_imported
from .callers import direct, from_any
from .completion import delay_of, delayed
from .facts import Facts
from .identities import tell_thread

_WAIT = 2.0
"""Seconds for which the end of a thread or process is waited. It may wait for the main thread itself."""


class SideBySide:
    """What this process starts.

    Parameters
    ----------
    how
        `delay`: what is started early begins late.
    collect
        `ordered`: what is started ends before the next is.
    """

    def __init__(self, how: str, collect: str, facts: Facts) -> None:
        self._delays, self._ordered, self._facts = how == "delay", collect == "ordered", facts
        self._count = 0
        self._wait = _WAIT
        self._running: list[Any] = []
        facts.at_end(self._note_count)

    def _note_count(self) -> None:
        if self._count > 1:
            self._facts.note("started", str(self._count))

    def watch(self) -> None:
        """Watch every kind, as soon as its module is there."""
        when_imported("threading", self._watch_threads)
        when_imported("multiprocessing.process", self._watch_processes)
        when_imported("subprocess", self._watch_subprocesses)
        when_imported("asyncio.tasks", self._watch_tasks)
        when_imported("asyncio.base_events", self._watch_loop)

    def _waited(self, wait: Any) -> None:
        """Wait for an end, but not for long again once it was in vain."""
        began = time.monotonic()
        wait(self._wait)
        if time.monotonic() - began >= self._wait:
            self._wait = 0.05

    def _watch_threads(self, module: Any) -> None:
        start = module.Thread.start

        def own(this: Any) -> None:
            frame = sys._getframe(1)
            where = direct(frame)
            self._facts.note("completion", where)
            self._facts.note("threads", from_any(frame))
            self._count += where is not None
            if where is not None and self._delays:
                run, seconds = this.run, delay_of(self._count - 1)
                this.run = partial(delayed, seconds, run)
            start(this)
            tell_thread(this)
            if where is not None and self._ordered:
                self._waited(this.join)

        module.Thread.start = own

    def _watch_processes(self, module: Any) -> None:
        start = module.BaseProcess.start

        def own(this: Any) -> None:
            where = direct(sys._getframe(1))
            if where is None:
                start(this)
                return
            self._note_beside(where, lambda process: process.is_alive())
            if self._delays and this._target is not None:
                this._target = partial(delayed, delay_of(self._count - 1), this._target)
            start(this)
            self._running.append(this)
            if self._ordered:
                self._waited(this.join)

        module.BaseProcess.start = own

    def _note_beside(self, where: str, runs: Any) -> None:
        """Note what is started while another one of its kind still runs."""
        self._count += 1
        self._running = [one for one in self._running if runs(one)]
        if self._running or self._ordered:
            self._facts.note("completion", where)

    def _watch_subprocesses(self, module: Any) -> None:
        begin = module.Popen.__init__
        running: list[Any] = []

        def own(this: Any, *args: Any, **kwargs: Any) -> None:
            where = direct(sys._getframe(1))
            begin(this, *args, **kwargs)
            if where is None:
                return
            self._count += 1
            running[:] = [one for one in running if one.poll() is None]
            if running:
                self._facts.note("completion", where)
            running.append(this)
            if self._ordered and this.stdout is None and this.stderr is None and this.stdin is None:
                try:
                    self._waited(lambda seconds: this.wait(timeout=seconds))
                except module.TimeoutExpired:
                    self._wait = 0.05

        module.Popen.__init__ = own

    def _watch_loop(self, module: Any) -> None:
        create = module.BaseEventLoop.create_task
        made = [0]

        def own(this: Any, *args: Any, **kwargs: Any) -> Any:
            made[0] += 1
            where = from_any(sys._getframe(1))
            if made[0] == 2:  # the first one is the main one
                self._facts.note("tasks", where)
            return create(this, *args, **kwargs)

        module.BaseEventLoop.create_task = own

    def _watch_tasks(self, module: Any) -> None:
        if not self._ordered:
            return

        def gather(*awaitables: Any, return_exceptions: bool = False) -> Any:
            async def one_by_one() -> list[Any]:
                found: list[Any] = []
                for awaitable in awaitables:
                    try:
                        found.append(await awaitable)
                    except Exception as error:
                        if not return_exceptions:
                            raise
                        found.append(error)
                return found

            return module.ensure_future(one_by_one())

        def as_completed(fs: Any, *, timeout: float | None = None) -> Any:
            return iter([module.ensure_future(f) for f in fs] if timeout is None else list(fs))

        module.gather, module.as_completed = gather, as_completed
