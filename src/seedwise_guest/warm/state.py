"""What an import may depend on and change, beside modules: environment, search path, warning filters and a few more."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

_IGNORED = ("SEEDWISE_", "PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "TMPDIR", "CUDA_VISIBLE_DEVICES")
"""Ours, or read only at the start of the interpreter or of a device: no import depends on them."""


def follows_the_seed(variable: str) -> bool:
    """Whether a script may put its seed there: Lightning's PL_GLOBAL_SEED. Of those only the presence belongs to the state: a library
    that reads the value while it is imported is left to the runs.
    """
    return isinstance(variable, str) and "SEED" in variable and not variable.startswith(_IGNORED)


_arguments: list[str] = sys.argv[1:]


def set_arguments(arguments: list[str]) -> None:
    """What the command line of this run is; `take` says whether it is still that."""
    global _arguments
    _arguments = list(arguments)
    global _last
    _last = None


_last: tuple[Any, dict[str, Any]] | None = None


def take() -> dict[str, Any]:
    """The state now, as plain values that can be compared and sent; the same object while nothing changes."""
    global _last
    warnings = sys.modules.get("warnings")
    raw = (
        getattr(os.environ, "_data", None) or dict(os.environ),
        sys.path,
        getattr(warnings, "filters", None),
        sys.argv,
        (_folder(), sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold(), _root_logger(), _settings()),
    )
    if _last is None or raw != _last[0]:
        _last = (
            (dict(raw[0]), list(sys.path), list(raw[2] or ()) if raw[2] is not None else None, list(sys.argv), raw[4]),
            _take(),
        )
    return _last[1]


def _take() -> dict[str, Any]:
    return {
        "environ": {
            k: "" if follows_the_seed(k) else os.environ[k] for k in os.environ if not k.startswith(_IGNORED)
        },  # ours are not even read: see `Asked`
        "path": list(sys.path),
        "filters": _filters(),
        "fixed": [
            _folder(),
            sys.argv[1:] == _arguments,
            sys.getrecursionlimit(),
            gc.isenabled(),
            list(gc.get_threshold()),
            *_root_logger(),
            *_settings(),
        ],
    }


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _root_logger() -> list[int]:
    logging = sys.modules.get("logging")
    root = getattr(logging, "root", None)
    return [30, 0] if root is None else [root.level, len(root.handlers)]


def _settings() -> list[str]:
    """Settings of libraries and of the process, where they are not the usual ones."""
    found = []
    torch = sys.modules.get("torch")
    dtype = getattr(torch, "get_default_dtype", None)
    if dtype is not None:
        try:
            kind, fixed, grad = str(dtype()), torch._C._get_deterministic_algorithms(), torch.is_grad_enabled()  # type: ignore[union-attr]
        except (AttributeError, RuntimeError):  # still being imported
            kind, fixed, grad = "torch.float32", False, True
        found += [kind] * (kind != "torch.float32") + ["deterministic"] * fixed + ["no grad"] * (not grad)
    numpy = sys.modules.get("numpy")
    errors = getattr(numpy, "geterr", None)
    if errors is not None and not getattr(getattr(numpy, "__spec__", None), "_initializing", False):
        now = errors()
        if now != {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}:
            found.append(str(sorted(now.items())))
    decimal = sys.modules.get("decimal")
    if decimal is not None and hasattr(decimal, "getcontext") and decimal.getcontext().prec != 28:
        found.append(f"decimal {decimal.getcontext().prec}")
    hooks = {"excepthook": sys.excepthook, "displayhook": sys.displayhook}
    found += [name for name, hook in hooks.items() if hook is not getattr(sys, f"__{name}__") and not _is_ours(hook)]
    return found


def _is_ours(hook: Any) -> bool:
    """The hook that shows what ran in place of the typed seed: a parent has placed no seed."""
    return str(getattr(hook, "__module__", "")).startswith("seedwise_guest.")


def _filters() -> list[list[Any]]:
    warnings = sys.modules.get("warnings")
    found = []
    for action, message, category, module, line in getattr(warnings, "filters", ()):
        parts = [
            [None if p is None else p if isinstance(p, str) else p.pattern, isinstance(p, str)]
            for p in (message, module)
        ]
        flags = getattr(message, "flags", 0)
        found.append([action, parts[0], int(flags), f"{category.__module__}:{category.__qualname__}", parts[1], line])
    return found


def put(wanted: dict[str, Any]) -> None:
    """Bring environment, search path and warning filters to `wanted`. Raises LookupError for a category that is not there."""
    for name in [k for k in os.environ if not k.startswith(_IGNORED) and k not in wanted["environ"]]:
        del os.environ[name]
    for name, value in wanted["environ"].items():
        if follows_the_seed(name):
            os.environ.setdefault(name, "0")
        elif os.environ.get(name) != value:
            os.environ[name] = value
    if sys.path != wanted["path"]:
        sys.path[:] = wanted["path"]
    if _filters() != wanted["filters"]:
        import warnings

        filters: Any = warnings.filters
        filters[:] = [_filter(*parts) for parts in wanted["filters"]]
        if hasattr(warnings, "_filters_mutated"):
            warnings._filters_mutated()


def _filter(action: str, message: Any, flags: int, category: str, module: Any, line: int) -> tuple[Any, ...]:
    import re

    def pattern(part: Any, flags: int) -> Any:
        text, plain = part
        return text if text is None or plain else re.compile(text, flags)

    owner, _, name = category.partition(":")
    kind = getattr(sys.modules[owner], name)
    return (action, pattern(message, flags), kind, pattern(module, 0), line)


def same(one: dict[str, Any], other: dict[str, Any]) -> str:
    """ "" if the states are equal, else the first thing that differs, in words."""
    for name in ("environ", "path", "filters", "fixed"):
        if one[name] != other[name]:
            if name == "environ":
                a, b = one[name], other[name]
                names = sorted(k for k in {*a, *b} if a.get(k) != b.get(k))
                return f"the environment ({', '.join(names[:3])})"
            return {
                "path": "sys.path",
                "filters": "the warning filters",
                "fixed": "the working directory, the arguments, logging or another setting of the process",
            }[name]
    return ""
