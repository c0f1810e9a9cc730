"""The process that imports once and forks for each seed; asked for by messages on a socket."""

from __future__ import annotations

import json
import operator
import os
import signal
import socket
import sys
from collections.abc import Collection
from typing import Any

from ..backends import Own
from ..imports import attributes_of, belongs_to_user, is_standard, wrap_imports
from ..seeding import Control
from . import state
from .recording import count_threads, open_files
from .shelf import ABSENT, Change, Shelf, Unit
from .writing import Writes

SOCKET = "SEEDWISE_WARM"
"""Environment variable: the number of the socket's file descriptor."""


Attributes = dict[str, tuple[Any, dict[str, Any]]]
"""Modules by name, each with its attributes."""


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
    writes
        Tells what was written, or refused.
    """

    def __init__(self, control: Control, writes: Writes) -> None:
        self.units: list[Unit] = []
        self.skipped: dict[str, str] = {}
        """What could not be imported here in the state in which the first run imported it, and what the first run had changed."""
        self._control = control
        self._writes = writes
        self._at_launch = state.take()
        self._attributes: Attributes = {}
        self._made: list[tuple[str, Own, object]] = []
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
        self._one(name, wanted, _packages_of(name))

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
        if name in sys.modules:
            return
        if any(package not in sys.modules and package not in names for package in _packages_of(name)):
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
        self.units.append(self._import(name, before))
        self._current = ""
        self.skipped.pop(name, None)

    def _import(self, name: str, before: dict[str, Any]) -> Unit:
        from importlib import import_module

        _add_new(self._attributes)
        control, writes, strangers = self._control, self._writes, self._strangers
        known, threads, files, start = set(sys.modules), count_threads(), open_files(), control.drawn()
        printed, seeds = _Printed(), _seed_variables()
        control.imports.depth = 1
        control.imports.hold()
        try:
            import_module(name)
        except ImportError:
            if not strangers and not writes.refused:
                control.imports.let_go()
                left = [new for new in sys.modules if new not in known and not is_standard(new)]
                changed = state.same(before, state.take()) or any(printed.since()) or _changed(self._attributes)
                if left or changed or control.imports.made():
                    raise CannotPreload(name, "fails to be imported, and leaves something behind") from None
                return Unit(
                    name, before, before, {}, folders=writes.folders()
                )  # something optional that is not installed
        except BaseException as error:  # noqa: BLE001
            raise CannotPreload(name, f"could not be imported: {type(error).__name__}: {error}") from None
        finally:
            control.imports.depth = 0
        if printed.past_the_buffer():
            raise CannotPreload(name, "prints past Python's own buffer")
        drew = control.imports.let_go()
        folders = writes.folders()
        if writes.refused:
            raise CannotPreload(name, f"writes {writes.refused[0]}")
        if strangers:
            raise CannotPreload(name, f"imports {strangers[0]}, which the first run did not")
        if count_threads(threads) > threads:
            raise CannotPreload(name, "starts threads")
        if open_files() - files:
            raise CannotPreload(name, f"keeps {sorted(open_files() - files)[0]} open")
        if start[0] != control.drawn()[0] or any(part not in control.drawn() for part in start[1:]):
            raise CannotPreload(name, "draws from a generator")
        if _seed_variables() != seeds:
            raise CannotPreload(name, "sets a variable with a seed")
        after = state.take()
        modules = {new: module for new, module in sys.modules.items() if new not in known and not is_standard(new)}
        for unit, own, position in self._made:
            if own.position() != position:
                raise CannotPreload(name, f"draws from a generator that {unit} made")
        made = control.imports.made()
        self._made += [(name, own, own.position()) for *_, own in made]
        changes = _changed(self._attributes)
        return Unit(name, before, after, modules, changes, made, drew, folders, printed.since())

    def end(self) -> None:
        """Put everything but the modules back, and keep nothing of them."""
        self._undo()
        self._attributes.clear()
        self._made.clear()
        state.put(self._at_launch)


def _packages_of(name: str) -> list[str]:
    """`a` and `a.b` of `a.b.c`."""
    parts = name.split(".")
    return [".".join(parts[:k]) for k in range(1, len(parts))]


def _seed_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if state.follows_the_seed(name)}


def _changed(before: Attributes) -> list[Change]:
    """What modules that were there before have got since: `numpy.random` becomes an attribute of `numpy`. `before` follows."""
    found: list[Change] = []
    for name, (module, old) in before.items():
        now = attributes_of(module)
        if len(now) == len(old) and all(map(operator.is_, now.values(), old.values())):
            continue
        for key in [*now, *(key for key in old if key not in now)]:
            one, other = old.get(key, ABSENT), now.get(key, ABSENT)
            if one is not other and (one is ABSENT or not is_standard(name)):
                found.append((module, key, one, other))
        before[name] = module, dict(now)
    return found


def _add_new(known: Attributes) -> None:
    """Add the modules that have come: of the standard library, whose modules stay in sight, packages only."""
    for name, module in list(sys.modules.items()):
        if name in known or name.startswith(("seedwise_guest", "__main__")):
            continue
        attributes = attributes_of(module)
        if "__path__" in attributes or not is_standard(name):
            known[name] = module, dict(attributes)


class _Printed:
    """What is printed from now on, by whatever means: the two streams of this process are files."""

    def __init__(self) -> None:
        self._from = self._sizes()

    def past_the_buffer(self) -> bool:
        """Whether something went to standard output that Python did not keep back: in a run it may come before what was printed earlier."""
        kept_back = not getattr(sys.stdout, "write_through", True)
        return kept_back and os.fstat(1).st_size != self._from[0]

    def since(self) -> tuple[bytes, bytes]:
        parts = []
        for fd, start, end in zip((1, 2), self._from, self._sizes()):
            if end == start:
                parts.append(b"")
                continue
            with open(f"/proc/self/fd/{fd}", "rb") as file:
                file.seek(start)
                parts.append(file.read(end - start))
        return parts[0], parts[1]

    def _sizes(self) -> tuple[int, int]:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        return os.fstat(1).st_size, os.fstat(2).st_size


def serve(plan: dict[str, Any], control: Control) -> dict[str, Any]:
    """Preload, then fork a child for each request. Returns in the children only, with what was requested."""
    channel = socket.socket(fileno=int(os.environ.pop(SOCKET)))
    channel.set_inheritable(False)
    try:
        _import_what_children_need()
        writes, printed = Writes(), _Printed()
        preloading = Preloading(control, writes)
        if plan["live"]:
            plan = _follow(channel, preloading)
        preloading.rest(plan)
        preloading.end()
        units, skipped = preloading.units, preloading.skipped
        if count_threads(1) > 1:
            raise CannotPreload("", "more than one thread is running")
        for k, part in enumerate(printed.since()):
            if part != b"".join(unit.printed[k] for unit in units):
                raise CannotPreload("", f"something prints between the imports: {part[:200]!r}")
    except CannotPreload as error:
        _send(channel, {"type": "failed", "name": error.name, "reason": error.reason})
        os._exit(0)
    import gc

    gc.collect()
    gc.freeze()
    _send(channel, {"type": "ready", "units": [unit.name for unit in units], "skipped": skipped, "pid": os.getpid()})
    writes.stop()
    request = _loop(channel)
    channel.close()
    Shelf(units, control).put_away()
    return request


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
