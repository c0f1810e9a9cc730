"""Tells who makes a call: the user's own code, a library that this code called, or the import system."""

from __future__ import annotations

import os
import sys
from types import FrameType

from ..process.frames import is_guest_file, is_user_file

_THROUGH = frozenset(
    "os.py glob.py pathlib.py fnmatch.py shutil.py contextlib.py _local.py _abc.py _os.py types.py".split()
)
_STANDARD = frozenset(getattr(sys, "stdlib_module_names", ())) - {"__main__"}


def direct(frame: FrameType | None) -> str | None:
    """`file:line` if the user's own code made the call; None otherwise."""
    while frame is not None and is_guest_file(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is not None and (is_user_file(frame.f_code.co_filename) or frame.f_code.co_filename == "<string>"):
        return f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return None


def through_library(frame: FrameType | None) -> str | None:
    """As `direct`, but the call may also have gone through a library.

    This is `glob`, `pathlib`, `os.walk` and similar functions, or an installed library.
    """
    while frame is not None:
        path = frame.f_code.co_filename
        if is_user_file(path) or path == "<string>":
            return f"{path}:{frame.f_lineno}"
        if path.startswith("<frozen importlib") or "importlib" in path:
            return None
        library = "site-packages" in path or "dist-packages" in path
        frozen = path.startswith("<frozen ") or path.startswith("<__array_function__")
        if not (is_guest_file(path) or os.path.basename(path) in _THROUGH or library or frozen):
            return None
        frame = frame.f_back
    return None


def from_any(frame: FrameType | None) -> str | None:
    """The user's innermost line, whatever the call went through. None if an import made it, or no code of the user's."""
    while frame is not None:
        path = frame.f_code.co_filename
        if is_user_file(path) or path == "<string>":
            return f"{path}:{frame.f_lineno}"
        if path.startswith("<frozen importlib"):
            return None
        frame = frame.f_back
    return None


def maker_of(frame: FrameType | None) -> str:
    """The installed library that the user's line called and that made something; "" if the line made it itself.

    NumPy and torch, which make generators for everybody, do not count.
    """
    found = ""
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        library = library_of(frame)
        if library not in ("", "numpy", "torch"):
            found = library
        frame = frame.f_back
    return found if frame is not None else ""


def library_of(frame: FrameType) -> str:
    """The installed library whose code this is; "" for the user's, the guest's and the standard library's own code."""
    path = frame.f_code.co_filename
    if is_guest_file(path) or is_user_file(path):
        return ""
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return "" if module in _STANDARD or module == "seedwise_guest" else module
