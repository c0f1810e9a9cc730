"""The resumed training held against the uninterrupted one, from the step on from which it went on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...runs.file_contents import Content
from ..compare import Difference, Verdict, compare
from ..lines import Readings, rows_of
from ..trace import Trace
from .checkpoints import Checkpoint
from .first_means import without_first_means

_OF_ONE_CALL = re.compile(r"(['\"]train_loss['\"]: )['\"]?[-+.\de]+['\"]?")
"""What transformers tells at the end of `train()`: the mean loss over the steps of this call, not over those before."""


@dataclass(frozen=True)
class Comparison:
    """Where the resumed training went on, and how it differs from there on.

    `start` is how many steps of the uninterrupted one it has behind it. `exact` says that its parameters were then those
    of this step. `anew`: it began with the parameters with which the uninterrupted one began.
    """

    start: int
    exact: bool
    anew: bool
    difference: Difference
    first_step: int | None
    left: int
    """How many steps were left to do."""
    done: int
    """How many steps it did."""
    older: int | None = None
    """The step whose parameters it began with, where its counters are those of a later one."""
    shows: bool = True
    """Whether anything was there to compare."""
    means: str = ""
    """The first mean after the checkpoint, where it alone differs: it is taken over the steps since."""


@dataclass(frozen=True)
class Left:
    """What the interrupted program had left and printed.

    `files` are the digests of what it had written. `expected` are the files that every uninterrupted run writes, `said` the
    kinds of the lines that every one prints. `same_command`: whether the command that goes on is the one that was interrupted, so that it prints the same lines.
    """

    files: Mapping[str, str]
    printed: str
    expected: frozenset[str]
    said: frozenset[str]
    same_command: bool


def compare_resumed(
    whole: Trace, part: Trace, at: Checkpoint, left: Left, rtol: float, readings: Readings, *, every_word: bool
) -> Comparison:
    """Compare `part`, which went on from checkpoint `at`, with `whole`.

    `every_word` is true where two uninterrupted runs print the same: then all that is printed counts.
    """
    steps = [int(d) for d in whole.steps]
    begun, first = part.resuming.get("start"), whole.resuming.get("start")
    expected = _expected(whole, part, at)
    start, exact, older = expected, False, None
    if begun is not None and 0 < expected <= len(steps) and steps[expected - 1] == begun:
        exact = True
    elif begun is not None and begun in steps and whole.unit == part.unit:
        older = max(k for k, d in enumerate(steps, start=1) if d == begun)
        if part.steps.size != len(steps) - expected:
            start, exact, older = older, True, None
    anew = begun is not None and begun == first and not exact
    start = min(max(start, 0), len(steps))
    a, b = whole.steps[start:], part.steps
    mine, its = _trimmed(whole, part, left.files, at), _trimmed(part, whole, left.files, at)
    difference = compare(mine, its, rtol, readings, warnings=False, every_word=every_word)
    means = ""
    if difference and exact and whole.steps.size and [*whole.steps[start:]] == [*part.steps]:
        mean = without_first_means(mine, its)
        again = compare(mean.whole, its, rtol, readings, warnings=False, every_word=every_word)
        if mean.what and not again:
            difference, means = again, mean.what
    lacking = _lacking(whole, part, at, left)
    if lacking:
        difference = replace(difference, verdict=Verdict.DIFFERENT, what=(*difference.what, *lacking), in_texts=True)
    shows = bool(whole.steps.size or mine.stdout.strip() or mine.logged or mine.files or lacking)
    shorter = min(a.size, b.size)
    unequal = [k for k in range(shorter) if a[k] != b[k]]
    first_step = start + unequal[0] if unequal else (start + shorter if a.size != b.size else None)
    return Comparison(start, exact, anew, difference, first_step, int(a.size), int(b.size), older, shows, means)


def _lacking(whole: Trace, part: Trace, at: Checkpoint, left: Left) -> list[str]:
    """What was left to do and was not done: files that are missing, and lines that were not printed.

    Lines with numbers are only counted, for other numbers may make other words; those without are known by their words, unless each
    run has words of its own there (a drawn name).
    """
    what = []
    missing = sorted(p for p in left.expected - {*part.files} if not _is_checkpoint(p, at))
    if missing:
        what.append(f"no file {', '.join(missing[:3])} was written")
    if not left.same_command:
        return what
    every, before, after = (rows_of(text) for text in (whole.stdout, left.printed, part.stdout))
    counts = [sum(map(len, rows.values())) for rows in (every, before, after)]
    if counts[0] - counts[1] > counts[2]:
        what.append(f"{counts[0] - counts[1]} lines were left to print, and {counts[2]} were printed")
    for words, rows in every.items():
        if (
            "#" not in words
            and words.strip()
            and words in left.said
            and len(rows) - len(before.get(words, ())) > len(after.get(words, ()))
        ):
            what.append(f"it did not print {words.strip()[:60]!r}")
            break
    return what


def _expected(whole: Trace, part: Trace, at: Checkpoint) -> int:
    if whole.unit == "step":
        return at.step
    return int(whole.steps.size - part.steps.size)  # Keras: its steps are batches, its digests are of epochs


def _trimmed(trace: Trace, other: Trace, before: Mapping[str, str], at: Checkpoint) -> Trace:
    """The part of a trace after the resume point, as far as both have it."""
    place = trace.resuming.get("output", -1)
    if place is not None and place >= 0 and other.resuming.get("output", -1) >= 0:
        text = trace.stdout.encode("utf-8", "replace")[place:].decode("utf-8", "replace")
    else:
        text = _common_rows(trace.stdout, other.stdout)
    contents, others = trace.contents, other.contents
    if "transformers" in trace.resuming.get("frameworks", ()):
        text = _OF_ONE_CALL.sub(r"\1~", text)
        contents, others = _without_means_of_one_call(contents), _without_means_of_one_call(others)
    counts = {name: min(len(trace.logged.get(name, ())), len(other.logged.get(name, ()))) for name in trace.logged}
    logged = {name: trace.logged[name][-n:] for name, n in counts.items() if n}
    # files: only those that the resumed program changed, and that both have; a checkpoint's own are compared by step
    names = {
        p for p in {*trace.files} & {*other.files} if not _is_checkpoint(p, at) and _changed(p, trace, other, before)
    }
    return replace(
        trace,
        stdout=text,
        stderr="",
        aside="",
        logged=logged,
        files={p: trace.files[p] for p in names if not _only_repeats(contents.get(p), others.get(p))},
        contents={p: c for p, c in contents.items() if p in names},
        steps=trace.steps[:0],
    )


def _is_checkpoint(path: str, at: Checkpoint) -> bool:
    return any(full.endswith(path) for full in at.paths) or path.endswith(
        (".pt", ".pth", ".ckpt", ".safetensors", ".bin", ".keras", ".h5", ".pkl")
    )


def _changed(path: str, trace: Trace, other: Trace, before: Mapping[str, str]) -> bool:
    """Whether the resumed program wrote the file; which of the two that is does not matter."""
    old = before.get(path)
    return not (old is not None and old in (trace.files.get(path), other.files.get(path)))


def _only_repeats(a: Content | None, b: Content | None) -> bool:
    """Whether a text file has the same lines, only some of them twice: a log that both parts added to."""
    return isinstance(a, str) and isinstance(b, str) and set(a.splitlines()) == set(b.splitlines())


def _without_means_of_one_call(contents: Mapping[str, Content]) -> dict[str, Content]:
    return {p: _OF_ONE_CALL.sub(r"\1~", c) if isinstance(c, str) else c for p, c in contents.items()}


def _common_rows(text: str, other: str) -> str:
    """Of the lines that both have, the last ones: as many of each kind as the shorter one has."""
    mine, theirs = rows_of(text), rows_of(other)
    lines = []
    for template, rows in sorted(mine.items()):
        n = min(len(rows), len(theirs.get(template, ())))
        for row in rows[len(rows) - n :]:
            numbers = iter(row)
            lines.append(re.sub("#", lambda found: one.text if (one := next(numbers, None)) else "#", template))  # noqa: B023
    return "\n".join(lines)


def verdict_on(found: Comparison, whole: Trace, part: Trace, rtol: float) -> Verdict:
    """Identical, equal to rounding, or different."""
    lost = part.resuming.get("lost", ())
    if found.first_step is None and not found.difference and not lost:
        return Verdict.IDENTICAL
    if found.left != found.done or found.difference.verdict is Verdict.DIFFERENT:
        return Verdict.DIFFERENT
    if found.first_step is None:
        return Verdict.DIFFERENT if lost else found.difference.verdict
    near = compare(
        replace(whole, stdout="", stderr="", aside="", logged={}, files={}, contents={}, steps=whole.steps[-1:]),
        replace(part, stdout="", stderr="", aside="", logged={}, files={}, contents={}, steps=part.steps[-1:]),
        rtol,
        files=False,
    )
    if near.verdict is Verdict.IDENTICAL:
        return Verdict.DIFFERENT  # the parameters agree at the end; something else was lost
    return near.verdict
