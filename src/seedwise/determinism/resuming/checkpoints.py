"""The checkpoints that a program wrote, as far as they can be resumed from."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..trace import Trace

_MOST_IN_FOLDER = 200
"""Files of one checkpoint that is a folder."""


@dataclass(frozen=True)
class Checkpoint:
    """The files that were written between two steps.

    `step` is how many steps had been done; `first` and `last` count the writings of the whole program, from 1.
    """

    step: int
    paths: tuple[str, ...]
    lines: tuple[str, ...]
    first: int
    last: int
    complete: int
    """The last writing that belongs to it, text included."""

    @property
    def line(self) -> str:
        """The user's line that wrote the last file that belongs to it."""
        return next((line for line in reversed(self.lines) if line), "")

    @property
    def kinds(self) -> frozenset[str]:
        """The paths of its files, without numbers."""
        return frozenset(map(_kind, self.paths))


def checkpoints_of(trace: Trace) -> list[Checkpoint]:
    """Every checkpoint, first ones first. Text in JSON counts only where nothing else was written."""
    writes = list(enumerate(trace.resuming.get("writes", ()), start=1))
    strong = [(k, w) for k, w in writes if not w["weak"]]
    strong = strong or writes
    groups: list[list[tuple[int, dict[str, object]]]] = []
    kinds: set[str] = set()
    steps = bool(trace.resuming.get("done"))
    folders = _folders(strong)
    for k, write in strong:
        folder = folders.get(k, 0)
        kind = _kind(str(write["path"]))
        again = kind in kinds and not (folder and folder == folders.get(groups[-1][-1][0]))
        new = not groups or (groups[-1][0][1]["step"] != write["step"] if steps else again)
        if new:
            groups.append([])
            kinds = set()
        kinds.add(kind)
        groups[-1].append((k, write))
    ends = [group[0][0] - 1 for group in groups[1:]] + [len(writes)] * bool(groups)
    return [
        Checkpoint(
            int(str(group[0][1]["step"])),
            tuple(dict.fromkeys(str(w["path"]) for _, w in group)),
            tuple(str(w["where"]) for _, w in group),
            group[0][0],
            group[-1][0],
            group[-1][0] if steps or strong is writes else _with_text(writes, group[0][0], group[-1][0], end),
        )
        for group, end in zip(groups, ends, strict=True)
    ]


def _folders(writes: Sequence[tuple[int, Mapping[str, object]]]) -> dict[int, int]:
    """Number of a writing → that by which the folder that holds it got its name, when it was complete."""
    found: dict[int, int] = {}
    for i, (last, renamed) in enumerate(writes):
        inside = f"{renamed['from']}/"
        held = [k for k, w in writes[max(0, i - _MOST_IN_FOLDER) : i] if str(w["path"]).startswith(inside)]
        if renamed["from"] and held:
            found.update({k: last for k in (*held, last) if k not in found})
    return found


def _with_text(writes: Sequence[tuple[int, Mapping[str, object]]], first: int, last: int, end: int) -> int:
    """The number of the last writing of a checkpoint, with the JSON that is written right behind it: often the epoch stands there.

    That is a file that was begun before, under another name, or that a later line of the same function writes: a program that is
    interrupted between the two would leave half a checkpoint.
    """
    begun = {str(w["path"]) for _, w in writes[first - 1 : last]}
    while last < end:
        before, write = str(writes[last - 1][1]["where"]), writes[last][1]
        if not (write["from"] in begun or _goes_on(before, str(write["where"]))):
            break
        begun.add(str(write["path"]))
        last += 1
    return last


def _goes_on(before: str, where: str) -> bool:
    """Whether a line is a later one of the same function."""
    (path, _, line), (other, _, next_line) = (place.rpartition(":") for place in (before, where))
    if path != other or not (line.isdigit() and next_line.isdigit() and int(line) < int(next_line)):
        return False
    return _function_at(path, int(line)) == _function_at(path, int(next_line))


@lru_cache(maxsize=1024)
def _function_at(path: str, line: int) -> int:
    """The first line of the innermost function that holds a line; 0 if none does."""
    return max((begin for begin, end in _functions_of(path) if begin <= line <= end), default=0)


@lru_cache(maxsize=16)
def _functions_of(path: str) -> tuple[tuple[int, int], ...]:
    """The first and the last line of each function of a file."""
    try:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return ()
    functions = (n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return tuple((n.lineno, n.end_lineno or n.lineno) for n in functions)


def _kind(path: str) -> str:
    return re.sub(r"\d+", "#", path)


def to_resume_from(trace: Trace, found: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Those after which the program still did something: not at its end, and not before its first step."""
    done = int(trace.resuming.get("done", 0))
    if not done:
        return list(found[:-1])  # without steps, a checkpoint is complete when the next one begins
    return [one for one in found if 0 < one.step < done]


def nearest(found: Sequence[Checkpoint], step: float) -> Checkpoint:
    """The one that lies nearest to a step; of two, the earlier one."""
    return min(found, key=lambda one: abs(one.step - step))
