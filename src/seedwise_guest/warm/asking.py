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


class Asked:
    """Call it for how often something of a run's own has been asked for so far.

    Parameters
    ----------
    config
        The configuration file in which the seed stands, if there is one.
    """

    def __init__(self, config: str | None) -> None:
        self._count = 0
        self._config = None if config is None else os.path.realpath(config)
        if len(sys.argv) > 1 or not sys.argv:
            sys.argv = _Arguments(sys.argv)
        environ: Any = type(os.environ)
        get = environ.__getitem__

        def own_get(this: Any, key: Any) -> Any:
            if key in _OWN:
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
