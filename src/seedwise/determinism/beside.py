"""Whether two runs have the same result, and all that differs stands beside it: logs, timings, who was first.

The result of a run is what it trained and measured: its parameters after each step, the metrics at its end, what it logged,
and the numbers that it keeps in files. Words, counts and dates beside these may differ from run to run in a sound program.
"""

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import isclose, prod

from ..metrics.goals import looks_like_metric
from ..runs.file_contents import OF_BYTES
from ..runs.masks import names_duration
from .parts import METRICS, OUTPUT
from .printed import Texts, differ_in_digests, is_printed, only_printed, said_in
from .trace import Trace

_NAMED_NUMBER = re.compile(r"""['"]?(?<!\w)(\w{1,60})['"]?\s*[:=]\s*['"]?[-+]?\d*\.\d+(?:[eE][-+]?\d+)?""")
_DECIMAL = re.compile(r"(?<![\w.])[-+]?(?:\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|(?i:nan|inf(?:inity)?))(?!\w|\.\d)")
_BYTES = re.compile(rf"{OF_BYTES} [0-9a-f]{{64}}|\b(?:SHORT_)?(?:BINBYTES8?|BINSTRING|BYTEARRAY8) ")
_UNNAMED = re.compile(r"[\s\[\],]*(?:[A-Z][A-Z0-9_]* )?[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[\s\[\],]*\Z")
"""A line that holds one number and no name: an element of a list or of an array, also in what a pickle says."""
_FIRST = re.compile(r"[^,;\t:=| ]*")
_HEAD_OF_ARRAY = re.compile(r"(?P<name>.*): (?:float|u?int|bool|complex)\d* \((?P<shape>[\d, ]*)\)")
"""The line before an array of an archive."""
_ELEMENT = re.compile(r"[^:\s]*[\])]: (?:[-+]?\d[\d.eE+-]*|[-+]?inf|nan|True|False|None)\Z")
"""An element of a list in a pickle, with the way to it."""
_NAME = re.compile(r"""\s*['"]?([^'":]{1,80})['"]?\s*:""")
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"[\w.+-]+")
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
    permuted
        Whether every part that differs has the same words and numbers in both runs, in another order.
    digests
        Whether digests that are printed are the same, or parameters are.
    """

    result: bool = False
    report: bool = False
    numbers: bool = False
    log: bool = False
    permuted: bool = False
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
        permuted=all(Counter(_TOKEN.findall(x)) == Counter(_TOKEN.findall(y)) for x, y in differing.values()),
        digests=is_trained or not differ_in_digests(texts),
    )


def _same_report(texts: Texts, has_other_result: bool) -> bool:
    """Whether metrics agree. What the log says at a step is none where the output says metrics."""
    said = {part: (said_in(x), said_in(y)) for part, (x, y) in texts.items()}
    with_single = {part for part, (x, y) in said.items() if x.has_single or y.has_single}
    if with_single:
        return all(
            (_are_same(x.ends, y.ends) if part != OUTPUT and OUTPUT in with_single else _are_same(x.single, y.single))
            and x.agrees_at_steps(y)
            for part, (x, y) in said.items()
        )
    x, y = (said_in(text) for text in texts[OUTPUT])
    has_end = x.end is not None and x.end == y.end
    along = x.along | y.along if has_end else frozenset[str]()
    return (has_end or has_other_result) and all(
        p.same_metrics(q, along) and p.agrees_at_steps(q) for p, q in said.values()
    )


def _same_log(a: Trace, b: Trace, differing: Texts, texts: Texts, kept: Sequence[tuple[str, str]]) -> bool:
    printed = {part: pair for part, pair in differing.items() if is_printed(part)}
    return all(_without_timed_lines(x) == _without_timed_lines(y) for x, y in kept) and only_printed(
        a, b, printed, texts, every_word=False
    )


def _are_same(x: Mapping[str, list[float]], y: Mapping[str, list[float]]) -> bool:
    return repr(sorted(x.items())) == repr(sorted(y.items()))


def _near_numbers(x: str, y: str) -> bool:
    """Whether all numbers are the same up to rounding, and all other parts of archives that are no text."""
    p, q = _kept(x), _kept(y)
    ours, theirs = (list(map(float, _DECIMAL.findall(text))) for text in (x, y))
    return (
        len(ours) == len(theirs)
        and p.bytes == q.bytes
        and p.results == q.results
        and all(
            isclose(v, w, rel_tol=_NEAR, abs_tol=_ROUNDING) or v != v != w != w
            for v, w in zip(ours, theirs, strict=True)
        )
    )


def _same_numbers(x: str, y: str) -> bool:
    p, q = _kept(x), _kept(y)
    return p.arrays == q.arrays and p.rows == q.rows and p.elements == q.elements and p.bytes == q.bytes


def _are_moments(x: str, y: str, is_trained: bool) -> bool:
    """Whether the numbers that differ in a file may be moments and pauses beside a result.

    They have a name that is none of a metric, and differ by far more than rounding. Arrays of them never go back. Where no
    parameters were compared, another array of the same archive must be the same, and nothing but such arrays may differ.
    """
    p, q = _kept(x), _kept(y)
    if (p.bytes, p.results, p.elements, p.arrays.keys()) != (q.bytes, q.results, q.elements, q.arrays.keys()):
        return False
    same = [name for name in p.arrays if p.arrays[name] == q.arrays[name]]
    if not is_trained and (p.rows != q.rows or all(len(p.arrays[name]) <= _ARRAY for name in same)):
        return False
    differing = [(name, p.arrays[name], q.arrays[name]) for name in p.arrays if name not in same]
    rows = [" ".join(" ".join(row) for row in sorted(one.elements())) for one in (p.rows - q.rows, q.rows - p.rows)]
    return _differ_by_far(*rows) and all(
        not _says_metric(name)
        and _never_goes_back(ours)
        and _never_goes_back(theirs)
        and _differ_by_far(" ".join(ours), " ".join(theirs))
        for name, ours, theirs in differing
    )


def _differ_by_far(x: str, y: str) -> bool:
    """Whether no number differs by as little as rounding does."""
    p, q = (list(map(float, _DECIMAL.findall(text))) for text in (x, y))
    return not any(a != b and isclose(a, b, rel_tol=_ROUNDING) for a, b in zip(p, q, strict=False))


def _never_goes_back(lines: Sequence[str]) -> bool:
    """Whether an array holds moments: numbers from 0 on, none smaller than the one before."""
    try:
        numbers = [float(line) for line in lines[1:]]
    except ValueError:  # complex numbers, or none
        return False
    return all(a <= b for a, b in pairwise([0.0, *numbers]))


@dataclass(frozen=True)
class _Kept:
    """The numbers of a file that are no durations.

    `arrays`: of an archive, by name, each with the line of its kind and shape. `rows`: those that have a name or a row, in any
    order; a row is known by its first word. `elements`: those that have none. `bytes`: what stands for parts that are no
    text. `results`: the numbers of rows and elements that are named as metrics or have no name, and those of a table with a metric.
    """

    arrays: Mapping[str, Sequence[str]]
    rows: Counter[tuple[str, ...]]
    elements: Sequence[str]
    bytes: Sequence[str]
    results: Sequence[str]


@lru_cache(maxsize=32)
def _kept(text: str) -> _Kept:
    arrays: dict[str, Sequence[str]] = {}
    rows: list[tuple[str, ...]] = []
    elements: list[str] = []
    digests: list[str] = []
    results: list[str] = []
    lines = text.splitlines()
    is_table = bool(lines) and bool(_CELL.search(lines[0])) and _says_metric(lines[0])
    k, name = 0, ""
    while k < len(lines):
        line = lines[k]
        head = _HEAD_OF_ARRAY.fullmatch(line)
        if head is not None:
            count = prod(int(n) for n in head["shape"].split(",") if n.strip())
            arrays[head["name"]] = [line[head.end("name") :], *lines[k + 1 : k + count + 1]]
            k += count + 1
            continue
        k += 1
        named = _NAME.match(line)
        name = named[1] if named else name
        if _BYTES.search(line):
            digests.append(line.strip(" ,"))
        elif _UNNAMED.match(line):
            elements.append(line.strip(" ,"))
            results += [elements[-1]] * _says_metric(name)
        elif _ELEMENT.match(line):
            rows.append((line,))
        else:
            shown = _NAMED_NUMBER.sub(lambda found: "" if names_duration(found[1]) else found[0], line)
            decimals = _DECIMAL.findall(shown)
            rows += [_row(line, shown, decimals)] * bool(decimals)
            results += decimals * (is_table or named is None or _says_metric(line))
    return _Kept(arrays, Counter(rows), elements, digests, results)


def _row(line: str, shown: str, decimals: Sequence[str]) -> tuple[str, ...]:
    """The numbers of a line: with their names, in any order, if each has one; else behind the first word of the line."""
    names = [found[0] for found in _NAMED_NUMBER.finditer(shown)]
    if len(names) == len(decimals) > 1:
        return ("", *sorted(names))
    first = _FIRST.match(line.strip())
    return ("" if first is None else first[0], *decimals)


def _says_metric(text: str) -> bool:
    """Whether a word of a text is the name of a metric."""
    return any(map(looks_like_metric, _WORD.findall(text)))


def _without_timed_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not _TIMED.search(line)]
