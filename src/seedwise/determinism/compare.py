"""Are two traces of the same program the same? Exactly, up to rounding, or not."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..runs.masks import masked, names_duration
from ..runs.written_files import Content
from .trace import Trace


class Verdict(StrEnum):
    """The answer of a check."""

    IDENTICAL = "identical"
    ROUNDING = "equal-to-rounding"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Difference:
    """How two traces differ. `what` says it in words; `first_step` counts optimizer steps from 0.

    `share` is the share of the parameters that differ at the end. `ulp` is the largest difference in units in the
    last place of float32. `relative` is the largest difference divided by the largest magnitude. `uncounted` shows
    numbers that differ but look like durations.
    """

    verdict: Verdict
    what: tuple[str, ...] = ()
    first_step: int | None = None
    share: float | None = None
    ulp: int | None = None
    relative: float | None = None
    uncounted: str = ""

    def __bool__(self) -> bool:
        return self.verdict is not Verdict.IDENTICAL


_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf")


def compare(a: Trace, b: Trace, rtol: float = 1e-4) -> Difference:
    """Compare two traces.

    Metrics, output, files, and parameters after each step are compared exactly. If something differs but every number
    agrees to `rtol`, the verdict is rounding.
    """
    what: list[str] = []
    if a.status != b.status:
        return Difference(Verdict.DIFFERENT, (f"one {a.failed or 'ended well'}, the other {b.failed or 'ended well'}",))
    near = True
    durations = "clock-read" in a.facts or "clock-read" in b.facts
    uncounted = ""
    for name, x, y in (("output", a.stdout, b.stdout), ("log", _log(a.stderr), _log(b.stderr))):
        if x == y:
            continue
        x, y = masked(x, durations=False), masked(y, durations=False)
        if durations and x != y:
            uncounted = _lines(name, x, y)
            x, y = masked(x), masked(y)
        if name == "log":
            x, y = _in_order(x), _in_order(y)
        if x != y:
            what.append(_lines(name, x, y))
            near, uncounted = near and _near_text(x, y, rtol), ""
    logged = [_logged(t, durations) for t in (a, b)]
    if repr(logged[0]) != repr(logged[1]):
        names = sorted(k for k in {*logged[0], *logged[1]} if repr(logged[0].get(k)) != repr(logged[1].get(k)))
        what.append(f"metrics: {', '.join(names[:5])}")
        near = near and all(_near(logged[0].get(k, ()), logged[1].get(k, ()), rtol) for k in names)
    files = sorted(path for path in {*a.files, *b.files} if a.files.get(path) != b.files.get(path))
    if files:
        what.append(f"files: {', '.join(files[:5])}")
        near = near and all(_near_content(a.contents.get(path), b.contents.get(path), rtol) for path in files)
    step = first_step(a, b)
    share = ulp = relative = None
    if step is not None:
        what.append(f"parameters, from {a.unit} {step + 1} of {max(a.steps.size, b.steps.size)} on")
        share, ulp, relative = _parameters(a, b)
        near = near and relative is not None and relative <= rtol and a.steps.size == b.steps.size
    if not what:
        return Difference(Verdict.IDENTICAL, uncounted=uncounted)
    return Difference(Verdict.ROUNDING if near else Verdict.DIFFERENT, tuple(what), step, share, ulp, relative)


def first_step(a: Trace, b: Trace) -> int | None:
    """The first optimizer step after which the parameters differ; None if they never differ."""
    n = min(a.steps.size, b.steps.size)
    unequal = np.flatnonzero(a.steps[:n] != b.steps[:n])
    if unequal.size:
        return int(unequal[0])
    return None if a.steps.size == b.steps.size else n


def _logged(trace: Trace, durations: bool) -> dict[str, tuple[float, ...]]:
    return {name: values for name, values in trace.logged.items() if not (durations and names_duration(name))}


def _log(text: str) -> str:
    """Standard error, if it contains a number; else ""."""
    return text if _NUMBER.search(text) else ""


def _in_order(text: str) -> str:
    """The lines, sorted: threads of a library may write them in any order."""
    return "\n".join(sorted(line.rstrip() for line in text.splitlines() if line.strip()))


def _lines(name: str, a: str, b: str) -> str:
    for k, (x, y) in enumerate(zip(a.splitlines(), b.splitlines(), strict=False), start=1):
        if x != y:
            return f"{name}, line {k}: {x.strip()[:60]!r} and {y.strip()[:60]!r}"
    return f"{name}: {len(a.splitlines())} and {len(b.splitlines())} lines"


def _near_content(a: Content | None, b: Content | None, rtol: float) -> bool:
    """Whether two files or arrays have the same contents up to rounding. False if one of them was too large to keep."""
    if isinstance(a, str) and isinstance(b, str):
        return _near_text(a, b, rtol)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape and a.dtype.kind in "fc":
        return bool(np.allclose(a, b, rtol=rtol, atol=rtol * 1e-3, equal_nan=True))
    return False


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
