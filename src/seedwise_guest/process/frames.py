"""Whose code is running: finds the user's own files, and the user's line from which a call came."""

from __future__ import annotations

import os
import sys
from types import FrameType

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def _library_roots() -> tuple[str, ...]:
    # not from sysconfig: this runs while modules are being loaded, and must not load any itself
    version = "python%d.%d" % sys.version_info[:2]
    roots = {os.path.dirname(os.__file__), os.path.dirname(sys.executable or os.__file__)}
    for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix):
        roots |= {
            os.path.join(prefix, "lib", version),
            os.path.join(prefix, "lib64", version),
            os.path.join(prefix, "bin"),
        }
    roots |= {os.path.realpath(root) for root in roots}
    return tuple(sorted(root.rstrip(os.sep) + os.sep for root in roots))


_roots: tuple[str, ...] = ()
_known: dict[str, bool] = {}


def is_user_file(path: str) -> bool:
    """Whether `path` is the user's own file.

    Files of the standard library, site-packages, an environment's scripts, and Seedwise are not.
    """
    known = _known.get(path)
    if known is None:
        known = _known[path] = _is_user_file(path)
    return known


def _is_user_file(path: str) -> bool:
    global _roots
    if not path or path.startswith("<") or path.startswith(_HERE):
        return False
    _roots = _roots or _library_roots()
    full = os.path.abspath(path)
    parts = full.split(os.sep)
    if "site-packages" in parts or "dist-packages" in parts:
        return False
    if full.startswith(_roots):
        return False
    beside = os.path.join(os.path.dirname(_HERE.rstrip(os.sep)), "seedwise") + os.sep
    return not full.startswith(beside) and not _is_installed(full) and not _is_editable(full)


_MOST_ABOVE = 8
_open, _listdir = open, os.listdir
"""As they are before `check` replaces them: its own ask whose code it is that calls."""
_installed: dict[str, frozenset[str]] = {}


def _is_installed(path: str) -> bool:
    """Whether the file belongs to a package that was installed in a folder of its own: `pip install --target`, vendored."""
    for _ in range(_MOST_ABOVE):
        folder, name = os.path.split(path)
        if not name:
            return False
        if name in _installed_in(folder):
            return True
        path = folder
    return False


def _installed_in(folder: str) -> frozenset[str]:
    """The packages and modules in a folder of which installed metadata (`*.dist-info/RECORD`) says that they are its own."""
    found = _installed.get(folder)
    if found is None:
        names: set[str] = set()
        try:
            inside = [name for name in _listdir(folder) if name.endswith(".dist-info")]
        except OSError:
            inside = []
        for name in inside:
            try:
                with _open(os.path.join(folder, name, "RECORD"), encoding="utf-8") as record:
                    names.update(line.partition("/")[0].partition(",")[0].strip('"') for line in record)
            except (OSError, ValueError):
                continue
        found = _installed[folder] = frozenset(names)
    return found


_editable: list[str] | None = None


def _is_editable(path: str) -> bool:
    """Whether the file belongs to somebody's package that was installed with `pip install --editable` from its own folder.

    The script's own project, and the one in which the user stands, are the user's, however they were installed. So is
    every such project where no script is named: `python -m project.train`, or the project's own command.
    """
    global _editable
    words = getattr(sys, "orig_argv", sys.argv)[1:]
    scripts = [os.path.abspath(word) for word in words if word.endswith((".py", ".ipynb")) and os.path.exists(word)]
    own = [os.getcwd(), *map(os.path.dirname, scripts)]
    if not scripts or any(path.startswith(folder.rstrip(os.sep) + os.sep) for folder in own):
        return False
    if _editable is None:
        _editable = _editable_projects()
    return any(
        path.startswith(project) and not any((folder + os.sep).startswith(project) for folder in own)
        for project in _editable
    )


def _editable_projects() -> list[str]:
    """The folders of the packages that are installed as editable, as `direct_url.json` of their metadata says."""
    import json

    found = []
    for folder in sys.path:
        if os.path.basename(folder) not in ("site-packages", "dist-packages"):
            continue
        for name in _listdir(folder) if os.path.isdir(folder) else ():
            source = os.path.join(folder, name, "direct_url.json")
            if not name.endswith(".dist-info") or not os.path.exists(source):
                continue
            try:
                with _open(source, encoding="utf-8") as file:
                    data = json.load(file)
            except (OSError, ValueError):
                continue
            url = str(data.get("url", ""))
            if data.get("dir_info", {}).get("editable") and url.startswith("file://"):
                found.append(url[len("file://") :].rstrip("/") + os.sep)
    return found


def is_guest_file(path: str) -> bool:
    """Whether `path` is one of this package's files."""
    return path.startswith(_HERE)


def is_importing(frame: FrameType | None) -> bool:
    """Whether a library's import made this call, and not the user's own code."""
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def importing_module(frame: FrameType | None) -> str:
    """The name of the module whose body is running; of the innermost one if there are several."""
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return "" if frame is None else str(frame.f_globals.get("__name__"))


def location(frame: FrameType | None = None) -> str:
    """`file:line` of the innermost frame in the user's own code.

    If there is none: of the outermost frame that is in a file.
    """
    frame = frame or sys._getframe(1)
    last = frame
    while frame is not None:
        if is_user_file(frame.f_code.co_filename) or frame.f_code.co_filename in ("<string>", "<stdin>"):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if not frame.f_code.co_filename.startswith("<"):
            last = frame
        frame = frame.f_back
    return f"{last.f_code.co_filename}:{last.f_lineno}"
