"""Are two traces of the same program the same? Exactly, up to rounding, or not."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..runs.file_contents import Content
from .beside import NO_AGREEMENT, Agreement, agreement
from .lines import Readings, with_settings_of
from .parts import METRICS, TEXTS, UNORDERED, counts_durations, file_part, part_of, raw, without_numbers_of_processes
from .printed import Texts, only_printed, same_under_other_names, with_paired_names
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
    numbers that differ but are readings of the machine, or look like durations; `printed`, what differs beside a result
    that is the same.
    """

    verdict: Verdict
    what: tuple[str, ...] = ()
    first_step: int | None = None
    share: float | None = None
    ulp: int | None = None
    relative: float | None = None
    uncounted: str = ""
    printed: str = ""
    in_kept_text: bool = False
    """Whether a kept file of text differs in more than rounding."""
    in_texts: bool = False
    """Whether output, log, metrics or files differ, and not the parameters alone."""
    agrees: Agreement = NO_AGREEMENT
    """What of the result is the same, though something differs."""

    def __bool__(self) -> bool:
        return self.verdict is not Verdict.IDENTICAL


_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf")
_NUMBERED = re.compile(r"^(?!.*\d\.\d).*\d")
"""A name with a whole number in it, and none with decimals."""
_NO_READINGS = Readings()
_DATA = 20
"""A file with so many numbers holds data, and no configuration."""


def compare(
    a: Trace,
    b: Trace,
    rtol: float = 1e-4,
    readings: Readings = _NO_READINGS,
    *,
    warnings: bool = True,
    files: bool = True,
    every_word: bool = False,
) -> Difference:
    """Compare two traces.

    Metrics, output, files, and parameters after each step are compared exactly. If something differs but every number
    agrees to `rtol`, the verdict is rounding.

    Parameters
    ----------
    readings
        Places where readings of the machine stand. They do not count.
    warnings, files
        Whether Python's warnings and the files count.
    every_word
        Whether all that is printed counts, though the result apart from it is the same.
    """
    b = with_paired_names(a, b) if files else b
    if a.status != b.status:
        return Difference(Verdict.DIFFERENT, (f"one {a.failed or 'ended well'}, the other {b.failed or 'ended well'}",))
    texts = _Texts(a, b, rtol, readings, warnings)
    step = first_step(a, b)
    names = sorted(path for path in {*a.files, *b.files} if texts.differs_in_file(path)) if files else []
    in_files = [f"files: {', '.join(names[:5])}"] if names else []
    near = all(_near_content(a.contents.get(path), b.contents.get(path), rtol) for path in names)
    if files and (other := sorted(a.renamed ^ b.renamed)):
        in_files.append(f"names of files: {', '.join(other[:3])} in one of them")
        near = False
    said = texts.what
    if (said or in_files) and step is None and not every_word:
        if texts.are_only_printed():
            return Difference(Verdict.IDENTICAL, uncounted=texts.uncounted, printed="; ".join([*said, *in_files]))
        said = [] if texts.are_words_beside() else said
    what, near = [*said, *in_files], near and (texts.near or not said)
    in_texts = bool(what)
    share = ulp = relative = None
    if step is not None:
        what.append(f"parameters, from {a.unit} {step + 1} of {max(a.steps.size, b.steps.size)} on")
        share, ulp, relative = _parameters(a, b)
        near = near and relative is not None and relative <= rtol and a.steps.size == b.steps.size
    if not what:
        return Difference(Verdict.IDENTICAL, uncounted=texts.uncounted)
    verdict = Verdict.ROUNDING if near else Verdict.DIFFERENT
    kept = files and any(
        _is_text(path) and not _near_content(a.contents.get(path), b.contents.get(path), rtol) for path in names
    )
    return Difference(
        verdict,
        tuple(what),
        step,
        share,
        ulp,
        relative,
        in_texts=in_texts,
        in_kept_text=kept,
        agrees=NO_AGREEMENT if step is not None else texts.agreement(),
    )


class _Texts:
    """The texts of two traces held against each other."""

    def __init__(self, a: Trace, b: Trace, rtol: float, readings: Readings, warnings: bool) -> None:
        self._a, self._b, self._readings, self._warnings = a, b, readings, warnings
        self._differing: dict[str, tuple[str, str]] = {}
        self._in_kept_file = False
        """Whether a file differs that is no text, or that only one of them has."""
        self._in_binary_file = False
        """Whether a file differs that is no text: an array, or one that is too large to be kept."""
        self._snapshots: set[str] = set()
        """Files with a number in their name that only one of the runs has: how many are written may depend on the clock."""
        self._only_names = same_under_other_names(a, b)
        self.what: list[str] = []
        self.near = True
        self.uncounted = ""
        self._settings = {
            name: (value, b.settings[name])
            for name, value in a.settings.items()
            if b.settings.get(name, value) != value
        }
        self._durations = counts_durations(a, b)
        for name in TEXTS:
            self._one(name, rtol)

    def _both(self, name: str, durations: bool) -> tuple[str | None, str | None]:
        x, y = (part_of(t, name, durations, self._warnings) for t in (self._a, self._b))
        if name in TEXTS and x and y and x != y and self._settings:
            y = with_settings_of(x, y, self._settings)
        return x, y

    def _one(self, name: str, rtol: float) -> None:
        if raw(self._a, name, self._warnings) == raw(self._b, name, self._warnings):
            return
        shown = self._both(name, durations=True)
        if shown[0] == shown[1]:
            return
        x, y = shown if self._durations else self._both(name, durations=False)
        if self._is_same(name, x or "", y or ""):
            self.uncounted = self.uncounted or _lines(name, shown[0] or "", shown[1] or "")
            return
        x, y = self._counted(name, x or ""), self._counted(name, y or "")
        self._differing[name] = x, y
        self.what.append(_metrics(x, y) if name == METRICS else _lines(name, x, y))
        self.near = self.near and _near_text(x, y, rtol)

    def _counted(self, name: str, text: str) -> str:
        return _in_order(name, self._readings.without(name, text))

    def _is_same(self, name: str, x: str, y: str) -> bool:
        if x == y or self._counted(name, x) == self._counted(name, y):
            return True
        x, y = self._readings.without(name, x), self._readings.without(name, y)
        x, y = without_numbers_of_processes(self._a, x), without_numbers_of_processes(self._b, y)
        return _in_order(name, x) == _in_order(name, y)

    def differs_in_file(self, path: str) -> bool:
        """Whether a file differs, apart from readings and names of this run."""
        if self._a.files.get(path) == self._b.files.get(path):
            return False
        x, y = self._both(file_part(path), self._durations)
        if x is not None and y is not None and self._is_same(file_part(path), x, y):
            self.uncounted = self.uncounted or _lines(file_part(path), x, y)
            return False
        if (path in self._a.files) != (path in self._b.files) and self._only_names:
            return True  # the same file under another name
        self._in_kept_file = self._in_kept_file or x is None or y is None
        if (path in self._a.files) != (path in self._b.files) and _NUMBERED.search(path.rpartition("/")[2]):
            self._snapshots.add(file_part(path))
            self._differing[file_part(path)] = x or "", y or ""
            return True
        self._in_binary_file = self._in_binary_file or any(
            path in trace.files and not isinstance(trace.contents.get(path), str) for trace in (self._a, self._b)
        )
        self._differing[file_part(path)] = x or "", y or ""
        return True

    def are_only_printed(self) -> bool:
        """Whether all that differs is what the programs say besides a result that is the same."""
        return not self._in_kept_file and only_printed(self._a, self._b, *self._without_own_words(durations=True))

    def are_words_beside(self) -> bool:
        """Whether all that is printed and differs is said besides a result that is printed and is the same, whatever files hold."""
        differing, said = self._without_own_words(durations=True)
        printed = {name: pair for name, pair in differing.items() if name in TEXTS}
        return only_printed(self._a, self._b, printed, said)

    def agreement(self) -> Agreement:
        """What of the result is the same."""
        differing, said = self._without_own_words(self._durations)
        return agreement(
            self._a,
            self._b,
            differing,
            said,
            keeps=self._keep_same_numbers(),
            snapshots=self._snapshots,
            reads_all=not self._in_binary_file,
        )

    def _keep_same_numbers(self) -> bool:
        """Whether a file of numbers is the same in both."""
        return any(
            self._b.files.get(path) == digest and _counts_numbers(self._a.contents.get(path)) >= _DATA
            for path, digest in self._a.files.items()
        )

    def _without_own_words(self, durations: bool) -> tuple[Texts, Texts]:
        """The parts that differ, and all that is printed, without readings and numbers of processes."""
        texts = {name: [self._counted(name, text or "") for text in self._both(name, durations)] for name in TEXTS}
        differing = {
            name: self._without_own_numbers(*(self._readings.without(name, text) for text in pair))
            for name, pair in self._differing.items()
        }
        return differing, {name: self._without_own_numbers(*pair) for name, pair in texts.items()}

    def _without_own_numbers(self, x: str, y: str) -> tuple[str, str]:
        return without_numbers_of_processes(self._a, x), without_numbers_of_processes(self._b, y)


def _is_text(path: str) -> bool:
    return path.endswith((".csv", ".tsv", ".json", ".jsonl", ".txt", ".md", ".html", ".yaml", ".yml"))


def _in_order(name: str, text: str) -> str:
    return "\n".join(sorted(text.splitlines())) if name in UNORDERED else text


def first_step(a: Trace, b: Trace) -> int | None:
    """The first optimizer step after which the parameters differ; None if they never differ."""
    n = min(a.steps.size, b.steps.size)
    unequal = np.flatnonzero(a.steps[:n] != b.steps[:n])
    if unequal.size:
        return int(unequal[0])
    return None if a.steps.size == b.steps.size else n


def resumed_at(whole: Trace, part: Trace) -> int | None:
    """The step (from 0) of `whole` after which `part` goes on, if it is a resumed run. None if it has no fewer steps.

    Both are taken to end with the same step.
    """
    left = whole.steps.size - part.steps.size
    return int(left) if part.steps.size and left > 0 and part.unit == whole.unit else None


def first_step_after(whole: Trace, part: Trace, start: int) -> int | None:
    """As `first_step`, where step k of `part` is step start + k of `whole`. Counted as in `whole`."""
    unequal = np.flatnonzero(whole.steps[start:] != part.steps)
    return start + int(unequal[0]) if unequal.size else None


def _lines(name: str, a: str, b: str) -> str:
    for k, (x, y) in enumerate(zip(a.splitlines(), b.splitlines(), strict=False), start=1):
        if x != y:
            return f"{name}, line {k}: {x.strip()[:60]!r} and {y.strip()[:60]!r}"
    return f"{name}: {len(a.splitlines())} and {len(b.splitlines())} lines"


def _metrics(a: str, b: str) -> str:
    rows: list[dict[str, list[str]]] = [{}, {}]
    for found, text in zip(rows, (a, b), strict=True):
        for line in text.splitlines():
            name, _, value = line.rpartition(": ")
            found.setdefault(name, []).append(value)
    names = sorted(name for name in {*rows[0], *rows[1]} if rows[0].get(name) != rows[1].get(name))
    return f"metrics: {', '.join(names[:5])}"


def _counts_numbers(content: Content | None) -> int:
    return content.size if isinstance(content, np.ndarray) else len(_NUMBER.findall(content or ""))


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
    return all(x == y or math.isclose(float(x), float(y), rel_tol=rtol, abs_tol=rtol * 1e-3) for x, y in pairs)


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
