"""Which interpreter starts when a user types `python`."""

import shutil

from ..errors import ScriptError


def default_python() -> str:
    """The name of the interpreter that starts when a user types `python`. Raises ScriptError if there is none."""
    for name in ("python", "python3"):
        if shutil.which(name):
            return name
    raise ScriptError("no python on PATH")
