"""Where the order of sets enters a program: seen while it runs, and held still line by line.

Each place in the user's source that takes the elements of something in their order (a loop, a comprehension, an
argument, `pop()`), and each call of `hash`, gets a small function around it while the source is loaded. This function
knows whether a set stands there.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from typing import Any, Callable
from zlib import crc32

from ..process.frames import is_guest_file, is_user_file
from ..sites.substitution import Substitution
from .callers import direct
from .facts import Facts
from .names import ORDER, PLACED, SHOWN
from .numbered import name_of

_FREE = frozenset("sorted len sum min max any all set frozenset isinstance issubclass type id bool hash".split())
_WRAPPED = (ast.Name, ast.Attribute, ast.Call, ast.BinOp, ast.Set, ast.SetComp, ast.Subscript, ast.IfExp)
_SHOWING = (print, str, repr, format)
"""Functions that write a set as it is."""
_BY_ADDRESS: Any = object.__hash__
Edit = list[Any]


def edits_of(text: str) -> list[Edit]:
    """The edits that put the functions into a source. Empty if it cannot be parsed."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found: list[Edit] = []
    free = {id(node.args[0]) for node in ast.walk(tree) if _is_free(node) and node.args}  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        for value in _iterated(node, free):
            if isinstance(value, _WRAPPED):
                found += _around(value, "__seedwise_iter__(", f", {value.lineno})")
        if isinstance(node, ast.Call):
            found += _of_call(node)
    return found


def _is_free(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FREE


def _iterated(node: ast.AST, free: set[int]) -> Iterator[ast.expr]:
    if isinstance(node, (ast.For, ast.AsyncFor)):
        yield node.iter
    elif isinstance(node, (ast.ListComp, ast.DictComp)) or (
        isinstance(node, ast.GeneratorExp) and id(node) not in free
    ):
        yield node.generators[0].iter
        yield from (inner.iter for inner in node.generators[1:])
    elif isinstance(node, ast.Starred) or (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Tuple, ast.List))
    ):
        yield node.value


def _of_call(node: ast.Call) -> list[Edit]:
    called = node.func
    if isinstance(called, ast.Name) and called.id == "hash":
        new = f"__seedwise_hash__({node.lineno})"
        return [[called.lineno, called.col_offset, called.end_col_offset, "hash", new]]
    if isinstance(called, ast.Attribute) and called.attr == "pop" and not node.args:
        return _pop(called)
    if isinstance(called, ast.Name):
        if called.id in (*_FREE, "super"):
            return []
        of = called.id
    elif isinstance(called, ast.Attribute) and _is_dotted(called.value):
        of = ast.unparse(called.value)
    else:
        of = "None"
    given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg)]
    found: list[Edit] = []
    for value in given:
        if isinstance(value, _WRAPPED):
            found += _around(value, "__seedwise_given__(", f", {value.lineno}, {of})")
    return found


def _pop(called: ast.Attribute) -> list[Edit]:
    value = called.value
    if not _is_dotted(value) or value.end_lineno != called.end_lineno:
        return []
    return [
        [value.lineno, value.col_offset, value.col_offset, "", "__seedwise_pop__("],
        [value.end_lineno, value.end_col_offset, called.end_col_offset, ".pop", f", {value.lineno})"],
    ]


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _around(node: ast.expr, before: str, after: str) -> list[Edit]:
    return [
        [node.lineno, node.col_offset, node.col_offset, "", before],
        [node.end_lineno, node.end_col_offset, node.end_col_offset, "", after],
    ]


class SetOrder:
    """Sees each set whose order is taken; sorts it on the lines that were asked for.

    Parameters
    ----------
    sort
        Lines, as `file:line`.
    """

    def __init__(self, sort: list[str], facts: Facts) -> None:
        self._sort, self._facts = frozenset(sort), facts

    def watch(self) -> None:
        """Edit every file of the user's while it is loaded."""
        import builtins

        functions: dict[str, Callable[..., Any]] = {
            "__seedwise_iter__": self._taken,
            "__seedwise_given__": self._given,
            "__seedwise_pop__": self._pop,
            "__seedwise_hash__": self._hash,
        }
        for name, function in functions.items():
            setattr(builtins, name, function)

        def edits(path: str, data: bytes) -> list[Edit]:
            try:
                return edits_of(data.decode("utf-8"))
            except UnicodeDecodeError:
                return []

        Substitution({}, {}, edits, lambda path: None).install()

    def _here(self, line: int) -> str:
        frame: Any = sys._getframe(1)
        while is_guest_file(frame.f_code.co_filename):
            frame = frame.f_back
        return f"{os.path.abspath(frame.f_code.co_filename)}:{line}"

    def _note(self, where: str, kind: str, values: Any) -> None:
        self._facts.note(ORDER + where, kind)
        for of in {type(one) for one in values} if kind == "object" else ():
            self._facts.note(PLACED + name_of(of), where)

    def _taken(self, value: Any, line: int, is_shown: bool = False) -> Any:
        if not isinstance(value, (set, frozenset)) or len(value) < 2:
            return value
        where, kind = self._here(line), _kind_of(value)
        if kind:
            self._note(where, SHOWN if is_shown and kind == "word" else kind, value)
        return sorted(value, key=_rank) if where in self._sort and kind == "word" else value

    def _given(self, value: Any, line: int, to: Any) -> Any:
        if not isinstance(value, (set, frozenset)) or isinstance(to, (set, frozenset)) or to in (set, frozenset):
            return value
        code = getattr(to, "__code__", None)
        module = sys.modules.get(str(getattr(to, "__module__", "")))
        if (code is not None and is_user_file(code.co_filename)) or (
            isinstance(to, type) and is_user_file(str(getattr(module, "__file__", "") or ""))
        ):
            return value  # the user's own function: its own lines are seen
        return self._taken(value, line, is_shown=any(to is function for function in _SHOWING))

    def _pop(self, value: Any, line: int) -> Any:
        if not isinstance(value, set) or len(value) < 2 or not _kind_of(value):
            return value.pop
        where = self._here(line)
        self._note(where, _kind_of(value), value)
        if where not in self._sort:
            return value.pop

        def smallest() -> Any:
            found = min(value, key=_rank)
            value.remove(found)
            return found

        return smallest

    def _hash(self, line: int) -> Any:
        where = self._here(line)

        def own(value: Any) -> int:
            if _has_text(value):
                self._facts.note(ORDER + where, "hash")
                if where in self._sort:
                    return crc32(repr(value).encode("utf-8", "surrogatepass"))
            return hash(value)

        return own


def _has_text(value: Any) -> bool:
    return isinstance(value, (str, bytes)) or (isinstance(value, (tuple, frozenset)) and any(map(_has_text, value)))


def _kind_of(values: Any) -> str:
    """`word` if the order hangs on the hash seed, `object` if it hangs on addresses; "" if it is always the same."""
    if any(_has_text(value) for value in values):
        return "word"
    own = any(getattr(type(value), "__hash__", None) is _BY_ADDRESS for value in values)
    return "object" if own else ""


def _rank(value: Any) -> tuple[str, Any]:
    return (type(value).__name__, value if isinstance(value, (str, bytes)) else repr(value))


def watch_hash_seed(facts: Facts) -> None:
    """Note the line that sets PYTHONHASHSEED inside the program, where Python does not read it any more."""

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.putenv" and arguments[0] in (b"PYTHONHASHSEED", "PYTHONHASHSEED"):
            frame: Any = sys._getframe(1)
            while frame is not None and frame.f_code.co_filename.endswith(("os.py", "<frozen os>")):
                frame = frame.f_back
            facts.note("hash-seed-late", direct(frame))

    sys.addaudithook(audit)
