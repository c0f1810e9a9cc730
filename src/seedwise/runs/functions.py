"""Functions as experiments: naming one on the command line, carrying one over, and telling whether it changed."""

import hashlib
import json
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ScriptError, UsageError
from .command import ENTRY, PLACEHOLDER, default_python

CALL = ENTRY / "call.py"


@dataclass(frozen=True)
class Call:
    """A function to be run: what an experiment shows as its command, and the words that really start it."""

    label: tuple[str, ...]
    words: tuple[str, ...]
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    """Digests of what the function refers to, by name; part of the experiment's identity."""


def is_call(command: Sequence[str]) -> bool:
    """Whether a command is `FILE.py:FUNCTION …`."""
    path, colon, name = command[0].rpartition(":") if command else ("", "", "")
    return bool(colon) and path.endswith(".py") and all(part.isidentifier() for part in name.split("."))


def parse_call(command: Sequence[str]) -> Call:
    """`train.py:train --set lr=0.1 --set layers=[8,8]`. Raises UsageError or ScriptError."""
    path, _, name = command[0].rpartition(":")
    if not os.path.isfile(path):
        raise ScriptError(f"no such script: {path}")
    if not Path(path).stem.isidentifier():
        raise ScriptError(f"{path} cannot be imported under that name: rename it, letters, digits and _ only")
    config: dict[str, Any] = {}
    rest = list(command[1:])
    while rest:
        word = rest.pop(0)
        if word != "--set" or not rest:
            raise UsageError(f"after {command[0]} come its settings, --set NAME=VALUE; got {word!r}")
        key, equals, text = rest.pop(0).partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(
                f"--set takes NAME=VALUE with a name that an argument can have; got {key + equals + text!r}"
            )
        if key == "seed":
            raise UsageError("--set seed=…: the seed is the function's first argument; name the seeds with --seeds")
        config[key] = _value(text)
    return Call(tuple(command), (default_python(), str(CALL), f"{path}:{name}", PLACEHOLDER, json.dumps(config)))


def _value(text: str) -> Any:
    """Numbers, true, false, null, lists and the like as in JSON or Python; anything else is text."""
    import ast

    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return text


@contextmanager
def carried(function: Callable[..., Any], config: Mapping[str, Any], base: Path) -> Iterator[Call]:
    """The call of a function of this process, carried by a file that is there as long as it is used.

    Raises
    ------
    UsageError
        When the function or its configuration cannot be carried into another process, with the reason.
    """
    import shutil
    import tempfile

    import cloudpickle

    name = getattr(function, "__qualname__", None) or type(function).__name__
    try:
        data = cloudpickle.dumps((function, dict(config)))
    except Exception as error:  # noqa: BLE001 (whatever a user object raises while it is pickled)
        raise UsageError(
            f"{name} cannot be carried into another process: {error}. What it refers to (open files, locks, generators …) "
            "must be made inside it"
        ) from None
    folder = Path(tempfile.mkdtemp(prefix=f"call-{os.getpid()}-", dir=base))
    try:
        payload = folder / "payload"
        payload.write_bytes(data)
        (folder / "payload.path").write_text(json.dumps([str(Path(p).absolute()) for p in sys.path]))
        settings = tuple(word for key, value in config.items() for word in ("--set", f"{key}={_shown(value)}"))
        label = (f"{getattr(function, '__module__', '?')}.{name}", *settings)
        yield Call(label, (sys.executable, str(CALL), str(payload), PLACEHOLDER), fingerprint(function, config))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}…{hashlib.sha256(_bytes(value)).hexdigest()[:8]}"


def fingerprint(function: Callable[..., Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Digests of the function's code and of every global, closure cell, default and setting that it refers to.

    Functions and classes of the user's that it refers to are followed; modules count by name and version. File names and
    line numbers do not count, so a notebook cell that is run again is the same function.
    """
    found: dict[str, str] = {}
    _follow(getattr(function, "__qualname__", "function"), function, found, set())
    for key, value in config.items():
        _follow(f"setting {key}", value, found, set())
    return found


def _follow(name: str, value: Any, found: dict[str, str], seen: set[int]) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, types.ModuleType):
        found[name] = f"module {value.__name__} {getattr(value, '__version__', '')}".strip()
    elif isinstance(value, types.MethodType):
        _follow(f"{name}", value.__func__, found, seen)
        _follow(f"{name}.__self__", value.__self__, found, seen)
    elif isinstance(value, types.FunctionType) and not _installed(value):
        code = value.__code__
        found[name] = hashlib.sha256(_code(code)).hexdigest()[:16]
        for k, default in enumerate([*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]):
            _follow(f"{name} default {k + 1}", default, found, seen)
        for cell_name, cell in zip(code.co_freevars, value.__closure__ or (), strict=True):
            try:
                _follow(f"{cell_name} (around {name})", cell.cell_contents, found, seen)
            except ValueError:  # not filled yet
                continue
        for used in sorted(_names(code)):
            if used in value.__globals__:
                _follow(used, value.__globals__[used], found, seen)
    elif isinstance(value, type) and not _installed(value):
        found[name] = "class"
        for key, part in sorted(vars(value).items(), key=lambda item: item[0]):
            if not (key.startswith("__") and not callable(part)):
                inner = getattr(part, "__func__", None) or getattr(part, "fget", None) or part
                if isinstance(inner, types.FunctionType) or not callable(inner):
                    _follow(f"{name}.{key}", inner, found, seen)
        for base in value.__bases__:
            _follow(f"{name}'s {base.__name__}", base, found, seen)
    elif isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        found[name] = f"{value.__module__}.{value.__qualname__}"
    else:
        found[name] = hashlib.sha256(_bytes(value)).hexdigest()[:16]


def _installed(value: Any) -> bool:
    from seedwise_guest.frames import is_user_file

    module = sys.modules.get(str(getattr(value, "__module__", "")))
    file = getattr(module, "__file__", None)
    if module is None or getattr(value, "__module__", "") == "__main__":
        return False
    return file is None or not is_user_file(file)


def _names(code: types.CodeType) -> set[str]:
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _code(code: types.CodeType) -> bytes:
    constants = [_code(c) if isinstance(c, types.CodeType) else _bytes(c) for c in code.co_consts]
    return b"\0".join([code.co_code, repr((code.co_names, code.co_varnames, code.co_freevars)).encode(), *constants])


def _bytes(value: Any) -> bytes:
    """Bytes that are equal for equal values, whatever the order of sets."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"{value.dtype.str}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    if isinstance(value, Mapping):
        return b"{" + b",".join(sorted(_bytes(k) + b":" + _bytes(v) for k, v in value.items())) + b"}"
    if isinstance(value, set | frozenset):
        return b"<" + b",".join(sorted(map(_bytes, value))) + b">"
    if isinstance(value, list | tuple):
        return b"[" + b",".join(map(_bytes, value)) + b"]"
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return f"{type(value).__name__}:{value!r}".encode("utf-8", "surrogatepass")
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(value))
    except Exception:  # noqa: BLE001 (whatever a user object raises while it is pickled)
        return f"{type(value).__module__}.{type(value).__qualname__}".encode()
