"""The checkpoints of a program: which files it writes between two steps, and which of them it reads when it starts."""

from __future__ import annotations

import functools
import os
import re
import sys
import threading
from typing import Any, Callable

from ...process import spool
from ...process.capture import opens_for_writing
from ...process.imports import when_imported
from ..callers import from_any

_ENDINGS = (
    ".pt .pth .ckpt .bin .pkl .pickle .npz .npy .h5 .hdf5 .keras .safetensors .joblib .msgpack .tar .model .eqx .weights .state"
).split()
_NEVER = (
    ".py .pyc .so .lock .pid .log .txt .csv .tsv .md .html .png .jpg .jpeg .gif .svg .pdf .yaml .yml .toml .db .sqlite .sqlite3 "
    ".ipynb .parquet .arrow .jsonl .out .err .c .cpp .o"
).split()
_DATED = re.compile(r"tfevents|__pycache__|[/\\]\.cache[/\\]|[/\\]wandb[/\\]|[/\\]mlruns[/\\]|^/(proc|dev|sys)/")
_ORBAX = ".orbax-checkpoint-tmp"
_MOST = 20_000


class CheckpointFiles:
    """Notes each file that may belong to a checkpoint when it is written, and each known one when it is read.

    Parameters
    ----------
    known
        Paths of the checkpoints that an earlier process wrote.
    written
        Called before each such writing, with how many there were before.
    read
        Called before a known file is read. Returns how many steps were done.
    """

    def __init__(self, known: list[str], written: Callable[[int], int], read: Callable[[], int]) -> None:
        self._known, self._on_write, self._on_read = frozenset(known), written, read
        self.writes: list[dict[str, Any]] = []
        self.reads: list[dict[str, Any]] = []
        self._spool = spool.folder()
        self._busy = 0
        """The thread that notes something at this moment: what it opens for that is none of the program's."""
        self._pid = _pid()
        self._folders: dict[str, str] = {}
        """Folders that were made, and the user's line at that moment: the main thread's, where another one made it."""

    def watch(self) -> None:
        sys.addaudithook(self._audit)
        when_imported("torch", self._torch)
        when_imported("safetensors.torch", self._safetensors)
        when_imported("h5py._hl.files", self._hdf5)
        when_imported("tensorflow.python.checkpoint.checkpoint", self._tensorflow)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, (str, bytes, os.PathLike)):
                if opens_for_writing(mode, flags):
                    self.wrote(path, sys._getframe(0))
                elif self._known:
                    self.reading(path, sys._getframe(0))
        elif event == "os.mkdir":
            self._made(arguments[0], sys._getframe(0))
        elif event == "os.rename":
            self._renamed(arguments[0], arguments[1], sys._getframe(0))

    def wrote(self, path: Any, frame: Any, *, sure: bool = False) -> None:
        """A file is opened for writing. `sure`: by a function that saves models."""
        full = os.path.abspath(os.fsdecode(path))
        ending = os.path.splitext(full)[1].lower()
        if (
            self._busy == threading.get_ident()
            or len(self.writes) >= _MOST
            or full.startswith(self._spool)
            or _DATED.search(full)
        ):
            return
        known = sure or ending in _ENDINGS
        if not known and (ending in _NEVER or os.path.isdir(full)):
            return
        where = from_any(frame)
        if where is not None or known:
            self._note(full, where or "", weak=not known)

    def _made(self, path: Any, frame: Any) -> None:
        if isinstance(path, (str, bytes, os.PathLike)) and len(self._folders) < _MOST:
            self._folders[os.path.abspath(os.fsdecode(path))] = from_any(frame) or _line_of_main_thread() or ""

    def _renamed(self, source: Any, target: Any, frame: Any) -> None:
        """A file or a folder gets its name when it is complete: Orbax, which writes in C++, renames its folders so."""
        try:
            old, new = (os.path.abspath(os.fsdecode(p)) for p in (source, target))
        except TypeError:
            return
        ending = os.path.splitext(new)[1].lower()
        moved = [w for w in self.writes[-200:] if w["path"] == old or w["path"].startswith(old + os.sep)]
        where = from_any(frame) or self._folders.get(old, "")
        if (moved or _ORBAX in old) and ending not in _NEVER:
            weak = ending not in _ENDINGS and all(w["weak"] for w in moved) and _ORBAX not in old
            self._note(new, where, weak=weak, source=old)

    def _note(self, path: str, where: str, weak: bool, source: str = "") -> None:
        if _pid() != self._pid:
            return  # a child of the program: what it writes is none of the training's
        self._busy = threading.get_ident()
        try:
            step = self._on_write(len(self.writes))
            self.writes.append({"path": path, "where": where, "step": step, "weak": weak, "from": source})
        finally:
            self._busy = 0

    def reading(self, path: Any, frame: Any) -> None:
        """A file is opened for reading."""
        full = os.path.abspath(os.fsdecode(path))
        if full not in self._known and not any(full.startswith(k + os.sep) for k in self._known):
            return
        where = from_any(frame) or (
            _line_of_main_thread() if threading.current_thread() is not threading.main_thread() else None
        )
        own = any(w["path"] == full for w in self.writes)  # what it has written itself is nothing to resume from
        if (
            where is not None
            and len(self.reads) < _MOST
            and self._busy != threading.get_ident()
            and not own
            and _pid() == self._pid
        ):
            seen: dict[str, Any] = {"path": full, "where": where, "writes": len(self.writes)}
            self.reads.append(seen)
            seen["done"] = self._on_read()

    def _tensorflow(self, module: Any) -> None:
        """TensorFlow writes and reads its checkpoints in C++: `prefix.index`, and its data beside it."""
        kind = module.Checkpoint
        write, read = kind._write, kind.read

        @functools.wraps(write)
        def own_write(this: Any, file_prefix: Any, *args: Any, **kwargs: Any) -> Any:
            self.wrote(f"{os.fsdecode(file_prefix)}.index", sys._getframe(1), sure=True)
            return write(this, file_prefix, *args, **kwargs)

        @functools.wraps(read)
        def own_read(this: Any, save_path: Any, *args: Any, **kwargs: Any) -> Any:
            if save_path is not None:
                self.reading(f"{os.fsdecode(save_path)}.index", sys._getframe(1))
            return read(this, save_path, *args, **kwargs)

        kind._write, kind.read = own_write, own_read

    def any_open(self, paths: list[str]) -> bool:
        """Whether one of these files is still open. On systems that do not tell: False."""
        self._busy = threading.get_ident()
        try:
            for name in os.listdir("/proc/self/fd"):
                try:
                    if os.readlink(f"/proc/self/fd/{name}") in paths:
                        return True
                except OSError:
                    continue
        except OSError:
            pass
        finally:
            self._busy = 0
        return False

    def _torch(self, torch: Any) -> None:
        save = torch.save

        @functools.wraps(save)
        def own(obj: Any, f: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(f, (str, os.PathLike)):
                self.wrote(f, sys._getframe(1), sure=True)
            return save(obj, f, *args, **kwargs)

        torch.save = torch.serialization.save = own

    def _safetensors(self, module: Any) -> None:
        save, load = module.save_file, module.load_file

        @functools.wraps(save)
        def own_save(tensors: Any, filename: Any, *args: Any, **kwargs: Any) -> Any:
            self.wrote(filename, sys._getframe(1), sure=True)
            return save(tensors, filename, *args, **kwargs)

        @functools.wraps(load)
        def own_load(filename: Any, *args: Any, **kwargs: Any) -> Any:
            self.reading(filename, sys._getframe(1))
            return load(filename, *args, **kwargs)

        module.save_file, module.load_file = own_save, own_load

    def _hdf5(self, module: Any) -> None:
        begin = module.File.__init__

        @functools.wraps(begin)
        def own(this: Any, name: Any, mode: Any = "r", *args: Any, **kwargs: Any) -> Any:
            if isinstance(name, (str, os.PathLike)):
                if mode == "r":
                    self.reading(name, sys._getframe(1))
                else:
                    self.wrote(name, sys._getframe(1), sure=True)
            return begin(this, name, mode, *args, **kwargs)

        module.File.__init__ = own


def _line_of_main_thread() -> str | None:
    """The user's line that the main thread executes: it may wait there for what another thread does."""
    return from_any(sys._current_frames().get(threading.main_thread().ident or 0))


def _pid() -> int:
    """The number of this process, as the system has it."""
    found: int = os.getpid.wrapped() if hasattr(os.getpid, "wrapped") else os.getpid()
    return found
