"""Watching who asks for what differs from run to run: the command line, the variables of a run, the file with the seed in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from typing import Any

from ..capture import opens_for_writing
from . import state


class _Arguments(list):  # type: ignore[type-arg]
    """`sys.argv`, which counts how often its words after the first are read."""

    times = 0

    def __getitem__(self, index: Any) -> Any:
        if index != 0:
            _Arguments.times += 1
        return super().__getitem__(index)

    def __iter__(self) -> Any:
        _Arguments.times += 1
        return super().__iter__()


_NOT_ASKING = frozenset({"tqdm.utils", "fsspec.config", "numba.core.config"})
"""Modules that look through all variables for some of their own, and keep nothing else: `TQDM_…`, `FSSPEC_…`, `NUMBA_…`."""


def _asks(frame: Any) -> bool:
    """Whether the code that reads a variable may be interested in this one."""
    if "_collections_abc" in frame.f_code.co_filename and frame.f_back is not None:
        frame = frame.f_back  # through a view: all are read in turn
    return frame.f_globals.get("__name__") not in _NOT_ASKING


class Asked:
    """Call it for how often something of a run's own has been asked for so far.

    Parameters
    ----------
    config
        The configuration file in which the seed stands, if there is one.
    own_arguments
        Whether the command line differs from run to run: the seed stands in it.
    own_variables
        Variables that differ from run to run.
    """

    def __init__(self, config: str | None, own_arguments: bool, own_variables: Collection[str]) -> None:
        self._count = 0
        self._config = None if config is None else os.path.realpath(config)
        if own_arguments:
            sys.argv = _Arguments(sys.argv)
        environ: Any = type(os.environ)
        get = environ.__getitem__

        def own_get(this: Any, key: Any) -> Any:
            if (key in own_variables or (state.follows_the_seed(key) and this.encodekey(key) in this._data)) and _asks(
                sys._getframe(1)
            ):
                self._count += 1
            return get(this, key)

        environ.__getitem__ = own_get
        self._written: set[str] = set()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str):
            return
        path, mode, flags = arguments
        if opens_for_writing(mode, flags):
            self._written.add(os.path.realpath(path))
        elif (self._written or self._config) and os.path.realpath(path) in {*self._written, self._config}:
            self._count += 1  # the parent would read what stood there before the run

    def __call__(self) -> int:
        return self._count + _Arguments.times
