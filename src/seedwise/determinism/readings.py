"""Finds by experiment which printed numbers are readings of the machine: durations, rates, memory.

The program is run again with the readings of its first run (`again`), then with all of them twice as far apart
(`doubled`). A duration is then twice as long and a rate half as high: numbers that follow the clock in proportion are
readings of it. A result that hangs on the clock (a seed, a budget of seconds) jumps instead, and is none. What keeps
its value though it is made of readings, such as a share of two times, is told by small changes of single times: it
moves the further, the larger the change.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from seedwise_guest.protocol import SHIFT

from .lines import Number, Readings, Row, rows_of
from .parts import counts_durations, parts_of
from .trace import Trace

NUDGES = (0.4, 0.8, 1.2, 1.6)
"""By what part of themselves, at most, single times are made longer."""
_FACTORS = (2.0, 0.5, 4.0, 0.25)
_SHARES = ((0.1, 0.5), (0.3, 0.75), (0.55, 0.95))
"""Between which parts of its whole way a number is after a quarter, half and three quarters of the change."""
_EXACT = 1e-4
_DIGITS = 3

Rows = Mapping[str, list[Row]]


def find_readings(
    plain: Sequence[Trace], again: Trace, doubled: Trace, nudged: Callable[[float], Trace | None]
) -> Readings:
    """The places of readings: where plain runs differ, and where so many digits follow the clock that it is no chance.

    Parameters
    ----------
    plain
        Runs without any change. The readings of the first one were given to the others.
    again, doubled
        The program with these readings, and with these readings twice as far apart.
    nudged
        Runs the program with single times made longer by up to this part. None if that failed.
    """
    found: set[tuple[str, str, int]] = set()
    lines: set[tuple[str, str]] = set()
    steady: list[tuple[str, str, int]] = []
    durations = counts_durations(*plain)
    texts = [parts_of(t, durations) for t in (*plain, again, doubled)]
    for part in texts[0]:
        first, *others, same, twice = (rows_of(text.get(part, "")) for text in texts)
        for template in first:
            if _is_by_time(first, same, twice, template):
                lines.add((part, template))
                continue
            for k in range(len(first[template][0])):
                if not _is_equal(first, same, template, k):
                    continue
                differs = _differs(first, others, template, k)
                if (differs or _has_digits(first, template, k)) and _is_scaled(first, twice, template, k):
                    found.add((part, template, k))
                elif differs:
                    steady.append((part, template, k))
    return Readings(frozenset(found), frozenset(lines)) | _follow_nudges(texts[0], steady, nudged, durations)


def _is_by_time(first: Rows, same: Rows, twice: Rows, template: str) -> bool:
    """Whether a line is printed as time goes by: as often with the same readings, more often with a faster clock."""
    n, again, fast = (len(rows.get(template, ())) for rows in (first, same, twice))
    return "#" in template and n == again and (1.3 * n < fast or (n >= 4 and fast != n and fast / n > 0.7))


def _column(rows: Rows, template: str, k: int) -> list[Number]:
    return [row[k] for row in rows.get(template, ()) if k < len(row)]


def _differs(first: Rows, others: Sequence[Rows], template: str, k: int) -> bool:
    mine = [n.text for n in _column(first, template, k)]
    return any(mine != [n.text for n in _column(other, template, k)] for other in others)


def _has_digits(first: Rows, template: str, k: int) -> bool:
    """Whether so many digits are printed in this place that they do not double by chance."""
    return all(sum(c.isdigit() for c in n.text.lstrip("-+0.")) >= _DIGITS for n in _column(first, template, k))


def _is_equal(first: Rows, same: Rows, template: str, k: int) -> bool:
    a, b = _column(first, template, k), _column(same, template, k)
    return len(a) == len(b) and all(
        x.text == y.text or math.isclose(x.value, y.value, rel_tol=1e-9, abs_tol=1e-9)
        for x, y in zip(a, b, strict=True)
    )


def _is_scaled(first: Rows, twice: Rows, template: str, k: int) -> bool:
    """Whether each number in this place is moved in proportion to the time, or as the clock itself was moved."""
    a, b = _column(first, template, k), _column(twice, template, k)
    if len(a) != len(b) or all(x.text == y.text for x, y in zip(a, b, strict=True)):
        return False
    pairs = list(zip(a, b, strict=True))
    return any(all(_fits(x, y, factor) for x, y in pairs) for factor in _FACTORS) or all(
        any(abs(y.value - x.value - SHIFT * unit) <= 0.05 * SHIFT * unit for unit in (1.0, 1e3, 1e6, 1e9))
        for x, y in pairs
    )


def _fits(x: Number, y: Number, factor: float) -> bool:
    """Whether `y` is `x` times the factor, within the digits that were printed."""
    if not (math.isfinite(x.value) and math.isfinite(y.value)):
        return x.text == y.text
    slack = 0.51 * (x.digit * factor + y.digit) + _EXACT * abs(y.value)
    return abs(y.value - x.value * factor) <= slack


def _follow_nudges(
    first: Mapping[str, str],
    places: Sequence[tuple[str, str, int]],
    nudged: Callable[[float], Trace | None],
    durations: bool,
) -> Readings:
    """Those places whose numbers move with the size of small changes."""
    if not places:
        return Readings()
    moved: list[Mapping[str, str]] = []
    for size in NUDGES:
        trace = nudged(size)
        if trace is None or trace.failed:
            return Readings()
        moved.append(parts_of(trace, durations))
    found = set()
    for part, template, k in places:
        columns = [_column(rows_of(text.get(part, "")), template, k) for text in (first, *moved)]
        if len({len(column) for column in columns}) == 1 and _is_smooth(columns):
            found.add((part, template, k))
    return Readings(frozenset(found))


def _is_smooth(columns: Sequence[Sequence[Number]]) -> bool:
    """Whether each number moves with the size of the changes: by about a quarter, half and three quarters of the whole.

    A share of two times is no straight line, so that each part may be off by some way. A result that jumps is seldom
    within all three.
    """
    moves = False
    for start, *parts, whole in zip(*columns, strict=True):
        far = whole.value - start.value
        slack = 1.1 * max(start.digit, whole.digit)
        moves = moves or abs(far) > slack
        sign = math.copysign(1.0, far)
        for near, (least, most) in zip(parts, _SHARES, strict=True):
            way = (near.value - start.value) * sign
            if not least * abs(far) - slack <= way <= most * abs(far) + slack:
                return False
    return moves
