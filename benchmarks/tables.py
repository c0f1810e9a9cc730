"""Reading a table of a million rows beside pandas: the same file, the same question, in turn.

    pip install pandas
    python benchmarks/tables.py

Prints, for each question, the seconds of both, their ratio and both answers, then time and memory of the whole command in
a process of its own.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from seedwise.api.files import read_methods
from seedwise.api.tables import read_scores
from seedwise.results import Reduce
from seedwise.tables.runs import Layout

ROWS = 10**6
RNG = np.random.default_rng(2021)


def seconds(what: Callable[[], Any], rounds: int = 3) -> tuple[float, Any]:
    """The median time of a call, and what it returned."""
    times, answer = [], None
    for _ in range(rounds):
        began = time.perf_counter()
        answer = what()
        times.append(time.perf_counter() - began)
    return sorted(times)[rounds // 2], answer


def say(what: str, theirs: tuple[float, Any], ours: tuple[float, Any]) -> None:
    """One question."""
    print(f"{what}\n    pandas    {theirs[0]:7.3f} s  {theirs[1]}")
    print(f"    seedwise  {ours[0]:7.3f} s  {ours[1]}   {ours[0] / theirs[0]:.1f} times the time", flush=True)


def write(folder: Path) -> None:
    """A row for each run; the same with methods; and curves. Written in pieces: what this process once held would count
    as memory of those that it starts."""
    with (
        open(folder / "runs.csv", "w") as runs,
        open(folder / "methods.csv", "w") as methods,
        open(folder / "curves.csv", "w") as curves,
        open(folder / "methods.jsonl", "w") as lines,
    ):
        runs.write("seed,acc\n")
        methods.write("model,seed,acc,loss\n")
        curves.write("model,seed,step,acc\n")
        for k in range(ROWS):
            v, name = float(RNG.random()), "AB"[k % 2]
            runs.write(f"{k},{v!r}\n")
            methods.write(f"{name},{k // 2},{v!r},{v / 3!r}\n")
            curves.write(f"{name},{k // 20_000},{k % 20_000 // 2},{v!r}\n")
            lines.write(f'{{"model": "{name}", "seed": {k // 2}, "acc": {v!r}}}\n')


def means(path: str, layout: Layout) -> str:
    """The mean of each method."""
    found = read_methods(path, "model", None, "acc", layout).methods
    return ", ".join(f"{name} {of[''].values.mean():.6f}" for name, of in found.items())


def beside_pandas() -> None:
    """The same means of the same files."""
    import pandas as pd

    def shown(found: Any) -> str:
        return ", ".join(f"{name} {value:.6f}" for name, value in found.items())

    say(
        "mean over seeds, seed and metric",
        seconds(lambda: f"{pd.read_csv('runs.csv').groupby('seed').acc.mean().mean():.6f}"),
        seconds(lambda: f"{read_scores('runs.csv').scores('acc').values.mean():.6f}"),
    )
    say(
        "mean of each of two methods, four columns",
        seconds(
            lambda: shown(pd.read_csv("methods.csv").groupby(["model", "seed"]).acc.mean().groupby("model").mean())
        ),
        seconds(lambda: means("methods.csv", Layout())),
    )
    say(
        "the best of each of 100 curves, mean of each method",
        seconds(lambda: shown(pd.read_csv("curves.csv").groupby(["model", "seed"]).acc.max().groupby("model").mean())),
        seconds(lambda: means("curves.csv", Layout(reduce=Reduce.BEST))),
    )
    frame = lambda: pd.read_json("methods.jsonl", lines=True)  # noqa: E731
    say(
        "JSON lines, mean of each method",
        seconds(lambda: shown(frame().groupby(["model", "seed"]).acc.mean().groupby("model").mean()), 1),
        seconds(lambda: means("methods.jsonl", Layout()), 1),
    )


def whole(*words: str) -> None:
    """A command in a process of its own: seconds, and the most memory that it held."""
    began = time.perf_counter()
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "seedwise", *words],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(child, 0)
    took, peak = time.perf_counter() - began, usage.ru_maxrss / 1024
    print(
        f"seedwise {' '.join(words)}: {took:.1f} s, {peak:.0f} MB, exit code {os.waitstatus_to_exitcode(status)}",
        flush=True,
    )


def main() -> None:
    """All of it, in a folder that is removed."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write(Path(folder))
        print(f"{ROWS:,} rows")
        whole("summarize", "runs.csv")
        whole("summarize", "methods.csv", "--by", "model", "--metric", "acc")
        whole("compare", "curves.csv", "--by", "model", "--metric", "acc", "--reduce", "best")
        whole("summarize", "methods.jsonl", "--by", "model", "--metric", "acc")
        beside_pandas()
        os.chdir("/")


if __name__ == "__main__":
    main()
