"""The first operation of a step that differs, and what about it differed."""

from dataclasses import dataclass

from .trace import Op, Trace


@dataclass(frozen=True)
class Divergence:
    """Where two executions parted.

    `reason` is `input` (other numbers came in from outside), `generator` (another state was drawn from), `kernel` (the same went in
    and something else came out), `memory` (read before it was written), `control` (other operations were done).
    """

    step: int
    operation: str
    module: str
    line: str
    reason: str


_UNWRITTEN = -1


def localise(a: Trace, b: Trace, step: int) -> Divergence | None:
    """The first operation in which two records of one step differ; None where they do not, or were not recorded."""
    for x, y in zip(a.ops, b.ops, strict=False):
        if x[0] != y[0]:
            return Divergence(step, f"{_name(x)} or {_name(y)}", x[5], x[4], "control")
        if x[2] != y[2]:
            return Divergence(step, _name(x), x[5], x[4], "input")
        if x[3] != y[3]:
            return Divergence(step, _name(x), x[5], x[4], "generator")
        if x[1] != y[1]:
            return Divergence(step, _name(x), x[5], x[4], "memory" if _UNWRITTEN in x[2] else "kernel")
    if len(a.ops) != len(b.ops):
        longer = a.ops if len(a.ops) > len(b.ops) else b.ops
        extra = longer[min(len(a.ops), len(b.ops))]
        return Divergence(step, _name(extra), extra[5], extra[4], "control")
    return None


def _name(op: Op) -> str:
    return op[0].removeprefix("aten.").rpartition(".")[0] or op[0]
