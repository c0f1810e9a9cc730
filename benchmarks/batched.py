"""Many seeds as one program: each engine beside a plain DataLoader loop, joblib on two cores, and JAX, all measured here, in turn.

    python benchmarks/batched.py [people] [mlp32] [mlp128] [cnn] [lstm] [--seeds 1,8,64,512]

One thread. Each number is the whole of a fit, data order and building the models included; compiling is stated apart. The plain loop and
joblib are measured over a few seeds, and their rate is multiplied. Times are those of the processor, so that what else the machine does
counts less; for joblib, which has several processes, and for its loop, they are by the clock.
"""

import io
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
        "people": Work(People, people, sgd, 10, 200, jax=True),
        "mlp32": Work(partial(mlp, 32), (x, y), adam, 32, 2),
        "mlp128": Work(partial(mlp, 128), (x, y), adam, 32, 2),
        "cnn": Work(cnn, (x, y), adam, 32, 1),
        "lstm": Work(Lstm, (x, y), adam, 32, 1),
    }


def alone(work: Work, seed: int) -> float:
    """One seed by a plain loop, as a script has it."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    net = work.model()
    loader = DataLoader(TensorDataset(*map(torch.as_tensor, work.data)), batch_size=work.batch, shuffle=True)
    optimizer, loss_function = work.optimizer(net.parameters()), nn.NLLLoss()
    for _ in range(work.epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_function(net(x), y)
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
    return sum(os.times()[:4])


COMPILING = [0.0]
_make = CompiledStepper._make


def _timed_make(self: CompiledStepper, *given: object) -> None:
    began = _cpu()
    _make(self, *given)  # type: ignore[arg-type]
    COMPILING[0] += _cpu() - began


CompiledStepper._make = _timed_make  # type: ignore[method-assign]


def by_fit(work: Work, seeds: int, engine: str) -> tuple[float, float, str]:
    """Seconds of a fit without compiling, seconds of compiling by the clock, and the engine."""
    COMPILING[0] = 0.0
    began = _cpu()
    results = sw.batched.fit(
        work.model, work.data, loss=nn.NLLLoss(), optimizer=work.optimizer, epochs=work.epochs, batch_size=work.batch,
        seeds=range(seeds), engine=engine, every=work.epochs, keep=(),
    )  # fmt: skip
    return _cpu() - began - COMPILING[0], results.compile_seconds, results.engine.value


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
        f"\n{name}: plain loop {each / work.epochs * 1000:.2f} ms a seed and epoch; joblib on two cores {both:.1f} times",
        flush=True,
    )
    for engine in ("vmap", "compiled", "auto", "jax"):
        cells = []
        for n in counts:
            try:
                if engine == "jax":
                    if not work.jax or find_spec("jax") is None:
                        continue
                    seconds, compiled = by_jax(work, n)
                    note = ""
                else:
                    seconds, compiled, taken = by_fit(work, n, engine)
                    note = f" by {taken}" if engine == "auto" else ""
            except sw.UsageError as error:
                cells.append(str(error))
                break
            rate = seconds / n / work.epochs * 1000
            apart = f", compiling {compiled:.0f} s" if compiled else ""
            cells.append(f"{n} seeds: {each * n / seconds:.1f} times{note} ({rate:.4f} ms{apart})")
        if cells:
            print(f"  {engine:9}" + "\n            ".join(cells), flush=True)


def _timed(action: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    action()
    return clock() - began


def main() -> None:
    """The networks that are named, or all."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    words = sys.argv[1:]
    counts = [1, 8, 64, 512, 4096]
    if "--seeds" in words:
        at = words.index("--seeds")
        counts = [int(word) for word in words[at + 1].split(",")]
        del words[at : at + 2]
    began = time.perf_counter()
    for name, work in works().items():
        if not words or name in words:
            row(name, work, counts)
    print(f"({time.perf_counter() - began:.0f} s; {os.cpu_count()} cores; torch {torch.__version__})")


if __name__ == "__main__":
    main()
