"""Finds the first operation of a step that differs, and says what about it differed."""

from dataclasses import dataclass
from enum import StrEnum

from .trace import Op, Trace


class Reason(StrEnum):
    """What about an operation differed."""

    INPUT = "input"
    """It got other numbers from outside."""
    GENERATOR = "generator"
    """Its generator was in another state."""
    KERNEL = "kernel"
    """The same numbers went in, and other numbers came out."""
    MEMORY = "memory"
    """It read memory that nothing had written."""
    CONTROL = "control"
    """Other operations were done."""


@dataclass(frozen=True)
class Divergence:
    """The place where two executions separated."""

    step: int
    operation: str
    module: str
    line: str
    reason: Reason


_UNWRITTEN = -1
_MARKS = "profiler."
"""Operations that only mark a place for a profiler."""


def localise(a: Trace, b: Trace, step: int) -> Divergence | None:
    """The first operation in which two records of one step differ. None if they do not differ, or were not recorded."""
    mine, its = ([op for op in trace.ops if not op[0].startswith(_MARKS)] for trace in (a, b))
    for x, y in zip(mine, its, strict=False):
        if x[0] != y[0]:
            return Divergence(step, f"{_name(x)} or {_name(y)}", x[5], x[4], Reason.CONTROL)
        if x[2] != y[2]:
            return Divergence(step, _name(x), x[5], x[4], Reason.INPUT)
        if x[3] != y[3]:
            return Divergence(step, _name(x), x[5], x[4], Reason.GENERATOR)
        if x[1] != y[1]:
            return Divergence(step, _name(x), x[5], x[4], Reason.MEMORY if _UNWRITTEN in x[2] else Reason.KERNEL)
    if len(mine) != len(its):
        longer = mine if len(mine) > len(its) else its
        extra = longer[min(len(mine), len(its))]
        return Divergence(step, _name(extra), extra[5], extra[4], Reason.CONTROL)
    return None


def _name(op: Op) -> str:
    return op[0].removeprefix("aten.").rpartition(".")[0] or op[0]
