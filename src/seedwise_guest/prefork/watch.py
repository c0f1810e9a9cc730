"""Watches what the process that forks executes, and decides: may all runs share it, or must each run execute it itself?

A statement is left to the runs when it does one of these things: it draws from, seeds or makes a random generator; it
reads the clock, the process number or the system's entropy; it reads something that differs from run to run; it
writes a file; it starts a process or a thread; it opens a connection or a device. What can be seen before it happens
ends the process at once. The rest is checked after the statement.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import stat
import sys
from typing import Any, Callable

from ..process.capture import opens_for_writing

_CHANGES = frozenset(
    "os.chmod os.chown os.link os.rmdir os.symlink os.truncate os.utime shutil.rmtree shutil.move shutil.copyfile "
    "sqlite3.connect os.setxattr os.removexattr os.mkfifo".split()
)
_PROCESSES = frozenset(
    "subprocess.Popen os.fork os.forkpty os.posix_spawn os.spawn os.system os.exec pty.spawn".split()
)
_CONNECTIONS = frozenset("socket.connect socket.sendto socket.sendmsg".split())
_HOOKS = frozenset("sys.setprofile sys.settrace".split())
_SHARED = ("/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/random")
"""Devices that are the same for all processes."""
_SURVIVES = "jemalloc_bg_thd"
"""PyArrow's allocator has a thread with this name. The allocator itself ends this thread in a forked child
(jemalloc, `background_thread_postfork_child`).
"""
_LARGEST = 2**20
"""The largest file that is made again in each run, in bytes."""
_EVERY = 256
_OURS = 3
"""Number of references to the list of arguments: from the module `sys`, from the watch, and from the call that
counts them.
"""


def _own_readings() -> set[Any]:
    """The C functions that return something else in every run: clocks, process numbers, entropy."""
    import datetime
    import time

    names = "time monotonic perf_counter process_time thread_time clock_gettime localtime gmtime ctime asctime strftime"
    clocks = [getattr(time, name + end, None) for name in names.split() for end in ("", "_ns")]
    posix = sys.modules["posix"]  # not `os`: there, the control of randomness has put its own function
    system = [getattr(posix, name, None) for name in ("getpid", "getppid", "urandom", "getrandom", "times")]
    moment, day = datetime.datetime, datetime.date
    calendar = [moment.now, moment.utcnow, moment.today, day.today]
    return {found for found in [*clocks, *system, *calendar] if found is not None}


class Watch:
    """Watches what one process does.

    Parameters
    ----------
    control
        Holds the random generators.
    own_variables
        Names of environment variables that differ from run to run.
    own_arguments
        Whether the command line differs from run to run.
    config
        The configuration file with the seed in it, if there is one.
    shared
        Files and folders that runs share. Each run must look at them itself.
    quiet
        A folder in which the process itself may write.
    private
        Whether this process has private files. What it creates in them is then created again in each run.
    """

    def __init__(
        self,
        control: Any,
        own_variables: list[str],
        own_arguments: bool,
        config: str | None,
        shared: list[str],
        quiet: str,
        private: bool,
    ) -> None:
        self._control = control
        self._variables = frozenset(own_variables)
        self.own_arguments = own_arguments
        self._memory: frozenset[str] = frozenset()
        self._config = None if config is None else os.path.realpath(config)
        self._shared = tuple(shared)
        self._quiet = quiet
        self._on = False
        self._tell: Callable[[str], None] = lambda reason: None
        self._private = private
        self._passing: set[str] = set()
        """Files that were created under a name that did not exist. They must be gone at the end of the statement."""
        self._new: list[str] = []
        """Folders and files that were created and did not exist before, in the order of creation."""
        self._positions: dict[str, object] = {}
        self._counts: object = None
        self._drew = 0
        self._libraries = 0
        self._profiling = False
        self._calls = 0
        self._streams = self._identities()
        self._arguments: Any = None
        control.on_started(self._born)
        self._undo = [self._watch_environment(), self._watch_arguments(own_arguments), self._watch_imports()]
        self._acts: dict[str, Callable[..., None]] = {
            "open": self._open,
            "os.mkdir": self._mkdir,
            "os.listdir": self._list,
            "os.scandir": self._list,
            "os.remove": self._remove,
            "os.rename": self._rename,
        }
        """For each audit event of the interpreter: what to call."""
        sys.addaudithook(self._audit)

    def close(self) -> None:
        """Stop watching, and undo every change."""
        self._on = False
        sys.setprofile(None)
        for undo in self._undo:
            undo()

    # --- one statement ---------------------------------------------------------------------------------------------

    def begin(self, tell: Callable[[str], None], profile: bool = True) -> None:
        """Call this before a statement.

        `tell(reason)` is called if the statement must be left to the runs; it must not return.
        """
        import time

        self._tell = tell
        self._memory = _shared_memory()
        self._threads, self._files, self._start = _threads(), _descriptors(), self._state()
        self._readings = _own_readings() if profile else set()
        self._clock = time.perf_counter
        self._next = self._clock() + 0.01
        self._on = True
        self._profiling = profile
        if profile:
            sys.setprofile(self._profile)

    def end(self, hoisted: bool = False) -> None:
        """Call this after a statement: look at what it left.

        `hoisted` says that it is an import that the script makes later.
        """
        sys.setprofile(None)
        self._on = False
        if self._moved():
            self._tell("draws from or seeds a random generator")
        if hoisted and self._control.imports.drawn != self._drew:
            self._tell("draws random numbers while it is imported")
        self._drew = self._control.imports.drawn
        self._look_at_processes()
        self._look_at_files()
        if self._state() != self._start:
            self._tell("sets a timer")
        if self._arguments is not None and sys.getrefcount(self._arguments) > _OURS:
            self._tell("keeps the command line")

    def _look_at_processes(self) -> None:
        """Look for threads, processes, open files and shared memory that the statement left."""
        if _thread._count():
            self._tell("starts a thread")
        if _has_children():
            self._tell("starts a process")
        if _threads() > self._threads and not _end_at_a_fork(self._threads):
            self._tell("starts a thread")
        for number, path in _descriptors().items():
            if self._files.get(number) != path and not _can_be_shared(number, path):
                self._tell(f"keeps {path} open")
        if _shared_memory() - self._memory:
            self._tell("maps memory that processes share")

    def _look_at_files(self) -> None:
        """Look at the files that were created, and at where output goes."""
        for path in self._passing:
            if os.path.lexists(path):
                with contextlib.suppress(OSError):
                    os.unlink(path)
                self._tell(f"writes {path}")
        self._passing.clear()
        for path in self._new:
            if os.path.islink(path) or (os.path.isfile(path) and os.path.getsize(path) > _LARGEST):
                self._tell(f"writes {path}")
        if self._identities() != self._streams:
            self._tell("puts another file in the place of standard output or standard error")

    def made(self) -> list[tuple[str, int, bytes | None]]:
        """The folders and files that were created: path, mode, content as it is now (None for a folder)."""
        found: list[tuple[str, int, bytes | None]] = []
        for path in self._new:
            if os.path.isdir(path):
                found.append((path, stat.S_IMODE(os.stat(path).st_mode), None))
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found.append((path, stat.S_IMODE(os.stat(path).st_mode), file.read()))
        return found

    def stop(self, reason: str) -> None:
        """Say why the statement is left to the runs. While a statement is executed, this ends the process."""
        if self._on:
            self._on = False
            sys.setprofile(None)
            self._tell(reason)

    def _state(self) -> object:
        import signal

        return [signal.getitimer(kind)[0] != 0 for kind in (0, 1, 2)]

    def _identities(self) -> object:
        found: list[object] = []
        for number in (0, 1, 2):
            try:
                info = os.fstat(number)
                found.append((info.st_dev, info.st_ino))
            except OSError:
                found.append(None)
        return found

    # --- generators ------------------------------------------------------------------------------------------------

    def _born(self, name: str) -> None:
        backend = next(b for b in self._control.backends if b.name == name)
        self._positions[name] = self._control.imports.position(backend)

    def _moved(self) -> bool:
        control = self._control
        counts = control.counts()
        if self._counts is None:
            self._counts = counts
        if counts != self._counts or control.made_moved():
            return True
        return any(
            control.imports.position(b) != self._positions.get(b.name)
            for b in control.backends
            if b.name in control.started
        )

    # --- what can be seen before it happens ------------------------------------------------------------------------

    def _profile(self, frame: Any, event: str, function: Any) -> None:
        if event == "c_call" and function in self._readings:
            self.stop(f"calls {getattr(function, '__name__', function)}(), which answers otherwise in each run")
        self._calls += 1
        if self._calls % _EVERY == 0 and self._clock() > self._next:
            self._next = self._clock() + 0.01
            if self._moved():
                self.stop("draws from or seeds a random generator")

    def _watch_imports(self) -> Callable[[], None]:
        """Watch imports.

        A library may read the clock while it is imported; what the user's own code does there is watched.
        """
        from ..process.imports import is_standard, users_by_name, wrap_imports

        is_users = users_by_name()
        main = _thread.get_ident()

        def begin(name: str) -> bool | None:
            if not self._profiling or _thread.get_ident() != main:
                return None
            before = self._libraries > 0
            self._libraries = 0 if not is_standard(name) and is_users(name) else 1
            sys.setprofile(None if self._libraries else self._profile)
            return before

        def end(before: bool | None, ok: bool) -> None:
            if before is None:
                return
            self._libraries = int(before)
            if self._on:
                sys.setprofile(None if before else self._profile)

        return wrap_imports(begin, end)

    def _watch_environment(self) -> Callable[[], None]:
        environ: Any = type(os.environ)
        get = environ.__getitem__

        def own_get(this: Any, key: Any) -> Any:
            if key in self._variables and this is os.environ:
                by_library = self._private and (self._libraries or not self._profiling)
                if not (by_library and _goes_through_all(sys._getframe(1))):
                    self.stop(f"reads the variable {key}")
            return get(this, key)

        environ.__getitem__ = own_get

        def undo() -> None:
            environ.__getitem__ = get

        return undo

    def _watch_arguments(self, own: bool) -> Callable[[], None]:
        if not own:
            return lambda: None
        watch = self

        class Arguments(list):  # type: ignore[type-arg]
            def __getitem__(self, index: Any) -> Any:
                if index != 0:
                    watch.stop("reads the command line")
                return super().__getitem__(index)

            def __iter__(self) -> Any:
                watch.stop("reads the command line")
                return super().__iter__()

        sys.argv = self._arguments = Arguments(sys.argv)

        def undo() -> None:
            if sys.argv is self._arguments:
                sys.argv = list(sys.argv)
            self._arguments = None

        return undo

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        act = self._acts.get(event)
        if act is not None:
            act(*arguments)
        elif event in _CHANGES:
            self.stop(f"writes {_path(arguments[0])}")
        elif event in _PROCESSES:
            if not (self._private and (self._libraries or not self._profiling)):
                self.stop("starts a process")  # a library may do this while it is imported: its files are private
        elif event in _CONNECTIONS:
            self.stop("opens a connection")
        elif event in _HOOKS and arguments == () and sys._getframe(1).f_globals.get("__name__") != __name__:
            self.stop("watches the interpreter itself")

    def _list(self, path: Any = None, *_: Any) -> None:
        self._look(_path("." if path is None else path))

    def _remove(self, path: Any, *_: Any) -> None:
        place = _path(path)
        if place not in self._passing and place not in self._new:
            self.stop(f"removes {place}")

    def _open(self, path: Any, mode: object, flags: object) -> None:
        place = _path(path)
        if not place or place in _SHARED or place.startswith(("/proc/", self._quiet)):
            return
        if opens_for_writing(mode, flags):
            self._write(place, flags)
        elif self._config is not None and os.path.realpath(place) == self._config:
            self.stop("reads the configuration file with the seed")
        self._look(place)

    def _look(self, place: str) -> None:
        if self._is_shared(place):
            self.stop(f"looks at {place}, which runs share")

    def _write(self, place: str, flags: object) -> None:
        if place in self._new or place in self._passing:
            return
        if os.path.lexists(place):
            self.stop(f"writes {place}")
        if isinstance(flags, int) and flags & os.O_EXCL:
            self._passing.add(place)
        elif self._private and not self._is_shared(place):
            self._new.append(place)
        else:
            self.stop(f"writes {place}")

    def _rename(self, old: Any, new: Any, *_: Any) -> None:
        """A file that was created here gets a new name that does not exist yet.

        This is how a cache is written in one step.
        """
        source, to = _path(old), _path(new)
        known = source in self._new or source in self._passing
        if not self._private or not known or os.path.isdir(source) or (os.path.lexists(to) and to not in self._new):
            self.stop(f"writes {to}")
        self._passing.discard(source)
        if to not in self._new:
            self._new.append(to)

    def _mkdir(self, path: Any, mode: int, folder: int = -1) -> None:
        place = _path(path)
        if os.path.lexists(place):
            return
        if folder != -1 or not self._private or self._is_shared(place) or sys._getframe(2).f_code.co_name == "mkdtemp":
            self.stop(f"makes the folder {place}")  # the name of a temporary folder must differ from run to run
        self._new.append(place)

    def _is_shared(self, place: str) -> bool:
        return any((place + os.sep).startswith(path + os.sep) for path in self._shared)


def _goes_through_all(frame: Any) -> bool:
    """Whether the code that reads a variable goes through all variables.

    For example a loop, `dict(os.environ)`, `.copy()`.
    """
    import opcode

    name = str(frame.f_globals.get("__name__"))
    if name in ("_collections_abc", "collections.abc") and frame.f_code.co_name == "__iter__":
        return True
    operation = opcode.opname[frame.f_code.co_code[frame.f_lasti]]
    return "CALL" in operation or operation.startswith("DICT_")  # the interpreter's own code asks, for `dict`


def _path(path: Any) -> str:
    try:
        return os.path.abspath(os.fsdecode(path))
    except (TypeError, ValueError):
        return ""


def _threads() -> int:
    """How many threads this process has that a fork would lose, the calling one included."""
    try:
        tasks = os.listdir("/proc/self/task")
    except OSError:
        return 1
    if len(tasks) == 1 or sys.version_info >= (3, 12):
        return len(tasks)
    return len(tasks) - sum(_name_of(task) == _SURVIVES for task in tasks)


def _shared_memory() -> frozenset[str]:
    """The parts of memory that are writable and shared with forked children."""
    try:
        with open("/proc/self/maps") as file:
            return frozenset(
                line for line in file if line.split(" ", 2)[1].endswith("s") and "w" in line.split(" ", 2)[1]
            )
    except OSError:
        return frozenset()


def _has_children() -> bool:
    """Whether a process that was started is still running."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return bool(file.read().strip())
    except OSError:
        return False


def _name_of(task: str) -> str:
    try:
        with open(f"/proc/self/task/{task}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""  # it has ended


def _end_at_a_fork(threads: int) -> bool:
    """Whether the threads above this number end before a fork and start again after it, as those of OpenBLAS do.

    It is found out by a fork.
    """
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    left = _threads()
    os.waitpid(pid, 0)
    return left <= threads


def _descriptors() -> dict[int, str]:
    """Paths of the open files, by descriptor."""
    found = {}
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return {}
    for name in numbers:
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the folder itself
    return found


def _can_be_shared(number: int, path: str) -> bool:
    """Whether all children may have this descriptor: it must be a file that is open for reading."""
    import fcntl

    try:
        info, flags = os.fstat(number), fcntl.fcntl(number, fcntl.F_GETFL)
    except OSError:
        return True
    if path in _SHARED:
        return True
    return stat.S_ISREG(info.st_mode) and flags & os.O_ACCMODE == os.O_RDONLY
