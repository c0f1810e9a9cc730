"""The variables of a program while it trains: numbers, texts and arrays that the user's functions and objects hold."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any
from zlib import crc32

from ...process.frames import is_user_file
from ..names import ALIAS, ROUNDED

_DEEP, _MOST, _MOST_ITEMS = 5, 4_000, 60
_MOST_NUMBERS = 2_000_000
_PLAIN = (bool, int, float, str, type(None))
_LOOKED_INTO = (
    "DataLoader",
    "Sampler",
    "Callback",
    "EarlyStopping",
    "Checkpoint",
    "Trainer",
    "State",
    "Average",
    "EMA",
)
"""Objects of libraries are looked into if the name of their class, or of one that it is made from, contains one of these."""
_STOPPER = "Stop"
"""In the name of a class that stops a training: `EarlyStopping`."""


def variables(frame: FrameType | None, known: dict[str, Any]) -> dict[str, str]:
    """Path → value, for the values that are numbers, short texts, lists of them, or arrays (by a digest).

    A path names the class of each object: `stopper‹EarlyStopping›.wait`. An object that is met again is `→` and its first path.
    `known` holds objects of the library that trains.
    """
    found: dict[str, str] = {}
    for path, value in walk(frame, known):
        if isinstance(value, _Met):
            found.setdefault(path, f"{ALIAS}{value.path}")
            continue
        shown = _shown_generator(value) if is_generator(value) else shown_value(value)
        if shown is not None:
            found.setdefault(path, shown)
    return found


def generators(frame: FrameType | None) -> dict[str, Any]:
    """Path → generator, for the generators that the user's functions and objects hold."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for path, value in walk(frame):
        if is_generator(value) and id(value) not in seen:
            seen.add(id(value))
            found[path] = value
    return found


def is_generator(value: Any) -> bool:
    of = type(value)
    home = str(of.__module__)
    name = f"{home}.{of.__name__}"
    return name in ("torch._C.Generator", "torch.Generator", "random.Random") or (
        home.startswith("numpy.random") and of.__name__ in ("Generator", "RandomState")
    )


def _shown_generator(generator: Any) -> str:
    from .state import own_state

    state = own_state(generator)
    data = state.numpy().tobytes() if hasattr(state, "numpy") else repr(state).encode()
    return f"generator {crc32(data):08x}"


class _Met:
    """Stands for an object that was met before, under another path."""

    def __init__(self, path: str) -> None:
        self.path = path


def walk(frame: FrameType | None, known: dict[str, Any] | None = None) -> Iterator[tuple[str, Any]]:
    """Every value that can be reached from the user's functions that are running, from the user's modules, and from `known`."""
    seen: dict[int, str] = {}
    left = [_MOST]
    for root, values in (*_roots(frame), ("", known or {})):
        for name, value in list(values.items()):
            if not name.startswith("__"):
                yield from _below(f"{root}{name}", value, _DEEP, seen, left)


def _roots(frame: FrameType | None) -> Iterator[tuple[str, dict[str, Any]]]:
    modules: list[ModuleType] = []
    while frame is not None:
        code = frame.f_code
        if is_user_file(code.co_filename) and code.co_name != "<module>":
            yield f"{code.co_name}: ", dict(frame.f_locals)
        frame = frame.f_back
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or module in modules:
            continue
        if name == "__main__" or (os.path.isabs(path) and is_user_file(path)):  # torch.ops says "_ops.py"
            modules.append(module)
            yield "" if name == "__main__" else f"{name}.", dict(vars(module))


def _below(path: str, value: Any, deep: int, seen: dict[int, str], left: list[int]) -> Iterator[tuple[str, Any]]:
    if left[0] <= 0:
        return
    left[0] -= 1
    yield path, value
    if deep <= 0 or isinstance(value, _PLAIN):
        return
    if id(value) in seen:
        yield path, _Met(seen[id(value)])
        return
    inside = _inside(value)
    if inside is not None:
        seen[id(value)] = path
        for step, child in inside:
            yield from _below(path + step, child, deep - 1, seen, left)


def _inside(value: Any) -> list[tuple[str, Any]] | None:
    of = type(value)
    if of is dict:
        return [(f"[{k!r}]", v) for k, v in list(value.items())[:_MOST_ITEMS] if isinstance(k, (str, int))]
    if of in (list, tuple):
        return [(f"[{k}]", v) for k, v in enumerate(value[:_MOST_ITEMS])]
    if isinstance(value, (ModuleType, type)) or (callable(value) and not hasattr(value, "__dict__")):
        return None
    try:
        held = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    items = [(f"‹{of.__name__}›.{k}", v) for k, v in list(held.items()) if isinstance(k, str)]
    if _is_model_of_keras(of):
        of_users = items if _is_users(of) else [(path, v) for path, v in items if is_generator(v)]
        items = [*_of_model(value, of), *of_users]
    elif not (_is_users(of) or any(part in base.__name__ for base in of.__mro__ for part in _LOOKED_INTO)):
        # of any other object its generators and what stops the training
        stoppers = [(path + step, one) for path, v in items for step, one in _stoppers(v)]
        items = [*((path, v) for path, v in items if is_generator(v)), *stoppers]
    return items or None


def _stoppers(value: Any) -> Iterator[tuple[str, Any]]:
    """What decides when a training stops, with its place in a list of callbacks, each perhaps with its name: `[0][1]`."""
    items = list(
        value.items() if type(value) is dict else enumerate(value) if type(value) in (list, tuple) else [(None, value)]
    )
    for key, one in items[:_MOST_ITEMS]:
        for k, inner in enumerate(one) if type(one) is tuple else [(None, one)]:
            if _STOPPER in type(inner).__name__:
                yield "".join(f"[{step!r}]" for step in (key, k) if step is not None), inner


def _is_model_of_keras(of: type) -> bool:
    return "keras" in sys.modules and any(
        base.__name__ == "Model" and base.__module__.startswith("keras.") for base in of.__mro__
    )


def _of_model(model: Any, of: type) -> Iterator[tuple[str, Any]]:
    """What the optimizer of a model of Keras keeps; without the rate, which a program may set anew."""
    optimizer = getattr(model, "optimizer", None)
    for name, value in of_keras_optimizer(optimizer).items():
        yield f"‹{of.__name__}›.optimizer‹{type(optimizer).__name__}›[{name!r}]", value


def of_keras_optimizer(optimizer: Any) -> dict[str, Any]:
    """The variables of an optimizer of Keras, by their names; without the rate."""
    try:
        kept = getattr(optimizer, "variables", None) or ()
        return {str(v.name): v.numpy() for v in kept if "learning_rate" not in str(v.name)}
    except (AttributeError, TypeError, RuntimeError):
        return {}


def _is_users(of: type) -> bool:
    if of.__module__ == "__main__":
        return True
    path = getattr(sys.modules.get(str(of.__module__)), "__file__", None)
    return isinstance(path, str) and is_user_file(path) and os.path.isfile(path)


def shown_value(value: Any) -> str | None:
    """A number or short text as it is written, an array by a digest; None for anything else."""
    if isinstance(value, _PLAIN):
        return repr(value)[:200]
    if type(value) in (list, tuple) and all(isinstance(v, _PLAIN) for v in value):
        text = repr(value)
        return text if len(text) <= 200 else f"{len(value)} values, {crc32(text.encode()):08x}"
    of = type(value)
    if of.__name__.endswith("Variable") and of.__module__.partition(".")[0] in ("tensorflow", "keras"):
        try:
            return shown_value(value.numpy())
        except (AttributeError, TypeError, RuntimeError, ValueError):
            return None  # it belongs to a graph
    if of.__name__ == "deque" or (of is list and len(value) > _MOST_ITEMS):
        return f"{of.__name__} of {len(value)}"
    if of.__module__ == "numpy" and hasattr(value, "dtype") and hasattr(value, "tobytes"):
        if getattr(value, "ndim", 1) == 0:
            return repr(value.item())
        return _array(value) if value.dtype.kind in "biufc" else None
    if of.__name__ == "ArrayImpl" and of.__module__.partition(".")[0] in ("jax", "jaxlib"):
        return _of_jax(value)
    if of.__module__ in ("torch", "torch.nn.parameter") and of.__name__ in ("Tensor", "Parameter"):
        if value.numel() > _MOST_NUMBERS or value.is_sparse:
            return None
        from ..digests import digest

        return f"tensor {tuple(value.shape)} {digest(value):08x}{_rounded_tensor(value, digest)}"
    return None


def _rounded_tensor(value: Any, digest: Callable[[Any], int]) -> str:
    """The digests that a tensor has after it was rounded: as it is kept then, and in its own precision again."""
    import torch

    if value.dtype not in (torch.float32, torch.float64):
        return ""
    value = value.detach().cpu()
    kinds = (torch.float16, torch.bfloat16, torch.float32)
    rounded = ((kind, value.to(kind)) for kind in kinds if kind != value.dtype)
    return "".join(
        f"{ROUNDED}{str(kind)[6:]} {digest(low):08x} {digest(low.to(value.dtype)):08x}" for kind, low in rounded
    )


def _of_jax(value: Any) -> str | None:
    import numpy

    is_key = str(value.dtype).startswith("key<")
    if is_key:
        value = sys.modules["jax"].random.key_data(value)
    found = numpy.asarray(value)
    if is_key or (found.dtype == "uint32" and found.shape[-1:] == (2,) and found.ndim < 3):
        return f"key {found.shape[:-1]} {crc32(found.tobytes()):08x}"
    return shown_value(found) if found.ndim else repr(found.item())


def _array(value: Any) -> str | None:
    return None if value.size > _MOST_NUMBERS else f"array {value.shape} {_crc(value)}{_rounded_array(value)}"


def _rounded_array(value: Any) -> str:
    """The digests that an array has after it was rounded: as it is kept then, and in its own precision again."""
    if str(value.dtype) not in ("float32", "float64"):
        return ""
    wider = getattr(sys.modules.get("ml_dtypes"), "bfloat16", None)
    kinds = [kind for kind in ("float16", wider, "float32") if kind not in (None, str(value.dtype))]
    with sys.modules["numpy"].errstate(all="ignore"):
        rounded = [value.astype(kind) for kind in kinds]
    return "".join(f"{ROUNDED}{low.dtype} {_crc(low)} {_crc(low.astype(value.dtype))}" for low in rounded)


def _crc(value: Any) -> str:
    return f"{crc32(value.tobytes()):08x}"
