"""Compares a forked run with a fresh run under the same seed: output, files, metrics, exit status and generators."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..experiments.draws import chains_differ, merged_draws
from ..metrics import choose as metrics
from ..sandbox.worlds import Worlds
from .attempt import Told
from .file_contents import digest_of
from .masks import masked, names_duration
from .written_files import contents_of

_MOST = 64 * 2**20
"""Bytes. Of longer output only the bytes are compared."""


_OUR_FRAMES = re.compile(
    r'^  File "(?:<frozen importlib[^"\n]*>|[^"\n]*[/\\]seedwise_guest[/\\][^"\n]*|[^"\n]*[/\\]importlib[/\\]__init__\.py)", line \d+, in .*\n'
    r"(?:    .*\n)*",
    re.MULTILINE,
)
"""Frames of a traceback that are Seedwise's own, or the import system's: how it gets to the user's code differs."""


@dataclass(frozen=True)
class Observed:
    """What a run did. `folder` holds its output and files; `status` is its exit status."""

    folder: Path
    status: int
    told: Told


def difference(one: Observed, other: Observed, worlds: Worlds | None = None) -> str:
    """The first difference between two runs under one seed, in words; "" if there is none. `one` is a fresh run.

    These things are compared: exit status, standard output, standard error, logged metrics, arrays, files, the state
    of each random generator at the end, and what each source of randomness drew. Dates, addresses, process numbers and durations are left out, as in
    `seedwise check`. Files that the runs share (of `worlds`) are left out too, because a run that is thrown away does
    not write to them.
    """
    if other.told.not_forked:
        return other.told.not_forked
    if one.status != other.status:
        return f"it ended with status {other.status}, the fresh one with {one.status}"
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
        shared = () if worlds is None else tuple(os.path.relpath(path, worlds.project) for path in worlds.share)
        names = sorted(name for name in {*files[0], *files[1]} if files[0].get(name) != files[1].get(name))
        names = [name for name in names if not any(f"{name}/".startswith(f"{path}/") for path in shared)]
        if names:
            return f"the file {names[0]}"
    ends = one.told.ends, other.told.ends
    for name in ends[0]:
        if ends[1].get(name, ends[0][name]) != ends[0][name]:
            return f"where the random generator of {name} stands at the end"
    return _drawn(one.told, other.told)


def timed_differently(one: Observed, other: Observed) -> frozenset[str]:
    """Metrics that differ and that `difference` may have taken for durations (`mae = 0.4 s`).

    They are read from the output of the two runs.
    """
    found = []
    for observed in (one, other):
        out, err = ((observed.folder / name).read_bytes() for name in ("stdout", "stderr"))
        if max(len(out), len(err)) > _MOST:
            return frozenset()
        text = [data.decode("utf-8", "replace") for data in (out, err)]
        found.append({name: repr(series) for name, series in metrics.read_run({}, text[0], text[1], {}).items()})
    names = {*found[0], *found[1]}
    return frozenset(n for n in names if found[0].get(n) != found[1].get(n) and not names_duration(n))


def _text(one: Path, other: Path, name: str) -> str:
    a, b = one.read_bytes(), other.read_bytes()
    if a == b:
        return ""
    if max(len(a), len(b)) > _MOST:
        return name
    x, y = (masked(_OUR_FRAMES.sub("", data.decode("utf-8", "backslashreplace"))) for data in (a, b))
    if x == y:
        return ""
    lines = zip([*x.splitlines(), "(nothing)"], [*y.splitlines(), "(nothing)"], strict=False)
    for k, (left, right) in enumerate(lines, start=1):
        if left != right:
            return f"{name}, line {k}: {right.strip()[:60]!r} where the fresh one has {left.strip()[:60]!r}"
    return name


def _drawn(one: Told, other: Told) -> str:
    """The first source of randomness that drew otherwise, if sources are kept apart."""
    drawn = [merged_draws(told.drawn)["sources"] for told in (one, other)]
    for name in sorted({*drawn[0], *drawn[1]}):
        found = [sources.get(name, {"count": 0, "lines": {}, "chains": []}) for sources in drawn]
        same = all(found[0][key] == found[1][key] for key in ("count", "lines"))
        if not same or chains_differ(found[0]["chains"], found[1]["chains"]):
            return f"what {name} draws"
    return ""


def _logged(told: Told) -> Mapping[str, str]:
    return {name: repr(series) for name, series in told.logged.items() if not names_duration(name)}


def _files(folder: Path) -> dict[str, str]:
    """A digest of each file below a folder, by its path."""
    found: dict[str, Any] = {}
    for shown, content in contents_of(folder):
        found[shown] = digest_of(content)
    return found
