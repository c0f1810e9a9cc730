"""Is there a word on every public name? What has none is named, so that nobody meets a bare parameter in the reference."""

import ast
import re
from collections.abc import Iterator, Sequence

from .command_pages import commands
from .defined import base_of, definition_of
from .python_pages import public


def undocumented() -> Sequence[str]:
    """Public names, parameters, methods and fields that no docstring speaks of, and options without a help text."""
    return [
        *(fault for names in public().values() for name in names for fault in _of_name(name)),
        *_of_commands(commands()),
    ]


def _of_name(name: str) -> Iterator[str]:
    found = definition_of(name)
    said = ast.get_docstring(found) or ""
    if not said:
        yield f"{name} has no docstring"
    yield from (f"{name}: among its parameters stands a sentence: {line}" for line in _prose_in_sections(said))
    if isinstance(found, ast.FunctionDef):
        yield from _of_parameters(name, found, said)
    elif "Enum" not in base_of(found) and not name.startswith("seedwise.testing."):
        yield from _of_members(name, found, said)


def _of_parameters(name: str, found: ast.FunctionDef, said: str) -> Iterator[str]:
    given = [*found.args.posonlyargs, *found.args.args, *found.args.kwonlyargs]
    extra = [argument for argument in (found.args.vararg, found.args.kwarg) if argument]
    for argument in (*given, *extra):
        if argument.arg not in ("self", "cls") and not _speaks_of(said, argument.arg):
            yield f"{name}: nothing is said of its parameter {argument.arg}"


def _of_members(name: str, found: ast.ClassDef, said: str) -> Iterator[str]:
    for k, node in enumerate(found.body):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            own = ast.get_docstring(node) or ""
            overload = any(ast.unparse(d).endswith(("overload", ".setter")) for d in node.decorator_list)
            if not own and not overload and not name.startswith("seedwise.integrations."):
                yield f"{name}.{node.name} has no docstring"
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            field = node.target.id
            if not (field.startswith("_") or _speaks_of(said, field) or _is_text(found.body[k + 1 : k + 2])):
                yield f"{name}: nothing is said of its field {field}"


def _speaks_of(said: str, name: str) -> bool:
    """Whether a docstring has an entry for a parameter or field, or names it between backticks."""
    entry = rf"^(?:\*{{0,2}}\w+(?: \([^)]*\))?, )*\*{{0,2}}{re.escape(name)}(?:, \*{{0,2}}\w+)*(?: ?:.*)?$"
    return bool(re.search(entry, said, re.MULTILINE)) or f"`{name}`" in said


def _prose_in_sections(said: str) -> Iterator[str]:
    """Lines that would be read as the names of parameters: behind a section no text begins anew without a heading."""
    section = ""
    lines = said.splitlines()
    for k, line in enumerate(lines):
        if k + 1 < len(lines) and re.fullmatch(r"-{4,}", lines[k + 1]):
            section = line
        elif section in ("Parameters", "Attributes", "Raises") and line[:1] not in ("", " ", "-"):
            if not re.fullmatch(r"(\*{0,2}[\w.]+(, )?)+( ?:.*)?", line):
                yield line


def _is_text(nodes: Sequence[ast.stmt]) -> bool:
    return any(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for node in nodes
    )


def _of_commands(page: str) -> Iterator[str]:
    """Entries of the reference of commands that say nothing behind their name."""
    command = ""
    for line in page.splitlines():
        if line.startswith("## "):
            command = line.removeprefix("## ")
        elif re.match(r"\* `[^`]+`: *(\*|$)", line):
            yield f"{command}: nothing is said of {line.split('`')[1]}"
