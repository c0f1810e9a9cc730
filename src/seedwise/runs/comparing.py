"""A seed that is run both ways: is what a forked run did what a fresh one did?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..determinism.masks import masked, names_duration
from .attempt import Told
from .written import contents_of, digest_of

_MOST = 64 * 2**20
"""Of longer output the bytes alone are compared."""


@dataclass(frozen=True)
class Observed:
    """What a run did: its folder holds output and files; `status` is the exit status."""

    folder: Path
    status: int
    told: Told


def difference(one: Observed, other: Observed) -> str:
    """What differs first between two runs under one seed, in words; "" where nothing does.

    Compared are the exit status, standard output and standard error, logged metrics, arrays, files, and where each random
    generator stands at the end; dates, addresses, process numbers and durations are left out, as by `seedwise check`.
    """
    if other.told.not_forked:
        return other.told.not_forked
    if one.status != other.status:
        return f"one ended with status {one.status}, the other with {other.status}"
    for name in ("stdout", "stderr"):
        found = _text(one.folder / name, other.folder / name, f"standard {'output' if name == 'stdout' else 'error'}")
        if found:
            return found
    logged = [_logged(observed.told) for observed in (one, other)]
    names = [name for name in {**logged[0], **logged[1]} if logged[0].get(name) != logged[1].get(name)]
    if names:
        return f"the metric {names[0]}"
    for part in ("files", "arrays"):
        files = [_files(observed.folder / part) for observed in (one, other)]
        names = sorted(name for name in {*files[0], *files[1]} if files[0].get(name) != files[1].get(name))
        if names:
            return f"the file {names[0]}"
    ends = one.told.ends, other.told.ends
    for name in ends[0]:
        if ends[1].get(name, ends[0][name]) != ends[0][name]:
            return f"where the random generator of {name} stands at the end"
    return ""


def _text(one: Path, other: Path, name: str) -> str:
    a, b = one.read_bytes(), other.read_bytes()
    if a == b:
        return ""
    if max(len(a), len(b)) > _MOST:
        return name
    x, y = (masked(data.decode("utf-8", "backslashreplace")) for data in (a, b))
    if x == y:
        return ""
    lines = zip([*x.splitlines(), "(nothing)"], [*y.splitlines(), "(nothing)"], strict=False)
    for k, (left, right) in enumerate(lines, start=1):
        if left != right:
            return f"{name}, line {k}: {left.strip()[:60]!r} and {right.strip()[:60]!r}"
    return name


def _logged(told: Told) -> Mapping[str, str]:
    return {name: repr(series) for name, series in told.logged.items() if not names_duration(name)}


def _files(folder: Path) -> dict[str, str]:
    """A digest of each file below a folder, by its path."""
    found: dict[str, Any] = {}
    for shown, content in contents_of(folder):
        found[shown] = digest_of(content)
    return found
