"""Writes down what a fix changes: a line of the user's source before and after."""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..places import short_place
from .causes import Cause


@dataclass(frozen=True)
class ChangedLine:
    """A line of the user's source (`file:line`), as it is and as it would be."""

    where: str
    before: str
    after: str


_MAKERS = frozenset("default_rng RandomState Random SeedSequence PCG64 MT19937 Philox SFC64".split())
_LISTINGS = frozenset("listdir glob iglob scandir iterdir rglob".split())
_UNWRITTEN = {"empty": "zeros", "empty_like": "zeros_like", "Tensor": "zeros", "FloatTensor": "zeros"}


def changed_line(cause: Cause, where: str, generators: Sequence[str] = ()) -> ChangedLine | None:
    """The line at `where` without this cause. None if the line does not show what must be changed.

    `generators` are the names of those that have no seed.
    """
    path, _, number = where.rpartition(":")
    change = _CHANGES.get(cause)
    if any(".seed() at " in name for name in generators):
        change = _restarted_in_torch if all(name.startswith("torch.") for name in generators) else _restarted
    if change is None or not number.isdigit():
        return None
    try:
        text = Path(path).read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return None
    rows = text.splitlines()
    if not 1 <= int(number) <= len(rows):
        return None
    before = rows[int(number) - 1]
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.lineno == node.end_lineno == int(number)
    ]
    for call in calls:
        start, end = (len(before.encode()[:column].decode()) for column in (call.col_offset, call.end_col_offset or 0))
        after = change(call, before[start:end])
        if after:
            return ChangedLine(short_place(where), before.strip(), (before[:start] + after + before[end:]).strip())
    return None


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _seeded(call: ast.Call, text: str) -> str:
    alone = not call.args and not call.keywords
    given_none = len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value is None
    if _called(call) not in _MAKERS or not (alone or given_none):
        return ""
    return text[: text.rindex("(")] + "(0)"


def _restarted(call: ast.Call, text: str) -> str:
    """`seed()` starts a generator from the system's entropy."""
    return text[: text.rindex("(")] + "(0)" if _called(call) == "seed" and not call.args and not call.keywords else ""


def _restarted_in_torch(call: ast.Call, text: str) -> str:
    return _restarted(call, text).replace(".seed(0)", ".manual_seed(0)")


def _sorted(call: ast.Call, text: str) -> str:
    return f"sorted({text})" if _called(call) in _LISTINGS else ""


def _written(call: ast.Call, text: str) -> str:
    name = _called(call)
    if name not in _UNWRITTEN or not call.args:
        return ""
    return ast.unparse(call.func).removesuffix(name) + _UNWRITTEN[name] + text[len(ast.unparse(call.func)) :]


def _digest(call: ast.Call, text: str) -> str:
    if _called(call) != "hash" or not call.args:
        return ""
    return f'int.from_bytes(hashlib.sha256({ast.unparse(call.args[0])}.encode()).digest()[:8], "big")'


_CHANGES: dict[Cause, Callable[[ast.Call, str], str]] = {
    Cause.GENERATOR: _seeded,
    Cause.LISTING: _sorted,
    Cause.MEMORY: _written,
    Cause.HASH: _digest,
}
