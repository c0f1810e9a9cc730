"""Watches imports.

Other modules can have something called after a module has been imported, or before and after every import, and can
ask whose module it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable

from .frames import is_user_file

Action = Callable[[ModuleType], None]


class _Loader:
    """Stands in for a module's loader while the module is executed. Then the real loader takes its place again."""

    def __init__(self, loader: Any, finder: _Finder, name: str) -> None:
        self._loader = loader
        self._finder = finder
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        result: ModuleType | None = self._loader.create_module(spec)
        return result

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._finder.imported(self._name, module)


class _Finder:
    """Stands first on `sys.meta_path`. It answers only for the modules that somebody waits for."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Action]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self.waiting:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self, name)  # type: ignore[assignment]
                return spec
        return None

    def imported(self, name: str, module: ModuleType) -> None:
        for action in self.waiting.pop(name, []):
            action(module)
        if not self.waiting and self in sys.meta_path:
            sys.meta_path.remove(self)


_finder = _Finder()


def when_imported(name: str, action: Action) -> None:
    """Call `action(module)` right after module `name` has been executed.

    If the module is imported already, call it at once.
    """
    module = sys.modules.get(name)
    if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
        action(module)
        return
    _finder.waiting.setdefault(name, []).append(action)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def forget(name: str, action: Action) -> None:
    """Cancel a `when_imported` whose action has not been called yet."""
    actions = _finder.waiting.get(name, [])
    if action in actions:
        actions.remove(action)
    if not actions:
        _finder.waiting.pop(name, None)
    if not _finder.waiting and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


_WRAPPER = """
def _find_and_load(name, import_):
    watched = begin(name)
    try:
        module = find_and_load(name, import_)
    except BaseException:
        end(watched, False)
        raise
    end(watched, True)
    return module
"""


def wrap_imports(begin: Callable[[str], Any], end: Callable[[Any, bool], None]) -> Callable[[], None]:
    """Call functions before and after each import of a module that is not yet in `sys.modules`.

    They are called as `begin(name)` and `end(what begin returned, success)`.

    The frame in between has importlib's own file name. So tracebacks and `stacklevel` skip it, as they skip
    importlib's frames. Returns a function that removes the wrapper.
    """
    bootstrap: Any = sys.modules["_frozen_importlib"]
    original = bootstrap._find_and_load
    namespace: dict[str, Any] = {"begin": begin, "end": end, "find_and_load": original}
    exec(compile(_WRAPPER, "<frozen importlib._bootstrap>", "exec", dont_inherit=True), namespace)
    wrapper = bootstrap._find_and_load = namespace["_find_and_load"]

    def undo() -> None:
        if bootstrap._find_and_load is wrapper:
            bootstrap._find_and_load = original

    return undo


def is_standard(name: str) -> bool:
    """Whether a module belongs to the standard library, judged by its name."""
    return name.partition(".")[0] in getattr(sys, "stdlib_module_names", ())


def belongs_to_user(name: str) -> bool:
    """Whether a module that is about to be imported is the user's or Seedwise's.

    The place of its top package decides.
    """
    top = name.partition(".")[0]
    if top in ("seedwise", "seedwise_guest") or "." in top:
        return True
    spec = getattr(sys.modules.get(top), "__spec__", None) or _spec_of(top)
    if spec is None or spec.origin in ("built-in", "frozen"):
        return False
    places = [spec.origin] if spec.origin else [os.path.join(p, "x.py") for p in spec.submodule_search_locations or ()]
    return any(is_user_file(place) for place in places if place)


def users_by_name() -> Callable[[str], bool]:
    """A function that says whether a module is the user's, judged by the place of its top package.

    It looks for each package once.
    """
    known: dict[str, bool] = {}

    def is_users(name: str) -> bool:
        top = name.partition(".")[0]
        if top in known:
            return known[top]
        answer = belongs_to_user(top)
        if top in sys.modules:  # a package that is not imported yet may be found later
            known[top] = answer
        return answer

    return is_users


def _spec_of(top: str) -> ModuleSpec | None:
    for finder in list(sys.meta_path):  # editable installs have their own finders
        find = getattr(finder, "find_spec", None)
        try:
            spec: ModuleSpec | None = None if find is None else find(top, None)
        except (ImportError, ValueError, AttributeError):
            continue
        if spec is not None:
            return spec
    return None


def attributes_of(module: Any) -> dict[str, Any]:
    """The attributes of a module, without a call of its `__getattr__`: a lazy module would load itself."""
    try:
        found = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}
    return found if isinstance(found, dict) else {}
