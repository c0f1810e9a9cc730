"""Changes one cause in a checked process, or holds it still.

This module does it for directory order, entropy, process number and memory. Other modules do it for the other causes.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from typing import Any, Callable

from ..process.frames import is_guest_file
from ..process.imports import when_imported
from .callers import direct, through_library
from .clock import Clock, watch_clock
from .compiling import put, step_aside_for_compilers
from .completion import watch_completion
from .facts import Facts
from .file_facts import FileFacts
from .identities import number_names, tell_drawn, tell_identity
from .kernel_files import watch_kernel_files
from .looked_for import LookedFor
from .meters import watch_meters
from .numbered import number_objects
from .recording import Recording
from .reordering import reordered
from .replaced_builtins import StandIn
from .set_order import SetOrder, watch_hash_seed
from .side_by_side import SideBySide
from .unwritten import fill_all


def install(asked: dict[str, Any], facts: Facts, recording: Recording) -> None:
    """Watch every kind of cause, and change or hold still those that were asked for."""
    _listing(asked.get("listing", ""), asked.get("sort", ""), facts)
    watch_clock(Clock(asked.get("clock", {}), recording, facts))
    watch_meters(recording, facts)
    watch_kernel_files(recording, facts)
    _pid(asked.get("pid", ""), facts)
    _entropy(asked.get("entropy", ""), facts)
    watch_completion(asked.get("completion", ""), asked.get("collect", ""), facts)
    SideBySide(asked.get("completion", ""), asked.get("collect", ""), facts).watch()
    LookedFor().watch(facts)
    if asked.get("names") == "numbered":
        number_names()
    if asked.get("files"):
        FileFacts(recording).hold()
    watch_hash_seed(facts)
    if asked.get("numbered"):
        number_objects(asked["numbered"])
    if "sets" in asked:
        SetOrder(asked["sets"].get("sort", []), facts).watch()
    if asked.get("deterministic"):
        when_imported("tensorflow", _tensorflow)
    when_imported("numpy", lambda module: _numpy_memory(module, asked, facts))
    when_imported("torch", lambda module: _torch(module, asked, facts))
    when_imported("torch.utils.data", lambda module: _loader(module, asked, facts))


class _Entries:
    """The entries of a folder, read already. They are used as the result of `os.scandir` is."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def _listing(how: str, sort: str, facts: Facts) -> None:
    """Watch the listing of folders.

    `how="other"` changes the order. `sort="sorted"` then sorts, as if the program itself had sorted; `sort="written"` sorts
    by the time at which each was written.
    """

    def arranged(names: list[Any], key: Callable[[Any], Any], folder: Any) -> list[Any]:
        if sort == "written":
            return sorted(names, key=lambda name: _written_at(os.path.join(folder, key(name))))
        return reordered(reordered(names, how, key), sort, key)

    listdir, scandir = os.listdir, os.scandir

    def own_listdir(path: Any = None) -> Any:
        names = listdir() if path is None else listdir(path)
        where = through_library(sys._getframe(2))
        if where is None:
            return names
        if len(names) > 1:
            facts.note("listing", where)
        return arranged(names, str, _folder(path))

    def own_scandir(path: Any = ".") -> Any:
        where = through_library(sys._getframe(2))
        if where is None:
            return scandir(path)
        with scandir(path) as found:
            entries = list(found)
        if len(entries) > 1:
            facts.note("listing", where)
        return _Entries(arranged(entries, lambda entry: str(entry.name), _folder(path)))

    os.listdir, os.scandir = StandIn(listdir, own_listdir), StandIn(scandir, own_scandir)


def _folder(path: Any) -> str:
    return os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else "."


def _written_at(path: str) -> tuple[int, int]:
    try:
        found = os.lstat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino  # several within one tick of the clock get numbers in order


def _pid(how: str, facts: Facts) -> None:
    getpid = os.getpid

    def own() -> int:
        where = direct(sys._getframe(2))
        facts.note("pid", where)
        return 4242 if how and where is not None else getpid()

    os.getpid = StandIn(getpid, own)


def _entropy(how: str, facts: Facts) -> None:
    """Watch uuid4, uuid1, secrets, SystemRandom and os.urandom. If asked, the user's draws come from a fixed stream."""
    urandom, count = os.urandom, [0]
    asking = ("uuid", "secrets", "random")

    def own(size: int) -> bytes:
        frame: Any = sys._getframe(1)
        while frame.f_back is not None and is_guest_file(frame.f_code.co_filename):
            frame = frame.f_back
        where = direct(frame)
        if where is None and frame.f_globals.get("__name__") in asking:
            inner: Any = frame
            while inner is not None and inner.f_globals.get("__name__") in asking:
                inner = inner.f_back
            where = direct(inner)
        facts.note("entropy", where)
        if "numba" in sys.modules and where is not None and direct(frame) and "urandom" not in frame.f_code.co_names:
            facts.note("entropy-of-numba", where)  # a compiled function on this line starts numba's own generator
        if not how or where is None:
            data = urandom(size)
            if where is not None:
                tell_drawn(data)
            return data
        import hashlib

        count[0] += 1
        return hashlib.shake_128(b"seedwise %d" % count[0]).digest(size)

    def own_uuid(module: Any) -> None:
        uuid1 = module.uuid1

        def own_uuid1(node: Any = None, clock_seq: Any = None) -> Any:
            where = direct(sys._getframe(1))
            facts.note("entropy", where)
            if not how or where is None:
                made = uuid1(node, clock_seq)
                tell_identity("word", made.hex)
                return made
            count[0] += 1
            return module.UUID(int=count[0], version=1)

        module.uuid1 = own_uuid1

    when_imported("uuid", own_uuid)
    os.urandom = own
    random: Any = sys.modules.get("random")
    if random is not None and hasattr(random, "_urandom"):
        random._urandom = own


def _tensorflow(module: Any) -> None:
    module.config.experimental.enable_op_determinism()


def _numpy_memory(numpy: Any, asked: dict[str, Any], facts: Facts) -> None:
    how, only = asked.get("memory", ""), asked.get("memory-line", "")

    def wrap(name: str) -> None:
        original = getattr(numpy, name)

        def own(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            if made.dtype.kind in "OUSMmV":
                return made  # NumPy fills these itself, or they are not numbers
            where = direct(sys._getframe(2))
            facts.note("memory", where)
            if how and where is not None and made.size and only in ("", where):
                facts.note(f"memory {where}", where)
                made.fill(_filling(how, made.dtype.kind))
            return made

        setattr(numpy, name, StandIn(original, own))

    for name in ("empty", "empty_like"):
        wrap(name)


def _filling(how: str, kind: str) -> Any:
    if how == "zero":
        return 0
    return float("nan") if kind in "fc" else True if kind == "b" else 113


def _torch(torch: Any, asked: dict[str, Any], facts: Facts) -> None:
    how, only = asked.get("memory", ""), asked.get("memory-line", "")

    def fill(made: Any) -> None:
        with torch.no_grad():
            kind = "f" if made.is_floating_point() or made.is_complex() else "b" if made.dtype is torch.bool else "i"
            made.fill_(_filling(how, kind))

    def wrap(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def own(*args: Any, **kwargs: Any) -> Any:
            made = original(*args, **kwargs)
            where = direct(sys._getframe(1))
            facts.note("memory", where)
            if how == "nan" and where is not None:
                fill(made)
            return made

        functools.update_wrapper(own, original)
        put(owner, name, own)

    step_aside_for_compilers(torch)
    for name in ("empty", "empty_like"):
        wrap(torch, name)
    wrap(torch.Tensor, "new_empty")
    if how == "zero":
        fill_all(torch, fill, only, facts)
    if asked.get("deterministic"):
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # NaN in all of it would also make runs agree
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
    if asked.get("threads"):
        torch.set_num_threads(int(asked["threads"]))


def _loader(module: Any, asked: dict[str, Any], facts: Facts) -> None:
    from .workers import watch_loader

    watch_loader(module, asked, facts)
