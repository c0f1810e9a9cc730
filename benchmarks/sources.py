"""What it costs to name the source of each draw, beside plain `python` on the same script, measured in turn.

    python benchmarks/sources.py

The script trains networks of width 256 and tells how much processor time its training took, on one thread; imports are left out. The ratio of
medians must stay below 1.5.
"""

import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
from runner import wall

from seedwise import run_script
from seedwise.experiments.command import run_environment

LIMIT = 1.5
ROUNDS = 5
TEXT = """
import sys, time
import numpy as np, torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(42); np.random.seed(42)
x, y = torch.randn(2048, 64), torch.randint(10, (2048,))
net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
def epoch():
    for rows, labels in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
        noise = torch.from_numpy(np.random.normal(0, 0.1, rows.shape).astype("float32"))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(rows + noise), labels)
        loss.backward()
        optimizer.step()
    return loss
epoch()
began = time.process_time()
for _ in range(5):
    loss = epoch()
from pathlib import Path
Path("took.txt").write_text(str(time.process_time() - began))
print("loss =", loss.item())
"""
VARIED = ("init", "order", "dropout")


def main() -> int:
    """Print the table. Returns 1 if a ratio is above the limit."""
    seconds: dict[str, list[float]] = {"plain": [], **{name: [] for name in VARIED}}
    environment = run_environment(1)
    del environment["PYTHONPATH"]
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path("train.py").write_text(TEXT)
        for k in range(ROUNDS):
            wall([sys.executable, "train.py"], environment)
            seconds["plain"].append(float(Path("took.txt").read_text()))
            for name in VARIED:
                results = run_script(
                    [sys.executable, "train.py"], [1], vary=name, name=f"{name}{k}", fresh=True, progress=False
                )
                kept = Path(str(results.finished[0].folder), "files", "took.txt")
                seconds[name].append(float(kept.read_text()))
    plain = float(np.median(seconds["plain"]))
    print(
        f"plain python: {plain:.2f} s of processor time for five epochs of 64 steps\n\n| varied | seconds | ratio |\n|---|---|---|"
    )
    ratios = {name: float(np.median(seconds[name])) / plain for name in VARIED}
    for name, ratio in ratios.items():
        print(f"| {name} | {np.median(seconds[name]):.2f} | {ratio:.2f} |")
    return int(max(ratios.values()) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
