"""Functions as experiments.

A function is named on the command line, or carried into a run; and a change in it is noticed.
"""

import hashlib
import json
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seedwise_guest.protocol import CALL

from ..errors import ScriptError, UsageError
from ..typos import did_you_mean
from .command import PLACEHOLDER, scripts_beside
from .interpreters import default_python
from .signatures import check_call_in_file


@dataclass(frozen=True)
class Call:
    """A function that is run: the words that an experiment shows as its command, and the words that really start it."""

    label: tuple[str, ...]
    words: tuple[str, ...]
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    """Digests of everything that the function refers to, by name. They are part of the experiment's identity."""


def is_call(command: Sequence[str]) -> bool:
    """Whether a command is `FILE.py:FUNCTION …`."""
    path, colon, name = command[0].rpartition(":") if command else ("", "", "")
    return bool(colon) and path.endswith(".py") and all(part.isidentifier() for part in name.split("."))


def parse_call(command: Sequence[str]) -> Call:
    """Read a command such as `train.py:train --set lr=0.1 --set layers=[8,8]`. Raises UsageError or ScriptError."""
    path, _, name = command[0].rpartition(":")
    if not os.path.isfile(path):
        raise ScriptError(f"no such script: {path}{did_you_mean(path, scripts_beside(path))}")
    if not Path(path).stem.isidentifier():
        raise ScriptError(f"{path} cannot be imported under that name: rename it, letters, digits and _ only")
    config = parse_settings(command)
    check_call_in_file(path, name, list(config))
    return Call(tuple(command), (default_python(), str(CALL), f"{path}:{name}", PLACEHOLDER, json.dumps(config)))


def parse_settings(command: Sequence[str]) -> dict[str, Any]:
    """The settings of a command such as `train.py:train --set lr=0.1`. Raises UsageError."""
    config: dict[str, Any] = {}
    rest = list(command[1:])
    while rest:
        word = rest.pop(0)
        if word != "--set" or not rest:
            alone = next((name for name in list(command[1:]) if "=" not in name and not name.startswith("-")), "")
            if not word.startswith("-") and alone:  # --set lr 0.1
                raise UsageError(
                    f"--set takes NAME=VALUE in one word: did you mean --set {alone}={word if word != alone else 'VALUE'}?"
                )
            given = word.lstrip("-") + (f"={rest[0]}" if rest and "=" not in word else "")
            meant = f": did you mean --set {given}?" if "=" in given else ""
            raise UsageError(f"{command[0]} takes settings, --set NAME=VALUE, and no word {word}{meant}")
        key, equals, text = rest.pop(0).partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(
                f"--set takes NAME=VALUE with a name that an argument can have; got {key + equals + text!r}"
            )
        if key == "seed":
            raise UsageError("--set seed=…: the function receives the seed from Seedwise; name the seeds with --seeds")
        if key in config:
            raise UsageError(f"--set {key}=… stands twice: a setting has one value")
        config[key] = _value(text)
    return config


def _value(text: str) -> Any:
    """Read a value as JSON or Python: numbers, true, false, null, lists and so on. Anything else is text."""
    import ast

    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return text


@contextmanager
def carried(function: Callable[..., object], config: Mapping[str, object], base: Path) -> Iterator[Call]:
    """The call of a function of this process. The function is written to a file that exists inside the `with` block.

    Raises
    ------
    UsageError
        The function or its configuration cannot be carried into another process. The message says why.
    """
    import shutil
    import tempfile

    import cloudpickle

    name = getattr(function, "__qualname__", None) or type(function).__name__
    try:
        data = _as_in_memory(function, config) or cloudpickle.dumps((function, dict(config)))
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


def _as_in_memory(function: Callable[..., object], config: Mapping[str, Any]) -> bytes | None:
    """Pickle the function with the user's own modules as they are in memory, not as they are on disk.

    None if this is not possible.
    """
    import cloudpickle

    named: list[types.ModuleType] = []
    for module in list(sys.modules.values()):
        if (
            isinstance(module, types.ModuleType)
            and module.__name__ not in ("__main__", "__mp_main__")
            and _is_users(module)
        ):
            with suppress(ValueError):
                cloudpickle.register_pickle_by_value(module)
                named.append(module)
    try:
        return bytes(cloudpickle.dumps((function, dict(config))))
    except Exception:  # noqa: BLE001 (whatever a module's contents raise while they are pickled)
        return None
    finally:
        for module in named:
            with suppress(ValueError):
                cloudpickle.unregister_pickle_by_value(module)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:40]}…{hashlib.sha256(_bytes(value)).hexdigest()[:8]}"


def fingerprint(function: Callable[..., object], config: Mapping[str, object]) -> dict[str, str]:
    """Digests of the function's code and of every global, closure cell, default and setting that it refers to.

    Functions and classes of the user's that it refers to are followed. Modules count by name and version. File names
    and line numbers do not count, so a notebook cell that is run again gives the same function.
    """
    found: dict[str, str] = {}
    seen: set[int] = set()
    name = getattr(function, "__qualname__", "function")
    if isinstance(function, types.FunctionType) and _installed(function):
        # a library's function that was made for this call: its closure distinguishes it from others
        found[name] = f"{function.__module__}.{function.__qualname__}"
        for part, inner in _held_by(name, function):
            _follow(part, inner, found, seen)
    else:
        _follow(name, function, found, seen)
    for key, value in config.items():
        _follow(f"setting {key}", value, found, seen)
    return found


def _follow(name: str, value: Any, found: dict[str, str], seen: set[int]) -> None:
    if isinstance(value, types.MethodType | types.FunctionType | type):
        if id(value) in seen:
            return
        seen.add(id(value))
    if isinstance(value, types.ModuleType):
        found[name] = f"module {value.__name__} {getattr(value, '__version__', '')}".strip()
    elif isinstance(value, types.MethodType):
        _follow(f"{name}", value.__func__, found, seen)
        _follow(f"{name}.__self__", value.__self__, found, seen)
    elif isinstance(value, types.FunctionType) and not _installed(value):
        found[name] = hashlib.sha256(_code(value.__code__)).hexdigest()[:16]
        for part, inner in _used_by(name, value):
            _follow(part, inner, found, seen)
    elif isinstance(value, type) and not _installed(value):
        found[name] = f"class {value.__qualname__}"
        for part, inner in _parts_of(name, value):
            _follow(part, inner, found, seen)
    elif isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        found[name] = f"{value.__module__}.{value.__qualname__}"
    else:
        found[name] = hashlib.sha256(_bytes(value)).hexdigest()[:16]


def _held_by(name: str, function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """A function's defaults, and the contents of its closure."""
    code = function.__code__
    for k, default in enumerate([*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]):
        yield f"{name} default {k + 1}", default
    for cell_name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            inner = cell.cell_contents
        except ValueError:  # not set yet
            continue
        yield f"{cell_name} (around {name})", inner
        yield from _used_of(inner, _names(code))


def _used_by(name: str, function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function holds (defaults and closure), and the globals that it uses."""
    yield from _held_by(name, function)
    names, module = sorted(_names(function.__code__)), function.__module__ or ""
    for used in names:
        if used in function.__globals__:
            yield f"{module}.{used}".removeprefix("__main__."), function.__globals__[used]
            yield from _used_of(function.__globals__[used], names)


def _parts_of(name: str, kind: type) -> Iterator[tuple[str, Any]]:
    """The methods and attributes of a class, and its bases."""
    for key, part in sorted(vars(kind).items(), key=lambda item: item[0]):
        if not (key.startswith("__") and not callable(part)):
            yield f"{name}.{key}", getattr(part, "__func__", None) or getattr(part, "fget", None) or part
    for base in kind.__bases__:
        yield f"{name}'s {base.__name__}", base


def _used_of(module: Any, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The parts of one of the user's modules that are used, as they are in memory."""
    if isinstance(module, types.ModuleType) and _is_users(module):
        for part in sorted(names):
            if part in vars(module):
                yield f"{module.__name__}.{part}", vars(module)[part]


def _installed(value: Any) -> bool:
    from seedwise_guest.protocol import is_user_file

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
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    shape = repr((code.co_names, code.co_varnames, code.co_freevars, counts)).encode()
    return b"\0".join([code.co_code, code.co_exceptiontable, shape, *constants])


def _is_users(module: types.ModuleType) -> bool:
    from seedwise_guest.protocol import is_user_file

    return bool(getattr(module, "__file__", None)) and is_user_file(str(module.__file__))


def _class(kind: type) -> bytes:
    found: dict[str, str] = {}
    _follow(kind.__qualname__, kind, found, set())
    return repr(sorted(found.items())).encode()


_inside: set[int] = set()
"""The containers whose bytes are being computed. A container may contain itself."""


def _bytes(value: Any) -> bytes:
    """Bytes that are equal for equal values. The order of sets does not matter."""
    if isinstance(value, Mapping | set | frozenset | list | tuple) or hasattr(value, "__dict__"):
        if id(value) in _inside:
            return b"itself"
        _inside.add(id(value))
        try:
            return _bytes_of(value)
        finally:
            _inside.discard(id(value))
    return _bytes_of(value)


def _bytes_of(value: Any) -> bytes:
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
    if hasattr(value, "__dict__") and not isinstance(value, type) and not _installed(type(value)):
        kind = type(value)  # a class of the user's: where it is referred to, it is followed
        return f"{kind.__qualname__}:".encode() + _bytes(vars(value)) + hashlib.sha256(_class(kind)).digest()
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(value))
    except Exception:  # noqa: BLE001 (whatever a user object raises while it is pickled)
        return f"{type(value).__module__}.{type(value).__qualname__}".encode()
