"""The process that forks: it executes each statement in a copy of itself, and serves its host.

If all runs may share the statement, the copy takes the place of the process. Messages are lines of JSON on two pipes.
To the host go `ready` (the first lines have been executed), `imported`, `left` and `dropped` (what became of an
import that the host asked for), `started` and `ended` (runs). From the host come `import`, `drop` (forget what was
imported by `import`) and `fork`.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any, Callable

from ..process.capture import modules
from ..protocol import PIPES
from ..sandbox import world
from .watch import Watch

_SET_CHILD_SUBREAPER = 36
_DROP = b"drop"


class Process:
    """This process and the copies that take its place.

    Parameters
    ----------
    watch
        Decides whether all runs may share a statement.
    """

    def __init__(self, watch: Watch) -> None:
        reading, writing = os.environ.pop(PIPES).split(",")
        self._reading, self._writing = int(reading), int(writing)
        for number in (self._reading, self._writing):
            os.set_inheritable(number, False)
        self._watch = watch
        self._data = b""
        self._released: int | None = None
        """The write end of a pipe. At the other end waits the process that has not imported what the host asked for."""
        self._dropped = False
        self.printed = (b"", b"")
        """What was printed and has left Python's own buffers."""
        self._root()

    def _root(self) -> None:
        """Go on in a child.

        The process that the host started waits for all processes that come after it, so that none is an orphan.
        """
        root = os.getpid()
        world._call("prctl", _SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if _fork():
            for number in (self._reading, self._writing):
                os.close(number)
            while True:
                try:
                    os.wait()
                except ChildProcessError:
                    os._exit(0)
                except InterruptedError:
                    continue
        self.root = root

    # --- statements ------------------------------------------------------------------------------------------------

    def attempt(self, action: Callable[[], object], *, imports: bool = False, hoisted: bool = False) -> str:
        """Execute `action` in a copy of this process.

        The copy takes this process's place if all runs may share what it did.

        Parameters
        ----------
        imports
            Whether the action is an import. What an import leaves in memory stays until the end.
        hoisted
            Whether the script makes this import later.

        Returns
        -------
        str
            In the copy "". In this process, which has not changed: the reason why each run must do it itself.
        """
        answer, tell = os.pipe()
        sizes = [os.fstat(number).st_size for number in (1, 2)]
        pid = _fork()
        if pid == 0:
            os.close(answer)

            def refuse(reason: str) -> None:
                os.write(tell, (reason or "?").encode("utf-8", "replace"))
                os._exit(0)

            self._watch.begin(refuse, profile=not hoisted)
            try:
                action()
            except BaseException as error:
                self._watch.stop(f"raises {type(error).__name__}")
                raise  # not reached: `stop` ends the process
            self._watch.end(hoisted)
            if imports:
                gc.freeze()  # from now on no collector looks at these objects, in no child: see `children`
            os.write(tell, b"\0")
            os.close(tell)
            return ""
        os.close(tell)
        said = _read_all(answer)
        os.close(answer)
        if said == b"\0":
            os._exit(0)  # the copy goes on
        os.waitpid(pid, 0)
        for number, size in zip((1, 2), sizes):
            if os.fstat(number).st_size != size:
                os.ftruncate(number, size)
                os.lseek(number, size, os.SEEK_SET)
        return said.decode("utf-8", "replace") or "crashes"

    def _keep_this_one(self) -> bool:
        """Go on in a copy. This process waits; it takes over when the copy is told to drop what it has imported.

        Returns True in the copy.
        """
        released, self._released = os.pipe()
        if _fork() == 0:
            os.close(released)
            return True
        os.close(self._released)
        self._released = None
        said = _read_all(released)
        os.close(released)
        if said != _DROP:
            os._exit(0)
        self._dropped, self._data = True, b""
        self.send({"type": "dropped", "pid": os.getpid()})
        return False

    # --- the host --------------------------------------------------------------------------------------------------

    def send(self, message: dict[str, Any]) -> None:
        """Send a message to the host. If the host is gone, this process ends."""
        data = json.dumps(message).encode("utf-8", "surrogatepass") + b"\n"
        while data:
            try:
                data = data[os.write(self._writing, data) :]
            except OSError:
                os._exit(0)

    def _receive(self) -> list[dict[str, Any]]:
        try:
            data = os.read(self._reading, 1 << 16)
        except OSError:
            data = b""
        if not data:
            os._exit(0)
        *lines, self._data = (self._data + data).split(b"\n")
        return [json.loads(line.decode("utf-8", "surrogatepass")) for line in lines]

    def serve(self) -> dict[str, Any]:
        """Fork a child for each request. Returns only in the children; returns what was requested."""
        self._remember()
        import select

        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        children: dict[int, int] = {}  # descriptor → process
        here = os.getpid()
        while True:
            for number, _event in poll.poll():
                if number != self._reading:
                    pid = children.pop(number)
                    poll.unregister(number)
                    os.close(number)
                    _, status = os.waitpid(pid, 0)
                    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                    self.send({"type": "ended", "pid": pid, "status": code})
                    continue
                for request in self._receive():
                    if request["type"] == "import" and children:
                        self.send({"type": "left", "name": request["name"], "why": "runs go on", "pid": here})
                        continue
                    if request["type"] == "import":
                        self._import(request["name"])
                        here = os.getpid()
                        self._remember()
                        continue
                    if request["type"] == "drop":
                        if self._released is not None and not children:
                            os.write(self._released, _DROP)
                            os._exit(0)
                        self.send({"type": "dropped", "pid": here})
                        continue
                    pid = os.fork()
                    if pid == 0:
                        for other in children:
                            os.close(other)
                        self._let_go()
                        request["parent"] = here
                        return request
                    handle = os.pidfd_open(pid)
                    children[handle] = pid
                    poll.register(handle, select.POLLIN)
                    self.send({"type": "started", "id": request["id"], "pid": pid})

    def _remember(self) -> None:
        """Find out, before the fork, what otherwise every child would have to find out."""
        self.printed = _printed(1), _printed(2)
        modules.remember()

    def _import(self, name: str) -> None:
        """Import a module that a fresh run imports later."""
        import time
        from importlib import import_module

        if self._dropped:
            return  # the host asked before this process took over
        if name in sys.modules:
            self.send({"type": "imported", "name": name, "pid": os.getpid()})
            return
        if self._released is None and not self._keep_this_one():
            return
        begun = time.perf_counter()
        why = self.attempt(lambda: import_module(name), imports=True, hoisted=True)
        if why:
            self.send({"type": "left", "name": name, "why": why, "pid": os.getpid()})
        else:
            seconds = time.perf_counter() - begun
            self.send({"type": "imported", "name": name, "seconds": seconds, "pid": os.getpid()})

    def _let_go(self) -> None:
        os.close(self._reading)
        os.close(self._writing)
        if self._released is not None:
            os.close(self._released)


def _fork() -> int:
    """Fork, and keep the state of `random`: the standard library seeds it anew in each forked child."""
    random = sys.modules.get("random")
    state = random.getstate() if random is not None and hasattr(random, "getstate") else None
    pid = os.fork()
    if pid == 0 and state is not None:
        random.setstate(state)  # type: ignore[union-attr]
    return pid


def _read_all(number: int) -> bytes:
    found = b""
    while True:
        try:
            data = os.read(number, 1 << 16)
        except InterruptedError:
            continue
        if not data:
            return found
        found += data


def _printed(number: int) -> bytes:
    """What this process has written to standard output or to standard error. Both must be files."""
    with open(f"/proc/self/fd/{number}", "rb") as file:
        return file.read()
