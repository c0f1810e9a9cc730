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


class _Passed(str):
    """A value that somebody who looks through all variables has come by: an object of its own, so that one sees who holds it."""


_HELD_HERE = 3
"""References to a value while `Asked` looks at it: a list's, a loop's, a call's."""


def _goes_through_all(frame: Any) -> bool:
    """Whether it is `os.environ.items()`, `.values()` or `.copy()` that reads."""
    name, file = frame.f_code.co_name, frame.f_code.co_filename
    return ("_collections_abc" in file and name == "__iter__") or (name == "copy" and os.path.basename(file) in _OS)


_OS = ("os.py", "<frozen os>")


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
        self._passed: list[_Passed] = []
        self._config = None if config is None else os.path.realpath(config)
        if own_arguments:
            sys.argv = _Arguments(sys.argv)
        environ: Any = type(os.environ)
        get = environ.__getitem__

        def own_get(this: Any, key: Any) -> Any:
            value = get(this, key)
            if key not in _OWN:
                return value
            if not _goes_through_all(sys._getframe(1)):
                self._count += 1
                return value
            self._passed.append(_Passed(value))
            return self._passed[-1]

        environ.__getitem__ = own_get
        if self._config is not None:
            sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and os.path.realpath(arguments[0]) == self._config:
            self._count += 1

    def __call__(self) -> int:
        # tqdm looks for variables of its own among all: what it did not keep it did not ask for
        passed, self._passed = self._passed, []
        for value in passed:
            if sys.getrefcount(value) > _HELD_HERE:
                self._count += 1
        return self._count + _Arguments.times
