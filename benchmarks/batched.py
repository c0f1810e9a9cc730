"""Many seeds as one program: each engine beside a plain DataLoader loop, joblib on two cores, and JAX, all measured here, in turn.

    python benchmarks/batched.py [people] [mlp32] [mlp128] [cnn] [lstm] [--seeds 1,8,64,512] [--epochs 200]
    python benchmarks/batched.py --device cuda [--minutes 5.5] [--width 2048]     # the same there, and 10,000 seeds of a CNN

One thread. Each number is the whole of a fit, data order and building the models included; compiling is stated apart. The plain loop and
joblib are measured over a few seeds, and their rate is multiplied. Times are those of the processor, so that what else the machine does
counts less; for joblib, which has several processes, and for its loop, they are by the clock. On a GPU all are by the clock, and each
network has a process of its own, so that what was measured stays where something fails or time runs out.
"""

import argparse
import io
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec

sys.path.remove(os.path.dirname(os.path.abspath(__file__)))  # a file there is called statistics

import numpy as np

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import seedwise as sw
from seedwise.batched.on_torch.compiled import CompiledStepper
from seedwise.demos.people import generate
from seedwise.events import Ended


class People(nn.Module):
    """Article 1's network."""

    def __init__(self) -> None:
        super().__init__()
        self.hid1, self.hid2, self.out = nn.Linear(6, 10), nn.Linear(10, 10), nn.Linear(10, 3)
        for layer in (self.hid1, self.hid2, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        z = torch.tanh(self.hid2(torch.tanh(self.hid1(x))))
        return torch.log_softmax(self.out(z), dim=1)


def mlp(width: int) -> nn.Module:
    """64-width-width-10."""
    return nn.Sequential(
        nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10), nn.LogSoftmax(1)
    )


def cnn() -> nn.Module:
    """A small convolutional network for 8 × 8 digits."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 10), nn.LogSoftmax(1),
    )  # fmt: skip


class Lstm(nn.Module):
    """An LSTM that reads a digit line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.out = nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(self.out(self.body(x.view(-1, 8, 8))[0][:, -1]), dim=1)


@dataclass(frozen=True)
class Work:
    """A network, its data and how it is trained."""

    model: Callable[[], nn.Module]
    data: tuple[np.ndarray, np.ndarray]
    optimizer: Callable[[Iterable[torch.Tensor]], torch.optim.Optimizer]
    batch: int
    epochs: int
    jax: bool = False


def works() -> dict[str, Work]:
    """The networks by name."""
    from sklearn.datasets import load_digits

    rows = np.loadtxt(io.StringIO(generate()), delimiter="\t", dtype=np.float32)
    people = rows[:, :6], rows[:, 6].astype(np.int64)
    digits = load_digits()
    x, y = (digits.data[:1440] / 16).astype(np.float32), digits.target[:1440].astype(np.int64)
    sgd, adam = partial(torch.optim.SGD, lr=0.01), partial(torch.optim.Adam, lr=0.001)
    return {
        "people": Work(People, people, sgd, 10, 50, jax=True),
        "mlp32": Work(partial(mlp, 32), (x, y), adam, 32, 2),
        "mlp128": Work(partial(mlp, 128), (x, y), adam, 32, 1),
        "cnn": Work(cnn, (x, y), adam, 32, 1),
        "lstm": Work(Lstm, (x, y), adam, 32, 1),
    }


ON_A_GPU = {"people": 20}
"""Epochs where the plain loop is slow."""


def alone(work: Work, seed: int, device: str = "cpu") -> float:
    """One seed by a plain loop, as a script has it."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net = work.model().to(device)
    loader = DataLoader(TensorDataset(*map(torch.as_tensor, work.data)), batch_size=work.batch, shuffle=True)
    optimizer, loss_function = work.optimizer(net.parameters()), nn.NLLLoss()
    for _ in range(work.epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_function(net(x.to(device)), y.to(device))
            loss.backward()
            optimizer.step()
    return loss.item()


def by_joblib(work: Work, seeds: int) -> float:
    """Seconds of so many seeds, two at a time."""
    from joblib import Parallel, delayed

    with Parallel(n_jobs=2) as parallel:
        parallel(delayed(os.getpid)() for _ in range(4))
        began = time.perf_counter()
        parallel(delayed(alone)(work, seed) for seed in range(seeds))
        return time.perf_counter() - began


def _cpu() -> float:
    """Seconds of the processor that this process and those that it has ended took."""
    return time.process_time() + sum(os.times()[2:4])


COMPILING = [0.0]
_make = CompiledStepper._make


def _timed_make(self: CompiledStepper, *given: object) -> None:
    began = _cpu()
    _make(self, *given)  # type: ignore[arg-type]
    COMPILING[0] += _cpu() - began


CompiledStepper._make = _timed_make  # type: ignore[method-assign]


def by_fit(
    work: Work, seeds: int, engine: str, device: str = "cpu", width: int | None = None
) -> tuple[float, float, str]:
    """Seconds of a fit without compiling, seconds of compiling by the clock, and the engine."""
    COMPILING[0] = 0.0
    clock = _cpu if device == "cpu" else time.perf_counter
    began = clock()
    results = sw.batched.fit(
        work.model, work.data, loss=nn.NLLLoss(), optimizer=work.optimizer, epochs=work.epochs, batch_size=work.batch,
        seeds=range(seeds), engine=engine, every=work.epochs, keep=(), device=device, width=width,
    )  # fmt: skip
    compiling = COMPILING[0] if device == "cpu" else results.compile_seconds
    return clock() - began - compiling, results.compile_seconds, results.engine.value


def by_jax(work: Work, seeds: int) -> tuple[float, float]:
    """Article 1's network as jit(vmap(scan)) by hand: seconds, and seconds of compiling."""
    import jax
    import jax.numpy as jnp

    x, y = map(jnp.asarray, work.data)
    steps = len(x) // work.batch

    def loss_of(p: list, a: "jax.Array", b: "jax.Array") -> "jax.Array":
        z = jnp.tanh(jnp.tanh(a @ p[0] + p[1]) @ p[2] + p[3]) @ p[4] + p[5]
        return -jnp.take_along_axis(jax.nn.log_softmax(z), b[:, None], 1).mean()

    def epoch(p: list, key: "jax.Array") -> tuple[list, "jax.Array"]:
        order = jax.random.permutation(key, len(x)).reshape(steps, work.batch)

        def step(p: list, rows: "jax.Array") -> tuple[list, "jax.Array"]:
            value, g = jax.value_and_grad(loss_of)(p, x[rows], y[rows])
            return [a - 0.01 * b for a, b in zip(p, g, strict=True)], value

        return jax.lax.scan(step, p, order)

    def train(seed: "jax.Array") -> list:
        keys = jax.random.split(jax.random.key(seed), 4)
        p: list = []
        for key, (n, m) in zip(keys, ((6, 10), (10, 10), (10, 3)), strict=False):
            p += [jax.random.uniform(key, (n, m), minval=-1, maxval=1) * (6 / (n + m)) ** 0.5, jnp.zeros(m)]
        return jax.lax.scan(epoch, p, jax.random.split(keys[3], work.epochs))[0]

    numbers = jnp.arange(seeds)
    began = time.perf_counter()
    program = jax.jit(jax.vmap(train)).lower(numbers).compile()
    compiled = time.perf_counter() - began
    began = _cpu()
    jax.block_until_ready(program(numbers))
    return _cpu() - began, compiled


def row(name: str, work: Work, counts: list[int]) -> None:
    """One network."""
    few = 3
    alone(work, 0)
    each = sorted(_timed(lambda: alone(work, 1), _cpu) for _ in range(few))[1]
    by_clock = sorted(_timed(lambda: alone(work, 1), time.perf_counter) for _ in range(few))[1]
    both = by_clock * 8 / by_joblib(work, 8)
    print(
        f"\n{name}: plain loop {each / work.epochs * 1000:.2f} ms a seed and epoch; joblib on two cores {both:.1f} times by the clock",
        flush=True,
    )
    for engine in ("vmap", "compiled", "auto", "jax"):
        if engine == "jax" and (not work.jax or find_spec("jax") is None):
            continue
        if engine != "jax":
            by_fit(replace(work, epochs=1), 2, engine)  # what is loaded at a first use
        for n in counts:
            each = sorted(_timed(lambda: alone(work, 1), _cpu) for _ in range(few))[1]  # again: other work changes it
            seconds, compiled, *taken = by_jax(work, n) if engine == "jax" else by_fit(work, n, engine)
            note = f" by {taken[0]}" if engine == "auto" else ""
            apart = f", compiling {compiled:.0f} s" if compiled else ""
            rate = seconds / n / work.epochs * 1000
            print(f"  {engine}, {n} seeds: {each * n / seconds:.1f} times{note} ({rate:.4f} ms{apart})", flush=True)


def row_on_a_gpu(name: str, work: Work, counts: list[int], device: str, width: int | None, until: float) -> None:
    """One network on a GPU, each number as soon as it is there. Nothing is begun after `until`."""
    work = replace(work, epochs=ON_A_GPU.get(name, work.epochs))
    alone(work, 0, device)
    each = sorted(_timed(lambda: alone(work, 1, device), time.perf_counter) for _ in range(3))[1]
    print(f"\n{name}: plain loop {each / work.epochs * 1000:.2f} ms a seed and epoch", flush=True)
    for engine in ("vmap", "compiled"):
        by_fit(replace(work, epochs=1), 2, engine, device, width)  # what is loaded and tuned at a first use
        for n in counts:
            if time.time() > until:
                print(f"  {engine}, {n} seeds: no time left", flush=True)
                return
            seconds, compiled, _ = by_fit(work, n, engine, device, width)
            apart = f", compiling {compiled:.0f} s" if compiled else ""
            rate = seconds / n / work.epochs * 1000
            print(f"  {engine}, {n} seeds: {each * n / seconds:.1f} times ({rate:.5f} ms{apart})", flush=True)


TEN_THOUSAND = "10000"


def ten_thousand(work: Work, device: str, width: int | None, until: float) -> None:
    """10,000 seeds of the CNN on digits, 20 epochs, with what they reach on other rows, and how far it was after each chunk."""
    from sklearn.datasets import load_digits

    digits, epochs, seeds = load_digits(), 20, 10_000
    test = (digits.data[1440:] / 16).astype(np.float32), digits.target[1440:].astype(np.int64)
    alone(replace(work, epochs=1), 0, device)
    each = _timed(lambda: alone(replace(work, epochs=2), 1, device), time.perf_counter) / 2 * epochs
    print(f"\n{seeds} seeds of the CNN, {epochs} epochs; plain loop {each:.2f} s a seed", flush=True)
    began, done = time.perf_counter(), [0, 0.0]

    def tell(event: object) -> None:
        if isinstance(event, Ended):
            done[0] += 1
            now = time.perf_counter() - began
            if now - done[1] > 1:
                done[1] = now
                print(f"  {done[0]} seeds after {now:.0f} s: {each * done[0] / now:.0f} times", flush=True)
            if time.time() > until:
                raise KeyboardInterrupt

    try:
        results = sw.batched.fit(
            work.model, work.data, test=test, loss=nn.NLLLoss(), optimizer=work.optimizer, epochs=epochs, batch_size=work.batch,
            seeds=range(seeds), engine="vmap", every=epochs, keep=(), device=device, width=width, metrics=["accuracy"], tell=tell,
        )  # fmt: skip
    except KeyboardInterrupt:
        print("  ended there: no time left for the others", flush=True)
        return
    seconds, memory = time.perf_counter() - began, torch.cuda.max_memory_allocated() / 2**30
    found = sw.summarize(results.scores("test_accuracy"))
    print(
        f"  all in {seconds:.0f} s: {each * seeds / seconds:.0f} times, {seconds / seeds * 1000:.2f} ms a seed, {memory:.1f} GB at most, "
        f"{results.width} together\n  test accuracy {found.mean:.4f}, sd {found.sd:.4f}, {found.min:.4f} (seed {found.worst_seed}) to "
        f"{found.max:.4f} (seed {found.best_seed}), {found.finished} finished\n  {results.closeness and results.closeness.sentence}",
        flush=True,
    )


SHARES = {"people": 0.2, TEN_THOUSAND: 0.45, "mlp32": 0.4, "cnn": 0.5, "mlp128": 0.6, "lstm": 1.0}
"""In this order; each may take this share of the time that is left."""


def all_on_a_gpu(named: list[str], arguments: argparse.Namespace) -> None:
    """Each network in a process of its own, which is ended where it takes too long."""
    end = time.time() + 60 * arguments.minutes
    for name in [name for name in SHARES if not named or name in named]:
        most = max(20.0, (end - time.time()) * SHARES[name])
        more = ["--width", str(arguments.width)] if arguments.width else []
        command = [
            sys.executable, os.path.abspath(__file__), name, "--device", arguments.device, "--seeds", arguments.seeds,
            "--until", str(time.time() + most * 0.85), *more,
        ]  # fmt: skip
        if time.time() > end - 10:
            print(f"\n{name}: no time left", flush=True)
            continue
        began = time.time()
        try:
            code = subprocess.run(command, timeout=min(most, end - began), check=False).returncode
        except subprocess.TimeoutExpired:
            print(f"  {name}: ended after {time.time() - began:.0f} s", flush=True)
        else:
            print(f"  {name}: {time.time() - began:.0f} s" + (f", exit code {code}" if code else ""), flush=True)


def one_on_a_gpu(name: str, arguments: argparse.Namespace) -> None:
    """One network on a GPU, in this process."""
    device, counts = arguments.device, [int(word) for word in arguments.seeds.split(",")]
    if name == TEN_THOUSAND:
        ten_thousand(works()["cnn"], device, arguments.width, arguments.until)
    else:
        row_on_a_gpu(name, works()[name], counts, device, arguments.width, arguments.until)


def _timed(action: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    action()
    return clock() - began


def main() -> None:
    """The networks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", choices=[[], *SHARES])
    parser.add_argument("--seeds", default="1,8,64,512,4096")
    parser.add_argument(
        "--epochs", type=int, help="for how long each is trained (default: one to 50, as the network is small)"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--minutes", type=float, default=5.5, help="on a GPU: how long it may take")
    parser.add_argument("--width", type=int, help="on a GPU: seeds together")
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    named, began = arguments.networks, time.perf_counter()
    if arguments.until is not None:
        one_on_a_gpu(named[0], arguments)
        return
    if arguments.device == "cpu":
        for name, work in works().items():
            if not named or name in named:
                work = replace(work, epochs=arguments.epochs or work.epochs)
                row(name, work, [int(word) for word in arguments.seeds.split(",")])
    else:
        print(f"{torch.cuda.get_device_name(arguments.device)}, all times by the clock", flush=True)
        all_on_a_gpu(named, arguments)
    print(f"({time.perf_counter() - began:.0f} s; {os.cpu_count()} cores; torch {torch.__version__})")


if __name__ == "__main__":
    main()
