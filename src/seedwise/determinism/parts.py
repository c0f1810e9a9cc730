"""What of a trace is compared, as texts: output, log, metrics, and each small file."""

import math
import re
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from ..runs.file_contents import Content
from ..runs.masks import masked, names_duration
from .lines import one_space, row_of
from .trace import Trace

_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{6,64}(?![0-9A-Za-z])")
_WORD = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z_-]{8,88}(?![0-9A-Za-z])")
_WHEN = re.compile(r"(?m)^[ \t]*(?:\[?(?:DATE|TIME)[\],]?(?: ?TIME\]?)?[ \t]+)?(?=\S)")
"""What a logger writes before a line; some leave it out where the second is the same."""
_BETWEEN_WORDS = re.compile(r"[-_.+ ]+")
_BETWEEN_VALUES = re.compile(r"(?<=[{\[,]) *(?=\S)")
_DIGITS = re.compile(r"\d")
DRAWN = 6
"""A part of a name that was drawn by chance has at least so many characters."""
_KNOWN_INSIDE = 8
"""A name that was drawn, and is known inside a longer one, or the beginning of a checksum has at least so many characters: those of `tempfile` do."""
_MOST_NUMBERS = 20_000
_MOST_TEXT = 2_000_000


OUTPUT, WORKERS, LOG, METRICS = "output", "output of workers", "log", "metrics"
TEXTS = (OUTPUT, WORKERS, LOG, METRICS)
UNORDERED = (WORKERS, LOG)
"""Parts whose lines are written by several threads or processes, in any order."""


def file_part(path: str) -> str:
    """The name of the part that is a file."""
    return f"file {path}"


def raw(trace: Trace, part: str, warnings: bool = True) -> str:
    """A part as it was written.

    `warnings` says whether Python's warnings are part of the log.
    """
    if part == OUTPUT:
        return trace.stdout
    if part == WORKERS:
        return trace.aside
    if part == METRICS:
        return "\n".join(f"{name}: {value!r}" for name, values in sorted(trace.logged.items()) for value in values)
    log = trace.stderr
    for text in () if warnings else trace.warned:
        log = log.replace(text, "")
    return log if _DIGITS.search(log) else ""


def part_of(trace: Trace, part: str, durations: bool, warnings: bool = True) -> str | None:
    """A part of a trace as text, without what always differs; numbers that look like durations stay if asked for.

    None for a file that is not there or not text.
    """
    if part not in TEXTS:
        content = trace.contents.get(part.partition(" ")[2])
        said = None if content is None else text_of(content)
        if said is not None and part.endswith(".json"):
            said = _BETWEEN_VALUES.sub("\n", said)  # one value a line, as in one that is written with indents
        return None if said is None else _without_profiles(trace, one_space(named(trace, said)))
    text = raw(trace, part, warnings)
    if part == METRICS:
        kept = [line for line in text.splitlines() if durations or not names_duration(line.rpartition(": ")[0])]
        return "\n".join(kept)
    text = _WHEN.sub("", masked(text, not durations))
    text = _without_profiles(trace, one_space(named(trace, text)))
    return _sorted(text) if part in UNORDERED else text


def parts_of(trace: Trace, durations: bool) -> dict[str, str]:
    """Every part of a trace as text. Of a very long one, the beginning."""
    found = {}
    for part in (*TEXTS, *map(file_part, trace.contents)):
        text = part_of(trace, part, durations)
        if text is not None:
            found[part] = text[:_MOST_TEXT]
    return found


def text_of(content: Content) -> str | None:
    """The contents of a file as text; None for an array with very many numbers."""
    if isinstance(content, str):
        return content
    if content.size > _MOST_NUMBERS or content.dtype.kind not in "biufc":
        return None
    return f"shape {'x'.join(map(str, content.shape))}\n" + "\n".join(map(str, np.asarray(content).ravel().tolist()))


def lines_of_profile(text: str) -> set[str]:
    """The lines of a profile as they stand in a part, whatever is masked in it."""
    found = {one_space(masked(text, durations)) for durations in (True, False)}
    return {line.strip() for shown in found for line in shown.splitlines() if line.strip()}


def _without_profiles(trace: Trace, text: str) -> str:
    if not trace.measured:
        return text
    return "\n".join(line for line in text.splitlines() if line.strip() not in trace.measured)


def _sorted(text: str) -> str:
    """The lines, sorted: threads may write them in any order.

    Lines of one kind are sorted by the size of their numbers, so that they keep their order when all numbers double.
    """
    return "\n".join(sorted((line.rstrip() for line in text.splitlines() if line.strip()), key=_by_size))


def _by_size(line: str) -> tuple[str, list[float], str]:
    template, numbers = row_of(line)
    return template, [n.value if math.isfinite(n.value) else -math.inf for n in numbers], line


def named(trace: Trace, text: str) -> str:
    """The text without the names that the system drew for this run, and with folders as another run calls them."""
    for name, other in trace.called.items():
        if any(map(looks_drawn, (*words_of_name(name), *words_of_name(other)))):
            text = text.replace(name, other)
        else:  # elsewhere it may be a result: `best model: forest`
            text = re.sub(rf"(?<=/){re.escape(name)}|{re.escape(name)}(?=/)", other.replace("\\", r"\\"), text)
    if not trace.words and not trace.checksums:
        return text

    def known(found: "re.Match[str]") -> str:
        token = found[0]
        low = token.lower()
        if len(low) >= _KNOWN_INSIDE and not low.isdigit() and _begins_one(low, trace.checksums):
            return "CHECKSUM"
        if any(low in word or token in word for word in trace.words):
            return "ID"
        for word in trace.words:
            if len(word) >= _KNOWN_INSIDE and word in token:  # a prefix that the program gave stands before it
                token = token.replace(word, "ID")
        return token

    return _WORD.sub(known, _HEX.sub(known, text))


def _begins_one(token: str, known: Sequence[str]) -> bool:
    """Whether one of these sorted words begins with the token."""
    place = bisect_left(known, token)
    return place < len(known) and known[place].startswith(token)


def words_of_name(name: str) -> list[str]:
    """The words of a file's name."""
    return _BETWEEN_WORDS.split(name)


def looks_drawn(word: str) -> bool:
    """Whether a word looks drawn by chance: six or more characters with digits among letters, or with capitals among others."""
    mixed = any(map(str.isdigit, word)) and any(map(str.isalpha, word))
    return len(word) >= DRAWN and (mixed or (word[1:] != word[1:].lower() and word != word.upper()))


def without_numbers_of_processes(trace: Trace, text: str) -> str:
    """The text without the numbers of this run's processes and threads."""
    return re.sub(r"(?<![\w.])\d+(?![\w.])", lambda n: "PID" if n[0] in trace.numbers else n[0], text)


def counts_durations(*traces: Trace) -> bool:
    """Whether numbers that look like durations count: not if one of the programs was seen to read a clock."""
    return not any("clock-read" in trace.facts for trace in traces)
