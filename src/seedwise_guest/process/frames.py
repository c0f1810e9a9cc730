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
    return not full.startswith(beside)


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
