"""Something that a user's file defines, imported into this process under the name that `import` would give it."""

import importlib.util
import sys
from pathlib import Path
from types import FunctionType, ModuleType

from ..errors import ScriptError, UsageError
from ..typos import did_you_mean
from .command import scripts_beside

_sources: dict[str, bytes] = {}
"""File → its text when it was imported here."""


def module_at(path: str) -> ModuleType:
    """The module of a file; once it is imported, it stays until the file changes.

    Raises
    ------
    ScriptError
        There is no such file, or it cannot be imported; the message says why.
    """
    file = Path(path)
    if not file.is_file():
        raise ScriptError(f"no such script: {path}{did_you_mean(path, scripts_beside(path))}")
    known, source = sys.modules.get(file.stem), file.read_bytes()
    if known is not None and getattr(known, "__file__", None) == str(file.absolute()):
        if _sources.get(str(file.absolute()), source) == source:
            return known
        importlib.invalidate_caches()
    specification = importlib.util.spec_from_file_location(file.stem, file.absolute())
    if specification is None or specification.loader is None:
        raise ScriptError(f"{path} cannot be imported: it is no file of Python")
    module = importlib.util.module_from_spec(specification)
    folder = str(file.absolute().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[file.stem] = module
    try:
        exec(
            compile(source, str(file.absolute()), "exec"), vars(module)
        )  # not from a cached file: its time may be that of the edit
    except BaseException as error:
        sys.modules.pop(file.stem, None)
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ScriptError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    _sources[str(file.absolute())] = source
    return module


def found_in(path: str, name: str) -> object:
    """What a file calls `name` (`Net`, or `Net.small`). Raises ScriptError as `module_at`, UsageError for an unknown name."""
    found: object = module_at(path)
    for part in name.split("."):
        there = names_in(found)
        if not hasattr(found, part):
            shown = f"; there are: {', '.join(there[:12])}" if there else ""
            raise UsageError(f"{path} has no {name}{did_you_mean(part, there) or shown}")
        found = getattr(found, part)
    return found


def names_in(place: object) -> list[str]:
    """The names that a file, or a class, defines itself."""
    own = place.__name__ if isinstance(place, ModuleType) else None
    found = []
    for name, value in vars(place).items():
        borrowed = isinstance(value, type | FunctionType) and own is not None and value.__module__ != own
        if not (name.startswith("_") or isinstance(value, ModuleType) or borrowed):
            found.append(name)
    return found
