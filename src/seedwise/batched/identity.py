"""What a description holds, as digests: by it runs are recognised as those of one experiment."""

import hashlib
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from ..experiments.functions import fingerprint

_DATA = ("train", "test", "validation")


def identity_of(described: Mapping[str, object]) -> dict[str, str]:
    """Digests of code, settings and data, by name."""
    found: dict[str, str] = {"torch": _version("torch")}
    for name, value in described.items():
        if name in _DATA:
            found[name] = _digest_of_data(value)
        elif callable(value):
            found.update({f"{name}: {part}": text for part, text in _followed(value).items()})
        elif isinstance(value, frozenset):
            found[name] = ", ".join(sorted(map(str, value)))
        elif isinstance(value, Mapping):
            for key, function in value.items():
                found.update({f"{name}: {key}: {part}": text for part, text in _followed(function).items()})
        else:
            found[name] = repr(value)
    return found


def _followed(function: Callable[..., object]) -> dict[str, str]:
    inner = getattr(function, "func", None)  # functools.partial
    if inner is None:
        return fingerprint(function, {})
    settings = dict(enumerate(getattr(function, "args", ()))) | dict(getattr(function, "keywords", {}))
    return fingerprint(inner, {str(name): value for name, value in settings.items()})


def _digest_of_data(pair: object) -> str:
    """A digest of inputs and targets: their types, shapes and numbers."""
    if pair is None:
        return ""
    parts = pair if isinstance(pair, tuple | list) else getattr(pair, "tensors", ())
    digest = hashlib.sha256()
    for part in parts:
        on_cpu = getattr(part, "cpu", None)  # a tensor may be on a GPU
        array = np.ascontiguousarray(np.asarray(part if on_cpu is None else part.detach().cpu()))
        digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
