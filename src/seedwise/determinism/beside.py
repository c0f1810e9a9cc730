"""Whether two runs have the same result, and all that differs stands beside it: logs, timings, who was first.

The result of a run is what it trained and measured: its parameters after each step, the metrics at its end, what it logged,
and the numbers that it keeps in files. Words, counts and dates beside these may differ from run to run in a sound program.
"""

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from .kept_numbers import are_moments, near_numbers, same_numbers
from .parts import METRICS, OUTPUT
from .printed import Texts, differ_in_digests, is_printed, only_printed, said_in
from .trace import Trace

_GROUP = re.compile(r"(?P<opens>[\[({])(?P<inside>[^\[\](){}]*)[\])}]")
_NUMBER_ALONE = re.compile(r"[-+\d.eE]+")
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
        Whether what is printed and logged is the same as for `result`, whatever stands in files.
    numbers
        Whether the numbers in files are the same up to rounding, whatever words stand beside them.
    log
        Whether the result is the same, if it is not known why something differs: then what is printed must be the same as for `only_printed`. In
        files, lines that say when they were written do not count; all others must be the same.
    permuted
        Whether every part that differs holds the same in both runs, and only elements within brackets, words of a line without
        numbers, or printed lines stand in another order. Which value belongs to which key is no matter of order, nor are numbers in a list.
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
        result=report and reads_all and all(same_numbers(*pair) or are_moments(*pair, is_trained) for pair in counted),
        report=report,
        numbers=reads_all and all(near_numbers(*pair) for pair in counted),
        log=reads_all and METRICS not in differing and _same_log(a, b, differing, texts, kept),
        permuted=all(_are_permuted(part, *pair) for part, pair in differing.items()),
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


def _are_permuted(part: str, x: str, y: str) -> bool:
    mine, its = _in_one_order(x), _in_one_order(y)
    return Counter(mine) == Counter(its) if is_printed(part) else mine == its


def _in_one_order(text: str) -> list[str]:
    """The lines, with elements within brackets sorted, from the innermost ones on, and words of lines without numbers."""
    found = 1
    while found:
        text, found = _GROUP.subn(_sorted_elements, text)
    return [line if any(map(str.isdigit, line)) else " ".join(sorted(line.split())) for line in text.splitlines()]


def _sorted_elements(found: "re.Match[str]") -> str:
    elements = [" ".join(element.split()) for element in found["inside"].split(",")]
    if found["opens"] == "{" or not any(map(_NUMBER_ALONE.fullmatch, elements)):
        elements.sort()
    return f"‹{found['opens'] == '{'} {'; '.join(elements)}›"


def _are_same(x: Mapping[str, list[float]], y: Mapping[str, list[float]]) -> bool:
    return repr(sorted(x.items())) == repr(sorted(y.items()))


def _without_timed_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not _TIMED.search(line)]
