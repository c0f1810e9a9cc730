"""Loading the user's source with the seeds of this run in it.

The text is edited, lines unchanged, and compiled; modules pass through `SourceFileLoader.get_code`, the script through a
hook on `sys.path_hooks`, which Python asks about it as it would about a zip file; profilers and debuggers through
`io.open_code`. The edited text is what `linecache` holds, so tracebacks and `inspect` show what ran.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any, Callable

from ..process.frames import is_guest_file, is_user_file
from ..process.imports import when_imported
from ..protocol import CALL
from .edits import apply_edits

Edits = dict[str, list[list[Any]]]


class Substitution:
    """The edits of one process.

    Parameters
    ----------
    edits
        For each file, by absolute path, the replacements in it.
    digests
        SHA-256 of each planned file.
    unplanned
        Called with (path, bytes) of a user file that is in no plan; returns its edits.
    changed
        Called with the path of a file that is not what it was; must not return.
    """

    def __init__(
        self,
        edits: Edits,
        digests: dict[str, str],
        unplanned: Callable[[str, bytes], list[list[Any]]],
        changed: Callable[[str], None],
    ) -> None:
        self.edits = edits
        self.digests = digests
        self.unplanned = unplanned
        self.changed = changed
        self.loaded: dict[str, str] = {}
        self.edited: set[str] = set()
        self._texts: dict[str, str] = {}
        self._real = {os.path.realpath(path): path for path in digests}
        self.reaching: Callable[[str], None] = lambda path: None
        """Called with the path of a file in which seeds are about to be placed."""

    def install(self) -> None:
        """Put the hooks in place."""
        import io

        get_code, get_data = SourceFileLoader.get_code, SourceFileLoader.get_data
        open_code = io.open_code
        given: dict[str, bytes] = {}

        def get_user_code(loader: Any, fullname: str) -> CodeType | None:
            path = loader.path
            if isinstance(path, str) and path.endswith(".py") and is_user_file(path):
                text = self.text(path)
                if text is not None and not _transforms(loader):
                    return compile(text, path, "exec", dont_inherit=True)
                if (
                    text is not None
                ):  # a loader of the user's makes something else of the text: it is given the edited one
                    given[path] = _encode(path, text)
                    try:
                        code: CodeType = loader.source_to_code(loader.get_data(path), path)
                    finally:
                        del given[path]
                    return code
            return get_code(loader, fullname)

        def get_user_data(loader: Any, path: str) -> bytes:
            return given[path] if path in given else get_data(loader, path)

        def open_user_code(path: str) -> Any:
            if isinstance(path, str) and path.endswith(".py") and is_user_file(path):
                text = self.text(path)
                if text is not None:
                    return io.BytesIO(_encode(path, text))
            return open_code(path)

        SourceFileLoader.get_code = get_user_code  # type: ignore[method-assign, assignment]
        SourceFileLoader.get_data = get_user_data  # type: ignore[method-assign, assignment]
        io.open_code = open_user_code
        sys.path_hooks.append(self._path_hook)

    def text(self, path: str) -> str | None:
        """The edited text of a user file; None where nothing in it changes."""
        full = os.path.abspath(path)
        if full in self._texts:
            return self._texts[full]
        try:
            with open(full, "rb") as file:
                data = file.read()
        except OSError:
            return None
        from hashlib import sha256

        digest = self.loaded[full] = sha256(data).hexdigest()
        planned = self._planned(full, digest)
        edits = self.unplanned(full, data) if planned is None else self.edits.get(planned, [])
        if not edits:
            return None
        self.reaching(full)
        from importlib.util import decode_source

        try:
            text = apply_edits(decode_source(data), edits)
        except ValueError:
            self.changed(full)
            raise
        self._texts[full] = text
        self.edited.add(full)
        show_what_ran()
        _show_in_tracebacks(path, text)
        return text

    def _planned(self, full: str, digest: str) -> str | None:
        """The name under which the plan has a file; None if it does not know it."""
        planned = full if full in self.digests else self._real.get(os.path.realpath(full))
        if planned is not None and self.digests[planned] != digest:
            self.changed(full)
        return planned

    def cells(self, path: str) -> list[tuple[str, str]]:
        """Name and edited text of each cell of a notebook."""
        from ..notebooks.cells import cell_path, code_digest, read_cells
        from ..notebooks.magics import python_of

        full = os.path.abspath(path)
        with open(full, "rb") as file:
            data = file.read()
        self.loaded[full] = code_digest(full, data)
        planned = self._planned(full, self.loaded[full]) or full
        found = []
        for cell in read_cells(full, data):
            text = python_of(cell)
            edits = self.edits.get(cell_path(planned, cell.number), [])
            if edits:
                self.edited.add(cell.path)
                self.edited.add(full)
                try:
                    text = apply_edits(text, edits)
                except ValueError:
                    self.changed(full)
                    raise
            found.append((cell.path, text))
        if full in self.edited:
            self.reaching(full)
        return found

    def _path_hook(self, path: str) -> ScriptFinder:
        if _is_script(path):
            text = self.text(path)
            if text is not None:
                return ScriptFinder(path, lambda: text)
        raise ImportError(f"not a script of this run: {path}")


def show_what_ran() -> None:
    """Let an uncaught exception be shown with the text that ran: before Python 3.13 the built-in hook reads the file."""
    if sys.version_info < (3, 13) and sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show_exception


def _transforms(loader: Any) -> bool:
    """Whether a loader does something of its own with the text of a module."""
    kind = type(loader)
    return kind.source_to_code is not SourceFileLoader.source_to_code or kind.get_data is not SourceFileLoader.get_data


Execute = Callable[[str, dict[str, Any], Callable[[], str]], None]
"""Executes a script: its path, its namespace, and what gives its text, edited or not."""


def run_script_here(substitution: Substitution | None, execute: Execute, leave: Callable[[int], None]) -> None:
    """Have the script executed by `execute`, and call `leave(exit status)` when it is through."""

    def hook(path: str) -> ScriptFinder:
        if not _is_script(path):
            raise ImportError(f"not a script: {path}")

        def text() -> str:
            edited = substitution.text(path) if substitution is not None else None
            if edited is not None:
                return edited
            from importlib.util import decode_source

            with open(path, "rb") as file:
                return decode_source(file.read())

        return ScriptFinder(path, text, execute, leave)

    sys.path_hooks.insert(0, hook)


def _execute(path: str, namespace: dict[str, Any], text: Callable[[], str]) -> None:
    exec(compile(text(), path, "exec", dont_inherit=True), namespace)


def _is_script(path: str) -> bool:
    if not path.endswith((".py", ".pyw")) and not os.path.isfile(path):
        return False
    full = os.path.abspath(path)
    return (is_user_file(full) or full == CALL) and os.path.isfile(full) and _is_text(full)


def _is_text(path: str) -> bool:
    """Not a zip application or compiled code."""
    with open(path, "rb") as file:
        head = file.read(4)
    return not head.startswith(b"PK") and b"\0" not in head


def _encode(path: str, text: str) -> bytes:
    from tokenize import detect_encoding

    with open(path, "rb") as file:
        encoding, _ = detect_encoding(file.readline)
    return text.encode(encoding)


def _show_in_tracebacks(path: str, text: str) -> None:
    def register(linecache: ModuleType) -> None:
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)

    when_imported("linecache", register)


class ScriptFinder:
    """The importer that Python finds for the script's path: it holds one module, `__main__`."""

    def __init__(
        self,
        path: str,
        text: Callable[[], str],
        execute: Execute = _execute,
        leave: Callable[[int], None] | None = None,
    ) -> None:
        self.path = path
        self.text = text
        self.execute = execute
        self.leave = leave

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != "__main__":
            return None
        spec = ModuleSpec(fullname, self, origin=self.path)  # type: ignore[arg-type]
        spec.has_location = True
        return spec

    def invalidate_caches(self) -> None:
        """Nothing is cached."""

    def is_package(self, fullname: str) -> bool:
        return False

    def get_source(self, fullname: str) -> str | None:
        return self.text()

    def get_code(self, fullname: str) -> CodeType:
        # runpy executes this in the script's namespace, after it has set __spec__ and the like
        return compile("__loader__.run(globals())", "<seedwise>", "exec", dont_inherit=True)

    def run(self, namespace: dict[str, Any]) -> None:
        """Execute the script in its namespace, made to look as if Python had read the file itself."""
        as_main = namespace.get("__name__") == "__main__"
        namespace.update(__file__=self.path, __spec__=None, __cached__=None, __package__=None if as_main else "")
        namespace["__loader__"] = SourceFileLoader("__main__", self.path) if as_main else None
        if as_main and sys.version_info < (3, 14):
            namespace.setdefault("__annotations__", {})
        self._mend_path(as_main)
        if not as_main:
            _execute(self.path, namespace, self.text)
            return
        try:
            self.execute(self.path, namespace, self.text)
        except KeyboardInterrupt:
            raise
        except SystemExit as error:
            if self.leave is None or not isinstance(error.code, (int, type(None))):
                raise
            self.leave(error.code or 0)
        except BaseException as error:  # noqa: BLE001
            _report(error)
            if self.leave is not None:
                self.leave(1)
            raise SystemExit(1) from None
        if self.leave is not None:
            self.leave(0)

    def _mend_path(self, as_main: bool) -> None:
        """Python put the script's own path first, as for a zip file; its folder belongs there."""
        if sys.path and sys.path[0] == self.path:
            if as_main and not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
                sys.path[0] = os.path.dirname(os.path.realpath(self.path))
            else:
                del sys.path[0]


def _report(error: BaseException) -> None:
    """Print an uncaught exception as Python would, without the frames that are ours."""
    trace = _without_ours(error)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    sys.excepthook(type(error), error, trace)


def _show_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """As the built-in hook, with the text that ran."""
    import traceback

    _without_ours(error)
    traceback.print_exception(kind, error, error.__traceback__)


def _without_ours(error: BaseException | None, depth: int = 0) -> TracebackType | None:
    """Take the guest's frames out of the traceback of an exception and of those it came from."""
    if error is None or depth > 20:
        return None
    frames = []
    trace = error.__traceback__
    while trace is not None:
        if not is_guest_file(trace.tb_frame.f_code.co_filename):
            frames.append(trace)
        trace = trace.tb_next
    kept: TracebackType | None = None
    for frame in reversed(frames):
        kept = TracebackType(kept, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    error.__traceback__ = kept
    _without_ours(error.__cause__, depth + 1)
    if error.__context__ is not error.__cause__:
        _without_ours(error.__context__, depth + 1)
    return kept
