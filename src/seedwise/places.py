"""How `file:line` is shown."""

import os
import re

from seedwise_guest.protocol import place_of

_MADE_AT = re.compile(r" (?:(?:made|drawn) )?at (\S.*:\d+)$")


def short_place(where: str) -> str:
    """`file:line` or `file:key` with a path relative to the working folder, if the file lies below it."""
    path, colon, line = where.rpartition(":")
    if not colon:
        return where
    relative = os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
    return place_of(relative, int(line)) if line.isdigit() else f"{relative}:{line}"


def without_place(generator: str) -> str:
    """The name that a generator has in the ledger, without the line that made it."""
    return _MADE_AT.sub("", generator)


def with_short_place(generator: str) -> str:
    """The name that a generator has in the ledger, with its line as `short_place` shows it."""
    return _MADE_AT.sub(lambda found: found[0].replace(found[1], short_place(found[1])), generator)
