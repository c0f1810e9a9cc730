"""`file:line`, as it is shown."""

import os
import re

_MADE_AT = re.compile(r" (?:(?:made|drawn) )?at (\S.*:\d+)$")


def short_place(where: str) -> str:
    """From the working folder on, where the file lies below it; for `file:key` too."""
    path, colon, line = where.rpartition(":")
    if not colon:
        return where
    relative = os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
    return f"{relative}:{line}"


def without_place(generator: str) -> str:
    """A generator's name in the ledger, without the line that made it."""
    return _MADE_AT.sub("", generator)


def with_short_place(generator: str) -> str:
    """The same with that line in short."""
    return _MADE_AT.sub(lambda found: found[0].replace(found[1], short_place(found[1])), generator)
