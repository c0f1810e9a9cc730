"""Seeds that are trained alone, in several processes."""

import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait

import torch

from ..outcome import SeedOutcome
from ..task import Task
from .lone import train_alone


def train_in_processes(task: Task, seeds: Sequence[int], processes: int) -> Iterator[SeedOutcome]:
    """Train each seed alone, several at a time. The outcomes come as they are ready.

    Raises
    ------
    RuntimeError
        A process has ended before its seeds were done.
    """
    context = multiprocessing.get_context("fork")
    started = []
    for k in range(processes):
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(task, seeds[k::processes], theirs), daemon=True)
        worker.start()
        theirs.close()
        started.append((ours, worker))
    waiting = {ours: len(seeds[k::processes]) for k, (ours, _) in enumerate(started)}
    try:
        while waiting:
            for ready in wait(list(waiting)):
                assert isinstance(ready, Connection)
                try:
                    received = ready.recv()
                except EOFError:
                    raise RuntimeError("a process that trained seeds has ended before they were done") from None
                if isinstance(received, Exception):
                    raise received
                waiting[ready] -= 1
                if not waiting[ready]:
                    del waiting[ready]
                yield received
    finally:
        for ours, worker in started:
            worker.terminate()
            worker.join()
            ours.close()


def _work(task: Task, seeds: Sequence[int], results: Connection) -> None:
    torch.set_num_threads(1)
    for seed in seeds:
        try:
            results.send(train_alone(task, seed))
        except Exception as error:  # noqa: BLE001 (whatever a model raises is told to the user)
            results.send(error)
            return
