"""Child processes: how each is named, the same in every run, and what their generators are called."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable

from ..process.imports import when_imported
from .names import IN_CHILDREN

_RESTARTED = "random"
"""Python itself gives this generator another start in every forked process."""


class Children:
    """Whether this process is a child, and which one.

    Parameters
    ----------
    is_child
        Whether it was started by another process of the run. (A forked one is told later.)
    begin
        Called when a child begins, with whether it was forked.
    """

    def __init__(self, is_child: bool, begin: Callable[[bool], None]) -> None:
        self._is_child, self._begin = is_child, begin
        self._is_forked = False
        self._forks = 0
        self.path: tuple[str | int, ...] = tuple(sys.argv[:1]) if is_child else ()
        """Names and numbers that tell this process from the others of its run."""

    def name_of(self, generator: str) -> str:
        """What a global generator is called in this process."""
        own = self._is_child or (self._is_forked and generator == _RESTARTED)
        return generator + IN_CHILDREN if own and generator else generator

    def watch(self) -> None:
        """Notice each fork, and in a spawned process the moment when it is told which one it is."""
        if hasattr(os, "register_at_fork"):
            # this hook must run after `random`'s own
            when_imported("random", lambda module: os.register_at_fork(before=self._count, after_in_child=self._forked))
        if self._is_child:
            when_imported("multiprocessing.process", self._watch_bootstrap)

    def _count(self) -> None:
        self._forks += 1

    def _forked(self) -> None:
        self._is_forked = True
        self.path = (*self.path, "fork", self._forks)
        self._begin(True)

    def _watch_bootstrap(self, module: Any) -> None:
        process = module.BaseProcess
        bootstrap = process._bootstrap

        def own(this: Any, *args: Any, **kwargs: Any) -> Any:
            process._bootstrap = bootstrap
            self.path = (*self.path, *this._identity)
            self._begin(False)
            return bootstrap(this, *args, **kwargs)

        process._bootstrap = own
