"""Whether two runs have the same result, and differ only in what they print besides it: names, queues, who was first.

A program that trains or measures has a result apart from its words: its parameters after each step, and the numbers
that it prints at its end. Where these agree, what is printed on the way is told in a note, and is no verdict.
"""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import isfinite
from os.path import splitext
from pathlib import PurePath

from ..metrics.goals import DURATIONS, METRIC_WORDS, TELLING, looks_like_metric, words
from ..metrics.stdout import lines_of, read
from .lines import Number, row_of
from .parts import (
    DRAWN,
    LOG,
    OUTPUT,
    UNORDERED,
    WORKERS,
    looks_drawn,
    named,
    without_numbers_of_processes,
    words_of_name,
)
from .trace import Trace

_LOG_FILES = frozenset((".log", ".out", ".err"))
_MOST_TEXT = 400_000
_BESIDE = frozenset(("completion", "pool", "threads", "tasks", "started", "workers"))
"""Facts that say that something runs side by side."""
_FINAL = 2
"""What is printed no more often is a result at the end; what is printed more often runs along."""
_IN_NAME = re.compile(r"(?<=[A-Za-z])[-_]\d+(?![\w.])")
_NUMBERED = re.compile(r"(?<![A-Za-z0-9.])[0-9a-f]*\d[0-9a-f]*(?![A-Za-z0-9]|\.\d)")
_AT_STEP = re.compile(
    r"(?i)(?P<before>(?:[^.]|\.(?!\d))*?)\b(?:global_?)?(?:step|epoch|ep|iter(?:ation)?|it|batch|update|episode|generation|gen|sweep)s?[\s:=#/\[(]*\d+(?!\.?\d)"
)
"""The beginning of a line up to its step: what a logger writes first, and no number with decimals."""
_DIGEST = re.compile(r"(?i)(?<![0-9a-z])[0-9a-f]{32,}(?![0-9a-z])")
_HEXADECIMAL = re.compile(r"(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}")
_WHOLE = re.compile(r"(?<![A-Za-z0-9.])\d+(?![A-Za-z0-9]|\.\d)")
_DECIMAL = re.compile(r"\d\.\d")
_WITH_DECIMALS = re.compile(r"\d+\.\d+")
_TIMES = DURATIONS | {"latency", "latencies", "timings"}
_STATISTICS = DURATIONS | frozenset("s us ns median mean avg average min max std sd p50 p75 p90 p95 p99 n".split())
_SIZE = re.compile(r"[kKMGT]?i?(?:B|b|bytes)\Z")

Texts = Mapping[str, tuple[str, str]]


def is_printed(part: str) -> bool:
    """Whether a part of a trace is what the program says, and no result that it keeps."""
    return part in (OUTPUT, WORKERS, LOG) or PurePath(part).suffix in _LOG_FILES


def only_printed(a: Trace, b: Trace, differing: Texts, texts: Texts, *, every_word: bool = True) -> bool:
    """Whether two runs have a result apart from what they print on the way, and it is the same.

    The end of the output must agree, from the last metric on that is printed once or twice. Without such a metric: from
    the last lines on with a decimal number, as many as follow each other and are printed once or twice. What comes before
    does not count if parameters agree after every step, or if threads or processes may take turns in any order. Digests must
    agree, but where parameters do.
    Elsewhere each line with a number that may be a result must have its like in the other run.

    Parameters
    ----------
    a, b
        Two runs with the same parameters after each step.
    differing
        The parts in which they differ: name → both texts, without readings of the machine.
    texts
        The same of every part that is printed.
    every_word
        Whether a line with a number that may be a result counts as a whole, or this number alone.
    """
    beside = any(_BESIDE & set(trace.facts) for trace in (a, b))
    if not all(map(is_printed, differing)) or sum(len(text) for pair in texts.values() for text in pair) > _MOST_TEXT:
        return False
    x, y = (said_in(text) for text in texts[OUTPUT])
    if differ_in_digests(texts) and not a.steps.size:
        return False
    if not x.same_metrics(y) or not all(_same_values(*pair) for part, pair in texts.items() if part in UNORDERED):
        return False
    output = texts[OUTPUT]
    has_end = (x.end is not None and x.end == y.end) or (output[0] == output[1] and bool(_DECIMAL.search(output[0])))
    if (x.end is not None or y.end is not None) and not has_end:
        return False
    if has_end and (a.steps.size or beside):
        return True
    said = [(said_in(p), said_in(q)) for p, q in differing.values()]
    return bool(has_end or a.steps.size or a.logged) and all(
        p.counted == q.counted if every_word else p.results == q.results for p, q in said
    )


def differ_in_digests(texts: Texts) -> bool:
    """Whether digests that are printed differ: a program may print one of its weights."""
    return any(Counter(_DIGEST.findall(x)) != Counter(_DIGEST.findall(y)) for x, y in texts.values())


@dataclass(frozen=True)
class Said:
    """What a text says.

    `metrics`: name → values. `single`: those that mean nothing else and come once or twice. `ends`: the same of the lines that begin
    with no step.
    `steps`: values of the others, by the kind of their line, its first whole number (a step, an epoch)
    and their name; `along`: names that come at a step.
    `end`: the lines from the last result on; None if there is none. `counted`: the lines with numbers that may be results.
    `results`: the kind of each such line, and these numbers alone.
    """

    metrics: Mapping[str, list[float]]
    single: Mapping[str, list[float]]
    ends: Mapping[str, list[float]]
    steps: Mapping[tuple[str, str, str], list[float]]
    end: tuple[str, ...] | None
    counted: Counter[str]
    results: Counter[tuple[str, ...]]
    along: frozenset[str]

    @property
    def has_single(self) -> bool:
        """Whether a metric that comes once or twice has decimals."""
        return any(not value.is_integer() for values in self.single.values() for value in values)

    def agrees_at_steps(self, other: "Said") -> bool:
        """Whether metrics that are printed on the way agree, wherever both print them at the same step."""
        return all(repr(values) == repr(other.steps.get(key, values)) for key, values in self.steps.items())

    def same_metrics(self, other: "Said", but: Container[str] = ()) -> bool:
        """Whether the metrics agree, `but` some. Those that run along may come in another order, as workers end."""
        if {name for name in self.metrics.keys() ^ other.metrics.keys() if name not in but}:
            return False
        pairs = [(values, other.metrics[name]) for name, values in self.metrics.items() if name not in but]
        return all(
            repr(p if len(p) <= _FINAL else sorted(p)) == repr(q if len(q) <= _FINAL else sorted(q)) for p, q in pairs
        )


@lru_cache(maxsize=64)
def said_in(text: str) -> Said:
    """What a text says."""
    lines = [line for line in text.splitlines() if not _is_about_time(line)]
    by_line = [_metrics(line) for line in lines]
    metrics: dict[str, list[float]] = {}
    for found in by_line:
        for name, values in found.items():
            metrics.setdefault(name, []).extend(values)
    rows = [row_of(_IN_NAME.sub("", line)) for line in lines]
    often = Counter(template for template, _ in rows)
    at_step = [_begins_with_step(line) for line in lines]
    is_single = [often[template] <= _FINAL and any("." in n.text for n in numbers) for template, numbers in rows]
    final = _final(by_line)
    along = {name for found, step in zip(by_line, at_step, strict=True) if step for name in found}
    with_metric = [k for k, found in enumerate(by_line) if final & found.keys()]
    last = (with_metric or [k for k, one in enumerate(is_single) if one] or [-1])[-1]
    while not with_metric and last > 0 and is_single[last - 1]:
        last -= 1
    results = [
        (template, *(n.text for n in numbers if _is_result(n, running=often[template] > _FINAL)))
        for template, numbers in rows
    ]
    counted = Counter(line for line, one in zip(lines, results, strict=True) if len(one) > 1)
    return Said(
        metrics,
        final,
        _final(found for found, step in zip(by_line, at_step, strict=True) if not step),
        _by_step(rows, by_line, [() if step else final for step in at_step]),
        tuple(lines[last:]) if last >= 0 else None,
        counted,
        Counter(one for one in results if len(one) > 1),
        frozenset(along),
    )


def _begins_with_step(line: str) -> bool:
    """Whether a line says first at which step it is: `INFO epoch 3: loss 0.25`, and not `accuracy after epoch 3: 0.9`."""
    found = _AT_STEP.match(line)
    return found is not None and not any(map(looks_like_metric, words(found["before"])))


def _final(by_line: Iterable[Mapping[str, list[float]]]) -> dict[str, list[float]]:
    """The metrics in these lines that come once or twice."""
    found: dict[str, list[float]] = {}
    for metrics in by_line:
        for name, values in metrics.items():
            found.setdefault(name, []).extend(values)
    return {name: v for name, v in found.items() if len(v) <= _FINAL and TELLING & set(words(name))}


def _by_step(
    rows: Sequence[tuple[str, Sequence[Number]]],
    by_line: Sequence[Mapping[str, list[float]]],
    single: Sequence[Container[str]],
) -> dict[tuple[str, str, str], list[float]]:
    found: dict[tuple[str, str, str], list[float]] = {}
    for (template, numbers), metrics, ends in zip(rows, by_line, single, strict=True):
        step = next((n.text for n in numbers if _is_whole(n)), "")
        for name, values in metrics.items():
            if name not in ends:
                found.setdefault((template, step, name), []).extend(values)
    return found


def says_metrics(trace: Trace) -> bool:
    """Whether a run prints or logs numbers whose names say that they measure success, with decimals."""
    found = [trace.logged, *(_metrics(text) for text in (trace.stdout, trace.stderr))]
    return any(value != int(value) for one in found for values in one.values() for value in values if isfinite(value))


def result_in_words(trace: Trace, *, files: bool = True) -> str:
    """What is taken for the result of a run: `accuracy, parameters after 120 steps`. `files` says whether files count."""
    said = [said_in(text) for text in (trace.stdout, trace.stderr)]
    names = sorted({name for one in said for name in one.single or one.metrics}) + sorted(trace.logged)
    steps = [f"parameters after {trace.steps.size} {trace.unit}s"] * bool(trace.steps.size)
    return ", ".join([*names[:4], *(["…"] * (len(names) > 4)), *steps, *(["numbers in files"] * files)])


def same_under_other_names(a: Trace, b: Trace) -> bool:
    """Whether files that only one of the runs has are in the other one under another name."""
    ours, theirs = (
        Counter(digest for path, digest in x.files.items() if path not in y.files) for x, y in ((a, b), (b, a))
    )
    said = any(_DECIMAL.search(path) for path in a.files.keys() ^ b.files.keys())  # model_loss=0.53.pt
    return ours == theirs and not said


def with_paired_names(a: Trace, b: Trace) -> Trace:
    """The second run with files under the names that they have in the first one, where a name was made for the run.

    These are names that differ in numbers alone (`runs/1128-1619-7f41e0/best.pt`: a folder named by the minute), files
    below one folder of another name (`runs/brisk-otter/best.pt`), and the one file of its kind in a folder whose name looks drawn
    (`paths_XWPImIO6.h5`), where other words may have been drawn too if the text in it is the same but for the name (`amber-6edfdd.json`).
    """
    ours, theirs = sorted(a.files.keys() - b.files.keys()), sorted(b.files.keys() - a.files.keys())
    names = _pairs(ours, theirs, lambda path: [_NUMBERED.sub("#", path)])
    rest = [p for p in ours if p not in names.values()], [p for p in theirs if p not in names]
    names |= _pairs(*rest, _without_one_folder)
    rest = [p for p in ours if p not in names.values()], [p for p in theirs if p not in names]
    names |= _pairs(*rest, _of_one_kind)
    rest = [p for p in ours if p not in names.values()], [p for p in theirs if p not in names]
    alike = {q: p for q, p in _pairs(*rest, _with_drawn_part).items() if _same_but_for_names(a, p, b, q)}
    if not names and not alike:
        return b
    told = {
        theirs for theirs, ours in names.items() if _without_own_numbers(a, ours) != _without_own_numbers(b, theirs)
    }
    names |= alike
    return replace(
        b,
        renamed=b.renamed | told,
        called={**b.called, **_other_words(names, a)},
        files={names.get(path, path): digest for path, digest in b.files.items()},
        contents={names.get(path, path): content for path, content in b.contents.items()},
    )


def _other_words(names: Mapping[str, str], a: Trace) -> dict[str, str]:
    """Their name of a folder, or of a file without its ending → ours, where words differ, for what is printed; not for short ones.

    Ours as the text of the first run shows it, without what the system drew for it.

    A number in a name may be a result: `checkpoint-120` is the best one.
    """
    pairs = (
        (x, y)
        for theirs, ours in names.items()
        for x, y in zip(splitext(theirs)[0].split("/"), splitext(ours)[0].split("/"), strict=False)
        if _WHOLE.sub("#", x) != _WHOLE.sub("#", y)
    )
    return {x: named(a, y) for x, y in pairs if len(x) >= DRAWN}


def _without_own_numbers(trace: Trace, path: str) -> str:
    """A path without the numbers of this run's processes, and the names that were drawn for it."""
    return _NUMBERED.sub(
        lambda n: (
            "ID" if n[0] in trace.numbers or (len(n[0]) >= DRAWN and any(n[0] in w for w in trace.words)) else n[0]
        ),
        path,
    )


def _pairs(ours: Sequence[str], theirs: Sequence[str], keys: Callable[[str], Iterable[object]]) -> dict[str, str]:
    """Their path → our path, where one path of each run alone has a key."""
    known: tuple[dict[object, list[str]], ...] = ({}, {})
    for found, paths in zip(known, (ours, theirs), strict=True):
        for path in paths:
            for key in keys(path):
                found.setdefault(key, []).append(path)
    wanted: dict[str, set[str]] = {}
    for key, paths in known[1].items():
        if len(paths) == 1 == len(known[0].get(key, ())):
            wanted.setdefault(paths[0], set()).add(known[0][key][0])
    taken = Counter(path for paths in wanted.values() for path in paths)
    return {path: one for path, (one, *more) in wanted.items() if not more and taken[one] == 1}


def _without_one_folder(path: str) -> Iterable[object]:
    """The path with a gap for each of its folders: a name may have been drawn for it. Not where the name says a number."""
    *folders, name = path.split("/")
    for k, folder in enumerate(folders):
        if folder and not _DECIMAL.search(folder):
            yield k, *folders[:k], *folders[k + 1 :], name


def _of_one_kind(path: str) -> Iterable[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    """Folder, ending, the words of the name that look as if nobody had drawn them, and its numbers with decimals.

    Nothing, if no word looks drawn: such files are others.
    """
    folder, _, name = path.rpartition("/")
    stem, suffix = splitext(name)
    known = tuple("ID" if looks_drawn(part) else part for part in words_of_name(_WITH_DECIMALS.sub("", stem)))
    if "ID" in known:
        yield folder, suffix, known, tuple(_WITH_DECIMALS.findall(stem))


def _with_drawn_part(path: str) -> Iterable[object]:
    """Folder and ending, if a part of the name is a drawn number in hexadecimal: no word is one, and no `depth10`."""
    folder, _, name = path.rpartition("/")
    stem, suffix = splitext(name)
    if any(map(_HEXADECIMAL.fullmatch, words_of_name(stem))):
        yield folder, suffix


def _same_but_for_names(a: Trace, ours: str, b: Trace, theirs: str) -> bool:
    """Whether two files hold the same text with a number that may be a result, if each may say its own name."""
    x, y = a.contents.get(ours), b.contents.get(theirs)
    if not isinstance(x, str) or not isinstance(y, str) or not _DECIMAL.search(x):
        return False
    own, other = (splitext(path.rpartition("/")[2])[0] for path in (ours, theirs))
    return without_numbers_of_processes(a, x) == without_numbers_of_processes(b, y.replace(other, own))


def _metrics(text: str) -> dict[str, list[float]]:
    """The numbers whose names say that they measure success: name → values, in order."""
    found: dict[str, list[float]] = {}
    for printed in read(lines_of(text)):
        for name, values in printed.values.items():
            if looks_like_metric(name):
                found.setdefault(name, []).extend(values)
    return found


def _is_about_time(line: str) -> bool:
    """Whether a line is named as a duration, and tells nothing but statistics of it: `latency ms: median 13.5 p90 26.2`."""
    label, colon, rest = line.partition(":")
    said = set(words(label))
    if not colon or not said & _TIMES or said & METRIC_WORDS - _TIMES:
        return False
    return all(word in _STATISTICS or word.isdigit() for word in words(rest))


def _same_values(text: str, other: str) -> bool:
    """Whether two texts without an order hold the same metrics."""
    x, y = (said_in(one).metrics for one in (text, other))
    return {name: sorted(map(repr, v)) for name, v in x.items()} == {
        name: sorted(map(repr, v)) for name, v in y.items()
    }


def _is_whole(n: Number) -> bool:
    return n.text.lstrip("+-").replace(",", "").isdigit()


def _is_result(n: Number, *, running: bool) -> bool:
    return not (_SIZE.search(n.text) or (_is_whole(n) and running))
