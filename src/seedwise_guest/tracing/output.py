"""Keeps apart what belongs to no order: what other threads and processes print, and warnings."""

from __future__ import annotations

import functools
import os
import sys
from io import TextIOWrapper
from typing import Any

from ..process import spool
from ..process.imports import when_imported
from .names import ASIDE

_pid = os.getpid  # the real function, before it is watched


class _Apart(TextIOWrapper):
    """Standard output. What another thread than the main one writes goes into a file of its own."""

    seedwise_main = 0
    seedwise_pid = 0

    def write(self, text: str) -> int:
        from _thread import get_ident

        if get_ident() == self.seedwise_main or self.seedwise_pid != _pid():
            return super().write(text)
        _append(f"{ASIDE}{_pid()}-{get_ident()}", text.encode(self.encoding or "utf-8", self.errors or "replace"))
        return len(text)


def _append(name: str, data: bytes) -> None:
    try:
        handle = os.open(os.path.join(spool.folder(), name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return
    try:
        os.write(handle, data)
    finally:
        os.close(handle)


def keep_output_apart(is_child: bool) -> None:
    """From now on the output of threads and of child processes goes into files of their own.

    `is_child` says that this process itself is such a child: one that `multiprocessing` or a library like it started.
    """
    from _thread import get_ident

    if is_child:
        _redirect()
        return
    out = sys.stdout
    if type(out) is TextIOWrapper and out is sys.__stdout__ and not out.isatty():
        out.flush()
        apart = _Apart(
            out.buffer,
            encoding=out.encoding,
            errors=out.errors,
            line_buffering=out.line_buffering,
            write_through=out.write_through,
        )
        apart.seedwise_main, apart.seedwise_pid = get_ident(), _pid()
        _kept.append(out)  # else it would close the stream that both write to
        sys.stdout = sys.__stdout__ = apart  # type: ignore[misc]
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_redirect)


_kept: list[Any] = []


def _redirect() -> None:
    """Lead the standard output of this process into a file of its own. What the parent had not yet written stays there."""
    try:
        place = os.path.join(spool.folder(), f"{ASIDE}{_pid()}")
        handle = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(handle, 1)
        os.close(handle)
    except OSError:
        pass


def note_warnings() -> None:
    """Tell the host the text of each warning, so that it can be told from what the program says itself."""

    def watch(module: Any) -> None:
        original = module.formatwarning

        def own(*args: Any, **kwargs: Any) -> str:
            text: str = original(*args, **kwargs)
            spool.send("warned", text=text)
            return text

        module.formatwarning = own

    when_imported("warnings", watch)


_MOST_PROFILE = 200_000


def note_profiles() -> None:
    """Tell the host what a profile says (`cProfile`, `pstats`): times of functions, and these in the order of their times."""

    def watch(module: Any) -> None:
        for name in ("print_stats", "print_callers", "print_callees"):
            setattr(module.Stats, name, _telling(getattr(module.Stats, name)))

    when_imported("pstats", watch)


def _telling(original: Any) -> Any:
    @functools.wraps(original)
    def own(this: Any, *args: Any, **kwargs: Any) -> Any:
        stream = getattr(this, "stream", None)
        if stream is None or isinstance(stream, _Copied):
            return original(this, *args, **kwargs)
        this.stream = copied = _Copied(stream)
        try:
            return original(this, *args, **kwargs)
        finally:
            this.stream = stream
            spool.send("measured", text="".join(copied.said)[:_MOST_PROFILE])

    return own


class _Copied:
    """A stream, of which is kept what is written to it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.said: list[str] = []

    def write(self, text: str) -> Any:
        self.said.append(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
