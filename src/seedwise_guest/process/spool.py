"""What a process writes into the spool, the folder through which it talks to the host.

Each process has one file of JSON lines.
"""

from __future__ import annotations

import json
import os
from os import getpid  # the real function, before anything replaces it
from time import time_ns
from typing import Any

from ..protocol import PROTOCOL, SPOOL

_fd: int | None = None
_owner = 0


def folder() -> str:
    """The spool of this run; "" outside a run."""
    return os.environ.get(SPOOL, "")


def send(message: str, /, **fields: Any) -> None:
    """Append one message.

    Each message is written in a single call, so a process that is killed leaves only whole lines.
    """
    global _fd, _owner
    place = folder()
    if not place:
        return
    if _fd is None or _owner != getpid():
        _owner = getpid()
        name = os.path.join(place, f"{_owner}-{time_ns()}.jsonl")
        try:
            _fd = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return  # the run goes on; the host notices that nothing was said
    line = json.dumps({"v": PROTOCOL, "type": message, "pid": _owner, **fields}, separators=(",", ":"))
    data = line.encode("utf-8", "surrogatepass") + b"\n"
    while data:
        try:
            data = data[os.write(_fd, data) :]
        except OSError:
            return


def let_go() -> None:
    """Close the file of this process; the next message opens another one. A child may close every file that it inherits."""
    global _fd
    if _fd is not None and _owner == getpid():
        os.close(_fd)
        _fd = None


def claim(name: str) -> bool:
    """Whether this process is the first one in the run that asks for `name`."""
    try:
        os.close(os.open(os.path.join(folder(), name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:
        return False
    return True
