"""Whether two runs have the same result, and all that differs stands beside it: logs, timings, who was first.

The result of a run is what it trained and measured: its parameters after each step, the metrics at its end, what it logged,
and the numbers that it keeps in files. Words, counts and dates beside these may differ from run to run in a sound program.
"""

import re
from collections import Counter

from ..runs.masks import names_duration
from ..runs.written_files import OF_BYTES
from .parts import METRICS, OUTPUT
from .printed import Said, Texts, is_printed, only_printed, said_in
from .trace import Trace

_NAMED_NUMBER = re.compile(r"""['"]?(\w+)['"]?\s*[:=]\s*['"]?[-+]?\d*\.\d+(?:[eE][-+]?\d+)?""")
_DECIMAL = re.compile(r"(?<![\w.])[-+]?(?:\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|nan|inf)(?!\w|\.\d)")
_BYTES = re.compile(rf"{OF_BYTES} [0-9a-f]{{64}}|\b(?:SHORT_)?(?:BINBYTES8?|BINSTRING|BYTEARRAY8) ")
_UNNAMED = re.compile(r"[\s\[\],]*(?:[A-Z][A-Z0-9_]* )?[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[\s\[\],]*\Z")
"""A line that holds one number and no name: an element of a list or of an array, also in what a pickle says."""
_FIRST = re.compile(r"[^,;\t:=| ]*")
_TIMED = re.compile(r"\b(?:DATE|TIME|EPOCH)\b")


def same_result(a: Trace, b: Trace, differing: Texts, texts: Texts, *, keeps: bool = False) -> bool:
    """Whether two runs have the same result, if what else differs is known to come from clocks and the machine.

    The metrics that are printed once or twice must agree, and others wherever both runs print them at the same step; without
    such metrics, all metrics and the end of the output. In files that differ, every number with decimals must have its like
    in its row, lists of numbers must be the same, and every part that is no text.

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
    """
    if METRICS in differing or not all(
        _same_numbers(*pair) for part, pair in differing.items() if not is_printed(part)
    ):
        return False
    said = [(said_in(x), said_in(y)) for x, y in texts.values()]
    if any(x.final or y.final for x, y in said):
        return all(_same_final(x, y) and x.agrees_at_steps(y) for x, y in said)
    x, y = (said_in(text) for text in texts[OUTPUT])
    has_end = x.end is not None and x.end == y.end
    return (has_end or keeps or bool(a.steps.size)) and all(p.same_metrics(q) for p, q in said)


def only_logged(a: Trace, b: Trace, differing: Texts, texts: Texts) -> bool:
    """As `same_result`, if it is not known why they differ.

    What is printed must be the same as for `only_printed`. In files, lines that say when they were written do not count; all
    others must be the same.
    """
    printed = {part: pair for part, pair in differing.items() if is_printed(part)}
    kept = [pair for part, pair in differing.items() if not is_printed(part)]
    return (
        METRICS not in differing
        and all(_without_timed_lines(x) == _without_timed_lines(y) for x, y in kept)
        and only_printed(a, b, printed, texts, every_word=False)
    )


def _same_final(x: Said, y: Said) -> bool:
    return x.single == y.single and all(repr(x.metrics[name]) == repr(y.metrics[name]) for name in x.single)


def _same_numbers(x: str, y: str) -> bool:
    return _numbers(x) == _numbers(y)


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
