"""The process that imports once and forks for each seed; asked for by messages on a socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Collection
from typing import Any

from .. import spool
from ..imports import belongs_to_user, is_standard, wrap_imports
from ..seeding import Control
from . import state
from .recording import count_threads, open_files
from .shelf import Shelf, Unit

SOCKET = "SEEDWISE_WARM"
"""Environment variable: the number of the socket's file descriptor."""


class CannotPreload(Exception):
    """An import behaved otherwise than in the first run; `name` is to be left to the runs."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.name = name
        self.reason = reason


class Preloading:
    """The imports of the parent, one after another.

    Parameters
    ----------
    control
        Tells whether a generator is drawn from.
    """

    def __init__(self, control: Control) -> None:
        self.units: list[Unit] = []
        self.skipped: dict[str, str] = {}
        """What could not be imported here in the state in which the first run imported it, and what the first run had changed."""
        self._control = control
        self._at_launch = state.take()
        self._current = ""
        self._tops: dict[str, bool] = {}
        self._allowed: set[str] | None = None
        self._strangers: list[str] = []
        self._seen: dict[str, list[str]] = {}
        self._undo = wrap_imports(self._begin, lambda watched, ok: None)

    def _begin(self, name: str) -> None:
        if self._current:
            self._seen.setdefault(self._current, []).append(name)
        if self._allowed is not None and not is_standard(name):
            known = name in self._allowed
        else:  # the standard library's own may have been imported by the guest already; a file of the user's can hide them
            known = not self._users(name.partition(".")[0])
        if not known:
            self._strangers.append(name)
            raise ImportError(f"{name} was not imported here in the first run")

    def _users(self, top: str) -> bool:
        if top not in self._tops:
            self._tops[top] = belongs_to_user(top)
        return self._tops[top]

    def at_once(self, name: str, wanted: dict[str, Any]) -> None:
        """Import what the first run begins to import now; whether that was right shows later."""
        self._one(name, wanted, {name.rpartition(".")[0]})

    def rest(self, plan: dict[str, Any]) -> None:
        """Hold what was imported at once against what the first run recorded, and import the rest.

        Raises CannotPreload where something is not as in the first run.
        """
        planned = {unit["name"]: unit for unit in plan["units"]}
        for unit in self.units:
            if unit.name not in planned or state.same(unit.before, plan["states"][planned[unit.name]["state"]]):
                raise CannotPreload("", f"{unit.name} is to be left to the runs")
            seen = {name for name in self._seen.get(unit.name, ()) if not is_standard(name)}
            strange = seen - set(planned[unit.name]["names"])
            if strange:
                raise CannotPreload("", f"{unit.name} imported {sorted(strange)[0]}, which the first run did not")
        self._allowed = {name for unit in plan["units"] for name in unit["names"]}
        for unit in plan["units"]:
            self._one(unit["name"], plan["states"][unit["state"]], unit["names"])

    def _one(self, name: str, wanted: dict[str, Any], names: Collection[str]) -> None:
        package = name.rpartition(".")[0]
        if name in sys.modules:
            return
        if package and package not in sys.modules and package not in names:
            return  # part of a package that is left to the runs
        try:
            state.put(wanted)
        except (LookupError, AttributeError):
            self.skipped.setdefault(name, "the warning filters")
            return
        before = state.take()
        differs = state.same(before, wanted)
        if differs:
            self.skipped.setdefault(name, differs)
            return
        self._current = name
        self.units.append(_import(name, before, self._control, self._strangers))
        self._current = ""
        self.skipped.pop(name, None)

    def end(self) -> None:
        """Put everything but the modules back."""
        self._undo()
        state.put(self._at_launch)


def _import(name: str, before: dict[str, Any], control: Control, strangers: list[str]) -> Unit:
    from importlib import import_module

    packages = {m: set(vars(m)) for m in list(sys.modules.values()) if hasattr(m, "__path__")}
    known, threads, files, start = set(sys.modules), count_threads(), open_files(), control.drawn()
    control.imports.hold()
    try:
        import_module(name)
    except ImportError:
        control.imports.let_go()
        if not strangers and not _vetoed:
            left = [new for new in sys.modules if new not in known and not is_standard(new)]
            if left or state.same(before, state.take()):
                raise CannotPreload(name, "fails to be imported, and leaves something behind") from None
            return Unit(name, before, before, {})  # as in the first run: something optional that is not installed
    except BaseException as error:  # noqa: BLE001
        raise CannotPreload(name, f"could not be imported: {type(error).__name__}: {error}") from None
    drew = control.imports.let_go()
    if _vetoed:
        raise CannotPreload(name, f"writes {_vetoed[0]}")
    if strangers:
        raise CannotPreload(name, f"imports {strangers[0]}, which the first run did not")
    if count_threads(threads) > threads:
        raise CannotPreload(name, "starts threads")
    if open_files() - files:
        raise CannotPreload(name, f"keeps {sorted(open_files() - files)[0]} open")
    if start[0] != control.drawn()[0] or any(part not in control.drawn() for part in start[1:]):
        raise CannotPreload(name, "draws from a generator")
    after = state.take()
    modules = {new: module for new, module in sys.modules.items() if new not in known and not is_standard(new)}
    added = [(m, key, value) for m, old in packages.items() for key, value in vars(m).items() if key not in old]
    return Unit(name, before, after, modules, added, control.imports.made(), drew)


def serve(plan: dict[str, Any], control: Control) -> dict[str, Any]:
    """Preload, then fork a child for each request. Returns in the children only, with what was requested."""
    channel = socket.socket(fileno=int(os.environ.pop(SOCKET)))
    channel.set_inheritable(False)
    watching = [True]
    try:
        _import_what_children_need()
        sys.addaudithook(lambda event, arguments: _veto(event, arguments) if watching[0] else None)
        preloading = Preloading(control)
        if plan["live"]:
            plan = _follow(channel, preloading)
        preloading.rest(plan)
        preloading.end()
        units, skipped = preloading.units, preloading.skipped
        if count_threads(1) > 1:
            raise CannotPreload("", "more than one thread is running")
        _silent_so_far()
    except CannotPreload as error:
        _send(channel, {"type": "failed", "name": error.name, "reason": error.reason})
        os._exit(0)
    import gc

    gc.collect()
    gc.freeze()
    _send(channel, {"type": "ready", "units": [unit.name for unit in units], "skipped": skipped, "pid": os.getpid()})
    watching[0] = False
    request = _loop(channel)
    channel.close()
    Shelf(units, control).put_away()
    return request


_vetoed: list[str] = []
_CHANGES = frozenset("os.mkdir os.remove os.rename os.rmdir os.link os.symlink os.truncate shutil.rmtree".split())


def _veto(event: str, arguments: tuple[Any, ...]) -> None:
    """This process sees the user's own files: an import that writes is to be made by each run, in its private view."""
    if event == "open":
        path, mode, flags = arguments[0], arguments[1], arguments[2] if isinstance(arguments[2], int) else 0
        writing = any(c in mode for c in "wax+") if isinstance(mode, str) else bool(flags & (os.O_WRONLY | os.O_RDWR))
        if not writing:
            return
    elif event in _CHANGES:
        path = arguments[0]
    else:
        return
    place = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
    if not place or "__pycache__" in place or place.startswith(("/dev/", "/proc/", spool.folder())):
        return
    _vetoed.append(place)
    raise PermissionError(13, "a warm parent writes no files", place)


def _import_what_children_need() -> None:
    """The guest's own modules that a run imports before its script begins, or after it has ended."""
    from importlib import import_module

    for name in ("worlds", "capture", "planning", "sites.substitute", "sites.plan", "warm.leaving"):
        import_module(f"seedwise_guest.{name}")


def _follow(channel: socket.socket, preloading: Preloading) -> dict[str, Any]:
    """Import what is announced until the first run has ended; returns what it recorded."""
    while True:
        data = channel.recv(1 << 20)
        if not data:
            os._exit(0)
        message: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
        if message["type"] == "recorded":
            with open(message["path"], encoding="utf-8", errors="surrogateescape") as file:
                plan: dict[str, Any] = json.load(file)
            return plan
        preloading.at_once(message["name"], message["state"])


def _silent_so_far() -> None:
    """An import that prints must print in each run."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for fd in (1, 2):
        if os.fstat(fd).st_size:
            raise CannotPreload("", "something that is imported prints")


def _send(channel: socket.socket, message: dict[str, Any]) -> None:
    try:
        channel.send(json.dumps(message).encode("utf-8", "surrogatepass"))
    except OSError:
        os._exit(0)  # nobody is there any more; the children end with this process


def _loop(channel: socket.socket) -> dict[str, Any]:
    import select

    poll = select.poll()
    poll.register(channel, select.POLLIN)
    children: dict[int, int] = {}  # descriptor → process
    parent = os.getpid()
    while True:
        for fd, _event in poll.poll():
            if fd != channel.fileno():
                pid = children.pop(fd)
                poll.unregister(fd)
                os.close(fd)
                _, status = os.waitpid(pid, 0)
                code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                _send(channel, {"type": "ended", "pid": pid, "status": code})
                continue
            data = channel.recv(1 << 20)
            if not data:
                os._exit(0)
            request: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
            pid = os.fork()
            if pid == 0:
                for other in children:
                    os.close(other)
                request["parent"] = parent
                return request
            handle = os.pidfd_open(pid)
            children[handle] = pid
            poll.register(handle, select.POLLIN)
            _send(channel, {"type": "started", "id": request["id"], "pid": pid})


def become_run(request: dict[str, Any]) -> None:
    """In a child: its own session, output files, files, environment and arguments."""
    from .. import worlds

    os.setsid()
    for path, fd in ((request["stdout"], 1), (request["stderr"], 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        os.dup2(opened, fd)
        os.close(opened)
    with open(request["specification"], encoding="utf-8", errors="surrogateescape") as file:
        spec = json.load(file)
    spec["supervisor"] = request["parent"]
    try:
        if spec["targets"]:
            if worlds.enter(spec):
                worlds.drop_rights()
        worlds.settle(spec)
    except Exception as error:  # noqa: BLE001 (whatever it is, the host must hear of it)
        worlds.report(spec, error)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python does at its start
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.environ.update(request["environment"])
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None  # type: ignore[attr-defined]
    n = len(sys.argv) - 1
    if n and len(request["arguments"]) > n:
        sys.argv[1:] = request["arguments"][-n:]
        original: Any = getattr(sys, "orig_argv", [])  # 3.10 and later
        original[-n:] = request["arguments"][-n:]
    state.set_arguments(sys.argv[1:])
    sys.path_importer_cache.clear()  # what was looked for under the search path of the first run says nothing here
