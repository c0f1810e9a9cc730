"""The first mean that is printed after a checkpoint: trainers take it over the steps since they were started.

`Trainer` of transformers, for one, prints the mean loss of each ten steps and does not save its sum. Where the checkpoint lies
between two such lines, the first one after it differs, though the training is the same; all later ones agree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...metrics.goals import words
from ...runs.file_contents import Content
from ..lines import Row, rows_of
from ..trace import Trace

_NUMBER = re.compile(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?")
_NO_MEAN = frozenset("best min max lowest highest lr rate count patience wait epoch step seen total".split())
_MOST = 20
"""So many first numbers may differ at most."""


@dataclass(frozen=True)
class FirstMeans:
    """The uninterrupted run with the first means of the resumed one, and in words what was changed; "" if nothing was."""

    whole: Trace
    what: str


def without_first_means(whole: Trace, part: Trace) -> FirstMeans:
    """Give the uninterrupted run the first means of the resumed one, where all later numbers of their kind are the same.

    Both are trimmed to what comes after the checkpoint. Files may repeat such a mean with more digits.
    """
    changed: dict[str, str] = {}
    mine, its = rows_of(whole.stdout), rows_of(part.stdout)
    text = whole.stdout
    what = ""
    for template, rows in mine.items():
        for ours, theirs in _first_that_differ(template, rows, its.get(template, [])):
            changed[ours] = theirs
            what = what or f"{template.replace('#', '~')[:60]}: {ours} and {theirs}"
    logged = dict(whole.logged)
    for name, values in whole.logged.items():
        others = part.logged.get(name, ())
        is_first = (
            len(values) > 1 and len(values) == len(others) and values[0] != others[0] and values[1:] == others[1:]
        )
        if is_first and _may_be_mean(name):
            logged[name] = (others[0], *values[1:])
            changed[repr(values[0])] = repr(others[0])
            what = what or f"{name}: {values[0]:g} and {others[0]:g}"
    if not changed or len(changed) > _MOST:
        return FirstMeans(whole, "")
    contents = {
        path: _with_means(content, part.contents.get(path), changed) for path, content in whole.contents.items()
    }
    same = {
        path for path, content in contents.items() if isinstance(content, str) and content == part.contents.get(path)
    }
    files = {path: part.files[path] if path in same and path in part.files else d for path, d in whole.files.items()}
    return FirstMeans(
        replace(whole, stdout=_replaced(text, changed), logged=logged, contents=contents, files=files), what
    )


def _first_that_differ(template: str, rows: list[Row], others: list[Row]) -> list[tuple[str, str]]:
    """The numbers of the first line of a kind that differ, if the later lines are the same and all of them can be means."""
    if len(rows) < 2 or len(rows) != len(others) or [*map(_texts, rows[1:])] != [*map(_texts, others[1:])]:
        return []
    differing = [k for k, (a, b) in enumerate(zip(rows[0], others[0], strict=False)) if a.text != b.text]
    names = template.split("#")
    if any("." not in rows[0][k].text or not _may_be_mean(names[k]) for k in differing):
        return []
    return [(rows[0][k].text, others[0][k].text) for k in differing]


def _may_be_mean(name: str) -> bool:
    """Whether what stands before a number may name a mean over steps: no extreme, rate or count."""
    return not _NO_MEAN & set(words(name)[-2:])


def _texts(row: Row) -> list[str]:
    return [number.text for number in row]


def _replaced(text: str, changed: Mapping[str, str]) -> str:
    return _NUMBER.sub(lambda found: changed.get(found[0], found[0]), text)


def _with_means(content: Content, other: Content | None, changed: Mapping[str, str]) -> Content:
    """A file with those numbers replaced that are first means with more digits."""
    if not isinstance(content, str) or not isinstance(other, str):
        return content
    mine, its = _NUMBER.findall(content), _NUMBER.findall(other)
    if len(mine) != len(its):
        return content
    others = iter(its)

    def replaced(found: "re.Match[str]") -> str:
        theirs = next(others)
        return (
            theirs if any(_rounds_to(found[0], a) and _rounds_to(theirs, b) for a, b in changed.items()) else found[0]
        )

    return _NUMBER.sub(replaced, content)


def _rounds_to(number: str, short: str) -> bool:
    """Whether a number with all its digits is the one that was printed with fewer."""
    digits = len(short.partition(".")[2].partition("e")[0])
    return abs(float(number) - float(short)) <= 0.5001 * 10.0**-digits
