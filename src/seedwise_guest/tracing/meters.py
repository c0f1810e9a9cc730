"""What a program reads from the machine besides its clocks: memory, processor, disk, load."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, Callable

from ..process.imports import when_imported
from .callers import from_any
from .facts import Facts
from .recording import Recording
from .replaced_builtins import StandIn

_PSUTIL = (
    "virtual_memory swap_memory cpu_percent cpu_times cpu_times_percent cpu_stats cpu_freq getloadavg disk_usage "
    "disk_io_counters net_io_counters boot_time"
).split()
_PROCESS = (
    "memory_info memory_full_info memory_percent cpu_percent cpu_times num_threads num_fds io_counters create_time "
    "num_ctx_switches"
).split()
_CUDA = "memory_allocated max_memory_allocated memory_reserved max_memory_reserved utilization".split()


def watch_meters(recording: Recording, facts: Facts) -> None:
    """Keep what the user's code reads of the machine, also through a library, or give it again."""

    def watch(names: Sequence[str], of: str = "") -> Callable[[Any], None]:
        def act(module: Any) -> None:
            owner = getattr(module, of) if of else module
            for name in names:
                _wrap(owner, name, recording, facts)

        return act

    watch(("getloadavg", "times"))(os)
    when_imported("resource", watch(("getrusage",)))
    when_imported("shutil", watch(("disk_usage",)))
    when_imported("tracemalloc", watch(("get_traced_memory",)))
    when_imported("psutil", watch(_PSUTIL))
    when_imported("psutil", watch(_PROCESS, "Process"))
    when_imported("torch.cuda", watch(_CUDA))


def _wrap(owner: Any, name: str, recording: Recording, facts: Facts) -> None:
    original = getattr(owner, name, None)
    if original is None:
        return

    def said(value: Any, frame: Any) -> Any:
        where = from_any(frame)
        if where is None:
            return value
        facts.note("meter", where)
        return _with_numbers(value, lambda numbers: recording.meter(name, numbers))

    if isinstance(owner, type):

        def method(*args: Any, **kwargs: Any) -> Any:
            return said(original(*args, **kwargs), sys._getframe(1))

        method.__name__, method.__doc__ = name, original.__doc__
        setattr(owner, name, method)
        return

    def own(*args: Any, **kwargs: Any) -> Any:
        return said(original(*args, **kwargs), sys._getframe(2))

    setattr(owner, name, StandIn(original, own))


def _with_numbers(value: Any, given: Any) -> Any:
    """A reading with other numbers: a number, or a tuple of numbers of any kind."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return type(value)(given([float(value)])[0])
    if not isinstance(value, tuple) or not all(isinstance(v, (int, float)) for v in value):
        return value
    numbers = [type(v)(n) for v, n in zip(value, given([float(v) for v in value]))]
    kind = type(value)
    if kind is tuple:
        return tuple(numbers)
    return kind(*numbers) if hasattr(kind, "_fields") else kind(numbers)
