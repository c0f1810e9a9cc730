"""What it costs to have seeds run by workers: against the bare engine, and at 10,000 seeds.

    python benchmarks/cluster.py            seeds of one second, in chunks of 20, beside a plain loop over the same script
    python benchmarks/cluster.py --many     10,000 short seeds by one worker

The engine is the simplest one, processes on this machine: what an engine itself costs is the same with and without Seedwise.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

_SECOND = """import random, time
seed = 42
random.seed(seed)
time.sleep(1)
print("acc =", random.random())
"""
_SHORT = _SECOND.replace("time.sleep(1)\n", "")
_SEEDWISE = [sys.executable, "-m", "seedwise.cli", "run", "--on", "local"]


def _timed(words: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _timed_with_worker(words: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of the whole command, and from the start of its one worker to that worker's end."""
    began = time.perf_counter()
    command = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen: list[float] = []
    while command.poll() is None:
        if (
            subprocess.run(
                ["pgrep", "-f", f"seedwise.worker {folder}"], check=False, stdout=subprocess.DEVNULL
            ).returncode
            == 0
        ):
            seen.append(time.perf_counter())
        time.sleep(0.05)
    if command.returncode or not seen:
        sys.exit(f"the command ended with {command.returncode}, and its worker was seen {len(seen)} times")
    return time.perf_counter() - began, seen[-1] - seen[0]


def _chunk() -> None:
    """A chunk of 20 seeds of a second: the worker, and what a script of somebody's own would do in its place."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.py").write_text(_SECOND)
        (folder / "pyproject.toml").write_text("")
        loop = f"for s in $(seq 20); do sed s/42/$s/ train.py > t.py; {sys.executable} t.py > out-$s; done"
        bare = _timed(["bash", "-c", loop], folder)
        words = [*_SEEDWISE, "--jobs", "1", "--seeds-per-task", "20"]
        first = _timed([*words, "-n", "20", "--", sys.executable, "train.py"], folder)
        whole, job = _timed_with_worker([*words, "-n", "40", "--", sys.executable, "train.py"], folder)  # 20 more
        print(f"the first chunk on this node, in which forked and fresh runs are compared: {first:.1f} s")
        print(
            f"20 seeds of 1 s in one chunk: a loop {bare:.1f} s; seedwise, submission and report included, {whole:.1f} s"
        )
        print(f"overhead {whole / bare - 1:+.1%} for the whole command")
        print(f"the worker alone, which is what an engine runs: {job:.1f} s, overhead {job / bare - 1:+.1%}")


def _many() -> None:
    """Ten thousand seeds, to see what collecting costs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.py").write_text(_SHORT)
        (folder / "pyproject.toml").write_text("")
        words = [*_SEEDWISE, "-n", "10000", "--", sys.executable, "train.py"]
        took = _timed(words, folder)
        size = (folder / ".seedwise" / "store.sqlite").stat().st_size
        print(f"10,000 seeds in {took:.0f} s, {took / 10:.1f} ms a seed; store {size / 1e6:.1f} MB")


if __name__ == "__main__":
    _many() if "--many" in sys.argv else _chunk()
