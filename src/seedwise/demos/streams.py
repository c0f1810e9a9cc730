"""Article 3: why set a random seed. A stream is one sequence that is read in order, in parts of any size."""

from collections.abc import Iterable

import numpy as np

import seedwise_guest as guest

from ..errors import SeedwiseError

ARTICLE = {
    7: (0.07630829, 0.77991879, 0.43840923, 0.72346518, 0.97798951, 0.53849587),
    1: (0.417022005, 0.720324493, 0.000114374817, 0.30233257, 0.14675589, 0.09233859),
}
"""The numbers that the article prints for NumPy under seeds 7 and 1."""


def _same(drawn: Iterable[float], printed: Iterable[float]) -> None:
    if not np.allclose(list(drawn), list(printed), rtol=0, atol=5e-9):
        raise SeedwiseError(f"this NumPy draws {list(drawn)}, the article printed {list(printed)}")


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{value:.8f}" for value in values)


def run() -> int:
    """Print the article's experiments, and check each result against the article's. Returns the exit code."""
    print("NumPy, seed 7: three numbers, then three more.")
    with guest.seeded(7):
        three, more = np.random.rand(3), np.random.rand(3)
    _same([*three, *more], ARTICLE[7])
    print(f"  rand(3)  {_numbers(three)}\n  rand(3)  {_numbers(more)}    as the article printed")
    print("Seed 7 again, cut elsewhere: five numbers, then one.")
    with guest.seeded(7):
        five, one = np.random.rand(5), np.random.rand(1)
    _same([*five, *one], ARTICLE[7])
    print(f"  rand(5)  {_numbers(five)}\n  rand(1)  {_numbers(one)}    the same six: one stream, read in order")
    with guest.seeded(1):
        other = np.random.rand(6)
    _same(other, ARTICLE[1])
    print(f"Seed 1 is another stream.\n  rand(6)  {_numbers(other)}    as the article printed")
    _torch()
    _named()
    return 0


def _torch() -> None:
    try:
        import torch
    except ImportError:
        print("torch is not installed; pip install 'seedwise[torch]' shows its part.")
        return
    outputs = []
    for seed, inputs in ((42, 2), (43, 1), (42, 2)):
        with guest.seeded(seed):
            layer = torch.nn.Linear(3, 1)
            outputs += [layer(torch.ones(3) * k).item() for k in range(1, inputs + 1)]
    if not (outputs[0] == outputs[3] and outputs[1] == outputs[4] and outputs[2] not in (outputs[0], outputs[1])):
        raise SeedwiseError(f"outputs 1 = 4 and 2 = 5 were expected, 3 on its own; got {outputs}")
    print("torch: seed 42 with two inputs, seed 43 with one, seed 42 with two again.")
    print("  " + "  ".join(f"{k}: {value:+.6f}" for k, value in enumerate(outputs, start=1)))
    print("  outputs 1 = 4 and 2 = 5, bit for bit; output 3 stands alone.")


def _named() -> None:
    before = guest.Streams(42).numpy("order").random(3)
    streams = guest.Streams(42)
    streams.numpy("augment").random(1000)
    after = streams.numpy("order").random(3)
    if not (before == after).all():
        raise SeedwiseError("a stream was shifted by another")
    print("Seedwise's Streams(42) gives each source a stream of its own, keyed by name:")
    print(f'  numpy("order")  {_numbers(after)}    unmoved by a thousand draws from "augment"')
