"""Whether two runs have the same result, and differ only in what they print besides it: names, queues, who was first.

A program that trains or measures has a result apart from its words: its parameters after each step, and the numbers
that Seedwise reads as metrics from what it prints. Where all of these agree, what is left is told, and no verdict.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePath

from ..metrics.goals import looks_like_metric
from ..metrics.stdout import lines_of, read
from .lines import Number, row_of, rows_of
from .parts import LOG, METRICS, OUTPUT, WORKERS
from .trace import Trace

_LOG_FILES = frozenset((".log", ".out", ".err"))
_MOST_TEXT = 4_000_000
_BESIDE = frozenset(("completion", "pool", "threads", "tasks", "started", "workers"))
"""Facts that say that something runs side by side."""
_FINAL = 2
"""What is printed no more often is a result at the end; what is printed more often runs along."""
_IN_NAME = re.compile(r"(?<=[A-Za-z])[-_]\d+(?![\w.])")
_NUMBERED = re.compile(r"(?<![A-Za-z])[0-9a-f]*\d[0-9a-f]*(?![A-Za-z])")
_SIZE = re.compile(r"[kKMGT]?i?(?:B|b|bytes)\Z")

Texts = Mapping[str, tuple[str, str]]


def is_printed(part: str) -> bool:
    """Whether a part of a trace is what the program says, and no result that it keeps."""
    return part in (OUTPUT, WORKERS, LOG) or PurePath(part).suffix in _LOG_FILES


def only_printed(a: Trace, b: Trace, differing: Texts, texts: Texts) -> bool:
    """Whether two runs have a result apart from their words, and it is the same.

    A metric at the end that agrees, or the last line with a decimal number, is enough, together with parameters that agree after every step, or in a program
    whose threads or processes may take turns in any order. Elsewhere no other number may differ that could be a result.

    Parameters
    ----------
    a, b
        Two runs with the same parameters after each step.
    differing
        The parts in which they differ: name → both texts, without readings of the machine.
    texts
        The same of every part that is printed.
    """
    if not all(map(is_printed, differing)) or sum(len(text) for pair in texts.values() for text in pair) > _MOST_TEXT:
        return False
    both = [_metrics("\n".join(pair[k] for part, pair in texts.items() if part != METRICS)) for k in (0, 1)]
    if not (a.steps.size or a.logged or both[0] or _same_end(texts)) or not _same_metrics(*both):
        return False
    has_final = any(len(values) <= _FINAL for values in both[0].values()) or _same_end(texts)
    beside = any(_BESIDE & set(trace.facts) for trace in (a, b))
    return bool(has_final and (a.steps.size or beside)) or all(_same_numbers(*pair) for pair in differing.values())


def same_under_other_names(a: Trace, b: Trace) -> bool:
    """Whether files that only one of the runs has are in the other one under another name."""
    ours, theirs = (
        Counter(digest for path, digest in x.files.items() if path not in y.files) for x, y in ((a, b), (b, a))
    )
    return ours == theirs


def with_paired_names(a: Trace, b: Trace) -> Trace:
    """The second run with files under the names that they have in the first one, where names differ in numbers alone.

    `runs/1128-1619-7f41e0/best.pt`: a folder may be named by the minute.
    """
    only = [_by_template(x.files.keys() - y.files.keys()) for x, y in ((a, b), (b, a))]
    names = {
        theirs[0]: only[0][template][0]
        for template, theirs in only[1].items()
        if len(theirs) == 1 and len(only[0].get(template, ())) == 1
    }
    if not names:
        return b
    return replace(
        b,
        files={names.get(path, path): digest for path, digest in b.files.items()},
        contents={names.get(path, path): content for path, content in b.contents.items()},
    )


def _by_template(paths: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(paths):
        found.setdefault(_NUMBERED.sub("#", path), []).append(path)
    return found


def _same_end(texts: Texts) -> bool:
    """Whether the last lines of the output with a decimal number are the same, and are no lines that run along."""
    ends = []
    for text in texts.get(OUTPUT, ("", "")):
        lines = [line for line in text.splitlines() if any("." in n.text for n in row_of(line)[1])]
        if not lines or len(rows_of(text)[row_of(lines[-1])[0]]) > _FINAL:
            return False
        ends.append(lines[-1])
    return ends[0] == ends[1]


def _metrics(text: str) -> dict[str, list[float]]:
    """The numbers whose names say that they measure success: name → values, in order."""
    found: dict[str, list[float]] = {}
    for printed in read(lines_of(text)):
        for name, values in printed.values.items():
            if looks_like_metric(name):
                found.setdefault(name, []).extend(values)
    return found


def _same_metrics(a: Mapping[str, list[float]], b: Mapping[str, list[float]]) -> bool:
    """Whether the metrics agree. Those that run along may come in another order, as workers end."""
    if a.keys() != b.keys():
        return False
    pairs = [(values, b[name]) for name, values in a.items()]
    return all(
        repr(x if len(x) <= _FINAL else sorted(x)) == repr(y if len(y) <= _FINAL else sorted(y)) for x, y in pairs
    )


def _same_numbers(a: str, b: str) -> bool:
    """Whether two texts hold the same numbers, in any order, apart from whole ones that are no result.

    A whole number is none in a line that is printed again and again (how full a queue is), as a size in bytes, or in a
    name.
    """
    return _results(a) == _results(b)


def _results(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for rows in rows_of(_IN_NAME.sub("", text)).values():
        for row in rows:
            found.update(n.text for n in row if _is_result(n, running=len(rows) > _FINAL))
    return found


def _is_result(n: Number, *, running: bool) -> bool:
    is_whole = n.text.lstrip("+-").replace(",", "").isdigit()
    return not (_SIZE.search(n.text) or (is_whole and running))
