"""A forked child becomes a run: its own session, output files, files, environment and arguments."""

from __future__ import annotations

import fcntl
import functools
import gc
import json
import os
import stat
import sys
from typing import Any, Optional

from ..sandbox import world

Made = tuple[str, int, Optional[bytes]]
"""Path, mode, and the content of a file; None for a folder."""


def become_run(
    request: dict[str, Any],
    printed: tuple[bytes, bytes],
    way_back: tuple[int, bool] | None,
    made: list[Made],
    own_arguments: bool,
) -> None:
    """Turn this process, a child that was just forked, into a run.

    Parameters
    ----------
    request
        What the host asked for.
    printed
        What the first lines have printed to standard output and to standard error. It comes first in the logs.
    way_back
        How to leave the private files of the process that forked this one.
    made
        Folders and files that the first lines have made in those private files. They are made again here.
    own_arguments
        Whether the command line differs from run to run.
    """
    os.setsid()
    _collect_all_when_asked()
    folder = os.getcwd()
    ours = way_back[0] if way_back is not None else -1
    read = [file for file in _files_that_are_read() if file[0] != ours]
    if way_back is not None:
        world.go_back(*way_back)
    for path, number, data in ((request["stdout"], 1, printed[0]), (request["stderr"], 2, printed[1])):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        os.dup2(opened, number)
        os.close(opened)
        while data:
            data = data[os.write(number, data) :]
    with open(request["specification"], encoding="utf-8", errors="surrogateescape") as file:
        spec = json.load(file)
    spec.update(supervisor=request["parent"], cwd=folder, nice=0)  # the first lines may have changed the folder
    spec["as_user"] = way_back is not None and way_back[1]
    try:
        if spec["targets"]:
            if world.enter(spec):  # in a user namespace
                world.drop_rights()
        for path, mode, content in made:
            _make(path, mode, content)
        world.settle(spec)
    except Exception as error:  # noqa: BLE001 (whatever it is, the host must hear of it)
        world.report(spec, error)
    os.environ.update(request["environment"])
    for number, path, position in read:
        _open_again(number, path, position)
    n = len(sys.argv) - 1
    if own_arguments and n and len(request["arguments"]) > n:
        sys.argv[1:] = request["arguments"][-n:]
        original: Any = getattr(sys, "orig_argv", [])
        original[-n:] = request["arguments"][-n:]


def _collect_all_when_asked() -> None:
    """Have the collector look at all objects again when somebody calls it or asks it for its objects.

    Objects that libraries made before the fork are kept from the collector (`gc.freeze`), because it would spend time
    on all of them at the end. Code that calls the collector itself must not notice this.
    """
    for name in ("collect", "get_objects", "get_referrers", "get_stats", "get_freeze_count"):
        original = getattr(gc, name)

        def whole(*args: Any, _original: Any = original, **kwargs: Any) -> Any:
            gc.unfreeze()
            return _original(*args, **kwargs)

        setattr(gc, name, functools.update_wrapper(whole, original))


def _make(path: str, mode: int, content: bytes | None) -> None:
    """Make a folder (no content) or a file, unless it exists."""
    try:
        if content is None:
            os.mkdir(path, mode)
            return
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            while content:
                content = content[os.write(handle, content) :]
        finally:
            os.close(handle)
    except FileExistsError:
        return


def _files_that_are_read() -> list[tuple[int, str, int]]:
    """Descriptor, path and position of each file that is open for reading."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        try:
            path = os.readlink(f"/proc/self/fd/{name}")
            flags = fcntl.fcntl(number, fcntl.F_GETFL)
            if number > 2 and stat.S_ISREG(os.fstat(number).st_mode) and flags & os.O_ACCMODE == os.O_RDONLY:
                found.append((number, path, os.lseek(number, 0, os.SEEK_CUR)))
        except OSError:
            continue
    return found


def _open_again(number: int, path: str, position: int) -> None:
    """Open a file again that was open for reading.

    This run then has its own position in it and its own view of the files.
    """
    try:
        try:
            opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # it has been removed
            opened = os.open(f"/proc/self/fd/{number}", os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(opened, position, os.SEEK_SET)
        os.dup2(opened, number, inheritable=os.get_inheritable(number))
        os.close(opened)
    except OSError:
        return
