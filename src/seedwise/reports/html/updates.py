"""What a live page has to be told so that it shows the next state: only what changed.

A state is what JSON can hold. A change is a list of its place (keys, from the outside) and what to do there:

    [place, "set", value]               the value there is another one, or new
    [place, "drop"]                     it is gone
    [place, "cut", from, gone, values]  of the list there, `gone` values from `from` on become these values
    [place, "at", numbers, values]      single values of the list there, by their numbers
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..formats import plain
from .content import Page
from .writing import data_of, pieces_of

Change = list[Any]


def state_of(page: Page) -> dict[str, Any]:
    """Everything on a live page that can change: what its script knows, and its pieces of HTML."""
    state: dict[str, Any] = plain({"data": data_of(page), "pieces": pieces_of(page)})
    return state


def is_built_alike(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two states have their places in common, so that changes lead from one to the other."""
    return bool(a["pieces"].keys() == b["pieces"].keys() and a["data"]["figures"].keys() == b["data"]["figures"].keys())


def changes(before: Any, after: Any) -> list[Change]:
    """What leads from one state to another."""
    return list(_changes(before, after, []))


def _changes(a: Any, b: Any, place: list[str | int]) -> Iterator[Change]:
    if isinstance(a, dict) and isinstance(b, dict):
        yield from ([[*place, key], "drop"] for key in a if key not in b)
        for key, value in b.items():
            if key in a:
                yield from _changes(a[key], value, [*place, key])
            else:
                yield [[*place, key], "set", value]
    elif isinstance(a, list) and isinstance(b, list):
        yield from _of_lists(a, b, place)
    elif not _same(a, b):
        yield [place, "set", b]


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _of_lists(a: list[Any], b: list[Any], place: list[str | int]) -> Iterator[Change]:
    """A column that grew is told what is new; one of which few values changed, which ones; else all of the middle is new."""
    if len(a) == len(b) and any(isinstance(value, dict | list) for value in b):
        for k, (old, new) in enumerate(zip(a, b, strict=True)):
            yield from _changes(old, new, [*place, k])
        return
    start = _alike(a, b)
    if start == len(a) == len(b):
        return
    end = min(_alike(a[::-1], b[::-1]), min(len(a), len(b)) - start)
    middle = b[start : len(b) - end]
    if len(a) == len(b):
        other = [k for k in range(start, len(b) - end) if not _same(a[k], b[k])]
        if 2 * len(other) < len(middle):
            yield [place, "at", other, [b[k] for k in other]]
            return
    yield [place, "cut", start, len(a) - end - start, middle]


def _alike(a: Sequence[Any], b: Sequence[Any]) -> int:
    """How many values are the same from the beginning."""
    for k, (old, new) in enumerate(zip(a, b, strict=False)):
        if not _same(old, new):
            return k
    return min(len(a), len(b))


def applied(state: Any, told: Sequence[Change]) -> Any:
    """The state after changes, which are made in place: what the script of the page does too."""
    for place, what, *rest in told:
        *way, last = place
        of = state
        for key in way:
            of = of[key]
        if what == "set":
            of[last] = rest[0]
        elif what == "drop":
            del of[last]
        elif what == "cut":
            of[last][rest[0] : rest[0] + rest[1]] = rest[2]
        else:
            for k, value in zip(*rest, strict=True):
                of[last][k] = value
    return state
