"""How many seeds are trained together."""

import os

import torch
from torch import nn

from ..task import Engine, Task
from .rehearsal import rehearse

WIDEST = {Engine.VMAP: 512, Engine.COMPILED: 256}
"""Where more seeds together gain nothing more: vmap has more to do around each step, a program wants its numbers near the processor."""
AT_ONCE = 2**27
"""Bytes with which the seeds of a chunk work on the CPU: more are far from the processor. Convolutions fill it with 64 seeds."""
WIDEST_ON_A_GPU = 2048
"""A GPU has thousands of lanes, and each operation costs its start."""
VECTOR = 64
"""Widths are multiples of this, so that no seed falls into what is left over after full vectors: torch adds columns up 64 at a time."""


def widths_for(task: Task, net: "nn.Module") -> dict[Engine, int]:
    """The width of each stacked engine for a model: the largest power of two up to `WIDEST` for which there is room.

    It does not depend on the number of seeds.
    """
    each = rehearse(task, net.to(task.device), min(task.batch_size, len(task.train))).bytes
    room = free_memory(task.device) // 2
    if torch.device(task.device).type != "cpu":
        return dict.fromkeys(WIDEST, _fitting(WIDEST_ON_A_GPU, each, room))
    return {engine: _fitting(most, each, min(room, AT_ONCE)) for engine, most in WIDEST.items()}


def narrowed(width: int, seeds: int) -> int:
    """The smallest of the widths that holds so few seeds."""
    while width > VECTOR and width // 2 >= seeds:
        width //= 2
    return width


def _fitting(width: int, each: int, room: int) -> int:
    while width > VECTOR and width * each > room:
        width //= 2
    return width


def free_memory(device: str) -> int:
    """Bytes that can be used."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as limit:
            free = min(free, int(limit.read()))
    except (OSError, StopIteration, ValueError):
        pass
    return free
