"""How long the small commands take, beside those of pytest, uv, optuna and hyperfine. All are measured in one run, in turn.

python benchmarks/commandline.py        # half a minute; peers that are not installed are named (pip install uv optuna; hyperfine)
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

HERE = Path(sys.executable).parent
REPEATS = 9
SCRIPT = "import random\nrandom.seed(42)\nprint(f'acc = {random.random():.4f}')\n"


def median(values: Iterable[float]) -> float:
    """The middle one."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def found(name: str) -> str | None:
    """The path of a command, of this environment first."""
    return str(HERE / name) if (HERE / name).is_file() else shutil.which(name)


def seconds(command: list[str], folder: str) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    seedwise = str(HERE / "seedwise")
    ours = {
        "seedwise --help": [seedwise, "--help"],
        "seedwise run --help": [seedwise, "run", "--help"],
        "seedwise list": [seedwise, "list"],
        "seedwise show (30 runs)": [seedwise, "show", "train"],
        "seedwise log": [seedwise, "log", "train", "--seed", "3"],
        "seedwise completion": [seedwise, "completion", "words", "--", "sh"],
    }
    peers = {
        "pytest --help": ["pytest", "--help"],
        "optuna --help": ["optuna", "--help"],
        "uv --help": ["uv", "--help"],
        "hyperfine --help": ["hyperfine", "--help"],
    }
    there = {name: [path, *words[1:]] for name, words in peers.items() if (path := found(words[0]))}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "train.py").write_text(SCRIPT)
        done = subprocess.run(
            [seedwise, "run", "-n", "30", sys.executable, "train.py"], cwd=folder, check=True, capture_output=True
        )
        assert b"30 of 30" in done.stdout
        every = {**ours, **there}
        times: dict[str, list[float]] = {name: [] for name in every}
        for _ in range(REPEATS):
            for name, command in every.items():
                times[name].append(seconds(command, folder))
    python = median(seconds([sys.executable, "-c", "pass"], ".") for _ in range(REPEATS))
    print(f"{'python -c pass':26} {python:6.3f} s")
    for name, taken in times.items():
        print(f"{name:26} {median(taken):6.3f} s  {median(taken) / python:5.1f} times python -c pass")
    for name in peers.keys() - there.keys():
        print(f"{name}: not installed here")


if __name__ == "__main__":
    main()
