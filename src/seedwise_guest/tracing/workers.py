"""DataLoader workers: how many there are, and whether two workers draw the same stream."""

from __future__ import annotations

import sys
from typing import Any
from zlib import crc32

from ..process import spool
from .callers import through_library

_MOST = 400


def watch_loader(module: Any, asked: dict[str, Any], facts: Any) -> None:
    """Note the user's DataLoaders.

    If `workers` is asked for, give each one that has workers one more. If `reseed` is asked for, reseed the data
    set's generators in each worker.
    """
    loader = module.DataLoader
    init = loader.__init__

    def own(self: Any, *args: Any, **kwargs: Any) -> None:
        where = through_library(sys._getframe(1))
        number = kwargs.get("num_workers", args[5] if len(args) > 5 else 0)
        if number:
            facts.note("workers", where)
            if asked.get("workers") and len(args) <= 5:
                kwargs["num_workers"] = number + 1
        dataset = kwargs.get("dataset", args[0] if args else None)
        if number and len(args) <= 8:
            given = kwargs.get("worker_init_fn")
            kwargs["worker_init_fn"] = _Start(given, where or "", bool(asked.get("reseed")))
        init(self, *args, **kwargs)
        del dataset

    loader.__init__ = own


class _Start:
    """Is called in each worker.

    It calls the user's own `worker_init_fn`, and then looks at the generators that the data set holds.
    """

    def __init__(self, given: Any, where: str, reseed: bool) -> None:
        self.given, self.where, self.reseed = given, where, reseed

    def __call__(self, worker: int) -> None:
        if self.given is not None:
            self.given(worker)
        from torch.utils.data import get_worker_info

        info: Any = get_worker_info()
        for name, generator in _owned(info.dataset):
            if self.reseed:
                _restart(generator, info.seed)
            self._follow(worker, name, generator, info.seed)

    def _follow(self, worker: int, name: str, generator: Any, seed: int) -> None:
        """Report a generator at the end of the worker, if the worker drew from it."""
        from multiprocessing.util import Finalize

        start = crc32(_state(generator))

        def tell() -> None:
            if crc32(_state(generator)) != start:
                spool.send("worker", worker=worker, generator=name, digest=start, where=self.where, seed=seed)

        Finalize(None, tell, exitpriority=10)


def _owned(dataset: Any, depth: int = 2) -> list[tuple[str, Any]]:
    found = []
    for name, value in list(getattr(dataset, "__dict__", {}).items())[:_MOST]:
        if _is_generator(value):
            found.append((f"{type(dataset).__name__}.{name}", value))
        elif depth and hasattr(value, "__dict__") and not isinstance(value, type):
            found += _owned(value, depth - 1)
    return found


def _is_generator(value: Any) -> bool:
    kind = type(value)
    return (kind.__module__.partition(".")[0], kind.__name__) in {
        ("numpy", "Generator"),
        ("numpy", "RandomState"),
        ("random", "Random"),
        ("torch", "Generator"),
    }


def _state(generator: Any) -> bytes:
    for name in ("getstate", "get_state"):
        if hasattr(generator, name):
            state = getattr(generator, name)()
            return state.numpy().tobytes() if hasattr(state, "numpy") else repr(state).encode()
    return repr(generator.bit_generator.state).encode()


def _restart(generator: Any, seed: int) -> None:
    if hasattr(generator, "bit_generator"):
        bits = type(generator.bit_generator)(seed)
        generator.bit_generator.state = bits.state
    elif hasattr(generator, "manual_seed"):
        generator.manual_seed(seed)
    else:
        generator.seed(seed % 2**32)
