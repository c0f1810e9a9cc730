"""The contract cases that are shipped, on the store, what starts processes, and the backends that are built in."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seedwise.experiments.store import Store
from seedwise.runs.processes import Processes
from seedwise.runs.processes.local import LocalProcesses
from seedwise.testing import BackendCases, ProcessCases, StoreCases
from seedwise_guest.randomness.backends.numpy_random import NumPy
from seedwise_guest.randomness.backends.stdlib_random import Stdlib
from seedwise_guest.randomness.backends.torch_random import Torch


class TestSqliteStore(StoreCases):
    def open(self, folder: Path) -> Store:
        return Store(folder)


class TestLocalProcesses(ProcessCases):
    def make(self) -> Processes:
        return LocalProcesses()


class TestStdlib(BackendCases):
    def make(self) -> Any:
        return Stdlib()

    def seed_by_hand(self, seed: int) -> None:
        random.seed(seed)

    def draw(self) -> list[float]:
        return [random.random() for _ in range(3)]


class TestNumPy(BackendCases):
    def make(self) -> Any:
        return NumPy()

    def seed_by_hand(self, seed: int) -> None:
        np.random.seed(seed)

    def draw(self) -> list[float]:
        return list(np.random.random(3))


class TestTorch(BackendCases):
    def make(self) -> Any:
        return Torch()

    def seed_by_hand(self, seed: int) -> None:
        torch.manual_seed(seed)

    def draw(self) -> list[float]:
        return list(torch.rand(3).tolist())
