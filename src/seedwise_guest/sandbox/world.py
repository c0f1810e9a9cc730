"""A private copy-on-write view of the user's files. A fresh process enters it and then becomes the run.

It is run as a script with the path of a JSON file, on Linux only. The process gets its own mount namespace and, over
each target, an overlay. Where overlays are refused, it gets a copy of the small files, with the big files bound
read-only. Everything else on disk is read-only. An ordinary user also needs a user namespace; the uid is mapped to
itself in it, so the capabilities are lost at exec. The upper folders keep what a run writes.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
from typing import Any

FAILED = 96
"""Exit status when the world could not be entered. The reason is in the report file."""

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWIPC, _CLONE_NEWNET = 0x00020000, 0x10000000, 0x08000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT = 1, 2, 4, 8, 32
_NOATIME, _NODIRATIME, _BIND, _REC, _PRIVATE, _RELATIME = 1024, 2048, 4096, 16384, 1 << 18, 1 << 21
_FLAGS = {
    "nosuid": _NOSUID,
    "nodev": _NODEV,
    "noexec": _NOEXEC,
    "noatime": _NOATIME,
    "nodiratime": _NODIRATIME,
    "relatime": _RELATIME,
}
_NOT_DISKS = frozenset(
    "proc sysfs devtmpfs devpts cgroup cgroup2 mqueue securityfs debugfs tracefs bpf fusectl configfs pstore "
    "efivarfs hugetlbfs binfmt_misc autofs nsfs rpc_pipefs".split()
)
LARGE = 8 * 2**20

_libc: Any = None


def _call(name: str, *arguments: Any) -> None:
    global _libc
    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        shown = ", ".join(a.decode(errors="replace") if isinstance(a, bytes) else str(a) for a in arguments)
        raise OSError(number, f"{name}({shown}): {os.strerror(number)}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    def text(value: str | None) -> bytes | None:
        return None if value is None else os.fsencode(value)

    _call("mount", text(source), text(target), text(kind), ctypes.c_ulong(flags), text(data))


def _unshare(network: bool) -> bool:
    """Enter new namespaces for mounts and for System V shared memory, and for the network if asked for.

    Returns True if a user namespace was needed.
    """
    flags = _CLONE_NEWNS | _CLONE_NEWIPC | (_CLONE_NEWNET if network else 0)
    try:
        _call("unshare", flags)
        return False
    except PermissionError:
        uid, gid = os.getuid(), os.getgid()
        _call("unshare", _CLONE_NEWUSER | flags)
        for file, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open(f"/proc/self/{file}", "w") as handle:
                handle.write(text)
        return True


def _loopback() -> None:
    """Switch on the loopback device of a network namespace that has just been made (netdevice(7))."""
    handle = _libc.socket(2, 2, 0)  # AF_INET, SOCK_DGRAM
    if handle < 0:
        raise OSError(ctypes.get_errno(), "no socket in the run's own network")
    try:
        request = (ctypes.c_uint8 * 40)(*b"lo")  # struct ifreq: the name, and from byte 16 on the flags
        _call("ioctl", handle, ctypes.c_ulong(0x8913), request)  # SIOCGIFFLAGS
        flags = int.from_bytes(request[16:18], sys.byteorder) | 1 | 0x40  # IFF_UP, IFF_RUNNING
        request[16:18] = list(flags.to_bytes(2, sys.byteorder))
        _call("ioctl", handle, ctypes.c_ulong(0x8914), request)  # SIOCSIFFLAGS
    finally:
        os.close(handle)


def _unescape(text: str) -> str:
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")


def mounts() -> list[tuple[str, str, list[str]]]:
    """Mount point, file system and options of every mount, in the order in which they were made."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            fields = line.split(" ")
            kind = fields[fields.index("-") + 1]
            found.append((_unescape(fields[4]), kind, fields[5].split(",")))
    return found


def inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _escape(path: str) -> str:
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def _overlay(target: dict[str, str], as_user: bool) -> None:
    lower = ":".join(_escape(path) for path in (target.get("over"), target["path"]) if path)
    layers = f"lowerdir={lower},upperdir={_escape(target['upper'])},workdir={_escape(target['work'])}"
    wishes = ["userxattr"] if as_user else ["redirect_dir=on,index=on", ""]
    for k, wish in enumerate(wishes):
        try:
            _mount("overlay", target["path"], "overlay", 0, f"{layers},{wish}" if wish else layers)
            return
        except OSError:
            if k == len(wishes) - 1:
                raise


def _put_farm(target: dict[str, str], big: list[tuple[int, str]]) -> None:
    """Put a copy of a tree in the place of the tree. Its big files are bound into the copy, read-only."""
    os.makedirs(target["path"], exist_ok=True)
    _mount(target["upper"], target["path"], None, _BIND)
    for fd, path in big:
        _mount(f"/proc/self/fd/{fd}", path, None, _BIND)
        _mount(None, path, None, _BIND | _REMOUNT | _RDONLY)
        os.close(fd)


def _copy_tree(source: str, copy: str, leave: list[str]) -> list[str]:
    import shutil
    import stat

    big: list[str] = []
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in leave]
        place = os.path.join(copy, os.path.relpath(folder, source))
        os.makedirs(place, exist_ok=True)
        for name in [f for f in folders if os.path.islink(os.path.join(folder, f))] + files:
            path, to = os.path.join(folder, name), os.path.join(place, name)
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode):
                os.symlink(os.readlink(path), to)
            elif stat.S_ISREG(info.st_mode) and info.st_size <= LARGE:
                shutil.copy2(path, to)
            elif stat.S_ISREG(info.st_mode):
                open(to, "w").close()
                big.append(path)
        shutil.copystat(folder, place)
    return big


def _read_only(before: list[tuple[str, str, list[str]]], spec: dict[str, Any]) -> None:
    """Make every other disk read-only, so that a write elsewhere fails with an error."""
    covered = [target["path"] for target in spec["targets"]] + spec["writable"]
    for point, kind, options in before:
        if kind in _NOT_DISKS or "ro" in options or any(inside(point, place) for place in covered):
            continue
        if kind in ("tmpfs", "ramfs") and any(inside(point, place) for place in ("/dev", "/proc", "/sys", "/run")):
            continue
        flags = _BIND | _REMOUNT | _RDONLY
        for option in options:
            flags |= _FLAGS.get(option, 0)
        try:
            _mount(None, point, None, flags)
        except OSError:
            if point == "/":
                raise


def enter(spec: dict[str, Any]) -> bool:
    """Enter the world that `spec` describes.

    Returns True if a user namespace was needed. Raises OSError where the system refuses.
    """
    before = mounts()
    as_user = _unshare(bool(spec.get("isolate_network"))) or bool(spec.get("as_user"))
    if spec.get("isolate_network"):
        _loopback()
    shm = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
    _mount(None, "/", None, _REC | _PRIVATE)
    below = [p for p, _k, _o in before for t in spec["targets"] if p != t["path"] and inside(p, t["path"])]
    held = _hold([path for path in dict.fromkeys([*spec["writable"], *below, *spec["tools"]]) if os.path.exists(path)])
    bound = [(os.open(source, os.O_PATH), path) for source, path in spec["bound"]]
    held += _put_targets(spec, as_user) + bound
    for fd, path in held:
        if os.path.isdir(f"/proc/self/fd/{fd}"):
            os.makedirs(path, exist_ok=True)
        _mount(f"/proc/self/fd/{fd}", path, None, _BIND | _REC)
        os.close(fd)
    for path in [
        *below,
        *spec["tools"],
    ]:  # a disk mounted inside the project, an interpreter in /tmp: visible, but read-only
        if path not in spec["writable"] and os.path.ismount(path):
            with contextlib.suppress(OSError):
                _mount(None, path, None, _BIND | _REMOUNT | _RDONLY)
    for path in spec["hide"]:  # the store, which holds other runs' files
        if os.path.isdir(path):
            _mount(spec["empty"], path, None, _BIND)
    _read_only(before, spec)
    if spec["private_shm"] and shm is not None:
        _mount("tmpfs", "/dev/shm", "tmpfs", _NOSUID | _NODEV, f"mode=1777,size={shm.f_blocks * shm.f_frsize}")
    return as_user


def _hold(paths: list[str]) -> list[tuple[int, str]]:
    """Open each path before it is covered. Returns a descriptor and the path for each."""
    return [(os.open(path, os.O_PATH), path) for path in paths]


def _put_targets(spec: dict[str, Any], as_user: bool) -> list[tuple[int, str]]:
    """Cover each target with its private view.

    Returns descriptors of folders inside a covered target that must stay visible.
    """
    farms = {}
    for target in spec["targets"]:  # copied before anything covers the originals
        if target["kind"] == "farm":
            farms[target["path"]] = _hold(_copy_tree(target["path"], target["upper"], spec["writable"] + spec["hide"]))
            if target.get("over"):
                import shutil

                shutil.copytree(target["over"], target["upper"], symlinks=True, dirs_exist_ok=True)
    overlays = [target["path"] for target in spec["targets"] if target["kind"] == "overlay"]
    held: list[tuple[int, str]] = []
    for target in sorted(spec["targets"], key=lambda target: bool(overlays) and target["kind"] == "empty"):
        if target["kind"] == "overlay":
            _overlay(target, as_user)
        elif target["kind"] == "empty":
            # a project inside the folder for temporary files stays visible
            held += _hold([path for path in overlays if inside(path, target["path"])])
            _mount(target["upper"], target["path"], None, _BIND)
            for path in [*spec["writable"], *[t["path"] for t in spec["targets"]]]:
                if path != target["path"] and inside(path, target["path"]):
                    os.makedirs(path, exist_ok=True)
        else:
            _put_farm(target, farms[target["path"]])
    return held


def enter_and_remember(spec: dict[str, Any]) -> tuple[int, bool]:
    """Enter a world that forked children can leave again, to enter their own worlds: see `go_back`.

    Returns a descriptor of the way back, and whether a user namespace was needed. If so, its capabilities are
    switched off until then.
    """
    as_user = _unshare(False)
    _mount(None, "/", None, _REC | _PRIVATE)
    way_back = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    enter({**spec, "as_user": as_user})
    os.chdir(spec["cwd"])
    if as_user:
        _use_rights(False)
    return way_back, as_user


def go_back(way_back: int, as_user: bool) -> None:
    """Leave the world that was entered by `enter_and_remember`.

    The process then sees every file as the host sees it.
    """
    if as_user:
        _use_rights(True)
    _call("setns", way_back, _CLONE_NEWNS)
    os.close(way_back)


def _use_rights(on: bool) -> None:
    """Switch the capabilities that this process is permitted to have on or off."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    _call("capget", header, sets)
    for k in (0, 3):
        sets[k] = sets[k + 1] if on else 0
    _call("capset", header, sets)


def drop_rights() -> None:
    """Give up the capabilities that came with a user namespace, as exec would do."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def settle(spec: dict[str, Any]) -> None:
    """Set configuration files, working directory and cores of the run.

    From now on the run ends when the process that started it ends.
    """
    for source, path in spec["replace"]:  # configuration files that contain the seed of this run
        with open(source, "rb") as file:
            data = file.read()
        with open(path, "wb") as file:
            file.write(data)
    os.chdir(spec["cwd"])
    if spec["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, spec["cores"])
    if spec.get("nice"):
        os.nice(spec["nice"])
    if spec.get("fixed_addresses"):
        with contextlib.suppress(OSError):  # some containers refuse: addresses then differ in each run
            _call("personality", 0x0040000)  # ADDR_NO_RANDOMIZE: memory has the same addresses in every run
    if sys.platform == "linux":
        _call("prctl", 1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG: no orphan is left when the supervisor is killed
        if os.getppid() != spec["supervisor"]:
            os._exit(FAILED)


def become(spec: dict[str, Any]) -> None:
    """Turn this process into the run."""
    settle(spec)
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores these signals, and exec would keep that
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    argv = spec["argv"]
    os.execvp(argv[0], argv)


def probe(spec: dict[str, Any]) -> None:
    """Write a file into every target and into the working directory.

    The host then checks that it does not see these files.
    """
    for folder in dict.fromkeys([*[target["path"] for target in spec["targets"]], spec["cwd"]]):
        if folder == spec["cwd"] or os.access(folder, os.W_OK):
            with contextlib.suppress(PermissionError), open(os.path.join(folder, spec["probe"]), "w") as file:
                file.write("probe")
    with open(os.path.join(os.path.dirname(spec["report"]), "probed"), "w") as file:
        file.write("probed")


def report(spec: dict[str, Any], error: Exception) -> None:
    """Write the reason into the report file for the host, and exit."""
    kind = "command" if isinstance(error, FileNotFoundError) and error.filename is None else "world"
    with open(spec["report"], "w", encoding="utf-8") as file:
        json.dump({"kind": kind, "error": str(error) or type(error).__name__}, file)
    os._exit(FAILED)


def main() -> None:
    """Enter the world, then become the run. After a failure the report file holds the reason."""
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    try:
        if spec["targets"]:
            enter(spec)
        if spec["probe"]:
            probe(spec)
            return
        become(spec)
    except Exception as error:  # noqa: BLE001 (whatever it is, the host must hear of it)
        report(spec, error)


if __name__ == "__main__":
    main()
