"""How a forked child exits: it does what Python does for the user at the end.

It does not clear the libraries' modules.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from ..process.capture import modules


def leave(status: int) -> None:
    """Wait for threads, run atexit, clear the user's modules, flush every file, and exit with `status`.

    The modules of libraries are not cleared: to clear the two thousand modules of torch takes longer than many short
    runs.
    """
    _quietly(_join_threads)
    _quietly(_drop_tidying)
    import atexit

    _quietly(atexit._run_exitfuncs)
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            setattr(sys, name, None)
    mine = [module for _name, module in modules.mine()]
    for module in mine:
        _quietly(_empty, vars(module))
    _quietly(_collect)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BaseException:  # noqa: BLE001 (a full disk, a closed pipe: as at the end of an interpreter)
        status = status or 120
    _quietly(_flush)
    os._exit(status & 0xFF)


def _quietly(call: Any, *arguments: Any) -> None:
    try:
        call(*arguments)
    except BaseException:  # noqa: BLE001 (as at the end of an interpreter: it prints the error and goes on)
        try:
            import traceback

            traceback.print_exc()
        except BaseException:  # noqa: BLE001
            pass


def _drop_tidying() -> None:
    """Keep torch from removing every operator that it registered.

    That takes 30 ms, in a process that is about to exit.
    """
    weakref: Any = sys.modules.get("weakref")
    for finalizer, info in list(getattr(getattr(weakref, "finalize", None), "_registry", {}).items()):
        if getattr(info.func, "__module__", "") == "torch.library" and info.func.__name__ == "_del_library":
            finalizer.atexit = False


def _join_threads() -> None:
    threading: Any = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()


def _empty(namespace: dict[str, Any]) -> None:
    """Empty a module as CPython does: names with one underscore first, then the others; never `__builtins__`."""
    for private in (True, False):
        for name in list(namespace):
            if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) == private:
                namespace[name] = None


def _collect() -> None:
    import gc

    getattr(gc.collect, "__wrapped__", gc.collect)()  # without the objects that libraries made before the fork


def _flush() -> None:
    """Write the contents of files that are still open to the disk, as Python does when a file object is deleted."""
    import gc
    import io

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    objects = getattr(gc.get_objects, "__wrapped__", gc.get_objects)()
    for kind in (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom):
        for thing in objects:
            if type(thing) is kind and not thing.closed:
                try:
                    thing.flush()
                except (OSError, ValueError):
                    pass
    import ctypes

    ctypes.CDLL(None).fflush(None)
