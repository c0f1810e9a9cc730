"""Output as lines with places for numbers, so that the same place can be found in another execution.

A line's template is the line with each number replaced by `#`; its units are left out, because a program may print
980 us and then 1.02 ms.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

_UNITS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "m": 1e-3, "µ": 1e-6, "u": 1e-6, "n": 1e-9}
_NUMBER = re.compile(
    r"(?<!\w)(?:(?<!\.)|(?<=\.\.))([-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+\.?\d*|(?<!\.)\.\d+)(?:[eE][-+]?\d+)?|nan|inf|-inf)"
    r"(?:(\s?)([kKMGTmµun]?)i?(?:s|B|b|bytes)(?![\w])|([kKMGT])(?!\w))?(?!\w)"
)
_MOST_EXPONENT = 300
_BAR = re.compile(r"([|\[])[ #=█▉▊▋▌▍▎▏■□░▒━─>*.\-]+([|\]])")
"""A bar of progress: it grows from line to line."""
_SPACES = re.compile(r"[ \t]{2,}")


@dataclass(frozen=True)
class Number:
    """A number as it was printed: its text, its value in units without a prefix, and the size of its last digit."""

    text: str
    value: float
    digit: float


Row = tuple[Number, ...]


def one_space(text: str) -> str:
    """The text with one space for several: a number that is padded to a width moves them as it grows."""
    return _SPACES.sub(" ", text)


def row_of(line: str) -> tuple[str, Row]:
    """The template of a line, and the numbers in it."""
    numbers = tuple(_number(found) for found in _NUMBER.finditer(line))
    return one_space(_NUMBER.sub("#", _BAR.sub(r"\1\2", line))).rstrip(), numbers


def _number(found: "re.Match[str]") -> Number:
    text = found[1].replace(",", "")
    unit = _UNITS[found[3] or found[4] or ""]
    digits, _, power = text.lower().partition("e")
    decimals = len(digits.partition(".")[2])
    exponent = max(
        -_MOST_EXPONENT, min(int(power or 0) - decimals, _MOST_EXPONENT)
    )  # 4e8839 is a piece of an identifier
    size = 10.0**exponent if text.strip("+-")[0].isdigit() or "." in text else 0.0
    return Number(found[0], float(text) * unit, size * unit)


_NAMED_SETTINGS = {
    "threads": re.compile(r"thread|core|cpu|jobs", re.I),
    "PYTHONHASHSEED": re.compile(r"hash.?seed", re.I),
}
"""How a line names what a check sets from outside."""


def with_settings_of(text: str, other: str, settings: Mapping[str, tuple[str, str]]) -> str:
    """`other`, with the lines of `text` where the two differ in nothing but a setting that the line names.

    A program that prints how many threads it has prints another number if this number is what was changed.

    Parameters
    ----------
    settings
        Name → the value in one run and in the other.
    """
    lines, others = text.splitlines(keepends=True), other.splitlines(keepends=True)
    if len(lines) != len(others):
        return other
    pairs = zip(lines, others, strict=True)
    return "".join(a if a != b and _differ_in(a, b, settings) else b for a, b in pairs)


def _differ_in(a: str, b: str, settings: Mapping[str, tuple[str, str]]) -> bool:
    if _NUMBER.sub("#", a) != _NUMBER.sub("#", b):
        return False
    pairs = {(x.text, y.text) for x, y in zip(row_of(a)[1], row_of(b)[1], strict=True) if x.text != y.text}
    known = {values for name, values in settings.items() if _NAMED_SETTINGS[name].search(a)}
    return bool(pairs) and pairs <= known


def rows_of(text: str) -> Mapping[str, list[Row]]:
    """The lines of a text by template, each with its numbers, in order."""
    found: dict[str, list[Row]] = defaultdict(list)
    for line in text.splitlines():
        template, numbers = row_of(line)
        found[template].append(numbers)
    return found


@dataclass(frozen=True)
class Readings:
    """What of a program's output is read from the machine: its clocks, its memory.

    Attributes
    ----------
    places
        (part, template, number of the place in the line): there stands a reading.
    lines
        (part, template): how many such lines there are depends on the clock alone.
    """

    places: frozenset[tuple[str, str, int]] = frozenset()
    lines: frozenset[tuple[str, str]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.places or self.lines)

    def __or__(self, other: "Readings") -> "Readings":
        return Readings(self.places | other.places, self.lines | other.lines)

    def without(self, part: str, text: str) -> str:
        """The text with `~` in each place of a reading, and without the lines that depend on the clock alone."""
        if not any(known == part for known, *_ in (*self.places, *self.lines)):
            return text
        kept: list[str] = []
        for line in text.splitlines():
            template, numbers = row_of(line)
            if (part, template) in self.lines:
                continue
            if any((part, template, k) in self.places for k in range(len(numbers))):
                shown = ["~" if (part, template, k) in self.places else n.text for k, n in enumerate(numbers)]
                rest = iter(shown)
                line = re.sub("#", lambda found: next(rest, "#"), template)  # noqa: B023
            kept.append(line)
        return "\n".join(kept)
