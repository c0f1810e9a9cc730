"""Are two traces of the same program the same? Exactly, up to rounding, or not."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .trace import Trace


class Verdict(StrEnum):
    """The answer of a check."""

    IDENTICAL = "identical"
    ROUNDING = "equal-to-rounding"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Difference:
    """How two traces differ. `what` says it in words; `first_step` counts optimizer steps from 0.

    `share` is that of the parameters which differ at the end, `ulp` the largest difference in units in the last place of float32,
    `relative` the largest difference over the largest magnitude.
    """

    verdict: Verdict
    what: tuple[str, ...] = ()
    first_step: int | None = None
    share: float | None = None
    ulp: int | None = None
    relative: float | None = None

    def __bool__(self) -> bool:
        return self.verdict is not Verdict.IDENTICAL


_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf")
_MASKS = (
    (re.compile(r"0x[0-9a-fA-F]{5,}"), "0x"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]?(?:\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?"), "DATE"),
    (re.compile(r"\b\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?\b"), "TIME"),
    (re.compile(r"(?i)\b((?:time|elapsed|took|duration|runtime|wall|eta|finished in|trained in|done in)\b[^\d\n]{0,12})[-\d.]+(?:e-?\d+)?"), r"\1TIME"),
    (re.compile(r"[-\d.]+(?:e-?\d+)?(\s?(?:seconds|secs?|minutes|mins?|hours?|ms|µs|us|ns|s|it/s|s/it|samples/s|steps/s)\b)"), r"TIME\1"),
    (re.compile(r"(?i)\b(pid\D{0,3})\d+"), r"\1PID"),
)  # fmt: skip
"""What differs between any two executions and means nothing: addresses in a repr, dates, durations, process numbers."""
_DURATION = re.compile(r"(?i)(^|_)(time|elapsed|duration|seconds|secs|sec|runtime|wall|took|ms)($|_)")


def masked(text: str) -> str:
    """Output without what differs between any two executions."""
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def compare(a: Trace, b: Trace, rtol: float = 1e-4) -> Difference:
    """Hold two traces against each other.

    Exact in metrics, output, files, and parameters after each step. Where something differs and every number agrees to `rtol`,
    the verdict is rounding.
    """
    what: list[str] = []
    if a.status != b.status:
        return Difference(Verdict.DIFFERENT, (f"one {a.failed or 'ended well'}, the other {b.failed or 'ended well'}",))
    near = True
    outputs = masked(a.stdout), masked(b.stdout)
    if outputs[0] != outputs[1]:
        what.append(_lines(*outputs))
        near = near and _near_text(*outputs, rtol)
    logged = [_without_durations(t) for t in (a, b)]
    if repr(logged[0]) != repr(logged[1]):
        names = sorted(k for k in {*logged[0], *logged[1]} if repr(logged[0].get(k)) != repr(logged[1].get(k)))
        what.append(f"metrics: {', '.join(names[:5])}")
        near = near and all(_near(logged[0].get(k, ()), logged[1].get(k, ()), rtol) for k in names)
    files = sorted(path for path in {*a.files, *b.files} if a.files.get(path) != b.files.get(path))
    if files:
        what.append(f"files: {', '.join(files[:5])}")
        near = near and bool(what[:-1] or a.steps.size)
    step = first_step(a, b)
    share = ulp = relative = None
    if step is not None:
        what.append(f"parameters, from step {step + 1} of {max(a.steps.size, b.steps.size)} on")
        share, ulp, relative = _parameters(a, b)
        near = near and relative is not None and relative <= rtol and a.steps.size == b.steps.size
    if not what:
        return Difference(Verdict.IDENTICAL)
    return Difference(Verdict.ROUNDING if near else Verdict.DIFFERENT, tuple(what), step, share, ulp, relative)


def first_step(a: Trace, b: Trace) -> int | None:
    """The first optimizer step after which parameters differ; None where none does."""
    n = min(a.steps.size, b.steps.size)
    unequal = np.flatnonzero(a.steps[:n] != b.steps[:n])
    if unequal.size:
        return int(unequal[0])
    return None if a.steps.size == b.steps.size else n


def _without_durations(trace: Trace) -> dict[str, tuple[float, ...]]:
    return {name: values for name, values in trace.logged.items() if not _DURATION.search(name)}


def _lines(a: str, b: str) -> str:
    for k, (x, y) in enumerate(zip(a.splitlines(), b.splitlines(), strict=False), start=1):
        if x != y:
            return f"output, line {k}: {x.strip()[:60]!r} and {y.strip()[:60]!r}"
    return f"output: {len(a.splitlines())} and {len(b.splitlines())} lines"


def _near_text(a: str, b: str, rtol: float) -> bool:
    if _NUMBER.sub("#", a) != _NUMBER.sub("#", b):
        return False
    pairs = zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True)
    return all(x == y or _close(float(x), float(y), rtol) for x, y in pairs)


def _near(a: tuple[float, ...], b: tuple[float, ...], rtol: float) -> bool:
    return len(a) == len(b) and all(x == y or _close(x, y, rtol) for x, y in zip(a, b, strict=True))


def _close(x: float, y: float, rtol: float) -> bool:
    return math.isclose(x, y, rel_tol=rtol, abs_tol=rtol * 1e-3)


def _parameters(a: Trace, b: Trace) -> tuple[float | None, int | None, float | None]:
    if (
        a.parameters is None
        or b.parameters is None
        or a.parameters.shape != b.parameters.shape
        or not a.parameters.size
    ):
        return None, None, None
    x, y = a.parameters, b.parameters
    share = float((x != y).mean())
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return share, None, math.inf
    bits = [np.where((v := z.view(np.int32).astype(np.int64)) < 0, -(v & 0x7FFFFFFF), v) for z in (x, y)]
    largest = float(np.abs(x).max())
    relative = float(np.abs(x - y).max()) / largest if largest > 0 else math.inf
    return share, int(np.abs(bits[0] - bits[1]).max()), relative
