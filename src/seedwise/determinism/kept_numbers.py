"""The numbers in a kept file, as two runs are compared by them: which are the same, and which may be moments and pauses.

A file is the text that `runs.file_contents` makes of it: arrays of archives, pickles and HDF5 begin with a line that says name and shape.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import isclose, prod

from ..metrics.goals import looks_like_metric
from ..runs.file_contents import OF_BYTES
from ..runs.masks import names_duration

_NAMED_NUMBER = re.compile(r"""['"]?(?<!\w)(\w{1,60})['"]?\s*[:=]\s*['"]?[-+]?\d*\.\d+(?:[eE][-+]?\d+)?""")
_DECIMAL = re.compile(r"(?<![\w.])[-+]?(?:\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|(?i:nan|inf(?:inity)?))(?!\w|\.\d)")
_BYTES = re.compile(rf"{OF_BYTES} [0-9a-f]{{64}}")
_UNNAMED = re.compile(r"[\s\[\],]*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?[\s\[\],]*\Z")
"""A line that holds one number and no name: an element of a list or of an array."""
_FIRST = re.compile(r"[^,;\t:=| ]*")
_HEAD_OF_ARRAY = re.compile(r"(?P<name>.*): (?:float|u?int|bool|complex)\d* \((?P<shape>[\d, ]*)\)")
"""The line before an array of an archive."""
_ELEMENT = re.compile(r"[^:\s]*[\])]: (?:[-+]?\d[\d.eE+-]*|[-+]?inf|nan|True|False|None)\Z")
"""An element of a list in a pickle, with the way to it."""
_NAME = re.compile(r"""\s*['"]?([^'":]{1,80})['"]?\s*:""")
_WORD = re.compile(r"\w+")
_CELL = re.compile(r"[,;\t|]")
"""What stands between the cells of a table."""
_ARRAY = 8
"""An array with fewer numbers holds settings."""
_ROUNDING = 1e-6
"""Relative difference up to which numbers may be the same but for rounding."""
_NEAR = 1e-3
"""Relative difference up to which numbers are made of the same durations: what is left of them when the clock is moved."""


def near_numbers(x: str, y: str) -> bool:
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


def same_numbers(x: str, y: str) -> bool:
    """Whether two files hold the same numbers: named ones in any order, others in their place."""
    p, q = _kept(x), _kept(y)
    return p.arrays == q.arrays and p.rows == q.rows and p.elements == q.elements and p.bytes == q.bytes


def are_moments(x: str, y: str, is_trained: bool) -> bool:
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
            rows += [_row(line, shown)] * bool(decimals)
            results += decimals * (is_table or named is None or _says_metric(line))
    return _Kept(arrays, Counter(rows), elements, digests, results)


def _row(line: str, shown: str) -> tuple[str, ...]:
    """The numbers of a line behind its first word: those without a name in their order, those with one in any."""
    named = list(_NAMED_NUMBER.finditer(shown))
    first = _FIRST.match(line.strip())
    word = "" if first is None or (named and first[0].strip("{['\"") == named[0][1]) else first[0]
    return (word, *_DECIMAL.findall(_NAMED_NUMBER.sub(" ", shown)), *sorted(found[0] for found in named))


def _says_metric(text: str) -> bool:
    """Whether a word of a text is the name of a metric."""
    return any(map(looks_like_metric, _WORD.findall(text)))
