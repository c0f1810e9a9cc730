"""Helpers that answer one question about a node of the syntax tree."""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterator

from .modules import FUNCTIONS, Function, Scope
from .names import words


def methods_of(node: ast.ClassDef) -> list[ast.FunctionDef]:
    return [statement for statement in node.body if isinstance(statement, ast.FunctionDef)]


def is_static(method: ast.FunctionDef) -> bool:
    return any(last_name(decorator) == "staticmethod" for decorator in method.decorator_list)


def class_of(scope: Scope | None) -> ast.ClassDef | None:
    """The class in whose body or method a scope stands."""
    while scope is not None:
        if isinstance(scope.node, ast.ClassDef):
            return scope.node
        scope = scope.parent
    return None


_GETTERS = frozenset("get getattr getenv pop setdefault env int number_input".split())


def is_getter(name: str) -> bool:
    """Whether a call of this name looks something up, or declares it, with a fallback beside its name."""
    return name in _GETTERS or name.startswith(("get", "DEFINE_"))


def last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def constant_text(node: ast.AST) -> str:
    if type(node).__name__ == "Index":  # Python 3.8's wrapper, still met in trees made by hand
        node = node.value  # type: ignore[attr-defined]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def asks_for_main(test: ast.expr) -> bool:
    """`__name__ == "__main__"`: what is below does not run in an imported module."""
    return (
        isinstance(test, ast.Compare)
        and {last_name(test.left), constant_text(test.left)} & {"__name__", "__main__"} != set()
        and "__main__" in (constant_text(test.left), constant_text(test.comparators[0]))
        and isinstance(test.ops[0], ast.Eq)
    )


def is_digits(node: ast.AST) -> bool:
    text = constant_text(node)
    return bool(text) and text.isascii() and text.isdigit() and len(text) <= 10


OFFSETS = frozenset(
    "rank offset epoch step i j k n idx index worker id fold iter iteration trial run local world process rep "
    "repeat ensemble device gpu node shard chunk batch episode key".split()
)


COUNTERS = frozenset("rank epoch step worker fold trial iter iteration batch episode offset".split())


def is_offset(node: ast.expr) -> bool:
    """Whether an operand's name says that it counts: `seed_offset`, `rank`, `worker_id`."""
    return any(word in OFFSETS for word in words(last_name(node)))


def is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def literal_number(node: ast.AST | None) -> int | None:
    """The value of an integer literal, or of a sum, product or power of such; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = literal_number(node.operand)
        return None if inner is None else -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        left, right = literal_number(node.left), literal_number(node.right)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Pow) and 0 <= right <= 128 and abs(left) <= 2**32:
            return int(left**right)
    return None


def is_same_text(old: bytes, node: ast.expr, clock: bool) -> bool:
    """Whether the slice of the text is the expression: columns inside old f-strings are wrong."""
    try:
        parsed = ast.parse(old.decode(), mode="eval").body
    except (SyntaxError, ValueError):
        return False
    if clock:
        return ast.dump(parsed) == ast.dump(node)
    if isinstance(parsed, ast.Constant) and isinstance(parsed.value, str):
        return isinstance(node, ast.Constant) and parsed.value == node.value
    return literal_number(parsed) == literal_number(node)


def is_asked_for(test: ast.expr, number: int) -> bool:
    """Whether a condition singles this number out: 0 in `if seed:` or `seed == 0`, a negative one in `seed < 0` or `seed >= 0`.

    It does when the answer for the number is not the answer for the large positive numbers that seeds usually are.
    """
    if not isinstance(test, ast.Compare):
        return number == 0
    bound = literal_number(test.comparators[0])
    if bound is None or len(test.ops) > 1:
        return False
    compare = _COMPARISONS.get(type(test.ops[0]))
    return compare is not None and bound <= 0 and compare(number, bound) != compare(2**20, bound)


_COMPARISONS = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def holds_numbers(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return last_name(node.func) == "range"
    return isinstance(node, (ast.List, ast.Tuple, ast.Set)) and any(literal_number(e) is not None for e in node.elts)


def defaults_of(node: Function) -> Iterator[tuple[str, ast.expr]]:
    arguments = node.args
    positional = [*getattr(arguments, "posonlyargs", []), *arguments.args]
    for argument, default in zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults):
        yield argument.arg, default
    for argument, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults):
        if keyword_default is not None:
            yield argument.arg, keyword_default


def given_argument(function: Function, call: ast.Call, skip: int, name: str) -> ast.expr | None:
    """What a call passes for a parameter; None where it leaves the default."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = [a.arg for a in [*getattr(function.args, "posonlyargs", []), *function.args.args]]
    position = positional.index(name) - skip if name in positional else -1
    if 0 <= position < len(call.args):
        if not any(isinstance(argument, ast.Starred) for argument in call.args[: position + 1]):
            return call.args[position]
    return None


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    todo: list[ast.AST] = list(function.body) if isinstance(function.body, list) else [function.body]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, FUNCTIONS):
            todo.extend(ast.iter_child_nodes(node))


def targets_of(node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> list[ast.expr]:
    """What an assignment binds."""
    return node.targets if isinstance(node, ast.Assign) else [node.target]
