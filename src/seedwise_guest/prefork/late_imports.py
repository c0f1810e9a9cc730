"""A fresh run reports what its libraries import later, inside their functions.

The process that forks can then import it as well.

For example, torch imports half of its modules in the first step of an optimizer. Late imports of the user's own code
are not reported: they may depend on what that code did before, and so on the seed.
"""

from __future__ import annotations

import _thread
import os
import sys
from typing import Any

from ..process import spool
from ..process.imports import is_standard, users_by_name, wrap_imports


def announce_imports() -> None:
    """From now on, report each import of a library that a function of an installed library begins."""
    thread = _thread.get_ident()
    inside: list[object] = []
    is_users = users_by_name()

    def begin(name: str) -> object:
        token = object()
        if not inside and _thread.get_ident() == thread and not is_standard(name) and not is_users(name):
            inside.append(token)
            if _is_begun_by_library(sys._getframe(1)):
                spool.send("importing", name=name)
        return token

    def end(token: Any, ok: bool) -> None:
        if inside and inside[0] is token:
            inside.clear()

    wrap_imports(begin, end)


def _is_begun_by_library(frame: Any) -> bool:
    """Whether the innermost frame outside the standard library is that of an installed package."""
    from ..process.frames import is_user_file

    while frame is not None:
        path = frame.f_code.co_filename
        parts = path.split(os.sep)
        if "site-packages" in parts or "dist-packages" in parts:
            return True
        if is_user_file(path):
            return False
        frame = frame.f_back
    return False
