"""What `seedwise check` costs inside a process, beside the plain run and torch's own DebugMode; and which faults each sees.

python benchmarks/check.py
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

TRAIN = """
import sys, time
import torch
torch.set_num_threads(1)
torch.manual_seed(0)
width = int(sys.argv[1])
net = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, 10))
x, y = torch.randn(256, width), torch.randint(10, (256,))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
{before}
def step():
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
for _ in range(5):
    step()
times = []
{enter}
    for _ in range({n}):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
times.sort()
print(times[len(times) // 2])
"""
STEPS = """
from seedwise_guest.tracing.steps import Steps
steps = Steps({})
steps.watch()
"""
OPS = """
from seedwise_guest.tracing.ops import Recorder
recorder = Recorder()
recorder.start()
"""
DEBUG = "from torch.utils._debug_mode import DebugMode"


def seconds(width: int, before: str = "", enter: str = "if True:", n: int = 60) -> float:
    """The median time of one step."""
    code = TRAIN.replace("{before}", before).replace("{enter}", enter).replace("{n}", str(n))
    done = subprocess.run([sys.executable, "-c", code, str(width)], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def cost(name: str, width: int, before: str, enter: str = "if True:", n: int = 60) -> None:
    """Plain and instrumented in turn, three times; the median ratio."""
    ratios, plain = [], 0.0
    for _ in range(3):
        plain = seconds(width, n=n)
        ratios.append(seconds(width, before, enter, n) / plain)
    print(
        f"{name:44} {np.median(ratios):5.2f} times the plain step of {plain * 1000:.2f} ms, width {width}", flush=True
    )


PERMUTED = ("rows permuted", "a = torch.arange(12.).reshape(4, 3); b = a[[1, 0, 2, 3]]")
FLIPPED = ("two signs flipped", "a = torch.tensor([1., -2., 3.]); b = torch.tensor([-1., 2., 3.])")
CHANGED = ("one last bit", "a = torch.ones(3); b = torch.tensor([1., 1., 1.0000001])")
SEEN = """
import torch
from seedwise_guest.tracing.steps import digest
{make}
def theirs(t):
    from torch.utils import _debug_mode
    return _debug_mode.norm_hash_fn(t) if hasattr(_debug_mode, "norm_hash_fn") else t.double().abs().sum().item()
print(digest(a) != digest(b), theirs(a) != theirs(b))
"""


def main() -> None:
    """Costs, then what is seen."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEEDWISE_SPOOL"] = folder
        os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1] / "src")
        cost("step tier (digest of all parameters)", 256, STEPS)
        cost("step tier", 1024, STEPS, n=20)
        cost("op tier (every operation)", 1024, OPS, n=20)
        cost("op tier", 256, OPS)
        cost("torch's DebugMode, with hashes", 1024, DEBUG, "with DebugMode(), DebugMode.log_tensor_hashes():", 20)
        print("\ndoes a digest differ?            seedwise  DebugMode's")
        for name, make in (PERMUTED, FLIPPED, CHANGED):
            done = subprocess.run(
                [sys.executable, "-c", SEEN.replace("{make}", make)], capture_output=True, text=True, check=True
            )
            print(f"{name:32} {'   '.join(done.stdout.split())}")


if __name__ == "__main__":
    main()
