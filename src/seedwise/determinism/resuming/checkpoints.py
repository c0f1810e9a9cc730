"""The checkpoints that a program wrote, as far as they can be resumed from."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..trace import Trace


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
    for k, write in strong:
        kind = _kind(str(write["path"]))
        new = not groups or (groups[-1][0][1]["step"] != write["step"] if steps else kind in kinds)
        if new:
            groups.append([])
            kinds = set()
        kinds.add(kind)
        groups[-1].append((k, write))
    return [
        Checkpoint(
            int(str(group[0][1]["step"])),
            tuple(dict.fromkeys(str(w["path"]) for _, w in group)),
            tuple(str(w["where"]) for _, w in group),
            group[0][0],
            group[-1][0] if steps else _with_text(writes, group[0][0], group[-1][0]),
        )
        for group in groups
    ]


def _with_text(writes: Sequence[tuple[int, Mapping[str, object]]], first: int, last: int) -> int:
    """The number of the last writing of a checkpoint, with the text that is written right behind it: where it stands, say.

    That is text whose writing began before, under another name, or that a later line of the same function writes.
    """
    begun = {str(w["path"]) for k, w in writes if first <= k <= last}
    for k, write in writes[last:]:
        before = str(writes[last - 1][1]["where"])
        if not write["weak"] or not (write["from"] in begun or _goes_on(before, str(write["where"]))):
            break
        begun.add(str(write["path"]))
        last = k
    return last


def _goes_on(before: str, where: str) -> bool:
    """Whether a line is a later one of the same function."""
    (path, _, line), (other, _, next_line) = (place.rpartition(":") for place in (before, where))
    if path != other or not (line.isdigit() and next_line.isdigit() and int(line) < int(next_line)):
        return False
    try:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return False
    return _function_at(tree, int(line)) is _function_at(tree, int(next_line))


def _function_at(tree: ast.Module, line: int) -> ast.AST:
    """The innermost function that holds a line; the module if none does."""
    functions = (n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
    holding = [n for n in functions if n.lineno <= line <= (n.end_lineno or n.lineno)]
    return max(holding, key=lambda n: n.lineno, default=tree)


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
