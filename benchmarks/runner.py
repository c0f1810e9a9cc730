"""What a run under Seedwise costs beside plain `python`, both measured here, in turn.

    python benchmarks/runner.py

Prints medians over rounds, and ratios. Peer: the same interpreter on the same script without Seedwise.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seedwise.experiments.command import run_environment

BARE = "import random\nrandom.seed(42)\nprint('acc =', random.random())\n"
NUMPY = "import numpy as np\nnp.random.seed(42)\nprint('acc =', np.random.rand())\n"
TORCH = """
import torch
torch.manual_seed(42)
net = torch.nn.Sequential(torch.nn.Linear(6, 10), torch.nn.Tanh(), torch.nn.Linear(10, 3))
x, y = torch.randn(200, 6), torch.randint(3, (200,))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(200):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
print("loss =", loss.item())
"""


def median(action: Callable[[], float], rounds: int) -> float:
    """The middle of several measurements, after one that is not counted."""
    action()
    return float(np.median([action() for _ in range(rounds)]))


def wall(words: list[str], environment: dict[str, str] | None = None) -> float:
    """Seconds of one command."""
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True, env=environment, stdin=subprocess.DEVNULL)
    return time.perf_counter() - began


def compare(name: str, text: str, seeds: int, rounds: int) -> None:
    """One script: a plain run beside one run under Seedwise, and a whole command beside a shell loop."""
    Path("train.py").write_text(text)
    plain_environment = run_environment(1)
    del plain_environment["PYTHONPATH"]
    plain, inside = [], []
    whole = []
    wall([sys.executable, "train.py"], plain_environment)
    for k in range(rounds):
        plain.append(np.median([wall([sys.executable, "train.py"], plain_environment) for _ in range(seeds)]))
        began = time.perf_counter()
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "seedwise.cli",
                "run",
                "-n",
                str(seeds),
                "--jobs",
                "1",
                "--fresh",
                "--name",
                f"{name}{k}",
                "--json",
                "--",
                sys.executable,
                "train.py",
            ],
            check=True,
            capture_output=True,
        )
        whole.append(time.perf_counter() - began)
        assert json.loads(done.stdout)["finished"] == seeds
        exported = subprocess.run(
            [sys.executable, "-m", "seedwise.cli", "export", f"{name}{k}", "--format", "json"],
            check=True,
            capture_output=True,
        )
        inside.append(np.median([run["seconds"] for run in json.loads(exported.stdout)["runs"]]))
    a, b, c = (float(np.median(times)) for times in (plain, inside, whole))
    print(
        f"{name:6}  plain {a:6.3f} s   under Seedwise {b:6.3f} s   overhead {b - a:+6.3f} s ({(b / a - 1) * 100:+5.1f} %)   "
        f"command with {seeds} seeds: {c:6.2f} s, shell loop {a * seeds:6.2f} s, {(c - a * seeds) / seeds:+.3f} s a seed"
    )


def main() -> None:
    """Everything, in a folder of its own."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, text in (("bare", BARE), ("numpy", NUMPY), ("torch", TORCH)):
            compare(name, text, 5, rounds)
        help_time = median(lambda: wall([sys.executable, "-m", "seedwise.cli", "--help"]), 9)
        base = median(lambda: wall([sys.executable, "-c", "pass"]), 9)
        library = median(lambda: wall([sys.executable, "-c", "import seedwise"]), 9)
        print(
            f"seedwise --help {help_time:.3f} s (aim 0.25); import seedwise {library - base:+.3f} s over a bare start (aim 0.1)"
        )
        os.chdir("/")


if __name__ == "__main__":
    main()
