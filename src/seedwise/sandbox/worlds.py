"""A world is the private view of the files that one run has.

This module finds the kind of world that this system allows, and collects what each run wrote.

The rule is in docs/files.md. The best kind is an overlay over the project, the home folder and the temporary folders.
Where overlays are refused, each run gets copies of the project's small files. Where namespaces are refused, runs go
one after another, and the tree is put back after each. Seedwise tests whether a kind works; it does not look at
version numbers.
"""

import contextlib
import ctypes
import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedwise_guest.protocol import ENTRY, GUARD, LARGE, LAUNCHER, WORLD_ERROR, end_users_of, inside

from ..errors import UsageError
from ..wording import option
from .project import project_root
from .workdir import Workdir

_ABANDONED = 3600.0
_JUNK = frozenset({"__pycache__", ".seedwise", ".pytest_cache", ".ipynb_checkpoints"})


@dataclass
class World:
    """The private view of one run: the folder with its upper layers and its launcher's specification, and its spool."""

    folder: Path
    spool: Path
    targets: list[dict[str, str]] = field(default_factory=list)

    @property
    def empty(self) -> Path:
        """An empty folder, which is put over folders that the run must not see."""
        return self.folder / "empty"


@dataclass
class Worlds:
    """How runs are isolated on this system. `reason` says why nothing better was possible."""

    kind: Workdir
    base: Path
    project: Path
    targets: tuple[str, ...] = ()
    share: tuple[str, ...] = ()
    reason: str = ""
    needed: tuple[str, ...] = ()
    """The project, the working directory and the script's own folder."""
    hide: tuple[str, ...] = ()
    """Folders that runs must not see: the store."""
    nice: int = 0
    """How much priority runs give up to other work on this machine."""
    emptied: tuple[str, ...] = ()
    """Temporary folders that are empty at first, because the worlds themselves lie below them."""
    isolate_network: bool = False
    """Whether each run has its own network, which has only a loopback device."""
    code: Path | None = None
    """Files that runs see in the place of those on this machine: `code/home/me/train.py` for `/home/me/train.py`."""
    tools: tuple[str, ...] = ()
    """Programs that an empty /tmp would hide: for example the interpreter's folder, if it is there."""

    @property
    def parallel(self) -> bool:
        """Whether runs may go on at the same time."""
        return self.kind in (Workdir.OVERLAY, Workdir.FARM, Workdir.SHARED)

    def make(self) -> World:
        """Make the folders for one run."""
        folder = Path(tempfile.mkdtemp(prefix="world-", dir=self.base))
        world = World(folder, folder / "spool")
        world.spool.mkdir()
        world.empty.mkdir()
        if self.kind not in (Workdir.OVERLAY, Workdir.FARM):
            return world
        for k, path in enumerate(self.targets):
            if self.kind is Workdir.OVERLAY:
                kind = "empty" if path in self.emptied else "overlay"
            else:
                kind = "empty" if _is_temporary(path) else "farm"
            upper, work = folder / f"upper-{k}", folder / f"work-{k}"
            upper.mkdir()
            work.mkdir()
            with contextlib.suppress(OSError):
                shutil.copymode(path, upper)
                if os.geteuid() == 0:
                    info = os.stat(path)
                    os.chown(upper, info.st_uid, info.st_gid)
            world.targets.append({"kind": kind, "path": path, "upper": str(upper), "work": str(work)})
            if self.code is not None and os.path.isdir(over := f"{self.code}{path}"):
                world.targets[-1]["over"] = over
        return world

    def specification(
        self,
        world: World,
        argv: Sequence[str],
        cores: Sequence[int],
        replace: Sequence[tuple[str, str]],
        probe: str = "",
        fixed_addresses: bool = False,
        private: bool = False,
        file: str = "launch.json",
        bound: Sequence[tuple[str, str]] = (),
    ) -> Path:
        """Write what the launcher must do, and return the path of that file. With `private`, nothing is shared.

        `bound` are folders, with the path where the run finds each.
        """
        data: dict[str, Any] = {
            "targets": world.targets,
            "writable": [str(world.folder), *(() if private else self.share)],
            "bound": [list(pair) for pair in bound],
            "hide": list(self.hide),
            "tools": list(self.tools),
            "empty": str(world.empty),
            "private_shm": bool(world.targets) and not str(self.base).startswith("/dev/shm"),
            "cwd": os.getcwd(),
            "argv": list(argv),
            "cores": list(cores),
            "replace": [list(pair) for pair in replace],
            "probe": probe,
            "nice": self.nice,
            "isolate_network": self.isolate_network,
            "fixed_addresses": fixed_addresses,
            "report": str(world.spool / WORLD_ERROR),
            "supervisor": os.getpid(),
        }
        path = world.folder / file
        path.write_text(json.dumps(data), encoding="utf-8", errors="surrogateescape")
        return path

    def as_seen(self, path: str) -> str:
        """The file that a run sees under this path, before it writes there."""
        if self.code is not None and os.path.isfile(over := f"{self.code}{path}"):
            return over
        return path

    def launcher(self, specification: Path) -> list[str]:
        """The command that enters the world and then becomes the run."""
        return [sys.executable, "-I", "-S", LAUNCHER, str(specification)]

    @contextlib.contextmanager
    def throw_away(self, argv: Sequence[str]) -> Iterator[tuple[list[str], str]]:
        """Launcher and spool of a command. Everything that it writes is deleted at the end."""
        world = self.make()
        try:
            yield self.launcher(self.specification(world, argv, [], [], private=True)), str(world.spool)
        finally:
            self.end_users(world, thorough=False)
            self.remove(world)

    def harvest(self, world: World, keep: Path) -> list[str]:
        """Move what the run wrote in the project into `keep`. Returns the paths, relative to the project.

        Files elsewhere below the home folder go to `keep/outside`. Caches and temporary files are dropped.
        """
        moved: list[str] = []
        home = str(Path.home())
        for target in world.targets:
            open_folders(Path(target["upper"]))
            for path, inner in _written(target["upper"]):
                full = os.path.join(target["path"], inner)
                if target["kind"] == "farm" and _is_copy(path, self.as_seen(full)):
                    continue
                if inside(full, str(self.project)):
                    relative = os.path.relpath(full, self.project)
                elif (_is_temporary(target["path"]) and not any(inside(full, place) for place in self.needed)) or (
                    inside(full, home) and os.path.relpath(full, home).startswith(".")
                ):
                    continue
                else:
                    relative = os.path.join("outside", full.lstrip(os.sep))
                destination = keep / relative
                destination.parent.mkdir(parents=True, exist_ok=True)
                move_file(path, destination)
                moved.append(relative)
        if moved:
            _wait_for_disk(keep)
        return sorted(moved)

    def end_users(self, world: World, *, thorough: bool) -> None:
        """Kill the processes that a run has left.

        Its own session has ended already. Children in other sessions are searched only if the run started processes,
        or did not end well.
        """
        if sys.platform == "linux" and (thorough or (world.spool / "children").exists()):
            end_users_of([str(world.spool)])

    def remove(self, world: World) -> None:
        """Delete the run's folders."""
        delete_tree(world.folder)


def move_file(path: str | Path, destination: Path) -> None:
    """Move a file or link. Afterwards it is there completely, or not at all. Raises OSError."""
    try:
        os.rename(path, destination)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    draft = destination.with_name(f".{destination.name[:200]}.part")
    try:
        shutil.copy2(path, draft, follow_symlinks=False)
        os.replace(draft, destination)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    os.unlink(path)


def _wait_for_disk(folder: Path) -> None:
    """Wait until the files are on the disk.

    Otherwise a power cut could destroy files of a run that is saved as finished.
    """
    if sys.platform != "linux":
        os.sync()
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        ctypes.CDLL(None).syncfs(handle)
    finally:
        os.close(handle)


def open_folders(folder: Path) -> None:
    """Give this process the right to read and empty every folder below `folder`."""
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700)
    for place, folders, _files in os.walk(folder):
        for name in folders:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                with contextlib.suppress(OSError):
                    os.chmod(path, os.stat(path).st_mode | 0o700)


def delete_tree(folder: Path) -> None:
    """Delete a world's folders. The kernel leaves some folders of an overlay without permissions."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    open_folders(folder)
    shutil.rmtree(folder, ignore_errors=True)


def private_folder() -> Path:
    """A folder outside the project that every run can see."""
    cwd = Path.cwd()
    return _base_folder(_outermost([str(project_root(cwd)), str(cwd)]))


def sweep_dead_worlds(base: Path) -> None:
    """Remove the private folders of supervisors that were killed."""
    for folder in [*base.glob("call-*"), *base.glob("worker-*")]:
        with contextlib.suppress(OSError, ValueError):
            try:
                os.kill(int(folder.name.split("-")[1]), 0)
            except ProcessLookupError:
                delete_tree(folder)
    for folder in base.glob("world-*"):
        with contextlib.suppress(OSError):
            if not (folder / "launch.json").exists() and time.time() - folder.stat().st_mtime > _ABANDONED:
                delete_tree(folder)  # its supervisor was killed before it started anything in it
        with contextlib.suppress(OSError, ValueError, KeyError):
            supervisor = json.loads((folder / "launch.json").read_text())["supervisor"]
            try:
                os.kill(supervisor, 0)
            except ProcessLookupError:
                end_users_of([str(folder / "spool")])
                delete_tree(folder)


@contextlib.contextmanager
def guarded(base: Path) -> Iterator[None]:
    """Inside this block, a small process waits beside this one.

    If this process is killed, it ends what the runs have left running.
    """
    if sys.platform != "linux":
        yield
        return
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", GUARD, str(base), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    try:
        yield
    finally:
        guard.kill()
        guard.wait()
        if guard.stdin is not None:
            guard.stdin.close()


def _written(upper: str) -> Iterable[tuple[str, str]]:
    """Regular files and links in an upper layer: their paths, and their paths inside the layer."""
    for folder, folders, files in os.walk(upper):
        folders[:] = sorted(name for name in folders if name not in _JUNK)
        for name in sorted(files):
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                yield path, os.path.relpath(path, upper)


def _is_copy(path: str, original: str) -> bool:
    """Whether a file in a farm is an unchanged copy, or the placeholder of a big file."""
    try:
        copied, before = os.lstat(path), os.lstat(original)
    except OSError:
        return False
    if stat.S_ISLNK(copied.st_mode):
        return stat.S_ISLNK(before.st_mode) and os.readlink(path) == os.readlink(original)
    return (copied.st_size, copied.st_mtime_ns) == (before.st_size, before.st_mtime_ns) or (
        copied.st_size == 0 and before.st_size > LARGE
    )


def _is_temporary(path: str) -> bool:
    return path in {"/tmp", "/var/tmp", os.path.realpath(tempfile.gettempdir())}


def _outermost(paths: Iterable[str]) -> list[str]:
    real = sorted({os.path.realpath(p) for p in paths if os.path.isdir(p)})
    found: list[str] = []
    for path in real:
        if path != "/" and not any(inside(path, above) for above in found):
            found.append(path)
    return found


def find_worlds(
    wanted: Workdir,
    script: str | None,
    share: Sequence[str] = (),
    hide: Sequence[str] = (),
    command: Sequence[str] = (),
    isolate_network: bool = False,
) -> Worlds:
    """The best kind of world that works here, among those that `wanted` allows. Each kind is tested, not guessed.

    Raises
    ------
    UsageError
        A kind was asked for by name but does not work here (the message says why), or a path of `share` does not
        exist.
    """
    cwd = Path.cwd()
    project = project_root(cwd)
    shared = tuple(os.path.realpath(os.path.expanduser(path)) for path in share)
    for path in shared:
        if not os.path.exists(path):
            raise UsageError(f"{option(f'--share {path}')}: there is no such file or folder")
    needed = [str(project), str(cwd)]
    if script and os.path.isfile(script):
        needed.append(os.path.dirname(os.path.realpath(script)))
    base = _base_folder(_outermost(needed))
    if isolate_network and wanted in (Workdir.SHARED, Workdir.SEQUENTIAL):
        raise UsageError(
            f"{option('--isolate-network')} needs private files for each run: it cannot go with {option(f'--workdir {wanted}')}"
        )
    if wanted in (Workdir.SHARED, Workdir.SEQUENTIAL):
        return Worlds(wanted, base, project, share=shared, needed=tuple(needed))
    reasons: list[str] = [] if sys.platform == "linux" else [f"{sys.platform} has no mount namespaces"]
    for kind in (Workdir.OVERLAY, Workdir.FARM):
        if sys.platform == "linux" and wanted in (Workdir.AUTO, kind):
            targets, emptied, tools = _views(kind, base, needed, command)
            worlds = Worlds(
                kind,
                base,
                project,
                targets,
                shared,
                needed=tuple(needed),
                hide=tuple(hide),
                tools=tools,
                emptied=emptied,
                isolate_network=isolate_network,
            )
            reason = _probe(worlds)
            if not reason:
                return worlds
            reasons.append(f"{kind}: {reason}")
    reason = "; ".join(reasons)
    if wanted is not Workdir.AUTO:
        raise UsageError(f"{option(f'--workdir {wanted}')} does not work here: {reason}")
    if isolate_network:
        raise UsageError(f"{option('--isolate-network')} does not work here: {reason}")
    return Worlds(Workdir.SEQUENTIAL, base, project, share=shared, needed=tuple(needed), reason=reason)


def _views(
    kind: Workdir, base: Path, needed: Sequence[str], command: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The folders that each run sees in a special way.

    Returns those of which each run has its own view; those of them that are empty at first; and the programs in these
    that the run must see.
    """
    if kind is Workdir.FARM:
        targets = tuple(path for path in _farm_targets(needed) if not inside(str(base), path))
        return targets, (), _tools(command, targets)
    wide = [*needed, str(Path.home()), "/tmp", tempfile.gettempdir()]
    paths = _outermost(path for path in wide if not inside(str(base), os.path.realpath(path)))
    around = [path for path in _outermost(wide) if inside(str(base), path)]
    emptied = tuple(path for path in around if _is_temporary(path))
    return (*paths, *emptied), emptied, _tools(command, emptied) if emptied else ()


def _farm_targets(needed: Sequence[str]) -> list[str]:
    projects = _outermost(needed)
    temporary = [p for p in _outermost(["/tmp", tempfile.gettempdir()]) if not any(inside(p, q) for q in projects)]
    return [*temporary, *projects]  # an empty /tmp first, because a project may lie in it


def _tools(command: Sequence[str], targets: Sequence[str]) -> tuple[str, ...]:
    """Folders of programs that lie inside temporary targets but outside the projects."""
    first = shutil.which(command[0]) if command else None
    places = [*os.environ.get("PATH", "").split(os.pathsep), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    places = [os.path.dirname(p) if os.path.basename(p) == "bin" else p for p in places if p]
    places += [
        sys.prefix,
        os.path.dirname(os.path.dirname(ENTRY)),
        *([os.path.dirname(os.path.dirname(os.path.abspath(first)))] if first else []),
    ]
    temporary = [t for t in targets if _is_temporary(t)]
    projects = [t for t in targets if t not in temporary]
    found = [os.path.realpath(p) for p in places if os.path.isdir(p)]
    return tuple(
        p
        for p in _outermost(found)
        if any(inside(p, t) and p != t for t in temporary) and not any(inside(p, q) or inside(q, p) for q in projects)
    )


def _base_folder(needed: Sequence[str]) -> Path:
    """The folder in which worlds are made. It lies outside every folder that runs must see unchanged."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    places = [
        os.environ.get("SEEDWISE_WORLDS", ""),
        "/var/tmp",
        tempfile.gettempdir(),
        str(Path.home()),
        "/dev/shm",
    ]
    for place in places:
        if not place or not os.path.isdir(place) or not os.access(place, os.W_OK):
            continue
        folder = Path(os.path.realpath(place)) / f"seedwise-{user}"
        if any(inside(str(folder), path) for path in needed):
            continue
        if _is_our_own(folder, user):
            return folder
    raise UsageError("no folder for the runs' private files: set SEEDWISE_WORLDS to one outside the project")


def _is_our_own(folder: Path, user: int | str) -> bool:
    """Make a folder that only this user can enter.

    Returns False if somebody else has made it, or if there is a link in its place.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        info = os.lstat(folder)
        if not stat.S_ISDIR(info.st_mode) or (isinstance(user, int) and info.st_uid != user):
            return False
        if info.st_mode & 0o077:
            os.chmod(folder, 0o700)
    except OSError:
        return False
    return True


def _probe(worlds: Worlds) -> str:
    """Enter a world and write into it.

    Returns "" if nothing of it is seen outside, else why this kind does not work.
    """
    world = worlds.make()
    name = f".seedwise-probe-{os.getpid()}"
    try:
        specification = worlds.specification(world, ["true"], [], [], probe=name)
        done = subprocess.run(worlds.launcher(specification), capture_output=True, timeout=60, check=False)
        error = world.spool / WORLD_ERROR
        if error.exists():
            return str(json.loads(error.read_text())["error"])
        if done.returncode != 0:
            return done.stderr.decode(errors="replace").strip()[-200:] or f"exit {done.returncode}"
        looked = [*worlds.targets, os.getcwd()]
        if not (world.spool / "probed").exists():
            return f"{os.getcwd()} cannot be written there"
        seen = [path for path in dict.fromkeys(looked) if os.path.exists(os.path.join(path, name))]
        for path in seen:
            os.unlink(os.path.join(path, name))
        return f"a write to {seen[0]} came through" if seen else ""
    except subprocess.TimeoutExpired:
        return "entering took more than a minute"
    finally:
        worlds.remove(world)
