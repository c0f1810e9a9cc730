"""Tells the host what this run's processes, threads and names are called, so that it knows them in what is printed."""

from __future__ import annotations

import base64
from itertools import count
from os import getpid  # the real function, before it is watched
from typing import Any

from ..process import spool
from ..process.imports import when_imported

_MOST = 5_000
_told = [0]


def tell_identity(kind: str, name: str) -> None:
    """Report one name: `number` for a process or a thread, `word` for anything that was drawn to be a name."""
    _told[0] += 1
    if _told[0] <= _MOST:
        spool.send("identity", kind=kind, name=name)


def tell_drawn(data: bytes) -> None:
    """Report bytes that the system gave, in every form in which they are printed as a name."""
    if not 3 <= len(data) <= 64:
        return
    tell_identity("word", data.hex())
    if len(data) == 16:
        marked = bytearray(data)  # as `uuid4` marks them with its version
        marked[6], marked[8] = marked[6] & 0x0F | 0x40, marked[8] & 0x3F | 0x80
        tell_identity("word", bytes(marked).hex())
    tell_identity("word", base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii"))


def watch_identities() -> None:
    """Report the numbers of processes, of threads and of the ports that the system gives, and the names of temporary files."""
    import os
    from _thread import get_ident

    tell_identity("number", str(getpid()))
    tell_identity("number", str(os.getppid()))
    tell_identity("number", str(get_ident()))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_tell_child)
    when_imported("tempfile", _watch_tempfile)
    when_imported("socket", _watch_ports)


def _tell_child() -> None:
    tell_identity("number", str(getpid()))
    spool.let_go()


def tell_thread(thread: Any) -> None:
    """Report the numbers of a thread that was started."""
    for number in (thread.ident, getattr(thread, "native_id", None)):
        if number is not None:
            tell_identity("number", str(number))


def _watch_ports(module: Any) -> None:
    kind = module.socket
    name = kind.getsockname
    told: set[int] = set()

    def own(self: Any) -> Any:
        found = name(self)
        if self.family in (module.AF_INET, module.AF_INET6) and found[1] and found[1] not in told:
            told.add(found[1])
            tell_identity("number", str(found[1]))
        return found

    kind.getsockname = own


def _watch_tempfile(module: Any) -> None:
    names = getattr(module, "_RandomNameSequence", None)
    if names is None:
        return
    following = names.__next__

    def own(self: Any) -> Any:
        name = following(self)
        tell_identity("word", str(name))
        return name

    names.__next__ = own


def number_names() -> None:
    """Give temporary files numbers in the order in which they are made, in the place of names that are drawn."""
    when_imported("tempfile", _number_names)


def _number_names(module: Any) -> None:
    names = getattr(module, "_RandomNameSequence", None)
    if names is not None:
        numbers = count()
        names.__next__ = lambda self: f"{next(numbers):08d}"
