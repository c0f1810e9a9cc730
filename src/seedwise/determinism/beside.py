"""Whether two runs have the same result, and all that differs stands beside it: logs, timings, who was first.

The result of a run is what it trained and measured: its parameters after each step, the metrics at its end, what it logged,
and the numbers that it keeps in files. Words, counts and dates beside these may differ from run to run in a sound program.
"""

import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from math import isclose

from ..metrics.goals import looks_like_metric
from ..runs.file_contents import OF_BYTES
from ..runs.masks import names_duration
from .parts import METRICS, OUTPUT
from .printed import Said, Texts, differ_in_digests, is_printed, only_printed, said_in
from .trace import Trace

_NAMED_NUMBER = re.compile(r"""['"]?(\w+)['"]?\s*[:=]\s*['"]?[-+]?\d*\.\d+(?:[eE][-+]?\d+)?""")
_DECIMAL = re.compile(r"(?<![\w.])[-+]?(?:\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|nan|inf)(?!\w|\.\d)")
_BYTES = re.compile(rf"{OF_BYTES} [0-9a-f]{{64}}|\b(?:SHORT_)?(?:BINBYTES8?|BINSTRING|BYTEARRAY8) ")
_UNNAMED = re.compile(r"[\s\[\],]*(?:[A-Z][A-Z0-9_]* )?[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[\s\[\],]*\Z")
"""A line that holds one number and no name: an element of a list or of an array, also in what a pickle says."""
_FIRST = re.compile(r"[^,;\t:=| ]*")
_HEAD_OF_ARRAY = re.compile(rf": (?:{OF_BYTES} [0-9a-f]{{64}}|(?:float|u?int|bool|complex)\d* \(.*\))$")
_CELL = re.compile(r"[,;\t|]")
_ARRAY = 8
"""An array with fewer numbers holds settings."""
_ROUNDING = 1e-6
"""Relative difference up to which numbers may be the same but for rounding."""
_NEAR = 1e-3
_TIMED = re.compile(r"\b(?:DATE|TIME|EPOCH)\b")


@dataclass(frozen=True)
class Agreement:
    """What of the result is the same in two runs that differ, and have the same parameters after each step.

    Attributes
    ----------
    result
        Whether the result is the same, if what else differs is known to come from clocks and the machine. The metrics that are
        printed once or twice must agree, and others wherever both runs print them at the same step; without such metrics, all
        metrics and the end of the output. In files that differ, every number with decimals must have its like in its row, lists of
        numbers must be the same, and every part that is no text. Two exceptions: where parameters are the same after each step,
        and in an archive of which another array is the same, numbers may differ if they have no name of a metric and if they
        differ by far more than rounding, as pauses and moments do.
    report
        The same, whatever stands in files.
    numbers
        Whether the numbers in files are the same up to rounding, whatever words stand beside them.
    log
        As `result`, if it is not known why something differs: then what is printed must be the same as for `only_printed`. In
        files, lines that say when they were written do not count; all others must be the same.
    digests
        Whether digests that are printed are the same, or parameters are.
    """

    result: bool = False
    report: bool = False
    numbers: bool = False
    log: bool = False
    digests: bool = False


NO_AGREEMENT = Agreement()


def agreement(
    a: Trace,
    b: Trace,
    differing: Texts,
    texts: Texts,
    *,
    keeps: bool = False,
    snapshots: Container[str] = (),
    reads_all: bool = True,
) -> Agreement:
    """What of the result is the same.

    Parameters
    ----------
    a, b
        Two runs with the same parameters after each step.
    differing
        The parts in which they differ, each with both texts, without readings of the machine.
    texts
        The same of every part that is printed.
    keeps
        Whether a file of numbers is the same in both: then they need not print metrics.
    snapshots
        Files that one of them alone has, and that count only where nothing is known.
    reads_all
        Whether all files that differ can be read as text.
    """
    is_trained = bool(a.steps.size)
    kept = [pair for part, pair in differing.items() if not is_printed(part)]
    counted = [pair for part, pair in differing.items() if not is_printed(part) and part not in snapshots]
    report = METRICS not in differing and _same_report(texts, keeps or is_trained)
    return Agreement(
        result=report
        and reads_all
        and all(_same_numbers(*pair) or _are_moments(*pair, is_trained) for pair in counted),
        report=report,
        numbers=reads_all and all(_near_numbers(*pair) for pair in counted),
        log=reads_all and METRICS not in differing and _same_log(a, b, differing, texts, kept),
        digests=is_trained or not differ_in_digests(texts),
    )


def _same_report(texts: Texts, has_other_result: bool) -> bool:
    said = [(said_in(x), said_in(y)) for x, y in texts.values()]
    if any(x.final or y.final for x, y in said):
        return all(_same_final(x, y) and x.agrees_at_steps(y) for x, y in said)
    x, y = (said_in(text) for text in texts[OUTPUT])
    has_end = x.end is not None and x.end == y.end
    along = x.along | y.along if has_end else frozenset[str]()
    return (has_end or has_other_result) and all(p.same_metrics(q, along) and p.agrees_at_steps(q) for p, q in said)


def _same_log(a: Trace, b: Trace, differing: Texts, texts: Texts, kept: Sequence[tuple[str, str]]) -> bool:
    printed = {part: pair for part, pair in differing.items() if is_printed(part)}
    return all(_without_timed_lines(x) == _without_timed_lines(y) for x, y in kept) and only_printed(
        a, b, printed, texts, every_word=False
    )


def _same_final(x: Said, y: Said) -> bool:
    return repr(sorted(x.ends.items())) == repr(sorted(y.ends.items()))


def _same_numbers(x: str, y: str) -> bool:
    return _numbers(x) == _numbers(y)


def _near_numbers(x: str, y: str) -> bool:
    p, q = (list(map(float, _DECIMAL.findall(text))) for text in (x, y))
    return (
        len(p) == len(q)
        and _bytes_in(x) == _bytes_in(y)
        and all(isclose(v, w, rel_tol=_NEAR, abs_tol=_ROUNDING) or v != v != w != w for v, w in zip(p, q, strict=True))
    )


def _are_moments(x: str, y: str, is_trained: bool) -> bool:
    """Whether the numbers that differ in a file may be moments and pauses beside a result."""
    if is_trained:
        return _differ_by_far(x, y)
    ours, theirs = _arrays(x), _arrays(y)
    pairs = [(part, ours[part], theirs.get(part, "")) for part in ours]
    same = [part for part, p, q in pairs if part and p == q and (p.count("\n") >= _ARRAY or OF_BYTES in p)]
    return bool(same) and ours.keys() == theirs.keys() and all(p == q or _differ_by_far(p, q) for _, p, q in pairs)


def _differ_by_far(x: str, y: str) -> bool:
    """Whether two texts have the same metrics and the same bytes, and no number differs by as little as rounding does."""
    if _bytes_in(x) != _bytes_in(y) or _named_metrics(x) != _named_metrics(y):
        return False
    p, q = (list(map(float, _DECIMAL.findall(text))) for text in (x, y))
    return not any(a != b and isclose(a, b, rel_tol=_ROUNDING) for a, b in zip(p, q, strict=False))


def _bytes_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if _BYTES.search(line)]


def _named_metrics(text: str) -> list[str]:
    """The numbers with the name of a metric; of a table with such a column, all its numbers."""
    head = text.partition("\n")[0]
    if any(map(looks_like_metric, _CELL.split(head))):
        return _DECIMAL.findall(text)
    return [found[0] for found in _NAMED_NUMBER.finditer(text) if looks_like_metric(found[1])]


def _arrays(text: str) -> dict[str, str]:
    """Each array of an archive by its name; "" for what comes before the first one."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        head = _HEAD_OF_ARRAY.search(line)
        name = line[: head.start()] if head else name
        found[name] = found.get(name, "") + line
    return found


def _numbers(text: str) -> tuple[Counter[tuple[str, ...]], list[str]]:
    """The numbers of a file that are no durations: those that have a name or a row, in any order, and those that have none.

    A row is known by its first word. What stands for a part that is no text counts as a number.
    """
    rows: list[tuple[str, ...]] = []
    elements: list[str] = []
    for line in text.splitlines():
        if _BYTES.search(line) or _UNNAMED.match(line):
            elements.append(line.strip(" ,"))
            continue
        shown = _NAMED_NUMBER.sub(lambda found: "" if names_duration(found[1]) else found[0], line)
        decimals = _DECIMAL.findall(shown)
        if decimals:
            first = _FIRST.match(line.strip())
            rows.append(("" if first is None else first[0], *decimals))
    return Counter(rows), elements


def _without_timed_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not _TIMED.search(line)]
