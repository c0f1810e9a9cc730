"""A run that is the call of a function: finding it, calling it, and handing over what it returns."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, Callable

from ..sites.names import later_seed
from . import spool
from .launch import module_at

NOT_A_RESULT = 94
"""Exit status when a function returned something that cannot be a result. The reason is in the spool."""


def main(arguments: list[str]) -> None:
    """Call the function that the command line names, and send what it returns."""
    call(find(arguments), arguments)


def find(arguments: list[str]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function that the command line names, with its configuration."""
    if len(arguments) > 2:
        path, _, name = arguments[0].rpartition(":")
        return _from_file(path, name), json.loads(arguments[2])
    return _from_payload(arguments[0])


def call(found: tuple[Callable[..., Any], dict[str, Any]], arguments: list[str]) -> None:
    """Call a function under the seed of the command line, and send what it returns."""
    function, config = found
    given_to = seed_argument(function)
    seed = int(arguments[1])
    result = function(seed, **config) if given_to is None else function(**{given_to: seed}, **config)
    try:
        send_result(result, getattr(function, "__name__", "the function"))
    except (TypeError, ValueError, OSError) as error:
        spool.send("no-result", reason=str(error))
        sys.stdout.flush()
        sys.stderr.write(f"{error}\n")
        sys.exit(NOT_A_RESULT)


def seed_argument(function: Callable[..., Any]) -> str | None:
    """The name of the argument that receives the seed, where a later one than the first is named so; else None."""
    import inspect

    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # written in C
        return None
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    first = parameters[0] if parameters else None
    return later_seed(None if first is None or first.kind is first.KEYWORD_ONLY else first.name, named)


def _from_file(path: str, name: str) -> Callable[..., Any]:
    from importlib import import_module

    where = module_at(path)
    sys.path[0] = str(where.folder)
    if where.package:  # its neighbours are imported by name, too
        sys.path.insert(1, os.path.dirname(os.path.abspath(path)))
    module = import_module(where.name)
    function: Any = module
    for part in name.split("."):
        try:
            function = getattr(function, part)
        except AttributeError:
            raise SystemExit(f"{path} has no function {name!r}") from None
    if not callable(function):
        raise SystemExit(f"{name} in {path} is not a function")
    found: Callable[..., Any] = function
    return found


def _from_payload(path: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    import pickle

    with open(path + ".path", encoding="utf-8") as file:
        sys.path[:] = json.load(file)
    with open(path, "rb") as data:
        function, config = pickle.load(data)
    return function, config


class Predictions:
    """What a model predicted for each example of one split. It is kept with the run.

    Parameters
    ----------
    values
        Array, shape (examples, …): labels, probabilities or values.
    ids
        The name of each example, the same in every run; shape (examples,). By default 0, 1, 2 …
    targets
        The true values, shape (examples, …), if they are known.
    split
        Which part of the data: `train`, `val`, `test`.
    kind
        `label`, `probability` or `value`.

    Raises
    ------
    ValueError
        For another kind.
    """

    def __init__(
        self, values: Any, *, ids: Any = None, targets: Any = None, split: str = "test", kind: str = "value"
    ) -> None:
        if kind not in ("label", "probability", "value"):
            raise ValueError(f"kind of predictions is label, probability or value; got {kind!r}")
        self.values, self.ids, self.targets, self.split, self.kind = values, ids, targets, split, kind


def send_result(result: Any, name: str) -> None:
    """Send what a function returned: a number, or a mapping of names to numbers, series, arrays or `Predictions`.

    Raises
    ------
    TypeError
        For anything else. The message says what was returned.
    """
    if result is None:  # it may have logged or printed its result
        reason = (
            f"{name}() returned None, and printed no metric: return a number, or a dict such as {{'accuracy': 0.9}}"
        )
        spool.send("returned-none", reason=reason)
        return
    values = (
        result
        if isinstance(result, Mapping)
        else {"predictions" if isinstance(result, Predictions) else "value": result}
    )
    for key, value in values.items():
        number = _number(value)
        if number is not None:
            spool.send("log", step=None, values={str(key): number})
        elif isinstance(value, Predictions):
            _send_predictions(str(key), value)
        elif isinstance(value, (list, tuple)) and value and all(_number(v) is not None for v in value):
            for item in value:
                spool.send("log", step=None, values={str(key): float(item)})
        elif hasattr(value, "__array__"):
            send_array(str(key), value)
        else:
            what = f"{name}() returned {type(value).__name__}" + (
                f" for {key!r}" if isinstance(result, Mapping) else ""
            )
            raise TypeError(
                f"{what}; a run gives back a number, or a dict of numbers, lists of numbers (a series), arrays or Predictions"
            )


def _number(value: Any) -> float | None:
    if isinstance(value, (str, bytes, list, tuple, dict)) or value is None:
        return None
    shape = getattr(value, "shape", ())
    if len(shape) > 0:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def send_array(name: str, value: Any, **about: Any) -> None:
    """Keep an array with the run, as `.npy`. Raises TypeError for one of Python objects."""
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu()
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise TypeError(
            f"{name!r} is an array of Python objects; numbers, booleans or fixed-length strings can be kept"
        )
    file = f"array-{os.getpid()}-{len(os.listdir(spool.folder()))}.npy"
    np.save(os.path.join(spool.folder(), file), array, allow_pickle=False)
    spool.send("array", name=name, file=file, shape=list(array.shape), dtype=str(array.dtype), **about)


def _send_predictions(name: str, predictions: Predictions) -> None:
    import numpy as np

    n = len(predictions.values)
    ids = np.arange(n) if predictions.ids is None else predictions.ids
    for part, value in (("values", predictions.values), ("ids", ids), ("targets", predictions.targets)):
        if value is None:
            continue
        if len(value) != n:
            raise ValueError(f"{name}: {len(value)} {part} for {n} predicted examples")
        send_array(f"{name}.{part}", value, split=predictions.split, kind=predictions.kind)
