"""Watching who asks for what differs from run to run: the command line, the variables of a run, the file with the seed in it."""

from __future__ import annotations

import os
import sys
from typing import Any

_OWN = frozenset({"SEEDWISE_SEED", "CUDA_VISIBLE_DEVICES"})


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


_NOT_ASKING = frozenset({"tqdm.utils"})
"""Modules that look through all variables for some of their own, and keep nothing else: `TQDM_…`."""


def _asks(frame: Any) -> bool:
    """Whether the code that reads a variable may be interested in this one; `frame` is a view's where all are read in turn."""
    above = frame.f_back
    through_all = "_collections_abc" in frame.f_code.co_filename and frame.f_code.co_name == "__iter__"
    return not (through_all and above is not None and above.f_globals.get("__name__") in _NOT_ASKING)


class Asked:
    """Call it for how often something of a run's own has been asked for so far.

    Parameters
    ----------
    config
        The configuration file in which the seed stands, if there is one.
    own_arguments
        Whether the command line differs from run to run: the seed stands in it.
    """

    def __init__(self, config: str | None, own_arguments: bool) -> None:
        self._count = 0
        self._config = None if config is None else os.path.realpath(config)
        if own_arguments:
            sys.argv = _Arguments(sys.argv)
        environ: Any = type(os.environ)
        get = environ.__getitem__

        def own_get(this: Any, key: Any) -> Any:
            if key in _OWN and _asks(sys._getframe(1)):
                self._count += 1
            return get(this, key)

        environ.__getitem__ = own_get
        if self._config is not None:
            sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and os.path.realpath(arguments[0]) == self._config:
            self._count += 1

    def __call__(self) -> int:
        return self._count + _Arguments.times
