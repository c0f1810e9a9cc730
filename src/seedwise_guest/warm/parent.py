"""The process that imports once and forks for each seed; asked for by messages on a socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any

from ..seeding import Control
from . import state
from .recording import _open_files, _threads, wrap_imports
from .shelf import Shelf, Unit

SOCKET = "SEEDWISE_WARM"
"""Environment variable: the number of the socket's file descriptor."""


class CannotPreload(Exception):
    """An import behaved otherwise than in the first run; `name` is to be left to the runs."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.name = name
        self.reason = reason


def preload(plan: dict[str, Any], control: Control) -> list[Unit]:
    """Import the units of a plan. Raises CannotPreload where something is not as in the first run."""
    allowed = {name for unit in plan["units"] for name in unit["names"]}
    strangers: list[str] = []
    at_launch = state.take()

    def begin(name: str) -> None:
        if name not in allowed:
            strangers.append(name)
            raise ImportError(f"{name} was not imported here in the first run")

    undo = wrap_imports(begin, lambda watched, ok: None)
    units = []
    try:
        for planned in plan["units"]:
            name = planned["name"]
            package = name.rpartition(".")[0]
            if name in sys.modules or (package and package not in sys.modules):
                continue
            try:
                state.put(plan["states"][planned["state"]])
            except (LookupError, AttributeError):
                continue
            before = state.take()
            if state.same(before, plan["states"][planned["state"]]):
                continue
            units.append(_import(name, before, control, strangers))
    finally:
        undo()
        state.put(at_launch)
    return units


def _import(name: str, before: dict[str, Any], control: Control, strangers: list[str]) -> Unit:
    from importlib import import_module

    packages = {m: set(vars(m)) for m in list(sys.modules.values()) if hasattr(m, "__path__")}
    known, threads, files, start = set(sys.modules), _threads(), _open_files(), control.drawn()
    try:
        import_module(name)
    except ImportError:
        if not strangers:
            return Unit(name, before, before, {})  # as in the first run: something optional that is not installed
    except BaseException as error:  # noqa: BLE001
        raise CannotPreload(name, f"could not be imported: {type(error).__name__}: {error}") from None
    if strangers:
        raise CannotPreload(name, f"imports {strangers[0]}, which the first run did not")
    if _threads() > threads:
        raise CannotPreload(name, "starts threads")
    if _open_files() - files:
        raise CannotPreload(name, f"keeps {sorted(_open_files() - files)[0]} open")
    if start[0] != control.drawn()[0] or any(part not in control.drawn() for part in start[1:]):
        raise CannotPreload(name, "draws from a generator")
    after = state.take()
    modules = {new: module for new, module in sys.modules.items() if new not in known and not _is_standard(new)}
    made, control.made_at_import = control.made_at_import, []
    added = [(m, key, value) for m, old in packages.items() for key, value in vars(m).items() if key not in old]
    return Unit(name, before, after, modules, added, made)


def _is_standard(name: str) -> bool:
    names = getattr(sys, "stdlib_module_names", None)
    return names is not None and name.partition(".")[0] in names


def serve(plan: dict[str, Any], control: Control) -> dict[str, Any]:
    """Preload, then fork a child for each request. Returns in the children only, with what was requested."""
    channel = socket.socket(fileno=int(os.environ.pop(SOCKET)))
    channel.set_inheritable(False)
    try:
        units = preload(plan, control)
        if _threads() > 1:
            raise CannotPreload("", "more than one thread is running")
        _silent_so_far()
    except CannotPreload as error:
        _send(channel, {"type": "failed", "name": error.name, "reason": error.reason})
        os._exit(0)
    import gc

    gc.collect()
    gc.freeze()
    _send(channel, {"type": "ready", "units": [unit.name for unit in units], "pid": os.getpid()})
    request = _loop(channel)
    channel.close()
    Shelf(units, control.start_made).put_away()
    return request


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
