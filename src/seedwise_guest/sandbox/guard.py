"""Cleans up after a supervisor that was killed: ends the processes that its runs left, and removes their folders.

It is run as a script, with the folder of the worlds and the supervisor's process number. It waits on standard input,
which is closed when the supervisor has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time


def users_of(spools: list[str]) -> list[int]:
    """Process numbers of the runs.

    A process belongs to a run if its environment names the spool, or if it sees its files through a folder of the
    run's world.
    """
    marks = [f"SEEDWISE_SPOOL={spool}".encode() for spool in spools]
    worlds = [os.path.dirname(spool).encode() + b"/" for spool in spools]
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                environment = file.read().split(b"\0")
            if any(mark in environment for mark in marks):
                found.append(int(name))
                continue
            with open(f"/proc/{name}/mountinfo", "rb") as file:
                mounts = file.read()
            if any(b"upperdir=" + world in mounts or b"workdir=" + world in mounts for world in worlds):
                found.append(int(name))
        except OSError:
            continue
    return found


def end(spools: list[str]) -> None:
    """Kill the processes of these runs, and those that they start in the meantime."""
    for _ in range(20):
        found = users_of(spools)
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        time.sleep(0.02)


def remove(folder: str) -> None:
    """Delete a world. The kernel leaves some folders of an overlay without permissions; give them back first."""
    for place, folders, _files in os.walk(folder):
        for name in folders:
            path = os.path.join(place, name)
            if not os.path.islink(path):
                try:
                    os.chmod(path, 0o700)
                except OSError:
                    continue
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    base, supervisor = sys.argv[1], int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while os.read(0, 100):
        pass
    mine = []
    for name in os.listdir(base):
        folder = os.path.join(base, name)
        try:
            with open(os.path.join(folder, "launch.json"), encoding="utf-8", errors="surrogateescape") as file:
                if json.load(file)["supervisor"] == supervisor:
                    mine.append(folder)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    end([os.path.join(folder, "spool") for folder in mine])
    for folder in mine:
        remove(folder)


if __name__ == "__main__":
    main()
