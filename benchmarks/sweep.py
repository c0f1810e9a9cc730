"""Many seeds: Seedwise beside a shell loop, `xargs -P2`, Optuna with SQLite, joblib and Ray, all measured here, in turn.

    python benchmarks/sweep.py [nothing] [torch_script] [frameworks]

Shell loop and xargs are measured over 10 seeds (frameworks: 3 and 4), and their rate is multiplied.
"""

import os
import shutil
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from runner import BARE, TORCH, wall

from seedwise.experiments.command import run_environment

FRAMEWORKS = Path(__file__).resolve().parents[1] / "docs" / "frameworks"
SHORT = TORCH.replace("range(200)", "range(20)").replace("SGD", "Adam")
NOTHING = "SEED = 42\nprint('acc =', SEED)\n"
OPTUNA = """
import optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(storage="sqlite:///optuna.db")
study.optimize(lambda trial: float(trial.suggest_int("seed", 0, 10**6)), n_trials={n})
"""
JOBLIB = """
from joblib import Parallel, delayed
def train(seed):
    return float(seed)
if __name__ == "__main__":
    Parallel(n_jobs=2)(delayed(train)(seed) for seed in range({n}))
"""

RAY = """
import ray
@ray.remote
def train(seed):
    return float(seed)
if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
    ray.get([train.remote(seed) for seed in range({n})])
"""


FUNCTION = """
import torch
from torch import nn
def train(seed):
    torch.manual_seed(seed)
    x = torch.randn(256, 20)
    y = (x[:, :1] > 0).float()
    net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for step in range(20):
        loss = nn.functional.binary_cross_entropy_with_logits(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"loss": loss.item()}
"""
CALLER = """
import seedwise, fn
results = seedwise.run(fn.train, seeds=range(1, 31))
assert len(results.finished) == 30
"""


def sweep(n: int, *options: str, keep: bool = False, what: tuple[str, ...] = ()) -> float:
    """Seconds of a whole command with n seeds, in a store of its own; with `keep`, in the one that is there."""
    if not keep:
        shutil.rmtree(".seedwise", ignore_errors=True)
    what = what or ("--", sys.executable, "train.py")
    return wall([sys.executable, "-m", "seedwise.cli", "run", "-n", str(n), *options, *what])


def known(n: int, first: int) -> float:
    """Seconds of n further seeds, where the comparison is kept from a first command."""
    sweep(first)
    return sweep(first + n, keep=True)


def torch_script() -> None:
    """A short torch script, each seed a fresh interpreter in the loop."""
    Path("train.py").write_text(SHORT)
    plain = run_environment(1)
    del plain["PYTHONPATH"]
    wall([sys.executable, "train.py"], plain)
    loop = wall(["sh", "-c", f"for s in $(seq 10); do {sys.executable} train.py; done"], plain) * 3
    parallel = wall(["sh", "-c", f"seq 10 | xargs -P2 -I@ {sys.executable} train.py"], plain) * 3
    for n in (30, 100, 300):
        ours = sorted(sweep(n) for _ in range(3 if n == 30 else 1))[1 if n == 30 else 0]
        print(
            f"torch, {n} seeds: seedwise {ours:.1f} s: {loop / 30 * n / ours:.1f} times the loop ({loop / 30 * n:.0f} s), "
            f"{parallel / 30 * n / ours:.1f} times xargs -P2"
        )
        if n == 30:
            thirty = ours
    again = known(30, 5)
    print(f"torch, 30 more seeds, the comparison kept: {again:.1f} s: {loop / again:.1f} times the loop")
    Path("fn.py").write_text(FUNCTION)
    Path("caller.py").write_text(CALLER)
    function = sorted(sweep(30, what=("fn.py:train",)) for _ in range(3))[1]
    shutil.rmtree(".seedwise", ignore_errors=True)
    caller = wall([sys.executable, "caller.py"])
    print(
        f"torch, 30 seeds of a function: fn.py:train {function:.1f} s, {function / thirty:.2f} times the script; "
        f"sw.run {caller:.1f} s with its own import of torch, {caller / thirty:.2f} times"
    )


def frameworks() -> None:
    """Scripts of docs/frameworks, thirty seeds each; what is not installed is left out."""
    plain = run_environment(1)
    del plain["PYTHONPATH"]
    for library, name in (
        ("sklearn", "sklearn_net.py"),
        ("keras", "keras_net.py"),
        ("lightning", "lightning_net.py"),
        ("transformers", "transformers_net.py"),
    ):
        if find_spec(library) is None:
            print(f"{library} is not installed")
            continue
        shutil.copy(FRAMEWORKS / name, "train.py")
        wall([sys.executable, "train.py"], plain)
        loop = wall(["sh", "-c", f"for s in $(seq 3); do {sys.executable} train.py; done"], plain) * 10
        parallel = wall(["sh", "-c", f"seq 4 | xargs -P2 -I@ {sys.executable} train.py"], plain) * 7.5
        ours = sweep(30)
        print(
            f"{name}, 30 seeds: seedwise {ours:.1f} s: {loop / ours:.1f} times the loop ({loop:.0f} s), "
            f"{parallel / ours:.1f} times xargs -P2 ({parallel:.0f} s)"
        )


def nothing() -> None:
    """What an isolated, durable seed costs when the script does nothing."""
    Path("train.py").write_text(NOTHING)
    small, large = sweep(20), sweep(1020)
    print(f"no-op seeds: seedwise {(large - small):.2f} ms a seed, isolated, with logs, ledger and a durable record")
    Path("bare.py").write_text(BARE)
    loop = wall(["sh", "-c", f"for s in $(seq 100); do {sys.executable} bare.py; done"]) * 10
    print(f"             shell loop {loop:.1f} ms, nothing recorded")
    for name, text, what in (
        ("optuna", OPTUNA, "Optuna with SQLite, in one process, not isolated"),
        ("joblib", JOBLIB, "joblib (loky), nothing recorded, not isolated"),
        ("ray", RAY, "Ray, nothing recorded, processes used again"),
    ):
        if find_spec(name) is None:
            print(f"             {name} is not installed: pip install {name}")
            continue
        times, many = [], 520 if name == "optuna" else 50_020
        for n in (20, many):
            Path("optuna.db").unlink(missing_ok=True)
            Path("peer.py").write_text(text.format(n=n))
            times.append(wall([sys.executable, "peer.py"]))
        print(
            f"             {what}: {(times[1] - times[0]) / (many - 20) * 1000:.3f} ms, after {times[0]:.1f} s to start"
        )


def main() -> None:
    """Everything, in a folder of its own."""
    # fn.py:train is called by the `python` on PATH
    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        began = time.perf_counter()
        for part in (nothing, torch_script, frameworks):
            if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
                part()
        print(f"({time.perf_counter() - began:.0f} s; {os.cpu_count()} cores)")
        os.chdir("/")


if __name__ == "__main__":
    main()
